//! HOUSE: what a bank forbids by itself, in its policies.

pub(super) mod never;
pub(super) mod words;
