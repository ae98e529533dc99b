//! Who plays: the subjects a test is given, and the attributes nobody mentioned.

mod days;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use rust_decimal::Decimal;

use super::stage::Stage;
use crate::expr::civil::date_of;
use crate::name::Name;
use crate::program::{Entity, Field, Schema};
use crate::step::state::SubjectRef;
use crate::step::{Event, EventKind, RootKey};
use crate::value::{Length, Money, Type, Value};

/// The `source` of whatever a test makes happen.
pub(super) const SOURCE: &str = "urn:wayfare:test";

/// A subject of the test.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    pub(super) entity: Name,
    pub(super) id: Arc<str>,
    pub(super) row: usize,
    /// Whether it lives in its parent's row.
    pub(super) is_child: bool,
}

/// A subject about to come on stage.
#[derive(Clone, Debug)]
pub(super) struct Role {
    pub(super) entity: Name,
    pub(super) id: Arc<str>,
    /// Of a child: the id of its parent.
    pub(super) parent: Option<Arc<str>>,
    /// Attributes by name, and tags that are true; attributes left out get what [`default_value`] says.
    pub(super) fields: Vec<(Name, Value)>,
    /// Values of daily attributes, and the first and last day they had them; of days said twice the later counts.
    pub(super) days: Vec<(Name, Value, Date, Date)>,
}

impl Actor {
    /// The event's `child`, where this is one.
    pub(super) fn child(&self) -> Option<(Name, Arc<str>)> {
        self.is_child.then(|| (self.entity, Arc::clone(&self.id)))
    }

    /// How states and traces name it.
    pub(super) fn subject(&self, stage: &Stage<'_>) -> SubjectRef {
        let sym = stage.world.symbols.sym(self.entity).filter(|_| self.is_child);
        SubjectRef(sym.map(|sym| (sym, Arc::clone(&self.id))))
    }
}

/// Brings a subject on stage: its attributes arrive as they would by import.
pub(super) fn enter(stage: &mut Stage<'_>, role: Role) -> Actor {
    let root = match (&role.parent, parent_of(stage, role.entity)) {
        (Some(id), Some(entity)) => RootKey { entity, id: Arc::clone(id) },
        _ => RootKey { entity: role.entity, id: Arc::clone(&role.id) },
    };
    let is_child = root.entity != role.entity;
    let row = stage.row(root);
    let actor = Actor { entity: role.entity, id: role.id, row, is_child };
    let told = days::told(&role.days);
    let mut given = role.fields.clone();
    given.extend(days::present(&told, date_of(stage.now, stage.suite.zone)));
    let fields = stage.suite.bundle.schema.entities.get(&actor.entity).map(|entity| {
        let schema = &stage.suite.bundle.schema;
        let now = stage.now;
        complete(entity, &given, |field| default_value(&field.ty, schema, stage, now))
    });
    let event = event(stage, EventKind::Attributes, &actor, fields.unwrap_or_default());
    stage.happen(row, event);
    days::arrive(stage, &actor, &told);
    for (name, _) in role.fields.iter().filter(|(_, value)| *value == Value::Bool(true)) {
        stage.tag(&actor, *name);
    }
    actor
}

/// The entity in whose row `entity` lives, if it is a child.
pub(super) fn parent_of(stage: &Stage<'_>, entity: Name) -> Option<Name> {
    stage.suite.bundle.schema.entities.get(&entity)?.parent
}

/// An event about `actor` that happens now.
pub(super) fn event(
    stage: &mut Stage<'_>,
    kind: EventKind,
    actor: &Actor,
    fields: Vec<(Name, Value)>,
) -> Event {
    let id = format!("test-{}", stage.next_serial());
    // A message says itself whose it is.
    let is_message = matches!(kind, EventKind::Message { .. });
    Event {
        source: SOURCE.into(),
        id: id.into(),
        kind,
        child: actor.child().filter(|_| !is_message),
        time: stage.now,
        received: stage.now,
        fields,
    }
}

fn complete(
    entity: &Entity,
    given: &[(Name, Value)],
    default: impl Fn(&Field) -> Option<Value>,
) -> Vec<(Name, Value)> {
    let stored = entity.fields.iter().filter(|field| field.value.is_none() && field.name != entity.key);
    let value = |field: &Field| {
        let said = given.iter().find(|(name, _)| *name == field.name).map(|(_, value)| value.clone());
        Some((field.name, said.or_else(|| default(field))?))
    };
    stored.filter_map(value).collect()
}

/// The event's fields in declared order; those nobody mentioned get their type's default.
pub(super) fn event_fields(stage: &Stage<'_>, event: Name, given: &[(Name, Value)]) -> Vec<(Name, Value)> {
    let schema = &stage.suite.bundle.schema;
    let declared = schema.events.get(&event).map(|event| event.fields.as_slice()).unwrap_or_default();
    let value = |field: &Field| {
        let said = given.iter().find(|(name, _)| *name == field.name).map(|(_, value)| value.clone());
        Some((field.name, said.or_else(|| default_value(&field.ty, schema, stage, stage.now))?))
    };
    declared.iter().filter_map(value).filter(|(_, value)| !value.is_missing()).collect()
}

/// What a required attribute is when a test does not say: nothing, zero, the first case, today. `None` for optional
/// ones, which stay missing.
fn default_value(ty: &Type, schema: &Schema, stage: &Stage<'_>, now: Timestamp) -> Option<Value> {
    Some(match ty {
        Type::Bool => Value::Bool(false),
        Type::Int => Value::Int(0),
        Type::Decimal => Value::Decimal(Decimal::ZERO),
        Type::Percent => Value::Percent(Decimal::ZERO),
        Type::Money(currency) => Value::Money(Money { minor: 0, currency: *currency }),
        Type::Text | Type::ShortText(_) | Type::Id | Type::Entity(_) => Value::text(""),
        Type::Date => Value::Date(date_of(now, stage.suite.zone)),
        Type::Time => Value::Time(Time::midnight()),
        Type::Moment => Value::Moment(now),
        Type::Duration => Value::Length(Length::Elapsed(0)),
        Type::Choice(choice) => Value::Choice(*schema.choices.get(choice)?.first()?),
        Type::OneOf(cases) => Value::Choice(*cases.first()?),
        Type::List(_) => Value::List(Vec::new()),
        Type::Optional(_)
        | Type::Period
        | Type::Channel
        | Type::Content
        | Type::Reward
        | Type::Audience(_)
        | Type::Event(_)
        | Type::Range(_)
        | Type::Error
        | Type::Occurrence => return None,
    })
}
