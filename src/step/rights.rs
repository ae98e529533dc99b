//! What a state keeps for the gate: what caps count, what was said of consent, and on which lists somebody stands.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::state::SubjectRef;
use super::symbols::Sym;
use super::wire;

/// What a message waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HeldBy {
    /// The end of a quiet time.
    Quiet,
    /// Room under a cap.
    Cap,
}

/// A message that caps count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// When it left; until then, when it was decided.
    #[serde(with = "wire")]
    pub at: Timestamp,
    pub channel: Sym,
    pub purpose: Sym,
    pub subject: SubjectRef,
    /// The same for all messages of one `reach`.
    pub family: u64,
    /// Digest of its key.
    pub message: u64,
}

/// Somebody agreed to be written to, or no longer does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// `None`: all.
    pub channel: Option<Sym>,
    pub purpose: Option<Sym>,
    pub given: bool,
    #[serde(with = "wire")]
    pub at: Timestamp,
    /// Who told us, and how: the source of the event, the word of the message.
    pub how: Arc<str>,
    /// The version of the words that were agreed to.
    pub wording: Arc<str>,
    /// Identity of the event that said so.
    pub event: Arc<str>,
}

/// A place on a list of those who are not to be written to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    pub list: Arc<str>,
    /// `None`: all.
    pub channel: Option<Sym>,
    /// `None`: all but what the customer must know at once.
    pub purpose: Option<Sym>,
    #[serde(with = "wire")]
    pub at: Timestamp,
    #[serde(with = "wire")]
    pub until: Option<Timestamp>,
}
