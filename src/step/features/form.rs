//! Which form a history condition is kept in, adding to it and reading it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Asked;
use crate::expr::eval::{fold, same};
use crate::expr::{Aggregate, AggregateFn, Expr, SpanUnit, Window, civil};
use crate::step::history::{Feature, MAX_DAYS, MAX_RING, MAX_VOTES, Tally, Vote};
use crate::step::scene::Scene;
use crate::value::{Length, Value};

const DAY_MS: i64 = 86_400_000;

/// The form in which nothing has happened yet.
pub(super) fn empty(aggregate: &Aggregate) -> Feature {
    let by_instant = matches!(aggregate.window, Some(Window::Last(Length::Elapsed(_)) | Window::Since(_)));
    match (aggregate.function, &aggregate.window) {
        (AggregateFn::Any, _) if by_instant => Feature::Total(Tally::empty()),
        _ if by_instant => Feature::Ring(Vec::new()),
        (AggregateFn::Most, _) => Feature::Votes(Vec::new()),
        (_, Some(Window::Last(_) | Window::Span(_))) => Feature::Days(Vec::new()),
        _ => Feature::Total(Tally::empty()),
    }
}

/// Adds one value that happened at `at`, and drops what no window can reach any more.
pub(super) fn add(feature: &mut Feature, aggregate: &Aggregate, at: Timestamp, value: Value, scene: &Scene) {
    if value.is_missing() && !counts_missing(aggregate.function) {
        return;
    }
    let day = if is_daily(aggregate) { day_of(at, scene.zone) } else { 0 };
    let oldest = day_of(scene.now, scene.zone).saturating_sub(reach_days(aggregate));
    match feature {
        Feature::Total(tally) => tally.add(aggregate.function, at, value, scene),
        Feature::Days(days) => {
            days.retain(|(known, _)| *known >= oldest);
            let place = days.partition_point(|(known, _)| *known < day);
            if days.get(place).is_none_or(|(known, _)| *known != day) {
                days.insert(place, (day, Tally::empty()));
            }
            if let Some((_, tally)) = days.get_mut(place) {
                tally.add(aggregate.function, at, value, scene);
            }
        }
        Feature::Votes(votes) => {
            if is_daily(aggregate) {
                votes.retain(|vote| vote.day >= oldest);
            }
            vote(votes, day, value, at);
        }
        Feature::Ring(ring) => {
            if let Some(Window::Last(Length::Elapsed(ms))) = aggregate.window {
                let start = crate::step::run::later(scene.now, ms.saturating_neg());
                ring.retain(|(known, _)| *known >= start);
            }
            let place = ring.partition_point(|(known, _)| *known <= at);
            ring.insert(place, (at, value));
            if ring.len() > MAX_RING {
                ring.remove(0);
            }
        }
        // Kept by the attribute, not by the condition: see `series`.
        Feature::Series(_) | Feature::Seen(_) => {}
    }
}

/// The aggregate over the asked part of time.
pub(super) fn read(feature: &Feature, function: AggregateFn, asked: Asked, scene: &Scene) -> Value {
    let (first, last) = asked.days;
    match feature {
        Feature::Total(tally) if tally.at >= asked.from => super::tally::total([tally], function, scene),
        Feature::Total(_) => fold(function, &[], scene),
        Feature::Days(days) => {
            let inside = days.iter().filter(|(day, _)| first <= *day && *day <= last);
            super::tally::total(inside.map(|(_, tally)| tally), function, scene)
        }
        Feature::Votes(votes) => {
            winner(votes.iter().filter(|vote| vote.day == 0 || (first <= vote.day && vote.day <= last)))
        }
        Feature::Ring(ring) => {
            let inside = ring.iter().filter(|(at, _)| *at >= asked.from);
            let values: Vec<Value> = inside.map(|(_, value)| value.clone()).collect();
            fold(function, &values, scene)
        }
        Feature::Series(_) | Feature::Seen(_) => Value::Missing,
    }
}

/// The civil day of an instant, counted from 1970-01-01.
pub(super) fn day_of(at: Timestamp, zone: &TimeZone) -> i32 {
    number(civil::date_of(at, zone))
}

pub(super) fn number(date: Date) -> i32 {
    let start = jiff::civil::date(1970, 1, 1);
    start.until(date).map_or(0, |span| span.get_days())
}

fn counts_missing(function: AggregateFn) -> bool {
    matches!(function, AggregateFn::Any | AggregateFn::Once | AggregateFn::Count)
}

fn is_daily(aggregate: &Aggregate) -> bool {
    matches!(aggregate.window, Some(Window::Last(Length::Civil { .. }) | Window::Span(_)))
}

/// How many days back the window can look from today.
pub(super) fn reach_days(aggregate: &Aggregate) -> i32 {
    let days = match &aggregate.window {
        Some(Window::Last(length)) => i32::try_from(length.at_most_ms() / DAY_MS).map(|days| days + 2),
        Some(Window::Span(Expr::Span { unit, offset })) => {
            let spans = i32::from(offset.unsigned_abs()) + 1;
            let longest = match unit {
                SpanUnit::Day => 1,
                SpanUnit::Week => 7,
                SpanUnit::Month => 31,
                SpanUnit::Quarter => 92,
                SpanUnit::Year => 366,
            };
            Ok(spans * longest)
        }
        _ => Ok(MAX_DAYS),
    };
    days.unwrap_or(MAX_DAYS)
}

fn vote(votes: &mut Vec<Vote>, day: i32, value: Value, at: Timestamp) {
    if let Some(known) = votes.iter_mut().find(|known| known.day == day && same(&known.value, &value)) {
        known.count = known.count.saturating_add(1);
        known.last = known.last.max(at);
        return;
    }
    let place = votes.partition_point(|known| known.day <= day);
    votes.insert(place, Vote { day, value, count: 1, last: at });
    if votes.len() > MAX_VOTES {
        votes.remove(0);
    }
}

/// The most frequent value; of equals the one seen last.
fn winner<'v>(votes: impl Iterator<Item = &'v Vote>) -> Value {
    let mut totals: Vec<(&Value, u64, Timestamp)> = Vec::new();
    for vote in votes {
        match totals.iter_mut().find(|(value, ..)| same(value, &vote.value)) {
            Some((_, count, last)) => {
                *count += u64::from(vote.count);
                *last = (*last).max(vote.last);
            }
            None => totals.push((&vote.value, u64::from(vote.count), vote.last)),
        }
    }
    let best = totals.into_iter().max_by_key(|&(_, count, last)| (count, last));
    best.map_or(Value::Missing, |(value, ..)| value.clone())
}
