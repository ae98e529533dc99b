//! Sweeps: every state of a kind once, in the order of its keys, a page per batch.
//!
//! Two sorts: a tick per occurrence of a journey's schedule, and one `Settle` after a deployment. Where a sweep
//! stands is committed with each page, so it goes on after a crash; only states that change are written. After a
//! downtime each journey gets its latest missed occurrence, and only that one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::expr::civil::{next_occurrence, previous_occurrence};
use crate::name::Name;
use crate::program::{Bundle, Enter, Program, Schedule};
use crate::step::{Input, Sym, World};
use crate::store::{RowKey, StateRow, Store, StoreError};

const PAGE: usize = 1_000;

/// Where a sweep stands, as kept in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    /// Millisecond of the occurrence that is swept, or was last.
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
    progress: Progress,
    /// When it begins; `None`: it runs, or never again.
    next: Option<Timestamp>,
}

pub(super) struct Sweeps(BTreeMap<String, Sweep>);

/// States to look at, all with the same input.
pub(super) struct Page {
    pub root: Name,
    pub input: Input,
    pub rows: Vec<StateRow>,
    /// Where the sweep stands once this is committed.
    pub meta: (String, String),
}

impl Sweeps {
    /// The sweeps of a world. A schedule that is new counts from `now`.
    pub(super) async fn open(store: &dyn Store, world: &World, now: Timestamp) -> Result<Self, StoreError> {
        let mut sweeps = BTreeMap::new();
        let mut new = Vec::new();
        for (name, root, sort) in sorts(&world.bundle) {
            let found = store.meta(&name).await?.and_then(|text| serde_json::from_str(&text).ok());
            let progress = found.unwrap_or_else(|| {
                let begun = Progress { at: now.as_millisecond(), running: false, after: None };
                new.push((name.clone(), begun.to_text()));
                begun
            });
            let mut sweep = Sweep { root, sort, progress, next: None };
            sweep.next = sweep.after_this(world);
            sweeps.insert(name, sweep);
        }
        if !new.is_empty() {
            store.set_meta(&new).await?;
        }
        Ok(Self(sweeps))
    }

    /// When there is next something to sweep.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        self.0.values().filter_map(|sweep| if sweep.progress.running { Some(now) } else { sweep.next }).min()
    }

    /// The next page of the first sweep that runs or is due.
    pub(super) async fn page(
        &mut self,
        store: &dyn Store,
        world: &World,
        now: Timestamp,
    ) -> Result<Option<Page>, StoreError> {
        for (name, sweep) in &mut self.0 {
            sweep.begin(world, now);
            if sweep.progress.running {
                return sweep.page(name, store, world).await.map(Some);
            }
        }
        Ok(None)
    }
}

/// What a deployment makes due: every state is settled once under it.
pub(super) fn after_deployment(bundle: &Bundle) -> Vec<(String, String)> {
    let begin = Progress { at: 0, running: true, after: None };
    roots(bundle).into_iter().map(|root| (settle_name(root), begin.to_text())).collect()
}

impl Sweep {
    fn begin(&mut self, world: &World, now: Timestamp) {
        if self.next.is_none_or(|next| next > now) {
            return;
        }
        let Sort::Tick { schedule, .. } = &self.sort else { return };
        let latest = previous_occurrence(schedule, now, &world.zone, calendar(world, schedule));
        let at = latest.or(self.next).unwrap_or(now);
        self.progress = Progress { at: at.as_millisecond(), running: true, after: None };
        self.next = None;
    }

    async fn page(&mut self, name: &str, store: &dyn Store, world: &World) -> Result<Page, StoreError> {
        let kind = world.symbols.sym(self.root).map_or(u32::MAX, |Sym(kind)| kind);
        let after = self.progress.after.as_ref();
        let after = after.map(|(bucket, id)| RowKey { bucket: *bucket, kind, id: id.as_str().into() });
        let rows = store.scan(kind, after.as_ref(), PAGE).await?;
        if let Some(last) = rows.last() {
            self.progress.after = Some((last.key.bucket, last.key.id.to_string()));
        }
        let input = self.input();
        if rows.len() < PAGE {
            self.progress.running = false;
            self.progress.after = None;
            self.next = self.after_this(world);
        }
        Ok(Page { root: self.root, input, rows, meta: (name.to_owned(), self.progress.to_text()) })
    }

    fn input(&self) -> Input {
        match &self.sort {
            Sort::Settle => Input::Settle,
            Sort::Tick { journey, .. } => Input::Tick { journey: *journey, at: instant(self.progress.at) },
        }
    }

    fn after_this(&self, world: &World) -> Option<Timestamp> {
        match &self.sort {
            _ if self.progress.running => None,
            Sort::Settle => None,
            Sort::Tick { schedule, .. } => {
                next_occurrence(schedule, instant(self.progress.at), &world.zone, calendar(world, schedule))
            }
        }
    }
}

impl Progress {
    fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
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
