//! What a test's conditions see: one subject's state, and its full record instead of the kept history.
//!
//! History conditions are worked out here from everything that happened, not from what the runtime keeps: so a test
//! that asks about history also checks the keeping.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::cast::Actor;
use super::record::{Line, is_at_or_below, is_event};
use super::stage::{Row, Stage};
use crate::expr::civil::{Calendar, Recurrence, date_of, last_window_start, start_of_day};
use crate::expr::eval::{Env, admits, compare, eval, eval_on, fold};
use crate::expr::explain::Reader;
use crate::expr::show::Names;
use crate::expr::{Aggregate, ChangeVerb, Expr, Owner, Pattern, Source, Window};
use crate::model::Uses;
use crate::name::Name;
use crate::program::value::GRANTED;
use crate::step::state::{Child, SubjectRef};
use crate::step::{Decision, Event, EventKind, Sym, Trace};
use crate::value::Value;

/// Metrics and audiences may build on each other this deep.
const DEEPEST: u8 = 16;

pub(super) struct Scene<'a> {
    stage: &'a Stage<'a>,
    row: &'a Row,
    entity: Name,
    id: Arc<str>,
    subject: SubjectRef,
    uses: &'a Uses,
    depth: u8,
}

impl<'a> Scene<'a> {
    /// What `actor` looks like now. `None` where it has no row.
    pub(super) fn new(stage: &'a Stage<'a>, actor: &Actor, uses: &'a Uses) -> Option<Self> {
        let row = stage.rows.get(actor.row)?;
        let (entity, id) = (actor.entity, Arc::clone(&actor.id));
        Some(Self { stage, row, entity, id, subject: actor.subject(stage), uses, depth: 0 })
    }

    fn using(&self, uses: &'a Uses) -> Self {
        let (subject, id) = (self.subject.clone(), Arc::clone(&self.id));
        Self { uses, subject, id, depth: self.depth + 1, ..*self }
    }

    /// The scene of the subject itself or of its parent.
    fn of(&self, owner: Owner) -> Self {
        match owner {
            Owner::Subject => Self { subject: self.subject.clone(), id: Arc::clone(&self.id), ..*self },
            Owner::Parent => {
                let (entity, id) = (self.row.key.entity, Arc::clone(&self.row.key.id));
                Self { entity, id, subject: SubjectRef(None), ..*self }
            }
        }
    }

    fn child(&self) -> Option<&'a Child> {
        let (entity, id) = self.subject.0.as_ref()?;
        self.row.state.children.iter().find(|child| child.entity == *entity && child.id == *id)
    }

    fn attribute(&self, name: Name) -> Value {
        let entity = self.stage.suite.bundle.schema.entities.get(&self.entity);
        let derived =
            entity.and_then(|entity| entity.fields.iter().find(|field| field.name == name)?.value.as_ref());
        match derived {
            Some(value) => eval(value, self),
            None if entity.is_some_and(|entity| entity.key == name) => Value::Text(Arc::clone(&self.id)),
            None => self.stored(name),
        }
    }

    fn stored(&self, name: Name) -> Value {
        let Some(sym) = self.stage.world.symbols.sym(name) else { return Value::Missing };
        let attributes = match self.subject.0 {
            Some(_) => self.child().map_or(&[][..], |child| &child.attributes),
            None => &self.row.state.attributes,
        };
        let found = attributes.iter().find(|(attribute, _)| *attribute == sym);
        found.map_or(Value::Missing, |(_, value)| value.clone())
    }

    fn tags(&self) -> &'a [(Sym, Option<Timestamp>)] {
        match self.subject.0 {
            Some(_) => self.child().map_or(&[], |child| &child.tags),
            None => &self.row.state.tags,
        }
    }

    /// The values an aggregate is over: of admitted events of this subject, oldest first.
    fn history_values(&self, aggregate: &Aggregate) -> Vec<Value> {
        let mut found: Vec<(Timestamp, Value)> = self
            .elements(&aggregate.source)
            .filter(|(at, _)| aggregate.window.as_ref().is_none_or(|window| self.in_window(window, *at)))
            .filter(|(_, element)| admits(aggregate.filter.as_ref(), element, self))
            .map(|(at, element)| match &aggregate.value {
                Some(value) => (at, eval_on(value, &element, self)),
                None => (at, element),
            })
            .collect();
        found.sort_by_key(|(at, _)| *at);
        found.into_iter().map(|(_, value)| value).collect()
    }

    /// Whatever `source` names that happened to this subject: when, and its record.
    fn elements<'b>(&'b self, source: &'b Source) -> Box<dyn Iterator<Item = (Timestamp, Value)> + 'b> {
        match source {
            Source::Event(name) if self.stage.suite.model.tasks.contains_key(name) => {
                let about = |trace: &Trace| self.subject.0.is_none() || trace.subject == self.subject;
                let tasks = self.row.record.tasks(*name, &self.stage.world);
                let tasks = tasks.filter(move |(_, trace, _)| about(trace));
                Box::new(tasks.map(|(line, _, element)| (line.at, element)))
            }
            Source::Event(name) if name.as_str() == GRANTED => {
                let granted = self.row.record.granted(&self.stage.world);
                Box::new(granted.map(|(line, fields)| (line.at, Value::Record(fields))))
            }
            Source::Event(name) => Box::new(
                self.row
                    .record
                    .events()
                    .map(|(_, event)| event)
                    .filter(move |event| is_event(event, *name) && self.is_about(event))
                    .map(|event| (event.time, Value::Record(event.fields.clone()))),
            ),
            Source::Message { kind, step } => Box::new(
                self.row.record.lines.iter().filter_map(move |line| self.message(line, *kind, *step)),
            ),
            Source::Close(name) => Box::new(
                self.row
                    .record
                    .events()
                    .map(|(_, event)| event)
                    .filter(|event| matches!(event.kind, EventKind::Closed(closed) if closed == *name))
                    .filter(|event| self.is_about(event))
                    .map(|event| (event.time, Value::Record(event.fields.clone()))),
            ),
            Source::Change { verb, attribute } => Box::new(
                self.changes(*attribute)
                    .into_iter()
                    .filter(|(_, old, new)| self.is_change(*verb, old, new))
                    .map(|(at, old, new)| (at, changed(old, new))),
            ),
            Source::Children(_) | Source::Daily { .. } => Box::new(std::iter::empty()),
        }
    }

    /// Changes of an attribute, from what was told of it, or of a derived value, from what was noticed: when, from
    /// what, to what. A first value is no change.
    fn changes(&self, name: Name) -> Vec<(Timestamp, Value, Value)> {
        let told = self.row.record.events().map(|(_, event)| event).filter(|event| self.is_about(event));
        let told = told.filter(|event| matches!(event.kind, EventKind::Attributes));
        let values = told.filter_map(|event| {
            let (_, value) = event.fields.iter().find(|(field, _)| *field == name)?;
            Some((event.time, value.clone()))
        });
        let values: Vec<(Timestamp, Value)> = values.collect();
        let pairs = values.windows(2).filter_map(|pair| match pair {
            [(_, old), (at, new)] if old != new => Some((*at, old.clone(), new.clone())),
            _ => None,
        });
        let noticed = self.row.record.traces(None).filter_map(|(line, trace)| match &trace.what {
            Decision::Changed { what, old, new }
                if trace.subject == self.subject && self.stage.world.symbols.name(*what) == Some(name) =>
            {
                Some((line.at, old.clone(), new.clone()))
            }
            _ => None,
        });
        pairs.chain(noticed).collect()
    }

    fn is_change(&self, verb: ChangeVerb, old: &Value, new: &Value) -> bool {
        let order = compare(new, old, self);
        match verb {
            ChangeVerb::Change => true,
            ChangeVerb::Rise => order.is_some_and(Ordering::is_gt),
            ChangeVerb::Drop => order.is_some_and(Ordering::is_lt),
        }
    }

    /// The end-of-day values of a daily attribute inside the window, from everything that was told of it.
    fn day_values(&self, attribute: Name, window: Option<&Window>) -> Vec<Value> {
        let told = self.row.record.events().map(|(_, event)| event).filter(|event| self.is_about(event));
        let mut days: BTreeMap<Date, Value> = BTreeMap::new();
        for event in told.filter(|event| matches!(event.kind, EventKind::Attributes)) {
            if let Some((_, value)) = event.fields.iter().find(|(name, _)| *name == attribute) {
                days.insert(date_of(event.time, self.zone()), value.clone());
            }
        }
        let today = date_of(self.now(), self.zone());
        let Some((first, last)) = window.and_then(|window| self.days_of(window)) else { return Vec::new() };
        let asked = first.series(Span::new().days(1)).take_while(|day| *day <= last.min(today));
        asked.filter_map(|day| days.range(..=day).next_back().map(|(_, value)| value.clone())).collect()
    }

    /// First and last day of a window of whole days.
    fn days_of(&self, window: &Window) -> Option<(Date, Date)> {
        let (now, zone) = (self.now(), self.zone());
        match window {
            Window::Last(length) => {
                let start = last_window_start(*length, now, zone, self.calendar(None))?;
                Some((date_of(start, zone), date_of(now, zone)))
            }
            Window::Span(span) => match eval(span, self) {
                Value::Range(ends) => match *ends {
                    (Value::Date(first), Value::Date(last)) => Some((first, last)),
                    _ => None,
                },
                _ => None,
            },
            Window::Since(_) | Window::Ever => None,
        }
    }

    /// The nearest date of a recurring anchor, from today.
    fn anchored_date(&self, of: Option<&str>, (entity, anchor): (Name, Name), back: bool) -> Option<Date> {
        let schema = self.stage.suite.bundle.schema.entities.get(&entity)?;
        let anchor = schema.anchors.iter().find(|known| known.name == anchor)?;
        let on = match (anchor.schedule.attribute(), of) {
            (None, _) => Value::Missing,
            (Some(name), None) => self.attribute(name),
            (Some(name), Some(id)) => self.reference(entity, id, name),
        };
        let own = if of.is_some() { schema.calendar } else { None };
        let calendar = self.calendar(anchor.schedule.calendar.or(own));
        let plain = Recurrence::plain(&anchor.schedule, self.zone(), calendar);
        let recurrence = Recurrence { on, roll_back: anchor.roll_back, ..plain };
        let start = start_of_day(date_of(self.now(), self.zone()), self.zone())?;
        let found = if back {
            recurrence.previous(start)?
        } else {
            recurrence.next(start.checked_sub(SignedDuration::from_millis(1)).ok()?)?
        };
        Some(date_of(found.moment, self.zone()))
    }

    fn is_about(&self, event: &Event) -> bool {
        match &event.child {
            Some((entity, id)) => *entity == self.entity && *id == self.id,
            None => self.subject.0.is_none(),
        }
    }

    /// The record of a message event: its step and channel.
    pub(super) fn message(
        &self,
        line: &Line,
        kind: crate::expr::MessageEvent,
        step: Option<Name>,
    ) -> Option<(Timestamp, Value)> {
        let super::record::What::Trace(trace) = &line.what else { return None };
        if trace.subject != self.subject {
            return None;
        }
        let (found, at) = match &trace.what {
            Decision::Answered { step, outcome, .. } if outcome.as_event() == Some(kind) => (step, line.at),
            Decision::Receipt { step, kind: receipt, at } if *receipt == kind => (step, *at),
            _ => return None,
        };
        let name = self.stage.world.symbols.name(*found)?;
        step.is_none_or(|step| is_at_or_below(name.as_str(), step.as_str())).then_some(())?;
        let channel = self.channel_of(trace.journey, *found);
        let fields = [("step", Some(name)), ("channel", channel)];
        let fields =
            fields.into_iter().filter_map(|(field, value)| Some((Name::new(field), Value::Choice(value?))));
        Some((at, Value::Record(fields.collect())))
    }

    /// The channel that a step of a journey last decided to send through.
    fn channel_of(&self, journey: Option<Sym>, step: Sym) -> Option<Name> {
        let decided = self.row.record.traces(journey).filter_map(|(_, trace)| match &trace.what {
            Decision::Decided { step: of, channel } | Decision::Placed { step: of, slot: channel, .. }
                if *of == step =>
            {
                Some(*channel)
            }
            _ => None,
        });
        self.stage.world.symbols.name(decided.last()?)
    }

    fn in_window(&self, window: &Window, at: Timestamp) -> bool {
        let (now, zone) = (self.now(), self.zone());
        match window {
            Window::Ever => true,
            Window::Last(length) => {
                last_window_start(*length, now, zone, self.calendar(None)).is_some_and(|start| at >= start)
            }
            Window::Span(span) => match eval(span, self) {
                Value::Range(ends) => match *ends {
                    (Value::Date(first), Value::Date(last)) => (first..=last).contains(&date_of(at, zone)),
                    _ => false,
                },
                _ => false,
            },
            // A condition of an attribute has no instance, and so no anchor but a date.
            Window::Since(crate::expr::Anchor::At(anchor)) => match eval(anchor, self) {
                Value::Date(date) => start_of_day(date, zone).is_some_and(|start| at >= start),
                Value::Moment(moment) => at >= moment,
                _ => false,
            },
            Window::Since(_) => false,
        }
    }
}

impl Env for Scene<'_> {
    fn now(&self) -> Timestamp {
        self.stage.now
    }

    fn zone(&self) -> &TimeZone {
        self.stage.suite.zone
    }

    fn calendar(&self, name: Option<Name>) -> Option<&Calendar> {
        let bundle = self.stage.suite.bundle;
        let of = |entity: &Name| bundle.schema.entities.get(entity)?.calendar;
        let own = || of(&self.entity).or_else(|| of(&self.row.key.entity));
        bundle.calendars.get(&name.or_else(own)?)
    }

    fn attr(&self, owner: Owner, name: Name) -> Value {
        self.of(owner).attribute(name)
    }

    fn tag(&self, owner: Owner, name: Name) -> bool {
        let Some(sym) = self.stage.world.symbols.sym(name) else { return false };
        let scene = self.of(owner);
        scene.tags().iter().any(|(tag, until)| *tag == sym && until.is_none_or(|until| self.now() < until))
    }

    fn def(&self, owner: Owner, index: u16) -> Value {
        let name = self.uses.defs.get(usize::from(index));
        let derived = name.and_then(|name| self.stage.suite.model.derived.get(name));
        match derived.filter(|_| self.depth < DEEPEST) {
            Some(derived) => eval(&derived.value, &self.of(owner).using(&derived.uses)),
            None => Value::Missing,
        }
    }

    fn children(&self, entity: Name) -> Vec<Value> {
        let Some(sym) = self.stage.world.symbols.sym(entity) else { return Vec::new() };
        let schema = self.stage.suite.bundle.schema.entities.get(&entity);
        let fields = || schema.iter().flat_map(|schema| &schema.fields).map(|field| field.name);
        let record = |child: &Child| {
            let (id, subject) = (Arc::clone(&child.id), SubjectRef(Some((sym, Arc::clone(&child.id)))));
            let scene = Self { entity, id, subject, ..*self };
            let known =
                fields().map(|name| (name, scene.attribute(name))).filter(|(_, value)| !value.is_missing());
            Value::Record(known.collect())
        };
        self.row.state.children.iter().filter(|child| child.entity == sym).map(record).collect()
    }

    fn history(&self, feature: u16) -> Value {
        match self.uses.features.get(usize::from(feature)) {
            Some(aggregate) => match aggregate.source {
                Source::Daily { owner, attribute } => {
                    let values = self.of(owner).day_values(attribute, aggregate.window.as_ref());
                    fold(aggregate.function, &values, self)
                }
                _ => fold(aggregate.function, &self.history_values(aggregate), self),
            },
            None => Value::Missing,
        }
    }

    fn reference(&self, entity: Name, id: &str, attribute: Name) -> Value {
        self.stage.world.references.attribute(entity, id, attribute)
    }

    fn anchored(&self, of: Option<&str>, entity: Name, anchor: Name, back: bool) -> Value {
        self.anchored_date(of, (entity, anchor), back).map_or(Value::Missing, Value::Date)
    }

    fn balance(&self, _: Owner, points: Name) -> Value {
        let sym = self.stage.world.symbols.sym(points);
        let account = self.row.state.accounts.iter().find(|account| Some(account.what) == sym);
        Value::Int(account.map_or(0, |account| account.balance(self.stage.now)))
    }

    fn choice_order(&self, left: Name, right: Name) -> Option<Ordering> {
        let choices = self.stage.suite.bundle.schema.choices.values();
        choices.into_iter().find_map(|cases| {
            let place = |name| cases.iter().position(|case| *case == name);
            Some(place(left)?.cmp(&place(right)?))
        })
    }
}

impl Names for Scene<'_> {
    fn def(&self, index: u16) -> Option<Name> {
        self.uses.defs.get(usize::from(index)).copied()
    }

    fn feature(&self, index: u16) -> Option<&Aggregate> {
        self.uses.features.get(usize::from(index))
    }
}

impl Reader for Scene<'_> {
    /// The customers of a test are made up.
    fn is_masked(&self, _leaf: &Expr) -> bool {
        false
    }

    /// Definitions have numbers of their own for what they use, so they are named, not looked into.
    fn definition(&self, _index: u16) -> Option<&Expr> {
        None
    }
}

fn changed(old: Value, new: Value) -> Value {
    let fields = [(Name::new("old"), old), (Name::new("new"), new)];
    Value::Record(fields.into_iter().filter(|(_, value)| !value.is_missing()).collect())
}

/// Whether `event` is what `pattern` describes, seen by `scene`'s subject.
pub(super) fn matches(pattern: &Pattern, event: &Event, scene: &Scene<'_>) -> bool {
    let is_kind = match (&pattern.source, &event.kind) {
        (Source::Event(name), _) => is_event(event, *name),
        (Source::Message { kind, step }, EventKind::Message { kind: found, key }) => {
            kind == found && step.is_none_or(|step| is_at_or_below(&key.step, step.as_str()))
        }
        (Source::Close(name), EventKind::Closed(closed)) => name == closed,
        (Source::Change { attribute, .. }, EventKind::Attributes) => {
            event.fields.iter().any(|(name, _)| name == attribute)
        }
        _ => false,
    };
    let element = Value::Record(event.fields.clone());
    is_kind && scene.is_about(event) && admits(pattern.filter.as_ref(), &element, scene)
}

/// A scene outside any subject, for dates and moments of the script.
pub(super) struct Bare<'a> {
    pub(super) now: Timestamp,
    pub(super) zone: &'a TimeZone,
    pub(super) calendar: &'a dyn Fn(Option<Name>) -> Option<&'a Calendar>,
}

impl Env for Bare<'_> {
    fn now(&self) -> Timestamp {
        self.now
    }
    fn zone(&self) -> &TimeZone {
        self.zone
    }
    fn calendar(&self, name: Option<Name>) -> Option<&Calendar> {
        (self.calendar)(name)
    }
}
