//! How instances come to be: what enters, on which schedule, and what makes two entries the same.

use jiff::civil::{Date, Time, Weekday};
use serde::{Deserialize, Serialize};

use crate::expr::{Expr, Pattern};
use crate::name::Name;
use crate::value::Length;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Enter {
    Event(Vec<Pattern>),
    /// A without B within D: fires at A + D (+ lateness) unless B came.
    Without {
        trigger: Pattern,
        absent: Pattern,
        within: Length,
    },
    /// False to true, looked for at the schedule; without a schedule at every input of the subject.
    When {
        condition: Expr,
        schedule: Option<Schedule>,
    },
    /// A date or moment of the subject, one occurrence per value.
    Date {
        moment: Expr,
        filter: Option<Expr>,
    },
    /// The n-th occurrence of a recurring anchor of the subject, shifted.
    Anchor {
        anchor: Name,
        shift: Option<(Length, bool)>,
        at: Option<Time>,
        filter: Option<Expr>,
    },
    Every {
        schedule: Schedule,
        filter: Option<Expr>,
    },
    Start,
    List,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    pub every: Every,
    /// Clock times in the bank's zone; never empty except for `Every::Elapsed`.
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

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reenter {
    Never,
    After(Length),
    /// Values that make the entry key besides the subject.
    Per(Vec<EntryUnit>),
    /// Once per date of `Enter::Date` or `Enter::Anchor`.
    Occurrence,
    Restart,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EntryUnit {
    Day,
    Week,
    Month,
    /// A path below the entry event: `event.txn`.
    Value(Expr),
}
