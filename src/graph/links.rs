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

/// How one journey hangs together with others.
#[derive(Debug)]
pub(super) struct Ties {
    /// Tags whose change can make its entry condition true.
    watched: Vec<Watched>,
    /// What it does in the instant in which it was entered.
    deeds: Vec<(Deed, Span)>,
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    Start(Name),
    Tag(Name),
    Untag(Name),
}

#[derive(Debug)]
struct Watched {
    tag: Name,
    /// By setting it, by removing it.
    set: bool,
    removed: bool,
}

/// The ties of `journey`, if it sets anything off: without that it is on no ring.
pub(super) fn ties(model: &Model, journey: &Journey, graph: &JourneyGraph) -> Option<Ties> {
    let deeds = deeds(journey, graph);
    (!deeds.is_empty()).then(|| Ties { watched: watched(model, journey), deeds })
}

/// All links between journeys that set others off. Nodes are in the order of names.
pub(super) fn links(ties: &BTreeMap<Name, Ties>) -> DiGraph<Name, Link> {
    let mut ring = DiGraph::new();
    let nodes: BTreeMap<Name, NodeIndex> = ties.keys().map(|&name| (name, ring.add_node(name))).collect();
    let mut listeners = Listeners::new();
    for (&name, ties) in ties {
        for watched in &ties.watched {
            let (set, removed) = listeners.entry(watched.tag).or_default().entry(name).or_default();
            *set |= watched.set;
            *removed |= watched.removed;
        }
    }
    for (name, ties) in ties {
        let Some(&from) = nodes.get(name) else { continue };
        for &(deed, span) in &ties.deeds {
            for (to, how) in set_off(deed, &listeners) {
                if let Some(&to) = nodes.get(&to) {
                    ring.add_edge(from, to, Link { how, span });
                }
            }
        }
    }
    ring
}

type Listeners = BTreeMap<Name, BTreeMap<Name, (bool, bool)>>;

/// The journeys that `deed` makes begin, and how.
fn set_off(deed: Deed, listeners: &Listeners) -> Vec<(Name, String)> {
    let entered = |tag: Name| listeners.get(&tag).into_iter().flatten();
    match deed {
        Deed::Start(to) => vec![(to, format!("starts `{to}`"))],
        Deed::Tag(tag) => entered(tag)
            .filter(|(_, (set, _))| *set)
            .map(|(&to, _)| (to, format!("tags `{tag}`, on which `{to}` enters")))
            .collect(),
        Deed::Untag(tag) => entered(tag)
            .filter(|(_, (_, removed))| *removed)
            .map(|(&to, _)| (to, format!("removes the tag `{tag}`, on which `{to}` enters")))
            .collect(),
    }
}

fn deeds(journey: &Journey, graph: &JourneyGraph) -> Vec<(Deed, Span)> {
    let whens = journey.exits.iter().zip(&graph.exits);
    let whens = whens.filter(|(exit, _)| matches!(exit.trigger, Trigger::When(_))).map(|(_, &point)| point);
    let mut points: Vec<NodeIndex> =
        std::iter::once(graph.entry).chain(whens).flat_map(|from| graph.instantly_from(from)).collect();
    points.sort_unstable();
    points.dedup();
    let deeds = points.into_iter().filter_map(|at| graph.graph.node_weight(at)).filter_map(|point| {
        let deed = match point.kind {
            PointKind::Start(to) => Deed::Start(to),
            PointKind::Tag(tag) => Deed::Tag(tag),
            PointKind::Untag(tag) => Deed::Untag(tag),
            _ => return None,
        };
        Some((deed, point.span))
    });
    deeds.collect()
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
