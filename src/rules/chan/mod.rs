//! CHAN: what belongs to a channel.

pub(super) mod links;
pub(super) mod machine;
pub(super) mod popups;
pub(super) mod port;
pub(super) mod register;
pub(super) mod script;
pub(super) mod wechat;
