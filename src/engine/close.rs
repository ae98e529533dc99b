//! What is over by itself, looked at once an hour: gifts that were not used in their time, points that have ended, and
//! lotteries, whose seeds may be known then.

use jiff::{SignedDuration, Timestamp};

use super::lottery;
use crate::lottery::Seal;
use crate::store::{Store, StoreError};

const PAUSE: SignedDuration = SignedDuration::from_hours(1);
/// How long behind its end something can still be found used: a batch takes its time, and workers' clocks differ.
const MARGIN: SignedDuration = SignedDuration::from_mins(10);

pub(super) struct Closings {
    next: Timestamp,
}

impl Closings {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { next: now }
    }

    /// When there is next something to look for; `None`: nothing in this store is ever over.
    pub(super) fn next(&self, store: &dyn Store) -> Option<Timestamp> {
        (store.lotteries().is_some() || store.ledger().is_some()).then_some(self.next)
    }

    /// Closes what is over, if it is time to look; of what is given, a part at a time between batches.
    pub(super) async fn go(
        &mut self,
        store: &dyn Store,
        seal: Option<&Seal>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if now < self.next {
            return Ok(());
        }
        // Before anything can fail: it is tried again at the next look.
        self.next = now.checked_add(PAUSE).unwrap_or(Timestamp::MAX);
        let ended = now.checked_sub(MARGIN).unwrap_or(now);
        lottery::reveal(store, seal, ended, now).await?;
        let Some(ledger) = store.ledger() else { return Ok(()) };
        if ledger.expire(ended.as_millisecond(), now.as_millisecond()).await? {
            self.next = now;
        }
        Ok(())
    }
}
