//! What is over by itself, looked at once an hour: lotteries, whose seeds may be known then.

use jiff::{SignedDuration, Timestamp};

use super::lottery;
use crate::store::{Store, StoreError};

const PAUSE: SignedDuration = SignedDuration::from_hours(1);

pub(super) struct Closings {
    next: Timestamp,
}

impl Closings {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { next: now }
    }

    /// When there is next something to look for; `None`: nothing in this store is ever over.
    pub(super) fn next(&self, store: &dyn Store) -> Option<Timestamp> {
        store.lotteries().map(|_| self.next)
    }

    /// Closes what is over, if it is time to look.
    pub(super) async fn go(&mut self, store: &dyn Store, now: Timestamp) -> Result<(), StoreError> {
        if now < self.next {
            return Ok(());
        }
        // Before anything can fail: it is tried again at the next look.
        self.next = now.checked_add(PAUSE).unwrap_or(Timestamp::MAX);
        lottery::reveal(store, now).await
    }
}
