//! Sweeps: every state of a kind once, in the order of its keys, a page per batch.
//!
//! Two sorts: a tick per occurrence of a journey's schedule, and one `Settle` after a deployment. Where a sweep
//! stands is kept for each group of buckets and committed with each page, so it goes on after a crash, and with another
//! owner; only states that change are written. After a downtime each journey gets its latest missed occurrence, and
//! only that one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::expr::civil::{next_occurrence, previous_occurrence};
use crate::name::Name;
use crate::program::{Bundle, Enter, Program, Schedule};
use crate::step::{Input, Sym, World, facets};
use crate::store::{Lease, RowKey, Sift, Sifted, StateRow, Store, StoreError, bucket};

const PAGE: usize = 1_000;
/// Rows that a database looks at for one page: a rare audience must not keep a batch waiting.
const LOOK: usize = 20_000;

/// Where a sweep stands in a group, as kept in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    /// What is swept, or was last: the millisecond of an occurrence, or the number that stands for a deployment.
    at: i64,
    running: bool,
    /// Bucket and id of the last state that was looked at.
    after: Option<(u16, String)>,
}

#[derive(Debug)]
enum Sort {
    Settle,
    Tick { journey: Name, schedule: Schedule },
}

#[derive(Debug)]
struct Sweep {
    root: Name,
    sort: Sort,
    groups: BTreeMap<u16, Stand>,
}

/// A sweep of one group.
#[derive(Debug)]
struct Stand {
    progress: Progress,
    /// When it begins; `None`: it runs, or never again.
    next: Option<Timestamp>,
}

/// The sweeps of the groups that are held.
pub(super) struct Sweeps {
    by_name: BTreeMap<String, Sweep>,
    lease: Lease,
}

/// States to look at, all with the same input.
pub(super) struct Page {
    pub root: Name,
    pub input: Input,
    /// With their facets as stored.
    pub rows: Vec<(StateRow, Option<facets::Mark>)>,
    /// Where the sweep stands once this is committed.
    pub meta: Vec<(String, String)>,
}

impl Sweeps {
    /// The sweeps of a world. A schedule that is new counts from `now`.
    pub(super) async fn open(store: &dyn Store, world: &World, now: Timestamp) -> Result<Self, StoreError> {
        let lease = store.lease();
        let sorts = sorts(&world.bundle);
        let kept = kept(store, &sorts, &lease).await?;
        let (mut by_name, mut new) = (BTreeMap::new(), Vec::new());
        for (name, root, sort) in sorts {
            let mut sweep = Sweep { root, sort, groups: BTreeMap::new() };
            for (group, _) in &lease.groups {
                let own = place(&lease, &name, *group);
                let found = kept.get(&own).or_else(|| kept.get(&name));
                let found = found.and_then(|text| serde_json::from_str(text).ok());
                let progress =
                    sweep.open(world, found, now, |begun| new.push((own.clone(), begun.to_text())));
                let next = sweep.after_this(&progress, world);
                sweep.groups.insert(*group, Stand { progress, next });
            }
            by_name.insert(name, sweep);
        }
        if !new.is_empty() {
            store.set_meta(&new).await?;
        }
        Ok(Self { by_name, lease })
    }

    /// When there is next something to sweep.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let stands = self.by_name.values().flat_map(|sweep| sweep.groups.values());
        stands.filter_map(|stand| if stand.progress.running { Some(now) } else { stand.next }).min()
    }

    /// The next page of the first sweep that runs or is due.
    pub(super) async fn page(
        &mut self,
        store: &dyn Store,
        world: &World,
        now: Timestamp,
    ) -> Result<Option<Page>, StoreError> {
        for (name, sweep) in &mut self.by_name {
            sweep.begin(world, now);
            if let Some(group) = sweep.running() {
                return sweep.page(name, group, &self.lease, store, world).await.map(Some);
            }
        }
        Ok(None)
    }
}

impl Sweep {
    /// Where it stands in a group, from what was kept of it. `begun`: is told where a schedule begins that is new.
    fn open(
        &self,
        world: &World,
        found: Option<Progress>,
        now: Timestamp,
        begun: impl FnOnce(&Progress),
    ) -> Progress {
        match (&self.sort, found) {
            // Every state is settled once under each deployment.
            (Sort::Settle, Some(found)) if found.at == number(world) => found,
            (Sort::Settle, _) => Progress { at: number(world), running: true, after: None },
            (Sort::Tick { .. }, Some(found)) => found,
            (Sort::Tick { .. }, None) => {
                let progress = Progress { at: now.as_millisecond(), running: false, after: None };
                begun(&progress);
                progress
            }
        }
    }

    fn begin(&mut self, world: &World, now: Timestamp) {
        let Sort::Tick { schedule, .. } = &self.sort else { return };
        let mut due = self.groups.values_mut().filter(|stand| stand.next.is_some_and(|next| next <= now));
        let Some(first) = due.next() else { return };
        let latest = previous_occurrence(schedule, now, &world.zone, calendar(world, schedule));
        for stand in std::iter::once(first).chain(due) {
            let at = latest.or(stand.next).unwrap_or(now);
            stand.progress = Progress { at: at.as_millisecond(), running: true, after: None };
            stand.next = None;
        }
    }

    /// The first group in which it runs.
    fn running(&self) -> Option<u16> {
        self.groups.iter().find(|(_, stand)| stand.progress.running).map(|(group, _)| *group)
    }

    /// A page that begins in `group`, and goes on into the groups behind it that are at their beginning.
    async fn page(
        &mut self,
        name: &str,
        group: u16,
        lease: &Lease,
        store: &dyn Store,
        world: &World,
    ) -> Result<Page, StoreError> {
        let kind = world.symbols.sym(self.root).map_or(u32::MAX, |Sym(kind)| kind);
        let at = self.groups.get(&group).map_or(0, |stand| stand.progress.at);
        let after = self.groups.get(&group).and_then(|stand| stand.progress.after.clone());
        // No id is empty.
        let (bucket, id) = after.unwrap_or_else(|| (group.saturating_mul(lease.span), String::new()));
        let after = RowKey { bucket, kind, id: id.as_str().into() };
        let sift = Sift { kind, sieve: self.sieve(world), look: LOOK, most: PAGE };
        let Sifted { mut rows, next } = store.sift(sift, Some(&after)).await?;
        let mut last = group;
        while self.goes_on(last + 1, at) {
            last += 1;
        }
        rows.retain(|(row, _)| lease.group(row.key.bucket) <= last);
        // The group that was looked at in part.
        let stopped = next.as_ref().map(|key| lease.group(key.bucket));
        let mut meta = Vec::new();
        for group in group..=last {
            if stopped.is_some_and(|stopped| stopped < group) {
                break;
            }
            let after = next.as_ref().filter(|_| stopped == Some(group));
            let after = after.map(|key| (key.bucket, key.id.to_string()));
            let progress = Progress { at, running: after.is_some(), after };
            let next = self.after_this(&progress, world);
            meta.push((place(lease, name, group), progress.to_text()));
            self.groups.insert(group, Stand { progress, next });
        }
        Ok(Page { root: self.root, input: self.input(at), rows, meta })
    }

    /// Whether the same sweep is to begin in `group`.
    fn goes_on(&self, group: u16, at: i64) -> bool {
        let stand = self.groups.get(&group);
        stand.is_some_and(|Stand { progress, .. }| {
            progress.running && progress.at == at && progress.after.is_none()
        })
    }

    /// Only a look of a clock leaves rows out.
    fn sieve(&self, world: &World) -> Option<facets::Sieve> {
        match &self.sort {
            Sort::Settle => None,
            Sort::Tick { journey, .. } => facets::sieve(world, *journey),
        }
    }

    fn input(&self, at: i64) -> Input {
        match &self.sort {
            Sort::Settle => Input::Settle,
            Sort::Tick { journey, .. } => Input::Tick { journey: *journey, at: instant(at) },
        }
    }

    fn after_this(&self, progress: &Progress, world: &World) -> Option<Timestamp> {
        match &self.sort {
            _ if progress.running => None,
            Sort::Settle => None,
            Sort::Tick { schedule, .. } => {
                next_occurrence(schedule, instant(progress.at), &world.zone, calendar(world, schedule))
            }
        }
    }
}

impl Progress {
    fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What is kept of the sweeps of the groups that are held, by name.
async fn kept(
    store: &dyn Store,
    sorts: &[(String, Name, Sort)],
    lease: &Lease,
) -> Result<HashMap<String, String>, StoreError> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    for (name, ..) in sorts {
        // From before there were groups.
        names.insert(name.clone());
        names.extend(lease.groups.iter().map(|(group, _)| place(lease, name, *group)));
    }
    let names: Vec<String> = names.into_iter().collect();
    Ok(store.metas(&names).await?.into_iter().collect())
}

/// Under which name something is kept of a group, such as where a sweep stands.
pub(super) fn place(lease: &Lease, name: &str, group: u16) -> String {
    if lease.span == bucket::COUNT { name.to_owned() } else { format!("{name}@{group}") }
}

/// Stands for a deployment: another one has another.
fn number(world: &World) -> i64 {
    let hash = &world.bundle.hash;
    let halves = [bucket::murmur2(hash.as_bytes()), bucket::murmur2(format!("{hash}.").as_bytes())];
    halves.iter().fold(0_i64, |number, half| (number << 31) | i64::from(half >> 1))
}

/// Meta name, root and sort of everything that a bundle sweeps.
fn sorts(bundle: &Bundle) -> Vec<(String, Name, Sort)> {
    let settle = roots(bundle).into_iter().map(|root| (settle_name(root), root, Sort::Settle));
    let ticks = bundle.programs.iter().filter_map(|(journey, program)| {
        let schedule = schedule(&program.body)?.clone();
        let sort = Sort::Tick { journey: *journey, schedule };
        Some((format!("sweep.tick.{journey}"), program.body.root, sort))
    });
    settle.chain(ticks).collect()
}

fn roots(bundle: &Bundle) -> BTreeSet<Name> {
    bundle.programs.values().map(|program| program.body.root).collect()
}

/// The schedule that is the same for everybody; those that hang on an attribute are timers of each subject.
fn schedule(program: &Program) -> Option<&Schedule> {
    let schedule = match &program.enter {
        Enter::When { schedule, .. } => schedule.as_ref()?,
        Enter::Every { schedule, .. } => schedule,
        _ => return None,
    };
    schedule.attribute().is_none().then_some(schedule)
}

fn calendar<'a>(world: &'a World, schedule: &Schedule) -> Option<&'a crate::expr::civil::Calendar> {
    world.bundle.calendars.get(&schedule.calendar?)
}

fn settle_name(root: Name) -> String {
    format!("sweep.settle.{root}")
}

fn instant(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}
