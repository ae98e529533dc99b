//! FREQ: how often somebody is written to.

pub(super) mod spray;
