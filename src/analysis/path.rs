//! Witnesses: a way through a journey that shows what was found, with times and an example customer.
//!
//! The shortest way is looked for first; one whose conditions exclude one another (where nothing between them can
//! change what they ask) is passed over for the next. If none of the first [`MOST_TRIED`] holds together, the shortest
//! is told and `decided` is false.

use std::collections::VecDeque;

use petgraph::graph::{EdgeIndex, NodeIndex};

use super::facts::{Facts, Known};
use super::flow::Flow;
use super::flow::least_ms;
use crate::graph::{JourneyGraph, build};
use crate::text::Span;

/// Ways that are tried for one that holds together.
const MOST_TRIED: usize = 64;
/// Steps of a way that are told before the middle is left out.
const MOST_TOLD: usize = 24;

/// A way, from where an instance begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    pub stops: Vec<Stop>,
    /// Of somebody who goes this way, one line for each thing that matters; empty: anybody.
    pub customer: Vec<String>,
    /// Whether it was shown that the conditions on the way hold together.
    pub decided: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    pub at: NodeIndex,
    /// How one gets there from the stop before.
    pub by: Option<EdgeIndex>,
    /// Milliseconds behind the entry, at the earliest.
    pub earliest_ms: i64,
}

/// The shortest way to `to` that holds together; `None`: there is none at all.
#[must_use]
pub fn way_to(flow: &Flow<'_>, facts: &Facts<'_>, to: NodeIndex) -> Option<Witness> {
    let starts = std::iter::once(flow.entry).chain(flow.exits.iter().copied());
    let mut due: VecDeque<Vec<(NodeIndex, Option<EdgeIndex>)>> =
        starts.map(|start| vec![(start, None)]).collect();
    let ahead = reaching(flow, to);
    let mut shortest = None;
    let mut tried = 0;
    while let Some(way) = due.pop_front() {
        let Some((last, _)) = way.last().copied() else { continue };
        if flow.original(last) == to {
            let witness = witness(flow, facts, &way);
            if witness.decided {
                return Some(witness);
            }
            shortest.get_or_insert(witness);
            tried += 1;
            if tried >= MOST_TRIED {
                break;
            }
            continue;
        }
        if due.len() > MOST_TRIED * 16 {
            continue;
        }
        for (edge, next, _) in flow.ways(last) {
            let is_ahead = ahead.get(next.index()).copied().unwrap_or_default();
            if is_ahead && !way.iter().any(|(known, _)| *known == next) {
                let mut longer = way.clone();
                longer.push((next, Some(edge)));
                due.push_back(longer);
            }
        }
    }
    shortest
}

/// The places from which there is a way to `to`.
fn reaching(flow: &Flow<'_>, to: NodeIndex) -> Vec<bool> {
    let mut reaching = vec![false; flow.graph.node_count()];
    let mut due: Vec<NodeIndex> = flow.graph.node_indices().filter(|at| flow.original(*at) == to).collect();
    while let Some(at) = due.pop() {
        let Some(seen) = reaching.get_mut(at.index()).filter(|seen| !**seen) else { continue };
        *seen = true;
        due.extend(flow.graph.neighbors_directed(at, petgraph::Direction::Incoming));
    }
    reaching
}

fn witness(flow: &Flow<'_>, facts: &Facts<'_>, way: &[(NodeIndex, Option<EdgeIndex>)]) -> Witness {
    let mut known: Known =
        way.first().and_then(|(start, _)| facts.known(*start)).cloned().unwrap_or_default();
    let mut said: Vec<_> = known.keys().copied().collect();
    let mut decided = true;
    let mut now = 0;
    let mut stops = Vec::new();
    let mut before = None;
    for (at, by) in way {
        if let (Some(before), Some(by)) = (before, by)
            && let Some(edge) = flow.graph.edge_weight(*by)
        {
            facts.pass(flow, before, edge, &mut known);
            let learned = facts.learned(*by);
            known.extend(learned.iter().map(|fact| (*fact, 0)));
            said.extend(learned);
            let current: Vec<_> = known.iter().filter(|(_, age)| **age == 0).map(|(fact, _)| *fact).collect();
            decided &= learned.is_empty() || !facts.mind.exclude(&current);
            now += least_ms(edge);
        }
        stops.push(Stop { at: flow.original(*at), by: *by, earliest_ms: now });
        before = Some(*at);
    }
    said.sort_unstable();
    said.dedup();
    // What was so at one time need not be so at another; then only whoever comes to the end is told.
    let last: Vec<_> = known.keys().copied().collect();
    let customer = facts.mind.example(&said).or_else(|| facts.mind.example(&last)).unwrap_or_default();
    Witness { stops, customer, decided }
}

/// Places and ways in the words of the journey.
#[derive(Debug)]
pub struct Words(JourneyGraph);

impl Words {
    #[must_use]
    pub fn of(flow: &Flow<'_>) -> Self {
        Self(build(flow.journey))
    }

    /// `send hello via push`
    #[must_use]
    pub fn place(&self, at: NodeIndex) -> &str {
        self.0.graph.node_weight(at).map_or("", |point| &point.text)
    }

    #[must_use]
    pub fn span(&self, at: NodeIndex) -> Option<Span> {
        self.0.graph.node_weight(at).map(|point| point.span)
    }

    /// `on no_consent`; empty where it just goes on.
    #[must_use]
    pub fn way(&self, way: EdgeIndex) -> &str {
        self.0.graph.edge_weight(way).map_or("", |edge| &edge.text)
    }

    /// A line for each stop: `(2 days passed) send reminder via sms`, with its earliest time.
    #[must_use]
    pub fn lines(&self, witness: &Witness) -> Vec<(i64, String)> {
        let all = witness.stops.iter().map(|stop| {
            let by = stop.by.map(|by| self.way(by)).filter(|by| !by.is_empty());
            let by = by.map(|by| format!("({by}) ")).unwrap_or_default();
            (stop.earliest_ms, format!("{by}{}", self.place(stop.at)))
        });
        let mut all: Vec<_> = all.collect();
        if all.len() > MOST_TOLD {
            let tail = all.split_off(all.len() - MOST_TOLD / 2);
            all.truncate(MOST_TOLD / 2);
            let at = tail.first().map_or(0, |(at, _)| *at);
            all.push((at, "…".to_owned()));
            all.extend(tail);
        }
        all
    }
}
