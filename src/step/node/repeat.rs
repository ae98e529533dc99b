//! `repeat`: rounds one behind the other, or each at its tick.
//!
//! The slot of the number also holds an instant: the tick at which that round began, from which the next one is found.

use jiff::Timestamp;

use super::Flow;
use crate::expr::civil::Recurrence;
use crate::expr::{Anchor, Env, Expr, eval};
use crate::program::{NodeId, NodeKind, Schedule};
use crate::step::actor::Actor;
use crate::step::run::whole_ms;
use crate::step::trace::Decision;
use crate::value::Value;

pub(super) fn begin(actor: &mut Actor, slot: u16, first: &Expr, from: &Anchor, next: NodeId) -> Flow {
    let first = match eval(first, &actor.scene()) {
        Value::Int(first) => first,
        _ => 1,
    };
    let from = actor.anchor(from).unwrap_or(actor.run.now);
    keep(actor, slot, first.saturating_sub(1), from);
    Flow::Go(next)
}

/// Comes to the next round: it begins, is slept for, is left out, or there is none.
pub(super) fn next(actor: &mut Actor, kind: &NodeKind) -> Flow {
    let NodeKind::Round { slot, schedule, all, next, .. } = kind else { return Flow::Wait };
    let Some(schedule) = schedule else {
        let number = actor.number(*slot).unwrap_or_default().saturating_add(1);
        return round(actor, kind, number, actor.run.now);
    };
    let last = last(actor, kind);
    let mut number = actor.number(*slot).unwrap_or_default().saturating_add(1);
    while number <= last {
        let before = actor.it.locals.get(usize::from(*slot)).and_then(|(_, at)| *at).unwrap_or(actor.run.now);
        let Some(tick) = following(actor, schedule, before) else { break };
        if tick > actor.run.now {
            return actor.wait_until(tick, 0);
        }
        if *all || tick == actor.run.now {
            return round(actor, kind, number, tick);
        }
        keep(actor, *slot, number, tick);
        actor.trace(Decision::RoundMissed { number, tick });
        number = number.saturating_add(1);
    }
    Flow::Go(*next)
}

/// The tick that was slept for is here.
pub(super) fn tick(actor: &mut Actor, kind: &NodeKind) {
    let NodeKind::Round { slot, schedule: Some(schedule), .. } = kind else { return };
    let before = actor.it.locals.get(usize::from(*slot)).and_then(|(_, at)| *at).unwrap_or(actor.run.now);
    let tick = following(actor, schedule, before).unwrap_or(actor.run.now);
    let number = actor.number(*slot).unwrap_or_default().saturating_add(1);
    if let Flow::Go(target) = round(actor, kind, number, tick) {
        actor.go(target);
    }
}

fn round(actor: &mut Actor, kind: &NodeKind, number: i64, tick: Timestamp) -> Flow {
    let NodeKind::Round { slot, until, body, next, .. } = kind else { return Flow::Wait };
    if number > last(actor, kind) {
        return Flow::Go(*next);
    }
    if until.as_ref().is_some_and(|until| actor.scene().admits(Some(until))) {
        actor.trace(Decision::RoundsOver { number });
        return Flow::Go(*next);
    }
    keep(actor, *slot, number, tick);
    actor.trace(Decision::Round { number });
    Flow::Go(*body)
}

fn last(actor: &Actor, kind: &NodeKind) -> i64 {
    let NodeKind::Round { last, numbers, .. } = kind else { return 0 };
    match eval(last, &actor.scene()) {
        Value::Int(last) => last.min(numbers.1),
        _ => 0,
    }
}

/// The first tick strictly after `before`.
fn following(actor: &Actor, schedule: &Schedule, before: Timestamp) -> Option<Timestamp> {
    let scene = actor.scene();
    let on = schedule.attribute();
    let recurrence = Recurrence {
        on: on.map_or(Value::Missing, |name| scene.attribute(scene.subject, name)),
        ..Recurrence::plain(schedule, scene.zone, scene.calendar(schedule.calendar))
    };
    recurrence.next(before).map(|found| whole_ms(found.moment))
}

fn keep(actor: &mut Actor, slot: u16, number: i64, tick: Timestamp) {
    if let Some(local) = actor.it.locals.get_mut(usize::from(slot)) {
        *local = (Value::Int(number), Some(tick));
    }
}
