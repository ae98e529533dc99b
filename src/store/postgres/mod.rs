//! The store for production: one PostgreSQL database, for one worker or, in groups of buckets, for several.
//!
//! Whatever the size of a batch, a call is a fixed number of statements: rows travel as arrays (`unnest`). Nothing
//! needs locks of the session, notifications, serial numbers or the server's clock, but for who is taken to be alive,
//! so that the same statements run on a distributed PostgreSQL.
//! Parts: `open` (connections), `schema` (migrations), `lease` (fencing), [`share`] (who holds what), `read`, `write`,
//! `trim`, `rows`, `error`.

mod code;
pub(super) mod error;
mod lease;
mod ledger;
mod link;
mod lottery;
mod open;
mod read;
mod referral;
mod rows;
mod schema;
pub mod share;
mod task;
mod trim;
mod write;

use std::ops::RangeInclusive;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sqlx::PgPool;
use tokio::sync::{Mutex, MutexGuard};

pub use share::Worker;

use super::{
    Commit, Counts, Dedup, Deployed, Deployment, Directory, InboxRow, Lease, Ledger, Links, Looked,
    Lotteries, OutboxRow, Packed, PackedKind, PartnerCodes, Quarantined, Referrals, RowKey, RowRef, Share,
    Sift, Sifted, StateRow, Store, StoreError, Stored, TimerChunk, Trim, Trimmed,
};
use lease::Hold;
use rows::small;
use share::Life;

/// How often a read, or the beginning of a transaction, is tried again when the server goes away in the middle of it, and how long after the first time.
const READ_TRIES: u32 = 6;
const READ_PAUSE: Duration = Duration::from_millis(50);

/// A store in a PostgreSQL database. Dropping it leaves its groups taken until its worker is given up, or comes back;
/// [`Store::close`] hands them back. Commits that have returned are safe as far as the server is set to make them.
pub struct PostgresStore {
    pool: PgPool,
    /// As [`Store::share`] left it.
    lease: RwLock<Lease>,
    /// `None` when opened for reading.
    writing: Option<(Life, Mutex<Hold>)>,
}

impl PostgresStore {
    /// Opens the database at `url` for writing, migrating it where needed, beside other workers. `development` is
    /// written into a new store and allows an accelerated clock on it.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] where there is no server.
    pub async fn open(url: &str, worker: &Worker, development: bool) -> Result<Self, StoreError> {
        open::for_writing(url, worker, development).await
    }

    /// Opens the database at `url` for reading, beside workers that write it.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where it holds no store.
    pub async fn open_reader(url: &str) -> Result<Self, StoreError> {
        open::for_reading(url).await
    }

    /// As a shared store, which is what the engine takes.
    #[must_use]
    pub fn shared(self) -> Arc<dyn Store> {
        Arc::new(self)
    }

    async fn hold(&self) -> Result<(&Life, MutexGuard<'_, Hold>), StoreError> {
        match &self.writing {
            Some((life, hold)) => Ok((life, hold.lock().await)),
            None => Err(StoreError::ReadOnly),
        }
    }

    fn groups(&self) -> Vec<i16> {
        self.lease().groups.iter().map(|(group, _)| small(*group)).collect()
    }

    async fn settle(&self, given: &[u16], alone: bool) -> Result<Share, StoreError> {
        let (life, mut hold) = self.hold().await?;
        let share = life.share(&self.pool, &mut hold, given, alone).await;
        // What was given back or lost is so, whatever failed after it.
        *self.lease.write().unwrap_or_else(PoisonError::into_inner) = hold.lease();
        share
    }
}

/// Asks again where the server went away: an idle connection may have died unnoticed, and a server that is started
/// anew comes back.
async fn again<'a, T>(
    ask: impl Fn() -> BoxFuture<'a, Result<T, StoreError>> + Send + Sync,
) -> Result<T, StoreError> {
    let mut pause = READ_PAUSE;
    for _ in 1..READ_TRIES {
        match ask().await {
            Err(StoreError::Unreachable(reason)) => {
                tracing::warn!(reason, "the database went away and is asked again");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            other => return other,
        }
    }
    ask().await
}

impl Store for PostgresStore {
    fn lease(&self) -> Lease {
        self.lease.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn load<'a>(&'a self, keys: &'a [RowKey]) -> Stored<'a, Vec<StateRow>> {
        again(move || read::load(&self.pool, keys).boxed()).boxed()
    }

    fn seen<'a>(&'a self, events: &'a [Dedup]) -> Stored<'a, Vec<Dedup>> {
        again(move || read::seen(&self.pool, events).boxed()).boxed()
    }

    /// Both at once: the server has a process for each connection.
    fn look<'a>(&'a self, events: &'a [Dedup], keys: &'a [RowKey]) -> Stored<'a, Looked> {
        async move {
            let seen = async { if events.is_empty() { Ok(Vec::new()) } else { self.seen(events).await } };
            let rows = async { if keys.is_empty() { Ok(Vec::new()) } else { self.load(keys).await } };
            let (seen, rows) = tokio::try_join!(seen, rows)?;
            Ok(Looked { seen, rows })
        }
        .boxed()
    }

    fn commit<'a>(&'a self, commit: &'a Commit) -> Stored<'a, ()> {
        async {
            let (life, mut hold) = self.hold().await?;
            write::commit(&self.pool, life, &mut hold, commit).await
        }
        .boxed()
    }

    fn next_due(&self, after: Option<Timestamp>) -> Stored<'_, Option<Timestamp>> {
        let groups = self.groups();
        async move { again(|| read::next_due(&self.pool, &groups, after).boxed()).await }.boxed()
    }

    fn due(&self, within: RangeInclusive<Timestamp>, limit: usize) -> Stored<'_, Vec<TimerChunk>> {
        let groups = self.groups();
        async move { again(|| read::due(&self.pool, &groups, &within, limit).boxed()).await }.boxed()
    }

    fn outbox(&self, channel: u32, after: RowRef, limit: usize) -> Stored<'_, Vec<OutboxRow>> {
        let groups = self.groups();
        async move { again(|| read::outbox(&self.pool, &groups, channel, after, limit).boxed()).await }
            .boxed()
    }

    fn outbox_channels(&self) -> Stored<'_, Vec<u32>> {
        again(move || read::outbox_channels(&self.pool).boxed()).boxed()
    }

    fn packed<'a>(&'a self, kind: PackedKind, places: &'a [RowRef]) -> Stored<'a, Vec<Packed>> {
        again(move || read::packed(&self.pool, kind, places).boxed()).boxed()
    }

    fn packed_after(&self, kind: PackedKind, after: RowRef, limit: usize) -> Stored<'_, Vec<Packed>> {
        again(move || read::packed_after(&self.pool, kind, after, limit).boxed()).boxed()
    }

    fn scan<'a>(&'a self, kind: u32, after: Option<&'a RowKey>, limit: usize) -> Stored<'a, Vec<StateRow>> {
        again(move || read::scan(&self.pool, kind, after, limit).boxed()).boxed()
    }

    fn sift<'a>(&'a self, sift: Sift, after: Option<&'a RowKey>) -> Stored<'a, Sifted> {
        again(move || read::sift(&self.pool, sift, after).boxed()).boxed()
    }

    fn trim(&self, trim: Trim) -> Stored<'_, Trimmed> {
        async move { trim::trim(&self.pool, self.hold().await?.0, &self.groups(), trim).await }.boxed()
    }

    fn forget_keys(&self, before: i64) -> Stored<'_, u64> {
        async move { trim::forget_keys(&self.pool, self.hold().await?.0, before).await }.boxed()
    }

    fn directory(&self) -> Option<&dyn Directory> {
        Some(self)
    }

    fn links(&self) -> Option<&dyn Links> {
        Some(self)
    }

    fn ledger(&self) -> Option<&dyn Ledger> {
        Some(self)
    }

    fn lotteries(&self) -> Option<&dyn Lotteries> {
        Some(self)
    }

    fn referrals(&self) -> Option<&dyn Referrals> {
        Some(self)
    }

    fn codes(&self) -> Option<&dyn PartnerCodes> {
        Some(self)
    }

    fn meta<'a>(&'a self, name: &'a str) -> Stored<'a, Option<String>> {
        again(move || read::meta(&self.pool, name).boxed()).boxed()
    }

    fn set_meta<'a>(&'a self, values: &'a [(String, String)]) -> Stored<'a, ()> {
        async { write::set_meta(&self.pool, self.hold().await?.0, values).await }.boxed()
    }

    fn deploy<'a>(&'a self, deployment: &'a Deployment) -> Stored<'a, ()> {
        async { write::deploy(&self.pool, self.hold().await?.0, deployment).await }.boxed()
    }

    fn deployed(&self) -> Stored<'_, Deployed> {
        again(move || read::deployed(&self.pool).boxed()).boxed()
    }

    fn quarantined(&self, limit: usize) -> Stored<'_, Vec<Quarantined>> {
        again(move || read::quarantined(&self.pool, limit).boxed()).boxed()
    }

    fn counts(&self) -> Stored<'_, Counts> {
        again(move || read::counts(&self.pool).boxed()).boxed()
    }

    fn beat(&self) -> Option<Duration> {
        self.writing.as_ref().map(|(life, _)| life.worker.beat())
    }

    fn share<'a>(&'a self, given: &'a [u16], alone: bool) -> Stored<'a, Share> {
        self.settle(given, alone).boxed()
    }

    fn inbox(&self, limit: usize) -> Stored<'_, Vec<InboxRow>> {
        let groups = self.groups();
        async move { again(|| read::inbox(&self.pool, &groups, limit).boxed()).await }.boxed()
    }

    fn metas<'a>(&'a self, names: &'a [String]) -> Stored<'a, Vec<(String, String)>> {
        again(move || read::metas(&self.pool, names).boxed()).boxed()
    }

    fn swap<'a>(&'a self, name: &'a str, old: &'a str, new: &'a str) -> Stored<'a, bool> {
        async move {
            let (life, _) = self.hold().await?;
            write::swap(&self.pool, life, name, old, new).await
        }
        .boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async {
            if let Some((life, hold)) = &self.writing {
                life.end(&self.pool, &*hold.lock().await).await;
            }
            self.pool.close().await;
        }
        .boxed()
    }
}
