//! `reach`: rungs in order until one is answered. A refused rung falls to the next at once; a sent one waits for its
//! own events, from its own send and within its own time.
//!
//! A message may still be on its way when the time of its rung is over: the daemon or its provider was away. The next rung does
//! not overtake it: its time begins anew when the provider has taken it. A provider that does not take it has the same time again;
//! then it is not tried once more, and there is the next rung.

use super::{Flow, wait};
use crate::expr::{Expr, eval};
use crate::program::{Node, NodeKind, Rung};
use crate::step::actor::{Actor, News};
use crate::step::lateness;
use crate::step::message::{self, Decided};
use crate::step::occurrence::Occurrence;
use crate::step::run::{LAST, Run};
use crate::step::state::{Ladder, Message};
use crate::step::symbols::Sym;
use crate::step::trace::Decision;
use crate::value::Value;

pub(super) fn begin(actor: &mut Actor, node: &Node) -> Flow {
    let NodeKind::Reach { prefer, rungs, .. } = &node.kind else { return Flow::Wait };
    let order = order(actor, prefer.as_ref(), rungs);
    actor.it.ladder = Some(Ladder { order, at: 0, sent: 0 });
    climb(actor, node)
}

/// Whether the occurrence answered the rung that is being tried.
pub(super) fn heard(actor: &mut Actor, rungs: &[Rung], occurrence: &Occurrence) -> bool {
    let Some(rung) = current(actor, rungs) else { return false };
    let Some(deadline) = actor.it.deadline else { return false };
    let from = actor.it.since;
    let won = rung
        .awaits
        .iter()
        .find(|number| from <= occurrence.at && wait::counts(actor, **number, occurrence, deadline));
    let Some(number) = won else { return false };
    let record = Value::Record(occurrence.record(actor.loaded));
    wait::keep(actor, *number, occurrence.at, record);
    actor.trace(Decision::Happened { awaited: *number, at: occurrence.at });
    actor.it.ladder = None;
    actor.go(rung.success);
    true
}

pub(super) fn rung_timeout(actor: &mut Actor, node: &Node) {
    let NodeKind::Reach { rungs, .. } = &node.kind else { return };
    let step = current(actor, rungs).map(|rung| actor.run.sym(actor.message_of(rung.step)));
    let rung = current(actor, rungs);
    if let Some(rung) = rung.filter(|_| step.is_some_and(|step| is_on_its_way(actor, step))) {
        return overrun(actor, rung);
    }
    if let Some(rung) = rung {
        wait::miss(actor, rung.awaits.iter().copied());
    }
    actor.trace(Decision::TimedOut);
    next_rung(actor, node);
}

/// The rung's message has not left, or nobody knows yet whether it has: what becomes of it is waited for. An answer to it
/// counts whenever it comes. For the same time again whoever does not take it is asked again, as for any message.
fn overrun(actor: &mut Actor, rung: &Rung) {
    let is_first = actor.it.deadline != Some(LAST);
    let due = is_first.then(|| actor.run.after(actor.run.now, rung.within, &actor.scene()));
    (actor.it.due, actor.it.deadline) = (due, Some(LAST));
    actor.trace(Decision::Waits { until: due });
}

/// Whether the message is that of a rung whose time went by twice before it was known to have left.
pub(in crate::step) fn is_overrun(run: &mut Run, message: &Message) -> bool {
    let mut found = false;
    message::with_instance(run, message, |actor| {
        found = waits_for(&actor, message.step) && actor.it.due.is_none();
        actor.stay()
    });
    found
}

/// Whether the message of this step is waited for, whose rung has no time any more.
fn waits_for(actor: &Actor, step: Sym) -> bool {
    let Some(NodeKind::Reach { rungs, .. }) = actor.node().map(|node| &node.kind) else { return false };
    actor.it.deadline == Some(LAST) && is_current(actor, rungs, step)
}

/// Whether the newest message of this step has been decided, and no answer to it is known.
fn is_on_its_way(actor: &Actor, step: Sym) -> bool {
    let own = |message: &&Message| message.step == step && message::is_of(message, &actor.it);
    actor.run.state.messages.iter().rfind(own).is_some_and(|message| message.status.is_on_its_way())
}

/// What became of a rung's message: one that never left, or that the provider refused, falls to the next rung.
pub(super) fn told(actor: &mut Actor, node: &Node, step: Sym, news: News) {
    let NodeKind::Reach { rungs, .. } = &node.kind else { return };
    let is_current = is_current(actor, rungs, step);
    let is_held = is_current && actor.it.deadline.is_none();
    let is_overrun = waits_for(actor, step);
    match news {
        News::Sent | News::Delivered | News::Confirmed if is_overrun => {
            if let Some(rung) = current(actor, rungs) {
                wait_for(actor, rung);
            }
            return;
        }
        News::Accepted | News::Sent if is_held => {
            if let Some(rung) = current(actor, rungs) {
                sent(actor, rung);
            }
            return;
        }
        News::Held => (actor.it.due, actor.it.deadline) = (None, None),
        News::Failed | News::Declined | News::Refused(_) => {}
        News::Accepted | News::Sent | News::Delivered | News::Confirmed => return,
    }
    // What is held was not sent, and a message of another step was never counted.
    let is_counted = !is_held && rungs.iter().any(|rung| actor.run.sym(actor.message_of(rung.step)) == step);
    if let Some(ladder) = actor.it.ladder.as_mut().filter(|_| is_counted) {
        ladder.sent = ladder.sent.saturating_sub(1);
    }
    if news == News::Held {
        return;
    }
    if is_current {
        next_rung(actor, node);
    }
}

fn next_rung(actor: &mut Actor, node: &Node) {
    if let Some(ladder) = &mut actor.it.ladder {
        ladder.at = ladder.at.saturating_add(1);
    }
    actor.it.since = actor.run.now;
    (actor.it.due, actor.it.deadline) = (None, None);
    if crate::step::exits::look(actor) {
        return;
    }
    match climb(actor, node) {
        Flow::Go(target) => actor.go(target),
        Flow::Wait | Flow::End(_) => {}
    }
}

/// Tries rungs from the current one on until one is sent.
pub(super) fn climb(actor: &mut Actor, node: &Node) -> Flow {
    let NodeKind::Reach { rungs, otherwise, not_sent, .. } = &node.kind else { return Flow::Wait };
    while let Some(rung) = current(actor, rungs) {
        match message::decide(actor, rung.step, rung.channel, &rung.content, None) {
            Ok(Decided::Contested) => return Flow::Wait,
            // In an exit block nobody waits, and what is held leaves all the same.
            Ok(Decided::Held) if !actor.leaving => return Flow::Wait,
            Ok(_) => return sent(actor, rung),
            Err(_) => {}
        }
        if let Some(ladder) = &mut actor.it.ladder {
            ladder.at = ladder.at.saturating_add(1);
        }
    }
    let sent = actor.it.ladder.take().is_some_and(|ladder| ladder.sent > 0);
    Flow::Go(if sent { *otherwise } else { *not_sent })
}

/// The rung's message is on its way: its answer is waited for from here on.
fn sent(actor: &mut Actor, rung: &Rung) -> Flow {
    if let Some(ladder) = &mut actor.it.ladder {
        ladder.sent = ladder.sent.saturating_add(1);
    }
    actor.it.since = actor.run.now;
    wait_for(actor, rung)
}

/// The time of a rung, from now on.
fn wait_for(actor: &mut Actor, rung: &Rung) -> Flow {
    let deadline = actor.run.after(actor.run.now, rung.within, &actor.scene());
    let late_ms = lateness::of_awaits(rung.awaits.iter().copied(), actor.loaded, actor.run.world);
    actor.wait_until(deadline, late_ms)
}

fn current<'n>(actor: &Actor, rungs: &'n [Rung]) -> Option<&'n Rung> {
    let ladder = actor.it.ladder.as_ref()?;
    let at = ladder.order.get(usize::from(ladder.at))?;
    rungs.get(usize::from(*at))
}

/// Whether the rung that is being tried sends the message of this step.
fn is_current(actor: &Actor, rungs: &[Rung], step: Sym) -> bool {
    current(actor, rungs).is_some_and(|rung| actor.run.sym(actor.message_of(rung.step)) == step)
}

/// The order written, with the rung of the preferred channel first.
fn order(actor: &Actor, prefer: Option<&Expr>, rungs: &[Rung]) -> Vec<u8> {
    let mut order: Vec<u8> = (0..=u8::MAX).take(rungs.len()).collect();
    let preferred = prefer.map(|prefer| eval(prefer, &actor.scene()));
    let found = rungs.iter().position(|rung| match &preferred {
        Some(Value::Choice(channel)) => rung.channel == *channel,
        Some(Value::Text(channel)) => rung.channel.as_str() == &**channel,
        _ => false,
    });
    if let Some(front) = order.get_mut(..=found.unwrap_or(0)) {
        front.rotate_right(1.min(front.len().saturating_sub(1)));
    }
    order
}
