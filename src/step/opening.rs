//! When something is open: which opening is going on at an instant. Days and hours are those of the bank.

use jiff::{SignedDuration, Timestamp};

use super::world::World;
use crate::expr::civil;
use crate::program::Opening;

/// When the opening that is going on began; `None` while it is closed.
pub(super) fn current(opening: &Opening, world: &World, now: Timestamp) -> Option<Timestamp> {
    let today = civil::date_of(now, &world.zone);
    match opening {
        Opening::Days(first, last) => {
            (*first..=*last).contains(&today).then(|| civil::start_of_day(*first, &world.zone))?
        }
        Opening::Every { schedule, until } => {
            let midnight = civil::start_of_day(today, &world.zone)?;
            let before = midnight.checked_sub(SignedDuration::from_millis(1)).ok()?;
            let calendar = schedule.calendar.and_then(|name| world.bundle.calendars.get(&name));
            let began = civil::next_occurrence(schedule, before, &world.zone, calendar)?;
            let clock = world.zone.to_datetime(now).time();
            (began <= now && civil::date_of(began, &world.zone) == today && clock < *until).then_some(began)
        }
    }
}

/// Whether it is open; what has no hours always is.
#[must_use]
pub fn is_open(opening: Option<&Opening>, world: &World, now: Timestamp) -> bool {
    opening.is_none_or(|opening| current(opening, world, now).is_some())
}
