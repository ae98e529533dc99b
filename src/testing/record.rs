//! What happened to one root subject, in order: events from outside, every decision, every message that left.

use std::sync::Arc;

use jiff::Timestamp;

use super::cast::Actor;
use crate::expr::MessageEvent;
use crate::name::Name;
use crate::program::Outcome;
use crate::step::state::SubjectRef;
use crate::step::{Decision, Delivery, Event, EventKind, MessageKey, Placed, Sym, Trace, World};
use crate::value::Value;

#[derive(Default)]
pub(super) struct Record {
    pub(super) lines: Vec<Line>,
}

pub(super) struct Line {
    pub(super) at: Timestamp,
    /// Order over all rows of the stage.
    pub(super) serial: u64,
    pub(super) what: What,
}

pub(super) enum What {
    Event(Event),
    Trace(Trace),
    Delivered(Box<Delivery>),
    Placed(Box<Placed>),
    /// Of an experiment, over all rows.
    Decided(String),
}

/// One run of the tested journey.
pub(super) struct Run {
    pub(super) subject: SubjectRef,
    pub(super) key: Option<Arc<str>>,
    pub(super) serial: u64,
    pub(super) entered: Timestamp,
    pub(super) ended: Option<(Name, Timestamp)>,
}

/// Something that became of a message.
pub(super) struct MessageLine {
    pub(super) kind: MessageEvent,
    pub(super) step: Name,
    pub(super) at: Timestamp,
    pub(super) serial: u64,
}

impl Record {
    pub(super) fn add(&mut self, at: Timestamp, serial: u64, what: What) {
        self.lines.push(Line { at, serial, what });
    }

    /// Decisions about one journey.
    pub(super) fn traces(&self, journey: Option<Sym>) -> impl Iterator<Item = (&Line, &Trace)> {
        self.lines.iter().filter_map(move |line| match &line.what {
            What::Trace(trace) if trace.journey == journey => Some((line, trace)),
            _ => None,
        })
    }

    /// Events from outside, in order of arrival.
    pub(super) fn events(&self) -> impl Iterator<Item = (&Line, &Event)> {
        self.lines.iter().filter_map(|line| match &line.what {
            What::Event(event) => Some((line, event)),
            _ => None,
        })
    }

    /// Whatever was given, in order: its name and amount as the event `granted` has them.
    pub(super) fn granted(&self, world: &World) -> impl Iterator<Item = (&Line, Vec<(Name, Value)>)> {
        self.lines.iter().filter_map(move |line| {
            let What::Trace(Trace { what: Decision::Granted { what, amount }, .. }) = &line.what else {
                return None;
            };
            let reward = Value::Choice(world.symbols.name(*what)?);
            let fields = [(Name::new("reward"), reward), (Name::new("amount"), amount.clone())];
            Some((line, fields.into_iter().filter(|(_, value)| !value.is_missing()).collect()))
        })
    }

    /// The runs of a journey, in order of entry.
    pub(super) fn runs(&self, journey: Name, world: &World) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for (line, trace) in self.traces(world.symbols.sym(journey)) {
            match &trace.what {
                Decision::Entered { .. } => runs.push(Run {
                    subject: trace.subject.clone(),
                    key: trace.entry.clone(),
                    serial: line.serial,
                    entered: line.at,
                    ended: None,
                }),
                Decision::Ended { end } | Decision::Exited { end } => {
                    let of_this = |run: &&mut Run| run.subject == trace.subject && run.key == trace.entry;
                    if let Some(run) = runs.iter_mut().rev().find(of_this) {
                        run.ended = world.symbols.name(*end).map(|end| (end, line.at));
                    }
                }
                _ => {}
            }
        }
        runs
    }

    /// What became of the messages of a journey. `sent` is a message that the provider took.
    pub(super) fn messages(&self, journey: Name, world: &World) -> Vec<MessageLine> {
        let traces = self.traces(world.symbols.sym(journey));
        let found = traces.filter_map(|(line, trace)| {
            let (kind, step) = match &trace.what {
                Decision::Answered { step, outcome: Outcome::Sent, .. } => (MessageEvent::Sent, step),
                Decision::Answered { step, outcome: Outcome::Failed, .. } => (MessageEvent::Failed, step),
                Decision::Receipt { step, kind, .. } => (*kind, step),
                _ => return None,
            };
            Some(MessageLine { kind, step: world.symbols.name(*step)?, at: line.at, serial: line.serial })
        });
        found.collect()
    }

    /// What became of tasks of this name: opened, done, overdue; each as the event that it is.
    pub(super) fn tasks<'r>(
        &'r self,
        name: Name,
        world: &'r World,
    ) -> impl Iterator<Item = (&'r Line, &'r Trace, Value)> + 'r {
        self.lines.iter().filter_map(move |line| {
            let What::Trace(trace) = &line.what else { return None };
            let (task, status, more) = match &trace.what {
                Decision::Assigned { task, to, .. } => (task, "open", Some(("assignee", to.clone()))),
                Decision::Overdue { task, .. } => (task, "overdue", None),
                Decision::TaskDone { task, result, .. } => {
                    let result = world.symbols.name(*result).map(Value::Choice);
                    (task, "done", result.map(|result| ("result", result)))
                }
                _ => return None,
            };
            if world.symbols.name(*task) != Some(name) {
                return None;
            }
            let status = [("status", Value::Choice(Name::new(status)))];
            let fields = status.into_iter().chain(more).map(|(field, value)| (Name::new(field), value));
            Some((line, trace, Value::Record(fields.collect())))
        })
    }

    /// Messages that the provider took, and what was put into slots, newest first, with their channels.
    pub(super) fn left(&self) -> impl Iterator<Item = (&MessageKey, Name)> {
        self.lines.iter().rev().filter_map(|line| match &line.what {
            What::Delivered(delivery) => Some((&delivery.message, delivery.channel)),
            What::Placed(placed) => Some((&placed.placement, placed.slot)),
            What::Event(_) | What::Trace(_) | What::Decided(_) => None,
        })
    }

    /// The newest message of a journey to `actor`, or placement for him, whose step is `step` or below it.
    pub(super) fn newest_message(
        &self,
        journey: Name,
        actor: &Actor,
        step: Option<Name>,
    ) -> Option<&MessageKey> {
        let child = actor.child().map(|(entity, id)| (Arc::from(entity.as_str()), id));
        let keys = self.left().map(|(key, _)| key);
        keys.filter(|key| *key.journey == *journey.as_str() && key.child == child)
            .find(|key| step.is_none_or(|step| is_at_or_below(&key.step, step.as_str())))
    }
}

/// `offer` holds `offer` itself, `offer.push`, its rounds and keys (`offer#3`), and the messages of its list (`offer~2`).
pub(super) fn is_at_or_below(step: &str, wanted: &str) -> bool {
    step.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '#', '~']))
}

/// Whether `event` is the declared event `name`.
pub(super) fn is_event(event: &Event, name: Name) -> bool {
    matches!(event.kind, EventKind::Declared(kind) if kind == name)
}
