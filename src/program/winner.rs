//! `winner`: what decides between the arms of an experiment, and where a subject keeps what it has to do with it.

use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::value::Length;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Winner {
    /// The goal that counts, of a journey that splits.
    pub goal: Name,
    /// In hundredths of a percent: 9,500 is 95%.
    pub confidence: u16,
    /// How many must have taken part, of each arm.
    pub least: u32,
    /// How long after the first took part it is decided.
    pub by: Length,
    /// The arm that all others get then where nothing was decided; `None`: the mix stays.
    pub undecided: Option<Name>,
}

/// The attribute that says how a subject counts in an experiment: [`TAKES_PART`] or [`REACHED`].
#[must_use]
pub fn tally_of(experiment: Name) -> Name {
    Name::new(&format!("wayfare.tally.{experiment}"))
}

/// It has passed the split, and the goal is still to come.
pub const TAKES_PART: i64 = 1;
/// It has reached the goal.
pub const REACHED: i64 = 2;
