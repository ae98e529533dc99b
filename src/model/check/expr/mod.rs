//! Expressions: from the tree to [`Expr`], with every name resolved and every type agreed on.
//!
//! Reading order: [`Checker`] (who asks, what is in sight, what has been proved), `fit` (what may stand where),
//! `names`, `reference` and `unknown` (paths, other roots, and what is said of unknown ones), `literal`, `compare` and
//! `arith` (operators), `time` (dates, clock times, spans), `collection` (aggregates and `any`/`no`/`once`),
//! `daily` (aggregates over days), `held` (what stages were at best), `call` (functions), `flow` (what a condition proves). A mistake is told once; what hangs on it has
//! [`Type::Error`] and stays quiet.

mod arith;
mod call;
pub(super) mod collection;
mod compare;
mod daily;
mod fit;
pub(super) mod flow;
pub(super) mod give;
mod held;
mod literal;
pub(super) mod names;
mod reference;
pub(super) mod shape;
mod time;
mod unknown;

use std::collections::BTreeSet;

pub(super) use fit::assignable;
pub(super) use shape::Shape;

use super::journey::identity::Scope;
use super::pattern::Happening;
use super::words;
use super::world::{Sink, World};
use crate::diagnostic::{Diagnostic, Fix, code};
use crate::expr::{Aggregate, Expr};
use crate::model::Uses;
use crate::name::Name;
use crate::syntax::ast::{self, BinaryOp, ExprKind};
use crate::text::{FileId, Span};
use crate::value::{Type, Value};

/// A checked expression and its type.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    pub(super) expr: Expr,
    pub(super) ty: Type,
}

impl Typed {
    pub(super) fn new(expr: Expr, ty: Type) -> Self {
        Self { expr, ty }
    }

    /// What stands for something that has been reported.
    pub(super) fn error() -> Self {
        Self { expr: Expr::Const(Value::Missing), ty: Type::Error }
    }
}

/// Where an expression stands: what it may look at beyond attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A derived field of an entity: its other fields only.
    Field,
    Derived,
    /// A row of a `table`: its parameters only.
    Table,
    /// Copy of a content: no history.
    Content,
    Journey,
    Test,
}

/// A named value of an instance: by `remember`, or an event by `as`.
#[derive(Clone, Debug)]
pub(super) struct Local {
    pub(super) name: Name,
    pub(super) ty: Type,
    /// For events: their fields.
    pub(super) shape: Option<Shape>,
    pub(super) span: Span,
}

/// A parameter of a flow or template, and what it stands for.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) name: Name,
    pub(super) ty: Type,
    pub(super) what: What,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    /// A value, a content, a reward, an audience.
    Value(Typed),
    Event(Happening),
    /// Wrong, and reported.
    Nothing,
}

/// The record that a `where` tests: its names and fields.
#[derive(Clone, Debug)]
pub(super) struct Element {
    /// The event's own name and its `as`.
    pub(super) names: Vec<Name>,
    pub(super) shape: Shape,
}

/// Whose steps are looked at. Those of an exit and of an answer cannot wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    Steps,
    Exit,
    /// Of a rule of `replies`.
    Answer,
}

/// Checks the expressions of one owner: a field, a metric, a content, a journey or a test.
pub(super) struct Checker<'w, 'a> {
    pub(super) world: &'w World<'a>,
    pub(super) sink: Sink,
    pub(super) file: FileId,
    pub(super) place: Place,
    pub(super) subject: Option<Name>,
    pub(super) params: Vec<(Name, Type)>,
    pub(super) locals: Vec<Local>,
    /// Slots that every path to here has set.
    pub(super) assigned: BTreeSet<u16>,
    /// What entered the instance, for `event`.
    pub(super) entry: Option<Shape>,
    pub(super) elements: Vec<Element>,
    /// Optional values that are known to be there.
    pub(super) facts: Vec<Expr>,
    pub(super) uses: Uses,
    /// The journey whose messages may be named: its own, or the one under test.
    pub(super) messages: Option<Name>,
    /// Events that happened on every path to here: the entry, or a slot.
    pub(super) occurred: Vec<(Name, crate::expr::Anchor)>,
    /// Behind an `end`.
    pub(super) ended: bool,
    /// Facts that stay while time passes: those the entry itself rests on.
    pub(super) lasting: Vec<Expr>,
    /// Events whose occurrence is an anchor somewhere in the journey, so that it must be kept.
    pub(super) anchored: BTreeSet<Name>,
    pub(super) block: Block,
    /// What the parameters of a flow or template stand for.
    pub(super) given: Vec<Given>,
    /// The use of a flow that is looked at; 0: the journey's own text.
    pub(super) scope: Scope,
    /// Of a content: its parts under experiment.
    pub(super) parts: Vec<(Name, crate::program::Part, super::segments::Extent)>,
    /// The flows around.
    pub(super) flows: Vec<Name>,
    /// The least and most of whole-number parameters.
    pub(super) param_bounds: Vec<(Name, (i64, i64))>,
    /// Slots of the numbers of the `repeat`s around.
    pub(super) rounds: Vec<u16>,
    /// Of a journey entered so long *after* a recurring date: that date, which lies before the entry.
    pub(super) passed: Option<Expr>,
    /// In a test: the names of those who were given so far.
    pub(super) cast: Vec<Name>,
    /// The journey's own budget.
    pub(super) budget: Option<Name>,
    /// Whom `to` names: its kind, and whether copy may use what is known of it.
    pub(super) addressed: Option<(Name, bool)>,
    /// In a `grant … to`: what is given need not belong to the subject.
    pub(super) to_others: bool,
    /// In the `where` of `start … each`: whose journey starts them, and what is known to be there of it.
    pub(super) caller: Option<(Name, Vec<Expr>)>,
    /// Steps that belong in front of the one that is looked at.
    pub(super) before: Vec<crate::model::journey::Step>,
}

impl<'w, 'a> Checker<'w, 'a> {
    pub(super) fn new(world: &'w World<'a>, file: FileId, place: Place, subject: Option<Name>) -> Self {
        Self {
            world,
            sink: Sink { lost: world.lost.clone(), ..Sink::default() },
            file,
            place,
            subject,
            params: Vec::new(),
            locals: Vec::new(),
            assigned: BTreeSet::new(),
            entry: None,
            elements: Vec::new(),
            facts: Vec::new(),
            uses: Uses::default(),
            messages: None,
            occurred: Vec::new(),
            ended: false,
            lasting: Vec::new(),
            anchored: BTreeSet::new(),
            block: Block::Steps,
            rounds: Vec::new(),
            given: Vec::new(),
            scope: 0,
            parts: Vec::new(),
            flows: Vec::new(),
            param_bounds: Vec::new(),
            passed: None,
            cast: Vec::new(),
            budget: None,
            addressed: None,
            to_others: false,
            caller: None,
            before: Vec::new(),
        }
    }

    pub(super) fn report(&mut self, finding: Diagnostic) {
        self.sink.report(finding);
    }

    /// Checks `expr`; `want` gives bare case names a meaning and is not itself enforced.
    pub(super) fn expr(&mut self, expr: &ast::Expr, want: Option<&Type>) -> Typed {
        match &expr.kind {
            ExprKind::Error => Typed::error(),
            ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Decimal(_)
            | ExprKind::Percent(_)
            | ExprKind::Money(..)
            | ExprKind::Text(_)
            | ExprKind::Date(_)
            | ExprKind::Time(_)
            | ExprKind::Dur(_) => self.literal(expr, want),
            ExprKind::Path(path) => self.path(path, want),
            ExprKind::Field { base, field } => self.field_of(base, *field),
            ExprKind::Call { callee, args } => self.call(expr, callee, args, want),
            ExprKind::List(items) => self.list(expr.span, items, want),
            ExprKind::Not(inner) => self.not(inner),
            ExprKind::Neg(inner) => self.negated(inner),
            ExprKind::Binary { op, op_span, left, right } => self.binary(*op, *op_span, left, right, want),
            ExprKind::Known { value, known } => self.known(value, *known),
            ExprKind::Otherwise { value, fallback } => self.otherwise(value, fallback, want),
            ExprKind::Quantified { quantifier, pattern, window } => {
                self.quantified(expr.span, *quantifier, pattern, window.as_ref())
            }
            ExprKind::Span { which, unit } => self.calendar_span(*which, *unit),
            ExprKind::SpanOf { unit, of } => self.calendar_span_of(*unit, of),
            ExprKind::InUnit(path) => self.in_unit(path),
            ExprKind::Windowed { .. } => self.not_here(
                expr.span,
                "a window belongs to a collection: write it inside `count(…)` or behind `any …`",
            ),
            ExprKind::Ended(_) => {
                self.not_here(expr.span, "`ended` is said in tests only, directly behind `expect`")
            }
        }
    }

    fn not_here(&mut self, span: Span, help: &str) -> Typed {
        let finding = Diagnostic::new(code::MISPLACED, span, "this cannot stand here");
        self.report(finding.label("not a condition or value").help(help));
        Typed::error()
    }

    fn not(&mut self, inner: &ast::Expr) -> Typed {
        let value = self.condition(inner);
        Typed::new(Expr::Not(Box::new(value)), Type::Bool)
    }

    fn known(&mut self, value: &ast::Expr, known: bool) -> Typed {
        let typed = self.expr(value, None);
        Typed::new(Expr::Known(Box::new(typed.expr), known), Type::Bool)
    }

    fn otherwise(&mut self, value: &ast::Expr, fallback: &ast::Expr, want: Option<&Type>) -> Typed {
        let first = self.expr(value, want);
        let hint = if first.ty == Type::Error { want.cloned() } else { Some(first.ty.known().clone()) };
        let second = self.expr(fallback, hint.as_ref());
        if first.ty == Type::Error {
            // Not the fallback: what is said of a condition that holds it would be said of a mistake told already.
            return Typed::new(first.expr, Type::Error);
        }
        let ty = match (first.ty.known(), second.ty.known()) {
            // Of two texts the longer.
            (Type::ShortText(one), Type::ShortText(other)) => Type::ShortText(*one.max(other)),
            (Type::ShortText(_), Type::Text) => Type::Text,
            (ty, _) => ty.clone(),
        };
        let optional = second.ty.is_optional();
        let fallback_expr = self.coerce(fallback, Typed { ty: second.ty.known().clone(), ..second }, &ty);
        if !first.ty.is_optional() {
            self.report(
                Diagnostic::new(
                    code::NEVER_MISSING,
                    fallback.span,
                    format!("{} is never missing", words::quote(value)),
                )
                .label("this is never used")
                .help("leave `otherwise …` out")
                .with_fix(Fix::safe("leave it out").remove(Span { start: value.span.end, ..fallback.span })),
            );
        }
        let expr = Expr::Otherwise(Box::new(first.expr), Box::new(fallback_expr));
        Typed::new(expr, if optional { ty.optional() } else { ty })
    }

    fn binary(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        left: &ast::Expr,
        right: &ast::Expr,
        want: Option<&Type>,
    ) -> Typed {
        match op {
            BinaryOp::And | BinaryOp::Or => self.logic(op, left, right),
            BinaryOp::Is | BinaryOp::IsNot => self.equality(op, op_span, left, right),
            BinaryOp::Less | BinaryOp::LessEq | BinaryOp::Greater | BinaryOp::GreaterEq => {
                self.order(op, op_span, left, right)
            }
            BinaryOp::In => self.contained(op_span, left, right),
            BinaryOp::Has => self.has(op_span, left, right),
            BinaryOp::Range => self.range(op_span, left, right, want),
            BinaryOp::At => self.at(left, right),
            BinaryOp::Before | BinaryOp::After => self.shift(op == BinaryOp::Before, left, right),
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div => {
                self.arithmetic(op, op_span, left, right, want)
            }
        }
    }

    /// `and` and `or`: the right side is only looked at when the left has proved something.
    fn logic(&mut self, op: BinaryOp, left: &ast::Expr, right: &ast::Expr) -> Typed {
        let first = self.condition(left);
        let before = self.facts.len();
        let proved = if op == BinaryOp::And { flow::when_true(&first) } else { flow::when_false(&first) };
        self.facts.extend(proved);
        let second = self.condition(right);
        self.facts.truncate(before);
        let op = if op == BinaryOp::And { crate::expr::BinaryOp::And } else { crate::expr::BinaryOp::Or };
        Typed::new(Expr::Binary(op, Box::new(first), Box::new(second)), Type::Bool)
    }

    /// The number of a history condition; equal ones share it.
    pub(super) fn feature(&mut self, aggregate: Aggregate) -> Expr {
        let at = self.uses.features.iter().position(|known| *known == aggregate).unwrap_or_else(|| {
            self.uses.features.push(aggregate);
            self.uses.features.len() - 1
        });
        Expr::History(u16::try_from(at).unwrap_or(u16::MAX))
    }
}
