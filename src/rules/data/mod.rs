//! DATA: where personal data are kept.

pub(super) mod borders;
pub(super) mod literals;
