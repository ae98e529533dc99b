//! Mermaid flowcharts, as GitHub and many wikis draw them.

use std::fmt::Write;

use petgraph::visit::EdgeRef;

use super::{caption, title};
use crate::graph::{EdgeKind, JourneyGraph, PointKind};

/// The graph as a Mermaid flowchart, in UTF-8.
#[must_use]
pub fn mermaid(graph: &JourneyGraph) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(graph, &mut out);
    out
}

fn write(graph: &JourneyGraph, out: &mut String) -> std::fmt::Result {
    writeln!(out, "---\ntitle: {}\n---", in_yaml(&title(graph)))?;
    writeln!(out, "flowchart TD")?;
    for (at, point) in graph.graph.node_indices().zip(graph.graph.node_weights()) {
        let (open, close) = brackets(point.kind);
        writeln!(out, "  n{}{open}\"{}\"{close}", at.index(), escaped(&caption(point)))?;
    }
    for edge in graph.graph.edge_references() {
        let (from, to, edge) = (edge.source().index(), edge.target().index(), edge.weight());
        let arrow = if edge.kind == EdgeKind::Timeout { "-.->" } else { "-->" };
        if edge.text.is_empty() {
            writeln!(out, "  n{from} {arrow} n{to}")?;
        } else {
            writeln!(out, "  n{from} {arrow}|\"{}\"| n{to}", escaped(&edge.text))?;
        }
    }
    Ok(())
}

fn brackets(kind: PointKind) -> (&'static str, &'static str) {
    match kind {
        PointKind::Enter | PointKind::Exit => ("([", "])"),
        PointKind::Decision => ("{", "}"),
        PointKind::Wait => ("{{", "}}"),
        PointKind::End | PointKind::Fall => ("((", "))"),
        _ => ("[", "]"),
    }
}

/// Signs that Mermaid reads itself become entities. The hash comes first, as entities begin with it.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for sign in text.chars() {
        match sign {
            '#' => out.push_str("#35;"),
            '"' => out.push_str("#quot;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '&' => out.push_str("#amp;"),
            '`' => out.push_str("#96;"),
            '\n' => out.push_str("<br>"),
            sign => out.push(sign),
        }
    }
    out
}

/// A double-quoted YAML scalar.
fn in_yaml(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
