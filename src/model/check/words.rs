//! Types and expressions in the user's words, for messages.

use crate::model::Model;
use crate::syntax::ast::{BinaryOp, Expr, ExprKind};
use crate::value::Type;

/// `a whole number`, `an amount in CNY`, `a date that may be missing`.
pub(super) fn of_type(ty: &Type) -> String {
    match ty {
        Type::Bool => "yes or no".into(),
        Type::Int => "a whole number".into(),
        Type::Decimal => "a decimal number".into(),
        Type::Percent => "a percentage".into(),
        Type::Money(currency) => format!("an amount in {currency}"),
        Type::Text => "a text".into(),
        Type::Id => "an id".into(),
        Type::Date => "a date".into(),
        Type::Time => "a clock time".into(),
        Type::Moment => "a moment (a date with a clock time)".into(),
        Type::Duration => "stopwatch time".into(),
        Type::Period => "calendar time".into(),
        Type::Choice(name) => format!("a `{name}`"),
        Type::OneOf(_) => format!("{ty}"),
        Type::Entity(name) => format!("one `{name}`"),
        Type::Channel => "a channel".into(),
        Type::Content => "a content".into(),
        Type::Audience(entity) => format!("an audience of `{entity}`"),
        Type::Event(name) => format!("an event `{name}`"),
        Type::Range(inner) => format!("a range from {} to another", of_type(inner)),
        Type::List(inner) => format!("a list, each {}", of_type(inner)),
        Type::Optional(inner) => format!("{} that may be missing", of_type(inner)),
        Type::Error => "something unknown".into(),
        Type::Reward => "a reward".into(),
        Type::Occurrence => "an event".into(),
        Type::ShortText(most) => format!("a text of at most {most} signs"),
    }
}

/// The expression as it may be quoted in a headline; long ones become `this`.
pub(super) fn quote(expr: &Expr) -> String {
    short(expr).map_or_else(|| "this".into(), |text| format!("`{text}`"))
}

/// The expression as written, if it is short.
pub(super) fn short(expr: &Expr) -> Option<String> {
    Some(match &expr.kind {
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Int(value) => value.to_string(),
        ExprKind::Decimal(value) => value.to_string(),
        ExprKind::Percent(value) => format!("{value}%"),
        ExprKind::Money(amount, currency) => format!("{amount} {currency}"),
        ExprKind::Text(text) => format!("\"{text}\""),
        ExprKind::Date(date) => date.to_string(),
        ExprKind::Time(time) => time.strftime("%H:%M").to_string(),
        ExprKind::Dur(length) => super::length::of(*length).to_string(),
        ExprKind::Path(path) => path.text(),
        ExprKind::Call { callee, .. } => format!("{}(…)", callee.text()),
        ExprKind::Field { base, field } => format!("{}.{}", short(base)?, field.name),
        ExprKind::Binary { op, left, right, .. } => {
            let sign = match op {
                BinaryOp::At => "at",
                BinaryOp::Before => "before",
                BinaryOp::After => "after",
                BinaryOp::Add => "+",
                BinaryOp::Sub => "-",
                BinaryOp::Mul => "*",
                BinaryOp::Div => "/",
                _ => return None,
            };
            format!("{} {sign} {}", short(left)?, short(right)?)
        }
        _ => return None,
    })
}

/// The cases that a value of this type can have, in the order declared; empty for other types.
pub(super) fn cases(model: &Model, ty: &Type) -> Vec<crate::name::Name> {
    match ty.known() {
        Type::OneOf(cases) => cases.clone(),
        Type::Choice(name) => {
            let choice = model.choices.get(name);
            choice.map(|choice| choice.cases.iter().map(|(case, _)| *case).collect()).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}
