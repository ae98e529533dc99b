//! The outbox of one channel, as far as memory holds it.
//!
//! Messages leave in the order of their batches, no faster than the channel's rate, with a bounded number under way.
//! Rows are only ever inserted and deleted: a message to be tried again moves to the row of the batch that says so,
//! and a row goes when its last message is resolved, in that same commit. What a crash leaves is read again.
//!
//! Of a group that is taken over the rows are read as after a crash; one that is given back is forgotten here, and what
//! is under way is waited for (`share`). Where workers share a channel, they share its rate: what may go out is asked
//! for before it is taken.
//!
//! A row that stays for the sake of another message still names those that have moved. Only the newest row of a message
//! counts: an older one would send it a second time, and before its time. What this life moves it remembers; of what
//! earlier lives left, a survey says which rows are the newest ([`super::survey`]).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::dispatch::Place;
use super::pack::{Queued, unpack_outbox};
use super::rate::Window;
use super::survey::Survey;
use crate::program::Rate;
use crate::step::MessageKey;
use crate::store::{OutboxRow, RowRef, Store, StoreError};

/// Messages held in memory per channel; more stay in the store until there is room.
pub(super) const MOST_HELD: usize = 10_000;
/// Messages committed as dispatched whose answer has not been committed.
const MOST_UNDER_WAY: usize = 1_024;
/// After a store that cannot be asked for a share of a rate.
const REFUSED: SignedDuration = SignedDuration::from_millis(500);
/// For each group that is held: the more groups, the smaller their rows.
const ROWS_AT_ONCE: usize = 8;

/// A message and the row that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    /// Symbol of the channel.
    pub channel: u32,
    /// Its outbox row.
    pub row: RowRef,
    pub queued: Queued,
}

pub(super) struct Lane {
    channel: u32,
    pub rate: Option<Rate>,
    window: Window,
    ready: VecDeque<Ticket>,
    /// Not to be tried before, in order.
    waiting: BTreeMap<(i64, u64), Ticket>,
    /// Unresolved messages of each row in memory.
    rows: BTreeMap<RowRef, usize>,
    under_way: usize,
    /// The newest row that memory knows; rows after it are only in the store if `more`.
    read_to: RowRef,
    more: bool,
    serial: u64,
    stopped: bool,
    /// Rows up to here are known, by group: they were read before the reading began anew.
    known: BTreeMap<u16, RowRef>,
    /// Groups that are about to be given back: nothing of theirs is taken any more.
    leaving: BTreeSet<u16>,
    /// Where the rate is shared with other workers.
    shared: Option<Shared>,
    /// Messages in memory, at most.
    most_held: usize,
    /// Where the messages stand that earlier lives left; `None`: all of those have been read.
    survey: Option<Survey>,
    /// Rows by the messages in them that newer rows have replaced: once per message.
    replaced: Vec<RowRef>,
    /// Messages that were decided once more by this batch while rows before it were still to be read.
    renewed: HashMap<MessageKey, u64>,
    /// Under way since before memory began anew, in rows that have not been read since.
    going: HashSet<Place>,
}

/// This worker's part of a rate that is shared.
#[derive(Default)]
struct Shared {
    /// How many may go out of those that were asked for.
    granted: usize,
    /// No more than this, so that all together keep the rate also when one is slow to send what it was granted.
    part: Option<Rate>,
    /// What this worker sent.
    window: Window,
    /// The store refused to count more: it is not asked before this.
    refused: Option<Timestamp>,
}

impl Lane {
    /// `window`: as kept by the last run. `before`: the last batch of earlier lives.
    pub(super) fn new(
        channel: u32,
        rate: Option<Rate>,
        window: Window,
        most_held: usize,
        before: u64,
    ) -> Self {
        Self {
            channel,
            rate,
            window,
            ready: VecDeque::new(),
            waiting: BTreeMap::new(),
            rows: BTreeMap::new(),
            under_way: 0,
            read_to: RowRef::default(),
            more: true,
            serial: 0,
            stopped: false,
            known: BTreeMap::new(),
            leaving: BTreeSet::new(),
            shared: None,
            most_held: most_held.max(2),
            survey: Some(Survey::new(before, most_held)),
            replaced: Vec::new(),
            renewed: HashMap::new(),
            going: HashSet::new(),
        }
    }

    /// Goes on where another has been: these are under way, and besides them some of groups that were lost.
    pub(super) fn resume(&mut self, going: HashSet<Place>, strays: usize) {
        self.under_way = going.len() + strays;
        self.going = going;
    }

    /// Reads rows from the store while there is room. Returns rows that cannot be read, with the reason.
    pub(super) async fn fill(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Vec<(OutboxRow, String)>, StoreError> {
        let mut damaged = Vec::new();
        let at_once = (ROWS_AT_ONCE * store.lease().groups.len().max(1)).min(self.most_held);
        while self.more && self.held() < self.most_held / 2 {
            if let Some(survey) = &mut self.survey {
                survey.look(store, self.channel, self.read_to).await?;
            }
            let rows = store.outbox(self.channel, self.read_to, at_once).await?;
            self.more = rows.len() == at_once;
            damaged.extend(self.read(rows, now));
        }
        if !self.more {
            self.survey = None;
            self.renewed.clear();
        }
        Ok(damaged)
    }

    /// Takes rows into memory, of each message the newest, as far as they have been surveyed; returns those that cannot
    /// be read.
    fn read(&mut self, rows: Vec<OutboxRow>, now: Timestamp) -> Vec<(OutboxRow, String)> {
        let mut damaged = Vec::new();
        for row in rows {
            if let Some(survey) = self.survey.as_ref().filter(|survey| !survey.covers(row.at)) {
                (self.more, self.read_to) = (true, self.read_to.max(survey.covered()));
                break;
            }
            self.read_to = row.at;
            let group = row.at.group;
            if self.leaving.contains(&group) || self.known.get(&group).is_some_and(|known| row.at <= *known) {
                continue;
            }
            let list = match unpack_outbox(&row.body) {
                Ok(list) => list,
                Err(reason) => {
                    damaged.push((row, reason));
                    continue;
                }
            };
            for queued in list {
                if self.going.remove(&(row.at, queued.message.clone())) {
                    *self.rows.entry(row.at).or_default() += 1;
                } else if self.is_newest(row.at, &queued.message) {
                    self.hold(row.at, queued, now);
                } else {
                    *self.rows.entry(row.at).or_default() += 1;
                    self.replaced.push(row.at);
                }
            }
        }
        damaged
    }

    fn is_newest(&self, row: RowRef, message: &MessageKey) -> bool {
        self.survey.as_ref().is_none_or(|survey| survey.is_newest(row, message))
            && self.renewed.get(message).is_none_or(|batch| *batch <= row.batch)
    }

    /// These were held back or had failed, and are in a row of this batch now. A row that an earlier life left may still name
    /// them, for the sake of others: whoever read it would send them twice.
    pub(super) fn renew(&mut self, messages: HashSet<MessageKey>, batch: u64) {
        if messages.is_empty() {
            return;
        }
        let Self { ready, waiting, replaced, .. } = self;
        let mut keeps = |ticket: &Ticket| {
            let is_old = messages.contains(&ticket.queued.message);
            replaced.extend(is_old.then_some(ticket.row));
            !is_old
        };
        ready.retain(&mut keeps);
        waiting.retain(|_, ticket| keeps(ticket));
        if self.more {
            self.renewed.extend(messages.into_iter().map(|message| (message, batch)));
        }
    }

    /// What came of a message is committed with this batch. If its row is still to be read, it does not count there any more.
    pub(super) fn arrived(&mut self, row: RowRef, message: &MessageKey, batch: u64) {
        if !self.going.is_empty() && self.going.remove(&(row, message.clone())) {
            self.renewed.insert(message.clone(), batch);
        }
    }

    /// The rows that go because newer ones hold all that was left in them.
    pub(super) fn outdated(&mut self) -> Vec<RowRef> {
        let replaced = std::mem::take(&mut self.replaced);
        replaced.into_iter().filter(|row| self.resolve(*row)).collect()
    }

    /// The rows of a batch that is being committed: kept in memory if there is room, left to the store if not. The
    /// rows in `under_way`, each once per message, have messages that are already going out.
    pub(super) fn committed(&mut self, list: Vec<(RowRef, Queued)>, under_way: &[RowRef], now: Timestamp) {
        let list: Vec<(RowRef, Queued)> =
            list.into_iter().filter(|(row, _)| !self.leaving.contains(&row.group)).collect();
        if under_way.is_empty() && (self.more || self.held() + list.len() > self.most_held) {
            self.more = true;
            return;
        }
        for &row in under_way {
            self.read_to = self.read_to.max(row);
            *self.rows.entry(row).or_default() += 1;
        }
        for (row, queued) in list {
            self.read_to = self.read_to.max(row);
            self.hold(row, queued, now);
        }
    }

    /// Whether a message decided just now may go out at once: nothing is before it and the rate has room. If so, it
    /// counts as under way.
    pub(super) fn admit(&mut self, group: u16, now: Timestamp) -> bool {
        let free = !self.more && self.ready.is_empty() && self.under_way < MOST_UNDER_WAY;
        let free = free && !self.leaving.contains(&group);
        let admitted = free && self.room(now) > 0;
        if admitted {
            self.begin(1, now);
        }
        admitted
    }

    /// The next messages to go out, which count as under way from now on.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<Ticket> {
        self.wake(now);
        let count = self.ready.len().min(self.room(now)).min(MOST_UNDER_WAY.saturating_sub(self.under_way));
        self.begin(count, now);
        self.ready.drain(..count).collect()
    }

    /// These groups are ours now, and read from their first row. `before`: the last batch that anybody else wrote to them.
    pub(super) fn gain(&mut self, gained: &BTreeSet<u16>, before: u64) {
        let read_to = self.read_to;
        let held: BTreeSet<u16> =
            self.known.keys().copied().chain(self.rows.keys().map(|row| row.group)).collect();
        for group in held {
            let known = self.known.entry(group).or_default();
            *known = read_to.max(*known);
        }
        self.known.retain(|group, _| !gained.contains(group));
        self.read_to = RowRef::default();
        self.more = true;
        self.survey = Some(Survey::new(before, self.most_held));
    }

    /// Nothing of these groups goes out any more; what is under way is waited for.
    pub(super) fn leave(&mut self, groups: &BTreeSet<u16>) {
        self.leaving.extend(groups);
        self.ready.retain(|ticket| !groups.contains(&ticket.row.group));
        self.waiting.retain(|_, ticket| !groups.contains(&ticket.row.group));
    }

    /// These groups belong to others now.
    pub(super) fn lose(&mut self, groups: &BTreeSet<u16>) {
        self.leave(groups);
        self.rows.retain(|row, _| !groups.contains(&row.group));
        self.replaced.retain(|row| !groups.contains(&row.group));
        self.known.retain(|group, _| !groups.contains(group));
        self.going.retain(|(row, _)| !groups.contains(&row.group));
        self.leaving.retain(|group| !groups.contains(group));
    }

    /// The rate is shared among so many workers.
    pub(super) fn share(&mut self, workers: usize) {
        let shared = self.shared.get_or_insert_default();
        shared.part = self.rate.map(|rate| rate.part(workers));
    }

    /// How many to ask for, where the rate is shared.
    pub(super) fn wanted(&mut self, now: Timestamp) -> u32 {
        self.wake(now);
        let free = MOST_UNDER_WAY.saturating_sub(self.under_way);
        let Some(Shared { part: Some(part), window, refused, .. }) = &mut self.shared else { return 0 };
        if refused.is_some_and(|until| now < until) {
            return 0;
        }
        *refused = None;
        let wanted = u32::try_from(self.ready.len().min(free)).unwrap_or(u32::MAX);
        if self.stopped { 0 } else { wanted.min(window.room(*part, now)) }
    }

    /// The window as all workers know it, with those that may go out here and now.
    pub(super) fn grant(&mut self, window: Window, granted: u32) {
        self.window = window;
        if let Some(shared) = &mut self.shared {
            shared.granted = granted as usize;
        }
    }

    /// The store could not be asked; after a while it is asked again.
    pub(super) fn refused(&mut self, now: Timestamp) {
        if let Some(shared) = &mut self.shared {
            shared.granted = 0;
            shared.refused = now.checked_add(REFUSED).ok();
        }
    }

    /// A message is not under way any more.
    pub(super) fn settle(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// One message of `row` needs the row no more; true if that was its last.
    pub(super) fn resolve(&mut self, row: RowRef) -> bool {
        let Some(left) = self.rows.get_mut(&row) else { return false };
        *left = left.saturating_sub(1);
        let last = *left == 0;
        if last {
            self.rows.remove(&row);
        }
        last
    }

    /// When [`Lane::take`] may next have something; `None`: not before something else happens.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        if self.stopped || self.under_way >= MOST_UNDER_WAY {
            return None;
        }
        let first = self.waiting.keys().next().and_then(|(at, _)| Timestamp::from_millisecond(*at).ok());
        let first = if self.ready.is_empty() { first? } else { now };
        let room = self.rate.and_then(|rate| self.window.next_room(rate));
        let own = self.shared.as_ref().and_then(|shared| shared.window.next_room(shared.part?));
        let refused = self.shared.as_ref().and_then(|shared| shared.refused);
        Some(room.into_iter().chain(own).chain(refused).fold(first, Timestamp::max))
    }

    pub(super) fn under_way(&self) -> usize {
        self.under_way
    }

    /// Nothing begins to be sent from now on.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
    }

    pub(super) fn wants_rows(&self) -> bool {
        self.more && self.held() < self.most_held / 2
    }

    pub(super) fn outstanding(&self) -> usize {
        self.held() + self.under_way
    }

    /// The dispatches of the current window, for the store; `None` where it is there already.
    pub(super) fn window(&self) -> Option<String> {
        self.rate.filter(|_| self.shared.is_none()).map(|_| self.window.to_text())
    }

    fn held(&self) -> usize {
        self.ready.len() + self.waiting.len()
    }

    fn room(&mut self, now: Timestamp) -> usize {
        if self.stopped {
            return 0;
        }
        match (self.rate, &self.shared) {
            (None, _) => usize::MAX,
            (Some(_), Some(shared)) => shared.granted,
            (Some(rate), None) => self.window.room(rate, now) as usize,
        }
    }

    fn begin(&mut self, count: usize, now: Timestamp) {
        self.under_way += count;
        if self.rate.is_none() || count == 0 {
            return;
        }
        let number = u32::try_from(count).unwrap_or(u32::MAX);
        match &mut self.shared {
            Some(shared) => {
                shared.granted = shared.granted.saturating_sub(count);
                shared.window.take(number, now);
            }
            None => self.window.take(number, now),
        }
    }

    fn hold(&mut self, row: RowRef, queued: Queued, now: Timestamp) {
        *self.rows.entry(row).or_default() += 1;
        let at = queued.not_before;
        let ticket = Ticket { channel: self.channel, row, queued };
        if at > now.as_millisecond() {
            self.serial += 1;
            self.waiting.insert((at, self.serial), ticket);
        } else {
            self.ready.push_back(ticket);
        }
    }

    /// Those whose time has come go behind those that are ready.
    fn wake(&mut self, now: Timestamp) {
        let rest = self.waiting.split_off(&(now.as_millisecond().saturating_add(1), 0));
        self.ready.extend(std::mem::replace(&mut self.waiting, rest).into_values());
    }
}

#[cfg(test)]
mod tests;
