//! QUIET: when somebody is written to.

pub(super) mod wakes;
