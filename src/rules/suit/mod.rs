//! SUIT: what suits whom.

pub(super) mod bears;
pub(super) mod coaching;
pub(super) mod market;
pub(super) mod need;
pub(super) mod old;
pub(super) mod recorded;
