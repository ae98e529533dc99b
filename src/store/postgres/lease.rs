//! What a worker may write: its groups and their fencing.
//!
//! A lease is a row per group with an owner, an epoch and the number of the last commit that touched the group. Taking
//! a group raises its epoch under the row's lock, so it waits for a commit that is under way, and every later one under
//! the old epoch changes no row and fails. Whether an owner is alive is a row of its own (`share`): it decides when
//! groups may be taken, never whether a commit is good.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{PgConnection, PgPool};

use super::rows::small;
use crate::store::{Commit, Lease, StoreError};

/// Buckets in a group.
pub(super) const SPAN: u16 = 64;

/// The old number is compared too, so a commit can be neither lost nor repeated unnoticed.
const FENCE: &str = "UPDATE lease SET batch = $1
    FROM unnest($2::smallint[], $3::bigint[], $4::bigint[]) AS held (grp, epoch, batch)
    WHERE lease.grp = held.grp AND lease.epoch = held.epoch AND lease.batch = held.batch
        AND ($5::smallint IS NULL OR lease.grp = $5)";
/// A life that another one under the same name has ended writes nothing.
const ALIVE: &str = "SELECT epoch FROM worker WHERE name = $1 AND epoch = $2";
/// Waits for a commit of ours whose connection broke and that the server may still be busy with.
const WRITTEN: &str = "SELECT batch FROM lease WHERE grp = $1 AND epoch = $2 FOR SHARE";

/// The groups that are held, as far as the worker knows.
#[derive(Debug, Default)]
pub(super) struct Hold {
    groups: BTreeMap<u16, Group>,
    /// Number of the last commit.
    last: u64,
    /// Whether the commit after the last may have been written, though it failed.
    doubtful: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub epoch: u64,
    /// As stored.
    pub batch: u64,
}

impl Hold {
    pub(super) fn lease(&self) -> Lease {
        let groups = self.groups.iter().map(|(group, held)| (*group, held.epoch)).collect();
        Lease { span: SPAN, groups, batch: self.last }
    }

    pub(super) fn group(&self, group: u16) -> Option<Group> {
        self.groups.get(&group).copied()
    }

    /// A group that was taken. Numbers go on after its last one.
    pub(super) fn gain(&mut self, (group, taken): (u16, Group)) {
        self.last = self.last.max(taken.batch);
        self.groups.insert(group, taken);
    }

    /// Numbers go on after `batch` at least: what was read up to there in any group lies before what is written now.
    pub(super) fn raise(&mut self, batch: u64) {
        self.last = self.last.max(batch);
    }

    pub(super) fn lose(&mut self, group: u16) {
        self.groups.remove(&group);
    }

    /// Loses all but those groups, with those epochs, and goes on with the numbers that are stored: no commit is under
    /// way, so nothing is in doubt.
    pub(super) fn keep(&mut self, mine: &BTreeMap<u16, Group>) {
        self.groups.retain(|group, held| mine.get(group).is_some_and(|stored| stored.epoch == held.epoch));
        for (group, held) in &mut self.groups {
            held.batch = mine.get(group).map_or(held.batch, |stored| stored.batch);
            self.last = self.last.max(held.batch);
        }
        self.doubtful = false;
    }

    /// The group that every commit touches, whatever it holds; `None` for a worker without any.
    pub(super) fn home(&self) -> Option<u16> {
        self.groups.keys().next().copied()
    }

    /// The groups that a commit touches, in order.
    pub(super) fn touched(&self, commit: &Commit) -> Result<Vec<u16>, StoreError> {
        let mut touched: BTreeSet<u16> = self.home().into_iter().collect();
        touched.extend(commit.states.iter().map(|row| row.key.bucket / SPAN));
        touched.extend(commit.resifted.iter().map(|(key, _)| key.bucket / SPAN));
        touched.extend(commit.log.iter().chain(&commit.trace).map(|row| row.at.group));
        touched.extend(commit.outbox.iter().map(|row| row.at.group));
        touched.extend(commit.outbox_done.iter().map(|(_, at)| at.group));
        touched.extend(commit.timers.iter().map(|chunk| chunk.at.group));
        touched.extend(commit.timers_done.iter().map(|(_, at)| at.group));
        touched.extend(commit.dedup.iter().map(|event| event.group));
        touched.extend(commit.tasks.iter().map(|task| task.group));
        touched.extend(commit.links.iter().map(|link| link.group));
        touched.extend(commit.erased.iter().map(|gone| gone.group));
        touched.extend(commit.entries.iter().map(|entry| entry.group));
        touched.extend(commit.inbox_done.iter().map(|at| at.group));
        match touched.iter().find(|group| !self.groups.contains_key(group)) {
            Some(outside) => Err(StoreError::OutsideLease(outside.saturating_mul(SPAN))),
            None => Ok(touched.into_iter().collect()),
        }
    }

    /// Checks that the touched groups are still ours and as we left them, and counts the commit in them.
    pub(super) async fn fence(
        &self,
        tx: &mut PgConnection,
        batch: u64,
        touched: &[u16],
    ) -> Result<(), StoreError> {
        if batch != self.last.saturating_add(1) {
            return Err(StoreError::Fenced);
        }
        let held: Vec<Group> = touched.iter().filter_map(|group| self.groups.get(group).copied()).collect();
        let groups: Vec<i16> = touched.iter().copied().map(small).collect();
        let epochs: Vec<i64> = held.iter().map(|group| group.epoch.cast_signed()).collect();
        let batches: Vec<i64> = held.iter().map(|group| group.batch.cast_signed()).collect();
        let one = if let [one] = groups.as_slice() { Some(*one) } else { None };
        let query = sqlx::query(FENCE).bind(batch.cast_signed()).bind(&groups).bind(epochs).bind(batches);
        let changed = query.bind(one).execute(tx).await?.rows_affected();
        if changed == touched.len() as u64 { Ok(()) } else { Err(StoreError::Fenced) }
    }

    /// Whether a commit that failed was written all the same.
    pub(super) async fn is_written(&mut self, pool: &PgPool, batch: u64) -> Result<bool, StoreError> {
        if !self.doubtful {
            return Ok(false);
        }
        let Some((group, home)) = self.groups.first_key_value() else {
            // What a worker without groups writes does no harm when it is written again.
            self.doubtful = false;
            return Ok(false);
        };
        let query = sqlx::query_scalar(WRITTEN).bind(small(*group)).bind(home.epoch.cast_signed());
        let stored: Option<i64> = query.fetch_optional(pool).await?;
        match stored.map(i64::cast_unsigned) {
            Some(stored) if stored == batch && batch == self.last.saturating_add(1) => Ok(true),
            Some(stored) if stored == home.batch => {
                self.doubtful = false;
                Ok(false)
            }
            _ => Err(StoreError::Fenced),
        }
    }

    /// From here until [`Hold::advance`] only the server knows what became of the commit.
    pub(super) fn in_doubt(&mut self) {
        self.doubtful = true;
    }

    pub(super) fn advance(&mut self, batch: u64, touched: &[u16]) {
        self.doubtful = false;
        self.last = batch;
        for group in touched {
            if let Some(held) = self.groups.get_mut(group) {
                held.batch = batch;
            }
        }
    }
}

/// Checks that this is the worker's last life, for what concerns no group.
pub(super) async fn check_life(tx: &mut PgConnection, name: &str, epoch: i64) -> Result<(), StoreError> {
    let found: Option<i64> = sqlx::query_scalar(ALIVE).bind(name).bind(epoch).fetch_optional(tx).await?;
    found.map(|_| ()).ok_or(StoreError::Fenced)
}
