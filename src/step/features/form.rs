//! Which form a history condition is kept in, adding to it and reading it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Asked, Reach};
use crate::expr::eval::{fold, same};
use crate::expr::{Aggregate, AggregateFn, Anchor, Expr, SpanUnit, Window, civil};
use crate::step::history::{Feature, MAX_DAYS, MAX_RING, MAX_VOTES, Tally, Vote};
use crate::step::scene::Scene;
use crate::value::{Length, Value};

const DAY_MS: i64 = 86_400_000;

/// The form in which nothing has happened yet. `since` a day or moment that is written out needs no instants: what
/// was before it is not added at all.
pub(super) fn empty(aggregate: &Aggregate) -> Feature {
    let by_instant = match &aggregate.window {
        Some(Window::Since(Anchor::At(Expr::Const(_)))) => aggregate.function == AggregateFn::Any,
        Some(Window::Last(Length::Elapsed(_)) | Window::Since(_)) => true,
        _ => false,
    };
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
    if value.is_missing() && !counts_missing(aggregate.function) || is_outside(aggregate, at, scene) {
        return;
    }
    let day = if is_daily(aggregate) { day_of(at, scene.zone) } else { 0 };
    let oldest = Reach::of(aggregate).oldest(day_of(scene.now, scene.zone));
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
        // Of `any` one is kept for all of time: the latest.
        Feature::Total(tally) if function == AggregateFn::Any && tally.at < asked.from => {
            fold(function, &[], scene)
        }
        Feature::Total(tally) => super::tally::total([tally], function, scene),
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

/// Whether a window that is written out, and so the same for ever, leaves `at` out.
fn is_outside(aggregate: &Aggregate, at: Timestamp, scene: &Scene) -> bool {
    match &aggregate.window {
        Some(Window::Span(span)) => fixed_days(span).is_some_and(|(first, last)| {
            let day = civil::date_of(at, scene.zone);
            day < first || last < day
        }),
        Some(Window::Since(anchor @ Anchor::At(Expr::Const(_)))) => {
            scene.anchor(anchor).is_some_and(|from| at < from)
        }
        _ => false,
    }
}

/// First and last day of a span that is written out: `month of 2027-03-31`, `2026-12-01..2026-12-31`.
pub(super) fn fixed_days(span: &Expr) -> Option<(Date, Date)> {
    let date = |expr: &Expr| match expr {
        Expr::Const(Value::Date(date)) => Some(*date),
        _ => None,
    };
    match span {
        Expr::SpanOf { unit, of } => civil::span_of(*unit, date(of)?),
        Expr::Range(from, to) => Some((date(from)?, date(to)?)),
        Expr::Const(Value::Range(ends)) => match &**ends {
            (Value::Date(first), Value::Date(last)) => Some((*first, *last)),
            _ => None,
        },
        _ => None,
    }
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

/// How far back a condition looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Back {
    /// Since an instant of an instance: as long as that lasts.
    Instance,
    /// So many days.
    Days(i32),
    Ever,
}

/// How far `aggregate` looks back from `today`, as far as that is written.
#[must_use]
pub fn looks_back(aggregate: &Aggregate, today: Date) -> Back {
    let since = |day: Date| Back::Days((number(today) - number(day)).max(0) + 1);
    match &aggregate.window {
        Some(Window::Last(_) | Window::Span(Expr::Span { .. })) => Back::Days(reach_days(aggregate)),
        Some(Window::Span(span)) => fixed_days(span).map_or(Back::Days(MAX_DAYS), |(first, _)| since(first)),
        Some(Window::Since(Anchor::At(Expr::Const(Value::Date(day))))) => since(*day),
        Some(Window::Since(Anchor::At(_)) | Window::Ever) | None => Back::Ever,
        Some(Window::Since(_)) => Back::Instance,
    }
}

fn vote(votes: &mut Vec<Vote>, day: i32, value: Value, at: Timestamp) {
    let is_same = |known: &Vote| known.day == day && same(&known.value, &value);
    if let Some(known) = votes.iter_mut().find(|known| is_same(known) && at < known.last) {
        known.count = known.count.saturating_add(1);
        return;
    }
    // It is the one seen last now, also of those that happened in the same instant.
    let known = votes.iter().position(is_same);
    let known = known.map(|known| votes.remove(known));
    let mut own = known.unwrap_or(Vote { day, value, count: 0, last: at });
    own.count = own.count.saturating_add(1);
    own.last = at;
    let place = votes.partition_point(|known| (known.day, known.last) <= (day, at));
    votes.insert(place, own);
    if votes.len() > MAX_VOTES {
        votes.remove(0);
    }
}

/// The most frequent value; of equals the one seen last, which comes last in the list too.
fn winner<'v>(votes: impl Iterator<Item = &'v Vote>) -> Value {
    let mut totals: Vec<(&Value, u64)> = Vec::new();
    for vote in votes {
        let known = totals.iter().position(|(value, _)| same(value, &vote.value));
        let (value, before) = known.map_or((&vote.value, 0), |known| totals.remove(known));
        totals.push((value, before + u64::from(vote.count)));
    }
    let best = totals.into_iter().max_by_key(|&(_, count)| count);
    best.map_or(Value::Missing, |(value, _)| value.clone())
}
