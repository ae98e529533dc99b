//! Who may write what: groups of rows change hands, and only who has one now writes to it. What a worker knows of its
//! sends ends with its tenure.

use std::collections::{BTreeMap, BTreeSet};

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
    /// What each life has, as far as it knows.
    known: BTreeMap<u32, BTreeSet<u16>>,
    /// The last batch of each life.
    written: BTreeMap<u32, u64>,
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

    /// Whether the life may think that it has the row.
    pub(super) fn believes(&self, life: u32, row: &str) -> bool {
        self.known.get(&life).is_none_or(|groups| groups.contains(&group_of(row)))
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
                tenures.known.insert(life, lease.groups.iter().map(|(group, _)| *group).collect());
            }
        }
    }

    /// A worker has settled with the others what it has. Of what it has lost it knows nothing any more, of the rest
    /// everything, also after a commit that was refused.
    pub(crate) fn shared(&mut self, life: u32, (before, after): (&Lease, &Lease), given: &[u16]) {
        for held in after.groups.iter().filter(|held| !before.groups.contains(held)) {
            self.count("group taken");
            self.tenures.hand(held.0, life);
        }
        for (group, _) in before.groups.iter().filter(|held| !after.groups.contains(held)) {
            self.count(if given.contains(group) { "group given back" } else { "group lost" });
        }
        let known = after.groups.iter().map(|(group, _)| *group).collect();
        self.tenures.known.insert(life, known);
    }

    /// A worker was told that it has lost something. What it has written itself it knows, although it was not told so.
    pub(crate) fn fenced(&mut self, life: u32, batch: Option<u64>) {
        let written = batch.is_some_and(|batch| self.tenures.written.get(&life) == Some(&batch));
        if self.tenures.shares && !written {
            self.count("commit refused");
        }
    }

    /// Commits come one after the other, and only from who has the rows.
    pub(super) fn in_order(&mut self, commit: &Commit, life: u32) {
        let batch = commit.batch;
        self.tenures.written.insert(life, batch);
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
