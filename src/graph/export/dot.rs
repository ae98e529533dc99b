//! Graphviz.

use std::fmt::Write;

use petgraph::visit::EdgeRef;

use super::{caption, title};
use crate::graph::{EdgeKind, JourneyGraph, PointKind};

/// The graph in the DOT language, in UTF-8.
#[must_use]
pub fn dot(graph: &JourneyGraph) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(graph, &mut out);
    out
}

fn write(graph: &JourneyGraph, out: &mut String) -> std::fmt::Result {
    writeln!(out, "digraph {} {{", quoted(graph.journey.as_str()))?;
    writeln!(out, "  graph [label={}, labelloc=t, fontname=\"sans-serif\"];", quoted(&title(graph)))?;
    writeln!(out, "  node [shape=box, style=rounded, fontname=\"sans-serif\"];")?;
    writeln!(out, "  edge [fontname=\"sans-serif\"];")?;
    for (at, point) in graph.graph.node_indices().zip(graph.graph.node_weights()) {
        let shape = shape(point.kind).map(|shape| format!(", shape={shape}")).unwrap_or_default();
        writeln!(out, "  n{} [label={}{shape}];", at.index(), quoted(&caption(point)))?;
    }
    for edge in graph.graph.edge_references() {
        let (from, to, edge) = (edge.source().index(), edge.target().index(), edge.weight());
        let mut attributes = Vec::new();
        if !edge.text.is_empty() {
            attributes.push(format!("label={}", quoted(&edge.text)));
        }
        if edge.kind == EdgeKind::Timeout {
            attributes.push("style=dashed".to_owned());
        }
        let attributes =
            if attributes.is_empty() { String::new() } else { format!(" [{}]", attributes.join(", ")) };
        writeln!(out, "  n{from} -> n{to}{attributes};")?;
    }
    writeln!(out, "}}")
}

fn shape(kind: PointKind) -> Option<&'static str> {
    match kind {
        PointKind::Enter | PointKind::Exit => Some("invhouse"),
        PointKind::Decision => Some("diamond"),
        PointKind::Wait => Some("hexagon"),
        PointKind::End => Some("doublecircle"),
        PointKind::Fall => Some("octagon"),
        _ => None,
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for sign in text.chars() {
        match sign {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            sign => out.push(sign),
        }
    }
    out.push('"');
    out
}
