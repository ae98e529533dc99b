//! Sharing the groups among the workers that are alive: a sign of life each, and as many groups each as there are for
//! everybody.
//!
//! Everyone works out the same shares from the same rows, so nobody is asked. A worker that has too many gives back
//! when nothing of theirs is under way; one that has too few takes what belongs to nobody, or to somebody who is given
//! up. Each group changes hands in a statement of its own, compared with what was seen: a race is lost, not won twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sqlx::{PgPool, Postgres, Transaction};
use tokio::task::JoinHandle;

use super::lease::{Group, Hold};
use super::rows::small;
use crate::store::{Share, StoreError};

/// Signs of life in a worker's patience. Also how often groups are settled.
const BEATS: u32 = 10;
/// How much of its patience passes without a sign of life before a worker is given up: what is left is for the others
/// to notice.
const GIVEN_UP: f64 = 0.7;
/// How much of its patience a worker that was cut off waits for signs of others, since it was, or the server came up:
/// whoever is alive gives one each second, and asks for a connection twice as often.
const HEARD: f64 = 0.5;
/// How long a worker that closes tries to hand its groups back.
const LONGEST_GOODBYE: Duration = Duration::from_secs(3);

const JOIN: &str = "INSERT INTO worker (name, epoch, until)
    VALUES ($1, 1, now() + $2 * interval '1 second')
    ON CONFLICT (name) DO UPDATE
    SET epoch = worker.epoch + 1, until = excluded.until, since = '-infinity' RETURNING epoch";
/// Who was silent for too long begins to count anew: it may have been cut off, and the others not.
const BEAT: &str = "UPDATE worker SET until = now() + $3 * interval '1 second',
        since = CASE WHEN until < now() THEN now() ELSE since END
    WHERE name = $1 AND epoch = $2";
const LEAVE: &str = "DELETE FROM worker WHERE name = $1 AND epoch = $2";
/// Of a server that has just come up nobody has been able to give a sign of life.
const WORKERS: &str = "SELECT name, epoch, until >= now(),
        greatest(since, pg_postmaster_start_time()) <= now() - $1 * interval '1 second'
    FROM worker ORDER BY name";
const OWNERS: &str = "SELECT grp, epoch, batch, owner FROM lease ORDER BY grp";
const AGAIN: &str = "UPDATE lease SET epoch = epoch + 1 WHERE owner = $1 RETURNING grp, epoch, batch";
const TAKE: &str = "UPDATE lease SET owner = $1, epoch = epoch + 1
    WHERE grp = $2 AND epoch = $3 AND owner IS NOT DISTINCT FROM $4 RETURNING grp, epoch, batch";
const RETURN: &str = "UPDATE lease SET owner = NULL WHERE grp = $2 AND epoch = $3 AND owner = $1";

/// Who opens a store for writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Workers that share a store have different names. One that comes back under its name goes on at once; the one
    /// that had it before is fenced.
    pub name: String,
    /// After this long without a sign of life others have taken its groups.
    pub patience: Duration,
}

impl Worker {
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), patience: Duration::from_secs(10) }
    }

    /// Between two signs of life.
    pub(super) fn beat(&self) -> Duration {
        self.patience / BEATS
    }

    fn heard(&self) -> f64 {
        self.patience.as_secs_f64() * HEARD
    }

    fn until(&self) -> f64 {
        self.patience.as_secs_f64() * GIVEN_UP
    }
}

/// A worker's life: signs of it are given until this is dropped.
pub(super) struct Life {
    pub worker: Worker,
    pub epoch: i64,
    beating: JoinHandle<()>,
}

impl Life {
    /// Goes on with the groups that an earlier life of this name held, and takes what is free.
    pub(super) async fn begin(pool: &PgPool, worker: &Worker) -> Result<(Self, Hold), StoreError> {
        let mut tx = pool.begin().await?;
        let query = sqlx::query_scalar(JOIN).bind(&worker.name).bind(worker.until());
        let epoch: i64 = query.fetch_one(&mut *tx).await?;
        let mut hold = Hold::default();
        for row in sqlx::query_as(AGAIN).bind(&worker.name).fetch_all(&mut *tx).await? {
            hold.gain(taken(row));
        }
        let plan = look(&mut tx, worker, epoch, false).await?;
        for free in &plan.take {
            if let Some(row) = take(&mut tx, worker, free).await? {
                hold.gain(row);
            }
        }
        hold.raise(plan.latest);
        tx.commit().await?;
        let beating = tokio::spawn(beat(pool.clone(), worker.clone(), epoch));
        Ok((Self { worker: worker.clone(), epoch, beating }, hold))
    }

    /// Gives back `given`, drops what was lost, takes what is free, up to a fair share.
    pub(super) async fn share(
        &self,
        pool: &PgPool,
        hold: &mut Hold,
        given: &[u16],
        alone: bool,
    ) -> Result<Share, StoreError> {
        for group in given {
            let Some(held) = hold.group(*group) else { continue };
            let query = sqlx::query(RETURN).bind(&self.worker.name).bind(small(*group));
            query.bind(held.epoch.cast_signed()).execute(pool).await?;
            hold.lose(*group);
        }
        let mut tx = pool.begin().await?;
        let plan = look(&mut tx, &self.worker, self.epoch, alone).await?;
        tx.commit().await?;
        hold.keep(&plan.mine);
        for free in &plan.take {
            let mut tx = pool.begin().await?;
            let row = take(&mut tx, &self.worker, free).await?;
            tx.commit().await?;
            if let Some(row) = row {
                hold.gain(row);
                hold.raise(plan.latest);
            }
        }
        Ok(Share { lease: hold.lease(), surplus: plan.surplus, workers: plan.workers })
    }

    /// As others read it in what this life leaves for them.
    pub(super) fn sender(&self) -> String {
        format!("{}/{}", self.worker.name, self.epoch)
    }

    /// Hands the groups back, so that nobody has to wait. Another life under the same name is left alone.
    pub(super) async fn end(&self, pool: &PgPool, hold: &Hold) {
        self.beating.abort();
        match tokio::time::timeout(LONGEST_GOODBYE, self.leave(pool, hold)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the groups could not be handed back"),
            Err(_) => tracing::warn!("the groups could not be handed back in time"),
        }
    }

    async fn leave(&self, pool: &PgPool, hold: &Hold) -> Result<(), StoreError> {
        for (group, epoch) in hold.lease().groups {
            let query = sqlx::query(RETURN).bind(&self.worker.name).bind(small(group));
            query.bind(epoch.cast_signed()).execute(pool).await?;
        }
        sqlx::query(LEAVE).bind(&self.worker.name).bind(self.epoch).execute(pool).await?;
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
    let mut beats = tokio::time::interval(worker.beat());
    beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        let query = sqlx::query(BEAT).bind(&worker.name).bind(epoch).bind(worker.until());
        match query.execute(&pool).await {
            Ok(done) if done.rows_affected() == 0 => return,
            Ok(_) => {}
            Err(error) => tracing::warn!(error = %StoreError::from(error), "no sign of life could be given"),
        }
    }
}

/// A group as the server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owned {
    group: u16,
    lease: Group,
    owner: Option<String>,
}

/// What follows from who lives and who owns what.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    mine: BTreeMap<u16, Group>,
    take: Vec<Owned>,
    surplus: Vec<u16>,
    workers: usize,
    /// The greatest number of a commit to any group.
    latest: u64,
}

/// What is to be done; an error where another life has begun under this name.
async fn look(
    tx: &mut Transaction<'static, Postgres>,
    worker: &Worker,
    epoch: i64,
    alone: bool,
) -> Result<Plan, StoreError> {
    let query = sqlx::query_as(WORKERS).bind(worker.heard());
    let workers: Vec<(String, i64, bool, bool)> = query.fetch_all(&mut **tx).await?;
    let own = workers.iter().find(|(name, life, ..)| *name == worker.name && *life == epoch);
    let Some((.., may_give_up)) = own else { return Err(StoreError::Fenced) };
    // This one is alive, whatever its last sign says.
    let living = workers.iter().filter(|(name, _, alive, _)| *alive || *name == worker.name);
    let living: BTreeSet<&str> = living.map(|(name, ..)| &**name).collect();
    let sharers = living.iter().copied().take(if alone { 1 } else { living.len() }).collect();
    let silent = workers.iter().filter(|_| !may_give_up).map(|(name, ..)| &**name).collect();
    let owners: Vec<(i16, i64, i64, Option<String>)> = sqlx::query_as(OWNERS).fetch_all(&mut **tx).await?;
    let owned = |(group, epoch, batch, owner)| {
        let (group, lease) = taken((group, epoch, batch));
        Owned { group, lease, owner }
    };
    let who = Who { me: &worker.name, living, sharers, spared: silent };
    Ok(plan(&who, owners.into_iter().map(owned).collect()))
}

struct Who<'a> {
    me: &'a str,
    living: BTreeSet<&'a str>,
    /// Those of the living who are to hold groups.
    sharers: BTreeSet<&'a str>,
    /// Who keeps what it has, alive or not.
    spared: BTreeSet<&'a str>,
}

fn plan(who: &Who<'_>, mut groups: Vec<Owned>) -> Plan {
    let Who { me, living, sharers, spared } = who;
    let place = sharers.iter().position(|name| name == me);
    let share = place
        .map_or(0, |place| groups.len() / sharers.len() + usize::from(place < groups.len() % sharers.len()));
    let is_mine = |owned: &Owned| owned.owner.as_deref() == Some(*me);
    let is_free = |owned: &Owned| {
        let owner = owned.owner.as_deref();
        owner.is_none_or(|owner| !living.contains(owner) && !spared.contains(owner))
    };
    let mine: BTreeMap<u16, Group> =
        groups.iter().filter(|owned| is_mine(owned)).map(|owned| (owned.group, owned.lease)).collect();
    let surplus = mine.keys().skip(share).copied().collect();
    let missing = share.saturating_sub(mine.len());
    let latest = groups.iter().map(|owned| owned.lease.batch).max().unwrap_or_default();
    // Everybody begins elsewhere, so that two do not reach for the same.
    let begin = place.unwrap_or_default() * groups.len() / sharers.len().max(1);
    let begin = begin.min(groups.len());
    groups.rotate_left(begin);
    let take = groups.into_iter().filter(is_free).take(missing).collect();
    Plan { mine, take, surplus, workers: living.len(), latest }
}

async fn take(
    tx: &mut Transaction<'static, Postgres>,
    worker: &Worker,
    free: &Owned,
) -> Result<Option<(u16, Group)>, StoreError> {
    let query = sqlx::query_as(TAKE).bind(&worker.name).bind(small(free.group));
    let query = query.bind(free.lease.epoch.cast_signed()).bind(&free.owner);
    Ok(query.fetch_optional(&mut **tx).await?.map(taken))
}

fn taken((group, epoch, batch): (i16, i64, i64)) -> (u16, Group) {
    (group.cast_unsigned(), Group { epoch: epoch.cast_unsigned(), batch: batch.cast_unsigned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(owners: &[Option<&str>]) -> Vec<Owned> {
        let group = |(group, owner): (u16, Option<&str>)| Owned {
            group,
            lease: Group { epoch: 1, batch: 7 },
            owner: owner.map(str::to_owned),
        };
        (0..).zip(owners.iter().copied()).map(group).collect()
    }

    fn take_of(plan: &Plan) -> Vec<u16> {
        plan.take.iter().map(|owned| owned.group).collect()
    }

    /// Nobody is spared, and all share.
    fn who<'a>(me: &'a str, living: &[&'a str]) -> Who<'a> {
        let living: BTreeSet<&str> = living.iter().copied().collect();
        Who { me, sharers: living.clone(), living, spared: BTreeSet::new() }
    }

    #[test]
    fn shares_are_even_and_add_up() {
        for workers in 1..=9 {
            let names: Vec<String> = (0..workers).map(|n| format!("w{n}")).collect();
            let living: Vec<&str> = names.iter().map(String::as_str).collect();
            let shares: Vec<usize> =
                living.iter().map(|me| plan(&who(me, &living), owned(&[None; 64])).take.len()).collect();
            assert_eq!(shares.iter().sum::<usize>(), 64);
            assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1, "{shares:?}");
        }
    }

    #[test]
    fn a_newcomer_gets_what_the_others_give_back() {
        let all_of_a = owned(&[Some("a"); 5]);
        let of_a = plan(&who("a", &["a", "b"]), all_of_a.clone());
        assert_eq!((of_a.surplus, of_a.take, of_a.mine.len(), of_a.workers), (vec![3, 4], vec![], 5, 2));
        assert_eq!(take_of(&plan(&who("b", &["a", "b"]), all_of_a)), [0_u16; 0]);
        let given_back = owned(&[Some("a"), Some("a"), Some("a"), None, None]);
        assert_eq!(take_of(&plan(&who("b", &["a", "b"]), given_back)), [3, 4]);
        // Two do not reach for the same.
        let nobodys = || owned(&[None; 5]);
        assert_eq!(take_of(&plan(&who("a", &["a", "b"]), nobodys())), [0, 1, 2]);
        assert_eq!(take_of(&plan(&who("b", &["a", "b"]), nobodys())), [2, 3]);
    }

    #[test]
    fn who_is_given_up_is_taken_over_and_who_may_only_seem_dead_is_not() {
        let groups = || owned(&[Some("a"), Some("dead"), None]);
        assert_eq!(take_of(&plan(&who("a", &["a"]), groups())), [1, 2]);
        let spared = BTreeSet::from(["a", "dead"]);
        assert_eq!(take_of(&plan(&Who { spared, ..who("a", &["a"]) }, groups())), [2]);
    }

    #[test]
    fn one_holds_all_where_that_is_asked_for() {
        let alone = |me| Who { sharers: BTreeSet::from(["a"]), ..who(me, &["a", "b"]) };
        let groups = || owned(&[Some("b"), None, Some("b")]);
        assert_eq!(take_of(&plan(&alone("a"), groups())), [1], "`b` is alive, and gives them back");
        let of_b = plan(&alone("b"), groups());
        assert_eq!((of_b.surplus, of_b.take, of_b.workers), (vec![0, 2], vec![], 2));
    }
}
