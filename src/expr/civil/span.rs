//! Calendar spans and windows that end now.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::arithmetic::{date_of, shift_date, start_of_day};
use super::calendar::Calendar;
use crate::expr::SpanUnit;
use crate::value::{CivilUnit, Length};

/// First and last day of the span that holds `date`. Weeks start on Monday.
#[must_use]
pub fn span_of(unit: SpanUnit, date: Date) -> Option<(Date, Date)> {
    let (year, month) = (date.year(), date.month());
    Some(match unit {
        SpanUnit::Day => (date, date),
        SpanUnit::Week => {
            let monday = date.checked_sub(Span::new().days(date.weekday().to_monday_zero_offset())).ok()?;
            (monday, monday.checked_add(Span::new().days(6)).ok()?)
        }
        SpanUnit::Month => (date.first_of_month(), date.last_of_month()),
        SpanUnit::Quarter => {
            let first = (month - 1) / 3 * 3 + 1;
            (Date::new(year, first, 1).ok()?, Date::new(year, first + 2, 1).ok()?.last_of_month())
        }
        SpanUnit::Year => (Date::new(year, 1, 1).ok()?, Date::new(year, 12, 31).ok()?),
    })
}

/// The span that holds `today`, moved by `offset` spans: -1 for `last month`, 1 for `next month`.
#[must_use]
pub fn span(unit: SpanUnit, offset: i8, today: Date) -> Option<(Date, Date)> {
    let (first, _) = span_of(unit, today)?;
    let moved = match unit {
        SpanUnit::Day => Span::new().days(offset),
        SpanUnit::Week => Span::new().weeks(offset),
        SpanUnit::Month => Span::new().months(offset),
        SpanUnit::Quarter => Span::new().months(i16::from(offset) * 3),
        SpanUnit::Year => Span::new().years(offset),
    };
    span_of(unit, first.checked_add(moved).ok()?)
}

/// Where `during last D` begins. Elapsed lengths count back from `now`; civil ones are whole days in `zone`, today
/// included: `last 1 day` is today. The window's first instant belongs to it.
#[must_use]
pub fn last_window_start(
    length: Length,
    now: Timestamp,
    zone: &TimeZone,
    calendar: Option<&Calendar>,
) -> Option<Timestamp> {
    if let Length::Elapsed(ms) = length {
        return now.checked_sub(SignedDuration::from_millis(ms)).ok();
    }
    let tomorrow = date_of(now, zone).tomorrow().ok()?;
    // Counted from the first of tomorrow, a clamped month is the whole month: last 1 month of March 30 is
    // from March 1 on, never more than a month.
    let first = match length {
        Length::Civil { unit: CivilUnit::Month | CivilUnit::Year, .. } => {
            let today = tomorrow.yesterday().ok()?;
            shift_date(today, length, true, calendar)?.tomorrow().ok()?
        }
        _ => shift_date(tomorrow, length, true, calendar)?,
    };
    start_of_day(first, zone)
}
