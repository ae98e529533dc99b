//! Aggregates: over child entities here, and over events by whoever keeps their history (with [`fold`]).

use rust_decimal::Decimal;

use super::binary::{add, divide_money};
use super::compare::{compare, number, same};
use super::{Env, admits, eval_on};
use crate::expr::{Aggregate, AggregateFn, Source};
use crate::value::Value;

/// An aggregate over child entities. History is not looked for here: it is [`crate::expr::Expr::History`].
pub(super) fn over_children(aggregate: &Aggregate, env: &dyn Env) -> Value {
    let Source::Children(entity) = aggregate.source else { return Value::Missing };
    let children = env.children(entity).into_iter();
    let admitted = children.filter(|child| admits(aggregate.filter.as_ref(), child, env));
    let values: Vec<Value> = match &aggregate.value {
        Some(value) => admitted.map(|child| eval_on(value, &child, env)).collect(),
        None => admitted.collect(),
    };
    fold(aggregate.function, &values, env)
}

/// The aggregate of the values of all admitted elements, oldest first. `any`, `once` and `count` count every element;
/// the others leave missing values out.
#[must_use]
pub fn fold(function: AggregateFn, values: &[Value], env: &dyn Env) -> Value {
    let known = || values.iter().filter(|value| !value.is_missing());
    let found = match function {
        AggregateFn::Any => Some(Value::Bool(!values.is_empty())),
        AggregateFn::Once => Some(Value::Bool(values.len() == 1)),
        AggregateFn::Count => i64::try_from(values.len()).ok().map(Value::Int),
        AggregateFn::Sum => sum(known(), env),
        AggregateFn::Avg => average(known(), env),
        AggregateFn::Min => extreme(known(), env, std::cmp::Ordering::is_lt),
        AggregateFn::Max => extreme(known(), env, std::cmp::Ordering::is_gt),
        AggregateFn::First => known().next().cloned(),
        AggregateFn::Last => known().next_back().cloned(),
        AggregateFn::Most => most(known()),
        AggregateFn::Spread => spread(known()),
        AggregateFn::Trend => trend(known()),
    };
    found.unwrap_or(Value::Missing)
}

fn sum<'a>(mut values: impl Iterator<Item = &'a Value>, env: &dyn Env) -> Option<Value> {
    let first = values.next()?.clone();
    values.try_fold(first, |total, value| add(&total, value, env))
}

fn average<'a>(values: impl Iterator<Item = &'a Value> + Clone, env: &dyn Env) -> Option<Value> {
    let count = Decimal::from(values.clone().count());
    match sum(values, env)? {
        Value::Money(total) => divide_money(total, count).map(Value::Money),
        Value::Percent(total) => total.checked_div(count).map(Value::Percent),
        total => number(&total)?.checked_div(count).map(Value::Decimal),
    }
}

/// The value that is `better` than all others; of equals the first.
pub(super) fn extreme<'a>(
    mut values: impl Iterator<Item = &'a Value>,
    env: &dyn Env,
    better: fn(std::cmp::Ordering) -> bool,
) -> Option<Value> {
    let first = values.next()?;
    let best = values.fold(
        first,
        |best, value| {
            if compare(value, best, env).is_some_and(better) { value } else { best }
        },
    );
    Some(best.clone())
}

/// (greatest − least) ÷ average, exactly: the average is not rounded to cents on the way.
fn spread<'a>(values: impl Iterator<Item = &'a Value>) -> Option<Value> {
    let amounts: Vec<Decimal> = values.filter_map(amount).collect();
    let (least, greatest) = (amounts.iter().min()?, amounts.iter().max()?);
    let total = amounts.iter().try_fold(Decimal::ZERO, |total, amount| total.checked_add(*amount))?;
    let range = greatest.checked_sub(*least)?.checked_mul(Decimal::from(amounts.len()))?;
    range.checked_div(total).map(Value::Percent)
}

/// (last − first) ÷ |first|.
fn trend<'a>(mut values: impl Iterator<Item = &'a Value>) -> Option<Value> {
    let first = amount(values.next()?)?;
    let last = values.last().map_or(Some(first), amount)?;
    last.checked_sub(first)?.checked_div(first.abs()).map(Value::Percent)
}

/// A number of any kind; of money its minor units. Amounts of two currencies never meet in one attribute.
fn amount(value: &Value) -> Option<Decimal> {
    match value {
        Value::Money(money) => Some(Decimal::from(money.minor)),
        other => number(other),
    }
}

/// The most frequent value; of equals the one seen last.
fn most<'a>(values: impl Iterator<Item = &'a Value>) -> Option<Value> {
    let mut counts: Vec<(&Value, usize, usize)> = Vec::new();
    for (at, value) in values.enumerate() {
        match counts.iter_mut().find(|(known, ..)| same(known, value)) {
            Some((_, count, last)) => (*count, *last) = (*count + 1, at),
            None => counts.push((value, 1, at)),
        }
    }
    let best = counts.into_iter().max_by_key(|&(_, count, last)| (count, last));
    best.map(|(value, ..)| value.clone())
}
