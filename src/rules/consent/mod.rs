//! CONSENT: who has agreed to what.

pub(super) mod absent;
pub(super) mod drift;
pub(super) mod early;
pub(super) mod form;
pub(super) mod laundering;
pub(super) mod other;
pub(super) mod profile;
