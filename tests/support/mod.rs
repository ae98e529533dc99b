//! What several stories share.

pub(crate) mod receiver;
pub(crate) mod unprivileged;
