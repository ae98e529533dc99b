//! Where the rows are: in memory, or in a real SQLite file behind calls that come back at once.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use jiff::Timestamp;
use tokio::runtime::{Handle, Runtime};
use wayfare::store::{
    Commit, Counts, Dedup, Deployed, Deployment, InboxRow, Lease, OutboxRow, Packed, PackedKind, Quarantined,
    RowKey, RowRef, Sift, Sifted, SqliteStore, StateRow, Store, StoreError, Stored, TimerChunk, Trim,
    Trimmed,
};

use super::flaws::Flaw;
use super::memory::{MemoryStore, Tables};

pub(crate) enum Backing {
    Memory(Arc<Mutex<Tables>>),
    Sqlite { runtime: Runtime, folder: tempfile::TempDir },
}

/// A store that is open, and itself if it is in memory.
pub(crate) struct Opened {
    pub store: Arc<dyn Store>,
    pub memory: Option<Arc<MemoryStore>>,
}

impl Backing {
    pub(crate) fn new(sqlite: bool, flaw: Option<Flaw>) -> Self {
        if !sqlite {
            return Self::Memory(Arc::new(Mutex::new(Tables::with(flaw))));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Self::Sqlite { runtime: runtime.unwrap(), folder: tempfile::tempdir().unwrap() }
    }

    /// Whether a second owner may open it while the first has it open.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Memory(_))
    }

    /// The tables that are in memory.
    pub(crate) fn tables(&self) -> Option<MutexGuard<'_, Tables>> {
        if let Self::Memory(tables) = self { Some(tables.lock().unwrap()) } else { None }
    }

    /// Open for a new life of this name; `None` while the last one has not let go.
    pub(crate) fn open(&self, name: &str, shared: bool) -> Option<Opened> {
        match self {
            Self::Memory(tables) => {
                let memory = Arc::new(MemoryStore::open(tables, name, shared));
                Some(Opened { store: Arc::<MemoryStore>::clone(&memory), memory: Some(memory) })
            }
            Self::Sqlite { runtime, folder } => {
                let path: PathBuf = folder.path().join("wayfare.db");
                for _ in 0..1_000 {
                    match runtime.block_on(SqliteStore::open(&path, true)) {
                        Ok(store) => {
                            let (runtime, inner) = (runtime.handle().clone(), Arc::new(store));
                            return Some(Opened { store: Arc::new(Bridge { runtime, inner }), memory: None });
                        }
                        Err(StoreError::InUse(_)) => std::thread::sleep(std::time::Duration::from_millis(5)),
                        Err(error) => panic!("{error}"),
                    }
                }
                None
            }
        }
    }
}

/// SQLite works on threads of its own and in real time. The simulation stands still while it does.
struct Bridge {
    runtime: Handle,
    inner: Arc<SqliteStore>,
}

impl Bridge {
    fn call<'a, T: Send + 'static>(
        &self,
        call: impl FnOnce(Arc<SqliteStore>) -> BoxFuture<'static, T> + Send + 'static,
    ) -> BoxFuture<'a, T> {
        let (done, result) = sync_channel(1);
        let inner = Arc::clone(&self.inner);
        self.runtime.spawn(async move {
            let _ = done.send(call(inner).await);
        });
        ready(result.recv().unwrap()).boxed()
    }
}

impl Store for Bridge {
    fn lease(&self) -> Lease {
        self.inner.lease()
    }

    fn load<'a>(&'a self, keys: &'a [RowKey]) -> Stored<'a, Vec<StateRow>> {
        let keys = keys.to_vec();
        self.call(move |store: Arc<SqliteStore>| async move { store.load(&keys).await }.boxed())
    }

    fn seen<'a>(&'a self, events: &'a [Dedup]) -> Stored<'a, Vec<Dedup>> {
        let events = events.to_vec();
        self.call(move |store: Arc<SqliteStore>| async move { store.seen(&events).await }.boxed())
    }

    fn commit<'a>(&'a self, commit: &'a Commit) -> Stored<'a, ()> {
        let commit = commit.clone();
        self.call(move |store: Arc<SqliteStore>| async move { store.commit(&commit).await }.boxed())
    }

    fn next_due(&self, after: Option<Timestamp>) -> Stored<'_, Option<Timestamp>> {
        self.call(move |store: Arc<SqliteStore>| async move { store.next_due(after).await }.boxed())
    }

    fn due(&self, within: RangeInclusive<Timestamp>, limit: usize) -> Stored<'_, Vec<TimerChunk>> {
        self.call(move |store: Arc<SqliteStore>| async move { store.due(within, limit).await }.boxed())
    }

    fn outbox(&self, channel: u32, after: RowRef, limit: usize) -> Stored<'_, Vec<OutboxRow>> {
        self.call(move |store: Arc<SqliteStore>| {
            async move { store.outbox(channel, after, limit).await }.boxed()
        })
    }

    fn outbox_channels(&self) -> Stored<'_, Vec<u32>> {
        self.call(|store: Arc<SqliteStore>| async move { store.outbox_channels().await }.boxed())
    }

    fn packed<'a>(&'a self, kind: PackedKind, places: &'a [RowRef]) -> Stored<'a, Vec<Packed>> {
        let places = places.to_vec();
        self.call(move |store: Arc<SqliteStore>| async move { store.packed(kind, &places).await }.boxed())
    }

    fn packed_after(&self, kind: PackedKind, after: RowRef, limit: usize) -> Stored<'_, Vec<Packed>> {
        self.call(move |store: Arc<SqliteStore>| {
            async move { store.packed_after(kind, after, limit).await }.boxed()
        })
    }

    fn scan<'a>(&'a self, kind: u32, after: Option<&'a RowKey>, limit: usize) -> Stored<'a, Vec<StateRow>> {
        let after = after.cloned();
        self.call(move |store: Arc<SqliteStore>| {
            async move { store.scan(kind, after.as_ref(), limit).await }.boxed()
        })
    }

    fn sift<'a>(&'a self, sift: Sift, after: Option<&'a RowKey>) -> Stored<'a, Sifted> {
        let after = after.cloned();
        self.call(move |store: Arc<SqliteStore>| {
            async move { store.sift(sift, after.as_ref()).await }.boxed()
        })
    }

    fn trim(&self, trim: Trim) -> Stored<'_, Trimmed> {
        self.call(move |store: Arc<SqliteStore>| async move { store.trim(trim).await }.boxed())
    }

    fn forget_keys(&self, before: i64) -> Stored<'_, u64> {
        self.call(move |store: Arc<SqliteStore>| async move { store.forget_keys(before).await }.boxed())
    }

    fn meta<'a>(&'a self, name: &'a str) -> Stored<'a, Option<String>> {
        let name = name.to_owned();
        self.call(move |store: Arc<SqliteStore>| async move { store.meta(&name).await }.boxed())
    }

    fn set_meta<'a>(&'a self, values: &'a [(String, String)]) -> Stored<'a, ()> {
        let values = values.to_vec();
        self.call(move |store: Arc<SqliteStore>| async move { store.set_meta(&values).await }.boxed())
    }

    fn deploy<'a>(&'a self, deployment: &'a Deployment) -> Stored<'a, ()> {
        let deployment = deployment.clone();
        self.call(move |store: Arc<SqliteStore>| async move { store.deploy(&deployment).await }.boxed())
    }

    fn deployed(&self) -> Stored<'_, Deployed> {
        self.call(|store: Arc<SqliteStore>| async move { store.deployed().await }.boxed())
    }

    fn quarantined(&self, limit: usize) -> Stored<'_, Vec<Quarantined>> {
        self.call(move |store: Arc<SqliteStore>| async move { store.quarantined(limit).await }.boxed())
    }

    fn counts(&self) -> Stored<'_, Counts> {
        self.call(|store: Arc<SqliteStore>| async move { store.counts().await }.boxed())
    }

    fn inbox(&self, limit: usize) -> Stored<'_, Vec<InboxRow>> {
        self.call(move |store: Arc<SqliteStore>| async move { store.inbox(limit).await }.boxed())
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.call(|store: Arc<SqliteStore>| async move { store.close().await }.boxed())
    }
}
