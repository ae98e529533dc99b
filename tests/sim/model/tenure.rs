//! Who may write what: groups of rows change hands, and only who has one now writes to it. What a worker knows of its
//! sends ends with its tenure.

use std::collections::{BTreeMap, BTreeSet};

use wayfare::step::MessageKey;
use wayfare::step::state::MessageStatus;
use wayfare::store::{Commit, Lease};

use super::Model;
use crate::sim::lease::{GROUPS, group_of, touched};

#[derive(Default)]
pub(super) struct Tenures {
    /// The life that has each group.
    owner: [u32; GROUPS as usize],
    /// Number of the last commit to each group, and of any where one owner has them all.
    batch: [u64; GROUPS as usize],
    last: u64,
    /// What a life knows of a group is of this tenure.
    of: BTreeMap<(u32, u16), u64>,
    serial: u64,
    /// Sends of which a life has lost sight, and which may leave all the same.
    abandoned: BTreeSet<(u32, MessageKey)>,
    /// Several workers share the store.
    pub shares: bool,
}

impl Tenures {
    fn hand(&mut self, group: u16, life: u32) {
        self.owner[usize::from(group)] = life;
        self.begin(group, life);
    }

    fn begin(&mut self, group: u16, life: u32) {
        self.serial += 1;
        self.of.insert((life, group), self.serial);
    }

    /// Whose row it is, and since when.
    pub(super) fn now(&self, row: &str) -> u64 {
        let group = group_of(row);
        let owner = self.owner[usize::from(group)];
        self.of.get(&(owner, group)).copied().unwrap_or_default()
    }

    /// The tenure of this life at a row, and whether it has the row.
    pub(super) fn held(&self, life: u32, row: &str) -> (u64, bool) {
        let group = group_of(row);
        let tenure = self.of.get(&(life, group)).copied().unwrap_or_default();
        (tenure, self.owner[usize::from(group)] == life)
    }

    pub(super) fn is_abandoned(&self, life: u32, key: &MessageKey) -> bool {
        !self.abandoned.is_empty() && self.abandoned.contains(&(life, key.clone()))
    }
}

impl Model {
    /// A daemon has started; `lease`: what it has, where several share.
    pub(crate) fn born(&mut self, life: u32, lease: Option<&Lease>) {
        let tenures = &mut self.tenures;
        match lease {
            None => (0..GROUPS).for_each(|group| tenures.hand(group, life)),
            Some(lease) => {
                tenures.shares = true;
                lease.groups.iter().for_each(|(group, _)| tenures.hand(*group, life));
            }
        }
    }

    /// A worker has settled with the others what it has.
    pub(crate) fn shared(&mut self, life: u32, (before, after): (&Lease, &Lease), given: &[u16]) {
        for held in after.groups.iter().filter(|held| !before.groups.contains(held)) {
            self.count("group taken");
            self.tenures.hand(held.0, life);
        }
        let lost = before.groups.iter().filter(|held| !after.groups.contains(held));
        let (given_back, taken): (Vec<_>, Vec<_>) = lost.partition(|(group, _)| given.contains(group));
        given_back.iter().for_each(|_| self.count("group given back"));
        let busy = given_back.iter().any(|(group, _)| self.is_sending(life, *group));
        if !taken.is_empty() || busy {
            taken.iter().for_each(|_| self.count("group lost"));
            self.forgets(life);
        }
    }

    /// A worker was told that it has lost something.
    pub(crate) fn fenced(&mut self, life: u32) {
        if self.tenures.shares {
            self.count("commit refused");
            self.forgets(life);
        }
    }

    fn is_sending(&self, life: u32, group: u16) -> bool {
        let tenure = self.tenures.of.get(&(life, group));
        let open = |(own, attempt): &(u64, super::Attempt)| Some(own) == tenure && attempt.answer.is_none();
        self.attempts.values().any(|attempts| attempts.iter().any(open))
    }

    /// It throws away what it knows; what it has handed to channels leaves.
    fn forgets(&mut self, life: u32) {
        (0..GROUPS).for_each(|group| self.tenures.begin(group, life));
        for (id, customer) in &self.customers {
            for message in &customer.state.messages {
                if message.status == MessageStatus::Dispatching {
                    let key = self.key_of(id, message);
                    self.tenures.abandoned.insert((life, key));
                }
            }
        }
    }

    /// Commits come one after the other, and only from who has the rows.
    pub(super) fn in_order(&mut self, commit: &Commit, life: u32) {
        let batch = commit.batch;
        if !self.tenures.shares {
            let last = std::mem::replace(&mut self.tenures.last, batch);
            self.expect(batch == last + 1, || format!("batch {batch} follows {last}"));
            return;
        }
        for group in touched(commit) {
            let last = std::mem::replace(&mut self.tenures.batch[usize::from(group)], batch);
            self.expect(batch > last, || format!("batch {batch} of group {group} follows {last}"));
            let owner = self.tenures.owner[usize::from(group)];
            self.expect(owner == life, || {
                format!("batch {batch} of life {life} follows in group {group}, which life {owner} has")
            });
        }
    }
}
