//! Given days of daily attributes: what each day's value is, and telling the runtime of it.

use std::collections::BTreeMap;

use jiff::Span;
use jiff::civil::{Date, time};

use super::{Actor, event};
use crate::expr::civil::{date_of, moment_at};
use crate::name::Name;
use crate::step::EventKind;
use crate::testing::stage::Stage;
use crate::value::Value;

/// Values by attribute and day, only where the day differs from the one before.
pub(super) type Told = BTreeMap<Name, BTreeMap<Date, Value>>;

/// Of days said twice the later word counts; days nobody spoke of have the value of the day before.
pub(super) fn told(days: &[(Name, Value, Date, Date)]) -> Told {
    let mut told = Told::new();
    for (name, value, first, last) in days {
        let each = first.series(Span::new().days(1)).take_while(|day| day <= last);
        told.entry(*name).or_default().extend(each.map(|day| (day, value.clone())));
    }
    for days in told.values_mut() {
        let mut before = Value::Missing;
        days.retain(|_, value| std::mem::replace(&mut before, value.clone()) != *value);
    }
    told
}

/// What the attributes are on `today`.
pub(super) fn present(told: &Told, today: Date) -> Vec<(Name, Value)> {
    let newest = |days: &BTreeMap<Date, Value>| days.range(..=today).next_back().map(|(_, it)| it.clone());
    told.iter().filter_map(|(name, days)| Some((*name, newest(days)?))).collect()
}

/// Lets the days before today arrive, newest first, as a correction of the past does; those to come arrive when they
/// come.
pub(super) fn arrive(stage: &mut Stage<'_>, actor: &Actor, told: &Told) {
    let today = date_of(stage.now, stage.suite.zone);
    for (name, days) in told {
        let past = days.range(..today).rev();
        let coming = days.range(today..).filter(|(day, _)| **day > today);
        for (day, value) in past.chain(coming) {
            let clock = if *day < today { time(12, 0, 0, 0) } else { time(0, 0, 0, 0) };
            let Some(at) = moment_at(*day, clock, stage.suite.zone) else { continue };
            let event = event(stage, EventKind::Attributes, actor, vec![(*name, value.clone())]);
            stage.happen(actor.row, crate::step::Event { time: at, ..event });
        }
    }
}
