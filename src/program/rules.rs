//! Replies: rules of which the first that fits an event is done, how often they answer, and when they are silent.

use serde::{Deserialize, Serialize};

use crate::expr::Expr;
use crate::name::Name;
use crate::value::Length;

/// Beside the patterns of the entry: which of them fits says which rule is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// Where an instance keeps the name of its rule.
    pub slot: u16,
    /// One for each pattern, in the same order.
    pub names: Vec<Name>,
    pub limits: Vec<AnswerLimit>,
    /// Whose answers are counted, below the entry event; `None`: the subject's.
    pub writer: Option<Expr>,
    /// While this is true nothing is answered.
    pub quiet: Option<Expr>,
}

/// At most so many answers in each stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerLimit {
    pub most: u16,
    pub within: Within,
}

/// The stretch that is going on. Days begin in the zone of the subject, weeks on Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Within {
    Day,
    Week,
    Month,
    /// As long as this, up to now.
    Last(Length),
}

impl std::fmt::Display for AnswerLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} per ", self.most)?;
        match self.within {
            Within::Day => f.write_str("day"),
            Within::Week => f.write_str("week"),
            Within::Month => f.write_str("month"),
            Within::Last(length) => write!(f, "rolling {length}"),
        }
    }
}
