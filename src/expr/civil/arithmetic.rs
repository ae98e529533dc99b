//! Dates and moments moved by lengths of time.

use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp};

use super::calendar::{Calendar, is_workday};
use crate::value::{CivilUnit, Length};

/// More workdays than this (about 150 years) are not counted one by one.
const MOST_WORKDAYS: u32 = 40_000;

/// `date` moved by a civil length, `back` or forward. Months and years clamp to the last day of the month. `None` for
/// elapsed lengths and where the result is outside the calendar of years -9999 to 9999.
#[must_use]
pub fn shift_date(date: Date, by: Length, back: bool, calendar: Option<&Calendar>) -> Option<Date> {
    let Length::Civil { count, unit } = by else { return None };
    let count = if back { count.checked_neg()? } else { count };
    let span = match unit {
        CivilUnit::Workday => return shift_workdays(date, count, calendar),
        CivilUnit::Day => Span::new().try_days(count),
        CivilUnit::Week => Span::new().try_weeks(count),
        CivilUnit::Month => Span::new().try_months(count),
        CivilUnit::Year => Span::new().try_years(count),
    };
    date.checked_add(span.ok()?).ok()
}

/// `moment` moved by a length. Elapsed time is stopwatch time; civil time keeps the clock time of `zone`.
#[must_use]
pub fn shift_moment(
    moment: Timestamp,
    by: Length,
    back: bool,
    zone: &TimeZone,
    calendar: Option<&Calendar>,
) -> Option<Timestamp> {
    match by {
        Length::Elapsed(ms) => {
            let ms = if back { ms.checked_neg()? } else { ms };
            moment.checked_add(SignedDuration::from_millis(ms)).ok()
        }
        // Nothing to add: the instant itself, which a fold of the clock could otherwise move.
        Length::Civil { count: 0, .. } => Some(moment),
        Length::Civil { .. } => {
            let local = zone.to_datetime(moment);
            moment_at(shift_date(local.date(), by, back, calendar)?, local.time(), zone)
        }
    }
}

/// The instant of a clock time in `zone`: in a gap (clocks go forward) the first valid instant after it, in a fold
/// (clocks go back) the first of the two.
#[must_use]
pub fn moment_at(date: Date, time: Time, zone: &TimeZone) -> Option<Timestamp> {
    let local = date.to_datetime(time);
    let ambiguous = zone.to_ambiguous_timestamp(local);
    if let AmbiguousOffset::Gap { before, .. } = ambiguous.offset() {
        let inside = before.to_timestamp(local).ok()?;
        let just_after = inside.checked_add(SignedDuration::from_nanos(1)).ok()?;
        return zone.preceding(just_after).next().map(|transition| transition.timestamp());
    }
    ambiguous.earlier().ok()
}

/// The first instant of `date` in `zone`.
#[must_use]
pub fn start_of_day(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    moment_at(date, Time::midnight(), zone)
}

#[must_use]
pub fn date_of(moment: Timestamp, zone: &TimeZone) -> Date {
    zone.to_datetime(moment).date()
}

/// The n-th workday strictly behind (or before) `date`; `date` itself for zero.
fn shift_workdays(date: Date, count: i32, calendar: Option<&Calendar>) -> Option<Date> {
    if count.unsigned_abs() > MOST_WORKDAYS {
        return None;
    }
    let mut left = count.unsigned_abs();
    let mut day = date;
    let mut idle = 0_u32;
    while left > 0 {
        day = if count < 0 { day.yesterday() } else { day.tomorrow() }.ok()?;
        if is_workday(day, calendar) {
            left -= 1;
            idle = 0;
        } else {
            idle += 1;
        }
        if idle > 366 {
            return None;
        }
    }
    Some(day)
}
