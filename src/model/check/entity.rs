//! The second look at an entity: derived fields and anchors, which need its attributes to be known.

use super::expr::{Checker, Place};
use super::schedule::{self, Place as ScheduleAt};
use super::world::{Sink, World};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::Expr;
use crate::model::DateAnchor;
use crate::name::Name;
use crate::syntax::ast::{Decl, DeclKind, EntityItem, Roll};
use crate::text::FileId;

pub(super) fn values(world: &mut World, file: FileId, decl: &Decl, sink: &mut Sink) {
    let (DeclKind::Entity(items) | DeclKind::Extend(items)) = &decl.kind else { return };
    let Some(name) = decl.name.map(|ident| ident.name) else { return };
    let mut computed: Vec<(Name, Expr)> = Vec::new();
    let mut anchors: Vec<DateAnchor> = Vec::new();
    for item in items {
        match item {
            EntityItem::Field(field) => {
                if let Some(value) = &field.value
                    && let Some(ty) = world
                        .entity(name)
                        .and_then(|entity| entity.field(field.name.name))
                        .map(|field| field.ty.clone())
                {
                    let mut checker = Checker::new(world, file, Place::Field, Some(name));
                    let expr = checker.expect(value, &ty);
                    computed.push((field.name.name, expr));
                    sink.findings.extend(checker.sink.findings);
                    sink.used_too(checker.sink.used);
                }
            }
            EntityItem::Anchor { .. } => anchors.extend(anchor(world, name, item, sink)),
            _ => {}
        }
    }
    let Some(entity) = world.model.entities.get_mut(&name) else { return };
    for (field, expr) in computed {
        if let Some(field) = entity.fields.iter_mut().find(|known| known.name == field) {
            field.value = Some(expr);
        }
    }
    entity.anchors.extend(anchors);
}

fn anchor(world: &World, entity: Name, item: &EntityItem, sink: &mut Sink) -> Option<DateAnchor> {
    let EntityItem::Anchor { name, label, schedule, roll } = item else { return None };
    let entity = world.entity(entity)?;
    if let Some(first) = entity
        .field(name.name)
        .map(|field| field.span)
        .or_else(|| entity.anchors.iter().find(|anchor| anchor.name == name.name).map(|anchor| anchor.span))
    {
        let headline = format!("`{}` is declared twice", name.name);
        let finding = Diagnostic::new(code::DECLARED_TWICE, name.span, headline);
        sink.report(
            finding
                .label("declared again here")
                .also(first, "first declared here")
                .help("give the anchor another name"),
        );
        return None;
    }
    if roll.is_some() && entity.calendar.is_none() {
        sink.report(schedule::no_calendar(schedule.span));
    }
    let place = ScheduleAt { fields: &entity.fields, calendar: entity.calendar, needs_time: false };
    let schedule = schedule::schedule(&place, schedule, sink)?;
    Some(DateAnchor {
        name: name.name,
        label: label.as_ref().map(|label| label.value.clone()),
        schedule,
        roll_back: roll.map(|roll| roll == Roll::Back),
        span: name.span,
    })
}
