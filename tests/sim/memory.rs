//! A store in memory: the trait exactly, and nothing survives but what a commit wrote.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use jiff::Timestamp;
use wayfare::store::{
    Commit, Counts, Dedup, Deployed, Deployment, InboxRef, InboxRow, Lease, OutboxRow, Packed, PackedKind,
    ProgramRow, Quarantined, RowKey, RowRef, Sift, Sifted, StateRow, Store, StoreError, Stored, TimerChunk,
    Trim, Trimmed, bucket,
};

use super::flaws::Flaw;

/// Groups of buckets, all in one hand.
const GROUPS: u16 = 4;
/// Behind every row of a slot or a channel.
const END: RowRef = RowRef { batch: u64::MAX, group: u16::MAX };

/// What is on the disk.
#[derive(Default)]
pub(crate) struct Tables {
    flaw: Option<Flaw>,
    epoch: u64,
    batch: u64,
    states: BTreeMap<RowKey, (i64, Vec<u8>)>,
    log: BTreeMap<RowRef, Vec<u8>>,
    trace: BTreeMap<RowRef, Vec<u8>>,
    outbox: BTreeMap<(u32, RowRef), Vec<u8>>,
    timers: BTreeMap<(Timestamp, RowRef), Vec<u8>>,
    dedup: BTreeMap<(u16, i32, [u8; 16]), u32>,
    inbox: BTreeMap<InboxRef, Vec<u8>>,
    quarantine: Vec<Quarantined>,
    meta: BTreeMap<String, String>,
    symbols: Vec<String>,
    programs: Vec<ProgramRow>,
    bundle: Option<Vec<u8>>,
}

/// The tables, open for one owner.
pub(crate) struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
    lease: Lease,
}

impl MemoryStore {
    /// Takes the lease: whoever held it before is fenced from now on.
    pub(crate) fn open(tables: &Arc<Mutex<Tables>>) -> Self {
        let mut open = tables.lock().unwrap();
        open.epoch += 1;
        let lease = Lease {
            span: bucket::COUNT / GROUPS,
            groups: (0..GROUPS).map(|group| (group, open.epoch)).collect(),
            batch: open.batch,
        };
        drop(open);
        Self { tables: Arc::clone(tables), lease }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap()
    }

    fn held(&self) -> Result<MutexGuard<'_, Tables>, StoreError> {
        let tables = self.tables();
        let fenced = tables.flaw != Some(Flaw::FencesNobody);
        if !fenced || self.lease.groups.iter().all(|(_, epoch)| *epoch == tables.epoch) {
            Ok(tables)
        } else {
            Err(StoreError::Fenced)
        }
    }

    fn write(&self, commit: &Commit) -> Result<(), StoreError> {
        let mut tables = self.held()?;
        let fenced = tables.flaw != Some(Flaw::FencesNobody);
        if fenced && commit.batch != tables.batch + 1 {
            return Err(StoreError::Fenced);
        }
        tables.accepts(commit)?;
        tables.apply(commit);
        Ok(())
    }
}

impl Tables {
    pub(crate) fn with(flaw: Option<Flaw>) -> Self {
        Self { flaw, ..Self::default() }
    }

    /// Everything that SQL would refuse.
    fn accepts(&self, commit: &Commit) -> Result<(), StoreError> {
        let version = |key| self.states.get(key).map_or(0, |(version, _)| *version);
        let stale = commit.states.iter().any(|row| version(&row.key) != row.version);
        let mut identities: Vec<_> =
            commit.dedup.iter().map(|event| (event.group, event.slot, event.hash)).collect();
        identities.sort_unstable();
        let twice = identities.windows(2).any(|pair| pair[0] == pair[1])
            || identities.iter().any(|identity| self.dedup.contains_key(identity));
        let twice = twice && self.flaw != Some(Flaw::KnowsNoEvent);
        let outbox = commit.outbox.iter().any(|row| self.outbox.contains_key(&(row.channel, row.at)));
        let timers = commit.timers.iter().any(|row| self.timers.contains_key(&(row.due, row.at)));
        if stale || twice || outbox || timers { Err(StoreError::Conflict) } else { Ok(()) }
    }

    fn apply(&mut self, commit: &Commit) {
        self.batch = commit.batch;
        for row in &commit.states {
            self.states.insert(row.key.clone(), (row.version + 1, row.body.clone()));
        }
        self.log.extend(commit.log.iter().map(|row| (row.at, row.body.clone())));
        self.trace.extend(commit.trace.iter().map(|row| (row.at, row.body.clone())));
        commit.outbox_done.iter().for_each(|row| _ = self.outbox.remove(row));
        commit.timers_done.iter().for_each(|row| _ = self.timers.remove(row));
        self.outbox.extend(commit.outbox.iter().map(|row| ((row.channel, row.at), row.body.clone())));
        self.timers.extend(commit.timers.iter().map(|row| ((row.due, row.at), row.body.clone())));
        self.dedup
            .extend(commit.dedup.iter().map(|event| ((event.group, event.slot, event.hash), event.payload)));
        commit.inbox_done.iter().for_each(|at| _ = self.inbox.remove(at));
        self.inbox.extend(commit.inbox.iter().map(|row| (row.at.clone(), row.body.clone())));
        self.quarantine.extend(commit.quarantine.iter().cloned());
        self.meta.extend(commit.meta.iter().cloned());
    }

    fn deploy(&mut self, deployment: &Deployment) -> Result<(), StoreError> {
        for (next, (no, name)) in (self.symbols.len()..).zip(&deployment.symbols) {
            if *no as usize != next || self.symbols.contains(name) {
                return Err(StoreError::Conflict);
            }
        }
        let known = |row: &ProgramRow| self.programs.iter().any(|it| it.no == row.no || it.hash == row.hash);
        if deployment.programs.iter().any(known) {
            return Err(StoreError::Conflict);
        }
        self.symbols.extend(deployment.symbols.iter().map(|(_, name)| name.clone()));
        self.programs.extend(deployment.programs.iter().cloned());
        if let Some((_, body)) = &deployment.bundle {
            self.bundle = Some(body.clone());
        }
        self.meta.extend(deployment.meta.iter().cloned());
        Ok(())
    }
}

fn done<'a, T: Send + 'a>(value: T) -> Stored<'a, T> {
    ready(Ok(value)).boxed()
}

fn chunk((key, body): (&(Timestamp, RowRef), &Vec<u8>)) -> TimerChunk {
    TimerChunk { due: key.0, at: key.1, body: body.clone() }
}

fn packed((at, body): (&RowRef, &Vec<u8>)) -> Packed {
    Packed { at: *at, body: body.clone() }
}

impl Store for MemoryStore {
    fn lease(&self) -> Lease {
        self.lease.clone()
    }

    fn load<'a>(&'a self, keys: &'a [RowKey]) -> Stored<'a, Vec<StateRow>> {
        let tables = self.tables();
        let row = |key: &RowKey| {
            let (version, body) = tables.states.get(key)?;
            Some(StateRow { key: key.clone(), version: *version, body: body.clone() })
        };
        done(keys.iter().filter_map(row).collect())
    }

    fn seen<'a>(&'a self, events: &'a [Dedup]) -> Stored<'a, Vec<Dedup>> {
        let tables = self.tables();
        let stored = |event: &Dedup| {
            let payload = tables.dedup.get(&(event.group, event.slot, event.hash))?;
            Some(Dedup { payload: *payload, ..*event })
        };
        done(events.iter().filter_map(stored).collect())
    }

    fn commit<'a>(&'a self, commit: &'a Commit) -> Stored<'a, ()> {
        ready(self.write(commit)).boxed()
    }

    fn next_due(&self, after: Option<Timestamp>) -> Stored<'_, Option<Timestamp>> {
        let from = after.map_or(Bound::Unbounded, |after| Bound::Excluded((after, END)));
        let tables = self.tables();
        let next = tables.timers.range((from, Bound::Unbounded)).next();
        done(next.map(|((due, _), _)| *due))
    }

    fn due(&self, now: Timestamp, limit: usize) -> Stored<'_, Vec<TimerChunk>> {
        done(self.tables().timers.range(..=(now, END)).take(limit).map(chunk).collect())
    }

    fn outbox(&self, channel: u32, after: RowRef, limit: usize) -> Stored<'_, Vec<OutboxRow>> {
        let row =
            |((_, at), body): (&(u32, RowRef), &Vec<u8>)| OutboxRow { channel, at: *at, body: body.clone() };
        let tables = self.tables();
        let range = (Bound::Excluded((channel, after)), Bound::Included((channel, END)));
        done(tables.outbox.range(range).take(limit).map(row).collect())
    }

    fn outbox_channels(&self) -> Stored<'_, Vec<u32>> {
        let mut channels: Vec<u32> = self.tables().outbox.keys().map(|(channel, _)| *channel).collect();
        channels.dedup();
        done(channels)
    }

    fn packed<'a>(&'a self, kind: PackedKind, places: &'a [RowRef]) -> Stored<'a, Vec<Packed>> {
        let tables = self.tables();
        let rows = tables.rows(kind);
        let mut places = places.to_vec();
        places.sort_unstable();
        places.dedup();
        done(places.iter().filter_map(|place| rows.get_key_value(place)).map(packed).collect())
    }

    fn packed_after(&self, kind: PackedKind, after: RowRef, limit: usize) -> Stored<'_, Vec<Packed>> {
        let tables = self.tables();
        let range = (Bound::Excluded(after), Bound::Unbounded);
        done(tables.rows(kind).range(range).take(limit).map(packed).collect())
    }

    fn scan<'a>(&'a self, kind: u32, after: Option<&'a RowKey>, limit: usize) -> Stored<'a, Vec<StateRow>> {
        let from = after.map_or(Bound::Unbounded, |after| Bound::Excluded(after.clone()));
        let tables = self.tables();
        let rows = tables.states.range((from, Bound::Unbounded)).filter(|(key, _)| key.kind == kind);
        let row = |(key, (version, body)): (&RowKey, &(i64, Vec<u8>))| StateRow {
            key: key.clone(),
            version: *version,
            body: body.clone(),
        };
        done(rows.take(limit).map(row).collect())
    }

    /// Knows nothing of its rows, so it keeps them all.
    fn sift<'a>(&'a self, sift: Sift, after: Option<&'a RowKey>) -> Stored<'a, Sifted> {
        let from = after.map_or(Bound::Unbounded, |after| Bound::Excluded(after.clone()));
        let tables = self.tables();
        let rows = tables.states.range((from, Bound::Unbounded)).filter(|(key, _)| key.kind == sift.kind);
        let row = |(key, (version, body)): (&RowKey, &(i64, Vec<u8>))| {
            (StateRow { key: key.clone(), version: *version, body: body.clone() }, None)
        };
        let rows: Vec<_> = rows.take(sift.most).map(row).collect();
        let next = if rows.len() < sift.most { None } else { rows.last().map(|(row, _)| row.key.clone()) };
        done(Sifted { rows, next })
    }

    /// Keeps everything: its stories are short.
    fn trim(&self, _: Trim) -> Stored<'_, Trimmed> {
        done(Trimmed::default())
    }

    /// Keeps those as well.
    fn forget_keys(&self, _: i64) -> Stored<'_, u64> {
        done(0)
    }

    fn meta<'a>(&'a self, name: &'a str) -> Stored<'a, Option<String>> {
        done(self.tables().meta.get(name).cloned())
    }

    fn set_meta<'a>(&'a self, values: &'a [(String, String)]) -> Stored<'a, ()> {
        ready(self.held().map(|mut tables| tables.meta.extend(values.iter().cloned()))).boxed()
    }

    fn deploy<'a>(&'a self, deployment: &'a Deployment) -> Stored<'a, ()> {
        ready(self.held().and_then(|mut tables| tables.deploy(deployment))).boxed()
    }

    fn deployed(&self) -> Stored<'_, Deployed> {
        let tables = self.tables();
        done(Deployed {
            symbols: tables.symbols.clone(),
            programs: tables.programs.clone(),
            bundle: tables.bundle.clone(),
        })
    }

    fn quarantined(&self, limit: usize) -> Stored<'_, Vec<Quarantined>> {
        done(self.tables().quarantine.iter().rev().take(limit).cloned().collect())
    }

    fn counts(&self) -> Stored<'_, Counts> {
        let tables = self.tables();
        done(Counts {
            states: tables.states.len() as u64,
            outbox_rows: tables.outbox.len() as u64,
            timer_chunks: tables.timers.len() as u64,
            quarantined: tables.quarantine.len() as u64,
        })
    }

    /// By the time first, as an owner of all groups has it.
    fn inbox(&self, limit: usize) -> Stored<'_, Vec<InboxRow>> {
        let tables = self.tables();
        let mut rows: Vec<&InboxRef> = tables.inbox.keys().collect();
        rows.sort_by_key(|at| (at.at, at.batch, at.group));
        let row = |at: &InboxRef| InboxRow { at: at.clone(), body: tables.inbox[at].clone() };
        done(rows.into_iter().take(limit).map(row).collect())
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }
}

impl Tables {
    fn rows(&self, kind: PackedKind) -> &BTreeMap<RowRef, Vec<u8>> {
        match kind {
            PackedKind::Log => &self.log,
            PackedKind::Trace => &self.trace,
        }
    }
}
