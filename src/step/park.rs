//! Events of a subject that is not known yet wait for its attributes.

use super::effect::Effect;
use super::input::{Event, EventKind};
use super::occurrence::Occurrence;
use super::run::Run;
use super::state::MAX_PARKED;
use super::trace::Decision;

/// Keeps the event; one too many goes to quarantine.
pub(super) fn park(run: &mut Run, event: &Event) {
    if run.state.parked.len() >= MAX_PARKED {
        return run.effect(Effect::Quarantine(Box::new(event.clone())));
    }
    let (EventKind::Declared(name) | EventKind::Closed(name) | EventKind::Imported(name)) = event.kind else {
        return;
    };
    run.state.parked.push(event.clone());
    let event = run.sym(name);
    run.trace_root(Decision::Parked { event });
}

/// The subject is known now: its events happen, in the order in which they happened, as if they arrived now.
pub(super) fn release(run: &mut Run) {
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
            | EventKind::Merged { .. } => continue,
        };
        super::happen(run, occurrence);
    }
}
