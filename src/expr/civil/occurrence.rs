//! When a schedule or a recurring anchor occurs: the next and the previous occurrence of an instant.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::arithmetic::{date_of, moment_at, shift_date, shift_moment, start_of_day};
use super::calendar::{Calendar, is_workday};
use super::schedule::{Every, Schedule};
use crate::value::{Length, Value};

/// A schedule with everything that decides its instants.
#[derive(Clone, Debug)]
pub struct Recurrence<'a> {
    pub schedule: &'a Schedule,
    /// The value of [`Schedule::attribute`]; `Missing` never occurs.
    pub on: Value,
    /// `Some(true)` back, `Some(false)` forward to a workday.
    pub roll_back: Option<bool>,
    /// `3 workdays before`: the length, and whether it is before. Counted from the rolled date.
    pub shift: Option<(Length, bool)>,
    /// Instead of the schedule's own times.
    pub at: Option<Time>,
    pub zone: &'a TimeZone,
    pub calendar: Option<&'a Calendar>,
}

/// One occurrence. The date is the schedule's own, before it is rolled and shifted, so that it stays the same when a
/// calendar is corrected: it is the entry key of `reenter per occurrence`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    pub date: Date,
    pub moment: Timestamp,
}

/// The first instant of `schedule` strictly after `after`. For schedules that hang on no attribute.
#[must_use]
pub fn next_occurrence(
    schedule: &Schedule,
    after: Timestamp,
    zone: &TimeZone,
    calendar: Option<&Calendar>,
) -> Option<Timestamp> {
    Recurrence::plain(schedule, zone, calendar).next(after).map(|found| found.moment)
}

/// The last instant of `schedule` at or before `until`.
#[must_use]
pub fn previous_occurrence(
    schedule: &Schedule,
    until: Timestamp,
    zone: &TimeZone,
    calendar: Option<&Calendar>,
) -> Option<Timestamp> {
    Recurrence::plain(schedule, zone, calendar).previous(until).map(|found| found.moment)
}

/// Dates looked at before giving up: more than any roll and shift can put between a date and its moment.
const MOST_TRIES: usize = 2_000;
/// Days that rolling to a workday may move a date, with room to spare.
const ROLL_DAYS: i64 = 32;
const DAY_MS: i64 = 86_400_000;

impl<'a> Recurrence<'a> {
    #[must_use]
    pub fn plain(schedule: &'a Schedule, zone: &'a TimeZone, calendar: Option<&'a Calendar>) -> Self {
        Self { schedule, on: Value::Missing, roll_back: None, shift: None, at: None, zone, calendar }
    }

    /// The first occurrence strictly after `after`.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Occurrence> {
        if let Every::Elapsed(ms) = self.schedule.every {
            let opening = self.schedule.during.and_then(|(first, _)| start_of_day(first, self.zone));
            let after = opening.map_or(after.as_millisecond(), |first| {
                after.as_millisecond().max(first.as_millisecond() - 1)
            });
            return self.tick(after.div_euclid(positive(ms)?).checked_add(1)?, ms);
        }
        let mut from = moved(date_of(after, self.zone), -1, self.slack(false))?;
        if let Some((first, _)) = self.schedule.during {
            from = from.max(first);
        }
        let dates = std::iter::successors(self.date_from(from), |date| self.date_from(date.tomorrow().ok()?));
        for date in dates.take(MOST_TRIES).take_while(|&date| self.is_open(date)) {
            let found = self.moments(date).filter(|&moment| moment > after).min();
            if let Some(moment) = found {
                return Some(Occurrence { date, moment });
            }
        }
        None
    }

    /// The last occurrence at or before `until`.
    #[must_use]
    pub fn previous(&self, until: Timestamp) -> Option<Occurrence> {
        if let Every::Elapsed(ms) = self.schedule.every {
            let closing =
                self.schedule.during.and_then(|(_, last)| start_of_day(last.tomorrow().ok()?, self.zone));
            let until = closing
                .map_or(until.as_millisecond(), |end| until.as_millisecond().min(end.as_millisecond() - 1));
            return self.tick(until.div_euclid(positive(ms)?), ms);
        }
        let mut to = moved(date_of(until, self.zone), 1, self.slack(true))?;
        if let Some((_, last)) = self.schedule.during {
            to = to.min(last);
        }
        let dates =
            std::iter::successors(self.date_until(to), |date| self.date_until(date.yesterday().ok()?));
        for date in dates.take(MOST_TRIES).take_while(|&date| self.is_open(date)) {
            let found = self.moments(date).filter(|&moment| moment <= until).max();
            if let Some(moment) = found {
                return Some(Occurrence { date, moment });
            }
        }
        None
    }

    /// How many days the moment of a date can lie behind (`back`: before) it.
    fn slack(&self, back: bool) -> i64 {
        let shifted = match self.shift.map(without_sign) {
            Some((by, shift_back)) if shift_back == back => by.at_most_ms() / DAY_MS + 1,
            _ => 0,
        };
        shifted + if self.roll_back == Some(back) { ROLL_DAYS } else { 0 }
    }

    fn is_open(&self, date: Date) -> bool {
        self.schedule.during.is_none_or(|(first, last)| first <= date && date <= last)
    }

    fn tick(&self, count: i64, ms: i64) -> Option<Occurrence> {
        let moment = Timestamp::from_millisecond(count.checked_mul(ms)?).ok()?;
        let date = date_of(moment, self.zone);
        self.is_open(date).then_some(Occurrence { date, moment })
    }

    /// The instants of one date, after rolling and shifting.
    fn moments(&self, date: Date) -> impl Iterator<Item = Timestamp> + '_ {
        let weekdays = Calendar::default();
        let calendar = self.calendar.unwrap_or(&weekdays);
        let rolled = match self.roll_back {
            Some(true) => calendar.roll_back(date),
            Some(false) => calendar.roll_forward(date),
            None => Some(date),
        };
        let own: &[Time] = if self.schedule.at.is_empty() { &[Time::MIN] } else { &self.schedule.at };
        let times = self.at.as_ref().map_or(own, std::slice::from_ref);
        times.iter().filter_map(move |&time| self.moment(rolled?, time))
    }

    fn moment(&self, date: Date, time: Time) -> Option<Timestamp> {
        match self.shift {
            Some((by @ Length::Civil { .. }, back)) => {
                moment_at(shift_date(date, by, back, self.calendar)?, time, self.zone)
            }
            Some((by, back)) => {
                shift_moment(moment_at(date, time, self.zone)?, by, back, self.zone, self.calendar)
            }
            None => moment_at(date, time, self.zone),
        }
    }

    /// The first date of the schedule at or behind `from`.
    fn date_from(&self, from: Date) -> Option<Date> {
        if let Some(candidate) = self.date_in_period(from) {
            if candidate? >= from {
                return candidate;
            }
            return self.date_in_period(self.period_start(from, 1)?)?;
        }
        let days = std::iter::successors(Some(from), |day| day.tomorrow().ok());
        days.take(400).find(|&day| self.is_day(day))
    }

    /// The last date of the schedule at or before `to`.
    fn date_until(&self, to: Date) -> Option<Date> {
        if let Some(candidate) = self.date_in_period(to) {
            if candidate? <= to {
                return candidate;
            }
            return self.date_in_period(self.period_start(to, -1)?)?;
        }
        let days = std::iter::successors(Some(to), |day| day.yesterday().ok());
        days.take(400).find(|&day| self.is_day(day))
    }

    fn is_day(&self, day: Date) -> bool {
        match &self.schedule.every {
            Every::Day => true,
            Every::Workday => is_workday(day, self.calendar),
            Every::Weekdays(names) => names.iter().any(|name| name.weekday() == day.weekday()),
            _ => false,
        }
    }

    /// For monthly and yearly schedules: the one date in the month or year of `date`. `None` for the others,
    /// `Some(None)` where there never is one.
    #[allow(clippy::option_option)]
    fn date_in_period(&self, date: Date) -> Option<Option<Date>> {
        Some(match (&self.schedule.every, &self.on) {
            (Every::MonthDay(day), _) => day_of_month(date, i64::from(*day)),
            (Every::MonthOn(_), Value::Int(day)) => day_of_month(date, *day),
            (Every::LastWeekday(name), _) => date.nth_weekday_of_month(-1, name.weekday()).ok(),
            (Every::YearOn(_), Value::Date(on)) => {
                let first = Date::new(date.year(), on.month(), 1).ok();
                first.and_then(|first| day_of_month(first, i64::from(on.day())))
            }
            (Every::YearOn(_) | Every::MonthOn(_), _) => None,
            _ => return None,
        })
    }

    fn period_start(&self, date: Date, offset: i8) -> Option<Date> {
        let first = date.first_of_month();
        match self.schedule.every {
            Every::YearOn(_) => {
                Date::new(date.year(), 1, 1).ok()?.checked_add(Span::new().years(offset)).ok()
            }
            _ => first.checked_add(Span::new().months(offset)).ok(),
        }
    }
}

/// `date` moved by `days` and one to spare.
fn moved(date: Date, sign: i64, days: i64) -> Option<Date> {
    let days = days.saturating_add(1).saturating_mul(sign);
    date.checked_add(Span::new().try_days(days).ok()?).ok()
}

/// The day `day` of the month of `date`, clamped to its last.
fn day_of_month(date: Date, day: i64) -> Option<Date> {
    let day = i8::try_from(day).ok().filter(|&day| (1..=31).contains(&day))?;
    Date::new(date.year(), date.month(), day.min(date.days_in_month())).ok()
}

/// The same shift with a length that is not negative.
fn without_sign((by, back): (Length, bool)) -> (Length, bool) {
    match by {
        Length::Elapsed(ms) if ms < 0 => (Length::Elapsed(ms.saturating_neg()), !back),
        Length::Civil { count, unit } if count < 0 => {
            (Length::Civil { count: count.saturating_neg(), unit }, !back)
        }
        _ => (by, back),
    }
}

fn positive(ms: i64) -> Option<i64> {
    (ms > 0).then_some(ms)
}
