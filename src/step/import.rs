//! What an import tells of: it is known from now on, as history, attributes and stages, and nobody acts on it.
//!
//! It enters nobody, ends no wait and sends nothing. What it makes true does not count as having become true, so that
//! `enter when` lets nobody in for it. Dates that lie ahead are planned: they come by the clock, not by the import.

use super::attributes;
use super::enter;
use super::features;
use super::input::{Event, EventKind};
use super::occurrence::Occurrence;
use super::park;
use super::run::Run;
use super::symbols;
use super::trace::Decision;
use super::tracked;
use crate::name::Name;

/// Whether it made the subject known, whose own events have happened now.
pub(super) fn take(run: &mut Run, event: &Event) -> bool {
    let before = enter::fitting(run);
    let was_known = run.state.known;
    let name = match &event.kind {
        EventKind::Imported(_) if !was_known => {
            park::park(run, event);
            return false;
        }
        EventKind::Imported(name) => {
            know(run, event, *name);
            run.sym(*name)
        }
        _ => {
            attributes::import(run, event);
            run.fixed(symbols::ATTRIBUTES)
        }
    };
    run.trace_root(Decision::Imported { event: name });
    tracked::see(run);
    enter::pass_over(run, &before);
    tracked::plan(run);
    if was_known || !run.state.known {
        return false;
    }
    park::release(run);
    true
}

/// Only what history asks of it.
pub(super) fn know(run: &mut Run, event: &Event, name: Name) {
    let mut occurrence = Occurrence::of_event(event, name, run);
    features::update(run, &occurrence);
    occurrence.note_firsts(run);
}
