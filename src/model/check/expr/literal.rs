//! Values as written.

use rust_decimal::Decimal;

use super::{Checker, Typed};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::Expr;
use crate::model::check::length;
use crate::name::Name;
use crate::syntax::ast::{self, ExprKind};
use crate::text::Span;
use crate::value::{Currency, Money, Type, Value, signs};

impl Checker<'_, '_> {
    pub(super) fn literal(&mut self, expr: &ast::Expr, want: Option<&Type>) -> Typed {
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
            // As long as it is, so that whoever wants a shorter one can say so.
            ExprKind::Text(text) if matches!(want.map(Type::known), Some(Type::ShortText(_))) => {
                let most = u16::try_from(signs(text)).unwrap_or(u16::MAX);
                (Value::Text(text.clone()), Type::ShortText(most))
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

    pub(super) fn list(&mut self, span: Span, items: &[ast::Expr], want: Option<&Type>) -> Typed {
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
