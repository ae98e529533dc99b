//! The shapes of what is known: choices, entities, events, tags, and the names other journeys need.
//!
//! Runs before any expression is looked at, so expressions may use everything in any order.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::world::{Declared, Kind, Signature, Sink, World};
use super::{channel, length, types, words};
use crate::diagnostic::{Diagnostic, code};
use crate::model::govern::RISK;
use crate::model::{Capture, Choice, Entity, Event, Field, Tag};
use crate::name::Name;
use crate::program::value::BOOKS;
use crate::syntax::ast::{self, ClauseKind, ContentItem, DeclKind, EntityItem};
use crate::text::FileId;
use crate::value::Type;

/// Fills the model with every shape.
pub(super) fn shapes(world: &mut World, sink: &mut Sink) {
    world.model.events = std::mem::take(&mut world.before.events);
    world.model.tags = std::mem::take(&mut world.before.tags);
    world.model.choices.insert(Name::new(RISK), super::product::risk());
    for declared in world.due_of(|kind| matches!(kind, Kind::Choice | Kind::Stages | Kind::Entity)) {
        match &declared.decl.kind {
            DeclKind::Choice(items) => {
                let choice = choice(&declared, items, sink);
                world.model.choices.insert(declared.name, choice);
            }
            DeclKind::Stages { ranked, rows } => {
                let choice = super::stages::choice(&declared, *ranked, rows, sink);
                world.model.choices.insert(declared.name, choice);
            }
            DeclKind::Entity(items) => {
                let entity = entity(world, &declared, items, sink);
                world.model.entities.insert(declared.name, entity);
            }
            _ => {}
        }
    }
    extend(world, sink);
    families(world, sink);
    for declared in world.due_of(is_other) {
        sink.about(&declared, |sink| others(world, &declared, sink));
    }
    default_calendars(world);
}

/// Whether [`others`] looks at it.
fn is_other(kind: Kind) -> bool {
    let is_known =
        matches!(kind, Kind::Event | Kind::Tag | Kind::Channel | Kind::Calendar | Kind::Task | Kind::Content);
    is_known || kind.runs()
}

fn others(world: &mut World, declared: &Declared, sink: &mut Sink) {
    let name = declared.name;
    match &declared.decl.kind {
        DeclKind::Event(items) => {
            if let Some(event) = event(world, declared, items, sink) {
                world.model.events.insert(name, event);
            }
        }
        DeclKind::Tag { keep } => {
            if let Some(tag) = tag(world, declared, *keep, sink) {
                world.model.tags.insert(name, tag);
            }
        }
        DeclKind::Channel(items) => {
            let channel = channel::channel(declared, items, sink);
            world.model.channels.insert(name, channel);
        }
        DeclKind::Calendar(items) => {
            let calendar = super::calendar::calendar(world, declared, items, sink);
            world.model.calendars.insert(name, calendar);
        }
        DeclKind::Task(items) => super::task::shape(world, declared, items, sink),
        DeclKind::Content(items) => {
            let takes = takes(world, declared, items, sink);
            world.takes.insert(name, takes);
        }
        DeclKind::Journey(journey) => {
            if let Some(subject) = subject(world, declared, sink) {
                let by_start = |clause: &ast::Clause| matches!(&clause.kind, ClauseKind::Enter(enter) if **enter == ast::Enter::ByStart);
                let by_start = journey.clauses.iter().any(by_start);
                world.signatures.insert(name, Signature { subject, by_start });
            }
        }
        DeclKind::Replies(_) => {
            if let Some(subject) = subject(world, declared, sink) {
                world.signatures.insert(name, Signature { subject, by_start: false });
            }
        }
        DeclKind::Instance(_) => {
            // Told once, at the template.
            let Some(home) = super::journey::template::home(world, declared) else { return };
            let DeclKind::Journey(journey) = &home.decl.kind else { return };
            let by_start = |clause: &ast::Clause| matches!(&clause.kind, ClauseKind::Enter(enter) if **enter == ast::Enter::ByStart);
            let by_start = journey.clauses.iter().any(by_start);
            if let Some(subject) = subject(world, &home, &mut Sink::default()) {
                world.signatures.insert(name, Signature { subject, by_start });
            }
        }
        _ => {}
    }
}

/// The entity a declaration is `of`, or a finding.
pub(super) fn subject(world: &World, declared: &Declared, sink: &mut Sink) -> Option<Name> {
    if let Some(path) = &declared.decl.subject {
        return world.expect_path(sink, declared.file, path, Kind::Entity).map(|entity| entity.name);
    }
    let headline = format!("`{}` does not say what it is about", declared.name);
    sink.report(
        Diagnostic::new(code::NO_SUBJECT, declared.span, headline)
            .label("`of` is missing")
            .help(format!("write `{} {} of customer`", declared.decl.word.name, declared.name)),
    );
    None
}

pub(super) fn label(decl: &ast::Decl) -> Option<Arc<str>> {
    decl.label.as_ref().map(|text| text.value.clone())
}

fn choice(declared: &Declared, items: &[ast::ChoiceItem], sink: &mut Sink) -> Choice {
    let mut cases: Vec<(Name, Option<Arc<str>>)> = Vec::new();
    for item in items {
        if cases.iter().any(|(case, _)| *case == item.name.name) {
            sink.report(types::twice(item.name));
        } else {
            cases.push((item.name.name, item.label.as_ref().map(|label| label.value.clone())));
        }
    }
    Choice { name: declared.name, label: label(declared.decl), cases, ordered: true, span: declared.span }
}

fn entity(world: &World, declared: &Declared, items: &[EntityItem], sink: &mut Sink) -> Entity {
    let parent = declared.decl.subject.as_ref();
    let parent = parent.and_then(|path| world.expect_path(sink, declared.file, path, Kind::Entity));
    let mut fields = Vec::new();
    let (mut calendar, mut region) = (None, None);
    for item in items {
        match item {
            EntityItem::Field(field) => add_field(world, declared.file, field, &mut fields, sink),
            EntityItem::Calendar(path) => {
                let found = world.expect_path(sink, declared.file, path, Kind::Calendar);
                calendar = found.map(|calendar| calendar.name).or(calendar);
            }
            EntityItem::Region(place) => region = Some(channel::country(*place, sink)),
            EntityItem::Captures { span, .. } => sink.report(
                Diagnostic::new(code::MISPLACED, *span, "an entity captures no consent")
                    .label("belongs to an event")
                    .help("write `captures` into the event that the form sends"),
            ),
            _ => {}
        }
    }
    Entity {
        name: declared.name,
        label: label(declared.decl),
        parent: parent.map(|entity| entity.name),
        key: key(declared, items, sink),
        fields,
        anchors: Vec::new(),
        calendar,
        region,
        span: declared.span,
    }
}

fn key(declared: &Declared, items: &[EntityItem], sink: &mut Sink) -> Name {
    let mut keys = items.iter().filter_map(|item| match item {
        EntityItem::Field(field) if field.key => Some(field.name),
        _ => None,
    });
    let Some(first) = keys.next() else {
        let headline = format!("entity `{}` has no key", declared.name);
        sink.report(
            Diagnostic::new(code::NO_KEY, declared.span, headline)
                .label("nothing tells one from another")
                .help("write `key id : Id` in it"),
        );
        return Name::new("id");
    };
    for again in keys {
        let headline = format!("entity `{}` has two keys", declared.name);
        sink.report(
            Diagnostic::new(code::NO_KEY, again.span, headline)
                .label("a second key")
                .also(first.span, "the first")
                .help("keep the one that other systems use"),
        );
    }
    first.name
}

fn add_field(world: &World, file: FileId, field: &ast::Field, fields: &mut Vec<Field>, sink: &mut Sink) {
    if let Some(first) = fields.iter().find(|known| known.name == field.name.name) {
        let headline = format!("`{}` is declared twice", field.name.name);
        let finding = Diagnostic::new(code::DECLARED_TWICE, field.name.span, headline)
            .label("declared again here")
            .also(first.span, "first declared here")
            .help("take one of them out, or give it another name");
        return sink.report(finding);
    }
    let ty = types::resolve(world, sink, file, &field.ty);
    if field.daily {
        daily(field, &ty, sink);
    }
    fields.push(Field {
        name: field.name.name,
        label: field.label.as_ref().map(|label| label.value.clone()),
        ty,
        daily: field.daily,
        class: field.class.as_ref().map(|class| super::product::data_class(class, sink)),
        purposes: field.purposes.iter().map(|word| super::policy::purpose(*word, sink)).collect(),
        value: None,
        span: field.name.span,
    });
}

/// What has a value for each day is a stored number or amount.
fn daily(field: &ast::Field, ty: &Type, sink: &mut Sink) {
    let name = field.name.name;
    let measured =
        matches!(ty.known(), Type::Int | Type::Decimal | Type::Percent | Type::Money(_) | Type::Error);
    let headline = if field.key || field.value.is_some() {
        format!("`{name}` is not told day by day")
    } else if measured {
        return;
    } else {
        format!("`{name}` is {}: its days cannot be averaged", words::of_type(ty))
    };
    let finding = Diagnostic::new(code::DAILY, field.name.span, headline).label("cannot be `daily`");
    sink.report(finding.help("leave `daily` out: amounts and numbers that a system sends each day have it"));
}

/// Adds the fields of every `extend` to its entity: those of one together, in the order of their first names, so that the
/// order of files means nothing.
fn extend(world: &mut World, sink: &mut Sink) {
    let mut extends = world.extends.clone();
    extends.sort_by_key(|(_, decl)| first_field(decl));
    for (file, decl) in extends {
        let DeclKind::Extend(items) = &decl.kind else { continue };
        let Some(name) = decl.name else { continue };
        let Some(declared) = world.expect(sink, file, name, Kind::Entity) else { continue };
        let Some(mut entity) = world.model.entities.remove(&declared.name) else { continue };
        for item in items {
            match item {
                EntityItem::Field(field) => {
                    add_field(world, file, field, &mut entity.fields, sink);
                }
                EntityItem::Calendar(path) => {
                    let found = world.expect_path(sink, file, path, Kind::Calendar);
                    entity.calendar = found.map(|calendar| calendar.name).or(entity.calendar);
                }
                _ => {}
            }
        }
        world.model.entities.insert(declared.name, entity);
    }
}

fn first_field(decl: &ast::Decl) -> Option<Name> {
    let DeclKind::Extend(items) = &decl.kind else { return None };
    items.iter().find_map(|item| match item {
        EntityItem::Field(field) => Some(field.name.name),
        _ => None,
    })
}

/// Records who is whose child; a child's child has no state row to live in.
fn families(world: &mut World, sink: &mut Sink) {
    let pairs: Vec<(Name, Name)> =
        world.model.entities.values().filter_map(|one| Some((one.name, one.parent?))).collect();
    for (child, parent) in pairs {
        let grand = world.entity(parent).and_then(|entity| entity.parent);
        if let (Some(_), Some(entity)) = (grand, world.entity(child)) {
            let headline = format!("`{child}` is the child of a child");
            sink.report(
                Diagnostic::new(code::CHILD_OF_CHILD, entity.span, headline)
                    .label(format!("`{parent}` is a child itself"))
                    .help("make it a child of the root, with a field that refers to the other"),
            );
        }
        world.children.entry(parent).or_default().push(child);
    }
}

/// An entity that names no calendar goes by its parent's, or by the only one there is.
fn default_calendars(world: &mut World) {
    let only = match world.model.calendars.len() {
        1 => world.model.calendars.keys().next().copied(),
        _ => None,
    };
    let named: BTreeMap<Name, Option<Name>> =
        world.model.entities.values().map(|entity| (entity.name, entity.calendar)).collect();
    for entity in world.model.entities.values_mut() {
        let inherited = entity.parent.and_then(|parent| named.get(&parent).copied().flatten());
        entity.calendar = entity.calendar.or(inherited).or(only);
    }
}

fn event(world: &World, declared: &Declared, items: &[EntityItem], sink: &mut Sink) -> Option<Event> {
    let mut fields = Vec::new();
    let (mut source, mut late) = (None, None);
    let mut captures = Vec::new();
    for item in items {
        match item {
            EntityItem::Field(field) => {
                if field.daily {
                    sink.report(daily_event(field));
                }
                add_field(world, declared.file, field, &mut fields, sink);
            }
            EntityItem::Captures { channels, ticked, required, span } => {
                let found = |path| world.expect_path(sink, declared.file, path, Kind::Channel);
                let channels = channels.iter().filter_map(found).map(|channel| channel.name).collect();
                captures.push(Capture { channels, ticked: *ticked, required: *required, span: *span });
            }
            EntityItem::Source(name) => source = Some(name.name),
            EntityItem::Late(dur) => late = Some(length::of(dur.kind)),
            EntityItem::Anchor { name, .. } => sink.report(
                Diagnostic::new(code::MISPLACED, name.span, "an event has no anchors")
                    .label("belongs to an entity")
                    .help("declare the anchor in the entity the event is `of`"),
            ),
            EntityItem::Region(place) => sink.report(
                Diagnostic::new(code::MISPLACED, place.span, "an event is kept where its subject is")
                    .label("belongs to an entity")
                    .help("write `region` into the entity that the event is `of`"),
            ),
            EntityItem::Calendar(_) | EntityItem::Error(_) => {}
        }
    }
    let subject = subject(world, declared, sink)?;
    if source.is_some_and(|source| source.as_str() == BOOKS) {
        sink.findings.extend(of_books(declared, &fields));
    }
    Some(Event {
        name: declared.name,
        label: label(declared.decl),
        subject,
        fields,
        source,
        late,
        captures,
        span: declared.span,
    })
}

/// What the daemon tells of a gift that was used: of which reward, and which gift. It knows nothing else.
fn of_books(declared: &Declared, fields: &[Field]) -> Option<Diagnostic> {
    let rewards = fields.iter().filter(|field| field.ty.known() == &Type::Reward).count();
    let is_known = |field: &Field| {
        let is_gift = field.name.as_str() == "gift" && matches!(field.ty, Type::Id | Type::Text);
        is_gift || matches!(field.ty, Type::Reward | Type::Optional(_))
    };
    if rewards == 1 && fields.iter().all(is_known) {
        return None;
    }
    let headline = format!("the books tell of `{}` which reward was used, and nothing else", declared.name);
    let finding =
        Diagnostic::new(code::MISPLACED, declared.span, headline).label("other fields are needed here");
    Some(
        finding.help(
            "give it one field of type `Reward`, and `gift : Id` if you like; others may be missing: `T?`",
        ),
    )
}

fn daily_event(field: &ast::Field) -> Diagnostic {
    let headline = "an event happens once and has no days";
    Diagnostic::new(code::DAILY, field.name.span, headline)
        .label("cannot be `daily`")
        .help("leave `daily` out, or make it an attribute of the entity")
}

fn tag(world: &World, declared: &Declared, keep: Option<ast::Dur>, sink: &mut Sink) -> Option<Tag> {
    let keep = keep.map(|dur| length::positive(dur, sink));
    let subject = subject(world, declared, sink)?;
    Some(Tag { name: declared.name, label: label(declared.decl), subject, keep, span: declared.span })
}

fn takes(world: &World, declared: &Declared, items: &[ContentItem], sink: &mut Sink) -> Vec<(Name, Type)> {
    let written = items.iter().filter_map(|item| match item {
        ContentItem::Takes(param) => Some(param),
        _ => None,
    });
    let mut takes: Vec<(Name, Type)> = Vec::new();
    for param in declared.decl.params.iter().chain(written) {
        if takes.iter().any(|(name, _)| *name == param.name.name) {
            let headline = format!("`{}` is taken twice", param.name.name);
            let finding =
                Diagnostic::new(code::DECLARED_TWICE, param.name.span, headline).label("again here");
            sink.report(finding.help("take one of them out, or give it another name"));
            continue;
        }
        takes.push((param.name.name, types::resolve(world, sink, declared.file, &param.ty)));
    }
    takes
}
