//! REWARD: what is given, for what, and how much of it.

pub(super) mod levels;
pub(super) mod worst;
