//! What the steps do. Each kind of node has a file; here they are told apart.

mod branch;
mod give;
mod reach;
mod repeat;
mod send;
mod shadow;
mod split;
mod start;
mod tag;
mod wait;

pub(super) use reach::is_overrun;

use super::actor::{Actor, News};
use super::occurrence::Occurrence;
use super::show;
use super::symbols::Sym;
use super::task;
use super::trace::Decision;
use crate::expr::{Expr, eval};
use crate::name::Name;
use crate::program::{NodeId, NodeKind};

pub(super) enum Flow {
    Go(NodeId),
    /// Something outside must happen first.
    Wait,
    End(Name),
}

/// Does what stands at the instance's node.
pub(super) fn execute(actor: &mut Actor) -> Flow {
    let Some(node) = actor.node() else { return Flow::Wait };
    if let Some(flow) = shadow::pass(actor, node) {
        return flow;
    }
    match &node.kind {
        NodeKind::Send { .. } => send::decide(actor, node),
        NodeKind::Reach { .. } => reach::begin(actor, node),
        NodeKind::Pause { length, .. } => wait::pause(actor, *length),
        NodeKind::UntilMoment { moment, next } => wait::until_moment(actor, moment, *next),
        NodeKind::UntilState { condition, within, from, next, .. } => {
            wait::until_state(actor, condition, *within, from, *next)
        }
        NodeKind::Events { arms, within, from, .. } => wait::events(actor, arms, *within, from),
        NodeKind::If { condition, then, otherwise } => branch::on(actor, condition, *then, *otherwise),
        NodeKind::Match { subjects, cases, otherwise } => branch::among(actor, subjects, cases, *otherwise),
        NodeKind::Tag { tag, keep, next } => tag::give(actor, *tag, *keep, *next),
        NodeKind::Untag { tag, next } => tag::take(actor, *tag, *next),
        NodeKind::Remember { slot, value, next } => remember(actor, *slot, value, *next),
        NodeKind::Start { .. } => start::start(actor, node),
        NodeKind::End { name } => Flow::End(*name),
        NodeKind::Rounds { slot, first, from, next } => repeat::begin(actor, *slot, first, from, *next),
        NodeKind::Round { .. } => repeat::next(actor, &node.kind),
        NodeKind::Assign(assign) => task::assign(actor, node.step, assign),
        NodeKind::Give { .. } => give::decide(actor, node),
        NodeKind::Split { experiment, arms, next, winner } => {
            let winner = winner.as_deref();
            split::take(actor, &split::Split { experiment: *experiment, arms, next: *next, winner })
        }
        NodeKind::Show(show) => Flow::Go(show.way(show::place(actor, show))),
        NodeKind::Hide { contents, slots, next } => {
            show::hide(actor, contents, slots);
            Flow::Go(*next)
        }
    }
}

/// Something happened that is neither goal nor exit.
pub(super) fn hear(actor: &mut Actor, occurrence: &Occurrence) {
    if actor.has_ended() {
        return;
    }
    // Before it moves anybody on: what ends this wait may count for a later one too.
    wait::look_back(actor, occurrence);
    match actor.node().map(|node| &node.kind) {
        Some(NodeKind::Events { arms, .. }) if wait::heard(actor, arms, occurrence) => {}
        Some(NodeKind::Reach { rungs, .. }) if reach::heard(actor, rungs, occurrence) => {}
        _ => wait::note_late(actor, occurrence),
    }
}

/// The node's timer is due.
pub(super) fn wake(actor: &mut Actor) {
    let Some(node) = actor.node() else { return };
    match &node.kind {
        NodeKind::Pause { next, .. } | NodeKind::UntilMoment { next, .. } => actor.go(*next),
        NodeKind::UntilState { condition, next, timeout, .. } => {
            wait::state_timeout(actor, condition, *next, *timeout);
        }
        NodeKind::Events { arms, timeout, .. } => wait::events_timeout(actor, arms, *timeout),
        NodeKind::Send { .. } => send::receipt_timeout(actor, node),
        NodeKind::Reach { .. } => reach::rung_timeout(actor, node),
        NodeKind::Round { .. } => repeat::tick(actor, &node.kind),
        NodeKind::Assign(assign) => shadow::overdue(actor, assign),
        _ => {}
    }
}

/// Attributes, tags or history may have changed.
pub(super) fn look(actor: &mut Actor) {
    if actor.has_ended() {
        return;
    }
    match actor.node().map(|node| &node.kind) {
        Some(NodeKind::UntilState { condition, next, .. }) => _ = wait::look(actor, condition, *next),
        Some(NodeKind::UntilMoment { moment, next }) => wait::retime(actor, moment, *next),
        _ => {}
    }
}

/// Its message competed with others, and its turn has come.
pub(super) fn resume(actor: &mut Actor) {
    let Some(node) = actor.node() else { return };
    let flow = match &node.kind {
        NodeKind::Send { .. } => send::decide(actor, node),
        NodeKind::Reach { .. } => reach::climb(actor, node),
        _ => Flow::Wait,
    };
    if let Flow::Go(target) = flow {
        actor.go(target);
    }
}

/// What became of what this node gives.
pub(super) fn permitted(actor: &mut Actor, outcome: Name) {
    if let Some(node) = actor.node() {
        give::permitted(actor, node, outcome);
    }
}

/// What became of the message of `step`.
pub(super) fn told(actor: &mut Actor, step: Sym, news: News) {
    let Some(node) = actor.node() else { return };
    match &node.kind {
        NodeKind::Send { .. } if actor.run.sym(actor.message_of(node.step)) == step => {
            send::told(actor, node, news);
        }
        NodeKind::Reach { .. } => reach::told(actor, node, step, news),
        _ => {}
    }
}

fn remember(actor: &mut Actor, slot: u16, value: &Expr, next: NodeId) -> Flow {
    let value = eval(value, &actor.scene());
    if let Some(local) = actor.it.locals.get_mut(usize::from(slot)) {
        *local = (value.clone(), None);
    }
    actor.trace(Decision::Remembered { slot, value });
    Flow::Go(next)
}
