//! Who holds which groups of the simulated store, as PostgreSQL keeps it: signs of life, epochs, numbers of commits.

use std::collections::{BTreeMap, BTreeSet};

use wayfare::store::{Commit, Lease, Share, StoreError, bucket};

/// Groups of buckets.
pub(crate) const GROUPS: u16 = 8;
/// Buckets in a group.
pub(crate) const SPAN: u16 = bucket::COUNT / GROUPS;
/// In milliseconds of the server's clock: after this long without a sign of life a worker is given up.
const GIVEN_UP: u64 = 7_000;
/// How long a worker that was cut off waits for signs of others.
const HEARD: u64 = 5_000;

#[derive(Clone, Debug)]
struct Sign {
    epoch: u64,
    until: u64,
    since: u64,
}

#[derive(Clone, Debug, Default)]
struct Owned {
    owner: Option<String>,
    epoch: u64,
    batch: u64,
}

/// The two tables.
pub(crate) struct Leases {
    /// Of the server, in milliseconds.
    clock: u64,
    workers: BTreeMap<String, Sign>,
    groups: Vec<Owned>,
    /// Says nothing of groups that others have: a flaw.
    lax: bool,
}

/// A life of a worker, and what it holds as far as it knows.
#[derive(Clone, Debug)]
pub(crate) struct Hold {
    pub name: String,
    epoch: u64,
    /// Epoch, and number of the last commit.
    groups: BTreeMap<u16, (u64, u64)>,
    last: u64,
}

impl Default for Leases {
    fn default() -> Self {
        Self::new(false)
    }
}

impl Hold {
    pub(crate) fn lease(&self) -> Lease {
        let groups = self.groups.iter().map(|(group, (epoch, _))| (*group, *epoch)).collect();
        Lease { span: SPAN, groups, batch: self.last }
    }

    pub(crate) fn holds(&self, group: u16) -> bool {
        self.groups.contains_key(&group)
    }

    pub(crate) fn sender(&self) -> String {
        format!("{}/{}", self.name, self.epoch)
    }
}

/// The groups that a commit says something of.
pub(crate) fn touched(commit: &Commit) -> BTreeSet<u16> {
    let mut touched: BTreeSet<u16> = commit.states.iter().map(|row| row.key.bucket / SPAN).collect();
    touched.extend(commit.resifted.iter().map(|(key, _)| key.bucket / SPAN));
    touched.extend(commit.log.iter().chain(&commit.trace).map(|row| row.at.group));
    touched.extend(commit.outbox.iter().map(|row| row.at.group));
    touched.extend(commit.outbox_done.iter().map(|(_, at)| at.group));
    touched.extend(commit.timers.iter().map(|chunk| chunk.at.group));
    touched.extend(commit.timers_done.iter().map(|(_, at)| at.group));
    touched.extend(commit.dedup.iter().map(|event| event.group));
    touched.extend(commit.inbox_done.iter().map(|at| at.group));
    touched
}

impl Leases {
    pub(crate) fn new(lax: bool) -> Self {
        let groups = (0..GROUPS).map(|_| Owned::default()).collect();
        Self { clock: 10_000, workers: BTreeMap::new(), groups, lax }
    }

    /// A life begins: it goes on with what its name held, and takes what is free.
    pub(crate) fn join(&mut self, name: &str) -> Hold {
        let epoch = self.workers.get(name).map_or(1, |sign| sign.epoch + 1);
        let sign = Sign { epoch, until: self.clock + GIVEN_UP, since: 0 };
        self.workers.insert(name.to_owned(), sign);
        let mut hold = Hold { name: name.to_owned(), epoch, groups: BTreeMap::new(), last: 0 };
        for (group, owned) in (0..).zip(&mut self.groups) {
            if owned.owner.as_deref() == Some(name) {
                owned.epoch += 1;
                hold.groups.insert(group, (owned.epoch, owned.batch));
            }
        }
        self.take(&mut hold, false);
        hold.last = self.latest();
        hold
    }

    fn latest(&self) -> u64 {
        self.groups.iter().map(|owned| owned.batch).max().unwrap_or_default()
    }

    /// Time passes for the server.
    pub(crate) fn pass(&mut self, ms: u64) {
        self.clock += ms;
    }

    /// A sign of life.
    pub(crate) fn beat(&mut self, hold: &Hold) {
        let clock = self.clock;
        if let Some(sign) = self.workers.get_mut(&hold.name).filter(|sign| sign.epoch == hold.epoch) {
            if sign.until < clock {
                sign.since = clock;
            }
            sign.until = clock + GIVEN_UP;
        }
    }

    /// Whether the life that signs so may still write: what it has taken is its own as long as its groups are.
    pub(crate) fn is_alive(&self, sender: &str) -> bool {
        let Some((name, epoch)) = sender.split_once('/') else { return false };
        self.workers.get(name).is_some_and(|sign| sign.epoch.to_string() == epoch)
    }

    /// # Errors
    /// Another life has begun under this name.
    pub(crate) fn check_life(&self, hold: &Hold) -> Result<(), StoreError> {
        let alive = self.workers.get(&hold.name).is_some_and(|sign| sign.epoch == hold.epoch);
        if alive || self.lax { Ok(()) } else { Err(StoreError::Fenced) }
    }

    /// Takes what is free, up to a fair share; returns what is too much, and how many share.
    fn take(&mut self, hold: &mut Hold, alone: bool) -> (Vec<u16>, usize) {
        let me = hold.name.clone();
        let clock = self.clock;
        let living: BTreeSet<String> = (self.workers.iter())
            .filter(|(name, sign)| **name == me || sign.until >= clock)
            .map(|(name, _)| name.clone())
            .collect();
        let may_give_up = self.workers.get(&me).is_some_and(|sign| sign.since + HEARD <= clock);
        let sharers: Vec<&String> = living.iter().take(if alone { 1 } else { living.len() }).collect();
        let place = sharers.iter().position(|name| **name == me);
        let (all, many) = (usize::from(GROUPS), sharers.len());
        let share = place.map_or(0, |place| all / many + usize::from(place < all % many));
        let surplus = hold.groups.keys().copied().skip(share).collect();
        let begin = place.unwrap_or_default() * all / many;
        for step in 0..all {
            if hold.groups.len() >= share {
                break;
            }
            let group = (begin + step) % all;
            let owned = &mut self.groups[group];
            let free = owned.owner.as_ref().is_none_or(|owner| {
                !living.contains(owner) && (may_give_up || !self.workers.contains_key(owner))
            });
            if free {
                owned.owner = Some(me.clone());
                owned.epoch += 1;
                hold.groups.insert(u16::try_from(group).unwrap(), (owned.epoch, owned.batch));
            }
        }
        (surplus, living.len())
    }

    /// Gives back, drops what was lost, takes what is free.
    ///
    /// # Errors
    /// Another life has begun under this name.
    pub(crate) fn share(&mut self, hold: &mut Hold, given: &[u16], alone: bool) -> Result<Share, StoreError> {
        for group in given {
            self.give_back(hold, *group);
        }
        self.check_life(hold)?;
        let groups = &self.groups;
        hold.groups.retain(|group, (epoch, _)| {
            let owned = &groups[usize::from(*group)];
            owned.epoch == *epoch && owned.owner.as_ref() == Some(&hold.name)
        });
        for (group, (_, batch)) in &mut hold.groups {
            *batch = groups[usize::from(*group)].batch;
            hold.last = hold.last.max(*batch);
        }
        let before = hold.groups.len();
        let (surplus, workers) = self.take(hold, alone);
        if hold.groups.len() > before {
            hold.last = hold.last.max(self.latest());
        }
        Ok(Share { lease: hold.lease(), surplus, workers })
    }

    fn give_back(&mut self, hold: &mut Hold, group: u16) {
        let Some((epoch, _)) = hold.groups.remove(&group) else { return };
        let owned = &mut self.groups[usize::from(group)];
        if owned.epoch == epoch && owned.owner.as_ref() == Some(&hold.name) {
            owned.owner = None;
        }
    }

    /// Everything is given back.
    pub(crate) fn leave(&mut self, hold: &mut Hold) {
        for group in hold.groups.keys().copied().collect::<Vec<_>>() {
            self.give_back(hold, group);
        }
        if self.check_life(hold).is_ok() {
            self.workers.remove(&hold.name);
        }
    }

    /// Whether the touched groups are still this life's, and as it left them.
    ///
    /// # Errors
    /// They are not.
    pub(crate) fn fence(&self, hold: &Hold, commit: &Commit) -> Result<BTreeSet<u16>, StoreError> {
        let mut touched = touched(commit);
        if let Some(outside) = touched.iter().find(|group| !hold.holds(**group)) {
            return Err(StoreError::OutsideLease(outside * SPAN));
        }
        touched.extend(hold.groups.keys().next());
        if self.lax {
            return Ok(touched);
        }
        if touched.is_empty() {
            return self.check_life(hold).map(|()| touched);
        }
        let kept = touched.iter().all(|group| {
            let owned = &self.groups[usize::from(*group)];
            hold.groups.get(group) == Some(&(owned.epoch, owned.batch))
                && owned.owner.as_ref() == Some(&hold.name)
        });
        if kept && commit.batch == hold.last + 1 { Ok(touched) } else { Err(StoreError::Fenced) }
    }

    /// Counts a commit.
    pub(crate) fn advance(&mut self, hold: &mut Hold, batch: u64, touched: &BTreeSet<u16>) {
        hold.last = batch;
        for group in touched {
            self.groups[usize::from(*group)].batch = batch;
            if let Some((_, last)) = hold.groups.get_mut(group) {
                *last = batch;
            }
        }
    }

    /// Whether each group is held by one of those, which know it.
    pub(crate) fn are_settled(&self, holds: &[Lease]) -> bool {
        (0..).zip(&self.groups).all(|(group, owned)| {
            holds.iter().any(|lease| lease.groups.contains(&(group, owned.epoch))) && owned.owner.is_some()
        })
    }
}

/// The group of a row of the simulated bank: those of groups of people begin with a `g`.
pub(crate) fn group_of(id: &str) -> u16 {
    bucket::of(if id.starts_with('g') { "group" } else { "customer" }, id) / SPAN
}
