//! What is kept of a history condition in a subject's state: exact for its window, bounded in space.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::wire;
use crate::value::Value;

/// The newest this many are kept where instants matter: aggregates other than `any` over elapsed windows and `since`.
pub const MAX_RING: usize = 256;
/// Of `most`: values per feature, oldest days dropped first.
pub const MAX_VOTES: usize = 1024;
/// Days of a daily attribute: the oldest fall out first, whatever is asked.
pub const MAX_SERIES: usize = 1100;
/// Days kept for spans whose reach cannot be read off the program.
pub const MAX_DAYS: i32 = 400;

/// The form follows from the aggregate's function and window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Feature {
    /// Over everything since ever.
    Total(Tally),
    /// Per civil day in the zone the subject had then: day number since 1970, ascending.
    Days(Vec<(i32, Tally)>),
    /// Of `most`: by day (0 where days do not matter), then by first sight.
    Votes(Vec<Vote>),
    /// Instants and values, oldest first.
    Ring(#[serde(with = "wire")] Vec<(Timestamp, Value)>),
    /// Of a daily attribute, under its own symbol: the last value told for each day that one was told for, ascending.
    /// A day without one has the value of the day before.
    Series(Vec<(i32, Value)>),
    /// Of a derived value whose changes are followed, under its own symbol: what it was at the last look.
    Seen(Value),
}

/// An aggregate that can be added to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    pub count: u32,
    /// When the latest happened; for `first` and `last`, when the one that `value` is of did.
    #[serde(with = "wire")]
    pub at: Timestamp,
    /// The sum, the least, the greatest, the first or the last; `Missing` where only the count matters.
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vote {
    pub day: i32,
    pub value: Value,
    pub count: u32,
    #[serde(with = "wire")]
    pub last: Timestamp,
}
