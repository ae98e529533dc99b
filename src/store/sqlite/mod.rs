//! The embedded store: one SQLite file, one writer connection, a few readers.
//!
//! WAL with full sync; every write transaction begins `IMMEDIATE`. Whatever the size of a batch, a call is a fixed
//! number of statements: rows travel as one JSON array per statement (`json_each`, bodies in hex), which measured
//! twice as fast through sqlx as multi-row `VALUES`.
//! Parts: [`open`] (files, lock, lease), `schema` (migrations), `read`, `commit`, `write`, `trim`, `json`, `error`.

mod code;
mod commit;
pub(super) mod error;
mod json;
mod ledger;
mod link;
mod lottery;
mod open;
mod read;
mod referral;
mod schema;
mod task;
mod trim;
mod write;

use std::fs::File;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sqlx::SqlitePool;

use super::{
    Commit, Counts, Dedup, Deployed, Deployment, Directory, InboxRow, Lease, Ledger, Links, Looked,
    Lotteries, OutboxRow, Packed, PackedKind, PartnerCodes, Quarantined, Referrals, RowKey, RowRef, Sift,
    Sifted, StateRow, Store, StoreError, Stored, TimerChunk, Trim, Trimmed,
};

/// A store in one file. Dropping it releases the lock; commits that have returned are safe.
pub struct SqliteStore {
    /// One connection; `None` when opened for reading.
    writer: Option<SqlitePool>,
    readers: SqlitePool,
    lease: Lease,
    /// Held while the store is open for writing; the operating system releases it with the process.
    _lock: Option<File>,
}

impl SqliteStore {
    /// Opens `path` for writing, creating and migrating it where needed. `development` is written into a new store
    /// and allows an accelerated clock on it.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process writes it.
    pub async fn open(path: &Path, development: bool) -> Result<Self, StoreError> {
        open::for_writing(path, development).await
    }

    /// Opens `path` for reading, beside a daemon that writes it.
    ///
    /// # Errors
    /// [`StoreError::Disk`] when there is no such store.
    pub async fn open_reader(path: &Path) -> Result<Self, StoreError> {
        open::for_reading(path).await
    }

    fn writer(&self) -> Result<&SqlitePool, StoreError> {
        self.writer.as_ref().ok_or(StoreError::ReadOnly)
    }

    /// The connection for what the engine asks in every batch. Another connection's page cache is emptied by every
    /// commit, so the hot reads go through the writer, whose cache holds the pages that it wrote.
    fn hot(&self) -> &SqlitePool {
        self.writer.as_ref().unwrap_or(&self.readers)
    }

    /// As a shared store, which is what the engine takes.
    #[must_use]
    pub fn shared(self) -> Arc<dyn Store> {
        Arc::new(self)
    }
}

impl Store for SqliteStore {
    fn lease(&self) -> Lease {
        self.lease.clone()
    }

    fn load<'a>(&'a self, keys: &'a [RowKey]) -> Stored<'a, Vec<StateRow>> {
        read::load(self.hot(), keys).boxed()
    }

    fn seen<'a>(&'a self, events: &'a [Dedup]) -> Stored<'a, Vec<Dedup>> {
        read::seen(self.hot(), events).boxed()
    }

    fn look<'a>(&'a self, events: &'a [Dedup], keys: &'a [RowKey]) -> Stored<'a, Looked> {
        read::look(self.hot(), events, keys).boxed()
    }

    fn commit<'a>(&'a self, commit: &'a Commit) -> Stored<'a, ()> {
        async { commit::commit(self.writer()?, &self.lease, commit).await }.boxed()
    }

    fn next_due(&self, after: Option<Timestamp>) -> Stored<'_, Option<Timestamp>> {
        read::next_due(self.hot(), after).boxed()
    }

    fn due(&self, within: RangeInclusive<Timestamp>, limit: usize) -> Stored<'_, Vec<TimerChunk>> {
        read::due(self.hot(), within, limit).boxed()
    }

    fn outbox(&self, channel: u32, after: RowRef, limit: usize) -> Stored<'_, Vec<OutboxRow>> {
        read::outbox(self.hot(), channel, after, limit).boxed()
    }

    fn outbox_channels(&self) -> Stored<'_, Vec<u32>> {
        read::outbox_channels(&self.readers).boxed()
    }

    fn packed<'a>(&'a self, kind: PackedKind, places: &'a [RowRef]) -> Stored<'a, Vec<Packed>> {
        read::packed(&self.readers, kind, places).boxed()
    }

    fn packed_after(&self, kind: PackedKind, after: RowRef, limit: usize) -> Stored<'_, Vec<Packed>> {
        read::packed_after(&self.readers, kind, after, limit).boxed()
    }

    fn scan<'a>(&'a self, kind: u32, after: Option<&'a RowKey>, limit: usize) -> Stored<'a, Vec<StateRow>> {
        read::scan(&self.readers, kind, after, limit).boxed()
    }

    fn sift<'a>(&'a self, sift: Sift, after: Option<&'a RowKey>) -> Stored<'a, Sifted> {
        read::sift(&self.readers, sift, after).boxed()
    }

    fn trim(&self, trim: Trim) -> Stored<'_, Trimmed> {
        async move { trim::trim(self.writer()?, &self.lease, trim).await }.boxed()
    }

    fn forget_keys(&self, before: i64) -> Stored<'_, u64> {
        async move { trim::forget_keys(self.writer()?, &self.lease, before).await }.boxed()
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
        read::meta(&self.readers, name).boxed()
    }

    fn set_meta<'a>(&'a self, values: &'a [(String, String)]) -> Stored<'a, ()> {
        async { write::set_meta(self.writer()?, &self.lease, values).await }.boxed()
    }

    fn deploy<'a>(&'a self, deployment: &'a Deployment) -> Stored<'a, ()> {
        async { write::deploy(self.writer()?, &self.lease, deployment).await }.boxed()
    }

    fn deployed(&self) -> Stored<'_, Deployed> {
        read::deployed(&self.readers).boxed()
    }

    fn quarantined(&self, limit: usize) -> Stored<'_, Vec<Quarantined>> {
        read::quarantined(&self.readers, limit).boxed()
    }

    fn counts(&self) -> Stored<'_, Counts> {
        read::counts(&self.readers).boxed()
    }

    fn inbox(&self, limit: usize) -> Stored<'_, Vec<InboxRow>> {
        read::inbox(self.hot(), limit).boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async {
            self.readers.close().await;
            if let Some(writer) = &self.writer {
                writer.close().await;
            }
        }
        .boxed()
    }
}
