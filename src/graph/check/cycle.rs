//! Cycles that take no time: inside a journey, and across journeys that set each other off.

use std::collections::BTreeMap;

use petgraph::algo::{astar, tarjan_scc};
use petgraph::graph::{DiGraph, EdgeReference, NodeIndex};
use petgraph::visit::{EdgeFiltered, EdgeRef};

use crate::diagnostic::{Diagnostic, code};
use crate::graph::JourneyGraph;
use crate::graph::links::{Link, Ties, links};
use crate::model::Journey;
use crate::name::Name;

/// The cycles of `graph` that can be walked in no time, each from its first place in the order of writing.
pub(super) fn instant(graph: &JourneyGraph) -> Vec<Vec<NodeIndex>> {
    // On every way round some edge leads back: nearly all journeys have none that takes no time.
    let back = |edge: EdgeReference<'_, _>| edge.target() <= edge.source();
    if !graph.graph.edge_references().any(|edge| edge.weight().delay.instant && back(edge)) {
        return Vec::new();
    }
    let instant = EdgeFiltered::from_fn(&graph.graph, |edge| edge.weight().delay.instant);
    let loops = tarjan_scc(&instant).into_iter().filter(|part| match part.as_slice() {
        [only] => graph.graph.edges_connecting(*only, *only).any(|edge| edge.weight().delay.instant),
        _ => true,
    });
    let mut loops: Vec<Vec<NodeIndex>> = loops
        .map(|mut part| {
            part.sort_unstable();
            part
        })
        .collect();
    loops.sort();
    loops
}

pub(in crate::graph) fn inside(journey: &Journey, graph: &JourneyGraph) -> Vec<Diagnostic> {
    let loops = instant(graph);
    let found = loops.iter().filter_map(|part| {
        let first = graph.graph.node_weight(*part.first()?)?;
        let headline = format!("`{}` goes round without taking any time", journey.name);
        Some(
            Diagnostic::new(code::INSTANT_LOOP, first.span, headline)
                .label("comes back to here at once")
                .note(format!("the way round: {}", super::words(graph, part)))
                .help("put a wait into it"),
        )
    });
    found.collect()
}

pub(super) fn across(ties: &BTreeMap<Name, Ties>) -> Vec<Diagnostic> {
    let ring = links(ties);
    let mut parts = tarjan_scc(&ring);
    for part in &mut parts {
        part.sort_unstable();
    }
    parts.sort();
    parts.iter().filter_map(|part| ring_finding(&ring, *part.first()?)).collect()
}

/// The finding for the shortest ring through `first`, if it is on one.
fn ring_finding(ring: &DiGraph<Name, Link>, first: NodeIndex) -> Option<Diagnostic> {
    let (steps, names) = shortest_ring(ring, first)?;
    let headline = match names.as_slice() {
        [only] => format!("`{only}` sets itself off again and again without a pause"),
        names => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("{} set each other off for ever without a pause", names.join(" and "))
        }
    };
    let told: Vec<String> =
        names.iter().zip(&steps).map(|(name, link)| format!("`{name}` {}", link.how)).collect();
    let (link, rest) = steps.split_first()?;
    let mut found = Diagnostic::new(code::INSTANT_LOOP, link.span, headline).label("this way round");
    for link in rest {
        found = found.also(link.span, "and on from here");
    }
    found = found.note(format!("the way round: {}", told.join(", ")));
    Some(found.help("put a wait in front of one of these steps, or look for the condition on a schedule"))
}

/// The links and journeys of the shortest way from `first` back to itself.
fn shortest_ring(ring: &DiGraph<Name, Link>, first: NodeIndex) -> Option<(Vec<&Link>, Vec<Name>)> {
    let mut best: Option<(Vec<&Link>, Vec<Name>)> = None;
    for edge in ring.edges(first) {
        let Some((_, nodes)) = astar(ring, edge.target(), |at| at == first, |_| 1, |_| 0) else { continue };
        let between = nodes.windows(2).filter_map(|pair| match pair {
            [from, to] => ring.edges_connecting(*from, *to).last().map(|edge| edge.weight()),
            _ => None,
        });
        let links: Vec<&Link> = std::iter::once(edge.weight()).chain(between).collect();
        let behind = nodes.iter().take(nodes.len().saturating_sub(1));
        let names = std::iter::once(&first).chain(behind).filter_map(|&at| ring.node_weight(at)).copied();
        if best.as_ref().is_none_or(|(known, _)| links.len() <= known.len()) {
            best = Some((links, names.collect()));
        }
    }
    best
}
