//! DATA: where personal data are kept.

pub(super) mod literals;
