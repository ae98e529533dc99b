//! The outbox of one channel, as far as memory holds it.
//!
//! Messages leave in the order of their batches, no faster than the channel's rate, with a bounded number under way.
//! Rows are only ever inserted and deleted: a message to be tried again moves to the row of the batch that says so,
//! and a row goes when its last message is resolved, in that same commit. What a crash leaves is read again.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use super::pack::{Queued, unpack_list};
use super::rate::Window;
use crate::program::Rate;
use crate::store::{OutboxRow, Store, StoreError};

/// Messages held in memory per channel; more stay in the store until there is room.
const MOST_HELD: usize = 10_000;
/// Messages committed as dispatched whose answer has not been committed.
const MOST_UNDER_WAY: usize = 1_024;
const ROWS_AT_ONCE: usize = 8;

/// A message and the row that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    /// Symbol of the channel.
    pub channel: u32,
    /// Batch of its outbox row; `None`: it never needed one.
    pub row: Option<u64>,
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
    rows: BTreeMap<u64, usize>,
    under_way: usize,
    /// The newest row that memory knows; rows after it are only in the store if `more`.
    read_to: u64,
    more: bool,
    serial: u64,
    stopped: bool,
}

impl Lane {
    /// `window`: as kept by the last run.
    pub(super) fn new(channel: u32, rate: Option<Rate>, window: Window) -> Self {
        Self {
            channel,
            rate,
            window,
            ready: VecDeque::new(),
            waiting: BTreeMap::new(),
            rows: BTreeMap::new(),
            under_way: 0,
            read_to: 0,
            more: true,
            serial: 0,
            stopped: false,
        }
    }

    /// Reads rows from the store while there is room. Returns rows that cannot be read, with the reason.
    pub(super) async fn fill(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Vec<(OutboxRow, String)>, StoreError> {
        let mut damaged = Vec::new();
        while self.more && self.held() < MOST_HELD / 2 {
            let rows = store.outbox(self.channel, self.read_to, ROWS_AT_ONCE).await?;
            self.more = rows.len() == ROWS_AT_ONCE;
            for row in rows {
                self.read_to = row.batch;
                match unpack_list(&row.body) {
                    Ok(list) => self.hold(row.batch, list, now),
                    Err(reason) => damaged.push((row, reason)),
                }
            }
        }
        Ok(damaged)
    }

    /// A row that is being committed: kept in memory if there is room, left to the store if not. `under_way` of its
    /// messages are already going out.
    pub(super) fn committed(&mut self, batch: u64, list: &[Queued], under_way: usize, now: Timestamp) {
        if under_way == 0 && (self.more || self.held() + list.len() > MOST_HELD) {
            self.more = true;
            return;
        }
        self.read_to = self.read_to.max(batch);
        *self.rows.entry(batch).or_default() += under_way;
        self.hold(batch, list.to_vec(), now);
    }

    /// Whether a message decided just now may go out at once: nothing is before it and the rate has room. If so, it
    /// counts as under way.
    pub(super) fn admit(&mut self, now: Timestamp) -> bool {
        let free = !self.more && self.ready.is_empty() && self.under_way < MOST_UNDER_WAY;
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

    /// A message is not under way any more.
    pub(super) fn settle(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// One message of `row` needs the row no more; true if that was its last.
    pub(super) fn resolve(&mut self, row: u64) -> bool {
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
        Some(room.map_or(first, |room| room.max(first)))
    }

    pub(super) fn under_way(&self) -> usize {
        self.under_way
    }

    /// Nothing begins to be sent from now on.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
    }

    pub(super) fn wants_rows(&self) -> bool {
        self.more && self.held() < MOST_HELD / 2
    }

    pub(super) fn outstanding(&self) -> usize {
        self.held() + self.under_way
    }

    /// The dispatches of the current window, for the store.
    pub(super) fn window(&self) -> Option<String> {
        self.rate.map(|_| self.window.to_text())
    }

    fn held(&self) -> usize {
        self.ready.len() + self.waiting.len()
    }

    fn room(&mut self, now: Timestamp) -> usize {
        if self.stopped {
            return 0;
        }
        self.rate.map_or(usize::MAX, |rate| self.window.room(rate, now) as usize)
    }

    fn begin(&mut self, count: usize, now: Timestamp) {
        self.under_way += count;
        if self.rate.is_some() && count > 0 {
            self.window.take(u32::try_from(count).unwrap_or(u32::MAX), now);
        }
    }

    fn hold(&mut self, row: u64, list: Vec<Queued>, now: Timestamp) {
        if list.is_empty() {
            return;
        }
        *self.rows.entry(row).or_default() += list.len();
        for queued in list {
            let at = queued.not_before;
            let ticket = Ticket { channel: self.channel, row: Some(row), queued };
            if at > now.as_millisecond() {
                self.serial += 1;
                self.waiting.insert((at, self.serial), ticket);
            } else {
                self.ready.push_back(ticket);
            }
        }
    }

    /// Those whose time has come go behind those that are ready.
    fn wake(&mut self, now: Timestamp) {
        let rest = self.waiting.split_off(&(now.as_millisecond().saturating_add(1), 0));
        self.ready.extend(std::mem::replace(&mut self.waiting, rest).into_values());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::MessageKey;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    fn queued(id: &str, not_before: i64) -> Queued {
        let message = MessageKey {
            journey: "j".into(),
            root: id.into(),
            child: None,
            entry: "e".into(),
            step: "s".into(),
        };
        Queued { kind: 0, id: id.into(), message, attempts: 0, not_before, ambiguous: false }
    }

    fn empty(rate: Option<Rate>) -> Lane {
        Lane { more: false, ..Lane::new(1, rate, Window::default()) }
    }

    fn ids(tickets: &[Ticket]) -> Vec<&str> {
        tickets.iter().map(|ticket| &*ticket.queued.id).collect()
    }

    #[test]
    fn messages_go_in_order_within_the_rate() {
        let mut lane = empty(Some(Rate { count: 2, per_ms: 1_000 }));
        lane.committed(1, &[queued("a", 0), queued("b", 0)], 0, at(0));
        lane.committed(2, &[queued("c", 0)], 0, at(0));
        assert_eq!(ids(&lane.take(at(0))), ["a", "b"]);
        assert_eq!(lane.next(at(0)), Some(at(1_000)));
        assert_eq!(ids(&lane.take(at(999))), [""; 0]);
        assert_eq!(ids(&lane.take(at(1_000))), ["c"]);
        assert_eq!(lane.next(at(1_000)), None);
    }

    #[test]
    fn a_row_goes_with_its_last_message() {
        let mut lane = empty(None);
        lane.committed(7, &[queued("a", 0)], 1, at(0));
        assert!(!lane.resolve(7));
        assert!(lane.resolve(7));
        assert!(!lane.resolve(7));
    }

    #[test]
    fn a_retry_waits_for_its_time() {
        let mut lane = empty(None);
        lane.committed(1, &[queued("later", 500), queued("now", 0)], 0, at(0));
        assert_eq!(ids(&lane.take(at(0))), ["now"]);
        assert_eq!(lane.next(at(0)), Some(at(500)));
        assert_eq!(ids(&lane.take(at(500))), ["later"]);
    }

    #[test]
    fn nobody_jumps_the_queue() {
        let mut lane = empty(None);
        assert!(lane.admit(at(0)));
        lane.committed(1, &[queued("a", 0)], 0, at(0));
        assert!(!lane.admit(at(0)));
        lane.take(at(0));
        assert!(lane.admit(at(0)));
        assert_eq!(lane.outstanding(), 3);
    }

    #[test]
    fn what_memory_cannot_hold_stays_in_the_store() {
        let mut lane = empty(None);
        let many: Vec<Queued> = (0..MOST_HELD).map(|n| queued(&n.to_string(), 0)).collect();
        lane.committed(1, &many, 0, at(0));
        lane.committed(2, &[queued("over", 0)], 0, at(0));
        assert!(!lane.admit(at(0)) && !lane.wants_rows());
        while lane.held() >= MOST_HELD / 2 {
            lane.take(at(0)).iter().for_each(|_| lane.settle());
        }
        assert!(lane.wants_rows());
    }
}
