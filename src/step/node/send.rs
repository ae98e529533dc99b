//! `send`: the gate decides at once; the provider is waited for only where an outcome branch asks.

use super::Flow;
use crate::expr::MessageEvent;
use crate::name::Name;
use crate::program::{Node, NodeId, NodeKind, Outcome};
use crate::step::actor::{Actor, News};
use crate::step::message::{self, Decided};
use crate::step::trace::Decision;
use crate::value::Length;

/// Where each outcome leads.
type Arms = [(Outcome, NodeId)];

pub(super) fn decide(actor: &mut Actor, node: &Node) -> Flow {
    let NodeKind::Send { content, channel, receipt, outcomes, otherwise, next, manner } = &node.kind else {
        return Flow::Wait;
    };
    match message::decide(actor, node.step, *channel, content, manner.as_deref()) {
        Err(outcome) => Flow::Go(arm(outcomes, outcome).unwrap_or(*otherwise)),
        Ok(Decided::OnRecord) => Flow::Go(good(outcomes, *next)),
        Ok(Decided::Contested) => Flow::Wait,
        Ok(_) if actor.leaving => Flow::Go(good(outcomes, *next)),
        // The gate lets it go later: the position is held.
        Ok(Decided::Held) => Flow::Wait,
        // A list holds the place until its last message has left; another row has to answer first.
        Ok(Decided::List | Decided::Elsewhere) => {
            actor.trace(Decision::Waits { until: None });
            Flow::Wait
        }
        Ok(Decided::Queued) => match receipt {
            Some(length) => report_within(actor, *length),
            None if arm(outcomes, Outcome::Sent).is_some() => {
                actor.trace(Decision::Waits { until: None });
                Flow::Wait
            }
            None => Flow::Go(good(outcomes, *next)),
        },
    }
}

fn report_within(actor: &mut Actor, length: Length) -> Flow {
    let deadline = actor.run.after(actor.run.now, length, &actor.scene());
    actor.wait_until(deadline, 0)
}

pub(super) fn told(actor: &mut Actor, node: &Node, news: News) {
    let NodeKind::Send { channel, receipt, outcomes, otherwise, next, .. } = &node.kind else { return };
    let target = match news {
        // Its report is waited for from here on: of a list from its last message, of another row from its answer.
        News::Accepted | News::Sent if may_say_more(actor, *channel, outcomes) => {
            if let Some(length) = receipt.filter(|_| actor.it.due.is_none()) {
                report_within(actor, length);
            }
            return;
        }
        // Its report is waited for once it has left.
        News::Held => return (actor.it.due, actor.it.deadline) = (None, None),
        News::Accepted if arm(outcomes, Outcome::Sent).is_some() => return,
        News::Accepted | News::Sent => good(outcomes, *next),
        // That it is with whoever is to send it on says nothing yet.
        News::Delivered if is_by_hand(outcomes) && arm(outcomes, Outcome::Delivered).is_none() => return,
        News::Confirmed => arm(outcomes, Outcome::Confirmed).unwrap_or_else(|| good(outcomes, *next)),
        News::Declined => arm(outcomes, Outcome::Refused).unwrap_or(*otherwise),
        News::Delivered => arm(outcomes, Outcome::Delivered).unwrap_or_else(|| good(outcomes, *next)),
        News::Failed => arm(outcomes, Outcome::Failed).unwrap_or(*otherwise),
        News::Refused(outcome) => arm(outcomes, outcome).unwrap_or(*otherwise),
    };
    actor.go(target);
}

/// No receipt within the time for it: what was accepted counts as sent, unless somebody was to send it by hand.
pub(super) fn receipt_timeout(actor: &mut Actor, node: &Node) {
    let NodeKind::Send { outcomes, otherwise, next, .. } = &node.kind else { return };
    actor.trace(Decision::TimedOut);
    let target = if is_by_hand(outcomes) {
        arm(outcomes, Outcome::Expired).unwrap_or(*otherwise)
    } else {
        good(outcomes, *next)
    };
    actor.go(target);
}

/// Whether a branch asks what people of the bank did with it.
fn is_by_hand(outcomes: &Arms) -> bool {
    outcomes.iter().any(|(outcome, _)| outcome.is_by_hand())
}

/// Whether a branch asks what became of an accepted message, and the channel reports it. A channel that reports
/// deliveries also reports that there was none.
fn may_say_more(actor: &Actor, channel: Name, outcomes: &Arms) -> bool {
    let channel = actor.run.world.index().channels.get(&channel);
    let reports = channel.is_some_and(|channel| {
        channel.outcomes.iter().any(|event| {
            matches!(event, MessageEvent::Delivered | MessageEvent::Failed | MessageEvent::Confirmed)
        })
    });
    reports && outcomes.iter().any(|(outcome, _)| outcome.is_receipt())
}

fn good(outcomes: &Arms, next: NodeId) -> NodeId {
    arm(outcomes, Outcome::Sent).unwrap_or(next)
}

fn arm(outcomes: &Arms, wanted: Outcome) -> Option<NodeId> {
    outcomes.iter().find(|(outcome, _)| *outcome == wanted).map(|(_, node)| *node)
}
