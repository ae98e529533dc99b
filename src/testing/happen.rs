//! What a test, or chance, makes happen: events, reactions to messages, changes of attributes.

use jiff::Timestamp;

use super::cast::{self, Actor};
use super::env::{Bare, Scene};
use super::property::{Act, Doing};
use super::script::Script;
use super::stage::Row;
use crate::expr::eval::eval;
use crate::expr::{Expr, MessageEvent, Source};
use crate::model::test::{By, Happening};
use crate::name::Name;
use crate::step::{EventKind, MessageKey};
use crate::value::Value;

/// Makes it happen, and says which rows it concerned; or why it cannot.
pub(super) fn happen(
    script: &mut Script<'_>,
    event: &Happening,
    by: Option<&By>,
    at: Timestamp,
) -> Result<Vec<usize>, String> {
    let entity = subject(script, event)?;
    let actors = actors(script, entity, by)?;
    let mut rows = Vec::with_capacity(actors.len());
    for actor in &actors {
        let (kind, fields) = described(script, event, actor)?;
        let row = match &kind {
            EventKind::Message { key, .. } => holder(script, key).unwrap_or(actor.row),
            _ => actor.row,
        };
        rows.push(row);
        let event = cast::event(&mut script.stage, kind, actor, fields);
        script.stage.happen(row, crate::step::Event { time: at, ..event });
    }
    Ok(rows)
}

/// The row that sent the message.
fn holder(script: &Script<'_>, key: &MessageKey) -> Option<usize> {
    let has = |row: &Row| row.record.left().any(|(message, _)| message == key);
    script.stage.rows.iter().position(has)
}

/// Does what chance decided; `None` where there was nothing to react to.
pub(super) fn act(script: &mut Script<'_>, act: &Act) -> Option<usize> {
    let actor = script.cast.get(act.actor).map(|(_, actor)| actor.clone())?;
    let (kind, fields) = match &act.doing {
        Doing::Event { event, fields } => {
            (EventKind::Declared(*event), cast::event_fields(&script.stage, *event, fields))
        }
        Doing::React { kind, back } => {
            let key = reachable(script, actor.row, *kind, *back)?;
            (EventKind::Message { kind: *kind, key }, Vec::new())
        }
    };
    let event = cast::event(&mut script.stage, kind, &actor, fields);
    script.stage.happen(actor.row, event);
    Some(actor.row)
}

/// The message `back` messages before the newest whose channel can report `kind`.
fn reachable(script: &Script<'_>, row: usize, kind: MessageEvent, back: usize) -> Option<MessageKey> {
    let row = script.stage.rows.get(row)?;
    let channels = &script.stage.suite.bundle.channels;
    let reports = |channel: &Name| {
        kind == MessageEvent::Failed
            || channels.get(channel).is_some_and(|channel| channel.outcomes.contains(&kind))
    };
    let found = row.record.left().filter(|(_, channel)| reports(channel)).nth(back)?;
    Some(found.0.clone())
}

/// The entity that the happening is about.
fn subject(script: &Script<'_>, event: &Happening) -> Result<Name, String> {
    let bundle = script.stage.suite.bundle;
    let program = bundle.programs.get(&script.test.journey);
    let subject = program.map(|program| program.body.subject);
    let found = match event {
        Happening::Event { event, .. } => bundle.schema.events.get(event).map(|event| event.subject),
        Happening::Message { .. } => subject,
        Happening::Change { attribute, .. } | Happening::Close { attribute, .. } => {
            let has = |name: &Name| {
                let entity = bundle.schema.entities.get(name);
                entity.is_some_and(|entity| entity.fields.iter().any(|field| field.name == *attribute))
            };
            subject.filter(&has).or_else(|| program.map(|program| program.body.root).filter(has))
        }
    };
    found.ok_or_else(|| format!("`{}` is about nobody here", script.test.journey))
}

fn actors(script: &Script<'_>, entity: Name, by: Option<&By>) -> Result<Vec<Actor>, String> {
    let mut of_kind = script.cast.iter().filter(|(_, actor)| actor.entity == entity);
    match by {
        Some(By::All) => Ok(of_kind.map(|(_, actor)| actor.clone()).collect()),
        Some(By::One(name)) => match of_kind.find(|(known, _)| *known == Some(*name)) {
            Some((_, actor)) => Ok(vec![actor.clone()]),
            None => Err(format!("no {entity} was given the name `{name}`")),
        },
        None => match (of_kind.next(), of_kind.next()) {
            (Some((_, actor)), None) => Ok(vec![actor.clone()]),
            (None, _) => Err(format!("no {entity} was given")),
            (Some(_), Some(_)) => Err(format!("more than one {entity} was given: say `by` whom")),
        },
    }
}

/// Kind and fields of the event, for one actor.
fn described(
    script: &Script<'_>,
    event: &Happening,
    actor: &Actor,
) -> Result<(EventKind, Vec<(Name, Value)>), String> {
    match event {
        Happening::Event { event, fields } => {
            let given: Vec<_> =
                fields.iter().map(|(name, value)| (*name, value_of(script, value, actor))).collect();
            Ok((EventKind::Declared(*event), cast::event_fields(&script.stage, *event, &given)))
        }
        Happening::Change { attribute, new } => {
            Ok((EventKind::Attributes, vec![(*attribute, value_of(script, new, actor))]))
        }
        Happening::Close { attribute, period } => {
            let period = value_of(script, period, actor);
            Ok((EventKind::Closed(*attribute), vec![(Name::new("period"), period)]))
        }
        Happening::Message { source: Source::Message { kind, step } } => {
            let rows = &script.stage.rows;
            let root = rows.get(actor.row).map(|row| &row.key.id);
            let of = |row: &Row| row.record.newest_message(script.test.journey, actor, *step).cloned();
            let own = rows.get(actor.row).and_then(of);
            // What went to somebody else lies in that row, under the key of the journey that sent it.
            let others = || rows.iter().filter_map(of).find(|key| Some(&key.root) == root);
            match own.or_else(others) {
                Some(key) => Ok((EventKind::Message { kind: *kind, key }, Vec::new())),
                None if matches!(kind, MessageEvent::Shown | MessageEvent::Dismissed) => {
                    Err("nothing of that name was put into a slot".to_owned())
                }
                None => Err(format!("no such message has left, so nothing can be {}", kind.as_str())),
            }
        }
        Happening::Message { .. } => Err("this can only happen to a message".to_owned()),
    }
}

fn value_of(script: &Script<'_>, expr: &Expr, actor: &Actor) -> Value {
    match Scene::new(&script.stage, actor, &script.test.uses) {
        Some(scene) => eval(expr, &scene),
        None => {
            eval(expr, &Bare { now: script.stage.now, zone: script.stage.suite.zone, calendar: &|_| None })
        }
    }
}
