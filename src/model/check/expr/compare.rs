//! `is`, `<`, `in`, `has`, `a..b`: both sides must be things that can be compared.

use super::{Checker, Typed, assignable};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::{BinaryOp as Op, Expr};
use crate::model::check::words;
use crate::syntax::ast::{self, BinaryOp, ExprKind};
use crate::text::Span;
use crate::value::{Type, Value};

impl Checker<'_, '_> {
    pub(super) fn equality(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        left: &ast::Expr,
        right: &ast::Expr,
    ) -> Typed {
        let (first, second) = self.sides(left, right);
        if !comparable(&first.ty, &second.ty) {
            self.incomparable(op_span, (left, &first.ty), (right, &second.ty));
        }
        let op = if op == BinaryOp::Is { Op::Is } else { Op::IsNot };
        yes_no(op, first, second)
    }

    pub(super) fn order(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        left: &ast::Expr,
        right: &ast::Expr,
    ) -> Typed {
        let (first, second) = self.sides(left, right);
        let op = match op {
            BinaryOp::Less => Op::Less,
            BinaryOp::LessEq => Op::LessEq,
            BinaryOp::Greater => Op::Greater,
            _ => Op::GreaterEq,
        };
        if !comparable(&first.ty, &second.ty) {
            self.incomparable(op_span, (left, &first.ty), (right, &second.ty));
            return Typed::new(Expr::Const(Value::Missing), Type::Bool);
        }
        if let Some(cases) = self.ranked(op, &first, &second) {
            return cases;
        }
        if !is_ordered(&first.ty) {
            let headline = format!("{} has no order", words::of_type(&first.ty));
            self.report(
                Diagnostic::new(code::NO_ORDER, op_span, headline)
                    .label("cannot be more or less")
                    .help("write `is`, `is not` or `in [ … ]`"),
            );
        }
        yes_no(op, first, second)
    }

    /// Cases of a choice are ordered as declared: `tier >= gold` asks for one of the cases from `gold` on.
    fn ranked(&self, op: Op, left: &Typed, right: &Typed) -> Option<Typed> {
        let cases = match &left.ty {
            Type::Choice(name) if self.world.model.choices.get(name).is_none_or(|it| !it.ordered) => {
                return None;
            }
            Type::Choice(_) => words::cases(&self.world.model, &left.ty),
            _ => return None,
        };
        let Expr::Const(Value::Choice(limit)) = &right.expr else { return None };
        let at = cases.iter().position(|case| case == limit)?;
        let wanted = match op {
            Op::Less => cases.get(..at)?,
            Op::LessEq => cases.get(..=at)?,
            Op::Greater => cases.get(at + 1..)?,
            _ => cases.get(at..)?,
        };
        let list = Value::List(wanted.iter().map(|case| Value::Choice(*case)).collect());
        let expr = Expr::Binary(Op::In, Box::new(left.expr.clone()), Box::new(Expr::Const(list)));
        Some(Typed::new(expr, Type::Bool))
    }

    /// Both sides, each helping the other to give its bare names a meaning; none may be missing.
    pub(super) fn sides(&mut self, left: &ast::Expr, right: &ast::Expr) -> (Typed, Typed) {
        let first = self.expr(left, None);
        let first = self.present(left, first);
        let hint = (first.ty != Type::Error).then(|| first.ty.clone());
        // Where the left side is wrong already, a bare name on the right has no type to be a case of.
        if hint.is_none() && is_bare(right) {
            return (first, Typed::error());
        }
        let second = self.expr(right, hint.as_ref());
        let second = self.present(right, second);
        (first, second)
    }

    fn incomparable(&mut self, op_span: Span, left: (&ast::Expr, &Type), right: (&ast::Expr, &Type)) {
        let headline = format!(
            "{} is {} and {} is {}: they cannot be compared",
            words::quote(left.0),
            words::of_type(left.1),
            words::quote(right.0),
            words::of_type(right.1)
        );
        let mut finding = Diagnostic::new(code::INCOMPARABLE, op_span, headline)
            .label(format!("{} against {}", left.1, right.1))
            .also(left.0.span, words::of_type(left.1))
            .also(right.0.span, words::of_type(right.1));
        for help in hints(right.0, right.1, left.1) {
            finding = finding.help(help);
        }
        if finding.help.is_empty() {
            finding = finding.help(format!("compare with {}", words::of_type(left.1)));
        }
        self.report(finding);
    }

    /// `x in [a, b]`, `x in 18..35`, `"回复" in text`
    pub(super) fn contained(&mut self, op_span: Span, left: &ast::Expr, right: &ast::Expr) -> Typed {
        let first = self.expr(left, None);
        let first = self.present(left, first);
        if let (Type::Entity(_), ExprKind::Path(path)) = (&first.ty, &right.kind)
            && self.is_unit(path)
        {
            return self.within_unit(first, path);
        }
        let hint = match (&first.ty, &right.kind) {
            (Type::Error, _) => None,
            (ty, ExprKind::Binary { op: BinaryOp::Range, .. }) => Some(Type::Range(Box::new(ty.clone()))),
            (ty, _) => Some(Type::List(Box::new(ty.clone().unbounded()))),
        };
        if hint.is_none() {
            return Typed::new(Expr::Const(Value::Missing), Type::Bool);
        }
        let second = self.expr(right, hint.as_ref());
        let second = self.present(right, second);
        match &second.ty {
            Type::List(element) | Type::Range(element) if comparable(&first.ty, element) => {}
            Type::Text | Type::ShortText(_) if matches!(first.ty, Type::Text | Type::ShortText(_)) => {}
            Type::Error => {}
            Type::List(element) | Type::Range(element) => {
                self.incomparable(op_span, (left, &first.ty), (right, &element.clone()));
            }
            other => self.no_collection(right, &other.clone(), "in"),
        }
        yes_no(Op::In, first, second)
    }

    /// `consent has push`, `text has ["赎回", "怎么取出"]`
    pub(super) fn has(&mut self, op_span: Span, left: &ast::Expr, right: &ast::Expr) -> Typed {
        let first = self.expr(left, None);
        let first = self.present(left, first);
        let element = match &first.ty {
            Type::List(inner) | Type::Range(inner) => (**inner).clone(),
            Type::Text | Type::ShortText(_) => Type::Text,
            Type::Error => return Typed::new(Expr::Const(Value::Missing), Type::Bool),
            other => {
                self.no_collection(left, &other.clone(), "has");
                return Typed::new(Expr::Const(Value::Missing), Type::Bool);
            }
        };
        let list = matches!(right.kind, ExprKind::List(_));
        let want = if list { Type::List(Box::new(element.clone())) } else { element.clone() };
        let second = self.expr(right, Some(&want));
        let second = self.present(right, second);
        if !comparable(&second.ty, &want) {
            self.incomparable(op_span, (left, &element), (right, &second.ty));
        }
        yes_no(Op::Has, first, second)
    }

    fn no_collection(&mut self, written: &ast::Expr, ty: &Type, word: &str) {
        let headline = format!("{} is {}, not a list or a range", words::quote(written), words::of_type(ty));
        let help = if word == "in" {
            "write `in [ … ]`, `in a..b`, or `is`"
        } else {
            "write `is` instead of `has`"
        };
        self.report(
            Diagnostic::new(code::NOT_A_COLLECTION, written.span, headline)
                .label("holds one value only")
                .help(help),
        );
    }

    pub(super) fn range(
        &mut self,
        op_span: Span,
        left: &ast::Expr,
        right: &ast::Expr,
        want: Option<&Type>,
    ) -> Typed {
        let inner = match want.map(Type::known) {
            Some(Type::Range(inner)) => Some((**inner).clone()),
            _ => None,
        };
        let first = self.expr(left, inner.as_ref());
        let first = self.present(left, first);
        let second = self.expr(right, Some(&first.ty).filter(|ty| **ty != Type::Error));
        let second = self.present(right, second);
        if !comparable(&first.ty, &second.ty) {
            self.incomparable(op_span, (left, &first.ty), (right, &second.ty));
            return Typed::error();
        }
        if first.ty == Type::Error {
            return Typed::error();
        }
        let ty = Type::Range(Box::new(first.ty));
        let expr = match (first.expr, second.expr) {
            (Expr::Const(from), Expr::Const(to)) => Expr::Const(Value::Range(Box::new((from, to)))),
            (from, to) => Expr::Range(Box::new(from), Box::new(to)),
        };
        Typed::new(expr, ty)
    }
}

fn yes_no(op: Op, left: Typed, right: Typed) -> Typed {
    Typed::new(Expr::Binary(op, Box::new(left.expr), Box::new(right.expr)), Type::Bool)
}

fn is_bare(expr: &ast::Expr) -> bool {
    matches!(&expr.kind, ExprKind::Path(path) if path.parts.len() == 1)
}

/// Whether two known values can be equal at all.
pub(super) fn comparable(left: &Type, right: &Type) -> bool {
    assignable(left, right) || assignable(right, left)
}

fn is_ordered(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Int
            | Type::Decimal
            | Type::Percent
            | Type::Money(_)
            | Type::Date
            | Type::Time
            | Type::Moment
            | Type::Duration
            | Type::Error
    )
}

/// What to write instead of `written`, which is `found` where `want` is wanted.
pub(super) fn hints(written: &ast::Expr, found: &Type, want: &Type) -> Vec<String> {
    let text = words::short(written);
    let text = text.as_deref().unwrap_or("…");
    match (found.known(), want.known()) {
        (Type::Int | Type::Decimal, Type::Money(currency)) => {
            vec![format!("write the currency: `{text} {currency}`")]
        }
        (Type::Int | Type::Decimal, Type::Percent) => vec![format!("write the percent sign: `{text}%`")],
        (Type::Money(one), Type::Money(other)) => vec![format!(
            "amounts in {one} and in {other} never meet: keep an attribute in the currency you compare in"
        )],
        (Type::Date, Type::Moment) => vec![format!("say at what time: `{text} at 10:00`")],
        (Type::Moment, Type::Date) => vec![format!("write its date: `{text}.date`")],
        (Type::Period, Type::Duration) => {
            vec!["stopwatch time is written glued: `24h`, `10min`; `1 day` follows the calendar".into()]
        }
        (Type::Duration, Type::Period) => {
            vec!["calendar time is written as words: `1 day`, `2 workdays`; `24h` is a stopwatch".into()]
        }
        (Type::Text | Type::ShortText(_), Type::Choice(_) | Type::OneOf(_) | Type::Channel) => {
            vec![format!("write the case without quotes: `{}`", text.trim_matches('"'))]
        }
        (Type::Text, Type::ShortText(most)) => {
            vec![format!("declare `{text}` as `Text({most})`, so that it is known how long it gets")]
        }
        (Type::ShortText(_), Type::ShortText(most)) => vec![format!("shorten it to {most} signs")],
        (Type::List(_), _) => vec!["ask with `has`: `… has …`".into()],
        _ => Vec::new(),
    }
}
