//! `test` blocks: who is given, what happens, what is expected of the journey under test.

mod expect;
mod given;

use super::expr::{Checker, Place};
use super::world::{Kind, Sink, World};
use super::{length, words};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::{Expr, Source};
use crate::model::test::{By, Happening, Test, TestItem, TestKind};
use crate::name::Name;
use crate::syntax::ast::{self, Arg, Call, Decl, DeclKind, ExprKind, Ident};
use crate::text::FileId;
use crate::value::Type;

/// The checked test; `None` where its journey is not known.
pub(super) fn test(world: &World, file: FileId, decl: &Decl, sink: &mut Sink) -> Option<Test> {
    let DeclKind::Test(items) = &decl.kind else { return None };
    let Some(path) = &decl.subject else {
        sink.report(
            Diagnostic::new(code::NO_SUBJECT, decl.word.span, "this test does not say of which journey")
                .label("`of` is missing")
                .help("write `test \"…\" of first_loan { … }`"),
        );
        return None;
    };
    let journey = world.expect_running(sink, file, path)?;
    if !journey.decl.params.is_empty() {
        sink.report(super::journey::template::only_a_template(path.span, &journey));
        return None;
    }
    let subject = world.signatures.get(&journey.name)?.subject;
    let mut checker = Checker::new(world, file, Place::Test, Some(subject));
    checker.messages = Some(journey.name);
    let mut cast: Vec<Ident> = Vec::new();
    let items = items.iter().filter_map(|item| {
        let kind = checker.item(&item.kind, &mut cast)?;
        Some(TestItem { kind, span: item.span })
    });
    let items = items.collect();
    sink.findings.append(&mut checker.sink.findings);
    sink.used_too(std::mem::take(&mut checker.sink.used));
    Some(Test {
        title: decl.label.as_ref().map_or_else(|| "test".into(), |label| label.value.clone()),
        journey: journey.name,
        items,
        uses: checker.uses,
        span: decl.span,
    })
}

impl Checker<'_, '_> {
    fn item(&mut self, kind: &ast::TestKind, cast: &mut Vec<Ident>) -> Option<TestKind> {
        Some(match kind {
            ast::TestKind::Error => return None,
            ast::TestKind::Given { who, filter, fields } => self.given(who, filter.as_ref(), fields, cast)?,
            ast::TestKind::Clock(at) => TestKind::Clock(self.instant(at)?),
            ast::TestKind::Advance(dur) => TestKind::Advance(length::positive(*dur, &mut self.sink)),
            ast::TestKind::AdvanceTo(at) => TestKind::AdvanceTo(self.instant(at)?),
            ast::TestKind::Happen { change, event, by, at } => {
                let event = self.happens(*change, event);
                let by = by.map(|by| self.by(by, cast));
                let at = match at {
                    Some(at) => Some(self.instant(at)?),
                    None => None,
                };
                TestKind::Happen { event: event?, by, at }
            }
            ast::TestKind::Outage { channel, dur } => {
                let length = length::positive(*dur, &mut self.sink);
                let channel = self.world.expect(&mut self.sink, self.file, *channel, Kind::Channel)?;
                TestKind::Outage { channel: channel.name, length }
            }
            ast::TestKind::Expect { mode, value, within, from } => {
                self.expectation(*mode, value, *within, from.as_ref())?
            }
        })
    }

    /// A date or moment.
    fn instant(&mut self, written: &ast::Expr) -> Option<Expr> {
        let typed = self.expr(written, None);
        let typed = self.present(written, typed);
        match typed.ty {
            Type::Moment | Type::Date => Some(typed.expr),
            Type::Error => None,
            other => {
                let headline =
                    format!("{} is {}, not a point in time", words::quote(written), words::of_type(&other));
                let finding =
                    Diagnostic::new(code::NOT_A_DATE, written.span, headline).label(other.to_string());
                self.report(finding.help("write `2026-12-01 at 10:00`, or `2 days after now`"));
                None
            }
        }
    }

    fn by(&mut self, by: Ident, cast: &[Ident]) -> By {
        if by.name.as_str() == "all" {
            return By::All;
        }
        if !cast.iter().any(|known| known.name == by.name) {
            self.not_given(by.span, &format!("`{}`", by.name), cast);
        }
        By::One(by.name)
    }

    fn happens(&mut self, change: Option<Ident>, call: &Call) -> Option<Happening> {
        if let Some(verb) = change {
            return self.changes(verb, call);
        }
        let first = *call.path.parts.first()?;
        if let Some(kind) = super::pattern::message_event(first.name) {
            let named = ast::Expr {
                kind: ExprKind::Call { callee: call.path.clone(), args: call.args.clone() },
                span: call.span,
            };
            let source = match self.happening(&named, None)?.ok()? {
                super::pattern::Happening { source: source @ Source::Message { .. }, .. } => source,
                _ => Source::Message { kind, step: None },
            };
            return Some(Happening::Message { source });
        }
        if let Some(event) = self.referral_event(&call.path) {
            let fields = self.event_fields(event, call);
            return Some(Happening::Event { event, fields });
        }
        let declared = match self.world.find_path(&mut self.sink, self.file, &call.path.parts) {
            Some((task, taken)) if task.kind == Kind::Task && taken == call.path.parts.len() => task,
            _ => self.world.expect_path(&mut self.sink, self.file, &call.path, Kind::Event)?,
        };
        let fields = self.event_fields(declared.name, call);
        Some(Happening::Event { event: declared.name, fields })
    }

    fn event_fields(&mut self, event: Name, call: &Call) -> Vec<(Name, Expr)> {
        let world = self.world;
        let Some(known) = world.model.events.get(&event) else { return Vec::new() };
        let mut fields: Vec<(Name, Expr)> = Vec::new();
        let mut positions = known.fields.iter();
        for arg in &call.args {
            let field = match arg.name {
                Some(name) => {
                    let field = known.field(name.name);
                    if field.is_none() {
                        self.element_field(&super::expr::Shape::Event(event), name);
                    }
                    field
                }
                None => positions.next(),
            };
            let Some(field) = field else { continue };
            let value = self.expect(&arg.value, &field.ty);
            fields.push((field.name, value));
        }
        let given = |name: Name| fields.iter().any(|(field, _)| *field == name);
        let missing: Vec<&str> = known
            .fields
            .iter()
            .filter(|_| !world.model.tasks.contains_key(&event))
            .filter(|field| !field.ty.is_optional() && field.value.is_none() && !given(field.name))
            .map(|field| field.name.as_str())
            .collect();
        let named_wrong =
            call.args.iter().any(|arg| arg.name.is_some_and(|name| known.field(name.name).is_none()));
        if !missing.is_empty() && !named_wrong {
            let headline = format!("`{event}` comes with `{}`", missing.join("`, `"));
            let finding =
                Diagnostic::new(code::WRONG_ARGUMENTS, call.span, headline).label("something is missing");
            self.report(finding.help(format!("write `{event}({} = …)`", missing.join(" = …, "))));
        }
        fields
    }

    /// `change of loan_limit(new = 5 CNY)`
    fn changes(&mut self, verb: Ident, call: &Call) -> Option<Happening> {
        let happening = self.change(verb, &call.path)?;
        if let Source::Close(attribute) = happening.source {
            return self.closes(attribute, call);
        }
        let Source::Change { attribute, .. } = happening.source else { return None };
        if self.world.decls.get(&attribute).is_some_and(|one| super::derived::is_derived(one.kind)) {
            let headline = format!("`{attribute}` follows from other things and is never sent");
            let finding =
                Diagnostic::new(code::MISPLACED, call.span, headline).label("cannot be made to happen");
            self.report(finding.help("let what it follows from change, or happen"));
            return None;
        }
        let new: Vec<&Arg> =
            call.args.iter().filter(|arg| arg.name.is_none_or(|name| name.name.as_str() == "new")).collect();
        let [arg] = new.as_slice() else {
            let finding =
                Diagnostic::new(code::WRONG_ARGUMENTS, call.span, "to which value it changes is not said");
            self.report(finding.label("no `new`").help(format!("write `change of {attribute}(new = …)`")));
            return None;
        };
        let super::expr::Shape::Change { ty, .. } = happening.shape else { return None };
        let new = self.expect(&arg.value, &ty);
        Some(Happening::Change { attribute, new })
    }

    /// `close of aum(period = month of 2027-03-31)`
    fn closes(&mut self, attribute: Name, call: &Call) -> Option<Happening> {
        let is_period = |arg: &&Arg| arg.name.is_none_or(|name| name.name.as_str() == "period");
        let [arg] = call.args.as_slice() else {
            let headline = format!("which period of `{attribute}` closes is not said");
            let finding = Diagnostic::new(code::WRONG_ARGUMENTS, call.span, headline).label("no `period`");
            let help = format!("write `close of {attribute}(period = month of 2027-03-31)`");
            self.report(finding.help(help));
            return None;
        };
        if !is_period(&arg) {
            let shape = super::expr::Shape::Close(attribute);
            arg.name.map(|name| self.element_field(&shape, name));
            return None;
        }
        let period = self.expect(&arg.value, &Type::Range(Box::new(Type::Date)));
        Some(Happening::Close { attribute, period })
    }
}
