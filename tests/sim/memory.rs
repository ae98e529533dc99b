//! A store in memory: the trait exactly, and nothing survives but what a commit wrote.

use std::collections::BTreeMap;
use std::ops::{Bound, RangeInclusive};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use jiff::Timestamp;
use wayfare::ledger::Act;
use wayfare::store::{
    Acted, Block, Commit, Counts, Dedup, Deployed, Deployment, Drawn, EntryPlace, EntryQuery, EntryRow,
    InboxRef, InboxRow, Lease, Ledger, Lotteries, LotteryRow, Moved, OutboxRow, Packed, PackedKind,
    ProgramRow, Publication, Quarantined, Quota, Revealed, RowKey, RowRef, Share, Sift, Sifted, StateRow,
    Store, StoreError, Stored, TimerChunk, Trim, Trimmed, Wants,
};

use super::books::Books;
use super::flaws::Flaw;
use super::lease::{Hold, Leases};
use super::wheel::Wheel;

/// Behind every row of a slot or a channel.
const END: RowRef = RowRef { batch: u64::MAX, group: u16::MAX };
/// How often workers settle who holds what.
const BEAT: Duration = Duration::from_secs(1);

/// What is on the disk.
#[derive(Default)]
pub(crate) struct Tables {
    flaw: Option<Flaw>,
    pub leases: Leases,
    pub books: Books,
    pub wheel: Wheel,
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

/// The tables, open for one owner, or for one worker of several.
pub(crate) struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
    hold: Mutex<Hold>,
    shared: bool,
}

impl MemoryStore {
    /// Begins a life of this name: whoever had it before is fenced from now on.
    pub(crate) fn open(tables: &Arc<Mutex<Tables>>, name: &str, shared: bool) -> Self {
        let hold = tables.lock().unwrap().leases.join(name);
        Self { tables: Arc::clone(tables), hold: Mutex::new(hold), shared }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap()
    }

    fn hold(&self) -> MutexGuard<'_, Hold> {
        self.hold.lock().unwrap()
    }

    /// A sign of life.
    pub(crate) fn beat_once(&self) {
        self.tables().leases.beat(&self.hold());
    }

    fn alive(&self) -> Result<MutexGuard<'_, Tables>, StoreError> {
        let tables = self.tables();
        tables.leases.check_life(&self.hold())?;
        Ok(tables)
    }

    fn write(&self, commit: &Commit) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let mut hold = self.hold();
        let touched = tables.leases.fence(&hold, commit)?;
        tables.accepts(commit)?;
        tables.books.covers(&hold.sender(), &commit.spent)?;
        tables.wheel.accepts(&commit.draws)?;
        tables.books.spend(&hold.sender(), &commit.spent, &commit.entries);
        tables.wheel.append(&commit.draws);
        let sender = if self.shared { hold.sender() } else { String::new() };
        tables.apply(commit, &sender);
        tables.leases.advance(&mut hold, commit.batch, &touched);
        Ok(())
    }
}

impl Tables {
    /// Whether something waits for a row.
    pub(crate) fn has_post(&self) -> bool {
        !self.inbox.is_empty()
    }

    pub(crate) fn with(flaw: Option<Flaw>) -> Self {
        let leases = Leases::new(flaw == Some(Flaw::FencesNobody));
        let (lax, forgetful) = (flaw == Some(Flaw::Oversells), flaw == Some(Flaw::TakesBackTwice));
        let books = Books { lax, forgetful, ..Books::default() };
        Self { flaw, leases, books, ..Self::default() }
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

    fn apply(&mut self, commit: &Commit, sender: &str) {
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
        for row in &commit.inbox {
            let at = InboxRef { sender: sender.to_owned(), ..row.at.clone() };
            self.inbox.insert(at, row.body.clone());
        }
        self.quarantine.extend(commit.quarantine.iter().cloned());
        self.meta.extend(commit.meta.iter().cloned());
    }

    fn deploy(&mut self, deployment: &Deployment) -> Result<(), StoreError> {
        let version = self.meta.get("version").map_or("0", String::as_str);
        if deployment.base.is_some_and(|base| base.to_string() != version) {
            return Err(StoreError::Conflict);
        }
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
        self.hold().lease()
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
        let hold = self.hold();
        let mut own = tables.timers.range((from, Bound::Unbounded));
        let next = own.find(|((_, at), _)| hold.holds(at.group));
        done(next.map(|((due, _), _)| *due))
    }

    fn due(&self, within: RangeInclusive<Timestamp>, limit: usize) -> Stored<'_, Vec<TimerChunk>> {
        let (tables, hold) = (self.tables(), self.hold());
        let (from, to) = within.into_inner();
        let due = tables
            .timers
            .range((from, RowRef::default())..=(to, END))
            .filter(|((_, at), _)| hold.holds(at.group));
        done(due.take(limit).map(chunk).collect())
    }

    fn outbox(&self, channel: u32, after: RowRef, limit: usize) -> Stored<'_, Vec<OutboxRow>> {
        let row =
            |((_, at), body): (&(u32, RowRef), &Vec<u8>)| OutboxRow { channel, at: *at, body: body.clone() };
        let (tables, hold) = (self.tables(), self.hold());
        let range = (Bound::Excluded((channel, after)), Bound::Included((channel, END)));
        let own = tables.outbox.range(range).filter(|((_, at), _)| hold.holds(at.group));
        done(own.take(limit).map(row).collect())
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
        ready(self.alive().map(|mut tables| tables.meta.extend(values.iter().cloned()))).boxed()
    }

    fn deploy<'a>(&'a self, deployment: &'a Deployment) -> Stored<'a, ()> {
        ready(self.alive().and_then(|mut tables| tables.deploy(deployment))).boxed()
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

    fn ledger(&self) -> Option<&dyn Ledger> {
        Some(self)
    }

    fn lotteries(&self) -> Option<&dyn Lotteries> {
        Some(self)
    }

    fn beat(&self) -> Option<Duration> {
        self.shared.then_some(BEAT)
    }

    fn share<'a>(&'a self, given: &'a [u16], alone: bool) -> Stored<'a, Share> {
        ready(self.tables().leases.share(&mut self.hold(), given, alone)).boxed()
    }

    fn swap<'a>(&'a self, name: &'a str, old: &'a str, new: &'a str) -> Stored<'a, bool> {
        let swap = |mut tables: MutexGuard<'_, Tables>| {
            let same = tables.meta.get(name).map_or("", String::as_str) == old;
            if same {
                tables.meta.insert(name.to_owned(), new.to_owned());
            }
            same
        };
        ready(self.alive().map(swap)).boxed()
    }

    /// By the time first, as an owner of all groups has it.
    fn inbox(&self, limit: usize) -> Stored<'_, Vec<InboxRow>> {
        let (tables, hold) = (self.tables(), self.hold());
        let mut rows: Vec<&InboxRef> = tables.inbox.keys().filter(|at| hold.holds(at.group)).collect();
        rows.sort_by_key(|at| (at.at, at.batch, at.group));
        let row = |at: &InboxRef| InboxRow { at: at.clone(), body: tables.inbox[at].clone() };
        done(rows.into_iter().take(limit).map(row).collect())
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        if self.shared {
            self.tables().leases.leave(&mut self.hold());
        }
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

/// As far as an engine asks: pages for people and what redeems gifts are not simulated.
impl Lotteries for MemoryStore {
    fn publish<'a>(&'a self, publication: &'a Publication) -> Stored<'a, ()> {
        ready(self.alive().map(|mut tables| tables.wheel.publish(publication))).boxed()
    }

    fn lotteries(&self) -> Stored<'_, Vec<LotteryRow>> {
        done(self.tables().wheel.rows())
    }

    fn draws<'a>(&'a self, lottery: &'a str, after: i64, limit: usize) -> Stored<'a, Vec<Drawn>> {
        done(self.tables().wheel.draws(lottery, after, limit))
    }

    fn reveal<'a>(&'a self, seeds: &'a [Revealed], ended: i64, at: i64) -> Stored<'a, u64> {
        ready(self.alive().map(|mut tables| tables.wheel.reveal(seeds, ended, at))).boxed()
    }
}

impl Ledger for MemoryStore {
    fn take<'a>(&'a self, wants: &'a Wants) -> Stored<'a, Vec<Block>> {
        let take = |mut tables: MutexGuard<'_, Tables>| {
            let sender = self.hold().sender();
            let Tables { leases, books, .. } = &mut *tables;
            books.take(&sender, wants, |life| leases.is_alive(life))
        };
        ready(self.alive().map(take)).boxed()
    }

    fn give_back<'a>(&'a self, accounts: &'a [String]) -> Stored<'a, ()> {
        let back =
            |mut tables: MutexGuard<'_, Tables>| tables.books.give_back(&self.hold().sender(), accounts);
        ready(self.alive().map(back)).boxed()
    }

    fn alert<'a>(&'a self, account: &'a str, at: i64) -> Stored<'a, bool> {
        ready(self.alive().map(|mut tables| tables.books.alert(account, at))).boxed()
    }

    fn quotas(&self) -> Stored<'_, Vec<Quota>> {
        done(self.tables().books.quotas())
    }

    fn entries<'a>(
        &'a self,
        _: &'a EntryQuery,
        _: Option<&'a EntryPlace>,
        limit: usize,
    ) -> Stored<'a, Vec<EntryRow>> {
        done(self.tables().books.entries.iter().take(limit).cloned().collect())
    }

    fn moved(&self) -> Stored<'_, Vec<Moved>> {
        done(Vec::new())
    }

    fn gifts<'a>(&'a self, _: &'a str, _: usize) -> Stored<'a, Vec<EntryRow>> {
        done(Vec::new())
    }

    /// Of what can happen to a gift only that it is taken back.
    fn act<'a>(&'a self, _: u16, gift: &'a str, act: Act, at: i64) -> Stored<'a, Acted> {
        let back = |mut tables: MutexGuard<'_, Tables>| match act {
            Act::ClawBack => tables.books.take_back(gift, at),
            _ => Acted::Unknown,
        };
        ready(self.alive().map(back)).boxed()
    }
}
