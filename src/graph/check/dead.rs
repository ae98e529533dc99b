//! Waits for an event that ends the journey before the wait can see it.

use crate::diagnostic::{Diagnostic, code};
use crate::expr::{Pattern, show};
use crate::model::Journey;
use crate::model::journey::{Step, StepKind, Trigger};

pub(super) fn waits(journey: &Journey) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    walk(journey, &journey.steps, &mut found);
    found
}

fn walk(journey: &Journey, steps: &[Step], found: &mut Vec<Diagnostic>) {
    for step in steps {
        found.extend(awaited(step).filter_map(|pattern| dead(journey, step, pattern)));
        for block in step.kind.blocks() {
            walk(journey, block, found);
        }
    }
}

fn awaited(step: &Step) -> Box<dyn Iterator<Item = &Pattern> + '_> {
    match &step.kind {
        StepKind::Events { arms, .. } => {
            Box::new(arms.iter().flat_map(|arm| &arm.awaited).map(|awaited| &awaited.pattern))
        }
        StepKind::Reach { rungs, .. } => Box::new(rungs.iter().flat_map(|rung| &rung.awaited)),
        _ => Box::new(std::iter::empty()),
    }
}

/// An exit is looked at before any wait, so what it catches never ends a wait.
fn dead(journey: &Journey, step: &Step, pattern: &Pattern) -> Option<Diagnostic> {
    let exit = journey.exits.iter().find(|exit| match &exit.trigger {
        Trigger::On(exits) => exits.iter().any(|exit| catches(exit, pattern)),
        Trigger::When(_) => false,
    })?;
    let event = show::pattern(pattern, journey);
    let headline = format!("this wait never sees `{event}`, because it ends the journey first");
    Some(
        Diagnostic::new(code::DEAD_WAIT, step.span, headline)
            .label(format!("waits for `{event}`"))
            .also(exit.span, "leaves the journey on the same event")
            .help(format!("remove `{event}` from the wait, or narrow the exit with `where`")),
    )
}

fn catches(exit: &Pattern, awaited: &Pattern) -> bool {
    let same_filter = exit.filter.is_none() || exit.filter == awaited.filter;
    exit.source == awaited.source && !exit.first && same_filter
}
