//! Formulas that can plainly be true: no variable is asked twice, and each question can be answered either way. Nearly
//! all conditions that people write are such, and need no search.

use super::{Absence, Domain, Formula, Space, Test, Var};
use crate::value::Value;

/// More questions than this are left to the search.
const MOST_ASKED: usize = 32;
/// Numbers beyond this are left to the search, so that nothing here comes near the end of a line.
const ORDINARY: i64 = 1 << 50;

impl Space {
    /// Whether all of `formulas` can be true together, where that is plain; `false` says nothing.
    #[must_use]
    pub fn is_plainly_possible(&self, formulas: &[&Formula]) -> bool {
        let mut asked = Vec::new();
        formulas.iter().all(|formula| self.can_be(formula, true, &mut asked))
    }

    /// Whether a formula can have this value, whatever was `asked` before: each of its tests that it takes for that is
    /// about a variable of its own.
    fn can_be(&self, formula: &Formula, value: bool, asked: &mut Vec<Var>) -> bool {
        match formula {
            Formula::Const(known) => *known == value,
            Formula::Is(var, test) => {
                let new = asked.len() < MOST_ASKED && !asked.contains(var);
                asked.push(*var);
                let both = |(domain, absence): &(Domain, Absence)| both_ways(domain, *absence, test);
                new && self.vars.get(var.0).is_some_and(both)
            }
            Formula::Not(inner) => self.can_be(inner, !value, asked),
            Formula::And(parts) if value => parts.iter().all(|part| self.can_be(part, true, asked)),
            Formula::Or(parts) if !value => parts.iter().all(|part| self.can_be(part, false, asked)),
            Formula::And(parts) | Formula::Or(parts) => parts.iter().any(|part| {
                let before = asked.len();
                let can = self.can_be(part, value, asked);
                if !can {
                    asked.truncate(before);
                }
                can
            }),
        }
    }
}

/// Whether some values pass the test and some do not.
fn both_ways(domain: &Domain, absence: Absence, test: &Test) -> bool {
    match (test, domain) {
        (Test::Missing, _) => absence == Absence::Possible,
        (Test::OneOf(values), Domain::Bool) => values.len() == 1,
        (Test::OneOf(values), Domain::Cases(cases)) => !values.is_empty() && values.len() < cases.len(),
        (Test::OneOf(values), Domain::Open) => !values.is_empty(),
        (
            Test::Less(value) | Test::LessEq(value) | Test::Greater(value) | Test::GreaterEq(value),
            Domain::Line { scale: _, least },
        ) => is_inside(value, *least),
        _ => false,
    }
}

/// Whether there are values on either side of this one.
fn is_inside(value: &Value, least: Option<i64>) -> bool {
    let number = match value {
        Value::Int(number) => *number,
        Value::Money(money) if least.is_none() => money.minor,
        _ => return false,
    };
    (-ORDINARY..ORDINARY).contains(&number) && least.is_none_or(|least| number > least.saturating_add(1))
}
