//! A journey graph for other tools. The same graph gives the same bytes.

mod dot;
mod json;
mod mermaid;

pub use dot::dot;
pub use json::json;
pub use mermaid::mermaid;

use super::{JourneyGraph, Point};

/// What a drawing says at a place: the label where there is one, then what happens.
fn caption(point: &Point) -> String {
    match &point.label {
        Some(label) => format!("{label}\n{}", point.text),
        None => point.text.clone(),
    }
}

/// `首贷福利 (first_loan)`
fn title(graph: &JourneyGraph) -> String {
    match &graph.label {
        Some(label) => format!("{label} ({})", graph.journey),
        None => graph.journey.to_string(),
    }
}
