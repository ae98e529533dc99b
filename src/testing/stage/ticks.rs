//! The looks of `enter when … every …` and `enter every …`: which journeys look, at which roots, and when next.

use jiff::{SignedDuration, Timestamp};

use crate::expr::civil::next_occurrence;
use crate::name::Name;
use crate::program::{Enter, Program, Schedule};
use crate::testing::Suite;

pub(super) struct Tick {
    journey: Name,
    root: Name,
    pub(super) next: Option<Timestamp>,
}

/// Every schedule, with its first tick at or after `now`.
pub(super) fn first(suite: Suite<'_>, now: Timestamp) -> Vec<Tick> {
    let just_before = now.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(now);
    let programs = suite.bundle.programs.values().map(|program| &*program.body);
    let ticking = programs.filter_map(|program| {
        let next = next_tick(suite, schedule(program)?, just_before);
        Some(Tick { journey: program.journey, root: program.root, next })
    });
    ticking.collect()
}

/// Takes one tick that is due: its journey, the roots it concerns, and its instant.
pub(super) fn take_due(
    suite: Suite<'_>,
    ticks: &mut [Tick],
    now: Timestamp,
) -> Option<(Name, Name, Timestamp)> {
    let tick = ticks.iter_mut().find(|tick| tick.next.is_some_and(|next| next <= now))?;
    let at = tick.next?;
    let program = suite.bundle.programs.get(&tick.journey)?;
    tick.next = schedule(&program.body).and_then(|schedule| next_tick(suite, schedule, at));
    Some((tick.journey, tick.root, at))
}

fn schedule(program: &Program) -> Option<&Schedule> {
    match &program.enter {
        Enter::When { schedule, .. } => schedule.as_ref(),
        Enter::Every { schedule, .. } => Some(schedule),
        _ => None,
    }
}

fn next_tick(suite: Suite<'_>, schedule: &Schedule, after: Timestamp) -> Option<Timestamp> {
    let calendar = schedule.calendar.and_then(|name| suite.bundle.calendars.get(&name));
    next_occurrence(schedule, after, suite.zone, calendar)
}
