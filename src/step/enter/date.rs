//! `enter on DATE`: an occurrence per date, planned ahead and planned again whenever an attribute changes.
//!
//! A missing date never occurs. A date that is already past when it becomes known does not enter: a reminder that
//! was due before we knew of it is not sent late. What was planned in time enters even if the daemon slept over it.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::event::filtered;
use super::{Candidate, consider, refuse, subjects};
use crate::expr::civil::{self, Recurrence};
use crate::expr::{Env, Expr, eval};
use crate::name::Name;
use crate::program::{Enter, Program, Reenter};
use crate::step::index::Loaded;
use crate::step::run::{Run, whole_ms};
use crate::step::scene::Scene;
use crate::step::state::{Pending, PendingWhy, SubjectRef};
use crate::step::trace::{Cause, Decision};
use crate::value::Value;

/// Plans the next occurrence of every date entry for every subject of the row.
pub(in crate::step) fn plan(run: &mut Run) {
    let world = run.world;
    for loaded in world.index().dated() {
        for subject in subjects(run, loaded) {
            plan_one(run, loaded, &subject);
        }
    }
}

/// A planned occurrence is due.
pub(in crate::step) fn fire(
    run: &mut Run,
    loaded: &Arc<Loaded>,
    subject: SubjectRef,
    due: Timestamp,
    date: Date,
) {
    let filter = match &loaded.program.enter {
        Enter::Date { filter, .. } | Enter::Anchor { filter, .. } => filter.as_ref(),
        _ => return,
    };
    let candidate = Candidate {
        subject,
        cause: Cause::Date,
        at: due,
        payload: Vec::new(),
        identity: date.to_string().into(),
        date: Some(date),
        rule: None,
    };
    let subject = candidate.subject.clone();
    match filtered(run, loaded, &candidate, filter) {
        Ok(()) => consider(run, loaded, candidate),
        Err(why) => refuse(run, loaded, &candidate, why),
    }
    plan_one(run, loaded, &subject);
}

fn plan_one(run: &mut Run, loaded: &Loaded, subject: &SubjectRef) {
    let scene = run.scene(loaded, subject);
    let next = next(&loaded.program, &scene)
        .filter(|(date, due)| *due > run.now && !is_used(run, loaded, subject, *date));
    let own = |pending: &Pending| {
        pending.journey == loaded.journey
            && pending.subject == *subject
            && matches!(pending.why, PendingWhy::Date(_))
    };
    let planned = run
        .state
        .pending
        .iter()
        .find(|pending| own(pending))
        .map(|pending| (pending.due, pending.why.clone()));
    let wanted = next.map(|(date, due)| (due, PendingWhy::Date(date)));
    // What is due is about to be looked at; planning never takes it away.
    if planned == wanted || planned.as_ref().is_some_and(|(due, _)| *due <= run.now) {
        return;
    }
    run.state.pending.retain(|pending| !own(pending));
    if let Some((due, why)) = wanted {
        run.state.pending.push(Pending { journey: loaded.journey, subject: subject.clone(), due, why });
        run.trace_entry(loaded, subject, Decision::Planned { by: Cause::Date, at: due });
    }
}

fn is_used(run: &Run, loaded: &Loaded, subject: &SubjectRef, date: Date) -> bool {
    let key = date.to_string();
    loaded.program.reenter == Reenter::Occurrence
        && run
            .state
            .entries
            .iter()
            .any(|entry| entry.journey == loaded.journey && entry.subject == *subject && *entry.key == *key)
}

/// The next occurrence: the date that names it, and its instant.
fn next(program: &Program, scene: &Scene) -> Option<(Date, Timestamp)> {
    match &program.enter {
        Enter::Date { moment, .. } => {
            let date = as_date(&eval(named_date(moment), scene), scene)?;
            Some((date, as_moment(&eval(moment, scene), scene)?))
        }
        Enter::Anchor { anchor, .. } => recurring(program, *anchor, scene),
        _ => None,
    }
}

fn recurring(program: &Program, anchor: Name, scene: &Scene) -> Option<(Date, Timestamp)> {
    let Enter::Anchor { of, shift, at, .. } = &program.enter else { return None };
    let id = match of {
        Some((of, _)) => match eval(of, scene) {
            Value::Text(id) => Some(id),
            _ => return None,
        },
        None => None,
    };
    let entity = of.as_ref().map_or(program.subject, |(_, entity)| *entity);
    let recurrence = recurrence(scene, id.as_deref(), entity, anchor)?;
    let found = Recurrence { shift: *shift, at: *at, ..recurrence }.next(scene.now)?;
    Some((found.date, whole_ms(found.moment)))
}

/// The recurring date of the subject, or of the root `of`.
fn recurrence<'s>(scene: &'s Scene, of: Option<&str>, entity: Name, anchor: Name) -> Option<Recurrence<'s>> {
    let schema = scene.world.index().entities.get(&entity)?;
    let anchor = schema.anchors.iter().find(|known| known.name == anchor)?;
    let on = match (anchor.schedule.attribute(), of) {
        (None, _) => Value::Missing,
        (Some(name), None) => scene.attribute(scene.subject, name),
        (Some(name), Some(id)) => scene.reference(entity, id, name),
    };
    let own = if of.is_some() { schema.calendar } else { None };
    Some(Recurrence {
        schedule: &anchor.schedule,
        on,
        roll_back: anchor.roll_back,
        shift: None,
        at: None,
        zone: scene.zone,
        calendar: scene.calendar(anchor.schedule.calendar.or(own)),
    })
}

/// The first date of the anchor on or after `base`; with `back` the last on or before it. Rolled to a workday.
pub(in crate::step) fn anchored(
    scene: &Scene,
    of: Option<&str>,
    (entity, anchor): (Name, Name),
    base: Date,
    back: bool,
) -> Option<Date> {
    let recurrence = recurrence(scene, of, entity, anchor)?;
    let start = civil::start_of_day(base, scene.zone)?;
    let found = if back {
        recurrence.previous(start)?
    } else {
        recurrence.next(start.checked_sub(jiff::SignedDuration::from_millis(1)).ok()?)?
    };
    Some(civil::date_of(found.moment, scene.zone))
}

/// The date that the journey names: `maturity` of `5 workdays before maturity at 10:00`. A corrected calendar moves
/// the moment but not this, so nobody is reminded twice of one date.
fn named_date(expr: &Expr) -> &Expr {
    match expr {
        Expr::At(inner, _) | Expr::Shift { from: inner, .. } => named_date(inner),
        other => other,
    }
}

fn as_date(value: &Value, scene: &Scene) -> Option<Date> {
    match value {
        Value::Date(date) => Some(*date),
        Value::Moment(moment) => Some(civil::date_of(*moment, scene.zone)),
        _ => None,
    }
}

/// A moment, or the first instant of a date in the subject's zone.
pub(in crate::step) fn as_moment(value: &Value, scene: &Scene) -> Option<Timestamp> {
    match value {
        Value::Date(date) => civil::start_of_day(*date, scene.zone),
        Value::Moment(moment) => Some(whole_ms(*moment)),
        _ => None,
    }
}
