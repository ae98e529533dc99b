//! What is wrong with the shape of journeys.

mod cycle;
mod dead;

use std::collections::BTreeMap;

use petgraph::Direction;
use petgraph::algo::astar;
use petgraph::graph::NodeIndex;

use super::{JourneyGraph, PointKind};
use crate::diagnostic::{Diagnostic, code};
use crate::model::{Journey, Model};
use crate::name::Name;

/// All findings about the graphs of `model`, which are those of its journeys.
#[must_use]
pub fn check(model: &Model, graphs: &BTreeMap<Name, JourneyGraph>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for journey in model.journeys.values() {
        if let Some(graph) = graphs.get(&journey.name) {
            found.extend(unreached(graph));
            found.extend(falls(journey, graph));
            found.extend(cycle::inside(journey, graph));
            found.extend(dead::waits(journey));
            found.extend(super::rounds::too_long(journey));
        }
    }
    found.extend(cycle::across(model, graphs));
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
