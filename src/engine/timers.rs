//! Timers: which subjects to look at, and when no later than.
//!
//! A subject stands in a packed chunk of its due slot. Chunks are checked lazily: one that fires for a subject with
//! nothing due costs a look. `State::wake_at` says for when a chunk already holds the subject, so that a timer that
//! moves later is not registered again. No table is polled: the earliest due instant is kept in memory.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::pack::{Due, pack_list, unpack_list};
use crate::store::{RowRef, Store, StoreError, TimerChunk};

/// How far ahead (milliseconds) a timer may be to fall into slots of this width: the nearer, the finer.
const SLOTS: [(i64, i64); 4] = [(2_000, 1), (120_000, 50), (7_200_000, 1_000), (172_800_000, 10_000)];
const FAR: i64 = 60_000;
/// Subjects taken per batch; a chunk is never split.
const MOST_SUBJECTS: usize = 5_000;
const MOST_CHUNKS: usize = 1_024;

/// The end of the slot that `due` falls into, seen from `now`: not before `due`, and not before `now`.
pub(super) fn slot(due: Timestamp, now: Timestamp) -> Timestamp {
    let now = now.as_millisecond();
    // Rounded up: a chunk must not fire before its time.
    let exact = due.as_millisecond() + i64::from(due.subsec_nanosecond() % 1_000_000 > 0);
    let ahead = exact.saturating_sub(now);
    let width = SLOTS.iter().find(|(until, _)| ahead < *until).map_or(FAR, |(_, width)| *width);
    let end = exact.saturating_add(width - 1).div_euclid(width) * width;
    Timestamp::from_millisecond(end.max(now)).unwrap_or(Timestamp::MAX)
}

/// Chunks in the making, by slot and group.
#[derive(Default)]
pub(super) struct Chunks(BTreeMap<(Timestamp, u16), Vec<Due>>);

impl Chunks {
    pub(super) fn add(&mut self, slot: Timestamp, group: u16, due: Due) {
        self.0.entry((slot, group)).or_default().push(due);
    }

    pub(super) fn finish(self, batch: u64) -> Result<Vec<TimerChunk>, String> {
        let chunk = |((due, group), list): ((Timestamp, u16), Vec<Due>)| {
            Ok(TimerChunk { due, at: RowRef { batch, group }, body: pack_list(&list)? })
        };
        self.0.into_iter().map(chunk).collect()
    }
}

/// The queue of chunks in the store, as far as memory knows it.
pub(super) struct Timers {
    /// No chunk is due before this; `None`: there is none.
    next: Option<Timestamp>,
    /// Chunks to read at once: grows while they are small.
    limit: usize,
}

/// Chunks that fired.
#[derive(Default)]
pub(super) struct Fired {
    pub subjects: Vec<Due>,
    pub chunks: Vec<(Timestamp, RowRef)>,
    /// Chunks that cannot be read, with the reason.
    pub damaged: Vec<(TimerChunk, String)>,
}

impl Timers {
    pub(super) async fn open(store: &dyn Store) -> Result<Self, StoreError> {
        Ok(Self { next: store.next_due(None).await?, limit: 32 })
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.next
    }

    /// To be told of chunks once they are committed.
    pub(super) fn committed(&mut self, chunks: &[TimerChunk]) {
        let earliest = chunks.iter().map(|chunk| chunk.due).chain(self.next).min();
        self.next = earliest;
    }

    /// The chunks due at `now`, up to a batch full of subjects, earliest first.
    pub(super) async fn fire(&mut self, store: &dyn Store, now: Timestamp) -> Result<Fired, StoreError> {
        let mut fired = Fired::default();
        let Some(next) = self.next.filter(|next| *next <= now) else { return Ok(fired) };
        let found = store.due(next..=now, self.limit).await?;
        let (read, last, mut rest) = (found.len(), found.last().map(|chunk| chunk.due), None);
        for chunk in found {
            if fired.subjects.len() >= MOST_SUBJECTS {
                rest = rest.or(Some(chunk.due));
                continue;
            }
            match unpack_list(&chunk.body) {
                Ok(list) => fired.subjects.extend::<Vec<Due>>(list),
                Err(reason) => fired.damaged.push((chunk.clone(), reason)),
            }
            fired.chunks.push((chunk.due, chunk.at));
        }
        self.next = match (rest, read < self.limit) {
            (Some(due), _) => Some(due),
            // Nothing is unread before the last that was read.
            (None, false) => last,
            (None, true) => store.next_due(Some(now)).await?,
        };
        self.limit = if rest.is_some() { (self.limit / 2).max(1) } else { (self.limit * 2).min(MOST_CHUNKS) };
        Ok(fired)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_slot_ends_soon_after_the_instant_and_never_before(ahead in -10_000_i64..40_000_000_000, nanos in 0_i32..1_000_000) {
            let now = Timestamp::from_millisecond(1_700_000_000_123).unwrap();
            let due = Timestamp::new(1_700_000_000 + ahead / 1_000, nanos).unwrap();
            let end = slot(due, now);
            prop_assert!(end >= due && end >= now);
            prop_assert!(end.as_millisecond() - due.max(now).as_millisecond() <= FAR);
            prop_assert_eq!(end.subsec_nanosecond() % 1_000_000, 0);
        }
    }

    #[test]
    fn nine_oclock_is_nine_oclock() {
        let now: Timestamp = "2026-11-21T09:30:12.5Z".parse().unwrap();
        for due in ["2026-11-22T09:00:00Z", "2027-06-01T09:00:00Z", "2026-11-21T10:00:00Z"] {
            let due = due.parse().unwrap();
            assert_eq!(slot(due, now), due);
        }
    }
}
