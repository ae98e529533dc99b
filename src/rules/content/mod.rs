//! CONTENT: what somebody has seen before he signs.

pub(super) mod disclosed;
