//! Changes of derived values: `drop of membership`, `change of preapproved`.
//!
//! Nobody sends these. After every input the values that some program follows are worked out and held against those
//! seen last; what differs has changed now. A first value is no change. Values that time alone can change are looked
//! at in the first instant of each day in the subject's zone: see docs/decisions/0008.

use std::sync::Arc;

use super::enter;
use super::features;
use super::history::Feature;
use super::index::Tracked;
use super::occurrence::Occurrence;
use super::run::{Follow, Run, whole_ms};
use super::scene::Scene;
use super::state::{History, Pending, PendingWhy, SubjectRef};
use super::symbols;
use super::trace::Decision;
use crate::expr::{Env, Owner, civil, eval};
use crate::value::Value;

/// Works out every followed value, and lets everybody hear what changed.
pub(super) fn notice(run: &mut Run) {
    note(run);
    for occurrence in std::mem::take(&mut run.noted) {
        if run.world.index().is_heard(occurrence.trigger) {
            run.tell_later(Follow::Occurrence(occurrence));
        }
        run.moved = true;
    }
}

/// The same before others hear what it follows from: history has it at once, so that who has dropped this instant is still
/// at the best of the last thirty days.
pub(super) fn note(run: &mut Run) {
    let changed = changes(run);
    run.noted.extend(changed);
}

/// The same behind an import: what changed is kept and counts for history, and nobody hears of it.
pub(super) fn see(run: &mut Run) {
    drop(changes(run));
}

/// What has changed since the last look, each behind those that it looks back on; history has it.
fn changes(run: &mut Run) -> Vec<Occurrence<'static>> {
    let mut changed = Vec::new();
    if !run.state.known {
        return changed;
    }
    let world = run.world;
    let looked_today = run.state.pending.iter().any(|one| is_look(one) && one.due > run.now);
    for tracked in world.index().tracked() {
        let may_differ = tracked.may_differ(&run.changed, looked_today);
        for subject in enter::subjects_of(run, tracked.subject) {
            if !may_differ && was_seen(run, tracked, &subject) {
                continue;
            }
            if let Some(occurrence) = change(run, tracked, &subject) {
                features::update(run, &occurrence);
                changed.push(occurrence);
            }
        }
    }
    changed
}

/// Plans the next look, where there is something that time alone can change.
pub(super) fn plan(run: &mut Run) {
    let is_planned = |run: &Run| run.state.pending.iter().any(is_look);
    if !run.state.known || !run.world.index().looks_daily() || is_planned(run) {
        return;
    }
    let tomorrow = civil::date_of(run.now, &run.zone).tomorrow().ok();
    let Some(due) = tomorrow.and_then(|day| civil::start_of_day(day, &run.zone)) else { return };
    let journey = run.fixed(symbols::ATTRIBUTES);
    let subject = SubjectRef(None);
    run.state.pending.push(Pending { journey, subject, due: whole_ms(due), why: PendingWhy::Look });
}

/// One that is planned for tomorrow says that there was one today.
fn is_look(pending: &Pending) -> bool {
    matches!(pending.why, PendingWhy::Look)
}

fn was_seen(run: &Run, tracked: &Tracked, subject: &SubjectRef) -> bool {
    let id = run.world.symbols.sym(tracked.name);
    id.is_some_and(|id| features::place(&run.state.features, id, subject).is_ok())
}

/// What has changed since the last look, which is this one from now on.
fn change(run: &mut Run, tracked: &Tracked, subject: &SubjectRef) -> Option<Occurrence<'static>> {
    let loaded = Arc::clone(&tracked.loaded);
    let new = run.scene(&loaded, subject).def(Owner::Subject, tracked.def);
    let own =
        History { id: run.sym(tracked.name), subject: subject.clone(), feature: Feature::Seen(new.clone()) };
    let old = swap(&mut run.state.features, own)?;
    if old == new || eval::same(&old, &new) {
        return None;
    }
    let order = {
        let scene: Scene = run.scene(&loaded, subject);
        eval::compare(&new, &old, &scene)
    };
    let shown = |value: &Value| match value {
        Value::Choice(_) | Value::Bool(_) => value.clone(),
        _ => Value::Missing,
    };
    let what = Decision::Changed { what: run.sym(tracked.name), old: shown(&old), new: shown(&new) };
    run.trace_about(subject, what);
    Some(Occurrence::of_derived(subject, tracked.name, (old, new), order, run))
}

/// Keeps what is seen now beside the history conditions, and returns what was seen last.
fn swap(histories: &mut Vec<History>, own: History) -> Option<Value> {
    match features::place(histories, own.id, &own.subject) {
        Ok(at) => match std::mem::replace(&mut histories.get_mut(at)?.feature, own.feature) {
            Feature::Seen(value) => Some(value),
            _ => None,
        },
        Err(at) => {
            histories.insert(at, own);
            None
        }
    }
}
