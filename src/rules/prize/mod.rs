//! PRIZE: lotteries and draws.

pub(super) mod change;
pub(super) mod highest;
pub(super) mod honest;
pub(super) mod rules;
