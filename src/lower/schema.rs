//! What may come in, and the channels: the parts of a bundle that are always live.

use std::collections::BTreeMap;

use crate::model::{self, Model};
use crate::name::Name;
use crate::program::{Channel, DateAnchor, Entity, Event, Field, Schema, Tag};
use crate::value::Length;

pub(super) fn schema(model: &Model) -> Schema {
    let choice = |choice: &model::Choice| choice.cases.iter().map(|(name, _)| *name).collect();
    let tag = |tag: &model::Tag| Tag { subject: tag.subject, keep: tag.keep };
    Schema {
        choices: model.choices.iter().map(|(&name, it)| (name, choice(it))).collect(),
        entities: model.entities.iter().map(|(&name, it)| (name, entity(it))).collect(),
        events: model.events.iter().map(|(&name, it)| (name, event(model, it))).collect(),
        tags: model.tags.iter().map(|(&name, it)| (name, tag(it))).collect(),
    }
}

pub(super) fn channels(model: &Model) -> BTreeMap<Name, Channel> {
    model.channels.iter().map(|(&name, it)| (name, channel(model, it))).collect()
}

fn entity(entity: &model::Entity) -> Entity {
    Entity {
        label: entity.label.clone(),
        parent: entity.parent,
        key: entity.key,
        fields: entity.fields.iter().map(field).collect(),
        anchors: entity.anchors.iter().map(anchor).collect(),
        calendar: entity.calendar,
    }
}

/// Whoever reports on a task says what he knows of it.
fn event(model: &Model, event: &model::Event) -> Event {
    let is_task = model.tasks.contains_key(&event.name);
    let reported = |known: &model::Field| {
        let field = field(known);
        if is_task { Field { ty: field.ty.optional(), ..field } } else { field }
    };
    Event {
        label: event.label.clone(),
        subject: event.subject,
        fields: event.fields.iter().map(reported).collect(),
        source: event.source,
        late_ms: event.late.map_or(0, Length::at_most_ms),
    }
}

fn field(field: &model::Field) -> Field {
    Field {
        name: field.name,
        ty: field.ty.clone(),
        class: field.class,
        value: field.value.clone(),
        daily: field.daily,
    }
}

fn anchor(anchor: &model::DateAnchor) -> DateAnchor {
    DateAnchor { name: anchor.name, schedule: anchor.schedule.clone(), roll_back: anchor.roll_back }
}

fn channel(model: &Model, channel: &model::Channel) -> Channel {
    Channel {
        label: channel.label.clone(),
        kind: channel.kind,
        rate: channel.rate,
        receipt: channel.receipt,
        outcomes: channel.outcomes.clone(),
        address: channel.address,
        surface: channel.surface,
        capacity: (channel.kind.as_str() == "slot").then(|| channel.capacity.unwrap_or(1)),
        party: channel.reaches(|name| model.entities.contains_key(&name)),
    }
}
