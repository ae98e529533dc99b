//! Policies: what the bank allows any journey to send. One object beside the programs, always the live one, whatever
//! version of a journey somebody stands in.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use super::{Def, Feature, Rate};
use crate::expr::Expr;
use crate::name::Name;
use crate::value::Length;

/// Purposes that no quiet time holds up and no cap of a channel counts: what the customer must know at once.
const URGENT: [&str; 3] = ["transactional", "regulatory_notice", "fraud_alert"];
/// All purposes of messages.
pub const PURPOSES: [&str; 7] =
    ["marketing", "service", "transactional", "regulatory_notice", "fraud_alert", "collections", "survey"];
/// The purpose that always needs consent, and that suitability is about.
pub const MARKETING: &str = "marketing";

/// Whether the purpose is for what the customer must know at once.
#[must_use]
pub fn is_urgent(purpose: Name) -> bool {
    URGENT.contains(&purpose.as_str())
}

/// Everything that the gate asks beside a message itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Policies {
    /// All of them apply.
    pub policies: BTreeMap<Name, Policy>,
    /// What journeys say of themselves. Only tighter than the policies; both hold.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub journeys: BTreeMap<Name, Narrowing>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub products: BTreeMap<Name, Product>,
    /// The product that each content speaks of.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contents: BTreeMap<Name, Name>,
    /// The attribute with the risk that a customer can bear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Name>,
    /// Whom conditions are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Name>,
    /// For the conditions in here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defs: Vec<Def>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<Feature>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Purposes that need a consent for the channel.
    pub consent: Vec<Name>,
    pub suppress: Vec<Suppress>,
    pub quiet: Option<Quiet>,
    pub caps: Vec<Cap>,
    /// Priorities, highest first.
    pub order: Vec<Name>,
}

/// Who gets nothing, of one purpose or of all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suppress {
    pub purpose: Option<Name>,
    pub condition: Expr,
}

/// What a journey says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Narrowing {
    pub product: Option<Name>,
    pub priority: Option<Name>,
    pub quiet: Option<Quiet>,
    pub caps: Vec<Cap>,
}

/// Nothing is sent between these times of the day; `from` may be later than `to`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quiet {
    pub from: Time,
    pub to: Time,
    /// How long a message waits at most; `None`: until the end.
    pub defer: Option<Length>,
    /// How many leave when it is over, over all customers.
    pub release: Option<Rate>,
}

/// At most `most` messages of a channel or purpose, for each of `whom`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cap {
    pub name: Name,
    /// Of a purpose: all messages of one `reach` are one. Else of a channel, and each counts.
    pub of_purpose: bool,
    pub most: u32,
    pub whom: Name,
    pub within: Span,
    pub over: Over,
}

/// The stretch of time that a cap counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub length: Length,
    /// Any such stretch; else those of the calendar, in the customer's zone, weeks from Monday.
    pub rolling: bool,
}

/// What becomes of a message that is too many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Over {
    /// It is `capped`. In a `reach` the next channel is tried, as after any refusal.
    #[default]
    Skip,
    /// It waits for room, at most as long as this.
    Defer(Length),
    NextChannel,
}

/// What is asked of whom a product is marketed to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Product {
    pub risk: Option<Name>,
    pub market: Option<Expr>,
}

impl Policies {
    /// Whether there is nothing in it that the gate could ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty() && self.journeys.is_empty() && self.products.is_empty()
    }

    /// The caps that messages of this journey are held against, with the policy that says so; the journey's own last.
    pub fn caps_of(&self, journey: Name) -> impl Iterator<Item = (Option<Name>, &Cap)> {
        let banks = self.policies.iter();
        let banks = banks.flat_map(|(name, policy)| policy.caps.iter().map(move |cap| (Some(*name), cap)));
        let own = self.journeys.get(&journey).into_iter().flat_map(|own| &own.caps);
        banks.chain(own.map(|cap| (None, cap)))
    }

    /// Every cap, whoever says it.
    pub fn caps(&self) -> impl Iterator<Item = &Cap> {
        let banks = self.policies.values().flat_map(|policy| &policy.caps);
        banks.chain(self.journeys.values().flat_map(|own| &own.caps))
    }

    /// The same of quiet times.
    pub fn quiets_of(&self, journey: Name) -> impl Iterator<Item = (Option<Name>, &Quiet)> {
        let banks =
            self.policies.iter().filter_map(|(name, policy)| Some((Some(*name), policy.quiet.as_ref()?)));
        let own = self.journeys.get(&journey).and_then(|own| own.quiet.as_ref());
        banks.chain(own.map(|quiet| (None, quiet)))
    }

    /// The slowest rate at which what was held over quiet times leaves.
    #[must_use]
    pub fn release(&self) -> Option<Rate> {
        let rates = self.policies.values().filter_map(|policy| policy.quiet?.release);
        rates.min_by_key(|rate| u64::from(rate.count) * 1_000_000 / u64::from(rate.per_ms.max(1)))
    }

    /// 0 goes first; priorities that no policy names go last.
    #[must_use]
    pub fn rank(&self, journey: Name) -> usize {
        let Some(priority) = self.journeys.get(&journey).and_then(|own| own.priority) else {
            return usize::MAX;
        };
        let mut order = self.policies.values().flat_map(|policy| &policy.order);
        order.position(|known| *known == priority).unwrap_or(usize::MAX)
    }
}

impl Cap {
    /// Whether messages of this channel and purpose are counted by it.
    #[must_use]
    pub fn counts(&self, channel: Name, purpose: Name) -> bool {
        if self.of_purpose { self.name == purpose } else { self.name == channel && !is_urgent(purpose) }
    }
}

impl fmt::Display for Span {
    /// As behind `per`: `week`, `rolling 7 days`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.length.to_string();
        if self.rolling {
            return write!(f, "rolling {text}");
        }
        f.write_str(match self.length {
            Length::Elapsed(60_000) => "minute",
            Length::Elapsed(_) => "hour",
            Length::Civil { .. } => text.trim_start_matches("1 "),
        })
    }
}
