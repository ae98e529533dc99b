//! What may come after what: a journey against a small automaton, `never A after B until C`.
//!
//! SOUND for what a journey hears: if no way is found, no run takes the forbidden step after one of its entries, exits or
//! waits has heard of the first event and none of the second. What happens while nobody waits for it is not heard, and
//! left to `suppress`. Over-approximate: an exit rule may fire in any place, also behind the event.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use petgraph::graph::{EdgeIndex, NodeIndex};

use super::facts::Facts;
use super::flow::{Flow, What, least_ms};
use super::path::{Stop, Witness};
use crate::expr::{Pattern, Source};
use crate::model::govern::Never;
use crate::model::journey::{Exit, Step, StepKind, Trigger};
use crate::name::Name;
use crate::program::Enter;

/// `never WHAT after A until B`, as a function of places and of patterns.
pub struct Automaton<'a> {
    pub forbidden: &'a dyn Fn(NodeIndex) -> bool,
    /// Whether hearing of this may be the first event.
    pub begins: &'a dyn Fn(&Pattern) -> bool,
    /// Whether hearing of this ends what the first event has begun.
    pub ends: &'a dyn Fn(&Pattern) -> bool,
}

/// A place of the product: whether the event was heard.
type State = (NodeIndex, bool);

/// The shortest way to a forbidden step behind the event; `None`: there is none.
#[must_use]
pub fn way(flow: &Flow<'_>, facts: &Facts<'_>, automaton: &Automaton<'_>) -> Option<Witness> {
    let mut from: BTreeMap<State, Option<(State, EdgeIndex)>> = BTreeMap::new();
    let begun = automaton.after(false, &entered(flow));
    let mut starts: Vec<State> = vec![(flow.entry, begun)];
    starts.extend(flow.exits.iter().map(|at| (*at, automaton.after(false, &exits_on(flow, *at)))));
    let mut due: VecDeque<State> = starts.iter().copied().collect();
    from.extend(starts.into_iter().map(|start| (start, None)));
    let mut behind = false;
    while let Some(state) = due.pop_front() {
        let (at, heard) = state;
        if heard && (automaton.forbidden)(flow.original(at)) {
            return Some(witness(flow, facts, &from, state));
        }
        if heard && !behind {
            behind = true;
            for at in &flow.exits {
                let start = (*at, automaton.after(true, &exits_on(flow, *at)));
                if let Entry::Vacant(slot) = from.entry(start) {
                    slot.insert(None);
                    due.push_back(start);
                }
            }
        }
        for (way, next, edge) in flow.ways(at) {
            let next = (next, automaton.after(heard, &heard_on(flow, at, edge.arm)));
            if let Entry::Vacant(slot) = from.entry(next) {
                slot.insert(Some((state, way)));
                due.push_back(next);
            }
        }
    }
    None
}

/// A way of the journey that does what a policy forbids; `None`: there is none.
#[must_use]
pub fn broken(flow: &Flow<'_>, facts: &Facts<'_>, never: &Never) -> Option<Witness> {
    let forbidden = |at| {
        let message = flow.message(at).filter(|message| message.to.is_none());
        message.is_some_and(|it| it.channel == never.what || flow.journey.purpose == never.what)
    };
    let automaton = Automaton {
        forbidden: &forbidden,
        begins: &|pattern| hears(pattern, &never.after),
        ends: &|pattern| hears(pattern, &never.until),
    };
    way(flow, facts, &automaton)
}

impl Automaton<'_> {
    /// Whether the event has been heard behind one of these patterns, which of them nobody knows.
    fn after(&self, heard: bool, patterns: &[&Pattern]) -> bool {
        let ends = !patterns.is_empty() && patterns.iter().all(|one| (self.ends)(one));
        patterns.iter().any(|one| (self.begins)(one)) || (heard && !ends)
    }
}

/// What an instance has heard of when it begins.
fn entered<'a>(flow: &Flow<'a>) -> Vec<&'a Pattern> {
    match &flow.journey.enter {
        Enter::Event(patterns) => patterns.iter().collect(),
        _ => Vec::new(),
    }
}

/// What has been heard where this exit rule fires.
fn exits_on<'a>(flow: &Flow<'a>, at: NodeIndex) -> Vec<&'a Pattern> {
    match flow.node(at).map(|node| node.what) {
        Some(What::Exit(Exit { trigger: Trigger::On(patterns), .. })) => patterns.iter().collect(),
        _ => Vec::new(),
    }
}

/// What is heard where somebody leaves `at` by this arm.
fn heard_on<'a>(flow: &Flow<'a>, at: NodeIndex, arm: usize) -> Vec<&'a Pattern> {
    match flow.node(at).map(|node| node.what) {
        Some(What::Step(Step { kind: StepKind::Events { arms, .. }, .. })) => {
            let awaited = arms.get(arm).into_iter().flat_map(|arm| &arm.awaited);
            awaited.map(|awaited| &awaited.pattern).collect()
        }
        Some(What::Rung(_, rung)) if arm == 0 => rung.awaited.iter().collect(),
        _ => Vec::new(),
    }
}

/// Whether a pattern hears of one of these events.
fn hears(pattern: &Pattern, events: &[Name]) -> bool {
    matches!(&pattern.source, Source::Event(name) if events.contains(name))
}

fn witness(
    flow: &Flow<'_>,
    facts: &Facts<'_>,
    from: &BTreeMap<State, Option<(State, EdgeIndex)>>,
    last: State,
) -> Witness {
    let mut way = vec![(last.0, None)];
    let mut state = last;
    while let Some(Some((before, by))) = from.get(&state) {
        if let Some(stop) = way.last_mut() {
            stop.1 = Some(*by);
        }
        way.push((before.0, None));
        state = *before;
    }
    way.reverse();
    let (mut now, mut stops, mut said) = (0, Vec::new(), Vec::new());
    for (at, by) in way {
        if let Some(edge) = by.and_then(|by| flow.graph.edge_weight(by)) {
            now += least_ms(edge);
        }
        said.extend(by.into_iter().flat_map(|by| facts.learned(by).iter().copied()));
        stops.push(Stop { at: flow.original(at), by, earliest_ms: now });
    }
    let customer = facts.mind.example(&said);
    Witness { stops, decided: customer.is_some(), customer: customer.unwrap_or_default() }
}
