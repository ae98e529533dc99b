//! The end-of-day values of a daily attribute, kept once per subject and attribute however many conditions ask.
//!
//! The value of a day is the last one told for it; a day for which none was told has that of the day before, and
//! today has what is known so far. A value told late corrects the days it is of and nothing else. Kept is what the
//! windows of all programs can reach, one value before that to carry forward, and always the newest.

use super::form;
use crate::expr::eval::fold;
use crate::expr::{Aggregate, AggregateFn, Owner, Window};
use crate::name::Name;
use crate::step::history::{Feature, MAX_DAYS, MAX_SERIES};
use crate::step::run::{Run, whole_ms};
use crate::step::scene::{ROOT, Scene};
use crate::step::state::{History, SubjectRef};
use crate::value::Value;

/// How far back some program looks: so many days before today, and never beyond a day that one names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::step) struct Reach {
    days: i32,
    first: i32,
}

impl Default for Reach {
    /// Nobody asks: today is enough.
    fn default() -> Self {
        Self { days: 0, first: i32::MAX }
    }
}

impl Reach {
    /// Of one condition alone.
    pub(super) fn of(aggregate: &Aggregate) -> Self {
        let mut reach = Self::default();
        reach.cover(aggregate);
        reach
    }

    pub(in crate::step) fn cover(&mut self, aggregate: &Aggregate) {
        match &aggregate.window {
            Some(Window::Span(span)) => match form::fixed_days(span) {
                Some((first, _)) => self.first = self.first.min(form::number(first)),
                None => self.days = self.days.max(form::reach_days(aggregate)),
            },
            Some(Window::Last(_)) => self.days = self.days.max(form::reach_days(aggregate)),
            _ => self.days = self.days.max(MAX_DAYS),
        }
    }

    /// Whether whoever looks back this far has what the other asks.
    pub(in crate::step) fn covers(self, other: Self) -> bool {
        self.days >= other.days && self.first <= other.first
    }

    /// The first day that is looked at.
    pub(super) fn oldest(self, today: i32) -> i32 {
        today.saturating_sub(self.days).min(self.first)
    }
}

/// Notes what an attribute is told to be at `at`. `false`: it is of a day before the newest known one, so it corrects
/// the past and is not what the attribute is now.
pub(in crate::step) fn note(
    run: &mut Run,
    subject: &SubjectRef,
    attribute: Name,
    at: jiff::Timestamp,
    value: &Value,
) -> bool {
    let world = run.world;
    let entity = match &subject.0 {
        None => Some(run.root.entity),
        Some((entity, _)) => world.symbols.name(*entity),
    };
    let Some(reach) = entity.and_then(|entity| world.index().reach(entity, attribute)) else { return true };
    let day = form::day_of(whole_ms(at), &run.zone);
    let oldest = reach.oldest(form::day_of(run.now, &run.zone));
    let id = run.sym(attribute);
    let features = &mut run.state.features;
    let (Ok(place) | Err(place)) = super::place(features, id, subject).inspect_err(|&place| {
        let history = History { id, subject: subject.clone(), feature: Feature::Series(Vec::new()) };
        features.insert(place, history);
    });
    let Some(History { feature: Feature::Series(days), .. }) = features.get_mut(place) else { return true };
    let is_newest = days.last().is_none_or(|(newest, _)| *newest <= day);
    set(days, day, value.clone());
    forget(days, oldest);
    is_newest
}

fn set(days: &mut Vec<(i32, Value)>, day: i32, value: Value) {
    match days.binary_search_by_key(&day, |(known, _)| *known) {
        Ok(at) => {
            if let Some(slot) = days.get_mut(at) {
                slot.1 = value;
            }
        }
        Err(at) => days.insert(at, (day, value)),
    }
}

/// Drops what is older than `oldest`, but for the newest of it, which is carried forward.
fn forget(days: &mut Vec<(i32, Value)>, oldest: i32) {
    let before = days.partition_point(|(day, _)| *day <= oldest);
    let spare = before.saturating_sub(1).max(days.len().saturating_sub(MAX_SERIES));
    days.drain(..spare);
}

/// The aggregate over the days of `asked` (first and last), up to today.
pub(super) fn read(
    owner: Owner,
    attribute: Name,
    function: AggregateFn,
    asked: (i32, i32),
    scene: &Scene,
) -> Value {
    let subject = if owner == Owner::Parent { &ROOT } else { scene.subject };
    let known =
        scene.world.symbols.sym(attribute).and_then(|id| {
            scene.state.features.iter().find(|known| known.id == id && known.subject == *subject)
        });
    let Some(History { feature: Feature::Series(days), .. }) = known else {
        return fold(function, &[], scene);
    };
    let today = form::day_of(scene.now, scene.zone);
    fold(function, &values(days, asked.0, asked.1.min(today)), scene)
}

/// The value of every day from `first` to `last` that has one.
fn values(days: &[(i32, Value)], first: i32, last: i32) -> Vec<Value> {
    let Some((earliest, _)) = days.first() else { return Vec::new() };
    let mut values = Vec::new();
    for day in first.max(*earliest)..=last {
        let told = days.partition_point(|(known, _)| *known <= day);
        let value = told.checked_sub(1).and_then(|at| days.get(at));
        values.extend(value.map(|(_, value)| value.clone()));
    }
    values
}
