//! OPS: who answers for what runs.

pub(super) mod approved;
pub(super) mod review;
