//! Civil time: workdays, clamped months, moments in a zone, calendar spans and recurring dates.
//!
//! Reading order: [`Calendar`] (which days are workdays), [`arithmetic`] (dates and moments moved by lengths),
//! [`span`] (`this month`, `during last 90 days`), [`schedule`] (what recurs) and [`occurrence`] (when). Everything
//! here is a function of its arguments; what cannot be represented is `None`, never a panic.

mod arithmetic;
mod calendar;
mod occurrence;
mod schedule;
mod span;

pub use arithmetic::{date_of, moment_at, shift_date, shift_moment, start_of_day};
pub use calendar::{Calendar, LineError};
pub use occurrence::{Occurrence, Recurrence, next_occurrence, previous_occurrence};
pub use schedule::{Every, Schedule, WeekdayName};
pub use span::{last_window_start, span, span_of};

#[cfg(test)]
mod tests;
