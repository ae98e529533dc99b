//! A store that fails as it is told to, around one that does not; and it shows the model what became durable.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::Notify;
use wayfare::ledger::Act;
use wayfare::store::{
    Acted, Block, Commit, Counts, Dedup, Deployed, Deployment, Drawn, EntryPlace, EntryQuery, EntryRow,
    InboxRow, Lease, Ledger, Lotteries, LotteryRow, Moved, OutboxRow, Packed, PackedKind, Publication,
    Quarantined, Quota, Revealed, RowKey, RowRef, Share, Sift, Sifted, StateRow, Store, StoreError, Stored,
    TimerChunk, Trim, Trimmed, Wants,
};

use crate::support::chance::Chance;

use super::flaws::Flaw;
use super::model::Model;

/// What goes wrong with one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriteFault {
    /// Nothing is written, and it says so.
    Refused,
    /// All is written, and it says that it failed.
    LostAck,
    /// It does not come back for a while; nothing is written before it does.
    StallBefore,
    /// All is written, but it does not come back for a while.
    StallAfter,
}

/// What is to go wrong, for all owners of the store.
pub(crate) struct Plan {
    /// The next write fails so.
    pub write: Option<WriteFault>,
    /// So many reads fail.
    pub reads: u32,
    /// No space, or mounted for reading: every write fails until it is mended.
    pub full: bool,
    /// Who goes first, where several share the store: so many words of a hundred wait for those of others.
    pub turns: u64,
    pub chance: Chance,
    /// Calls that wait to be released.
    stalled: u32,
    release: Arc<Notify>,
    /// Faults that took place, by kind.
    pub happened: BTreeMap<&'static str, u64>,
}

impl Plan {
    pub(crate) fn new(seed: u64, turns: u64) -> Self {
        Self {
            write: None,
            reads: 0,
            full: false,
            turns,
            chance: Chance::seeded(seed),
            stalled: 0,
            release: Arc::default(),
            happened: BTreeMap::new(),
        }
    }

    pub(crate) fn stalls(&self) -> bool {
        self.stalled > 0
    }

    pub(crate) fn release(&self) {
        self.release.notify_waiters();
    }

    pub(crate) fn happen(&mut self, what: &'static str) {
        *self.happened.entry(what).or_default() += 1;
    }
}

/// The world beneath the engine: what goes wrong, and what is known to be durable.
pub(crate) struct Ground {
    pub flaw: Option<Flaw>,
    pub plan: Mutex<Plan>,
    pub model: Mutex<Model>,
}

impl Ground {
    pub(crate) fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap()
    }

    pub(crate) fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap()
    }
}

/// The last read or write of somebody failed: who called waits before it tries again.
#[derive(Default)]
pub(crate) struct Trouble {
    reading: AtomicBool,
    writing: AtomicBool,
}

impl Trouble {
    pub(crate) fn is_there(&self) -> bool {
        self.reading.load(Ordering::Relaxed) || self.writing.load(Ordering::Relaxed)
    }
}

/// Where a worker waits between two words with the store, for others to have theirs.
#[derive(Default)]
pub(crate) struct Turn {
    waiting: AtomicBool,
    /// Whether its next commit waits, until it is told to go on.
    pub holds: AtomicBool,
    /// Not before it has started.
    pub begun: AtomicBool,
    next: Notify,
}

impl Turn {
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Relaxed)
    }

    pub(crate) fn go_on(&self) {
        self.holds.store(false, Ordering::Relaxed);
        self.next.notify_waiters();
    }

    async fn wait(&self) {
        self.waiting.store(true, Ordering::Relaxed);
        self.next.notified().await;
        self.waiting.store(false, Ordering::Relaxed);
    }
}

/// One user's way to the store.
pub(crate) struct FaultyStore {
    pub inner: Arc<dyn Store>,
    pub ground: Arc<Ground>,
    pub trouble: Arc<Trouble>,
    pub life: u32,
    /// Of an engine among several.
    pub turn: Option<Arc<Turn>>,
}

impl FaultyStore {
    /// Others may have their turn first.
    async fn turn(&self) {
        let Some(turn) = self.turn.as_ref().filter(|turn| turn.begun.load(Ordering::Relaxed)) else { return };
        let waits = {
            let mut plan = self.ground.plan();
            let percent = plan.turns;
            plan.chance.percent(percent)
        };
        if waits {
            turn.wait().await;
        }
    }

    fn read(&self) -> Result<(), StoreError> {
        let mut plan = self.ground.plan();
        self.trouble.reading.store(plan.reads > 0, Ordering::Relaxed);
        if plan.reads == 0 {
            return Ok(());
        }
        plan.reads -= 1;
        plan.happen("read failed");
        Err(StoreError::Disk("input/output error".to_owned()))
    }

    /// The fault of this write; only a commit may stall, since nobody waits for the others in the background.
    fn fault(&self) -> Result<Option<WriteFault>, StoreError> {
        let mut plan = self.ground.plan();
        if plan.full {
            self.trouble.writing.store(true, Ordering::Relaxed);
            plan.happen("disk full");
            return Err(StoreError::Disk("database or disk is full".to_owned()));
        }
        let fault = plan.write.take();
        let fails = matches!(fault, Some(WriteFault::Refused | WriteFault::LostAck));
        self.trouble.writing.store(fails, Ordering::Relaxed);
        match fault {
            Some(WriteFault::Refused) => {
                plan.happen("write refused");
                Err(StoreError::Disk("disk I/O error".to_owned()))
            }
            _ => Ok(fault),
        }
    }

    async fn stall(&self, what: &'static str) {
        let release = {
            let mut plan = self.ground.plan();
            plan.happen(what);
            plan.stalled += 1;
            Arc::clone(&plan.release)
        };
        let _guard = Stalled(&self.ground);
        release.notified().await;
    }

    fn lost(&self) -> StoreError {
        self.ground.plan().happen("acknowledgement lost");
        StoreError::Database("the connection was lost".to_owned())
    }

    async fn write_commit(&self, commit: &Commit) -> Result<(), StoreError> {
        let written = self.write_faulty(commit).await;
        if written == Err(StoreError::Fenced) {
            self.ground.model().fenced(self.life, Some(commit.batch));
        }
        written
    }

    async fn write_faulty(&self, commit: &Commit) -> Result<(), StoreError> {
        match &self.turn {
            Some(turn) if turn.holds.load(Ordering::Relaxed) => turn.wait().await,
            _ => self.turn().await,
        }
        let fault = self.fault()?;
        if fault == Some(WriteFault::StallBefore) {
            self.stall("stalled before a write").await;
        }
        match self.ground.flaw {
            None => self.inner.commit(commit).await?,
            Some(flaw) => {
                if let Some(written) = flaw.written(commit) {
                    self.inner.commit(&written).await?;
                }
            }
        }
        self.ground.model().committed(commit, self.life);
        match fault {
            Some(WriteFault::LostAck) => Err(self.lost()),
            Some(WriteFault::StallAfter) => {
                self.stall("stalled after a write").await;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Also for a call that is given up: a crash releases nobody.
struct Stalled<'a>(&'a Ground);

impl Drop for Stalled<'_> {
    fn drop(&mut self) {
        let mut plan = self.0.plan();
        plan.stalled = plan.stalled.saturating_sub(1);
    }
}

impl Store for FaultyStore {
    fn lease(&self) -> Lease {
        self.inner.lease()
    }

    fn load<'a>(&'a self, keys: &'a [RowKey]) -> Stored<'a, Vec<StateRow>> {
        async {
            self.turn().await;
            self.read()?;
            self.inner.load(keys).await
        }
        .boxed()
    }

    fn seen<'a>(&'a self, events: &'a [Dedup]) -> Stored<'a, Vec<Dedup>> {
        async {
            self.turn().await;
            self.read()?;
            let seen = self.inner.seen(events).await?;
            Ok(if self.ground.flaw == Some(Flaw::KnowsNoEvent) { Vec::new() } else { seen })
        }
        .boxed()
    }

    fn commit<'a>(&'a self, commit: &'a Commit) -> Stored<'a, ()> {
        self.write_commit(commit).boxed()
    }

    fn next_due(&self, after: Option<Timestamp>) -> Stored<'_, Option<Timestamp>> {
        self.inner.next_due(after)
    }

    fn due(&self, within: RangeInclusive<Timestamp>, limit: usize) -> Stored<'_, Vec<TimerChunk>> {
        async move {
            self.read()?;
            self.inner.due(within, limit).await
        }
        .boxed()
    }

    fn outbox(&self, channel: u32, after: RowRef, limit: usize) -> Stored<'_, Vec<OutboxRow>> {
        async move {
            self.read()?;
            self.inner.outbox(channel, after, limit).await
        }
        .boxed()
    }

    fn outbox_channels(&self) -> Stored<'_, Vec<u32>> {
        self.inner.outbox_channels()
    }

    fn packed<'a>(&'a self, kind: PackedKind, places: &'a [RowRef]) -> Stored<'a, Vec<Packed>> {
        self.inner.packed(kind, places)
    }

    fn packed_after(&self, kind: PackedKind, after: RowRef, limit: usize) -> Stored<'_, Vec<Packed>> {
        self.inner.packed_after(kind, after, limit)
    }

    fn scan<'a>(&'a self, kind: u32, after: Option<&'a RowKey>, limit: usize) -> Stored<'a, Vec<StateRow>> {
        async move {
            self.read()?;
            self.inner.scan(kind, after, limit).await
        }
        .boxed()
    }

    fn sift<'a>(&'a self, sift: Sift, after: Option<&'a RowKey>) -> Stored<'a, Sifted> {
        async move {
            self.read()?;
            self.inner.sift(sift, after).await
        }
        .boxed()
    }

    fn trim(&self, trim: Trim) -> Stored<'_, Trimmed> {
        async move {
            self.read()?;
            self.inner.trim(trim).await
        }
        .boxed()
    }

    fn forget_keys(&self, before: i64) -> Stored<'_, u64> {
        self.inner.forget_keys(before)
    }

    fn meta<'a>(&'a self, name: &'a str) -> Stored<'a, Option<String>> {
        self.inner.meta(name)
    }

    fn set_meta<'a>(&'a self, values: &'a [(String, String)]) -> Stored<'a, ()> {
        async {
            let fault = self.fault()?;
            self.inner.set_meta(values).await?;
            if fault == Some(WriteFault::LostAck) { Err(self.lost()) } else { Ok(()) }
        }
        .boxed()
    }

    fn deploy<'a>(&'a self, deployment: &'a Deployment) -> Stored<'a, ()> {
        async {
            self.turn().await;
            let fault = self.fault()?;
            self.inner.deploy(deployment).await?;
            self.ground.model().deployed(deployment);
            if fault == Some(WriteFault::LostAck) { Err(self.lost()) } else { Ok(()) }
        }
        .boxed()
    }

    fn deployed(&self) -> Stored<'_, Deployed> {
        self.inner.deployed()
    }

    fn quarantined(&self, limit: usize) -> Stored<'_, Vec<Quarantined>> {
        self.inner.quarantined(limit)
    }

    fn counts(&self) -> Stored<'_, Counts> {
        self.inner.counts()
    }

    fn inbox(&self, limit: usize) -> Stored<'_, Vec<InboxRow>> {
        async move {
            self.turn().await;
            self.read()?;
            self.inner.inbox(limit).await
        }
        .boxed()
    }

    fn ledger(&self) -> Option<&dyn Ledger> {
        self.inner.ledger().map(|_| self as &dyn Ledger)
    }

    fn lotteries(&self) -> Option<&dyn Lotteries> {
        self.inner.lotteries().map(|_| self as &dyn Lotteries)
    }

    fn beat(&self) -> Option<Duration> {
        self.inner.beat()
    }

    fn share<'a>(&'a self, given: &'a [u16], alone: bool) -> Stored<'a, Share> {
        async move {
            self.turn().await;
            self.read()?;
            let before = self.inner.lease();
            let shared = self.inner.share(given, alone).await;
            let lease = self.inner.lease();
            self.ground.model().shared(self.life, (&before, &lease), given);
            shared
        }
        .boxed()
    }

    fn swap<'a>(&'a self, name: &'a str, old: &'a str, new: &'a str) -> Stored<'a, bool> {
        async move {
            self.turn().await;
            let fault = self.fault()?;
            let swapped = self.inner.swap(name, old, new).await;
            if fault == Some(WriteFault::LostAck) { Err(self.lost()) } else { swapped }
        }
        .boxed()
    }

    fn metas<'a>(&'a self, names: &'a [String]) -> Stored<'a, Vec<(String, String)>> {
        self.inner.metas(names)
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.inner.close()
    }
}

impl FaultyStore {
    fn books(&self) -> Result<&dyn Ledger, StoreError> {
        self.inner.ledger().ok_or(StoreError::ReadOnly)
    }

    fn wheel(&self) -> Result<&dyn Lotteries, StoreError> {
        self.inner.lotteries().ok_or(StoreError::ReadOnly)
    }
}

impl Lotteries for FaultyStore {
    fn publish<'a>(&'a self, publication: &'a Publication) -> Stored<'a, ()> {
        async move {
            self.turn().await;
            let fault = self.fault()?;
            let published = self.wheel()?.publish(publication).await;
            if fault == Some(WriteFault::LostAck) { Err(self.lost()) } else { published }
        }
        .boxed()
    }

    fn lotteries(&self) -> Stored<'_, Vec<LotteryRow>> {
        async {
            self.read()?;
            self.wheel()?.lotteries().await
        }
        .boxed()
    }

    fn draws<'a>(&'a self, lottery: &'a str, after: i64, limit: usize) -> Stored<'a, Vec<Drawn>> {
        async move { self.wheel()?.draws(lottery, after, limit).await }.boxed()
    }

    fn reveal<'a>(&'a self, seeds: &'a [Revealed], ended: i64, at: i64) -> Stored<'a, u64> {
        async move { self.wheel()?.reveal(seeds, ended, at).await }.boxed()
    }
}

impl Ledger for FaultyStore {
    fn take<'a>(&'a self, wants: &'a Wants) -> Stored<'a, Vec<Block>> {
        async {
            self.turn().await;
            self.read()?;
            let taken = self.books()?.take(wants).await;
            if taken == Err(StoreError::Fenced) {
                self.ground.model().fenced(self.life, None);
            }
            taken
        }
        .boxed()
    }

    fn give_back<'a>(&'a self, accounts: &'a [String]) -> Stored<'a, ()> {
        async {
            self.turn().await;
            self.fault()?;
            self.books()?.give_back(accounts).await
        }
        .boxed()
    }

    fn alert<'a>(&'a self, account: &'a str, at: i64) -> Stored<'a, bool> {
        async move { self.books()?.alert(account, at).await }.boxed()
    }

    fn quotas(&self) -> Stored<'_, Vec<Quota>> {
        async { self.books()?.quotas().await }.boxed()
    }

    fn entries<'a>(
        &'a self,
        query: &'a EntryQuery,
        after: Option<&'a EntryPlace>,
        limit: usize,
    ) -> Stored<'a, Vec<EntryRow>> {
        async move { self.books()?.entries(query, after, limit).await }.boxed()
    }

    fn moved(&self) -> Stored<'_, Vec<Moved>> {
        async { self.books()?.moved().await }.boxed()
    }

    fn gifts<'a>(&'a self, after: &'a str, limit: usize) -> Stored<'a, Vec<EntryRow>> {
        async move { self.books()?.gifts(after, limit).await }.boxed()
    }

    fn act<'a>(&'a self, group: u16, gift: &'a str, act: Act, at: i64) -> Stored<'a, Acted> {
        async move {
            self.turn().await;
            let fault = self.fault()?;
            let acted = self.books()?.act(group, gift, act, at).await?;
            if matches!(acted, Acted::Done(_)) {
                self.ground.model().taken_back(gift);
            }
            if fault == Some(WriteFault::LostAck) { Err(self.lost()) } else { Ok(acted) }
        }
        .boxed()
    }
}
