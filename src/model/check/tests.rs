//! `test` blocks: who is given, what happens, what is expected of the journey under test.

use super::expr::{Checker, Place};
use super::pattern::Messages;
use super::world::{Kind, Reported, Sink, World};
use super::{length, words};
use crate::diagnostic::{Diagnostic, code, suggest};
use crate::expr::{Anchor, BinaryOp as Op, Expr, Pattern, Source};
use crate::model::Literal;
use crate::model::test::{
    By, CountOf, Counted, Expectation, Given, Happening, Mode, Test, TestItem, TestKind,
};
use crate::name::Name;
use crate::syntax::ast::{
    self, Arg, BinaryOp, Call, Decl, DeclKind, ExprKind, GivenField, Ident, OccurrenceKind, Quantifier,
};
use crate::text::{FileId, Span};
use crate::value::{Type, Value};

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
    let journey = world.expect_path(sink, file, path, Kind::Journey)?;
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
    sink.used.extend(checker.sink.used.drain());
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

    fn given(
        &mut self,
        who: &ast::Given,
        filter: Option<&ast::Expr>,
        fields: &[GivenField],
        cast: &mut Vec<Ident>,
    ) -> Option<TestKind> {
        let (entity, who) = match who {
            ast::Given::Any(entity) => (*entity, Given::Any),
            ast::Given::Many(count, entity) => (*entity, Given::Many(*count)),
            ast::Given::One(entity, name) => {
                self.named_once(*name, cast);
                (*entity, Given::One(name.map(|name| name.name)))
            }
        };
        let entity = self.entity_of(entity)?;
        let subject = self.subject.replace(entity);
        let filter = filter.map(|filter| self.condition(filter));
        let mut parent = None;
        let mut literals = Vec::new();
        for field in fields {
            if self.is_parent(entity, field) {
                parent = self.cast_member(&field.value, cast);
            } else {
                literals.extend(self.given_field(entity, field));
            }
        }
        self.subject = subject;
        Some(TestKind::Given { entity, who, filter, fields: literals, parent })
    }

    fn named_once(&mut self, name: Option<Ident>, cast: &mut Vec<Ident>) {
        let Some(name) = name else { return };
        if let Some(first) = cast.iter().find(|known| known.name == name.name).copied() {
            let finding =
                Diagnostic::new(code::DECLARED_TWICE, name.span, format!("`{}` is given twice", name.name));
            self.report(
                finding
                    .label("again here")
                    .also(first.span, "first here")
                    .help("give the second another name"),
            );
        }
        cast.push(name);
    }

    /// `customer`, and for many of them `customers`.
    fn entity_of(&mut self, ident: Ident) -> Option<Name> {
        let text = ident.name.as_str();
        let is_entity = |name: Name| self.world.decls.get(&name).is_some_and(|one| one.kind == Kind::Entity);
        let singular = [
            text.strip_suffix("ies").map(|stem| format!("{stem}y")),
            text.strip_suffix('s').map(str::to_owned),
        ];
        let name = if is_entity(ident.name) {
            ident.name
        } else {
            let known = singular.iter().flatten().map(|word| Name::new(word)).find(|name| is_entity(*name));
            known.unwrap_or(ident.name)
        };
        let declared =
            self.world.expect(&mut self.sink, self.file, Ident { name, span: ident.span }, Kind::Entity)?;
        Some(declared.name)
    }

    fn is_parent(&self, entity: Name, field: &GivenField) -> bool {
        let parent = self.world.entity(entity).and_then(|entity| entity.parent);
        matches!(field.path.parts.as_slice(), [only] if Some(only.name) == parent)
    }

    fn cast_member(&mut self, value: &ast::Expr, cast: &[Ident]) -> Option<Name> {
        let ExprKind::Path(path) = &value.kind else {
            self.not_given(value.span, &words::quote(value), cast);
            return None;
        };
        let known = cast.iter().find(|known| known.name.as_str() == path.text());
        if known.is_none() {
            self.not_given(value.span, &format!("`{}`", path.text()), cast);
        }
        known.map(|known| known.name)
    }

    fn not_given(&mut self, span: Span, quoted: &str, cast: &[Ident]) {
        let finding =
            Diagnostic::new(code::UNKNOWN_NAME, span, format!("nobody in this test is called {quoted}"));
        let names = cast.iter().map(|known| known.name.as_str());
        let help = suggest::did_you_mean(quoted.trim_matches('`'), names);
        self.report(
            finding
                .label("not given")
                .help(help.unwrap_or_else(|| "write `given customer li { … }` above".into())),
        );
    }

    fn given_field(&mut self, entity: Name, field: &GivenField) -> Option<(Name, Literal)> {
        if let Some(window) = &field.window {
            let span = match window {
                ast::Window::Last(dur) => dur.span,
                ast::Window::Span(expr) => expr.span,
                ast::Window::Since(anchor) => anchor.span,
                ast::Window::Ever => field.path.span,
            };
            let finding = Diagnostic::new(code::MISPLACED, span, "a given attribute has one value");
            self.report(
                finding
                    .label("a window")
                    .help("leave the window out, and let it change later: `happen change of …`"),
            );
        }
        let [name] = field.path.parts.as_slice() else {
            let finding = Diagnostic::new(
                code::MISPLACED,
                field.path.span,
                "an attribute of the subject itself is wanted here",
            );
            self.report(
                finding
                    .label("of something else")
                    .help(format!("give the other one a line of its own: `given {} …`", field.path.text())),
            );
            return None;
        };
        let ty = self.given_type(entity, *name)?;
        let expr = self.expect(&field.value, &ty);
        let literal = self.literal_of(&field.value, expr)?;
        Some((name.name, literal))
    }

    /// The type of an attribute that may be given: a stored one, or a tag.
    fn given_type(&mut self, entity: Name, name: Ident) -> Option<Type> {
        let world = self.world;
        let known = world.entity(entity)?;
        if let Some(field) = known.field(name.name) {
            return Some(field.ty.clone());
        }
        if world.find(&mut self.sink, self.file, name.name).is_some_and(|one| one.kind == Kind::Tag) {
            return Some(Type::Bool);
        }
        let finding = Diagnostic::new(
            code::UNKNOWN_FIELD,
            name.span,
            format!("`{entity}` has no attribute `{}`", name.name),
        );
        let help =
            suggest::did_you_mean(name.name.as_str(), known.fields.iter().map(|field| field.name.as_str()));
        let derived =
            world.decls.get(&name.name).is_some_and(|one| matches!(one.kind, Kind::Metric | Kind::Audience));
        let help = if derived {
            format!("`{}` follows from other attributes and from what happened: give those", name.name)
        } else {
            help.unwrap_or_else(|| "name a declared attribute or a tag".into())
        };
        self.report(finding.label("no such attribute").help(help));
        None
    }

    fn literal_of(&mut self, written: &ast::Expr, expr: Expr) -> Option<Literal> {
        match expr {
            // What was wrong has been reported.
            Expr::Const(Value::Missing) => None,
            Expr::Const(value) => Some(value),
            Expr::Neg(inner) => match *inner {
                Expr::Const(Value::Int(value)) => Some(Value::Int(-value)),
                Expr::Const(Value::Decimal(value)) => Some(Value::Decimal(-value)),
                Expr::Const(Value::Percent(value)) => Some(Value::Percent(-value)),
                Expr::Const(Value::Money(mut money)) => {
                    money.minor = money.minor.checked_neg()?;
                    Some(Value::Money(money))
                }
                _ => self.not_fixed(written),
            },
            _ => self.not_fixed(written),
        }
    }

    fn not_fixed(&mut self, written: &ast::Expr) -> Option<Literal> {
        let finding = Diagnostic::new(code::NOT_A_VALUE, written.span, "a given value is written out");
        self.report(
            finding
                .label("must be computed")
                .help("write the value itself, for example `50_000 CNY` or `2026-12-01`"),
        );
        None
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
        let declared = self.world.expect_path(&mut self.sink, self.file, &call.path, Kind::Event)?;
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
        let Source::Change { attribute, .. } = happening.source else { return None };
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

    fn expectation(
        &mut self,
        mode: ast::Expect,
        value: &ast::Expr,
        within: Option<ast::Dur>,
        from: Option<&ast::Anchor>,
    ) -> Option<TestKind> {
        if let Some(from) = from {
            let finding = Diagnostic::new(
                code::MISPLACED,
                from.span,
                "an expectation counts from the beginning of the run",
            );
            self.report(finding.label("another instant").help("leave `from …` out"));
        }
        let mode = match mode {
            ast::Expect::Now => Mode::Now,
            ast::Expect::Always => Mode::Always,
            ast::Expect::Eventually => Mode::Eventually,
        };
        let within = within.map(|within| length::positive(within, &mut self.sink));
        Some(TestKind::Expect { mode, what: self.expected(value)?, within })
    }

    fn expected(&mut self, value: &ast::Expr) -> Option<Expectation> {
        if let Some(plain) = self.plain(value, false) {
            return Some(plain);
        }
        match &value.kind {
            ExprKind::Quantified { quantifier, pattern, window } => {
                let (op, number) = match quantifier {
                    Quantifier::Any => (Op::GreaterEq, 1),
                    Quantifier::No => (Op::Is, 0),
                    Quantifier::Once => (Op::Is, 1),
                };
                match self.counted_pattern(pattern) {
                    Some(what) => {
                        let count = self.count_of(what.ok()?, window.as_ref())?;
                        Some(Expectation::Compare { count, op, value: number })
                    }
                    None => Some(Expectation::Holds(self.condition(value))),
                }
            }
            ExprKind::Binary { op, left, right, .. } => match (comparison(*op), &left.kind) {
                (Some(op), ExprKind::Call { callee, args }) if callee.text() == "count" => {
                    self.compared_count(op, value, args, right)
                }
                _ => Some(Expectation::Holds(self.condition(value))),
            },
            _ => Some(Expectation::Holds(self.condition(value))),
        }
    }

    /// `ended`, `entered`, `waiting`, and `not` before them.
    fn plain(&mut self, value: &ast::Expr, negated: bool) -> Option<Expectation> {
        match &value.kind {
            ExprKind::Not(inner) => self.plain(inner, !negated),
            ExprKind::Ended(end) => {
                let end = end.map(|end| self.end_of_journey(end));
                Some(Expectation::Ended { end, negated })
            }
            ExprKind::Path(path) if path.parts.len() == 1 => match path.text().as_str() {
                "entered" => Some(Expectation::Entered { negated }),
                "waiting" => Some(Expectation::Waiting { negated }),
                _ => None,
            },
            _ => None,
        }
    }

    /// An end state of the journey under test.
    fn end_of_journey(&mut self, end: Ident) -> Name {
        let world = self.world;
        let Some(journey) = self.messages.and_then(|journey| world.journeys.get(&journey)) else {
            return end.name;
        };
        let DeclKind::Journey(journey) = &journey.decl.kind else { return end.name };
        let ends = super::journey::ends(journey);
        if !ends.contains(&end.name) {
            let finding = Diagnostic::new(
                code::UNKNOWN_END,
                end.span,
                format!("the journey never ends `{}`", end.name),
            );
            let help = suggest::did_you_mean(end.name.as_str(), ends.iter().map(|end| end.as_str()));
            let all: Vec<&str> = ends.iter().map(|end| end.as_str()).collect();
            self.report(
                finding
                    .label("no such end")
                    .help(help.unwrap_or_else(|| format!("its ends are `{}`", all.join("`, `")))),
            );
        }
        end.name
    }

    /// What is counted; `None` if it is nothing of the run's record.
    fn counted_pattern(&mut self, pattern: &ast::Pattern) -> Option<Result<Counted, Reported>> {
        if let OccurrenceKind::Expr(expr) = &pattern.occurrence.kind
            && let Some(counted) = self.counted_state(expr)
        {
            return Some(Ok(counted));
        }
        let happening = self.occurs(&pattern.occurrence, Messages::Any)?;
        let Ok(happening) = happening else { return Some(Err(Reported)) };
        let is_message = matches!(happening.source, Source::Message { .. });
        let (checked, _) = self.pattern(pattern, happening);
        if is_message && checked.filter.is_none() {
            return Some(Ok(Counted::Message(checked.source)));
        }
        Some(Ok(Counted::Event(checked)))
    }

    fn counted_state(&mut self, expr: &ast::Expr) -> Option<Counted> {
        match &expr.kind {
            ExprKind::Ended(end) => Some(Counted::Ended(end.map(|end| self.end_of_journey(end)))),
            ExprKind::Path(path) if path.text() == "entered" => Some(Counted::Entered),
            _ => None,
        }
    }

    fn compared_count(
        &mut self,
        op: Op,
        whole: &ast::Expr,
        args: &[Arg],
        right: &ast::Expr,
    ) -> Option<Expectation> {
        let [arg] = args else { return Some(Expectation::Holds(self.condition(whole))) };
        let occurrence = ast::Occurrence {
            first: false,
            kind: OccurrenceKind::Expr(arg.value.clone()),
            span: arg.value.span,
        };
        let pattern = ast::Pattern {
            occurrence,
            alias: None,
            filter: arg.filter.clone(),
            without: None,
            span: arg.value.span,
        };
        let Some(what) = self.counted_pattern(&pattern) else {
            return Some(Expectation::Holds(self.condition(whole)));
        };
        let count = self.count_of(what.ok()?, arg.window.as_ref())?;
        let number = self.expect(right, &Type::Int);
        match number {
            Expr::Const(Value::Int(number)) => {
                Some(Expectation::Compare { count, op, value: u32::try_from(number).unwrap_or(u32::MAX) })
            }
            Expr::Const(_) => None,
            _ => {
                self.not_fixed(right);
                None
            }
        }
    }

    fn count_of(&mut self, what: Counted, window: Option<&ast::Window>) -> Option<CountOf> {
        let mut count = CountOf { what, during: None, since: None, from: None };
        match window {
            None | Some(ast::Window::Ever) => {}
            Some(ast::Window::Last(dur)) => count.during = Some(length::positive(*dur, &mut self.sink)),
            Some(ast::Window::Span(span)) => {
                let finding = Diagnostic::new(
                    code::WINDOW,
                    span.span,
                    "an expectation counts over the run, or over the last days of it",
                );
                self.report(
                    finding
                        .label("a calendar span")
                        .help("write `during last 7 days`, `since` an event, or nothing"),
                );
                return None;
            }
            Some(ast::Window::Since(anchor)) => match self.since_event(anchor)? {
                Since::Event(pattern) => count.since = Some(pattern),
                Since::Instant(anchor) => count.from = Some(anchor),
            },
        }
        Some(count)
    }

    fn since_event(&mut self, anchor: &ast::Anchor) -> Option<Since> {
        if let Some(found) = self.occurs(anchor, Messages::Any) {
            let happening = found.ok()?;
            return Some(Since::Event(Pattern {
                source: happening.source,
                first: anchor.first,
                filter: happening.filter,
            }));
        }
        if let OccurrenceKind::Expr(expr) = &anchor.kind
            && matches!(&expr.kind, ExprKind::Path(path) if path.text() == "entered")
        {
            return Some(Since::Instant(Anchor::Entered));
        }
        let OccurrenceKind::Expr(expr) = &anchor.kind else { return None };
        if self.is_unknown_occurrence(expr) {
            return None;
        }
        self.instant(expr).map(|at| Since::Instant(Anchor::At(at)))
    }
}

enum Since {
    Event(Pattern),
    Instant(Anchor),
}

fn comparison(op: BinaryOp) -> Option<Op> {
    Some(match op {
        BinaryOp::Is => Op::Is,
        BinaryOp::IsNot => Op::IsNot,
        BinaryOp::Less => Op::Less,
        BinaryOp::LessEq => Op::LessEq,
        BinaryOp::Greater => Op::Greater,
        BinaryOp::GreaterEq => Op::GreaterEq,
        _ => return None,
    })
}
