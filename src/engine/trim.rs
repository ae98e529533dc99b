//! Records go when nobody can need them: the log and trace of batches, the identities of events, tasks
//! that were closed, short names of links.
//!
//! Kept is what `keep_days` says, and always what live journeys need: an event that is sent again is known again for as
//! long as a journey may last and events may be late; the log for as long as a condition looks back. Without the
//! setting nothing of these goes. Looked at once an hour; then a few rows at a time between batches, until none is old.
//!
//! Keys of what was on its way from row to row go two days after their first use, and with them whatever copies there
//! are of those rows.

use jiff::{SignedDuration, Timestamp};

use super::start::Upkeep;
use crate::step::World;
use crate::step::features::{Back, looks_back};
use crate::store::{Store, StoreError, Trim};

const PAUSE: SignedDuration = SignedDuration::from_hours(1);
/// Rows of a kind and group at once.
const MOST: usize = 100;
const KEYS_DAYS: i64 = 2;
const DAY_MS: i64 = 86_400_000;

#[derive(Default)]
pub(super) struct Trims {
    upkeep: Upkeep,
    next: Option<Timestamp>,
    /// The next look at keys.
    keys: Option<Timestamp>,
}

impl Trims {
    pub(super) fn new(upkeep: Upkeep, now: Timestamp) -> Self {
        Self { upkeep, next: upkeep.keep_days.map(|_| now), keys: now.checked_add(PAUSE).ok() }
    }

    /// When there is next something to look for.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.next.into_iter().chain(self.keys).min()
    }

    /// Deletes some of what is old, if it is time.
    pub(super) async fn go(
        &mut self,
        store: &dyn Store,
        world: &World,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if self.keys.is_some_and(|at| at <= now) {
            self.keys = now.checked_add(PAUSE).ok();
            store.forget_keys(now.as_millisecond().saturating_sub(KEYS_DAYS * DAY_MS)).await?;
        }
        let (Some(days), true) = (self.upkeep.keep_days, self.next.is_some_and(|next| next <= now)) else {
            return Ok(());
        };
        let days = i64::from(days).max(needed_days(world, now));
        let before = now.as_millisecond().saturating_sub(days.saturating_mul(DAY_MS));
        let slot = i32::try_from(before.div_euclid(DAY_MS)).unwrap_or(i32::MIN);
        // Sooner than anything else: a failure is tried again at the next look.
        self.next = now.checked_add(PAUSE).ok();
        let went = store.trim(Trim { before, slot, most: MOST }).await?;
        let rows = went.log + went.trace + went.dedup + went.tasks + went.links;
        if rows > 0 {
            tracing::debug!(went.log, went.trace, went.dedup, went.tasks, went.links, "old records went");
            let rows = usize::try_from(rows).unwrap_or(usize::MAX);
            self.next = self.upkeep.after(rows, now).or(Some(now));
        }
        Ok(())
    }
}

/// How many days back something that is live may still need a record.
fn needed_days(world: &World, now: Timestamp) -> i64 {
    let late = world.bundle.schema.events.values().map(|event| event.late_ms).max().unwrap_or_default();
    let programs = || world.programs.values().map(|program| &program.body);
    let lasts = programs().filter_map(|program| program.lasts).map(crate::value::Length::at_most_ms).max();
    let lasts = lasts.unwrap_or_default().saturating_add(late) / DAY_MS + 1;
    let today = now.to_zoned(world.zone.clone()).date();
    let windows = programs().flat_map(|program| &program.features).filter_map(|feature| {
        match looks_back(&feature.aggregate, today) {
            Back::Days(days) => Some(i64::from(days) + 1),
            Back::Instance | Back::Ever => None,
        }
    });
    lasts.max(windows.max().unwrap_or_default())
}
