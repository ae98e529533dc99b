//! How journeys set each other off at once: `start`, and a tag that another journey's `enter when` looks at.

use std::collections::BTreeMap;

use petgraph::graph::{DiGraph, NodeIndex};

use super::{JourneyGraph, PointKind};
use crate::expr::{BinaryOp, Expr};
use crate::model::journey::Trigger;
use crate::model::{Journey, Model, Uses};
use crate::name::Name;
use crate::program::Enter;
use crate::text::Span;

/// One journey makes another one begin, in the instant in which it was itself entered.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// `starts`, or `tags t, on which … enters`.
    pub(super) how: String,
    pub(super) span: Span,
}

/// All such links. Nodes are in the order of names.
pub(super) fn links(model: &Model, graphs: &BTreeMap<Name, JourneyGraph>) -> DiGraph<Name, Link> {
    let mut ring = DiGraph::new();
    let nodes: BTreeMap<Name, NodeIndex> = graphs.keys().map(|&name| (name, ring.add_node(name))).collect();
    let listeners: Vec<(Name, Vec<Watched>)> =
        model.journeys.values().map(|journey| (journey.name, watched(model, journey))).collect();
    for journey in model.journeys.values() {
        let (Some(graph), Some(&from)) = (graphs.get(&journey.name), nodes.get(&journey.name)) else {
            continue;
        };
        for (to, link) in set_off(journey, graph, &listeners) {
            if let Some(&to) = nodes.get(&to) {
                ring.add_edge(from, to, link);
            }
        }
    }
    ring
}

/// A tag whose change can make an entry condition true.
struct Watched {
    tag: Name,
    /// By setting it, by removing it.
    set: bool,
    removed: bool,
}

fn set_off(journey: &Journey, graph: &JourneyGraph, listeners: &[(Name, Vec<Watched>)]) -> Vec<(Name, Link)> {
    let mut found = Vec::new();
    let whens = journey.exits.iter().zip(&graph.exits);
    let whens = whens.filter(|(exit, _)| matches!(exit.trigger, Trigger::When(_))).map(|(_, &point)| point);
    let mut points: Vec<NodeIndex> =
        std::iter::once(graph.entry).chain(whens).flat_map(|from| graph.instantly_from(from)).collect();
    points.sort_unstable();
    points.dedup();
    for point in points.into_iter().filter_map(|at| graph.graph.node_weight(at)) {
        let wakes = |tag: Name, set: bool| {
            let entered = listeners.iter().filter(move |(_, watched)| {
                watched.iter().any(|one| one.tag == tag && if set { one.set } else { one.removed })
            });
            entered.map(|(name, _)| *name)
        };
        let link = |how: String| Link { how, span: point.span };
        match point.kind {
            PointKind::Start(to) => found.push((to, link(format!("starts `{to}`")))),
            PointKind::Tag(tag) => found.extend(
                wakes(tag, true).map(|to| (to, link(format!("tags `{tag}`, on which `{to}` enters")))),
            ),
            PointKind::Untag(tag) => found.extend(
                wakes(tag, false)
                    .map(|to| (to, link(format!("removes the tag `{tag}`, on which `{to}` enters")))),
            ),
            _ => {}
        }
    }
    found
}

/// The tags that the entry condition looks at whenever something comes in. A schedule is a pause.
fn watched(model: &Model, journey: &Journey) -> Vec<Watched> {
    let mut found = Vec::new();
    if let Enter::When { condition, schedule: None } = &journey.enter {
        Watch { model, found: &mut found }.look(condition, &journey.uses, Sign::Plus, 0);
    }
    found
}

/// Whether a part becoming true can make the whole true, or its becoming false, or both.
#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Plus,
    Minus,
    Both,
}

impl Sign {
    fn flipped(self) -> Self {
        match self {
            Self::Plus => Self::Minus,
            Self::Minus => Self::Plus,
            Self::Both => Self::Both,
        }
    }
}

struct Watch<'a> {
    model: &'a Model,
    found: &'a mut Vec<Watched>,
}

impl Watch<'_> {
    fn look(&mut self, expr: &Expr, uses: &Uses, sign: Sign, depth: usize) {
        match expr {
            Expr::Tag(_, tag) => {
                let (set, removed) = (sign != Sign::Minus, sign != Sign::Plus);
                self.found.push(Watched { tag: *tag, set, removed });
            }
            Expr::Not(inner) => self.look(inner, uses, sign.flipped(), depth),
            Expr::Binary(BinaryOp::And | BinaryOp::Or, left, right) => {
                self.look(left, uses, sign, depth);
                self.look(right, uses, sign, depth);
            }
            Expr::Def(_, index) => {
                let name = uses.defs.get(usize::from(*index));
                let derived = name.and_then(|name| self.model.derived.get(name));
                // Definitions cannot go round; the bound only keeps a broken model from hanging this.
                if let Some(derived) = derived.filter(|_| depth < 64) {
                    self.look(&derived.value, &derived.uses, sign, depth + 1);
                }
            }
            other => other.parts().into_iter().for_each(|part| self.look(part, uses, Sign::Both, depth)),
        }
    }
}
