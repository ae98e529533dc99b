//! FREQ: how often somebody is written to.

pub(super) mod again;
pub(super) mod circle;
pub(super) mod spray;
pub(super) mod windows;

use crate::model::Channel;

/// Whether what is sent by it comes to the customer at its own time; not what he finds when he looks, what everybody in a group reads,
/// and what people of the bank say themselves.
pub(super) fn disturbs(channel: &Channel) -> bool {
    !matches!(channel.kind.as_str(), "pull" | "slot" | "ads" | "group" | "human") && channel.party.is_none()
}
