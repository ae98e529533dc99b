//! What stands in slots: where, how long, and what can become of putting it there.

use serde::{Deserialize, Serialize};

use super::content::ContentCall;
use super::policy::Span;
use super::{NodeId, Outcome};
use crate::expr::Expr;
use crate::name::Name;
use crate::value::Length;

/// A content in several slots: all of them or none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Show {
    pub content: ContentCall,
    /// Never empty, in the order written.
    pub slots: Vec<Slot>,
    /// Where a slot is full the higher one stands; 0 where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<Expr>,
    /// How often one customer may see it; all of them hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caps: Vec<SightCap>,
    /// `None`: as long as the content is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<ShowEnd>,
    pub outcomes: Vec<(ShowOutcome, NodeId)>,
    /// For outcomes neither named nor good.
    pub otherwise: NodeId,
    pub next: NodeId,
}

/// So often one customer may see a content in one slot.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SightCap {
    pub most: u32,
    /// `None`: in all.
    pub within: Option<Span>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// Identity of the placement: `spring.popup`.
    pub step: Name,
    pub channel: Name,
}

/// Until when it stands. The end of the content's `open` ends it in any case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ShowEnd {
    Keep(Length),
    /// A moment.
    Until(Expr),
}

/// What becomes of a show: the closed set that its branches speak in. Only `Placed` is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShowOutcome {
    /// It stands in all its slots.
    Placed,
    /// Some slot holds as much as it can, all of the same rank or higher.
    Full,
    /// The content is not open now, or its time here is past.
    Closed,
    NoConsent,
    Suppressed,
    Unsuitable,
    /// A slot is switched off, has nothing to show or finds no address.
    Unreachable,
    /// The customer has seen it as often as may be in all.
    Capped,
}

impl ShowOutcome {
    pub const ALL: [Self; 8] = [
        Self::Placed,
        Self::Full,
        Self::Closed,
        Self::NoConsent,
        Self::Suppressed,
        Self::Unsuitable,
        Self::Unreachable,
        Self::Capped,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Full => "full",
            Self::Closed => "closed",
            Self::NoConsent => "no_consent",
            Self::Suppressed => "suppressed",
            Self::Unsuitable => "unsuitable",
            Self::Unreachable => "unreachable",
            Self::Capped => "capped",
        }
    }

    /// What the gate's refusal means for a placement.
    #[must_use]
    pub fn of_refusal(outcome: Outcome) -> Self {
        match outcome {
            Outcome::NoConsent => Self::NoConsent,
            Outcome::Suppressed => Self::Suppressed,
            Outcome::Unsuitable => Self::Unsuitable,
            Outcome::Sent
            | Outcome::QuietExpired
            | Outcome::Capped
            | Outcome::Unreachable
            | Outcome::Delivered
            | Outcome::Failed
            | Outcome::Confirmed
            | Outcome::Refused
            | Outcome::Expired => Self::Unreachable,
        }
    }
}

impl Show {
    /// Where it goes on.
    #[must_use]
    pub fn way(&self, outcome: ShowOutcome) -> NodeId {
        let named = self.outcomes.iter().find(|(known, _)| *known == outcome).map(|(_, node)| *node);
        named.unwrap_or(if outcome == ShowOutcome::Placed { self.next } else { self.otherwise })
    }
}
