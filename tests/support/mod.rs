//! What several stories share.

pub(crate) mod unprivileged;
