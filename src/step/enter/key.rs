//! Entry keys: what makes two entries of one subject the same. Never a counter, never the time of evaluation.

use std::sync::Arc;

use jiff::civil::ISOWeekDate;

use super::{Candidate, rules};
use crate::expr::{Env, Expr, civil, eval, show};
use crate::program::{EntryUnit, Reenter};
use crate::step::index::Loaded;
use crate::step::opening;
use crate::step::run::Run;
use crate::value::Value;

pub(super) fn of(run: &Run, loaded: &Loaded, candidate: &Candidate) -> Arc<str> {
    match &loaded.program.reenter {
        Reenter::Never => run.scene(loaded, &candidate.subject).id(&candidate.subject),
        Reenter::Per(units) => per(units, run, loaded, candidate).into(),
        Reenter::Occurrence => match candidate.date {
            Some(date) => date.to_string().into(),
            None => answer(run, loaded, candidate).unwrap_or_else(|| candidate.identity.clone()),
        },
        Reenter::After(_) | Reenter::Restart => candidate.identity.clone(),
    }
}

fn per(units: &[EntryUnit], run: &Run, loaded: &Loaded, candidate: &Candidate) -> String {
    let scene = run.scene(loaded, &candidate.subject).entered_by(&candidate.payload);
    let date = civil::date_of(candidate.at, scene.zone());
    let parts = units.iter().map(|unit| match unit {
        EntryUnit::Day => date.to_string(),
        EntryUnit::Week => {
            let week: ISOWeekDate = date.iso_week_date();
            format!("{}-W{:02}", week.year(), week.week())
        }
        EntryUnit::Month => format!("{:04}-{:02}", date.year(), date.month()),
        EntryUnit::Opening(reward) => opening_of(&eval(reward, &scene), candidate, run),
        EntryUnit::Value(expr) => match eval(expr, &scene) {
            // Every event has an id, declared or not.
            Value::Missing if is_id(expr) => candidate.identity.to_string(),
            value => text(&value),
        },
    });
    parts.collect::<Vec<_>>().join(",")
}

/// When the reward's opening began; while it is closed, the day.
fn opening_of(reward: &Value, candidate: &Candidate, run: &Run) -> String {
    let Value::Choice(name) = reward else { return String::new() };
    let open = run.world.bundle.values.rewards.get(name).and_then(|reward| reward.open.as_ref());
    match open.and_then(|open| opening::current(open, run.world, candidate.at)) {
        Some(began) => format!("{name} {began}"),
        None => format!("{name} closed {}", civil::date_of(candidate.at, &run.world.zone)),
    }
}

/// Of replies that count by who wrote: with the writer in front.
fn answer(run: &Run, loaded: &Loaded, candidate: &Candidate) -> Option<Arc<str>> {
    let scene = run.scene(loaded, &candidate.subject).entered_by(&candidate.payload);
    let front = rules::writer(loaded.program.rules.as_ref()?, &scene)?;
    Some(format!("{front}{}", candidate.identity).into())
}

/// `event.id`
fn is_id(expr: &Expr) -> bool {
    matches!(expr, Expr::Field(of, name) if **of == Expr::Entry && name.as_str() == "id")
}

pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Choice(name) => name.to_string(),
        other => show::value(other),
    }
}
