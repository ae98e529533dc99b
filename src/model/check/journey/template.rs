//! Journeys with parameters, the journeys made from them, and flows: each looked at once by itself.

use super::identity::{self, StepIds};
use super::replies;
use crate::diagnostic::{Diagnostic, Severity, code};
use crate::model::Journey;
use crate::model::check::expr::{Checker, Place};
use crate::model::check::schema;
use crate::model::check::world::{Declared, Kind, Sink, World};
use crate::name::{Name, NumberSet};
use crate::syntax::ast::{self, DeclKind};
use crate::text::Span;

/// Where the text of a journey stands: with itself, or with its template.
pub(in crate::model::check) fn home<'a>(world: &World<'a>, declared: &Declared<'a>) -> Option<Declared<'a>> {
    match &declared.decl.kind {
        DeclKind::Journey(_) => Some(*declared),
        DeclKind::Instance(call) => {
            let name = call.path.parts.last()?.name;
            let home = world.journeys.get(&name)?;
            matches!(home.decl.kind, DeclKind::Journey(_)).then_some(*home)
        }
        _ => None,
    }
}

/// As [`home`], which must be a template where a journey is made from it.
pub(super) fn of<'a>(world: &World<'a>, declared: &Declared<'a>, sink: &mut Sink) -> Option<Declared<'a>> {
    let DeclKind::Instance(call) = &declared.decl.kind else { return home(world, declared) };
    let home = world.expect_path(sink, declared.file, &call.path, Kind::Journey)?;
    if matches!(home.decl.kind, DeclKind::Journey(_)) && !home.decl.params.is_empty() {
        return Some(home);
    }
    let headline = format!("journey `{}` has no parameters, so no other can be made from it", home.name);
    sink.report(
        Diagnostic::new(code::TEMPLATE, call.path.span, headline)
            .label("not a template")
            .also(home.span, "declared here")
            .help("hand over with `start`, or give it parameters: `journey name(zone : zone_kind) …`"),
    );
    None
}

/// Where a template is named and a journey is wanted.
pub(in crate::model::check) fn only_a_template(span: Span, declared: &Declared) -> Diagnostic {
    let headline = format!("`{}` is a template: nobody is in it", declared.name);
    Diagnostic::new(code::TEMPLATE, span, headline)
        .label("has parameters")
        .also(declared.span, "declared here")
        .help(format!("make a journey from it: `journey my_{0} = {0}(…)`", declared.name))
}

/// The identities of a journey's steps.
pub(in crate::model::check) fn steps(world: &World, declared: &Declared, sink: &mut Sink) -> Option<StepIds> {
    if let Some(items) = replies::items(declared) {
        return Some(replies::step_ids(world, declared, items, sink));
    }
    let home = home(world, declared)?;
    let DeclKind::Journey(journey) = &home.decl.kind else { return None };
    if home.name == declared.name {
        return Some(identity::identify(world, home.file, journey, sink));
    }
    // Two steps of one name are told at the template.
    Some(identity::identify(world, home.file, journey, &mut Sink::default()))
}

/// A journey to run; `None` for a template, about which everything has been told then.
pub(in crate::model::check) fn journey(
    world: &World,
    declared: &Declared,
    sink: &mut Sink,
) -> Option<Journey> {
    if let Some(items) = replies::items(declared) {
        return replies::replies(world, declared, items, sink);
    }
    if !matches!(declared.decl.kind, DeclKind::Instance(_)) {
        let checked = super::journey(world, declared, sink);
        return checked.filter(|_| declared.decl.params.is_empty());
    }
    let mut own = Sink::default();
    let checked = super::journey(world, declared, &mut own);
    let mut broken = false;
    if let Some(home) = home(world, declared) {
        let mut at_home = Sink::default();
        super::journey(world, &home, &mut at_home);
        broken = at_home.findings.iter().any(|finding| finding.severity == Severity::Error);
        let known = places(&at_home.findings);
        own.findings.retain(|finding| !known.contains(&(finding.code.as_str(), finding.primary.span)));
    }
    let whole = declared.decl.span;
    let inside = |span: Span| span.file == whole.file && whole.start <= span.start && span.end <= whole.end;
    for finding in own.findings {
        let is_here = inside(finding.primary.span);
        broken |= finding.severity == Severity::Error;
        sink.report(if is_here { finding } else { finding.also(declared.span, "with what is given here") });
    }
    sink.used_too(own.used);
    checked.filter(|_| !broken)
}

fn places(findings: &[Diagnostic]) -> NumberSet<(&'static str, Span)> {
    findings.iter().map(|finding| (finding.code.as_str(), finding.primary.span)).collect()
}

/// Looks at every flow by itself, its parameters standing for anything.
pub(in crate::model::check) fn flows(world: &mut World, sink: &mut Sink) {
    let all: Vec<Declared> = world.order.iter().filter(|one| one.kind == Kind::Flow).copied().collect();
    for declared in &all {
        let DeclKind::Flow { steps, close } = &declared.decl.kind else { continue };
        let whole = ast::Journey { clauses: Vec::new(), steps: steps.clone(), close: *close };
        let mut own = Sink::default();
        let ids = identity::identify(world, declared.file, &whole, &mut own);
        let key = Name::new(&format!("flow {}", declared.name));
        world.steps.insert(key, ids);
        if let Some(subject) = schema::subject(world, declared, &mut own) {
            let mut checker = Checker::new(world, declared.file, Place::Journey, Some(subject));
            checker.messages = Some(key);
            checker.anchored = super::anchored(world, &whole);
            checker.flows.push(declared.name);
            checker.given = checker.open(declared);
            checker.steps(steps);
            own.findings.append(&mut checker.sink.findings);
            own.used_too(std::mem::take(&mut checker.sink.used));
        }
        world.told.insert(declared.name, places(&own.findings));
        sink.about(declared, |sink| {
            sink.findings.append(&mut own.findings);
            sink.used_too(own.used);
        });
    }
}
