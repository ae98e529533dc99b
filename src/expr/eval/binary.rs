//! Operators with two sides. `and` and `or` are in [`super::eval`], because they do not look at the right side always.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::compare::{compare, contains, number, same};
use super::{Env, shift};
use crate::expr::BinaryOp;
use crate::value::{CivilUnit, Length, Money, Value};

pub(super) fn apply(op: BinaryOp, left: &Value, right: &Value, env: &dyn Env) -> Value {
    let ordered = |wanted: fn(Ordering) -> bool| Value::Bool(compare(left, right, env).is_some_and(wanted));
    match op {
        BinaryOp::Is => Value::Bool(same(left, right)),
        BinaryOp::IsNot => Value::Bool(!left.is_missing() && !right.is_missing() && !same(left, right)),
        BinaryOp::Less => ordered(Ordering::is_lt),
        BinaryOp::LessEq => ordered(Ordering::is_le),
        BinaryOp::Greater => ordered(Ordering::is_gt),
        BinaryOp::GreaterEq => ordered(Ordering::is_ge),
        BinaryOp::In => Value::Bool(contains(right, left, env)),
        BinaryOp::Has => Value::Bool(contains(left, right, env)),
        BinaryOp::Add => add(left, right, env).unwrap_or(Value::Missing),
        BinaryOp::Sub => subtract(left, right, env).unwrap_or(Value::Missing),
        BinaryOp::Mul => multiply(left, right).unwrap_or(Value::Missing),
        BinaryOp::Div => divide(left, right).unwrap_or(Value::Missing),
        BinaryOp::And | BinaryOp::Or => Value::Missing,
    }
}

/// The sum of two values of one kind, or a date or moment moved by a length.
pub(super) fn add(left: &Value, right: &Value, env: &dyn Env) -> Option<Value> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => left.checked_add(*right).map(Value::Int),
        (Value::Percent(left), Value::Percent(right)) => left.checked_add(*right).map(Value::Percent),
        (Value::Money(left), Value::Money(right)) if left.currency == right.currency => {
            let minor = left.minor.checked_add(right.minor)?;
            Some(Value::Money(Money { minor, ..*left }))
        }
        (Value::Length(left), Value::Length(right)) => add_lengths(*left, *right).map(Value::Length),
        (Value::Date(_) | Value::Moment(_), Value::Length(by)) => {
            Some(shift(left, *by, false, env.calendar(None), env))
        }
        _ => number(left)?.checked_add(number(right)?).map(Value::Decimal),
    }
}

fn subtract(left: &Value, right: &Value, env: &dyn Env) -> Option<Value> {
    match (left, right) {
        (Value::Date(left), Value::Date(right)) => days_between(*right, *left),
        (Value::Moment(left), Value::Moment(right)) => elapsed_between(*right, *left),
        (Value::Date(_) | Value::Moment(_), Value::Length(by)) => {
            Some(shift(left, *by, true, env.calendar(None), env))
        }
        _ => match super::negative(right) {
            Value::Missing => None,
            negated => add(left, &negated, env),
        },
    }
}

fn multiply(left: &Value, right: &Value) -> Option<Value> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => left.checked_mul(*right).map(Value::Int),
        (Value::Percent(left), Value::Percent(right)) => left.checked_mul(*right).map(Value::Percent),
        (Value::Money(money), factor) | (factor, Value::Money(money)) => {
            money.times(number(factor)?).map(Value::Money)
        }
        (Value::Length(length), Value::Int(factor)) | (Value::Int(factor), Value::Length(length)) => {
            multiply_length(*length, *factor).map(Value::Length)
        }
        _ => number(left)?.checked_mul(number(right)?).map(Value::Decimal),
    }
}

/// Division by zero is missing, as every number that does not exist.
fn divide(left: &Value, right: &Value) -> Option<Value> {
    match (left, right) {
        (Value::Money(left), Value::Money(right)) if left.currency == right.currency => {
            Decimal::from(left.minor).checked_div(Decimal::from(right.minor)).map(Value::Decimal)
        }
        (Value::Money(money), divisor) => divide_money(*money, number(divisor)?).map(Value::Money),
        (Value::Percent(left), Value::Int(_) | Value::Decimal(_)) => {
            left.checked_div(number(right)?).map(Value::Percent)
        }
        _ => number(left)?.checked_div(number(right)?).map(Value::Decimal),
    }
}

/// Rounded half-even at the minor unit.
pub(super) fn divide_money(money: Money, divisor: Decimal) -> Option<Money> {
    let exact = Decimal::from(money.minor).checked_div(divisor)?;
    Money { minor: 1, ..money }.times(exact)
}

fn add_lengths(left: Length, right: Length) -> Option<Length> {
    match (left, right) {
        (Length::Elapsed(left), Length::Elapsed(right)) => left.checked_add(right).map(Length::Elapsed),
        (Length::Civil { count, unit }, Length::Civil { count: more, unit: other }) if unit == other => {
            count.checked_add(more).map(|count| Length::Civil { count, unit })
        }
        _ => None,
    }
}

fn multiply_length(length: Length, factor: i64) -> Option<Length> {
    match length {
        Length::Elapsed(ms) => ms.checked_mul(factor).map(Length::Elapsed),
        Length::Civil { count, unit } => {
            let count = i64::from(count).checked_mul(factor)?;
            Some(Length::Civil { count: i32::try_from(count).ok()?, unit })
        }
    }
}

fn days_between(from: Date, to: Date) -> Option<Value> {
    let days = from.until(to).ok()?.get_days();
    Some(Value::Length(Length::Civil { count: days, unit: CivilUnit::Day }))
}

fn elapsed_between(from: Timestamp, to: Timestamp) -> Option<Value> {
    let ms = to.as_millisecond().checked_sub(from.as_millisecond())?;
    Some(Value::Length(Length::Elapsed(ms)))
}
