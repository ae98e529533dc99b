//! QUIET: when somebody is written to.

pub(super) mod offer;
pub(super) mod wakes;
pub(super) mod zone;
