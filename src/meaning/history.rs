//! What history conditions have to do with one another: whoever paid in the last 7 days paid in the last 30, whoever
//! paid three times paid once.

use super::read::{Reader, Term};
use super::scope::reaches;
use crate::expr::{Aggregate, AggregateFn, Expr};
use crate::logic::{Formula, Test, Trust, Var};
use crate::value::Value;

/// Numbers that are compared with counts beyond which relations are not said.
const MOST_NUMBERS: usize = 24;

/// What always holds between the history conditions that `reader` has met, for the counts that `formulas` name.
pub(super) fn relations(reader: &Reader, formulas: &[&Formula]) -> Vec<Formula> {
    let counted = counted(reader);
    if counted.len() < 2 {
        return Vec::new();
    }
    let numbers = numbers(&counted, formulas);
    let mut relations = Vec::new();
    for (var, inside) in &counted {
        for (other, outside) in &counted {
            if var != other && is_part(reader, inside, outside) {
                for number in &numbers {
                    let least = at_least(*var, inside.function, *number);
                    let follows = follows(*other, outside.function, *number);
                    relations.extend(least.zip(follows).map(|(least, follows)| least.negated().or(follows)));
                }
            }
        }
    }
    relations
}

/// The variables that stand for how often something is there.
pub(super) fn counted<'r>(reader: &'r Reader) -> Vec<(Var, &'r Aggregate)> {
    let terms = reader.space.vars().zip(&reader.terms);
    let counted = terms.filter_map(|(var, term)| {
        let Term::Value(expr) = term else { return None };
        let aggregate = match expr {
            Expr::History(index) => reader.scope.features.get(usize::from(*index))?,
            Expr::Aggregate(aggregate) => aggregate,
            _ => return None,
        };
        let counts = matches!(aggregate.function, AggregateFn::Any | AggregateFn::Once | AggregateFn::Count);
        counts.then_some((var, aggregate))
    });
    counted.collect()
}

/// One and two, and all that counts are compared with, and the next ones.
fn numbers(counted: &[(Var, &Aggregate)], formulas: &[&Formula]) -> Vec<i64> {
    let mut numbers = vec![1, 2];
    let mut add = |var: Var, test: &Test| {
        if !counted.iter().any(|(known, _)| *known == var) {
            return;
        }
        let values = match test {
            Test::OneOf(values) => values.clone(),
            Test::Less(value) | Test::LessEq(value) | Test::Greater(value) | Test::GreaterEq(value) => {
                vec![value.clone()]
            }
            Test::Between { from, to, .. } => vec![from.clone(), to.clone()],
            Test::Missing | Test::Compares(_) => Vec::new(),
        };
        for value in values {
            if let Value::Int(value) = value {
                numbers.extend([value, value.saturating_add(1)]);
            }
        }
    };
    formulas.iter().for_each(|formula| formula.each(&mut add));
    numbers.retain(|number| *number >= 1);
    numbers.sort_unstable();
    numbers.dedup();
    numbers.truncate(MOST_NUMBERS);
    numbers
}

/// Whether everything that `inside` counts is counted by `outside`.
fn is_part(reader: &Reader, inside: &Aggregate, outside: &Aggregate) -> bool {
    if inside.source != outside.source || !reaches(inside.window.as_ref(), outside.window.as_ref()) {
        return false;
    }
    match (&inside.filter, &outside.filter) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(inside), Some(outside)) if inside == outside => true,
        (Some(narrow), Some(wide)) => {
            let mut on = reader.on(&outside.source);
            let (narrow, wide) = (on.truth(narrow), on.truth(wide));
            on.space.implies(&[&narrow], &wide, Trust::Nothing)
        }
    }
}

/// Something that is only true where there are at least `number`.
fn at_least(var: Var, function: AggregateFn, number: i64) -> Option<Formula> {
    match function {
        AggregateFn::Count => Some(Formula::Is(var, Test::GreaterEq(Value::Int(number)))),
        _ if number == 1 => Some(Formula::Is(var, Test::OneOf(vec![Value::Bool(true)]))),
        _ => None,
    }
}

/// Something that is always true where there are at least `number`.
fn follows(var: Var, function: AggregateFn, number: i64) -> Option<Formula> {
    match function {
        AggregateFn::Count => Some(Formula::Is(var, Test::GreaterEq(Value::Int(number)))),
        AggregateFn::Any => Some(Formula::Is(var, Test::OneOf(vec![Value::Bool(true)]))),
        AggregateFn::Once if number > 1 => Some(Formula::Is(var, Test::OneOf(vec![Value::Bool(false)]))),
        _ => None,
    }
}
