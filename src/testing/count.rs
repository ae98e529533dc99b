//! Counting: `once sent(offer.push)`, `count(ended sold_out)`, `no sent(offer) since loan_drawdown`.

use std::sync::Arc;

use jiff::Timestamp;

use super::cast::Actor;
use super::env::{Scene, matches};
use super::expect::{View, runs};
use super::record::is_at_or_below;
use super::stage::Row;
use super::story::instant;
use crate::expr::civil::last_window_start;
use crate::expr::eval::{Env, admits, eval};
use crate::expr::{Anchor, Expr, MessageEvent, Pattern, Source};
use crate::model::test::{CountOf, Counted as What};
use crate::name::Name;
use crate::program::value::GRANTED;
use crate::value::Value;

/// One thing that was counted.
pub(super) struct Counted {
    at: Timestamp,
    serial: u64,
    what: Arc<str>,
}

/// How many things are named one by one.
const MOST_LISTED: usize = 8;

/// Whatever `of` counts in one row, in order.
pub(super) fn count(view: View<'_, '_>, of: &CountOf, row: usize) -> Vec<Counted> {
    let Some(first) = from(view, of, row) else { return Vec::new() };
    let mut found = all(view, &of.what, row);
    found.retain(|one| one.serial > first.serial && one.at >= first.at);
    found
}

/// What was counted, for people.
pub(super) fn listed(view: View<'_, '_>, counted: &[(usize, Counted)]) -> String {
    let zone = view.stage.suite.zone;
    let several = view.stage.rows.len() > 1;
    let one = |(row, one): &(usize, Counted)| {
        let who = view.stage.rows.get(*row).filter(|_| several).map(|row| format!(" ({})", row.key.id));
        format!("{} at {}{}", one.what, instant(one.at, zone), who.unwrap_or_default())
    };
    let mut parts: Vec<String> = counted.iter().take(MOST_LISTED).map(one).collect();
    if counted.len() > MOST_LISTED {
        parts.push(format!("{} more", counted.len() - MOST_LISTED));
    }
    if parts.is_empty() {
        return "it is 0".to_owned();
    }
    format!("it is {}: {}", counted.len(), parts.join(", "))
}

/// From where on things count. `None`: the anchor has not happened, nothing counts.
struct From {
    serial: u64,
    at: Timestamp,
}

fn from(view: View<'_, '_>, of: &CountOf, number: usize) -> Option<From> {
    let mut from = From { serial: 0, at: Timestamp::MIN };
    if let Some(since) = &of.since {
        from.serial = occurrences(view, since, number).into_iter().map(|one| one.serial).max()?;
    }
    if let Some(anchor) = &of.from {
        let anchored = anchored(view, anchor, number)?;
        from = From { serial: from.serial.max(anchored.serial), at: anchored.at };
    }
    if let Some(length) = of.during {
        let calendar = scene(view, number).and_then(|scene| scene.calendar(None).cloned());
        let start = last_window_start(length, view.stage.now, view.stage.suite.zone, calendar.as_ref())?;
        from.at = from.at.max(start);
    }
    Some(from)
}

fn anchored(view: View<'_, '_>, anchor: &Anchor, number: usize) -> Option<From> {
    let row = view.stage.rows.get(number)?;
    let run = || runs(view, number).pop();
    let sent = |step: Option<Name>| messages(view, row, MessageEvent::Sent, step);
    match anchor {
        Anchor::Entered | Anchor::Entry | Anchor::Here => {
            run().map(|run| From { serial: run.serial, at: run.entered })
        }
        Anchor::Sent(step) => sent(Some(*step)).pop().map(|one| From { serial: one.serial, at: one.at }),
        Anchor::FirstSent => {
            let entered = run()?.serial;
            let first = sent(None).into_iter().find(|one| one.serial > entered)?;
            Some(From { serial: first.serial, at: first.at })
        }
        Anchor::Local(_) => None,
        Anchor::At(at) => match eval(at, &scene(view, number)?) {
            Value::Moment(at) => Some(From { serial: 0, at }),
            Value::Date(date) => {
                crate::expr::civil::start_of_day(date, view.stage.suite.zone).map(|at| From { serial: 0, at })
            }
            _ => None,
        },
    }
}

fn all(view: View<'_, '_>, what: &What, number: usize) -> Vec<Counted> {
    let Some(row) = view.stage.rows.get(number) else { return Vec::new() };
    match what {
        What::Message(Source::Message { kind, step }) => messages(view, row, *kind, *step),
        What::Message(_) => Vec::new(),
        What::Event(pattern) => occurrences(view, pattern, number),
        What::Entered => runs(view, number)
            .into_iter()
            .map(|run| Counted { at: run.entered, serial: run.serial, what: "entered".into() })
            .collect(),
        What::Ended(end) => runs(view, number)
            .into_iter()
            .filter_map(|run| Some((run.serial, run.ended?)))
            .filter(|(_, (name, _))| end.is_none_or(|end| end == *name))
            .map(|(serial, (name, at))| Counted { at, serial, what: format!("ended `{name}`").into() })
            .collect(),
    }
}

fn messages(view: View<'_, '_>, row: &Row, kind: MessageEvent, step: Option<Name>) -> Vec<Counted> {
    let found = row.record.messages(view.test.journey, &view.stage.world).into_iter();
    found
        .filter(|line| line.kind == kind)
        .filter(|line| step.is_none_or(|step| is_at_or_below(line.step.as_str(), step.as_str())))
        .map(|line| Counted { at: line.at, serial: line.serial, what: format!("`{}`", line.step).into() })
        .collect()
}

/// As [`messages`], those that a condition on their channel and step lets through.
fn messages_where(
    view: View<'_, '_>,
    number: usize,
    (kind, step): (MessageEvent, Option<Name>),
    filter: &Expr,
) -> Vec<Counted> {
    let Some(row) = view.stage.rows.get(number) else { return Vec::new() };
    let scenes: Vec<Scene<'_>> =
        actors(view, number).filter_map(|actor| Scene::new(view.stage, actor, &view.test.uses)).collect();
    let of_journey = row.record.traces(view.stage.world.symbols.sym(view.test.journey));
    let admitted = of_journey.filter(|(line, _)| {
        scenes.iter().any(|scene| {
            let found = scene.message(line, kind, step);
            found.is_some_and(|(_, element)| admits(Some(filter), &element, scene))
        })
    });
    let name = kind.as_str();
    admitted.map(|(line, _)| Counted { at: line.at, serial: line.serial, what: name.into() }).collect()
}

/// When the pattern happened to any subject of the row, in order of arrival.
fn occurrences(view: View<'_, '_>, pattern: &Pattern, number: usize) -> Vec<Counted> {
    let Some(row) = view.stage.rows.get(number) else { return Vec::new() };
    if let Source::Message { kind, step } = &pattern.source {
        return match &pattern.filter {
            None => messages(view, row, *kind, *step),
            Some(filter) => messages_where(view, number, (*kind, *step), filter),
        };
    }
    if pattern.source == Source::Event(Name::new(GRANTED)) {
        return granted(view, pattern, number);
    }
    let scenes: Vec<Scene<'_>> =
        actors(view, number).filter_map(|actor| Scene::new(view.stage, actor, &view.test.uses)).collect();
    let name = crate::expr::show::pattern(pattern, &());
    if let Source::Event(task) = &pattern.source
        && view.stage.suite.model.tasks.contains_key(task)
    {
        let tasks = row.record.tasks(*task, &view.stage.world);
        let matching = tasks.filter(|(_, _, element)| {
            scenes.iter().any(|scene| admits(pattern.filter.as_ref(), element, scene))
        });
        return matching
            .map(|(line, ..)| Counted { at: line.at, serial: line.serial, what: format!("`{name}`").into() })
            .collect();
    }
    let matching =
        row.record.events().filter(|(_, event)| scenes.iter().any(|scene| matches(pattern, event, scene)));
    matching
        .map(|(line, event)| Counted {
            at: event.time,
            serial: line.serial,
            what: format!("`{name}`").into(),
        })
        .collect()
}

/// What was given, to any subject of the row.
fn granted(view: View<'_, '_>, pattern: &Pattern, number: usize) -> Vec<Counted> {
    let Some((row, scene)) = view.stage.rows.get(number).zip(scene(view, number)) else { return Vec::new() };
    let admitted = row
        .record
        .granted(&view.stage.world)
        .map(|(line, fields)| (line, Value::Record(fields)))
        .filter(|(_, element)| admits(pattern.filter.as_ref(), element, &scene));
    let reward = |element: &Value| match element.field(Name::new("reward")) {
        Value::Choice(name) => format!("`{name}`").into(),
        _ => "`granted`".into(),
    };
    admitted
        .map(|(line, element)| Counted { at: line.at, serial: line.serial, what: reward(&element) })
        .collect()
}

fn actors<'v>(view: View<'v, '_>, number: usize) -> impl Iterator<Item = &'v Actor> {
    view.cast.iter().map(|(_, actor)| actor).filter(move |actor| actor.row == number)
}

fn scene<'v>(view: View<'v, '_>, number: usize) -> Option<Scene<'v>> {
    actors(view, number).last().and_then(|actor| Scene::new(view.stage, actor, &view.test.uses))
}
