//! Whether something comes before something else on every way: dominance, with a way around as the counterexample.
//!
//! SOUND: if no way around is found, every run that comes to the place has gone one of the guarded ways before.

use petgraph::graph::NodeIndex;

use super::facts::Facts;
use super::flow::Flow;
use super::path::{Witness, way_to};
use crate::graph::Edge;

/// A way to `to` that takes none of the ways that `guards` picks by where they come from; `None`: there is none.
#[must_use]
pub fn way_around(
    flow: &Flow<'_>,
    facts: &Facts<'_>,
    to: NodeIndex,
    guards: &dyn Fn(NodeIndex, &Edge) -> bool,
) -> Option<Witness> {
    let mut around = flow.clone();
    let places = flow.graph.node_indices().filter(|at| *at != to);
    let guarded = places.flat_map(|at| {
        let ways = flow.ways(at).filter(move |(.., edge)| guards(at, edge));
        ways.map(|(way, ..)| way)
    });
    let shut: Vec<_> = guarded.collect();
    around.shut.extend(shut);
    way_to(&around, facts, to)
}
