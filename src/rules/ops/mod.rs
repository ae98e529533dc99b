//! OPS: who answers for what runs.

pub(super) mod review;
