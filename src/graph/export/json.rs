//! JSON, for tools of one's own.

use petgraph::visit::EdgeRef;
use serde_json::{Value, json};

use crate::graph::{Edge, JourneyGraph, Most, Point, longest};

/// The graph as one JSON object: `journey`, `label`, `longest_ms`, `nodes` and `edges`.
#[must_use]
pub fn json(graph: &JourneyGraph) -> Value {
    let longest = longest(graph);
    let nodes = graph.graph.node_indices().zip(graph.graph.node_weights());
    let edges = graph.graph.edge_references();
    json!({
        "journey": graph.journey,
        "label": graph.label,
        "longest_ms": longest.ms,
        "until": longest.until,
        "nodes": nodes.map(|(at, point)| node(at.index(), point)).collect::<Vec<_>>(),
        "edges": edges
            .map(|edge| self::edge(edge.source().index(), edge.target().index(), edge.weight()))
            .collect::<Vec<_>>(),
    })
}

fn node(id: usize, point: &Point) -> Value {
    json!({
        "id": id,
        "step": point.id,
        "kind": point.kind.as_str(),
        "label": point.label,
        "text": point.text,
    })
}

fn edge(from: usize, to: usize, edge: &Edge) -> Value {
    let (most_ms, until) = match &edge.delay.most {
        Most::Within(ms) => (Some(*ms), None),
        Most::Until(moment) => (None, Some(moment)),
    };
    json!({
        "from": from,
        "to": to,
        "kind": edge.kind.as_str(),
        "text": edge.text,
        "instant": edge.delay.instant,
        "most_ms": most_ms,
        "until": until,
    })
}
