//! Lengths of time. Elapsed time (`48h`) is stopwatch time; civil time (`2 days`, `3 workdays`) follows the calendar.
//! The two never add. Civil arithmetic itself is in `expr::civil`, because it needs a calendar and a zone.

use std::fmt;

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CivilUnit {
    Day,
    Workday,
    Week,
    Month,
    Year,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Length {
    /// In milliseconds.
    Elapsed(i64),
    /// `1 month` clamps: January 31 to February 28 or 29.
    Civil { count: i32, unit: CivilUnit },
}

impl Length {
    /// An upper bound in milliseconds, for analyses: a workday may be up to 12 days away (a long holiday), a month 31
    /// days, a year 366.
    #[must_use]
    pub fn at_most_ms(self) -> i64 {
        const DAY: i64 = 86_400_000;
        match self {
            Self::Elapsed(ms) => ms,
            Self::Civil { count, unit } => {
                let count = i64::from(count);
                let days = match unit {
                    CivilUnit::Day => count,
                    CivilUnit::Workday => count.saturating_mul(2).saturating_add(10),
                    CivilUnit::Week => count.saturating_mul(7),
                    CivilUnit::Month => count.saturating_mul(31),
                    CivilUnit::Year => count.saturating_mul(366),
                };
                // A day with a zone transition is up to an hour longer.
                days.saturating_mul(DAY).saturating_add(DAY / 24)
            }
        }
    }

    /// A lower bound in milliseconds where clocks are not changed: a workday is one day, a month 28, a year 365.
    #[must_use]
    pub fn at_least_ms(self) -> i64 {
        const DAY: i64 = 86_400_000;
        match self {
            Self::Elapsed(ms) => ms,
            Self::Civil { count, unit } => {
                let days = match unit {
                    CivilUnit::Day | CivilUnit::Workday => 1,
                    CivilUnit::Week => 7,
                    CivilUnit::Month => 28,
                    CivilUnit::Year => 365,
                };
                i64::from(count).saturating_mul(days).saturating_mul(DAY)
            }
        }
    }

    #[must_use]
    pub fn is_zero(self) -> bool {
        match self {
            Self::Elapsed(ms) => ms == 0,
            Self::Civil { count, .. } => count == 0,
        }
    }
}

impl fmt::Display for Length {
    /// As it is written in a journey: `48h`, `10min`, `2 days`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Elapsed(ms) if ms % 3_600_000 == 0 => write!(f, "{}h", ms / 3_600_000),
            Self::Elapsed(ms) if ms % 60_000 == 0 => write!(f, "{}min", ms / 60_000),
            Self::Elapsed(ms) => write!(f, "{}s", ms / 1000),
            Self::Civil { count, unit } => {
                let word = match unit {
                    CivilUnit::Day => "day",
                    CivilUnit::Workday => "workday",
                    CivilUnit::Week => "week",
                    CivilUnit::Month => "month",
                    CivilUnit::Year => "year",
                };
                write!(f, "{count} {word}{}", if count == 1 { "" } else { "s" })
            }
        }
    }
}
