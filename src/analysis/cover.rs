//! Whether something comes before something else on every way: dominance, with a way around as the counterexample.
//!
//! SOUND: if no way around is found, every run that comes to the place has passed one of the guards before.

use petgraph::graph::NodeIndex;

use super::facts::Facts;
use super::flow::Flow;
use super::path::{Witness, way_to};

/// A way to `to` that passes none of `guards`; `None`: there is none.
#[must_use]
pub fn way_around(
    flow: &Flow<'_>,
    facts: &Facts<'_>,
    to: NodeIndex,
    guards: &dyn Fn(NodeIndex) -> bool,
) -> Option<Witness> {
    let mut around = flow.clone();
    let guarded = flow.graph.node_indices().filter(|at| *at != to && guards(*at));
    let shut: Vec<_> =
        guarded.flat_map(|at| flow.ways(at).map(|(way, ..)| way).collect::<Vec<_>>()).collect();
    around.shut.extend(shut);
    way_to(&around, facts, to)
}
