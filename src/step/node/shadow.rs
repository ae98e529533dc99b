//! Held out: the instance runs as a shadow, to compare with. Waits, goals and exits are those of everybody; what would
//! change anything but the instance itself is passed by, and the trace says so. Messages: [`crate::step::message`].

use super::{Flow, give};
use crate::name::Name;
use crate::program::{Assign, Node, NodeKind};
use crate::step::actor::Actor;
use crate::step::message;
use crate::step::symbols::OVERDUE;
use crate::step::trace::{Act, Decision};

/// Passes the node by if the instance is a shadow and others would notice what stands there.
pub(super) fn pass(actor: &mut Actor, node: &Node) -> Option<Flow> {
    let (act, what, next) = match &node.kind {
        NodeKind::Tag { tag, next, .. } => (Act::Tag, *tag, *next),
        NodeKind::Untag { tag, next } => (Act::Untag, *tag, *next),
        NodeKind::Start { journey, next, .. } => (Act::Start, *journey, *next),
        NodeKind::Assign(assign) => (Act::Assign, assign.task, assign.next),
        NodeKind::Hide { next, .. } => (Act::Hide, node.step, *next),
        NodeKind::Give { .. } => (Act::Give, node.step, give::given(&node.kind)),
        // Messages and what is shown are held back where they are decided; nobody notices the rest.
        NodeKind::Send { .. }
        | NodeKind::Reach { .. }
        | NodeKind::Show(_)
        | NodeKind::Pause { .. }
        | NodeKind::UntilMoment { .. }
        | NodeKind::UntilState { .. }
        | NodeKind::Events { .. }
        | NodeKind::If { .. }
        | NodeKind::Match { .. }
        | NodeKind::Remember { .. }
        | NodeKind::End { .. }
        | NodeKind::Rounds { .. }
        | NodeKind::Round { .. }
        | NodeKind::Split { .. } => return None,
    };
    if !message::is_held_out(actor) {
        return None;
    }
    let what = actor.run.sym(what);
    actor.trace(Decision::Spared { act, what });
    match &node.kind {
        NodeKind::Assign(assign) if !assign.results.is_empty() && !actor.leaving => {
            Some(undone(actor, assign))
        }
        _ => Some(Flow::Go(next)),
    }
}

/// Nobody is asked, so nobody does it: the shadow waits until it is overdue.
fn undone(actor: &mut Actor, assign: &Assign) -> Flow {
    let Some(due) = assign.due else { return Flow::Go(assign.next) };
    let deadline = actor.run.after(actor.run.now, due, &actor.scene());
    actor.wait_until(deadline, 0)
}

/// The time of a task is up that nobody was asked to do.
pub(super) fn overdue(actor: &mut Actor, assign: &Assign) {
    let overdue = Name::new(OVERDUE);
    let target = assign.results.iter().find(|(result, _)| *result == overdue).map(|(_, target)| *target);
    actor.go(target.unwrap_or(assign.next));
}
