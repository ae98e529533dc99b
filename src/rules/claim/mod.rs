//! CLAIM: what copy may say.

pub(super) mod promise;
