//! A store that waits for its disk: what fails and may pass is tried again, so that a full disk, a remount or a
//! connection that was cut costs time and nothing else.
//!
//! While it waits, [`Trouble`] says so, and the doors refuse what comes; nothing is taken that could not be kept.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::store::{
    Commit, Counts, Dedup, Deployed, Deployment, Directory, InboxRow, Lease, Ledger, LinkRow, Links, Looked,
    Lotteries, OutboxRow, Packed, PackedKind, PartnerCodes, Quarantined, Referrals, RowKey, RowRef, Share,
    Sift, Sifted, StateRow, Store, StoreError, Stored, TimerChunk, Trim, Trimmed,
};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A server that is back is to be noticed soon: others take over who is silent.
const LONGEST_SILENCE: Duration = Duration::from_secs(1);
/// What the database says without naming the disk may also be a defect of ours: after so many tries it is one.
const MOST_TRIES: u32 = 12;

/// Why nothing can be stored at the moment, in words for people; `None`: it can.
pub(super) type Trouble = watch::Sender<Option<Arc<str>>>;

/// How long to wait before the next try.
pub(super) struct Patience {
    pause: Duration,
    tries: u32,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self { pause: FIRST_PAUSE, tries: 0 }
    }

    /// The pause after `error`; `None` if it will not pass by itself.
    pub(super) fn pause(&mut self, error: &StoreError) -> Option<Duration> {
        self.tries += 1;
        let passes = match error {
            // A server may be set to reading only for a while; a store that we opened for reading is never written to.
            StoreError::Disk(_) | StoreError::Unreachable(_) | StoreError::ReadOnly => true,
            StoreError::Database(_) => self.tries < MOST_TRIES,
            _ => false,
        };
        let pause = self.pause;
        let longest = match error {
            StoreError::Unreachable(_) => LONGEST_SILENCE,
            _ => LONGEST_PAUSE,
        };
        self.pause = (pause * 2).min(longest);
        passes.then_some(pause)
    }
}

/// Tells that there is trouble, and that there is none any more.
pub(super) fn tell(trouble: &Trouble, error: Option<&StoreError>) {
    trouble.send_if_modified(|known| {
        let reason = error.map(|error| Arc::from(error.to_string()));
        let changed = known.is_some() != reason.is_some();
        if changed {
            if let Some(reason) = &reason {
                tracing::error!(%reason, "the store refuses; nothing is taken until it agrees");
            } else {
                tracing::info!("the store agrees again");
            }
        }
        *known = reason;
        changed
    });
}

/// The engine's own way to the store: reads are patient; a commit is not, because the engine must know what failed.
pub(super) struct Patient {
    inner: Arc<dyn Store>,
    trouble: Trouble,
}

impl Patient {
    pub(super) fn new(inner: Arc<dyn Store>, trouble: Trouble) -> Self {
        Self { inner, trouble }
    }

    fn read<'a, T: Send + 'a>(
        &'a self,
        call: impl Fn(&'a dyn Store) -> Stored<'a, T> + Send + 'a,
    ) -> Stored<'a, T> {
        async move {
            let mut patience = Patience::new();
            loop {
                match call(&*self.inner).await {
                    Ok(found) => {
                        if patience.tries > 0 {
                            tell(&self.trouble, None);
                        }
                        return Ok(found);
                    }
                    Err(error) => {
                        let Some(pause) = patience.pause(&error) else { return Err(error) };
                        tell(&self.trouble, Some(&error));
                        tokio::time::sleep(pause).await;
                    }
                }
            }
        }
        .boxed()
    }
}

impl Store for Patient {
    fn lease(&self) -> Lease {
        self.inner.lease()
    }

    fn load<'a>(&'a self, keys: &'a [RowKey]) -> Stored<'a, Vec<StateRow>> {
        self.read(move |store| store.load(keys))
    }

    fn seen<'a>(&'a self, events: &'a [Dedup]) -> Stored<'a, Vec<Dedup>> {
        self.read(move |store| store.seen(events))
    }

    fn look<'a>(&'a self, events: &'a [Dedup], keys: &'a [RowKey]) -> Stored<'a, Looked> {
        self.read(move |store| store.look(events, keys))
    }

    fn commit<'a>(&'a self, commit: &'a Commit) -> Stored<'a, ()> {
        self.inner.commit(commit)
    }

    fn next_due(&self, after: Option<Timestamp>) -> Stored<'_, Option<Timestamp>> {
        self.read(move |store| store.next_due(after))
    }

    fn due(&self, within: RangeInclusive<Timestamp>, limit: usize) -> Stored<'_, Vec<TimerChunk>> {
        self.read(move |store| store.due(within.clone(), limit))
    }

    fn outbox(&self, channel: u32, after: RowRef, limit: usize) -> Stored<'_, Vec<OutboxRow>> {
        self.read(move |store| store.outbox(channel, after, limit))
    }

    fn outbox_channels(&self) -> Stored<'_, Vec<u32>> {
        self.read(move |store| store.outbox_channels())
    }

    fn packed<'a>(&'a self, kind: PackedKind, places: &'a [RowRef]) -> Stored<'a, Vec<Packed>> {
        self.read(move |store| store.packed(kind, places))
    }

    fn packed_after(&self, kind: PackedKind, after: RowRef, limit: usize) -> Stored<'_, Vec<Packed>> {
        self.read(move |store| store.packed_after(kind, after, limit))
    }

    fn scan<'a>(&'a self, kind: u32, after: Option<&'a RowKey>, limit: usize) -> Stored<'a, Vec<StateRow>> {
        self.read(move |store| store.scan(kind, after, limit))
    }

    fn sift<'a>(&'a self, sift: Sift, after: Option<&'a RowKey>) -> Stored<'a, Sifted> {
        self.read(move |store| store.sift(sift, after))
    }

    fn trim(&self, trim: Trim) -> Stored<'_, Trimmed> {
        self.inner.trim(trim)
    }

    fn forget_keys(&self, before: i64) -> Stored<'_, u64> {
        self.inner.forget_keys(before)
    }

    fn directory(&self) -> Option<&dyn Directory> {
        self.inner.directory()
    }

    fn links(&self) -> Option<&dyn Links> {
        self.inner.links().map(|_| self as &dyn Links)
    }

    fn lotteries(&self) -> Option<&dyn Lotteries> {
        self.inner.lotteries()
    }

    fn referrals(&self) -> Option<&dyn Referrals> {
        self.inner.referrals()
    }

    fn ledger(&self) -> Option<&dyn Ledger> {
        self.inner.ledger()
    }

    fn codes(&self) -> Option<&dyn PartnerCodes> {
        self.inner.codes()
    }

    fn meta<'a>(&'a self, name: &'a str) -> Stored<'a, Option<String>> {
        self.read(move |store| store.meta(name))
    }

    fn set_meta<'a>(&'a self, values: &'a [(String, String)]) -> Stored<'a, ()> {
        // The same values again do no harm.
        self.read(move |store| store.set_meta(values))
    }

    fn deploy<'a>(&'a self, deployment: &'a Deployment) -> Stored<'a, ()> {
        self.inner.deploy(deployment)
    }

    fn deployed(&self) -> Stored<'_, Deployed> {
        self.read(move |store| store.deployed())
    }

    fn quarantined(&self, limit: usize) -> Stored<'_, Vec<Quarantined>> {
        self.read(move |store| store.quarantined(limit))
    }

    fn counts(&self) -> Stored<'_, Counts> {
        self.read(move |store| store.counts())
    }

    fn beat(&self) -> Option<Duration> {
        self.inner.beat()
    }

    fn share<'a>(&'a self, given: &'a [u16], alone: bool) -> Stored<'a, Share> {
        self.inner.share(given, alone)
    }

    fn inbox(&self, limit: usize) -> Stored<'_, Vec<InboxRow>> {
        self.read(move |store| store.inbox(limit))
    }

    fn metas<'a>(&'a self, names: &'a [String]) -> Stored<'a, Vec<(String, String)>> {
        self.read(move |store| store.metas(names))
    }

    fn swap<'a>(&'a self, name: &'a str, old: &'a str, new: &'a str) -> Stored<'a, bool> {
        self.inner.swap(name, old, new)
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.inner.close()
    }
}

impl Links for Patient {
    fn links<'a>(&'a self, names: &'a [(u16, String)]) -> Stored<'a, Vec<LinkRow>> {
        self.read(move |store| match store.links() {
            Some(links) => links.links(names),
            None => async { Ok(Vec::new()) }.boxed(),
        })
    }
}
