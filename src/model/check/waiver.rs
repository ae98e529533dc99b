//! Waivers: what compliance excuses, of what, why, by whom, until when.

use std::sync::Arc;

use jiff::civil::Date;

use super::schema;
use super::world::{Declared, Kind, Sink, World};
use crate::diagnostic::{Diagnostic, code};
use crate::model::govern::Waiver;
use crate::name::Name;
use crate::syntax::ast::{DeclKind, ExprKind, Path, Text, WaiverItem};

/// Checks all waivers. Runs behind the journeys, whose steps they name.
pub(super) fn waivers(world: &mut World, sink: &mut Sink) {
    for declared in world.due_of(|kind| kind == Kind::Waiver) {
        if let DeclKind::Waiver(items) = &declared.decl.kind
            && let Some(waiver) = waiver(world, &declared, items, sink)
        {
            world.model.waivers.insert(declared.name, waiver);
        }
    }
}

fn waiver(world: &World, declared: &Declared, items: &[WaiverItem], sink: &mut Sink) -> Option<Waiver> {
    let of = target(world, declared, sink);
    let text = |wanted: fn(&WaiverItem) -> Option<&Text>| {
        items.iter().find_map(wanted).map(|text| text.value.clone())
    };
    let step = items.iter().find_map(|item| match item {
        WaiverItem::Step(path) => Some(path),
        _ => None,
    });
    if let (Some(of), Some(step)) = (of, step) {
        known_step(world, of, step, sink);
    }
    let expires = expires(items, sink);
    let rule = text(|item| if let WaiverItem::Rule(text) = item { Some(text) } else { None });
    let reason = text(|item| if let WaiverItem::Reason(text) = item { Some(text) } else { None });
    let approver = text(|item| if let WaiverItem::Approver(text) = item { Some(text) } else { None });
    let ticket = text(|item| if let WaiverItem::Ticket(text) = item { Some(text) } else { None });
    let binds = items.iter().find_map(|item| match item {
        WaiverItem::Binds(text) => Some((text.value.clone(), text.span)),
        _ => None,
    });
    if !items.iter().any(|item| matches!(item, WaiverItem::Error(_))) {
        let has = |text: &Option<Arc<str>>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
        let said_expires = items.iter().any(|item| matches!(item, WaiverItem::Expires(_)));
        let wanted = [
            ("rule", has(&rule), "rule \"REWARD-001\""),
            ("reason", has(&reason), "reason \"…\", with the legal opinion or decision"),
            ("approver", has(&approver), "approver \"compliance:li.wei\""),
            ("expires", said_expires, "expires 2027-04-30"),
        ];
        for (word, is_there, example) in wanted {
            if !is_there {
                let headline = format!("waiver `{}` has no `{word}`", declared.name);
                sink.report(
                    Diagnostic::new(code::WAIVER, declared.span, headline)
                        .label(format!("`{word}` is missing"))
                        .help(format!("write `{example}`")),
                );
            }
        }
    }
    Some(Waiver {
        name: declared.name,
        label: schema::label(declared.decl),
        of: of?,
        rule: rule?,
        step: step.map(|path| Name::new(&path.text())),
        reason: reason?,
        approver: approver?,
        ticket,
        binds,
        expires: expires?,
        span: declared.span,
    })
}

/// The journey, content or reward that is excused.
fn target(world: &World, declared: &Declared, sink: &mut Sink) -> Option<Name> {
    let Some(path) = &declared.decl.subject else {
        let headline = format!("waiver `{}` does not say what it excuses", declared.name);
        sink.report(
            Diagnostic::new(code::NO_SUBJECT, declared.span, headline)
                .label("`of` is missing")
                .help(format!("write `waiver {} of …` with a journey, content or reward", declared.name)),
        );
        return None;
    };
    let found = world.find_path(sink, declared.file, &path.parts).map(|(found, _)| found);
    if let Some(found) = found.filter(|found| matches!(found.kind, Kind::Content | Kind::Reward)) {
        return Some(found.name);
    }
    world.expect_running(sink, declared.file, path).map(|journey| journey.name)
}

fn known_step(world: &World, of: Name, step: &Path, sink: &mut Sink) {
    let Some(steps) = world.steps.get(&of) else { return };
    let text = step.text();
    if steps.message(&text).is_err() {
        let known = steps.spellings();
        let headline = format!("no step of `{of}` is called `{text}`");
        let finding = Diagnostic::new(code::UNKNOWN_STEP, step.span, headline).label("no such step");
        let among: Vec<&str> = known.iter().map(String::as_str).collect();
        sink.report(finding.suggest(&text, among.clone(), || match among.as_slice() {
            [] => "leave `step` out: this journey sends nothing".to_owned(),
            _ => format!("its messages are `{}`", among.join("`, `")),
        }));
    }
}

fn expires(items: &[WaiverItem], sink: &mut Sink) -> Option<Date> {
    let expr = items.iter().find_map(|item| match item {
        WaiverItem::Expires(expr) => Some(expr),
        _ => None,
    })?;
    match expr.kind {
        ExprKind::Date(date) => return Some(date),
        ExprKind::Error => {}
        _ => sink.report(
            Diagnostic::new(code::WAIVER, expr.span, "a waiver ends on a day of the calendar")
                .label("not a date")
                .help("write it as `2027-04-30`"),
        ),
    }
    None
}
