//! The past of conditions that are new: the log is lived through once more, beside the state and not in it.
//!
//! A deployment may ask what states do not keep yet. The events of the log then go through the one step function in a
//! world that has nothing but those conditions ([`World`] made by [`world`]); what comes of it is a [`Replay`] beside
//! the state, attributes and zone of the time included. Once the whole log is through, each state takes it over
//! ([`adopt`]). Until then the journeys that ask are not live ([`hold`]), so nothing is decided by half a past.
//!
//! What the log does not tell has its past from the deployment on: events of messages (`sent`, `opened`), of tasks,
//! and changes of derived values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::input::{Event, EventKind, Input, RootKey};
use super::state::{Feature, History, State};
use super::world::World;
use super::{features, step};
use crate::expr::Source;
use crate::name::Name;
use crate::program::{Bundle, Enter, Hashed, NodeKind, Program};

/// What the log has come to so far, for one root subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Replay {
    /// The fill it belongs to.
    pub fill: u64,
    pub state: State,
}

impl Replay {
    /// A replay that nothing has gone through yet. Where the log does not reach back to the beginning, what the
    /// subject is now stands for what it was then.
    #[must_use]
    pub fn begin(fill: u64, state: &State, whole: bool) -> Self {
        let known = || State {
            known: state.known,
            attributes: state.attributes.clone(),
            children: state.children.clone(),
            ..State::default()
        };
        Self { fill, state: if whole { State::default() } else { known() } }
    }

    /// Lives through events in the order in which they arrived. `world`: of [`world`].
    pub fn feed(&mut self, world: &World, root: &RootKey, events: Vec<Event>) {
        for event in events.into_iter().filter(|event| is_past(&event.kind)) {
            let now = event.received;
            // What else comes of it came of it then.
            let _ = step(world, root, &mut self.state, &Input::Event(event), now);
        }
    }
}

/// The conditions of `bundle` whose past the log can tell and the states of `old` do not keep: ids of history
/// conditions, names of daily attributes.
#[must_use]
pub fn missing(old: &World, bundle: &Bundle) -> BTreeSet<Name> {
    let told = Told::of(bundle);
    new(old, bundle, |source| told.tells(source))
}

/// The conditions of `bundle` that are new as well, and whose past nothing tells: it begins with the deployment.
#[must_use]
pub fn untold(old: &World, bundle: &Bundle) -> BTreeSet<Name> {
    let told = Told::of(bundle);
    new(old, bundle, |source| !told.tells(source) && !matches!(source, Source::Children(_)))
}

fn new(old: &World, bundle: &Bundle, is_meant: impl Fn(&Source) -> bool) -> BTreeSet<Name> {
    let kept: Vec<&Program> = old.programs.values().map(|program| &*program.body).collect();
    let known: BTreeSet<Name> =
        kept.iter().flat_map(|program| &program.features).map(|feature| feature.id).collect();
    let reach = features::reaches(kept.into_iter());
    let wider = features::reaches(bundle.programs.values().map(|program| &*program.body));
    let new = bundle.programs.values().flat_map(|program| &program.body.features).filter_map(|feature| {
        let (name, is_new) = match &feature.aggregate.source {
            Source::Daily { attribute, .. } => {
                let covered = wider
                    .get(attribute)
                    .is_none_or(|wider| reach.get(attribute).is_some_and(|reach| reach.covers(*wider)));
                (*attribute, !covered)
            }
            _ => (feature.id, !known.contains(&feature.id)),
        };
        (is_new && is_meant(&feature.aggregate.source)).then_some(name)
    });
    new.collect()
}

/// The journeys of `bundle` that ask one of `wanted`.
#[must_use]
pub fn asking(bundle: &Bundle, wanted: &BTreeSet<Name>) -> BTreeSet<Name> {
    let asks = |program: &Program| program.features.iter().any(|feature| wanted.contains(&name_of(feature)));
    bundle.programs.iter().filter(|(_, program)| asks(&program.body)).map(|(name, _)| *name).collect()
}

/// `bundle` as it can be live until `wanted` is known: the journeys and copy that ask it are as in `old`, or not there.
#[must_use]
pub fn hold(bundle: &Bundle, old: &Bundle, wanted: &BTreeSet<Name>) -> Bundle {
    let held = asking(bundle, wanted);
    let mut live = bundle.clone();
    live.hash = format!("{}~", bundle.hash).into();
    live.programs = as_before(&bundle.programs, &old.programs, |journey, _| held.contains(&journey));
    live.contents = as_before(&bundle.contents, &old.contents, |_, content| {
        content.body.features.iter().any(|feature| wanted.contains(&name_of(feature)))
    });
    live
}

/// A world in which events feed `wanted`, and nothing else happens. `real`: the world whose numbers its states have.
#[must_use]
pub fn world(real: &World, bundle: &Bundle, wanted: &BTreeSet<Name>) -> World {
    let bare = |program: &Hashed<Program>| Hashed {
        hash: Arc::clone(&program.hash),
        body: Arc::new(bare(&program.body, wanted)),
    };
    let programs: BTreeMap<Name, Hashed<Program>> =
        bundle.programs.iter().map(|(name, program)| (*name, bare(program))).collect();
    let bundle = Bundle { programs, contents: BTreeMap::new(), ..bundle.clone() };
    let mut world = World::of_bundle(Arc::new(bundle), real.zone.clone());
    world.renumber(&real.symbols);
    world
}

/// Takes over what a fill that came to its end has found, and drops what belongs to none.
pub fn adopt(world: &World, state: &mut State) {
    let Some(replay) = state.replay.take_if(|replay| world.filling.is_none_or(|fill| fill != replay.fill))
    else {
        return;
    };
    if world.filled.contains(&replay.fill) {
        for found in replay.state.features {
            take_over(&mut state.features, found);
        }
    }
}

/// Whether it tells of the subject itself. What other rows say was said once; a merged customer's own past ends with it.
fn is_past(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::Declared(_)
            | EventKind::Attributes
            | EventKind::Closed(_)
            | EventKind::Imported(_)
            | EventKind::ImportedAttributes
    )
}

fn take_over(features: &mut Vec<History>, found: History) {
    match features::place(features, found.id, &found.subject) {
        Ok(at) => {
            let Some(known) = features.get_mut(at) else { return };
            known.feature =
                match (std::mem::replace(&mut known.feature, Feature::Series(Vec::new())), found.feature) {
                    (Feature::Series(known), Feature::Series(found)) => Feature::Series(both(known, found)),
                    (_, found) => found,
                };
        }
        Err(at) => features.insert(at, found),
    }
}

/// The days of both; of one that both have the value that the replay found.
fn both<T>(known: Vec<(i32, T)>, found: Vec<(i32, T)>) -> Vec<(i32, T)> {
    let all: BTreeMap<i32, T> = known.into_iter().chain(found).collect();
    all.into_iter().collect()
}

fn as_before<T: Clone>(
    new: &BTreeMap<Name, T>,
    old: &BTreeMap<Name, T>,
    is_held: impl Fn(Name, &T) -> bool,
) -> BTreeMap<Name, T> {
    let choose = |(name, new): (&Name, &T)| {
        let live = if is_held(*name, new) { old.get(name) } else { Some(new) };
        live.map(|live| (*name, live.clone()))
    };
    new.iter().filter_map(choose).collect()
}

fn bare(program: &Program, wanted: &BTreeSet<Name>) -> Program {
    let features = program.features.iter().filter(|feature| wanted.contains(&name_of(feature)));
    Program {
        enter: Enter::Start,
        features: features.cloned().collect(),
        exits: Vec::new(),
        goals: Vec::new(),
        params: Vec::new(),
        locals: Vec::new(),
        tracked: Vec::new(),
        awaits: Vec::new(),
        nodes: Vec::new(),
        lines: Vec::new(),
        rung_lines: Vec::new(),
        rules: None,
        ..program.clone()
    }
}

/// Under which name its past is known.
pub(super) fn name_of(feature: &crate::program::Feature) -> Name {
    match feature.aggregate.source {
        Source::Daily { attribute, .. } => attribute,
        _ => feature.id,
    }
}

/// What the events of the log tell.
struct Told {
    stored: BTreeSet<Name>,
    tasks: BTreeSet<Name>,
}

impl Told {
    fn of(bundle: &Bundle) -> Self {
        let fields = bundle.schema.entities.values().flat_map(|entity| &entity.fields);
        let nodes = bundle.programs.values().flat_map(|program| &program.body.nodes);
        let task = |kind: &NodeKind| match kind {
            NodeKind::Assign(assign) => Some(assign.task),
            _ => None,
        };
        Self {
            stored: fields.filter(|field| field.value.is_none()).map(|field| field.name).collect(),
            tasks: nodes.filter_map(|node| task(&node.kind)).collect(),
        }
    }

    fn tells(&self, source: &Source) -> bool {
        match source {
            Source::Event(name) => !self.tasks.contains(name),
            Source::Change { attribute, .. } => self.stored.contains(attribute),
            Source::Daily { .. } | Source::Close(_) => true,
            Source::Message { .. } | Source::Children(_) => false,
        }
    }
}
