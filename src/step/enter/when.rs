//! `enter when C`: the edge from false to true, at a schedule or, without one, at every input of the subject that may
//! have changed it.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Candidate, consider, fits, is_open, reasons, refuse, subjects};
use crate::expr::Expr;
use crate::program::Enter;
use crate::step::index::Loaded;
use crate::step::run::Run;
use crate::step::state::{AudienceMemory, SubjectRef};
use crate::step::symbols::Sym;
use crate::step::trace::{Cause, NotEntered};

/// What those who were already in the audience at the first look enter by: once, whenever the look happens.
const EXISTING: &str = "existing";

/// Looks at every journey that is entered by a condition without a schedule. `identity` is that of the input.
pub(in crate::step) fn watch(run: &mut Run, identity: &Arc<str>) {
    let world = run.world;
    for (loaded, needs) in world.index().watchers() {
        let Enter::When { condition, .. } = &loaded.program.enter else { continue };
        let may_differ = needs.as_ref().is_none_or(|needs| needs.are_touched_by(&run.changed));
        for subject in subjects(run, loaded) {
            if !may_differ && remembered(run, loaded.journey, &subject).is_some() {
                continue;
            }
            look(run, loaded, condition, subject, identity.clone(), run.now);
        }
    }
}

/// Who fits the condition of which live journey now.
pub(in crate::step) fn fitting(run: &Run) -> Vec<(Sym, SubjectRef)> {
    if !run.state.known {
        return Vec::new();
    }
    let mut found = Vec::new();
    for loaded in run.world.index().conditional() {
        let Enter::When { condition: expr, .. } = &loaded.program.enter else { continue };
        for subject in subjects(run, loaded) {
            let candidate = candidate(subject, "".into(), run.now);
            if fits(run, loaded, &candidate, expr) {
                found.push((loaded.journey, candidate.subject));
            }
        }
    }
    found
}

/// Whoever fits now and did not `before` has not come to fit: nobody enters for it.
pub(in crate::step) fn pass_over(run: &mut Run, before: &[(Sym, SubjectRef)]) {
    let now = fitting(run);
    for fits in now.iter().filter(|fits| !before.contains(fits)) {
        swap(run, fits.0, &fits.1, true);
    }
    // Nor does it wait for a look that who fits no longer may fit anew.
    for (journey, subject) in before.iter().filter(|fits| !now.contains(fits)) {
        if remembered(run, *journey, subject).is_some() {
            swap(run, *journey, subject, false);
        }
    }
}

fn candidate(subject: SubjectRef, identity: Arc<str>, at: Timestamp) -> Candidate {
    Candidate { subject, cause: Cause::Schedule, at, payload: Vec::new(), identity, date: None, rule: None }
}

/// One look at one subject. A false answer is traced when it is the first or a change; the edge is used up even if
/// `reenter` refuses, but not while the journey is closed.
pub(super) fn look(
    run: &mut Run,
    loaded: &Arc<Loaded>,
    expr: &Expr,
    subject: SubjectRef,
    identity: Arc<str>,
    at: Timestamp,
) {
    if !run.state.known || !is_open(loaded, run.world, run.now) {
        return;
    }
    let mut candidate = candidate(subject, identity, at);
    run.out.looks += 1;
    let now_in = fits(run, loaded, &candidate, expr);
    let before = swap(run, loaded.journey, &candidate.subject, now_in);
    match (before, now_in) {
        (Some(false), true) => consider(run, loaded, candidate),
        (None, true) if loaded.program.existing == Some(true) => {
            candidate.identity = EXISTING.into();
            consider(run, loaded, candidate);
        }
        (None, true) => refuse(run, loaded, &candidate, NotEntered::Existing),
        (None | Some(true), false) => {
            let because = reasons(run, loaded, &candidate, expr);
            refuse(run, loaded, &candidate, NotEntered::Condition(because));
        }
        (Some(true), true) | (Some(false), false) => {}
    }
}

/// What was seen last.
fn remembered(run: &Run, journey: Sym, subject: &SubjectRef) -> Option<bool> {
    let own = |memory: &&AudienceMemory| memory.journey == journey && memory.subject == *subject;
    run.state.audiences.iter().find(own).map(|memory| memory.was)
}

/// Writes what is seen now and returns what was seen last.
fn swap(run: &mut Run, journey: Sym, subject: &SubjectRef, is: bool) -> Option<bool> {
    let own = |memory: &&mut AudienceMemory| memory.journey == journey && memory.subject == *subject;
    if let Some(memory) = run.state.audiences.iter_mut().find(own) {
        return Some(std::mem::replace(&mut memory.was, is));
    }
    run.state.audiences.push(AudienceMemory { journey, subject: subject.clone(), was: is });
    None
}
