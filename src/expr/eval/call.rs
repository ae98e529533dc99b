//! Functions whose arguments are ordinary values.

use rust_decimal::{Decimal, RoundingStrategy};

use super::aggregate::extreme;
use super::compare::number;
use super::{Env, eval};
use crate::expr::{Expr, Function, print};
use crate::value::{Money, Value};

pub(super) fn apply(function: Function, args: &[Expr], env: &dyn Env) -> Value {
    let mut values: Vec<Value> = args.iter().map(|arg| eval(arg, env)).collect();
    if values.iter().any(Value::is_missing) {
        return Value::Missing;
    }
    // `max(list)` is over its elements.
    if let [Value::List(items)] = values.as_mut_slice() {
        values = std::mem::take(items);
    }
    let found = match function {
        Function::Max => extreme(values.iter(), env, std::cmp::Ordering::is_gt),
        Function::Min => extreme(values.iter(), env, std::cmp::Ordering::is_lt),
        Function::Ratio => match values.as_slice() {
            [part, whole] => ratio(part, whole),
            _ => None,
        },
        _ => values.first().and_then(|value| of_one(function, value, env)),
    };
    found.unwrap_or(Value::Missing)
}

fn of_one(function: Function, value: &Value, env: &dyn Env) -> Option<Value> {
    match (function, value) {
        (Function::Money, Value::Money(money)) => Some(Value::text(&print::money(*money))),
        (Function::Date, Value::Date(date)) => Some(Value::text(&print::date(*date, env.locale()))),
        (Function::Date, Value::Moment(moment)) => {
            let date = crate::expr::civil::date_of(*moment, env.zone());
            Some(Value::text(&print::date(date, env.locale())))
        }
        (Function::DateOf, _) => super::as_date(value, env.zone()).map(Value::Date),
        (Function::Mask, Value::Text(text)) => Some(Value::text(&print::mask(text))),
        (Function::Link, Value::Text(_)) => Some(value.clone()),
        (Function::Round, _) => round(value),
        (Function::Days, Value::Range(ends)) => days(&ends.0, &ends.1),
        _ => None,
    }
}

/// Missing where the whole is zero, and of amounts in two currencies.
fn ratio(part: &Value, whole: &Value) -> Option<Value> {
    let (part, whole) = match (part, whole) {
        (Value::Money(part), Value::Money(whole)) if part.currency == whole.currency => {
            (Decimal::from(part.minor), Decimal::from(whole.minor))
        }
        _ => (number(part)?, number(whole)?),
    };
    part.checked_div(whole).map(Value::Percent)
}

fn round(value: &Value) -> Option<Value> {
    let whole = |exact: Decimal| exact.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
    match value {
        Value::Int(_) => Some(value.clone()),
        Value::Decimal(exact) => Some(Value::Decimal(whole(*exact))),
        Value::Money(money) => Money::from_major(whole(money.major()), money.currency).map(Value::Money),
        _ => None,
    }
}

/// How many days a span of dates has, both ends included: 31 for December.
fn days(from: &Value, to: &Value) -> Option<Value> {
    let (Value::Date(from), Value::Date(to)) = (from, to) else { return None };
    let between = i64::from(from.until(*to).ok()?.get_days());
    Some(Value::Int((between + 1).max(0)))
}
