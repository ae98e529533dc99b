//! What journeys act within: products, the organisation, the bank's policies, and what compliance excused.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::civil::{Date, Time};

use super::Uses;
use crate::expr::Expr;
use crate::name::Name;
use crate::program::Rate;
use crate::program::policy::Over;
use crate::text::Span;
use crate::value::Length;

/// The built-in choice of risk levels, lowest first.
pub const RISK: &str = "Risk";
pub const RISKS: [&str; 5] = ["R1", "R2", "R3", "R4", "R5"];

#[derive(Clone, Debug)]
pub struct Product {
    pub name: Name,
    pub label: Option<Arc<str>>,
    /// `fund`, `consumer_loan`, …: which rules of law apply.
    pub class: Option<Name>,
    /// A case of [`RISK`].
    pub risk: Option<Name>,
    /// The content that must be disclosed with it.
    pub disclose: Option<Name>,
    /// Who it may be marketed to, of the entity that has the consent.
    pub market: Option<Expr>,
    /// For `Expr::Def` in `market`.
    pub uses: Uses,
    pub span: Span,
}

/// The tree of units.
#[derive(Clone, Debug)]
pub struct Org {
    pub name: Name,
    pub label: Option<Arc<str>>,
    /// Parents before their children.
    pub units: Vec<Unit>,
    pub span: Span,
}

/// A unit. The branch whose key is the unit's name belongs to it.
#[derive(Clone, Debug)]
pub struct Unit {
    pub name: Name,
    pub label: Option<Arc<str>>,
    /// `None`: directly below the organisation.
    pub parent: Option<Name>,
    pub span: Span,
}

impl Org {
    /// The unit and everything below it; everything for the organisation itself. Empty: there is no such unit.
    #[must_use]
    pub fn below(&self, unit: Name) -> Vec<Name> {
        let mut found: Vec<Name> = Vec::new();
        let mut known: HashSet<Name> = HashSet::new();
        for one in &self.units {
            let inside = one.parent.is_some_and(|parent| known.contains(&parent));
            if one.name == unit || unit == self.name || inside {
                found.push(one.name);
                known.insert(one.name);
            }
        }
        found
    }
}

/// One set of rules of the bank. The gate holds every message against all of them.
#[derive(Clone, Debug)]
pub struct Policy {
    pub name: Name,
    pub label: Option<Arc<str>>,
    pub owner: Arc<str>,
    pub pack: Option<Arc<str>>,
    /// Purposes that need a consent for the channel.
    pub consent: Vec<Name>,
    /// Who gets nothing, of one purpose or of all.
    pub suppress: Vec<(Option<Name>, Expr)>,
    pub quiet: Option<Quiet>,
    pub caps: Vec<Cap>,
    /// Priorities, highest first.
    pub order: Vec<Name>,
    pub lanes: Vec<Lane>,
    pub never: Vec<Never>,
    /// How often a journey without a last day is looked at, and where that is said.
    pub review: Option<(Length, Span)>,
    pub approving: Vec<Approving>,
    pub forbidden: Vec<Forbidden>,
    /// For `Expr::Def` in the conditions.
    pub uses: Uses,
    pub span: Span,
}

/// Who agrees to each content that marketing sends, in the words of a policy: `approve content by compliance, brand`.
#[derive(Clone, Debug, PartialEq)]
pub struct Approving {
    /// Roles, which approvals begin with.
    pub by: Vec<Name>,
    pub span: Span,
}

/// `forbid words "words/forbidden.txt"`: what no content says.
#[derive(Clone, Debug, PartialEq)]
pub struct Forbidden {
    /// Never empty.
    pub phrases: Vec<Arc<str>>,
    /// What is not meant, though it has one of `phrases` in it.
    pub allowed: Vec<Arc<str>>,
    pub span: Span,
}

/// `approved by "compliance:li.wei" on 2026-11-01 binds "sha256:…"`
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    /// A role and a person.
    pub by: Arc<str>,
    pub on: Date,
    /// The digest of what was approved, and where it is written.
    pub binds: Option<(Arc<str>, Span)>,
    /// All of it.
    pub span: Span,
}

/// `never marketing after complaint until settled`: what no way of a journey may do once it has heard of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Never {
    /// A purpose or a channel.
    pub what: Name,
    pub after: Vec<Name>,
    /// Empty: never again.
    pub until: Vec<Name>,
    pub span: Span,
}

/// At most `count` messages of a channel or purpose, for each of `whom`, in any `window`.
#[derive(Clone, Debug, PartialEq)]
pub struct Cap {
    pub name: Name,
    pub count: u32,
    pub whom: Name,
    pub window: Length,
    /// Any such stretch of time, not those of the calendar.
    pub rolling: bool,
    pub over: Over,
    pub span: Span,
}

/// Nothing leaves between these times of the day; `from` may be later than `to`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quiet {
    pub from: Time,
    pub to: Time,
    /// How long a message waits at most; `None`: until the end.
    pub defer: Option<Length>,
    /// How many leave when it is over, over all customers.
    pub release: Option<Rate>,
    pub span: Span,
}

impl Quiet {
    /// Whether this is quiet whenever `other` is.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let minute = |time: Time| i32::from(time.hour()) * 60 + i32::from(time.minute());
        let length = |quiet: &Self| (minute(quiet.to) - minute(quiet.from)).rem_euclid(24 * 60);
        let behind = (minute(other.from) - minute(self.from)).rem_euclid(24 * 60);
        behind + length(other) <= length(self)
    }
}

/// One of these journeys at a time for each subject, the first in this order before the others.
#[derive(Clone, Debug)]
pub struct Lane {
    pub name: Name,
    pub journeys: Vec<Name>,
    /// How long a journey waits for its turn; `None`: it is left out.
    pub wait: Option<Length>,
    pub span: Span,
}

/// An excuse of compliance: a rule that a journey, content or reward may break, until a day.
#[derive(Clone, Debug)]
pub struct Waiver {
    pub name: Name,
    pub label: Option<Arc<str>>,
    /// The journey, content or reward.
    pub of: Name,
    pub rule: Arc<str>,
    pub step: Option<Name>,
    pub reason: Arc<str>,
    pub approver: Arc<str>,
    pub ticket: Option<Arc<str>>,
    /// The digest of what was approved, and where it is written.
    pub binds: Option<(Arc<str>, Span)>,
    /// The last day.
    pub expires: Date,
    pub span: Span,
}
