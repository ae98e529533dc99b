//! What stands in slots: placed in all of them or in none, seen, and taken down.
//!
//! A placement is the row's, not the instance's: it outlives a plain `end` and stands until its time is over, until it
//! is hidden, or until something of a higher rank takes its place. An exit takes down what the instance put up.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::actor::Actor;
use super::effect::{Effect, Placed};
use super::enter::as_moment;
use super::gate::{self, Wish};
use super::input::{Event, MessageKey};
use super::message;
use super::occurrence::Occurrence;
use super::run::{Run, whole_ms};
use super::sight;
use super::state::{Instance, MAX_PLACEMENTS, Placement};
use super::symbols::Sym;
use super::trace::{Decision, Rule, TakenDown, Trace};
use crate::expr::civil::start_of_day;
use crate::expr::{MessageEvent, eval};
use crate::name::Name;
use crate::program::{Show, ShowEnd, ShowOutcome, Slot};
use crate::value::Value;

/// Which slot refused, and why.
type Refused<'s> = (&'s Slot, ShowOutcome, Option<Rule>);

/// Puts the content into all its slots, or into none.
pub(super) fn place(actor: &mut Actor, show: &Show) -> ShowOutcome {
    if message::is_held_out(actor) {
        hold_out(actor, show);
        return ShowOutcome::Placed;
    }
    let content = message::said(&show.content, actor);
    match placements(actor, show, content) {
        Ok((placements, displaced)) => {
            for at in displaced {
                take_down(actor.run, at, TakenDown::Displaced);
            }
            for placement in placements {
                stand(actor, placement);
            }
            ShowOutcome::Placed
        }
        Err((slot, outcome, rule)) => {
            let step = actor.run.sym(actor.message_of(slot.step));
            let slot = actor.run.sym(slot.channel);
            actor.trace(Decision::NotPlaced { step, slot, outcome, rule });
            outcome
        }
    }
}

fn hold_out(actor: &mut Actor, show: &Show) {
    for slot in &show.slots {
        let step = actor.run.sym(actor.message_of(slot.step));
        let channel = actor.run.sym(slot.channel);
        actor.trace(Decision::HeldOut { step, channel });
        actor.it.sent.push((step, actor.run.now));
    }
}

/// What would stand, and where in the row stands what must go for it.
fn placements<'s>(
    actor: &Actor,
    show: &'s Show,
    content: Name,
) -> Result<(Vec<Placement>, Vec<usize>), Refused<'s>> {
    let scene = actor.scene();
    for slot in &show.slots {
        let wish = Wish { program: &actor.loaded.program, channel: slot.channel, content, to: None };
        if let Err((outcome, rule)) = gate::admit(actor.run, &scene, wish) {
            let is_closed = rule == Rule::ContentClosed;
            let outcome = if is_closed { ShowOutcome::Closed } else { ShowOutcome::of_refusal(outcome) };
            return Err((slot, outcome, Some(rule)));
        }
    }
    let until = ends(actor, show, content);
    let rank = match show.rank.as_ref().map(|rank| eval(rank, &scene)) {
        Some(Value::Int(rank)) => rank,
        _ => 0,
    };
    let args: Vec<(Sym, Value)> =
        show.content.args.iter().map(|(name, value)| (actor.run.sym(*name), eval(value, &scene))).collect();
    let (mut placements, mut displaced) = (Vec::new(), Vec::new());
    for slot in &show.slots {
        if until.is_some_and(|until| until <= actor.run.now) {
            return Err((slot, ShowOutcome::Closed, None));
        }
        let placement = Placement {
            journey: actor.it.journey,
            subject: actor.it.subject.clone(),
            entry: actor.it.key.clone(),
            step: actor.run.sym(actor.message_of(slot.step)),
            slot: actor.run.sym(slot.channel),
            content: actor.run.sym(content),
            program: actor.it.program,
            node: actor.it.node,
            rank,
            at: actor.run.now,
            until,
            gone: None,
            receipts: Vec::new(),
            args: args.clone(),
        };
        // What only rests now may be seen later.
        let enough = sight::enough(actor.run, &scene, &show.caps, &placement);
        if let Some(enough) = enough.filter(|enough| enough.until.is_none()) {
            return Err((slot, ShowOutcome::Capped, Some(enough.rule)));
        }
        let capacity = actor.run.world.index().channels.get(&slot.channel).and_then(|slot| slot.capacity);
        match room(&actor.run.state.placements, &placement, capacity) {
            Some(lower) => displaced.extend(lower),
            None => return Err((slot, ShowOutcome::Full, None)),
        }
        placements.push(placement);
    }
    let standing = actor.run.state.placements.iter().filter(|known| known.stands()).count();
    match show.slots.first() {
        Some(first) if standing + placements.len() > MAX_PLACEMENTS => Err((first, ShowOutcome::Full, None)),
        _ => Ok((placements, displaced)),
    }
}

/// When its time is over: as the step says, and no later than the last day of its content.
fn ends(actor: &Actor, show: &Show, content: Name) -> Option<Timestamp> {
    let scene = actor.scene();
    let own = match &show.end {
        None => None,
        Some(ShowEnd::Keep(length)) => Some(actor.run.after(actor.run.now, *length, &scene)),
        // A moment that does not exist is none that anything could stand until.
        Some(ShowEnd::Until(moment)) => {
            Some(as_moment(&eval(moment, &scene), &scene).map_or(actor.run.now, whole_ms))
        }
    };
    let open = actor.run.world.index().contents.get(&content).and_then(|content| content.body.open);
    let closes = open.and_then(|(_, last)| {
        let first = last.tomorrow().ok().and_then(|day| start_of_day(day, &actor.run.world.zone));
        first.map(whole_ms)
    });
    own.into_iter().chain(closes).min()
}

/// Where in the row stands what must go so that `new` can stand; `None`: there is no room. The same content in the
/// same slot takes no room of its own, as it is shown anew.
fn room(placements: &[Placement], new: &Placement, capacity: Option<u16>) -> Option<Vec<usize>> {
    let Some(capacity) = capacity else { return Some(Vec::new()) };
    let others = placements.iter().enumerate();
    let mut others: Vec<(usize, &Placement)> = others
        .filter(|(_, known)| known.stands() && known.slot == new.slot && !is_same(known, new))
        .collect();
    let most = usize::from(capacity.max(1)) - 1;
    let too_many = others.len().saturating_sub(most);
    // The lowest go first; of equals the newest.
    others.sort_by_key(|(at, known)| (known.rank, Reverse(known.at), Reverse(*at)));
    others.truncate(too_many);
    let all_lower = others.iter().all(|(_, known)| known.rank < new.rank);
    all_lower.then(|| others.into_iter().map(|(at, _)| at).collect())
}

pub(super) fn is_same(known: &Placement, new: &Placement) -> bool {
    known.slot == new.slot && known.content == new.content && known.subject == new.subject
}

fn stand(actor: &mut Actor, placement: Placement) {
    let same =
        actor.run.state.placements.iter().position(|known| known.stands() && is_same(known, &placement));
    if let Some(at) = same {
        take_down(actor.run, at, TakenDown::Replaced);
    }
    let (step, slot, until) = (placement.step, placement.slot, placement.until);
    actor.trace(Decision::Placed { step, slot, until });
    actor.it.sent.push((step, placement.at));
    let name = |sym| actor.run.world.symbols.name(sym);
    if let (Some(slot), Some(content)) = (name(slot), name(placement.content)) {
        let key = key_of(actor.run, &placement);
        let placed = Placed { placement: key, slot, content, rank: placement.rank, until };
        actor.run.effect(Effect::Place(Box::new(placed)));
    }
    let placements = &mut actor.run.state.placements;
    if placements.len() >= MAX_PLACEMENTS
        && let Some(at) = placements.iter().position(|known| !known.stands())
    {
        placements.remove(at);
    }
    placements.push(placement);
}

/// `hide`: whatever stands of these contents in these slots for the instance's subject.
pub(super) fn hide(actor: &mut Actor, contents: &[Name], slots: &[Name]) {
    let contents: Vec<Sym> = contents.iter().map(|name| actor.run.sym(*name)).collect();
    let slots: Vec<Sym> = slots.iter().map(|name| actor.run.sym(*name)).collect();
    let subject = actor.it.subject.clone();
    take_down_all(actor.run, TakenDown::Hidden, |placement| {
        placement.subject == subject
            && contents.contains(&placement.content)
            && slots.contains(&placement.slot)
    });
}

/// The subject goes: nothing stands for it any more.
pub(super) fn clear(run: &mut Run) {
    take_down_all(run, TakenDown::Exited, |_| true);
}

/// The instance exits: what it put up comes down.
pub(super) fn leave(run: &mut Run, instance: &Instance) {
    take_down_all(run, TakenDown::Exited, |placement| {
        placement.journey == instance.journey
            && placement.entry == instance.key
            && placement.subject == instance.subject
    });
}

/// The time of the placement at `at` is over.
pub(super) fn end(run: &mut Run, at: usize) {
    take_down(run, at, TakenDown::Over);
}

fn take_down_all(run: &mut Run, why: TakenDown, meant: impl Fn(&Placement) -> bool) {
    for at in 0..run.state.placements.len() {
        if run.state.placements.get(at).is_some_and(|placement| placement.stands() && meant(placement)) {
            take_down(run, at, why);
        }
    }
}

fn take_down(run: &mut Run, at: usize, why: TakenDown) {
    let now = run.now;
    let Some(placement) = run.state.placements.get_mut(at) else { return };
    placement.gone = Some(now);
    placement.args.clear();
    let placement = placement.clone();
    let (step, slot) = (placement.step, placement.slot);
    trace(run, &placement, Decision::TakenDown { step, slot, why });
    if let Some(slot) = run.world.symbols.name(slot) {
        let placement = key_of(run, &placement);
        run.effect(Effect::Remove { placement, slot });
    }
}

/// Somebody saw, clicked or closed a placement: closed, it comes down in its slot. One that was taken down since may still have been seen. Other reports, and
/// those on what never stood anywhere, change nothing.
pub(super) fn report(run: &mut Run, event: &Event, kind: MessageEvent, key: &MessageKey) {
    if !matches!(kind, MessageEvent::Shown | MessageEvent::Clicked | MessageEvent::Dismissed) {
        return;
    }
    let at = run.state.placements.iter().rposition(|placement| key_of(run, placement) == *key);
    let happened = whole_ms(event.time);
    let Some(at) = at else { return };
    let Some(caps) = run.state.placements.get(at).map(|placement| sight::caps_of(run, placement)) else {
        return;
    };
    let Some(placement) = run.state.placements.get_mut(at) else { return };
    sight::keep(placement, kind, happened, caps);
    let placement = placement.clone();
    trace(run, &placement, Decision::Receipt { step: placement.step, kind, at: happened });
    let occurrence = Occurrence::of_placement(&placement, kind, event, run);
    super::happen(run, occurrence);
    if kind == MessageEvent::Shown {
        seen(run, &placement);
    }
    if kind == MessageEvent::Dismissed {
        take_down_all(run, TakenDown::Dismissed, |standing| {
            standing.step == placement.step
                && standing.entry == placement.entry
                && is_same(standing, &placement)
        });
    }
}

/// It was seen once more: what was seen as often as may be in all comes down, what was so for now rests.
fn seen(run: &mut Run, placement: &Placement) {
    let caps = sight::caps_of(run, placement);
    let Some(loaded) = run.world.index().program(placement.program) else { return };
    let scene = run.scene(loaded, &placement.subject);
    let Some(enough) = sight::enough(run, &scene, caps, placement) else { return };
    let stands =
        |known: &Placement| known.stands() && known.step == placement.step && is_same(known, placement);
    match enough.until {
        None => take_down_all(run, TakenDown::Seen, stands),
        Some(until) if run.state.placements.iter().any(stands) => {
            let (step, slot) = (placement.step, placement.slot);
            trace(run, placement, Decision::Rests { step, slot, rule: enough.rule, until });
        }
        Some(_) => {}
    }
}

pub(super) fn key_of(run: &Run, placement: &Placement) -> MessageKey {
    let text = |sym| run.world.index().text(sym);
    let child = placement.subject.0.as_ref();
    MessageKey {
        journey: text(placement.journey),
        root: run.root.id.clone(),
        child: child.map(|(entity, id)| (text(*entity), id.clone())),
        entry: placement.entry.clone(),
        step: text(placement.step),
    }
}

fn trace(run: &mut Run, placement: &Placement, what: Decision) {
    run.out.trace.push(Trace {
        at: run.now,
        journey: Some(placement.journey),
        subject: placement.subject.clone(),
        entry: Some(placement.entry.clone()),
        program: Some(placement.program),
        node: Some(placement.node),
        what,
    });
}
