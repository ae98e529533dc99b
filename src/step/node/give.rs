//! `grant`, `exchange`, `draw`: decided at once, or when the ledger has answered.

use super::Flow;
use crate::name::Name;
use crate::program::value::outcome;
use crate::program::{Node, NodeId, NodeKind};
use crate::step::actor::Actor;
use crate::step::give::{self, Given};
use crate::step::trace::Decision;

pub(super) fn decide(actor: &mut Actor, node: &Node) -> Flow {
    let NodeKind::Give { giving, .. } = &node.kind else { return Flow::Wait };
    match give::give(actor, node.step, giving) {
        Given::Now(outcome) => Flow::Go(target(&node.kind, outcome)),
        Given::Asked => {
            actor.trace(Decision::Waits { until: None });
            Flow::Wait
        }
    }
}

/// The ledger has answered: this is what became of it.
pub(super) fn permitted(actor: &mut Actor, node: &Node, outcome: Name) {
    let to = target(&node.kind, outcome);
    actor.go(to);
}

/// Where it leads if it is given.
pub(super) fn given(kind: &NodeKind) -> NodeId {
    target(kind, Name::new(outcome::GRANTED))
}

/// A branch of its own, else behind the step if it is good, else `else`. Prizes are good; so is `granted`.
fn target(kind: &NodeKind, name: Name) -> NodeId {
    let NodeKind::Give { outcomes, otherwise, next, .. } = kind else { return NodeId::MAX };
    if let Some((_, node)) = outcomes.iter().find(|(known, _)| *known == name) {
        return *node;
    }
    let is_bad = name.as_str() != outcome::GRANTED && outcome::ALL.contains(&name.as_str());
    if is_bad { *otherwise } else { *next }
}
