//! `enter on E`: an event enters at once.

use std::sync::Arc;

use super::{Candidate, consider, fits, reasons, refuse, rules};
use crate::expr::Pattern;
use crate::program::Enter;
use crate::step::because;
use crate::step::index::{Loaded, Trigger};
use crate::step::occurrence::Occurrence;
use crate::step::run::Run;
use crate::step::trace::{Cause, NotEntered};

/// Shows the occurrence to every live journey that it may enter.
pub(in crate::step) fn heard(run: &mut Run, occurrence: &Occurrence) {
    let world = run.world;
    for loaded in world.index().entries(occurrence.trigger) {
        if !run.is_home_of(loaded) {
            continue;
        }
        match &loaded.program.enter {
            Enter::Event(patterns) => enter(run, loaded, patterns, occurrence),
            Enter::Without { .. } => super::trigger(run, loaded, occurrence),
            _ => {}
        }
    }
}

fn enter(run: &mut Run, loaded: &Arc<Loaded>, patterns: &[Pattern], occurrence: &Occurrence) {
    let Some(mut candidate) = candidate(run, loaded, occurrence) else { return };
    let heard = |pattern: &Pattern| Trigger::of(&pattern.source) == Some(occurrence.trigger);
    let mut refused = None;
    for (at, pattern) in patterns.iter().enumerate().filter(|(_, pattern)| heard(pattern)) {
        match admits(run, loaded, &candidate, pattern, occurrence) {
            Ok(true) => {
                candidate.rule = rules::named(&loaded.program, at);
                return consider(run, loaded, candidate);
            }
            Ok(false) => {}
            Err(why) => refused = refused.or(Some(why)),
        }
    }
    if let Some(why) = refused {
        refuse(run, loaded, &candidate, why);
    }
}

/// The candidate that an occurrence makes.
pub(super) fn candidate(run: &Run, loaded: &Loaded, occurrence: &Occurrence) -> Option<Candidate> {
    Some(Candidate {
        subject: occurrence.entrant(loaded, run)?,
        cause: Cause::Event(occurrence.name),
        at: occurrence.at,
        payload: occurrence.record(loaded),
        identity: occurrence.identity.clone(),
        date: None,
        rule: None,
    })
}

/// Whether the pattern lets the candidate in; `Ok(false)` where the occurrence is of another message or direction,
/// which is no decision worth a trace.
pub(super) fn admits(
    run: &Run,
    loaded: &Loaded,
    candidate: &Candidate,
    pattern: &Pattern,
    occurrence: &Occurrence,
) -> Result<bool, NotEntered> {
    let scene = run.scene(loaded, &candidate.subject).entered_by(&occurrence.fields);
    if !occurrence.is_of(&pattern.source, loaded, &scene) {
        return Ok(false);
    }
    let scene = scene.hearing(occurrence);
    if let Some(filter) = pattern.filter.as_ref().filter(|filter| !scene.admits(Some(filter))) {
        return Err(NotEntered::Condition(because::of(filter, &scene)));
    }
    if !occurrence.is_first_of(pattern) {
        return Err(NotEntered::NotFirst);
    }
    fresh(run, loaded, occurrence)?;
    Ok(true)
}

/// `stale after`: how long the event was under way.
fn fresh(run: &Run, loaded: &Loaded, occurrence: &Occurrence) -> Result<(), NotEntered> {
    let Some(stale) = loaded.program.stale else { return Ok(()) };
    let scene = run.scene(loaded, &occurrence.subject);
    if occurrence.received > run.after(occurrence.at, stale, &scene) {
        let age_ms = occurrence.received.duration_since(occurrence.at).as_millis();
        return Err(NotEntered::Stale { age_ms: i64::try_from(age_ms).unwrap_or(i64::MAX) });
    }
    Ok(())
}

/// The same for whatever has no occurrence of its own any more.
pub(super) fn filtered(
    run: &Run,
    loaded: &Loaded,
    candidate: &Candidate,
    filter: Option<&crate::expr::Expr>,
) -> Result<(), NotEntered> {
    match filter.filter(|filter| !fits(run, loaded, candidate, filter)) {
        None => Ok(()),
        Some(filter) => Err(NotEntered::Condition(reasons(run, loaded, candidate, filter))),
    }
}
