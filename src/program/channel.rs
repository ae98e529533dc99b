//! Channels: by what way the bank speaks, and what is known of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::expr::MessageEvent;
use crate::name::Name;
use crate::value::Length;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    pub label: Option<Arc<str>>,
    pub kind: Name,
    pub rate: Option<Rate>,
    pub receipt: Option<Length>,
    pub outcomes: Vec<MessageEvent>,
    /// The attribute of the root that holds the address; without one the subject's id is the address.
    pub address: Option<Name>,
    /// The kind of subject that it reaches, where that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Name>,
    /// Whose ground it is: `owned`, `third_party`, `paid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<Name>,
    /// Of a slot: how many placements one customer can have in it at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u16>,
}

impl Channel {
    /// Whether people of the bank send it on by hand, and say so. What was only asked of them has reached nobody, so it
    /// counts where messages are counted once it is confirmed.
    #[must_use]
    pub fn is_by_hand(&self) -> bool {
        self.outcomes.contains(&MessageEvent::Confirmed)
    }

    /// A place on the bank's own ground, to which customers come by themselves: nobody is written to, and nothing
    /// leaves the bank.
    #[must_use]
    pub fn is_own_slot(&self) -> bool {
        self.kind.as_str() == "slot" && self.surface.is_some_and(|surface| surface.as_str() == "owned")
    }
}

/// At most `count` dispatches in any `per_ms` milliseconds of domain time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    pub count: u32,
    pub per_ms: u32,
}

impl Rate {
    /// Of two the one that lets less through in the long run.
    #[must_use]
    pub fn tighter(self, other: Self) -> Self {
        let (mine, its) = (
            u64::from(self.count) * u64::from(other.per_ms),
            u64::from(other.count) * u64::from(self.per_ms),
        );
        if mine <= its { self } else { other }
    }

    /// What each of so many workers may do at most; together they keep the rate where it is no less than one for each.
    #[must_use]
    pub fn part(self, workers: usize) -> Self {
        let workers = u32::try_from(workers.max(1)).unwrap_or(u32::MAX);
        Self { count: (self.count / workers).max(self.count.min(1)), ..self }
    }
}
