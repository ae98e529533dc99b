//! `expect`: what the record of a run must show.

use crate::diagnostic::{Diagnostic, code};
use crate::expr::{Anchor, BinaryOp as Op, Expr, MessageEvent, Pattern, Source};
use crate::model::check::expr::Checker;
use crate::model::check::journey::replies;
use crate::model::check::length;
use crate::model::check::pattern::Messages;
use crate::model::check::world::Reported;
use crate::model::test::{CountOf, Counted, Expectation, Mode, TestKind};
use crate::name::Name;
use crate::syntax::ast::{self, Arg, BinaryOp, DeclKind, ExprKind, Ident, OccurrenceKind, Quantifier};
use crate::text::Span;
use crate::value::{Type, Value};

impl Checker<'_, '_> {
    pub(super) fn expectation(
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

    /// `ended`, `entered`, `waiting`, `showing(x)`, and `not` before them.
    fn plain(&mut self, value: &ast::Expr, negated: bool) -> Option<Expectation> {
        match &value.kind {
            ExprKind::Not(inner) => self.plain(inner, !negated),
            ExprKind::Ended(end) => {
                let end = end.map(|end| self.end_of_journey(end));
                Some(Expectation::Ended { end, negated })
            }
            ExprKind::Call { callee, args } if callee.text() == "showing" => {
                let step = self.shown_step(callee.span, args).unwrap_or_else(|| Name::new("showing"));
                Some(Expectation::Showing { step, negated })
            }
            ExprKind::Path(path) if path.parts.len() == 1 => match path.text().as_str() {
                "entered" => Some(Expectation::Entered { negated }),
                "waiting" => Some(Expectation::Waiting { negated }),
                _ => None,
            },
            _ => None,
        }
    }

    /// The show that `showing(x)` names.
    fn shown_step(&mut self, word: Span, args: &[Arg]) -> Option<Name> {
        let [Arg { value: ast::Expr { kind: ExprKind::Path(path), .. }, .. }] = args else {
            let finding = Diagnostic::new(code::WRONG_ARGUMENTS, word, "`showing` is of one show");
            self.report(
                finding.label("which one?").help("write `showing(x)` with the name of the step that shows"),
            );
            return None;
        };
        let step = self.message_step(path)?;
        self.can_happen(MessageEvent::Shown, step, path.span).then_some(step)
    }

    /// An end state of the journey under test.
    fn end_of_journey(&mut self, end: Ident) -> Name {
        let world = self.world;
        let Some(journey) = self.messages.and_then(|journey| world.journeys.get(&journey)) else {
            return end.name;
        };
        let ends = if let Some(items) = replies::items(journey) {
            replies::ends(world, journey, items)
        } else {
            let home = crate::model::check::journey::template::home(world, journey);
            let Some(DeclKind::Journey(journey)) = home.map(|home| &home.decl.kind) else { return end.name };
            crate::model::check::journey::ends(world, journey)
        };
        if !ends.contains(&end.name) {
            let finding = Diagnostic::new(
                code::UNKNOWN_END,
                end.span,
                format!("the journey never ends `{}`", end.name),
            );
            let all: Vec<&str> = ends.iter().map(|end| end.as_str()).collect();
            let finding =
                finding.label("no such end").suggest(end.name.as_str(), all.iter().copied(), || {
                    format!("its ends are `{}`", all.join("`, `"))
                });
            self.sink.unknown(end.name.as_str(), finding);
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
        let count = self.count_of(what.ok()?, arg.window.as_deref())?;
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
