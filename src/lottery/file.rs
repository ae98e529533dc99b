//! A lottery as a file: a line of what was published, then a line for each draw. Nothing in it says who drew.

use serde::{Deserialize, Serialize};

use super::Seed;
use super::audit::{Audit, Auditor, Published};
use super::chain::Record;

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub lottery: String,
    /// The terms as they were published, as a text: their hash is part of the chain.
    pub terms: String,
    pub commitment: String,
    /// Once it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// How many draws there are, and the link of the last.
    pub draws: i64,
    pub head: String,
}

impl Header {
    /// # Errors
    /// If the seed is none, in words.
    pub fn published(&self) -> Result<Published, String> {
        let seed = match &self.seed {
            Some(seed) => Some(Seed::parse(seed).ok_or("the seed is not 64 hexadecimal digits")?),
            None => None,
        };
        Ok(Published { terms: self.terms.clone(), commitment: self.commitment.clone(), seed })
    }
}

/// Looks at a file, line by line.
///
/// # Errors
/// If it is no such file, in words.
pub fn audit(mut lines: impl Iterator<Item = std::io::Result<String>>) -> Result<(Header, Audit), String> {
    let first = lines.next().ok_or("the file is empty")?.map_err(|error| error.to_string())?;
    let header: Header =
        serde_json::from_str(&first).map_err(|error| format!("line 1 is not that of a lottery: {error}"))?;
    let mut auditor = Auditor::new(&header.published()?)?;
    for (number, line) in (2..).zip(lines) {
        let line = line.map_err(|error| error.to_string())?;
        let record: Record =
            serde_json::from_str(&line).map_err(|error| format!("line {number} is no draw: {error}"))?;
        auditor.take(&record);
    }
    let audit = auditor.end(Some((header.draws, &header.head)));
    Ok((header, audit))
}
