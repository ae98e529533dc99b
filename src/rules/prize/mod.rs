//! PRIZE: lotteries and draws.

pub(super) mod highest;
pub(super) mod rules;
