//! The door's judgement: text from outside becomes typed [`Event`]s, or a [`Refusal`] that says what is wrong where.
//!
//! Pure: the schema, the zone and the time of arrival are arguments. HTTP, import and `wayfare test` fixtures all come
//! through here, so the same record is good or bad everywhere. Reading order: [`envelope`] (CloudEvents attributes),
//! [`event`] (envelope to event), [`value`] (JSON to typed values), [`rows`] (CSV and NDJSON rows to envelopes).
//! What never enters: sockets, files, and names that are not in the schema (interning never frees).

pub mod cell;
pub mod envelope;
pub mod event;
pub mod rights;
mod rows;
pub mod value;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

pub use envelope::Envelope;
pub use event::Intake;
pub use rows::{Format, Import, Row, Rows, What};

use std::fmt;

use crate::diagnostic::Code;
use crate::diagnostic::code;
use crate::diagnostic::suggest::nearest;

/// Longest event id, source, subject or key, in bytes.
pub const MAX_ID: usize = 512;
/// Longest text in a field, in bytes.
pub const MAX_TEXT: usize = 64 * 1024;
/// Most elements of a list in a field.
pub const MAX_LIST: usize = 1000;
/// Largest single event, in bytes. CloudEvents asks every consumer to take 64 KiB at least.
pub const MAX_EVENT: usize = 256 * 1024;

/// Why a record cannot be taken, in words for whoever sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    /// One sentence, lower-case, without a full stop; names the field, what was found and what was expected.
    pub reason: String,
}

impl Refusal {
    #[must_use]
    pub fn new(code: Code, reason: impl fmt::Display) -> Self {
        Self { code, reason: reason.to_string() }
    }

    /// Whether the record is set aside for a person to look at, instead of being handed back only.
    #[must_use]
    pub fn is_quarantine(&self) -> bool {
        [code::AHEAD_OF_TIME, code::CONFLICTING_EVENT, code::SET_ASIDE].contains(&self.code)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.reason, self.code)
    }
}

impl std::error::Error for Refusal {}

/// `, did you mean …?` where one of `known` is near.
fn did_you_mean(text: &str, known: impl Iterator<Item = &'static str>) -> String {
    // Comparing costs length times length, and the text is a stranger's.
    let word = Some(text).filter(|text| text.len() <= 64);
    word.and_then(|word| nearest(word, known))
        .map(|near| format!(", did you mean `{near}`?"))
        .unwrap_or_default()
}

/// Data in a message: in backticks, one line, bounded, so that a hostile record cannot flood or forge a log.
#[must_use]
pub fn quote(text: &str) -> String {
    const MOST: usize = 60;
    let mut shown: String =
        text.chars().take(MOST).map(|c| if c.is_control() || c == '`' { '\u{FFFD}' } else { c }).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}
