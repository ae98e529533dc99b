//! What becomes of a send: the closed set that every branch, trace and receipt speaks in.

use serde::{Deserialize, Serialize};

use crate::expr::MessageEvent;

/// Milliseconds at most between two attempts at a message.
pub const LONGEST_RETRY_MS: i64 = 600_000;

/// What becomes of a send. `Sent` is good; the rest before it are refusals of the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Outcome {
    Sent,
    NoConsent,
    Suppressed,
    Unsuitable,
    QuietExpired,
    Capped,
    /// No address, no content for the channel, or the channel is killed.
    Unreachable,
    Delivered,
    Failed,
    /// Somebody of the bank has sent it by hand, has declined to, or did neither in time.
    Confirmed,
    Refused,
    Expired,
}

impl Outcome {
    pub const ALL: [Self; 12] = [
        Self::Sent,
        Self::NoConsent,
        Self::Suppressed,
        Self::Unsuitable,
        Self::QuietExpired,
        Self::Capped,
        Self::Unreachable,
        Self::Delivered,
        Self::Failed,
        Self::Confirmed,
        Self::Refused,
        Self::Expired,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::NoConsent => "no_consent",
            Self::Suppressed => "suppressed",
            Self::Unsuitable => "unsuitable",
            Self::QuietExpired => "quiet_expired",
            Self::Capped => "capped",
            Self::Unreachable => "unreachable",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Confirmed => "confirmed",
            Self::Refused => "refused",
            Self::Expired => "expired",
        }
    }

    /// Whether the gate refused: nothing left the bank.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        self != Self::Sent && !self.is_receipt()
    }

    /// Whether it is only known from the provider's answer or a receipt.
    #[must_use]
    pub fn is_receipt(self) -> bool {
        matches!(self, Self::Delivered | Self::Failed) || self.is_by_hand()
    }

    /// Whether it is what becomes of a message that people of the bank send on: the provider's word is only the beginning.
    #[must_use]
    pub fn is_by_hand(self) -> bool {
        matches!(self, Self::Confirmed | Self::Refused | Self::Expired)
    }

    #[must_use]
    pub fn as_event(self) -> Option<MessageEvent> {
        match self {
            Self::Sent => Some(MessageEvent::Sent),
            Self::Delivered => Some(MessageEvent::Delivered),
            Self::Failed => Some(MessageEvent::Failed),
            Self::Confirmed => Some(MessageEvent::Confirmed),
            Self::Refused => Some(MessageEvent::Refused),
            _ => None,
        }
    }
}
