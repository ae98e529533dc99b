//! Order and equality of values.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::{Env, as_date};
use crate::value::{CivilUnit, Length, Value};

/// How two values compare; `None` where one is missing or they have no common order.
#[must_use]
pub fn compare(left: &Value, right: &Value, env: &dyn Env) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        return Some(left.cmp(&right));
    }
    match (left, right) {
        (Value::Money(left), Value::Money(right)) if left.currency == right.currency => {
            Some(left.minor.cmp(&right.minor))
        }
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Date(left), Value::Date(right)) => Some(left.cmp(right)),
        (Value::Time(left), Value::Time(right)) => Some(left.cmp(right)),
        (Value::Moment(left), Value::Moment(right)) => Some(left.cmp(right)),
        (Value::Length(left), Value::Length(right)) => lengths(*left, *right),
        (Value::Choice(left), Value::Choice(right)) if left == right => Some(Ordering::Equal),
        (Value::Choice(left), Value::Choice(right)) => env.choice_order(*left, *right),
        _ => None,
    }
}

/// Whether two values are the same; missing is the same as nothing.
#[must_use]
pub fn same(left: &Value, right: &Value) -> bool {
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        return left == right;
    }
    match (left, right) {
        (Value::Missing, _) | (_, Value::Missing) => false,
        (Value::Length(left), Value::Length(right)) => lengths(*left, *right) == Some(Ordering::Equal),
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        _ => left == right,
    }
}

/// Whether `item` is in the list, range or text `whole`.
pub(super) fn contains(whole: &Value, item: &Value, env: &dyn Env) -> bool {
    match (whole, item) {
        (_, Value::Missing) => false,
        (Value::List(items), _) => items.iter().any(|candidate| same(candidate, item)),
        (Value::Range(ends), _) => in_range(&ends.0, &ends.1, item, env),
        (Value::Text(text), Value::Text(part)) => text.contains(&**part),
        (Value::Text(text), Value::List(parts)) => {
            parts.iter().any(|part| matches!(part, Value::Text(part) if text.contains(&**part)))
        }
        _ => false,
    }
}

/// Counted types (numbers without fraction, dates) include both ends, measured ones exclude the right.
fn in_range(from: &Value, to: &Value, item: &Value, env: &dyn Env) -> bool {
    if let (Value::Date(_), Value::Moment(_)) = (from, item) {
        let date = as_date(item, env.zone()).map_or(Value::Missing, Value::Date);
        return in_range(from, to, &date, env);
    }
    let reached = compare(from, item, env).is_some_and(Ordering::is_le);
    let counted = matches!(from, Value::Int(_) | Value::Date(_) | Value::Choice(_));
    let end = compare(item, to, env);
    reached && end.is_some_and(|order| if counted { order.is_le() } else { order.is_lt() })
}

/// Numbers of all kinds on one scale.
pub(super) fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Int(value) => Some(Decimal::from(*value)),
        Value::Decimal(value) | Value::Percent(value) => Some(*value),
        _ => None,
    }
}

/// Elapsed with elapsed; days with weeks; months with years. Others have no order: a month is not a number of days.
fn lengths(left: Length, right: Length) -> Option<Ordering> {
    match (left, right) {
        (Length::Elapsed(left), Length::Elapsed(right)) => Some(left.cmp(&right)),
        (Length::Civil { count, unit }, Length::Civil { count: other, unit: other_unit }) => {
            let ((scale, base), (other_scale, other_base)) = (in_base(unit), in_base(other_unit));
            let same_base = base == other_base;
            same_base.then(|| (i64::from(count) * scale).cmp(&(i64::from(other) * other_scale)))
        }
        _ => None,
    }
}

fn in_base(unit: CivilUnit) -> (i64, CivilUnit) {
    match unit {
        CivilUnit::Week => (7, CivilUnit::Day),
        CivilUnit::Year => (12, CivilUnit::Month),
        CivilUnit::Day | CivilUnit::Workday | CivilUnit::Month => (1, unit),
    }
}
