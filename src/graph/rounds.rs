//! How long the rounds of a `repeat` take, and a warning where one may outlast its tick.

use super::build::{Telling, with_steps};
use super::longest;
use crate::diagnostic::{Diagnostic, code};
use crate::expr::civil::Every;
use crate::model::Journey;
use crate::model::journey::{Repeat, Step, StepKind};
use crate::program::Schedule;
use crate::value::Length;

const DAY_MS: i64 = 86_400_000;
/// A day may be this much longer, where clocks are put back.
const HOUR_MS: i64 = 3_600_000;

/// The longest time between two ticks.
pub(crate) fn most_ms(every: &Every) -> i64 {
    match every {
        Every::Elapsed(ms) => *ms,
        Every::Day => DAY_MS + HOUR_MS,
        // The longest holidays with the weekends around them.
        Every::Workday => 12 * DAY_MS + HOUR_MS,
        Every::Weekdays(_) => 7 * DAY_MS + HOUR_MS,
        Every::MonthDay(_) | Every::LastWeekday(_) | Every::MonthOn(_) => 35 * DAY_MS + HOUR_MS,
        Every::YearOn(_) => 366 * DAY_MS + HOUR_MS,
    }
}

/// The shortest time between two ticks.
fn least_ms(schedule: &Schedule) -> i64 {
    let times = &schedule.at;
    if times.len() > 1 {
        let gaps = times.windows(2).filter_map(|pair| match pair {
            [before, after] => {
                before.until(*after).ok().and_then(|gap| gap.total(jiff::Unit::Millisecond).ok())
            }
            _ => None,
        });
        // And from the last of one day to the first of the next.
        let over_night = times.first().zip(times.last()).and_then(|(first, last)| {
            let day = last.until(*first).ok()?.total(jiff::Unit::Millisecond).ok()?;
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of a day are exact")]
            Some(day + DAY_MS as f64)
        });
        let gaps = gaps.chain(over_night);
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a day fit")]
        let least = gaps.map(|gap| gap as i64).min();
        return least.unwrap_or(DAY_MS);
    }
    match &schedule.every {
        Every::Elapsed(ms) => *ms,
        Every::Day | Every::Workday => DAY_MS - HOUR_MS,
        Every::Weekdays(days) if days.len() > 1 => {
            least_gap(days.iter().map(|day| i64::from(day.0)).collect())
        }
        Every::Weekdays(_) => 7 * DAY_MS - HOUR_MS,
        Every::MonthDay(_) | Every::LastWeekday(_) | Every::MonthOn(_) => 28 * DAY_MS - HOUR_MS,
        Every::YearOn(_) => 365 * DAY_MS - HOUR_MS,
    }
}

/// The same where clocks are not changed.
pub(crate) fn least_nominal_ms(schedule: &Schedule) -> i64 {
    let is_civil = schedule.at.len() <= 1 && !matches!(schedule.every, Every::Elapsed(_));
    least_ms(schedule).saturating_add(if is_civil { HOUR_MS } else { 0 })
}

/// Between two of these days of the week, Monday being 1.
fn least_gap(mut days: Vec<i64>) -> i64 {
    days.sort_unstable();
    let around = days.first().map(|first| first + 7);
    days.extend(around);
    let gaps = days.windows(2).filter_map(|pair| match pair {
        [before, after] => Some(after - before),
        _ => None,
    });
    gaps.min().unwrap_or(1) * DAY_MS - HOUR_MS
}

/// All rounds, where one takes at most `body_ms`.
pub(super) fn all_ms(repeat: &Repeat, body_ms: i64) -> i64 {
    let times = repeat.times();
    let Some(schedule) = &repeat.schedule else { return times.saturating_mul(body_ms) };
    let tick = most_ms(&schedule.every);
    if body_ms <= least_ms(schedule) {
        times.saturating_mul(tick).saturating_add(body_ms)
    } else {
        times.saturating_mul(tick.saturating_add(body_ms))
    }
}

/// Rounds that may outlast their tick where nothing says what becomes of the ticks they miss.
pub(super) fn too_long(journey: &Journey) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    walk(journey, &journey.steps, &mut found);
    found
}

fn walk(journey: &Journey, steps: &[Step], found: &mut Vec<Diagnostic>) {
    for step in steps {
        if let StepKind::Repeat(repeat) = &step.kind {
            found.extend(outlasts(journey, step, repeat));
        }
        for block in step.kind.blocks() {
            walk(journey, block, found);
        }
    }
}

fn outlasts(journey: &Journey, step: &Step, repeat: &Repeat) -> Option<Diagnostic> {
    let schedule = repeat.schedule.as_ref().filter(|_| repeat.missed_all.is_none())?;
    let body = longest(&with_steps(journey, &repeat.steps, Telling::Words));
    let least = least_ms(schedule);
    let how_long = match (body.ms, body.until.first()) {
        (_, Some(moment)) => format!("until `{moment}`"),
        (Some(ms), None) if ms > least => Length::Elapsed(ms).to_string(),
        _ => return None,
    };
    let headline = "a round may still run when the next one is due";
    let finding = Diagnostic::new(code::ROUND_TOO_LONG, step.span, headline)
        .label(format!("takes up to {how_long}"))
        .help(
            "write `missed skip` to leave those rounds out, or `missed all` to run them one behind the other",
        );
    Some(finding.note(format!("the next tick may come after {}", Length::Elapsed(least))))
}
