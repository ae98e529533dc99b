//! `enter on A without B within D`: enters at A + D, plus the lateness of B's source, unless a B happened in
//! [A, A + D). B may arrive before A or behind it; only when it happened counts.

use std::sync::Arc;

use jiff::Timestamp;

use super::event::{admits, candidate};
use super::{Candidate, consider, refuse};
use crate::expr::Pattern;
use crate::program::Enter;
use crate::step::index::{Loaded, Trigger, digest};
use crate::step::lateness;
use crate::step::occurrence::Occurrence;
use crate::step::run::{Run, later};
use crate::step::scene::Fields;
use crate::step::state::{Awaited, MAX_PENDING, MAX_RECENT, Pending, PendingWhy, Recent, SubjectRef};
use crate::step::trace::{Cause, Decision, NotEntered};
use crate::value::Length;

/// A has happened.
pub(in crate::step) fn trigger(run: &mut Run, loaded: &Arc<Loaded>, occurrence: &Occurrence) {
    let Enter::Without { trigger, absent, within } = &loaded.program.enter else { return };
    if Trigger::of(&trigger.source) != Some(occurrence.trigger) {
        return;
    }
    let Some(mut candidate) = candidate(run, loaded, occurrence) else { return };
    match admits(run, loaded, &candidate, trigger, occurrence) {
        Ok(true) => {}
        Ok(false) => return,
        Err(why) => return refuse(run, loaded, &candidate, why),
    }
    candidate.cause = Cause::Without(occurrence.name);
    let deadline = deadline(run, loaded, &candidate.subject, occurrence.at, *within);
    if let Some(at) = came_before(run, loaded, &candidate, absent, deadline) {
        return refuse(run, loaded, &candidate, NotEntered::Came { at });
    }
    wait(run, loaded, candidate, occurrence, later(deadline, lateness::of(&absent.source, run.world)));
}

/// B may have happened: it cancels the entries that wait, and is kept for an A that is still under way.
pub(in crate::step) fn absent(run: &mut Run, occurrence: &Occurrence) {
    let (world, root) = (run.world, run.root.entity);
    for loaded in world.index().absences(occurrence.trigger).iter().filter(|one| one.program.root == root) {
        let Enter::Without { absent, within, .. } = &loaded.program.enter else { continue };
        remember(run, loaded, absent, occurrence);
        while let Some((at, candidate)) = cancelled(run, loaded, absent, *within, occurrence) {
            run.state.pending.remove(at);
            refuse(run, loaded, &candidate, NotEntered::Came { at: occurrence.at });
        }
    }
}

/// Nothing came: enters, unless it is long since.
pub(in crate::step) fn fire(
    run: &mut Run,
    loaded: &Arc<Loaded>,
    subject: SubjectRef,
    awaited: Awaited,
    due: Timestamp,
) {
    let scene = run.scene(loaded, &subject);
    let fresh_until = loaded.program.stale.map(|stale| run.after(awaited.at, stale, &scene).max(due));
    let age_ms = run.now.duration_since(awaited.at).as_millis();
    let candidate = Candidate {
        subject,
        cause: Cause::Without(awaited.event),
        at: awaited.at,
        payload: awaited.fields,
        identity: awaited.identity,
        date: None,
        rule: None,
    };
    if fresh_until.is_some_and(|until| run.now > until) {
        let age_ms = i64::try_from(age_ms).unwrap_or(i64::MAX);
        return refuse(run, loaded, &candidate, NotEntered::Stale { age_ms });
    }
    consider(run, loaded, candidate);
}

fn wait(run: &mut Run, loaded: &Arc<Loaded>, candidate: Candidate, occurrence: &Occurrence, due: Timestamp) {
    let awaited = Awaited {
        event: occurrence.name,
        identity: candidate.identity.clone(),
        at: occurrence.at,
        received: occurrence.received,
        fields: candidate.payload.clone(),
    };
    // Even if it is due already: who slept hears of B in the same breath as of A, and fires once all is heard.
    let own = |pending: &&Pending| pending.journey == loaded.journey && pending.subject == candidate.subject;
    if run.state.pending.iter().filter(own).count() >= MAX_PENDING {
        return refuse(run, loaded, &candidate, NotEntered::TooMany);
    }
    let planned = Decision::Planned { by: candidate.cause, at: due };
    run.trace_entry(loaded, &candidate.subject, planned);
    let why = PendingWhy::Without(Box::new(awaited));
    run.state.pending.push(Pending { journey: loaded.journey, subject: candidate.subject, due, why });
}

fn deadline(run: &Run, loaded: &Loaded, subject: &SubjectRef, at: Timestamp, within: Length) -> Timestamp {
    let scene = run.scene(loaded, subject);
    run.after(at, within, &scene)
}

fn remember(run: &mut Run, loaded: &Loaded, absent: &Pattern, occurrence: &Occurrence) {
    let scene = run.scene(loaded, &occurrence.subject);
    let digest = digest(absent);
    let known = |recent: &Recent| recent.digest == digest && recent.at == occurrence.at;
    if !occurrence.is_of(&absent.source, loaded, &scene) || run.state.recent.iter().any(known) {
        return;
    }
    let recent = &mut run.state.recent;
    let own = |recent: &Recent| recent.digest == digest && recent.subject == occurrence.subject;
    if recent.iter().filter(|known| own(known)).count() >= MAX_RECENT {
        let oldest =
            recent.iter().enumerate().filter(|(_, known)| own(known)).min_by_key(|(_, known)| known.at);
        if let Some(at) = oldest.map(|(at, _)| at) {
            recent.remove(at);
        }
    }
    recent.push(Recent {
        digest,
        subject: occurrence.subject.clone(),
        at: occurrence.at,
        fields: occurrence.fields.to_vec(),
    });
}

/// When a B that arrived before its A happened.
fn came_before(
    run: &Run,
    loaded: &Loaded,
    candidate: &Candidate,
    absent: &Pattern,
    deadline: Timestamp,
) -> Option<Timestamp> {
    let digest = digest(absent);
    let recent = run.state.recent.iter().filter(|recent| {
        let concerns = recent.subject.0.is_none()
            || candidate.subject.0.is_none()
            || recent.subject == candidate.subject;
        recent.digest == digest && concerns && candidate.at <= recent.at && recent.at < deadline
    });
    let admitted = recent.filter(|recent| admits_absent(run, loaded, candidate, absent, &recent.fields));
    admitted.map(|recent| recent.at).min()
}

fn admits_absent(
    run: &Run,
    loaded: &Loaded,
    candidate: &Candidate,
    absent: &Pattern,
    fields: &Fields,
) -> bool {
    let scene = run.scene(loaded, &candidate.subject).entered_by(&candidate.payload);
    scene.testing(fields).admits(absent.filter.as_ref())
}

/// The first waiting entry that the occurrence cancels.
fn cancelled(
    run: &Run,
    loaded: &Loaded,
    absent: &Pattern,
    within: Length,
    occurrence: &Occurrence,
) -> Option<(usize, Candidate)> {
    run.state.pending.iter().enumerate().find_map(|(at, pending)| {
        let PendingWhy::Without(awaited) = &pending.why else { return None };
        if pending.journey != loaded.journey || !occurrence.concerns(&pending.subject) {
            return None;
        }
        let deadline = deadline(run, loaded, &pending.subject, awaited.at, within);
        if occurrence.at < awaited.at || occurrence.at >= deadline {
            return None;
        }
        let scene = run.scene(loaded, &pending.subject).entered_by(&awaited.fields);
        let candidate = Candidate {
            subject: pending.subject.clone(),
            cause: Cause::Without(awaited.event),
            at: awaited.at,
            payload: awaited.fields.clone(),
            identity: awaited.identity.clone(),
            date: None,
            rule: None,
        };
        occurrence.matches(absent, loaded, scene).then_some((at, candidate))
    })
}
