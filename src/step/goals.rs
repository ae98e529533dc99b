//! Goals: counted once per instance, by when it happened, also after the instance has ended. They steer nothing.

use jiff::Timestamp;

use super::actor::Actor;
use super::index::Loaded;
use super::occurrence::Occurrence;
use super::run::{Run, later};
use super::state::{MAX_WATCHES, Watch};
use super::trace::{Decision, Trace};
use super::trial;
use crate::program::{ExitOn, Goal};

/// How long behind its window an event may arrive and still be counted: a week.
const GRACE_MS: i64 = 7 * 86_400_000;

/// Counts the goals of a running instance that the occurrence reaches.
pub(super) fn hear(actor: &mut Actor, occurrence: &Occurrence) {
    let loaded = actor.loaded;
    for (number, goal) in numbered(loaded) {
        let ExitOn::Events(patterns) = &goal.on else { continue };
        if is_open(actor, number, goal, occurrence.at)
            && patterns.iter().any(|pattern| occurrence.matches(pattern, loaded, actor.scene()))
        {
            reach(actor, number, occurrence.at);
        }
    }
}

/// Counts the goals whose condition has become true.
pub(super) fn look(actor: &mut Actor) {
    let loaded = actor.loaded;
    if !loaded.watches_state {
        return;
    }
    let now = actor.run.now;
    for (number, goal) in numbered(loaded) {
        let ExitOn::When(condition) = &goal.on else { continue };
        if is_open(actor, number, goal, now) && actor.scene().admits(Some(condition)) {
            reach(actor, number, now);
        }
    }
}

/// Keeps the goals of an ending instance whose window is still open.
pub(super) fn keep_watch(actor: &mut Actor) {
    let loaded = actor.loaded;
    for (number, goal) in numbered(loaded) {
        let window = window(actor, goal);
        let Some((from, until)) = window.filter(|(_, until)| !has(actor, number) && *until > actor.run.now)
        else {
            continue;
        };
        let now = actor.run.now;
        let watches = &mut actor.run.state.watches;
        watches.retain(|watch| is_watched(watch, now));
        if watches.len() >= MAX_WATCHES {
            watches.remove(0);
        }
        watches.push(Watch {
            journey: actor.it.journey,
            subject: actor.it.subject.clone(),
            key: actor.it.key.clone(),
            program: actor.it.program,
            goal: number,
            from,
            until,
        });
    }
}

/// Counts goals of instances that have ended. Of these only the event and the subject are left to look at.
pub(super) fn hear_ended(run: &mut Run, occurrence: &Occurrence) {
    settle_watches(run, |run, watch, loaded, goal| {
        let ExitOn::Events(patterns) = &goal.on else { return None };
        let inside = watch.from <= occurrence.at && occurrence.at < watch.until;
        let scene = run.scene(loaded, &watch.subject);
        let of_other = occurrence.message.as_ref().is_some_and(|about| about.entry != watch.key);
        let reached = inside
            && !of_other
            && occurrence.concerns(&watch.subject)
            && patterns.iter().any(|pattern| occurrence.matches(pattern, loaded, scene));
        reached.then_some(occurrence.at)
    });
}

/// The same for goals with a condition.
pub(super) fn look_ended(run: &mut Run) {
    settle_watches(run, |run, watch, loaded, goal| {
        let ExitOn::When(condition) = &goal.on else { return None };
        let inside = watch.from <= run.now && run.now < watch.until;
        let scene = run.scene(loaded, &watch.subject);
        (inside && scene.admits(Some(condition))).then_some(run.now)
    });
}

fn settle_watches(run: &mut Run, reached: impl Fn(&Run, &Watch, &Loaded, &Goal) -> Option<Timestamp>) {
    let now = run.now;
    run.state.watches.retain(|watch| is_watched(watch, now));
    let mut at = 0;
    while let Some(watch) = run.state.watches.get(at) {
        let loaded = run.world.index().program(watch.program);
        let found = loaded.and_then(|loaded| {
            let goal = loaded.program.goals.get(usize::from(watch.goal))?;
            reached(run, watch, loaded, goal)
        });
        match found {
            Some(happened) => {
                let watch = run.state.watches.remove(at);
                let decides = loaded.and_then(|loaded| trial::reached(run, loaded, watch.goal));
                let goal = Decision::Goal { goal: watch.goal, at: happened };
                for what in std::iter::once(goal).chain(decides) {
                    trace(run, &watch, what);
                }
            }
            None => at += 1,
        }
    }
}

fn is_watched(watch: &Watch, now: Timestamp) -> bool {
    later(watch.until, GRACE_MS) > now
}

fn trace(run: &mut Run, watch: &Watch, what: Decision) {
    run.out.trace.push(Trace {
        at: run.now,
        journey: Some(watch.journey),
        subject: watch.subject.clone(),
        entry: Some(watch.key.clone()),
        program: Some(watch.program),
        node: None,
        what,
    });
}

fn numbered(loaded: &Loaded) -> impl Iterator<Item = (u16, &Goal)> {
    (0_u16..).zip(&loaded.program.goals)
}

fn has(actor: &Actor, number: u16) -> bool {
    actor.it.goals.iter().any(|(reached, _)| *reached == number)
}

fn is_open(actor: &Actor, number: u16, goal: &Goal, at: Timestamp) -> bool {
    !actor.has_ended()
        && !has(actor, number)
        && window(actor, goal).is_some_and(|(from, until)| from <= at && at < until)
}

/// From the anchor, once it is known, for the goal's length.
fn window(actor: &Actor, goal: &Goal) -> Option<(Timestamp, Timestamp)> {
    let from = actor.anchor(&goal.from)?;
    Some((from, actor.run.after(from, goal.within, &actor.scene())))
}

fn reach(actor: &mut Actor, number: u16, at: Timestamp) {
    actor.it.goals.push((number, at));
    actor.trace(Decision::Goal { goal: number, at });
    if let Some(decides) = trial::reached(actor.run, actor.loaded, number) {
        actor.trace(decides);
    }
}
