//! `+ - * /`: numbers, percentages and money; calendar and stopwatch time never add.

use super::{Checker, Typed};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::{BinaryOp as Op, Expr};
use crate::model::check::words;
use crate::syntax::ast::{self, BinaryOp};
use crate::text::Span;
use crate::value::Type;

impl Checker<'_, '_> {
    pub(super) fn arithmetic(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        left: &ast::Expr,
        right: &ast::Expr,
        want: Option<&Type>,
    ) -> Typed {
        let first = self.expr(left, want);
        let first = self.present(left, first);
        let second = self.expr(right, None);
        let second = self.present(right, second);
        if first.ty == Type::Error || second.ty == Type::Error {
            return Typed::error();
        }
        let op = match op {
            BinaryOp::Add => Op::Add,
            BinaryOp::Sub => Op::Sub,
            BinaryOp::Mul => Op::Mul,
            _ => Op::Div,
        };
        let Some(ty) = result(op, &first.ty, &second.ty) else {
            self.no_arithmetic(op, op_span, (left, &first.ty), (right, &second.ty));
            return Typed::error();
        };
        Typed::new(Expr::Binary(op, Box::new(first.expr), Box::new(second.expr)), ty)
    }

    fn no_arithmetic(
        &mut self,
        op: Op,
        op_span: Span,
        left: (&ast::Expr, &Type),
        right: (&ast::Expr, &Type),
    ) {
        let verb = match op {
            Op::Add => "added",
            Op::Sub => "subtracted",
            Op::Mul => "multiplied",
            _ => "divided",
        };
        let headline = format!(
            "{} is {} and {} is {}: they cannot be {verb}",
            words::quote(left.0),
            words::of_type(left.1),
            words::quote(right.0),
            words::of_type(right.1)
        );
        self.report(
            Diagnostic::new(code::NO_ARITHMETIC, op_span, headline)
                .label(format!("{} and {}", left.1, right.1))
                .help(arithmetic_help(left, right)),
        );
    }

    pub(super) fn negated(&mut self, inner: &ast::Expr) -> Typed {
        let typed = self.expr(inner, None);
        let typed = self.present(inner, typed);
        match typed.ty {
            Type::Int | Type::Decimal | Type::Percent | Type::Money(_) => {
                Typed::new(Expr::Neg(Box::new(typed.expr)), typed.ty)
            }
            Type::Error => typed,
            other => {
                let headline =
                    format!("{} is {}: it has no minus", words::quote(inner), words::of_type(&other));
                self.report(
                    Diagnostic::new(code::NO_ARITHMETIC, inner.span, headline)
                        .label("not a number")
                        .help("only numbers, percentages and amounts can be negative"),
                );
                Typed::error()
            }
        }
    }
}

fn arithmetic_help(left: (&ast::Expr, &Type), right: (&ast::Expr, &Type)) -> String {
    let quoted = |expr| words::short(expr).unwrap_or_else(|| "…".into());
    match (left.1, right.1) {
        (Type::Date | Type::Moment, Type::Period | Type::Duration) => {
            format!("write `{} after {}` or `before`", quoted(right.0), quoted(left.0))
        }
        (Type::Period, Type::Duration) | (Type::Duration, Type::Period) => {
            "calendar time (`1 day`) and stopwatch time (`24h`) never add: use one of them".into()
        }
        (Type::Money(one), Type::Money(other)) if one != other => {
            format!("amounts in {one} and in {other} never meet")
        }
        (Type::Money(currency), Type::Int | Type::Decimal) => {
            format!("write the currency: `{} {currency}`", quoted(right.0))
        }
        (Type::Date, Type::Date) => format!("write `days({}..{})`", quoted(right.0), quoted(left.0)),
        _ => "add like to like; an amount may be multiplied by a number or a percentage".into(),
    }
}

/// The type of `left op right`; `None` where it means nothing.
fn result(op: Op, left: &Type, right: &Type) -> Option<Type> {
    use Type::{Decimal, Duration, Int, Money, Percent};
    Some(match (op, left, right) {
        (Op::Add | Op::Sub | Op::Mul, Int, Int) => Int,
        (_, Int | Decimal, Int | Decimal)
        | (Op::Div, Percent, Percent)
        | (Op::Mul, Int | Decimal, Percent)
        | (Op::Mul, Percent, Int | Decimal) => Decimal,
        (Op::Add | Op::Sub | Op::Mul, Percent, Percent) | (Op::Div, Percent, Int | Decimal) => Percent,
        (Op::Add | Op::Sub, Money(one), Money(other)) if one == other => Money(*one),
        (Op::Div, Money(one), Money(other)) if one == other => Decimal,
        (Op::Mul | Op::Div, Money(one), Int | Decimal | Percent)
        | (Op::Mul, Int | Decimal | Percent, Money(one)) => Money(*one),
        (Op::Add | Op::Sub, Duration, Duration) => Duration,
        _ => return None,
    })
}
