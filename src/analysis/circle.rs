//! Journeys that set each other off, round and round, without any time passing.
//!
//! Within one journey no such circle compiles (E0452). Between journeys there are these links: a step starts a journey,
//! gives something whose `granted` another enters on, or assigns a task that another enters on. SOUND for these links:
//! if no circle is found, no chain of them comes back to its beginning in the same instant any number of times. A
//! journey that one customer enters a bounded number of times, or only after some time, breaks the circle; so does
//! time on every way to the step. Tags and attributes are not followed: what somebody else writes is no step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use super::entries::Entries;
use super::facts::Facts;
use super::flow::{Flow, What, least_ms};
use crate::expr::{Expr, Pattern, Source};
use crate::model::journey::{Step, StepKind};
use crate::model::{Journey, Model};
use crate::name::Name;
use crate::program::Enter;
use crate::program::value::{GRANTED, Give};
use crate::text::Span;
use crate::value::Value;

/// A step that sets off a journey in the instant in which its own began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    pub journey: Name,
    /// Full identity.
    pub step: Name,
    pub span: Span,
    pub next: Name,
}

/// Every circle: its links in order, the first from the journey whose name comes first.
#[must_use]
pub fn circles(model: &Model) -> Vec<Vec<Link>> {
    // Who is in a circle is set off by a step: where nobody is, no journey is looked into.
    let set_off: BTreeMap<Name, &Journey> = model
        .journeys
        .values()
        .map(|journey| &**journey)
        .filter(|journey| is_set_off(model, journey) && Entries::of(model, journey).within(1).is_none())
        .map(|journey| (journey.name, journey))
        .collect();
    let links: Vec<Link> = set_off.values().flat_map(|journey| links(model, journey, &set_off)).collect();
    let mut graph: DiGraph<Name, ()> = DiGraph::new();
    let places: BTreeMap<Name, _> = set_off.keys().map(|name| (*name, graph.add_node(*name))).collect();
    for link in &links {
        if let (Some(from), Some(to)) = (places.get(&link.journey), places.get(&link.next)) {
            graph.add_edge(*from, *to, ());
        }
    }
    let rounds = tarjan_scc(&graph).into_iter().filter_map(|part| {
        let within: BTreeSet<Name> = part.iter().filter_map(|at| graph.node_weight(*at).copied()).collect();
        let first = *within.first()?;
        round(&links, &within, first)
    });
    let mut found: Vec<Vec<Link>> = rounds.collect();
    found.sort_by_key(|round| round.first().map(|link| link.journey));
    found
}

/// The shortest way from `first` back to it.
fn round(links: &[Link], within: &BTreeSet<Name>, first: Name) -> Option<Vec<Link>> {
    let mut due: VecDeque<Vec<Link>> = VecDeque::from([Vec::new()]);
    let mut seen: BTreeSet<Name> = BTreeSet::new();
    while let Some(way) = due.pop_front() {
        let at = way.last().map_or(first, |link| link.next);
        if at == first && !way.is_empty() {
            return Some(way);
        }
        for link in links.iter().filter(|link| link.journey == at && within.contains(&link.next)) {
            if link.next == first || seen.insert(link.next) {
                due.push_back(way.iter().copied().chain([*link]).collect());
            }
        }
    }
    None
}

/// Whether a step of some journey may be what it enters by.
fn is_set_off(model: &Model, journey: &Journey) -> bool {
    match &journey.enter {
        Enter::Start => true,
        Enter::Event(patterns) => patterns.iter().any(|pattern| {
            matches!(&pattern.source, Source::Event(name)
                if name.as_str() == GRANTED || model.tasks.contains_key(name))
        }),
        _ => false,
    }
}

/// The steps of a journey that set off one of `among` at once.
fn links(model: &Model, journey: &Journey, among: &BTreeMap<Name, &Journey>) -> Vec<Link> {
    let mut flow = Flow::of(model, journey);
    // Proves away what nobody takes.
    let _facts = Facts::of(&mut flow);
    let mut seen = BTreeSet::from([flow.entry]);
    let mut due = VecDeque::from([flow.entry]);
    let mut found = Vec::new();
    while let Some(at) = due.pop_front() {
        if let Some(What::Step(step)) = flow.node(at).map(|node| node.what) {
            let next = among.values().filter(|next| sets_off(step, next));
            let link = |next: &&Journey| Link {
                journey: journey.name,
                step: step.id,
                span: step.span,
                next: next.name,
            };
            found.extend(next.map(link));
        }
        for (_, next, edge) in flow.ways(at) {
            if least_ms(edge) == 0 && edge.delay.instant && seen.insert(next) {
                due.push_back(next);
            }
        }
    }
    found
}

/// Whether the step may be what the journey enters by.
fn sets_off(step: &Step, next: &Journey) -> bool {
    let hears = |event: Name, what: Option<Name>| match &next.enter {
        Enter::Event(patterns) => patterns.iter().any(|pattern| may_be(pattern, event, what)),
        _ => false,
    };
    match &step.kind {
        StepKind::Start { journey, .. } => *journey == next.name && matches!(next.enter, Enter::Start),
        StepKind::Assign(assign) => hears(assign.task, None),
        StepKind::Give(giving, _) => {
            let what = match &giving.give {
                Give::Reward { what, .. } | Give::Exchange { what, .. } => named(what),
                Give::Points { points, .. } => Some(*points),
                Give::Chance { lottery } => Some(*lottery),
                Give::Draw { .. } | Give::Qualify { .. } => None,
            };
            hears(Name::new(GRANTED), what)
        }
        _ => false,
    }
}

/// Whether the pattern may be this event about `what`; where it names others, it is not.
fn may_be(pattern: &Pattern, event: Name, what: Option<Name>) -> bool {
    let is_it = matches!(&pattern.source, Source::Event(name) if *name == event);
    let (Some(what), Some(filter)) = (what, &pattern.filter) else { return is_it };
    let mut names = Vec::new();
    choices(filter, &mut names);
    is_it && (names.is_empty() || names.contains(&what))
}

fn named(expr: &Expr) -> Option<Name> {
    if let Expr::Const(Value::Choice(name)) = expr { Some(*name) } else { None }
}

fn choices(expr: &Expr, found: &mut Vec<Name>) {
    found.extend(named(expr));
    expr.parts().into_iter().for_each(|part| choices(part, found));
}
