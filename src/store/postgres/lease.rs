//! Who may write: a worker's groups, their fencing, and its sign of life.
//!
//! A lease is a row per group with an owner, an epoch and the number of the last commit that touched the group. Taking
//! a group raises its epoch under the row's lock, so it waits for a commit that is under way, and every later one under
//! the old epoch changes no row and fails. Whether an owner is alive is a row of its own: it decides when groups may
//! be taken, never whether a commit is good.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tokio::task::JoinHandle;

use super::rows::small;
use crate::store::{Commit, Lease, StoreError};

/// Buckets in a group.
pub(super) const SPAN: u16 = 64;

/// Signs of life in the time after which a worker is given up.
const BEATS: u32 = 3;
/// How long a worker that closes tries to hand its groups back.
const LONGEST_GOODBYE: Duration = Duration::from_secs(3);

const JOIN: &str = "INSERT INTO worker (name, epoch, until)
    VALUES ($1, 1, now() + $2 * interval '1 second')
    ON CONFLICT (name) DO UPDATE SET epoch = worker.epoch + 1, until = excluded.until RETURNING epoch";
const LOCK: &str = "SELECT grp FROM lease ORDER BY grp FOR UPDATE";
const LIVING: &str = "SELECT worker.name FROM lease JOIN worker ON worker.name = lease.owner
    WHERE worker.name <> $1 AND worker.until > now() ORDER BY worker.name LIMIT 1";
const TAKE: &str = "UPDATE lease SET owner = $1, epoch = epoch + 1 RETURNING grp, epoch, batch";
const BEAT: &str =
    "UPDATE worker SET until = now() + $3 * interval '1 second' WHERE name = $1 AND epoch = $2";
const LEAVE: &str = "DELETE FROM worker WHERE name = $1 AND epoch = $2";
const RETURN: &str = "UPDATE lease SET owner = NULL WHERE owner = $1";
/// The old number is compared too, so a commit can be neither lost nor repeated unnoticed.
const FENCE: &str = "UPDATE lease SET batch = $1
    FROM unnest($2::smallint[], $3::bigint[], $4::bigint[]) AS held (grp, epoch, batch)
    WHERE lease.grp = held.grp AND lease.epoch = held.epoch AND lease.batch = held.batch
        AND ($5::smallint IS NULL OR lease.grp = $5)";
/// Waits for a commit of ours whose connection broke and that the server may still be busy with.
const WRITTEN: &str = "SELECT batch FROM lease WHERE grp = $1 AND epoch = $2 FOR SHARE";

/// Who opens a store for writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Workers that share a store have different names. One that comes back under its name goes on at once; the one
    /// that had it before is fenced.
    pub name: String,
    /// After this long without a sign of life it is given up, and others take its groups.
    pub patience: Duration,
}

impl Worker {
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), patience: Duration::from_secs(10) }
    }
}

/// The groups that are held, as far as the worker knows.
#[derive(Debug)]
pub(super) struct Hold {
    groups: BTreeMap<u16, Group>,
    /// Number of the last commit.
    last: u64,
    /// Whether the commit after the last may have been written, though it failed.
    doubtful: bool,
}

#[derive(Clone, Copy, Debug)]
struct Group {
    epoch: u64,
    /// As stored.
    batch: u64,
}

impl Hold {
    pub(super) fn lease(&self) -> Lease {
        let groups = self.groups.iter().map(|(group, held)| (*group, held.epoch)).collect();
        Lease { span: SPAN, groups, batch: self.last }
    }

    /// The group that every commit touches, whatever it holds.
    pub(super) fn home(&self) -> u16 {
        self.groups.keys().next().copied().unwrap_or_default()
    }

    /// The groups that a commit touches, in order.
    pub(super) fn touched(&self, commit: &Commit) -> Result<Vec<u16>, StoreError> {
        let mut touched = BTreeSet::from([self.home()]);
        touched.extend(commit.states.iter().map(|row| row.key.bucket / SPAN));
        touched.extend(commit.log.iter().chain(&commit.trace).map(|row| row.at.group));
        touched.extend(commit.outbox.iter().map(|row| row.at.group));
        touched.extend(commit.outbox_done.iter().map(|(_, at)| at.group));
        touched.extend(commit.timers.iter().map(|chunk| chunk.at.group));
        touched.extend(commit.timers_done.iter().map(|(_, at)| at.group));
        touched.extend(commit.dedup.iter().map(|event| event.group));
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
        let Some(home) = self.groups.get(&self.home()) else { return Err(StoreError::Fenced) };
        let query = sqlx::query_scalar(WRITTEN).bind(small(self.home())).bind(home.epoch.cast_signed());
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

    /// Checks that the worker still holds its groups, for what is written outside of a batch.
    pub(super) async fn check(&self, tx: &mut PgConnection) -> Result<(), StoreError> {
        let Some(home) = self.groups.get(&self.home()) else { return Err(StoreError::Fenced) };
        let query = sqlx::query_scalar(WRITTEN).bind(small(self.home())).bind(home.epoch.cast_signed());
        let stored: Option<i64> = query.fetch_optional(tx).await?;
        stored.map(|_| ()).ok_or(StoreError::Fenced)
    }
}

/// A worker's life: signs of it are given until this is dropped.
pub(super) struct Life {
    worker: Worker,
    epoch: i64,
    beating: JoinHandle<()>,
}

impl Life {
    /// Takes all groups.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while another worker that is alive holds any.
    pub(super) async fn begin(pool: &PgPool, worker: &Worker) -> Result<(Self, Hold), StoreError> {
        let mut tx = pool.begin().await?;
        let query = sqlx::query_scalar(JOIN).bind(&worker.name).bind(worker.patience.as_secs_f64());
        let epoch: i64 = query.fetch_one(&mut *tx).await?;
        sqlx::query(LOCK).execute(&mut *tx).await?;
        let living: Option<String> =
            sqlx::query_scalar(LIVING).bind(&worker.name).fetch_optional(&mut *tx).await?;
        if let Some(living) = living {
            return Err(StoreError::InUse(living));
        }
        let taken: Vec<(i16, i64, i64)> = sqlx::query_as(TAKE).bind(&worker.name).fetch_all(&mut *tx).await?;
        tx.commit().await?;
        let group = |(group, epoch, batch): (i16, i64, i64)| {
            (group.cast_unsigned(), Group { epoch: epoch.cast_unsigned(), batch: batch.cast_unsigned() })
        };
        let groups: BTreeMap<u16, Group> = taken.into_iter().map(group).collect();
        let last = groups.values().map(|group| group.batch).max().unwrap_or_default();
        let beating = tokio::spawn(beat(pool.clone(), worker.clone(), epoch));
        Ok((Self { worker: worker.clone(), epoch, beating }, Hold { groups, last, doubtful: false }))
    }

    /// Hands the groups back, so that nobody has to wait. Another life under the same name is left alone.
    pub(super) async fn end(&self, pool: &PgPool) {
        self.beating.abort();
        match tokio::time::timeout(LONGEST_GOODBYE, self.leave(pool)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the groups could not be handed back"),
            Err(_) => tracing::warn!("the groups could not be handed back in time"),
        }
    }

    async fn leave(&self, pool: &PgPool) -> Result<(), StoreError> {
        let mut tx = pool.begin().await?;
        let left = sqlx::query(LEAVE).bind(&self.worker.name).bind(self.epoch).execute(&mut *tx).await?;
        if left.rows_affected() == 1 {
            sqlx::query(RETURN).bind(&self.worker.name).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.beating.abort();
    }
}

/// Gives signs of life until another life has begun under the same name.
async fn beat(pool: PgPool, worker: Worker, epoch: i64) {
    let mut beats = tokio::time::interval(worker.patience / BEATS);
    beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        let query = sqlx::query(BEAT).bind(&worker.name).bind(epoch).bind(worker.patience.as_secs_f64());
        match query.execute(&pool).await {
            Ok(done) if done.rows_affected() == 0 => return,
            Ok(_) => {}
            Err(error) => tracing::warn!(error = %StoreError::from(error), "no sign of life could be given"),
        }
    }
}
