//! The chain of a lottery's draws: each link is the hash of the one before and of what was drawn.

use std::collections::BTreeMap;
use std::fmt;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::Terms;
use crate::text::hex;

/// What became of a draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The prize that was drawn.
    Won,
    /// No prize was drawn.
    Blank,
    /// The prize that was drawn was gone.
    SoldOut,
    /// What pays for the prize that was drawn was used up; the customer has the chance back.
    BudgetGone,
    /// It could not be given for another reason; the customer has the chance back.
    Refused,
}

impl Outcome {
    pub const ALL: [Self; 5] = [Self::Won, Self::Blank, Self::SoldOut, Self::BudgetGone, Self::Refused];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Won => "won",
            Self::Blank => "blank",
            Self::SoldOut => "sold_out",
            Self::BudgetGone => "budget_gone",
            Self::Refused => "refused",
        }
    }

    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A draw, before it has its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// [`super::ticket`]
    pub ticket: String,
    /// The prize, if one was drawn.
    pub drawn: Option<String>,
    pub outcome: Outcome,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// A draw in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// From 1, without a gap.
    pub nth: i64,
    #[serde(flatten)]
    pub draw: Draw,
    /// How many of the drawn prize are left after it, where they are counted.
    pub left: Option<i64>,
    /// SHA-256 of the link before and of all this, in hexadecimal.
    pub link: String,
}

/// Where a chain ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub draws: i64,
    pub link: String,
    /// How often each prize was won.
    pub won: BTreeMap<String, i64>,
}

impl Head {
    /// Before the first draw: what the chain hangs on are the commitment and the terms, as they were published.
    #[must_use]
    pub fn first(commitment: &str, terms: &str) -> Self {
        let link = hash(&format!("wayfare lottery 1\n{commitment}\n{terms}"));
        Self { draws: 0, link, won: BTreeMap::new() }
    }

    /// Puts a draw behind the last one.
    pub fn append(&mut self, terms: &Terms, draw: Draw) -> Record {
        let mut left = None;
        if let Some(name) = &draw.drawn {
            let won = self.won.entry(name.clone()).or_default();
            *won += i64::from(draw.outcome == Outcome::Won);
            left = terms.prize(name).and_then(|prize| prize.count).map(|count| count - *won);
        }
        self.draws += 1;
        let link = link(&self.link, self.draws, &draw, left);
        self.link.clone_from(&link);
        Record { nth: self.draws, draw, left, link }
    }
}

/// The link of a record, from the one before it.
fn link(before: &str, nth: i64, draw: &Draw, left: Option<i64>) -> String {
    let Draw { ticket, drawn, outcome, at } = draw;
    let drawn = drawn.as_deref().unwrap_or("-");
    let left = left.map_or_else(|| "-".to_owned(), |left| left.to_string());
    hash(&format!("{before}\n{nth} {ticket} {drawn} {outcome} {left} {at}"))
}

impl Record {
    /// Whether it hangs on the link before.
    #[must_use]
    pub fn hangs_on(&self, before: &str) -> bool {
        link(before, self.nth, &self.draw, self.left) == self.link
    }
}

fn hash(text: &str) -> String {
    hex::of(digest(&SHA256, text.as_bytes()).as_ref())
}
