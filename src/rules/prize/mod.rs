//! PRIZE: lotteries and draws.

pub(super) mod highest;
