//! Experiments over all customers: what each batch counts, and the decision once its time has come.
//!
//! Counts are kept for each experiment and group of buckets, and written in the commit that counted, so they are exact
//! whoever owns the group. Whoever holds the group in which somebody first took part knows when it is decided. The
//! decision is a switch like any other: one worker sets it, the others take it up.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::deploy::{self, Decided};
use super::handle::EngineError;
use super::run::Engine;
use super::sweep::place;
use crate::expr::civil::shift_moment;
use crate::name::Name;
use crate::step::verdict::{self, Rules, Tally, Verdict};
use crate::step::{Decision, Trace, World};
use crate::store::{Lease, Store, StoreError, bucket};

/// Counts of one group, as kept in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// When the first of the group took part, in milliseconds since 1970.
    open: Option<i64>,
    arms: BTreeMap<Name, Tally>,
}

/// What a batch adds, by experiment, group and arm.
#[derive(Default)]
pub(super) struct Counted(BTreeMap<(Name, u16), BTreeMap<Name, Tally>>);

/// The experiments of the groups that are held.
#[derive(Default)]
pub(super) struct Trials {
    rules: Rules,
    kept: BTreeMap<(Name, u16), Kept>,
    /// When those are decided that are not.
    due: BTreeMap<Name, Timestamp>,
}

/// How an experiment stands, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub experiment: Name,
    /// In the order written.
    pub arms: Vec<(Name, Tally)>,
    /// When the first took part, and when it is or was to be decided.
    pub opened: Option<Timestamp>,
    pub decides: Option<Timestamp>,
    pub decided: Option<Decided>,
}

impl Counted {
    pub(super) fn note(&mut self, world: &World, group: u16, trace: &[Trace]) {
        for one in trace {
            let (Decision::Counts { experiment, arm } | Decision::Succeeds { experiment, arm }) = &one.what
            else {
                continue;
            };
            let names = world.symbols.name(*experiment).zip(world.symbols.name(*arm));
            let Some((experiment, arm)) = names else { continue };
            let tally = self.0.entry((experiment, group)).or_default().entry(arm).or_default();
            match one.what {
                Decision::Counts { .. } => tally.counts += 1,
                _ => tally.reached += 1,
            }
        }
    }
}

impl Trials {
    pub(super) async fn open(store: &dyn Store, world: &World) -> Result<Self, StoreError> {
        let rules = verdict::rules(&world.bundle);
        if rules.is_empty() {
            return Ok(Self::default());
        }
        let lease = store.lease();
        let places = lease.groups.iter().flat_map(|(group, _)| rules.keys().map(|name| (*name, *group)));
        let kept = read(store, &lease, places.collect()).await?;
        let mut trials = Self { rules, kept, due: BTreeMap::new() };
        let decided = deploy::decided(store).await?;
        trials.rules.retain(|name, _| !decided.contains_key(name));
        trials.look(world);
        Ok(trials)
    }

    /// When the next one may be decided.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.due.values().min().copied()
    }

    /// What a commit is to write besides, and its counts once it is written.
    pub(super) fn mark(
        &self,
        counted: Counted,
        lease: &Lease,
        now: Timestamp,
        meta: &mut Vec<(String, String)>,
    ) -> Marked {
        let mut marked = Marked::default();
        for ((experiment, group), arms) in counted.0 {
            let mut kept = self.kept.get(&(experiment, group)).cloned().unwrap_or_default();
            kept.open = kept.open.or(Some(now.as_millisecond()));
            for (arm, more) in arms {
                kept.arms.entry(arm).or_default().add(more);
            }
            meta.push((name_of(lease, experiment, group), serde_json::to_string(&kept).unwrap_or_default()));
            marked.0.push(((experiment, group), kept));
        }
        marked
    }

    pub(super) fn committed(&mut self, marked: Marked, world: &World) {
        if !marked.0.is_empty() {
            self.kept.extend(marked.0);
            self.look(world);
        }
    }

    /// Works out when each is decided, from the groups that are held.
    fn look(&mut self, world: &World) {
        let due = |(name, rule): (&Name, &verdict::Rule)| {
            let opened = opened(self.kept.iter().filter(|((of, _), _)| of == name).map(|(_, kept)| kept))?;
            Some((*name, shift_moment(opened, rule.winner.by, false, &world.zone, None)?))
        };
        self.due = self.rules.iter().filter_map(due).collect();
    }

    fn due(&self, now: Timestamp) -> Option<(Name, &verdict::Rule)> {
        let (name, _) = self.due.iter().find(|(_, due)| **due <= now)?;
        Some((*name, self.rules.get(name)?))
    }
}

/// Counts of a commit under way.
#[derive(Default)]
pub(super) struct Marked(Vec<((Name, u16), Kept)>);

impl Engine {
    /// Decides experiments whose time has come. Nobody loses anything if it is tried again.
    pub(super) async fn decide(&mut self) {
        let now = self.moment.now;
        while let Some((name, rule)) = self.trials.due(now) {
            let rule = rule.clone();
            if let Err(error) = self.decide_one(name, &rule, now).await {
                tracing::warn!(experiment = %name, %error, "it cannot be decided yet");
                self.trials.due.insert(name, now + PAUSE);
            }
        }
    }

    async fn decide_one(
        &mut self,
        name: Name,
        rule: &verdict::Rule,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        if self.refresh().await? {
            // Perhaps another worker has decided it.
            return Ok(());
        }
        let (arms, _) = sum(&*self.store, name, rule).await?;
        let verdict: Verdict = verdict::decide(&rule.winner, &arms);
        let told = verdict.told(name, &rule.winner, &arms);
        let decided = Decided { arm: verdict.arm, at: now, told };
        tracing::info!(experiment = %name, "{}", decided.told);
        let arm = decided.arm;
        deploy::decide(&*self.store, self.version, name, decided).await?;
        self.version += 1;
        self.trials.rules.remove(&name);
        self.trials.due.remove(&name);
        if let Some(arm) = arm {
            let mut world = World::clone(&self.world);
            world.winners.insert(name, arm);
            self.go_live(world);
        }
        Ok(())
    }
}

/// Before a decision that failed is tried again.
const PAUSE: jiff::SignedDuration = jiff::SignedDuration::from_secs(5);

/// How all experiments of `world` stand that have a winner.
///
/// # Errors
/// If the store cannot be read.
pub async fn standings(store: &dyn Store, world: &World) -> Result<Vec<Standing>, EngineError> {
    let mut decided = deploy::decided(store).await?;
    let mut standings = Vec::new();
    for (name, rule) in verdict::rules(&world.bundle) {
        let (arms, opened) = sum(store, name, &rule).await?;
        let decides =
            opened.and_then(|opened| shift_moment(opened, rule.winner.by, false, &world.zone, None));
        standings.push(Standing { experiment: name, arms, opened, decides, decided: decided.remove(&name) });
    }
    Ok(standings)
}

/// The counts of all groups, in the order of the arms, and when the first took part.
async fn sum(
    store: &dyn Store,
    name: Name,
    rule: &verdict::Rule,
) -> Result<(Vec<(Name, Tally)>, Option<Timestamp>), StoreError> {
    let lease = store.lease();
    let groups = bucket::COUNT / lease.span.max(1);
    let kept = read(store, &lease, (0..groups).map(|group| (name, group)).collect()).await?;
    let of = |arm: &Name| {
        let mut sum = Tally::default();
        kept.values().filter_map(|kept| kept.arms.get(arm)).for_each(|tally| sum.add(*tally));
        (*arm, sum)
    };
    Ok((rule.arms.iter().map(of).collect(), opened(kept.values())))
}

fn opened<'k>(kept: impl Iterator<Item = &'k Kept>) -> Option<Timestamp> {
    kept.filter_map(|kept| kept.open).min().and_then(|open| Timestamp::from_millisecond(open).ok())
}

async fn read(
    store: &dyn Store,
    lease: &Lease,
    places: BTreeSet<(Name, u16)>,
) -> Result<BTreeMap<(Name, u16), Kept>, StoreError> {
    let named: BTreeMap<String, (Name, u16)> =
        places.into_iter().map(|(name, group)| (name_of(lease, name, group), (name, group))).collect();
    let names: Vec<String> = named.keys().cloned().collect();
    let found = store.metas(&names).await?.into_iter().filter_map(|(name, text)| {
        let kept = serde_json::from_str(&text).ok()?;
        Some((*named.get(&name)?, kept))
    });
    Ok(found.collect())
}

fn name_of(lease: &Lease, experiment: Name, group: u16) -> String {
    place(lease, &format!("trial.{experiment}"), group)
}
