//! Making a counterexample small: fewer happenings, plainer attributes, shorter pauses, as long as the same
//! expectation is still broken.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::plan::Plan;
use super::{Case, Doing};
use crate::expr::civil::{date_of, moment_at};
use crate::testing::script::{Broken, Played};
use crate::value::{Money, Value};

/// Cases played while shrinking, at most.
const MOST_PLAYS: u32 = 600;

struct Shrink<'s, 'a> {
    plan: &'s Plan<'a>,
    broken: &'s Broken,
    best: Case,
    played: Played<'a>,
    left: u32,
}

/// The smallest case found, and how it plays.
pub(super) fn shrink<'a>(
    plan: &Plan<'a>,
    case: Case,
    played: Played<'a>,
    broken: &Broken,
) -> (Case, Played<'a>) {
    let mut shrink = Shrink { plan, broken, best: case, played, left: MOST_PLAYS };
    while shrink.fewer_acts() | shrink.plainer_fields() | shrink.shorter_pauses() | shrink.plainer_start() {}
    (shrink.best, shrink.played)
}

impl Shrink<'_, '_> {
    /// Keeps `case` if it breaks the same expectation.
    fn take(&mut self, case: Case) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let Some(played) = self.plan.play(&case) else { return false };
        if played.broken.as_ref().is_none_or(|broken| broken.span != self.broken.span) {
            return false;
        }
        (self.best, self.played) = (case, played);
        true
    }

    /// Drops halves, quarters, … and single happenings.
    fn fewer_acts(&mut self) -> bool {
        let mut any = false;
        let mut width = self.best.acts.len();
        while width > 0 {
            let mut from = 0;
            while from < self.best.acts.len() {
                let mut case = self.best.clone();
                case.acts.drain(from..(from + width).min(self.best.acts.len()));
                if self.take(case) { any = true } else { from += width }
            }
            width /= 2;
        }
        any
    }

    fn plainer_fields(&mut self) -> bool {
        let mut any = false;
        for role in 0..self.best.roles.len() {
            any |= self.plainer(|case| case.roles.get_mut(role).map(|role| &mut role.fields));
        }
        for act in 0..self.best.acts.len() {
            any |= self.plainer(|case| match &mut case.acts.get_mut(act)?.1.doing {
                Doing::Event { fields, .. } => Some(fields),
                Doing::React { .. } => None,
            });
        }
        any
    }

    /// Tries plainer values for each of some fields; a field left out has its default.
    fn plainer(
        &mut self,
        fields: impl Fn(&mut Case) -> Option<&mut Vec<(crate::name::Name, Value)>>,
    ) -> bool {
        let mut any = false;
        let mut number = 0;
        loop {
            let mut case = self.best.clone();
            let Some(list) = fields(&mut case).filter(|list| number < list.len()) else { return any };
            let (name, value) = list.remove(number);
            if self.take(case) {
                any = true;
                continue;
            }
            for plain in plainer(&value, &self.plan.constants) {
                let mut case = self.best.clone();
                if let Some(slot) = fields(&mut case).and_then(|list| list.get_mut(number)) {
                    *slot = (name, plain);
                }
                if self.take(case) {
                    any = true;
                    break;
                }
            }
            number += 1;
        }
    }

    fn plainer_start(&mut self) -> bool {
        let starts = plainer_starts(self.best.start, self.plan.suite.zone);
        starts.into_iter().any(|start| {
            let case = Case { start, ..self.best.clone() };
            self.take(case)
        })
    }

    /// Makes the pause before each happening shorter, or rounder.
    fn shorter_pauses(&mut self) -> bool {
        let mut any = false;
        for number in 0..self.best.acts.len() {
            let Some((at, _)) = self.best.acts.get(number) else { break };
            let before = number.checked_sub(1).and_then(|before| self.best.acts.get(before));
            let gap = at.saturating_sub(before.map_or(SignedDuration::ZERO, |(at, _)| *at));
            for shorter in shorter(gap) {
                let mut case = self.best.clone();
                let cut = gap.saturating_sub(shorter);
                case.acts.iter_mut().skip(number).for_each(|(at, _)| *at = at.saturating_sub(cut));
                if self.take(case) {
                    any = true;
                    break;
                }
            }
        }
        any
    }
}

/// Values simpler than this one, simplest first; what conditions compare with is simple.
fn plainer(value: &Value, constants: &[Value]) -> Vec<Value> {
    match value {
        Value::Bool(true) => vec![Value::Bool(false)],
        Value::Int(number) if *number != 0 => vec![Value::Int(0), Value::Int(number / 2)],
        Value::Money(money) => {
            let known = constants.iter().filter_map(|constant| match constant {
                Value::Money(known) if known.currency == money.currency => Some(known.minor),
                _ => None,
            });
            let candidates =
                [0, 100].into_iter().chain(known).chain([money.minor / 100 * 100, money.minor / 2]);
            let smaller = candidates.filter(|minor| minor.abs() < money.minor.abs());
            smaller.map(|minor| Value::Money(Money { minor, ..*money })).collect()
        }
        Value::List(items) => {
            let without = |number: usize| items.iter().enumerate().filter(move |(at, _)| *at != number);
            (0..items.len())
                .map(|number| Value::List(without(number).map(|(_, item)| item.clone()).collect()))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The same day at midnight or in the morning, or the full hour before.
fn plainer_starts(start: Timestamp, zone: &TimeZone) -> Vec<Timestamp> {
    let day = date_of(start, zone);
    let hour = start.to_zoned(zone.clone()).hour();
    let found = [0, 9, hour].map(|hour| moment_at(day, Time::constant(hour, 0, 0, 0), zone));
    let mut starts: Vec<Timestamp> =
        found.into_iter().flatten().take_while(|plain| *plain != start).collect();
    starts.dedup();
    starts
}

/// Pauses shorter than this one: none, whole days, whole hours.
fn shorter(gap: SignedDuration) -> Vec<SignedDuration> {
    let hours = gap.as_hours();
    let whole = [0, hours / 24 * 24, hours].map(SignedDuration::from_hours);
    let mut shorter: Vec<SignedDuration> = whole.into_iter().filter(|shorter| *shorter < gap).collect();
    shorter.dedup();
    shorter
}
