//! Attributes arrive: they are set or removed, changes become events, and dates are planned again.
//!
//! What is set is what arrives last. Of a daily attribute a value for a day before the newest known one changes that
//! day and not what the attribute is now, so yesterday's correction never undoes today.

use std::cmp::Ordering;

use super::index::Trigger;
use super::input::Event;
use super::occurrence::Occurrence;
use super::run::Run;
use super::scene::Scene;
use super::state::SubjectRef;
use super::{enter, features, park};
use crate::expr::eval;
use crate::name::Name;
use crate::value::Value;

/// Merges the fields into the root or a child, and lets everybody hear what changed. A first value is no change.
pub(super) fn merge(run: &mut Run, event: &Event) {
    let was_known = run.state.known;
    apply(run, event, super::happen);
    enter::plan_date(run);
    if !was_known && run.state.known {
        park::release(run);
    }
}

/// The same, told by an import: what changed counts for history, and nobody hears of it.
pub(super) fn import(run: &mut Run, event: &Event) {
    apply(run, event, |run, occurrence| features::update(run, &occurrence));
    enter::plan_date(run);
}

/// Sets the fields, and tells of each that changed.
fn apply(run: &mut Run, event: &Event, tell: impl Fn(&mut Run, Occurrence)) {
    let subject = SubjectRef(event.child.as_ref().map(|(entity, id)| (run.sym(*entity), id.clone())));
    let is_new = match &subject.0 {
        None => !run.state.known,
        Some((entity, id)) => run.state.child(*entity, id).is_none(),
    };
    let changes = set(run, event, &subject);
    run.state.known |= event.child.is_none();
    run.attributes_changed = true;
    run.moved = true;
    run.refresh_zone();
    if is_new {
        return;
    }
    for (name, old, new) in changes {
        let order = compare(run, &old, &new);
        let occurrence = Occurrence::of_change(event, &subject, name, (old, new), order, run);
        tell(run, occurrence);
    }
}

/// Sets the fields; returns what changed and is listened for.
fn set(run: &mut Run, event: &Event, subject: &SubjectRef) -> Vec<(Name, Value, Value)> {
    let mut changes = Vec::new();
    if event.fields.is_empty() {
        touch(run, subject);
    }
    for (name, new) in &event.fields {
        let sym = run.sym(*name);
        if !features::note_day(run, subject, *name, event.time, new) {
            touch(run, subject);
            continue;
        }
        let old = run.state.set_attribute(subject, sym, new.clone());
        if !eval::same(&old, new) && old != *new && run.world.index().is_heard(Trigger::Change(*name)) {
            changes.push((*name, old, new.clone()));
        }
    }
    changes
}

/// A child without fields still exists.
fn touch(run: &mut Run, subject: &SubjectRef) {
    let sym = run.sym(run.root.entity);
    run.state.set_attribute(subject, sym, Value::Missing);
}

fn compare(run: &Run, old: &Value, new: &Value) -> Option<Ordering> {
    let scene = Scene::of_row(run.world, run.root, run.state, &run.zone, run.now);
    eval::compare(new, old, &scene)
}
