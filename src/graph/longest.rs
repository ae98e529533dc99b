//! How long an instance can live: the longest way through a graph.

use petgraph::Direction;
use petgraph::algo::toposort;
use petgraph::visit::{EdgeFiltered, EdgeRef};

use super::{EdgeKind, JourneyGraph, Most};

/// The worst case of a journey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Longest {
    /// Milliseconds, without the moments that data decides. `None`: for ever, because the journey goes round.
    pub ms: Option<i64>,
    /// Moments on the way that data decides, in the order written.
    pub until: Vec<String>,
}

/// The longest time from entering to the end, over all paths.
#[must_use]
pub fn longest(graph: &JourneyGraph) -> Longest {
    let graph = &graph.graph;
    let until = graph.edge_weights().filter_map(|edge| match &edge.delay.most {
        Most::Until(moment) => Some(moment.clone()),
        Most::Within(_) => None,
    });
    let mut until: Vec<String> = until.collect();
    until.dedup();
    // Rounds are counted: what they take together stands at the way out of the `repeat`.
    let forward = EdgeFiltered::from_fn(graph, |edge| edge.weight().kind != EdgeKind::Again);
    let Ok(order) = toposort(&forward, None) else { return Longest { ms: None, until } };
    let mut arrival = vec![0_i64; graph.node_count()];
    for node in order {
        let incoming = graph.edges_directed(node, Direction::Incoming);
        let incoming = incoming.filter(|edge| edge.weight().kind != EdgeKind::Again);
        let latest = incoming.map(|edge| {
            let before = arrival.get(edge.source().index()).copied().unwrap_or_default();
            match edge.weight().delay.most {
                Most::Within(ms) => before.saturating_add(ms),
                Most::Until(_) => before,
            }
        });
        let latest = latest.max().unwrap_or_default();
        if let Some(slot) = arrival.get_mut(node.index()) {
            *slot = latest;
        }
    }
    Longest { ms: arrival.into_iter().max(), until }
}
