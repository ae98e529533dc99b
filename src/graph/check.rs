//! What is wrong with the shape of journeys.

mod cycle;
mod dead;

use std::collections::{BTreeMap, BTreeSet};

use petgraph::Direction;
use petgraph::algo::astar;
use petgraph::graph::NodeIndex;

pub(super) use cycle::inside;

use super::build::{Telling, with_steps};
use super::links::{Ties, ties};
use super::{JourneyGraph, PointKind, build};
use crate::diagnostic::{Diagnostic, code};
use crate::model::{Journey, Model};
use crate::name::Name;

/// What is wrong with the graphs of a model. Goes on from model to model, looking only at what changed, and keeps no
/// graph: the model says it again when it is asked for.
#[derive(Debug, Default)]
pub struct Shapes {
    /// The journeys that have a graph.
    sound: BTreeSet<Name>,
    findings: BTreeMap<Name, Vec<Diagnostic>>,
    /// Of journeys that set others off at once; the others are on no ring.
    ties: BTreeMap<Name, Ties>,
}

impl Shapes {
    /// Looks at the journeys called `names` in `model`, or at all of them; journeys that are not `sound` have no graph.
    pub fn look(&mut self, model: &Model, names: Option<&BTreeSet<Name>>, sound: impl Fn(&Journey) -> bool) {
        let Some(names) = names else {
            *self = Self::default();
            let sound: Vec<&Journey> =
                model.journeys.values().map(|journey| &**journey).filter(|journey| sound(journey)).collect();
            self.sound = sound.iter().map(|journey| journey.name).collect();
            sound.into_iter().for_each(|journey| self.add(model, journey));
            return;
        };
        for name in names {
            self.sound.remove(name);
            self.findings.remove(name);
            self.ties.remove(name);
            if let Some(journey) = model.journeys.get(name).filter(|journey| sound(journey)) {
                self.sound.insert(*name);
                self.add(model, journey);
            }
        }
    }

    fn add(&mut self, model: &Model, journey: &Journey) {
        let graph = with_steps(journey, &journey.steps, Telling::Nothing);
        let mut found = wrong(journey, &graph);
        if !found.is_empty() {
            // The way to a mistake is told in words.
            found = wrong(journey, &build(journey));
        }
        found.extend(dead::waits(journey));
        found.extend(super::rounds::too_long(journey));
        if !found.is_empty() {
            self.findings.insert(journey.name, found);
        }
        self.ties.extend(ties(model, journey, &graph).map(|ties| (journey.name, ties)));
    }

    /// Whether a journey of this name is sound.
    #[must_use]
    pub fn has(&self, name: Name) -> bool {
        self.sound.contains(&name)
    }

    /// Everything that is wrong with the shapes.
    #[must_use]
    pub fn findings(&self) -> Vec<Diagnostic> {
        let mut found: Vec<Diagnostic> = self.findings.values().flatten().cloned().collect();
        found.extend(cycle::across(&self.ties));
        found
    }

    /// Those of the sound journeys of the same `model`, by name.
    #[must_use]
    pub fn graphs(&self, model: &Model) -> BTreeMap<Name, JourneyGraph> {
        let journeys = self.sound.iter().filter_map(|name| model.journeys.get(name));
        journeys.map(|journey| (journey.name, build(journey))).collect()
    }
}

/// What is wrong with the shape of one journey.
fn wrong(journey: &Journey, graph: &JourneyGraph) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = unreached(graph).collect();
    found.extend(falls(journey, graph));
    found.extend(inside(journey, graph));
    found
}

fn unreached(graph: &JourneyGraph) -> impl Iterator<Item = Diagnostic> + '_ {
    graph.unreached.iter().filter_map(|dead| {
        let point = graph.graph.node_weight(dead.point)?;
        let headline = format!("nobody ever gets to `{}`", point.text);
        let mut found =
            Diagnostic::new(code::UNREACHED_STEP, point.span, headline).label("no path leads here");
        if let Some(behind) = dead.behind {
            found = found.also(behind, "every path has ended behind this step");
        }
        Some(found.help("remove the step, or move it in front of the `end` that cuts it off"))
    })
}

fn falls(journey: &Journey, graph: &JourneyGraph) -> Option<Diagnostic> {
    let fall = graph.graph.node_indices().find(|&at| is(graph, at, PointKind::Fall))?;
    // What only a dead step leads to is told by that step.
    let path = path(graph, graph.entry, fall)?;
    let headline = format!("a path through `{}` stops without `end`", journey.name);
    let mut found = Diagnostic::new(code::NO_END, journey.close, headline)
        .label("a path gets here")
        .help("write `end NAME` behind the last step: people are counted by the name of their end");
    let mut last: Vec<NodeIndex> = graph.graph.neighbors_directed(fall, Direction::Incoming).collect();
    last.sort_unstable();
    last.dedup();
    for point in last.into_iter().filter_map(|at| graph.graph.node_weight(at)).take(3) {
        found = found.also(point.span, "goes on to the closing brace");
    }
    Some(found.note(format!("the path: {path}")))
}

fn is(graph: &JourneyGraph, at: NodeIndex, kind: PointKind) -> bool {
    graph.graph.node_weight(at).is_some_and(|point| point.kind == kind)
}

/// The shortest path in the journey's words: `enter when preapproved` -> `send x via push` -> (on capped) …
fn path(graph: &JourneyGraph, from: NodeIndex, to: NodeIndex) -> Option<String> {
    let (_, points) = astar(&graph.graph, from, |at| at == to, |_| 1, |_| 0)?;
    Some(words(graph, &points))
}

fn words(graph: &JourneyGraph, points: &[NodeIndex]) -> String {
    let mut parts = Vec::new();
    for (at, &point) in points.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| points.get(before));
        let edge = before.and_then(|&before| graph.graph.find_edge(before, point));
        let edge = edge.and_then(|edge| graph.graph.edge_weight(edge)).filter(|edge| !edge.text.is_empty());
        let by = edge.map(|edge| format!("({}) ", edge.text)).unwrap_or_default();
        parts.extend(graph.graph.node_weight(point).map(|weight| format!("{by}`{}`", weight.text)));
    }
    parts.join(" -> ")
}
