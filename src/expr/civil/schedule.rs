//! What recurs: `every workday at 10:00`, `every year on birthday`.

use jiff::civil::{Date, Time, Weekday};
use serde::{Deserialize, Serialize};

use crate::name::Name;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    pub every: Every,
    /// Clock times in the bank's zone, ascending; empty for `Every::Elapsed`, and for anchors, which are dates.
    pub at: Vec<Time>,
    pub during: Option<(Date, Date)>,
    pub calendar: Option<Name>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Every {
    /// In milliseconds, counted from the epoch.
    Elapsed(i64),
    Day,
    Workday,
    Weekdays(Vec<WeekdayName>),
    /// Day of the month 1..=31, clamped to the month's last.
    MonthDay(u8),
    /// The last such weekday of the month.
    LastWeekday(WeekdayName),
    /// Each year (or month) on the date held by this attribute; Feb 29 is Feb 28 in other years.
    YearOn(Name),
    /// Each month on the day number held by this attribute.
    MonthOn(Name),
}

/// Monday is 1, as in ISO 8601.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekdayName(pub i8);

impl WeekdayName {
    #[must_use]
    pub fn weekday(self) -> Weekday {
        Weekday::from_monday_one_offset(self.0).unwrap_or(Weekday::Monday)
    }
}

impl Schedule {
    /// The attribute of the subject that the dates hang on, whose value [`super::Recurrence`] needs.
    #[must_use]
    pub fn attribute(&self) -> Option<Name> {
        match self.every {
            Every::YearOn(name) | Every::MonthOn(name) => Some(name),
            _ => None,
        }
    }
}
