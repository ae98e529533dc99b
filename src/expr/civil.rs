//! Calendars and civil arithmetic: workdays, clamped months, moments in a zone.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Holidays and make-up workdays (调休) by date; other days follow the weekday. Sorted, so that it hashes stably.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calendar {
    pub holidays: Vec<Date>,
    pub workdays: Vec<Date>,
}
