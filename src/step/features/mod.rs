//! Compiled history: what conditions over events ask for, updated on every event and read inside a window.
//!
//! Exact in bounded space: civil windows are whole days in the subject's zone, so one tally per day is enough;
//! elapsed windows and `since` need instants, of which the newest [`MAX_RING`](super::history::MAX_RING) are kept; what
//! is asked for since ever is one tally. `tests` compares all of it with a recomputation from the full list.

mod form;
mod series;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use form::{Back, looks_back};
pub(super) use series::{Reach, note as note_day};

use super::index::{Kept, Loaded};
use super::occurrence::Occurrence;
use super::run::Run;
use super::scene::{ROOT, Scene};
use super::state::{History, SubjectRef};
use super::symbols::Sym;
use crate::expr::eval::fold;
use crate::expr::{Aggregate, AggregateFn, Env, Source, Window, civil, eval};
use crate::name::Name;
use crate::program::{self, Program};
use crate::value::Value;

/// How far back programs ask the days of each daily attribute.
pub(super) fn reaches<'p>(programs: impl Iterator<Item = &'p Program>) -> BTreeMap<Name, Reach> {
    let mut reaches: BTreeMap<Name, Reach> = BTreeMap::new();
    for feature in programs.flat_map(|program| &program.features) {
        if let Source::Daily { attribute, .. } = feature.aggregate.source {
            reaches.entry(attribute).or_default().cover(&feature.aggregate);
        }
    }
    reaches
}

/// Adds the occurrence to every history condition that it belongs to.
pub(super) fn update(run: &mut Run, occurrence: &Occurrence) {
    // What is said to others is not this subject's history.
    if occurrence.to_others {
        return;
    }
    let world = run.world;
    for kept in world.index().features(occurrence.trigger) {
        if !is_fed(run, &kept.loaded, occurrence) {
            continue;
        }
        let Some((home, value)) = admitted(run, kept, occurrence) else { continue };
        let mut history = match place(&run.state.features, kept.id, &home) {
            Ok(at) => run.state.features.remove(at),
            Err(_) => History { id: kept.id, subject: home, feature: form::empty(&kept.aggregate) },
        };
        run.changed.fed.insert(kept.id);
        let scene = run.scene(&kept.loaded, &ROOT);
        form::add(&mut history.feature, &kept.aggregate, occurrence.at, value, &scene);
        let (Ok(at) | Err(at)) = place(&run.state.features, history.id, &history.subject);
        run.state.features.insert(at, history);
    }
}

/// Whether what happens in this row feeds what the program asks. Of others' events only replies hear; what happens to
/// members of a group is known in their own rows, where the `where` of a `start … each` is asked.
fn is_fed(run: &Run, loaded: &Loaded, occurrence: &Occurrence) -> bool {
    run.is_home_of(loaded) || !occurrence.told && loaded.program.rules.is_none()
}

/// Where it stands in a row, or where it belongs. Rows of before are not always in order, so all are looked at.
pub(super) fn place(histories: &[History], id: Sym, subject: &SubjectRef) -> Result<usize, usize> {
    let found = histories.iter().position(|known| known.id == id && known.subject == *subject);
    found.ok_or_else(|| histories.partition_point(|known| (known.id, &known.subject) < (id, subject)))
}

/// The value of a history condition for the subject of the scene, at its instant.
pub(super) fn read(feature: &program::Feature, scene: &Scene) -> Value {
    let aggregate = &feature.aggregate;
    if let Source::Daily { owner, attribute } = aggregate.source {
        let asked = window(aggregate, scene);
        return asked.map_or(Value::Missing, |asked| {
            series::read(owner, attribute, aggregate.function, asked.days, scene)
        });
    }
    let Some(id) = scene.world.symbols.sym(feature.id) else { return Value::Missing };
    let is_childs = || {
        let entity = scene.entity(scene.subject);
        entity.is_some_and(|entity| is_own(&aggregate.source, entity, scene))
    };
    let home = if *scene.subject != ROOT && is_childs() { scene.subject } else { &ROOT };
    let known = scene.state.features.iter().find(|known| known.id == id && known.subject == *home);
    // Most subjects have nothing of most of what is asked for: then no window is worked out.
    let asked = known.and_then(|history| Some((history, window(aggregate, scene)?)));
    match asked {
        Some((history, window)) => form::read(&history.feature, aggregate.function, window, scene),
        None => fold(aggregate.function, &[], scene),
    }
}

/// The part of time that is asked for. Only one kind of each pair is looked at, by the form of the feature.
#[derive(Clone, Copy)]
struct Asked {
    from: Timestamp,
    /// First and last day number.
    days: (i32, i32),
}

/// `None` where the window hangs on an anchor that has not come: nothing has happened since.
fn window(aggregate: &Aggregate, scene: &Scene) -> Option<Asked> {
    let ever = Asked { from: Timestamp::MIN, days: (i32::MIN, i32::MAX) };
    Some(match aggregate.window.as_ref()? {
        Window::Ever => ever,
        Window::Since(anchor) => Asked { from: scene.anchor(anchor)?, ..ever },
        Window::Last(length) => {
            let from = civil::last_window_start(*length, scene.now, scene.zone, scene.calendar(None))?;
            Asked { from, days: (form::day_of(from, scene.zone), i32::MAX) }
        }
        Window::Span(span) => {
            let Value::Range(ends) = eval(span, scene) else { return None };
            let day = |value: &Value| match value {
                Value::Date(date) => Some(form::number(*date)),
                Value::Moment(moment) => Some(form::day_of(*moment, scene.zone)),
                _ => None,
            };
            Asked { days: (day(&ends.0)?, day(&ends.1)?), ..ever }
        }
    })
}

/// Whose history the occurrence belongs to, and the value that it adds.
fn admitted(run: &Run, kept: &Kept, occurrence: &Occurrence) -> Option<(SubjectRef, Value)> {
    let aggregate = &kept.aggregate;
    let home = home(run, &kept.loaded, &aggregate.source, occurrence);
    let scene = run.scene(&kept.loaded, &home);
    if !occurrence.is_of(&aggregate.source, &kept.loaded, &scene) {
        return None;
    }
    let scene = scene.hearing(occurrence);
    if !scene.admits(aggregate.filter.as_ref()) {
        return None;
    }
    let value = match (&aggregate.value, aggregate.function) {
        (Some(value), _) => eval(value, &scene),
        (None, AggregateFn::First | AggregateFn::Last) => Value::Record(occurrence.fields.to_vec()),
        (None, _) => Value::Bool(true),
    };
    Some((home, value))
}

fn home(run: &Run, loaded: &Loaded, source: &Source, occurrence: &Occurrence) -> SubjectRef {
    let scene = run.scene(loaded, &occurrence.subject);
    let about_subject = scene.entity(&occurrence.subject) == Some(loaded.program.subject);
    if about_subject && is_own(source, loaded.program.subject, &scene) {
        occurrence.subject.clone()
    } else {
        ROOT.clone()
    }
}

/// Whether a child of this entity has this history for itself, rather than sharing its parent's.
fn is_own(source: &Source, entity: Name, scene: &Scene) -> bool {
    let index = scene.world.index();
    match source {
        Source::Event(name) => index.events.get(name).is_some_and(|event| event.subject == entity),
        Source::Message { step, .. } => step.is_some(),
        Source::Change { attribute, .. } | Source::Close(attribute) => {
            let fields =
                index.entities.get(&entity).map(|entity| entity.fields.as_slice()).unwrap_or_default();
            fields.iter().any(|field| field.name == *attribute)
                || index.tracked().any(|one| one.name == *attribute && one.subject == entity)
        }
        Source::Children(_) | Source::Daily { .. } => false,
    }
}
