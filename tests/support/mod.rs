//! What several stories share.

pub(crate) mod books;
pub(crate) mod chance;
pub(crate) mod client;
pub(crate) mod command;
pub(crate) mod daemon;
pub(crate) mod examples;
pub(crate) mod hold;
pub(crate) mod library;
pub(crate) mod looks;
pub(crate) mod postgres;
pub(crate) mod receiver;
pub(crate) mod repository;
pub(crate) mod stores;
pub(crate) mod unprivileged;

use tokio::sync::{Mutex, MutexGuard};

/// Held by stories that measure time or need the whole machine: they run one after the other.
pub(crate) async fn alone() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::const_new(());
    MACHINE.lock().await
}

/// A key for signing webhooks, of the shape that Standard Webhooks asks for.
pub(crate) fn secret() -> &'static str {
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
}
