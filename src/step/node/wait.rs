//! The four waits. An event counts if it happened in [anchor, deadline), whenever it arrives before the timer, which
//! fires at the deadline plus the lateness of what is awaited.

use jiff::Timestamp;

use super::Flow;
use crate::expr::{Anchor, Expr, eval};
use crate::program::{Await, NodeId, NodeKind};
use crate::step::actor::Actor;
use crate::step::enter::as_moment;
use crate::step::lateness;
use crate::step::occurrence::Occurrence;
use crate::step::scene::Scene;
use crate::step::trace::Decision;
use crate::value::{Length, Value};

/// Arms of a wait: numbers of awaits, and where each leads.
type Arms = [(u16, NodeId)];

pub(super) fn pause(actor: &mut Actor, length: Length) -> Flow {
    let until = actor.run.after(actor.run.now, length, &actor.scene());
    actor.wait_until(until, 0)
}

/// A moment that is past, or missing, does not hold anybody up.
pub(super) fn until_moment(actor: &mut Actor, moment: &Expr, next: NodeId) -> Flow {
    if let Some(until) = moment_ahead(actor, moment) {
        return actor.wait_until(until, 0);
    }
    actor.trace(Decision::AlreadyTrue);
    Flow::Go(next)
}

/// The moment hangs on attributes, which may have changed.
pub(super) fn retime(actor: &mut Actor, moment: &Expr, next: NodeId) {
    match moment_ahead(actor, moment) {
        Some(until) if actor.it.due == Some(until) => {}
        Some(until) => _ = actor.wait_until(until, 0),
        None => {
            actor.trace(Decision::AlreadyTrue);
            actor.go(next);
        }
    }
}

pub(super) fn until_state(
    actor: &mut Actor,
    condition: &Expr,
    within: Length,
    from: &Anchor,
    next: NodeId,
) -> Flow {
    if actor.scene().admits(Some(condition)) {
        actor.trace(Decision::AlreadyTrue);
        return Flow::Go(next);
    }
    let deadline = deadline(actor, within, from);
    actor.wait_until(deadline, 0)
}

/// Whether the state has come, which goes on.
pub(super) fn look(actor: &mut Actor, condition: &Expr, next: NodeId) -> bool {
    let holds = actor.scene().admits(Some(condition));
    if holds {
        actor.trace(Decision::BecameTrue);
        actor.go(next);
    }
    holds
}

pub(super) fn state_timeout(actor: &mut Actor, condition: &Expr, next: NodeId, timeout: NodeId) {
    if !look(actor, condition, next) {
        actor.trace(Decision::TimedOut);
        actor.go(timeout);
    }
}

/// Comes to a wait for events: the earliest that has come already, else waits.
pub(super) fn events(actor: &mut Actor, arms: &Arms, within: Length, from: &Anchor) -> Flow {
    let deadline = deadline(actor, within, from);
    if let Some((number, at, payload, target)) = earliest_seen(actor, arms, deadline) {
        keep(actor, number, at, payload);
        actor.trace(Decision::Happened { awaited: number, at });
        return Flow::Go(target);
    }
    let numbers = arms.iter().map(|(number, _)| *number);
    let late_ms = lateness::of_awaits(numbers, actor.loaded, actor.run.world);
    actor.wait_until(deadline, late_ms)
}

/// Whether the occurrence ended the wait.
pub(super) fn heard(actor: &mut Actor, arms: &Arms, occurrence: &Occurrence) -> bool {
    let Some(deadline) = actor.it.deadline else { return false };
    let won = arms.iter().find(|(number, _)| counts(actor, *number, occurrence, deadline));
    let Some((number, target)) = won else { return false };
    let record = Value::Record(occurrence.record(actor.loaded));
    keep(actor, *number, occurrence.at, record);
    actor.trace(Decision::Happened { awaited: *number, at: occurrence.at });
    actor.go(*target);
    true
}

pub(super) fn events_timeout(actor: &mut Actor, arms: &Arms, timeout: NodeId) {
    miss(actor, arms.iter().map(|(number, _)| *number));
    actor.trace(Decision::TimedOut);
    actor.go(timeout);
}

/// Keeps the earliest match of each await that still lies ahead and whose anchor is known.
pub(super) fn look_back(actor: &mut Actor, occurrence: &Occurrence) {
    let loaded = actor.loaded;
    for number in loaded.ahead(actor.it.node) {
        let Some(awaited) = loaded.program.awaits.get(usize::from(*number)) else { continue };
        let Some(from) = actor.anchor(&awaited.from).filter(|from| *from <= occurrence.at) else { continue };
        if is_awaited_here(actor, *number, &awaited.from)
            || !is_of_round(actor, occurrence)
            || !occurrence.matches(&awaited.pattern, loaded, actor.scene())
        {
            continue;
        }
        let payload = Value::Record(occurrence.record(loaded));
        match actor.it.seen.iter_mut().find(|(seen, ..)| seen == number) {
            // One from before the anchor, which has moved on since, counts no longer.
            Some(seen) if from <= seen.1 && seen.1 <= occurrence.at => {}
            Some(seen) => (seen.1, seen.2) = (occurrence.at, payload),
            None => actor.it.seen.push((*number, occurrence.at, payload)),
        }
    }
}

/// Whether it is this very wait, which comes again in the next round of a `repeat` and wants another event then, or one
/// that counts from the event that is waited for here, which is no event behind itself.
fn is_awaited_here(actor: &Actor, number: u16, anchor: &Anchor) -> bool {
    let Some(NodeKind::Events { arms, .. }) = actor.node().map(|node| &node.kind) else { return false };
    arms.iter().any(|(own, _)| {
        let slot = await_of(actor, *own).and_then(|own| own.slot);
        *own == number || slot.is_some_and(|slot| *anchor == Anchor::Local(slot))
    })
}

/// Traces an event that would have won a wait had it come in time.
pub(super) fn note_late(actor: &mut Actor, occurrence: &Occurrence) {
    let loaded = actor.loaded;
    let late = actor.it.missed.iter().position(|(number, from, deadline)| {
        let awaited = loaded.program.awaits.get(usize::from(*number));
        *from <= occurrence.at
            && occurrence.at < *deadline
            && awaited.is_some_and(|awaited| occurrence.matches(&awaited.pattern, loaded, actor.scene()))
    });
    let Some(at) = late else { return };
    let (awaited, ..) = actor.it.missed.remove(at);
    actor.trace(Decision::Late { awaited, at: occurrence.at });
}

/// Notes awaits that timed out, so that what comes for them later is known to be late.
pub(super) fn miss(actor: &mut Actor, awaits: impl Iterator<Item = u16>) {
    let Some(deadline) = actor.it.deadline else { return };
    for number in awaits {
        let from = anchor_of(actor, number).unwrap_or(actor.it.since);
        actor.it.missed.push((number, from, deadline));
    }
}

/// Whether the occurrence is what an await waits for, inside its interval.
pub(super) fn counts(actor: &Actor, number: u16, occurrence: &Occurrence, deadline: Timestamp) -> bool {
    let Some(awaited) = await_of(actor, number) else { return false };
    let from = actor.anchor(&awaited.from).unwrap_or(actor.it.since);
    from <= occurrence.at
        && occurrence.at < deadline
        && is_of_round(actor, occurrence)
        && occurrence.matches(&awaited.pattern, actor.loaded, actor.scene())
}

/// Whether a message that is spoken of was sent in the rounds that the instance is in: who opens last week's message
/// has not opened this week's.
fn is_of_round(actor: &Actor, occurrence: &Occurrence) -> bool {
    let step = occurrence.message.as_ref().and_then(|about| about.step.as_str().rsplit_once('#'));
    let (Some((_, numbers)), Some(node)) = (step, actor.node()) else { return true };
    let now = node.rounds.iter().map(|slot| actor.number(*slot).unwrap_or_default().to_string());
    now.zip(numbers.split('.')).all(|(now, then)| now == then)
}

/// Stores the event that ended the wait under the name it was given.
pub(super) fn keep(actor: &mut Actor, number: u16, at: Timestamp, payload: Value) {
    let slot = await_of(actor, number).and_then(|awaited| awaited.slot);
    if let Some(local) = slot.and_then(|slot| actor.it.locals.get_mut(usize::from(slot))) {
        *local = (payload, Some(at));
    }
}

fn await_of<'r>(actor: &Actor<'r, '_>, number: u16) -> Option<&'r Await> {
    actor.loaded.program.awaits.get(usize::from(number))
}

fn anchor_of(actor: &Actor, number: u16) -> Option<Timestamp> {
    actor.anchor(&await_of(actor, number)?.from)
}

fn earliest_seen(
    actor: &mut Actor,
    arms: &Arms,
    deadline: Timestamp,
) -> Option<(u16, Timestamp, Value, NodeId)> {
    let mut best: Option<(usize, Timestamp, NodeId)> = None;
    for (number, target) in arms {
        let from = anchor_of(actor, *number).unwrap_or(actor.it.since);
        let seen = actor.it.seen.iter().enumerate().find(|(_, (seen, ..))| seen == number);
        let Some((at, (_, when, _))) = seen.filter(|(_, (_, when, _))| from <= *when && *when < deadline)
        else {
            continue;
        };
        if best.is_none_or(|(_, earliest, _)| *when < earliest) {
            best = Some((at, *when, *target));
        }
    }
    let (at, when, target) = best?;
    let (number, _, payload) = actor.it.seen.remove(at);
    Some((number, when, payload, target))
}

fn deadline(actor: &Actor, within: Length, from: &Anchor) -> Timestamp {
    let from = actor.anchor(from).unwrap_or(actor.it.since);
    actor.run.after(from, within, &actor.scene())
}

/// `today` in it is the day on which the instance came here, however often it is looked at.
fn moment_ahead(actor: &Actor, moment: &Expr) -> Option<Timestamp> {
    let scene = Scene { now: actor.it.since, ..actor.scene() };
    as_moment(&eval(moment, &scene), &scene).filter(|moment| *moment > actor.run.now)
}
