//! Filling in history: a deployment that asks what states do not keep waits until the log has been replayed.
//!
//! Until then the journeys that ask are live as they were before, and new ones not at all; everything else of the
//! deployment is live at once. The log is read a page per batch, and where that stands is committed with what came of
//! it, so it goes on after a crash. Live events are in the log too: a last page that finds nothing behind it makes a
//! batch of its own, and behind that the deployment goes live as it is. Of several workers one does it, and holds all
//! groups until then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::handle::EngineError;
use super::pack;
use super::start::Upkeep;
use crate::name::Name;
use crate::program::Bundle;
use crate::step::horizon::{self, Short};
use crate::step::{World, replay};
use crate::store::{LOG_FROM, Packed, PackedKind, RowRef, Store, StoreError};

/// Under these names in the store.
const FILLS: &str = "fills";
const TARGET: &str = "fills.bundle";

/// Rows of the log read at once, and entries after which a page ends.
const ROWS: usize = 64;
const ENTRIES: usize = 2_000;

/// What is kept in the store.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// Fills that came to their end; each state takes over from them when it is next read.
    done: BTreeSet<u64>,
    current: Option<Current>,
    /// Conditions that were asked when the log, or all that tells of them, did not reach back to the beginning: from
    /// which millisecond on their past is known.
    #[serde(default)]
    since: BTreeMap<Name, i64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Current {
    /// The batch at which it began.
    id: u64,
    /// Hash of the deployment that waits.
    target: Arc<str>,
    wanted: BTreeSet<Name>,
    journeys: BTreeSet<Name>,
    /// The millisecond from which on the log was whole; `None`: from the beginning.
    log_from: Option<i64>,
    after: (u64, u16),
    complete: bool,
}

/// What a batch needs to replay.
pub(super) struct Replaying {
    pub id: u64,
    pub whole: bool,
    pub world: World,
}

/// How far a fill is, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filling {
    /// Hash of the deployment that waits for it.
    pub bundle: Arc<str>,
    /// The journeys that are not live as deployed yet.
    pub journeys: Vec<Name>,
    /// The instant from which on the log is whole, where rows of it have been deleted: conditions that look further back
    /// begin there.
    pub log_from: Option<Timestamp>,
    /// Batches of the log that are through, of how many.
    pub done: u64,
    pub of: u64,
}

/// Rows of the log to replay.
pub(super) struct Page {
    pub rows: Vec<Arc<Packed>>,
    /// Nothing is behind it.
    pub last: bool,
    /// Where the fill stands once this is committed.
    pub meta: (String, String),
}

#[derive(Default)]
pub(super) struct Fills {
    kept: Kept,
    running: Option<(Bundle, Replaying)>,
    next: Option<Timestamp>,
    upkeep: Upkeep,
}

/// What a deployment becomes.
pub(super) struct Plan {
    pub live: Bundle,
    /// What goes live later, where that is not all of it.
    pub target: Option<Bundle>,
    /// What the store keeps of it.
    pub meta: Vec<(String, String)>,
}

impl Fills {
    pub(super) async fn open(
        store: &dyn Store,
        world: &mut World,
        upkeep: Upkeep,
    ) -> Result<Self, EngineError> {
        let kept: Kept = read(store, FILLS).await?.unwrap_or_default();
        let mut fills = Self { kept, running: None, next: None, upkeep };
        if let (Some(current), Some(target)) = (&fills.kept.current, read(store, TARGET).await?) {
            let world = replay::world(world, &target, &current.wanted);
            fills.running =
                Some((target, Replaying { id: current.id, whole: current.log_from.is_none(), world }));
        }
        fills.mark(world);
        Ok(fills)
    }

    /// What `bundle` has to wait for, but for what is `filled` in. A fill that is under way ends here. `batch`: the last
    /// that was committed, with the time.
    pub(super) async fn plan(
        &self,
        store: &dyn Store,
        old: &World,
        bundle: Bundle,
        filled: &BTreeSet<Name>,
        (batch, now): (u64, Timestamp),
    ) -> Result<Plan, EngineError> {
        let wanted = &replay::missing(old, &bundle) - filled;
        let log = store.packed_after(PackedKind::Log, RowRef::default(), 1).await?;
        let log_from: Option<i64> = store.meta(LOG_FROM).await?.and_then(|text| text.parse().ok());
        let mut since = self.kept.since.clone();
        if !log.is_empty() {
            for name in replay::untold(old, &bundle) {
                since.entry(name).or_insert(now.as_millisecond());
            }
        }
        if let Some(from) = log_from {
            since.extend(wanted.iter().map(|name| (*name, from)));
        }
        if wanted.is_empty() || log.is_empty() {
            let kept = Kept { current: None, since, ..self.kept.clone() };
            return Ok(Plan {
                live: bundle,
                target: None,
                meta: vec![text(FILLS, &kept)?, text(TARGET, &())?],
            });
        }
        let current = Current {
            // Two that begin at one batch are told apart.
            id: self.newest().map_or(batch, |newest| batch.max(newest + 1)),
            target: Arc::clone(&bundle.hash),
            journeys: replay::asking(&bundle, &wanted),
            log_from,
            after: (0, 0),
            complete: false,
            wanted,
        };
        let live = replay::hold(&bundle, &old.bundle, &current.wanted);
        let kept = Kept { current: Some(current), since, ..self.kept.clone() };
        let meta = vec![text(FILLS, &kept)?, text(TARGET, &bundle)?];
        Ok(Plan { live, target: Some(bundle), meta })
    }

    fn newest(&self) -> Option<u64> {
        self.kept.current.iter().map(|current| current.id).chain(self.kept.done.last().copied()).max()
    }

    /// Whether this deployment is waiting already.
    pub(super) fn awaits(&self, bundle: &Bundle) -> bool {
        self.kept.current.as_ref().is_some_and(|current| current.target == bundle.hash)
    }

    /// Whether one is under way.
    pub(super) fn is_open(&self) -> bool {
        self.kept.current.is_some()
    }

    /// When there is next something to replay.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let is_open = self.kept.current.as_ref().is_some_and(|current| !current.complete);
        is_open.then(|| self.next.unwrap_or(now))
    }

    pub(super) fn replaying(&self) -> Option<&Replaying> {
        self.running.as_ref().map(|(_, replaying)| replaying)
    }

    /// The next page of the log, if one is due.
    pub(super) async fn page(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Option<Page>, EngineError> {
        if self.next(now).is_none_or(|next| next > now) {
            return Ok(None);
        }
        let Some(current) = &mut self.kept.current else { return Ok(None) };
        let after = RowRef { batch: current.after.0, group: current.after.1 };
        let found = store.packed_after(PackedKind::Log, after, ROWS).await?;
        let count = found.len();
        let (mut rows, mut entries) = (Vec::new(), 0);
        for row in found {
            current.after = (row.at.batch, row.at.group);
            entries += pack::entries(&row).len();
            rows.push(Arc::new(row));
            if entries >= ENTRIES {
                break;
            }
        }
        let last = rows.len() == count && count < ROWS;
        current.complete = last;
        if last {
            self.kept.done.insert(current.id);
        }
        self.next = self.upkeep.after(entries, now);
        Ok(Some(Page { rows, last, meta: text(FILLS, &self.kept)? }))
    }

    /// The deployment that need not wait any more, and what was filled in for it.
    pub(super) fn ripe(&self) -> Option<(Bundle, BTreeSet<Name>)> {
        let current = self.kept.current.as_ref().filter(|current| current.complete)?;
        let (target, _) = self.running.as_ref()?;
        Some((target.clone(), current.wanted.clone()))
    }

    /// For people; `batch`: the last that was committed.
    pub(super) fn progress(&self, batch: u64) -> Option<Filling> {
        let current = self.kept.current.as_ref()?;
        Some(Filling {
            bundle: Arc::clone(&current.target),
            journeys: current.journeys.iter().copied().collect(),
            log_from: current.log_from.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
            done: current.after.0.min(batch),
            of: batch,
        })
    }

    /// Tells a world which fills there are.
    pub(super) fn mark(&self, world: &mut World) {
        world.filled = Arc::new(self.kept.done.clone());
        world.filling =
            self.kept.current.as_ref().filter(|current| !current.complete).map(|current| current.id);
        let since = self.kept.since.iter();
        let since = since.filter_map(|(name, ms)| Some((*name, Timestamp::from_millisecond(*ms).ok()?)));
        world.since = Arc::new(since.collect());
    }

    /// Conditions of what is live, or waits to be, that look further back than anything is known.
    pub(super) fn short(&self, world: &World, now: Timestamp) -> Arc<[Short]> {
        let waiting = self.running.iter().flat_map(|(bundle, _)| bundle.programs.values());
        let waiting = waiting.map(|program| &*program.body);
        let live = world.bundle.programs.values().map(|program| &*program.body);
        let mut all: Vec<Short> = live
            .chain(waiting)
            .flat_map(|program| horizon::of(program, &world.since, &world.zone, now))
            .collect();
        all.sort_by(|a, b| (a.journey.as_str(), &a.condition).cmp(&(b.journey.as_str(), &b.condition)));
        all.dedup();
        all.into()
    }
}

/// Tells a world that is only read which fills there are.
pub(super) async fn mark(store: &dyn Store, world: &mut World) -> Result<(), EngineError> {
    let kept: Kept = read(store, FILLS).await?.unwrap_or_default();
    Fills { kept, ..Fills::default() }.mark(world);
    Ok(())
}

async fn read<T: serde::de::DeserializeOwned>(
    store: &dyn Store,
    name: &str,
) -> Result<Option<T>, EngineError> {
    let text: Result<_, StoreError> = store.meta(name).await;
    let Some(text) = text? else { return Ok(None) };
    serde_json::from_str::<Option<T>>(&text).map_err(|error| broken(&error))
}

fn text<T: Serialize>(name: &str, value: &T) -> Result<(String, String), EngineError> {
    Ok((name.to_owned(), serde_json::to_string(value).map_err(|error| broken(&error))?))
}

fn broken(error: &serde_json::Error) -> EngineError {
    EngineError::Refused(format!("the fill of history cannot be read or written: {error}").into())
}
