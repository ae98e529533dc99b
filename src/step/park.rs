//! Events of a subject that is not known yet wait for its attributes; those for whom they do not come in time go to
//! quarantine, by a timer of the row.

use super::effect::{Effect, SetAside};
use super::input::{Event, EventKind};
use super::occurrence::Occurrence;
use super::run::{Run, later, whole_ms};
use super::state::{MAX_PARKED, Pending, PendingWhy, SubjectRef};
use super::symbols;
use super::trace::Decision;

/// Keeps the event; one too many goes to quarantine.
pub(super) fn park(run: &mut Run, event: &Event) {
    if run.state.parked.len() >= MAX_PARKED {
        return run.effect(Effect::Quarantine { event: Box::new(event.clone()), why: SetAside::TooMany });
    }
    let (EventKind::Declared(name) | EventKind::Closed(name) | EventKind::Imported(name)) = event.kind else {
        return;
    };
    run.state.parked.push(event.clone());
    plan(run);
    let event = run.sym(name);
    run.trace_root(Decision::Parked { event });
}

/// Plans the look at what waits, unless it is planned, or nothing waits.
pub(super) fn plan(run: &mut Run) {
    let is_planned = run.state.pending.iter().any(|pending| matches!(pending.why, PendingWhy::Parked));
    let oldest = run.state.parked.iter().map(|event| event.received).min();
    let Some(oldest) = oldest.filter(|_| !is_planned && !run.state.known) else { return };
    let (journey, subject) = (run.fixed(symbols::ATTRIBUTES), SubjectRef::default());
    let due = whole_ms(later(oldest, run.world.park_ms)).max(run.now);
    run.state.pending.push(Pending { journey, subject, due, why: PendingWhy::Parked });
}

/// Their time is over, of some of them at least.
pub(super) fn give_up(run: &mut Run) {
    let (now, park_ms) = (run.now, run.world.park_ms);
    let is_over = |event: &Event| whole_ms(later(event.received, park_ms)) <= now;
    let (over, waiting) = std::mem::take(&mut run.state.parked).into_iter().partition(is_over);
    run.state.parked = waiting;
    let over: Vec<Event> = over;
    for event in over {
        if let EventKind::Declared(name) | EventKind::Closed(name) | EventKind::Imported(name) = event.kind {
            let event = run.sym(name);
            run.trace_root(Decision::NotKnown { event });
        }
        run.effect(Effect::Quarantine { event: Box::new(event), why: SetAside::Unknown });
    }
    plan(run);
}

/// The subject is known now: its events happen, in the order in which they happened, as if they arrived now.
pub(super) fn release(run: &mut Run) {
    run.state.pending.retain(|pending| !matches!(pending.why, PendingWhy::Parked));
    let mut parked = std::mem::take(&mut run.state.parked);
    parked.sort_by_key(|event| event.time);
    for event in &mut parked {
        event.received = run.now;
        let occurrence = match event.kind {
            EventKind::Declared(name) => Occurrence::of_event(event, name, run),
            EventKind::Closed(attribute) => Occurrence::of_close(event, attribute, run),
            EventKind::Imported(name) => {
                super::import::know(run, event, name);
                continue;
            }
            EventKind::Attributes
            | EventKind::ImportedAttributes
            | EventKind::Message { .. }
            | EventKind::Merged { .. }
            | EventKind::Resend { .. }
            | EventKind::Tasked { .. }
            | EventKind::Consent { .. }
            | EventKind::Listed { .. }
            | EventKind::Inbound { .. }
            | EventKind::Erased => continue,
        };
        super::happen(run, occurrence);
    }
}
