//! Expressions: from the tree to [`Expr`], with every name resolved and every type agreed on.
//!
//! Reading order: [`Checker`] (who asks, what is in sight, what has been proved), `names` (paths), `compare` and
//! `arith` (operators), `time` (dates, clock times, spans), `collection` (aggregates and `any`/`no`/`once`),
//! `call` (functions), `flow` (what a condition proves). A mistake is told once; what hangs on it has
//! [`Type::Error`] and stays quiet.

mod arith;
mod call;
pub(super) mod collection;
mod compare;
pub(super) mod flow;
pub(super) mod names;
pub(super) mod shape;
mod time;

use std::collections::BTreeSet;

use rust_decimal::Decimal;

pub(super) use shape::Shape;

use super::world::{Sink, World};
use super::{length, words};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::{Aggregate, Expr};
use crate::model::Uses;
use crate::name::Name;
use crate::syntax::ast::{self, BinaryOp, ExprKind};
use crate::text::{FileId, Span};
use crate::value::{Currency, Money, Type, Value};

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

/// The record that a `where` tests: its names and fields.
#[derive(Clone, Debug)]
pub(super) struct Element {
    /// The event's own name and its `as`.
    pub(super) names: Vec<Name>,
    pub(super) shape: Shape,
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
    /// In the block of an `exit`, which cannot wait.
    pub(super) in_exit: bool,
}

impl<'w, 'a> Checker<'w, 'a> {
    pub(super) fn new(world: &'w World<'a>, file: FileId, place: Place, subject: Option<Name>) -> Self {
        Self {
            world,
            sink: Sink::default(),
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
            in_exit: false,
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
            ExprKind::InUnit(path) => self.not_here(path.span, "organisation units are not declared yet"),
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

    /// Checks `expr` as a value of `want`; `what` names the place in messages: "the amount".
    pub(super) fn expect(&mut self, expr: &ast::Expr, want: &Type) -> Expr {
        let typed = self.expr(expr, Some(want));
        self.coerce(expr, typed, want)
    }

    /// The value if it may stand where `want` is wanted, else a finding.
    pub(super) fn coerce(&mut self, written: &ast::Expr, typed: Typed, want: &Type) -> Expr {
        if assignable(&typed.ty, want) {
            return typed.expr;
        }
        if assignable(typed.ty.known(), want) {
            self.may_be_missing(written, &typed.ty);
        } else {
            self.mismatch(written, &typed.ty, want);
        }
        Expr::Const(Value::Missing)
    }

    fn mismatch(&mut self, written: &ast::Expr, found: &Type, want: &Type) {
        let want = want.known();
        if *want == Type::Bool {
            return self.not_a_condition(written, found);
        }
        let headline = format!(
            "{} is {}, but {} is wanted here",
            words::quote(written),
            words::of_type(found),
            words::of_type(want)
        );
        let mut finding = Diagnostic::new(code::TYPE_MISMATCH, written.span, headline)
            .label(format!("{found}, not {want}"));
        for help in compare::hints(written, found, want) {
            finding = finding.help(help);
        }
        if finding.help.is_empty() {
            finding = finding.help(format!("write {} instead", words::of_type(want)));
        }
        self.report(finding);
    }

    fn not_a_condition(&mut self, written: &ast::Expr, found: &Type) {
        let headline = format!("{} is {}, not a condition", words::quote(written), words::of_type(found));
        let text = words::short(written).unwrap_or_else(|| "…".into());
        let help = match found.known() {
            Type::List(_) | Type::Range(_) => format!("ask what is in it: `{text} has …`"),
            Type::Int | Type::Decimal | Type::Percent | Type::Money(_) => {
                format!("compare it: `{text} > {}`", fallback_for(found.known()))
            }
            _ => format!("compare it: `{text} is …`"),
        };
        self.report(
            Diagnostic::new(code::TYPE_MISMATCH, written.span, headline)
                .label("neither true nor false")
                .help(help),
        );
    }

    /// A condition: yes or no.
    pub(super) fn condition(&mut self, expr: &ast::Expr) -> Expr {
        self.expect(expr, &Type::Bool)
    }

    /// The value without its `?`: proved, or a finding.
    pub(super) fn present(&mut self, written: &ast::Expr, typed: Typed) -> Typed {
        if !typed.ty.is_optional() {
            return typed;
        }
        self.may_be_missing(written, &typed.ty);
        Typed::error()
    }

    fn may_be_missing(&mut self, written: &ast::Expr, ty: &Type) {
        let name = words::short(written).unwrap_or_else(|| "…".into());
        let fallback = fallback_for(ty.known());
        let headline = format!("{} may be missing", words::quote(written));
        self.report(
            Diagnostic::new(code::MAY_BE_MISSING, written.span, headline)
                .label("there may be no value here")
                .help(format!("say what counts then: `({name} otherwise {fallback})`"))
                .help(format!("or ask first: `{name} is known and …`")),
        );
    }

    fn literal(&mut self, expr: &ast::Expr, want: Option<&Type>) -> Typed {
        let (value, ty) = match &expr.kind {
            ExprKind::Bool(value) => (Value::Bool(*value), Type::Bool),
            ExprKind::Int(value) if want.map(Type::known) == Some(&Type::Decimal) => {
                (Value::Decimal(Decimal::from(*value)), Type::Decimal)
            }
            ExprKind::Int(value) => (Value::Int(*value), Type::Int),
            ExprKind::Decimal(value) => (Value::Decimal(*value), Type::Decimal),
            ExprKind::Percent(value) => {
                let fraction = value.checked_div(Decimal::ONE_HUNDRED).unwrap_or_default();
                (Value::Percent(fraction), Type::Percent)
            }
            ExprKind::Money(amount, currency) => return self.money(expr.span, *amount, *currency),
            ExprKind::Text(text) if want.map(Type::known) == Some(&Type::Id) => {
                (Value::Text(text.clone()), Type::Id)
            }
            ExprKind::Text(text) => (Value::Text(text.clone()), Type::Text),
            ExprKind::Date(date) => (Value::Date(*date), Type::Date),
            ExprKind::Time(time) => (Value::Time(*time), Type::Time),
            ExprKind::Dur(dur) => {
                let elapsed = matches!(dur, ast::DurKind::Elapsed(_));
                (Value::Length(length::of(*dur)), if elapsed { Type::Duration } else { Type::Period })
            }
            _ => return Typed::error(),
        };
        Typed::new(Expr::Const(value), ty)
    }

    fn money(&mut self, span: Span, amount: Decimal, currency: Name) -> Typed {
        let Some(currency) = Currency::parse(currency.as_str()) else { return Typed::error() };
        let Some(money) = Money::from_major(amount, currency) else {
            let headline = format!("`{amount} {currency}` has more digits than the currency");
            let finding = Diagnostic::new(code::MONEY_DIGITS, span, headline)
                .label(format!("{currency} has {} behind the point", currency.digits()))
                .help("round the amount");
            self.report(finding);
            return Typed::error();
        };
        Typed::new(Expr::Const(Value::Money(money)), Type::Money(currency))
    }

    fn list(&mut self, span: Span, items: &[ast::Expr], want: Option<&Type>) -> Typed {
        let wanted = match want.map(Type::known) {
            Some(Type::List(inner)) => Some((**inner).clone()),
            _ => None,
        };
        let mut values = Vec::with_capacity(items.len());
        let mut element: Option<Type> = wanted;
        for item in items {
            if let Some(ty) = &element {
                values.push(self.expect(item, ty));
            } else {
                let typed = self.expr(item, None);
                let typed = self.present(item, typed);
                element = Some(typed.ty);
                values.push(typed.expr);
            }
        }
        let Some(element) = element else {
            let finding = Diagnostic::new(code::TYPE_MISMATCH, span, "an empty list is of no type");
            self.report(finding.label("nothing in it").help("write its values: `[push, sms]`"));
            return Typed::error();
        };
        Typed::new(constant_list(values), Type::List(Box::new(element)))
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
            return Typed::new(second.expr, second.ty);
        }
        let ty = first.ty.known().clone();
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
                .help("leave `otherwise …` out"),
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

/// A list of constants is a constant.
fn constant_list(values: Vec<Expr>) -> Expr {
    let constants: Option<Vec<Value>> = values
        .iter()
        .map(|value| match value {
            Expr::Const(value) => Some(value.clone()),
            _ => None,
        })
        .collect();
    constants.map_or(Expr::List(values), |values| Expr::Const(Value::List(values)))
}

/// Whether a value of `found` may stand where `want` is wanted.
pub(super) fn assignable(found: &Type, want: &Type) -> bool {
    match (found, want) {
        (Type::Error, _)
        | (_, Type::Error)
        | (Type::Int, Type::Decimal)
        | (Type::Text, Type::Id)
        | (Type::Id, Type::Text) => true,
        (Type::Optional(found), Type::Optional(want))
        | (Type::List(found), Type::List(want))
        | (Type::Range(found), Type::Range(want)) => assignable(found, want),
        (found, Type::Optional(want)) => assignable(found, want),
        (Type::OneOf(found), Type::OneOf(want)) => found.iter().all(|case| want.contains(case)),
        _ => found == want,
    }
}

/// A value to suggest behind `otherwise`.
fn fallback_for(ty: &Type) -> String {
    match ty {
        Type::Bool => "false".into(),
        Type::Int | Type::Decimal => "0".into(),
        Type::Percent => "0%".into(),
        Type::Money(currency) => format!("0 {currency}"),
        Type::Text => "\"您\"".into(),
        Type::Date => "today".into(),
        _ => "…".into(),
    }
}
