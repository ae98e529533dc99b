//! What conditions can hold together: formulas over variables, decided exactly within a bound.
//!
//! A variable stands for something a condition looks at (an attribute, a tag, a count) and has a [`Domain`]; a
//! [`Formula`] asks [`Test`]s of variables. [`Space::solve`] says `Never` only if it has proved that no values make
//! the formulas true; else it gives an example, or says that it gave up. Knows values but neither expressions nor
//! models: `meaning` reads those, and the checker of `match` and tables asks [`coverage`] directly.
//!
//! Reading order: [`line`] (values on a number line), `region` (what the constants cut a domain into), `solve`, `plain`,
//! [`held`] (an answer as values), [`coverage`] (rows: is every value named, is one never reached).

pub mod coverage;
pub mod held;
pub mod line;
mod plain;
mod region;
mod solve;

use std::cmp::Ordering;

use crate::name::Name;
use crate::value::{Type, Value};

pub use held::{Example, Held};
pub use line::Scale;
pub use solve::{Answer, Trust};

/// A variable of a [`Space`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Var(usize);

/// What a variable can hold besides nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    Bool,
    /// One of these and no other.
    Cases(Vec<Name>),
    /// Ordered values; `least` is in units of the scale.
    Line {
        scale: Scale,
        least: Option<i64>,
    },
    /// Values that are only ever the same or not: texts, ids.
    Open,
    /// How two values compare.
    Order,
}

/// Whether a variable can hold nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    Never,
    /// Its type says that it is always there; data that never came in can still lack it.
    Unheard,
    Possible,
}

/// A question to one variable. Where it holds nothing, only [`Test::Missing`] is true.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    Missing,
    OneOf(Vec<Value>),
    Less(Value),
    LessEq(Value),
    Greater(Value),
    GreaterEq(Value),
    /// `closed`: the right end belongs to it.
    Between {
        from: Value,
        to: Value,
        closed: bool,
    },
    /// Of [`Domain::Order`]: it compares in one of these ways.
    Compares(Vec<Ordering>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Formula {
    Const(bool),
    Is(Var, Test),
    Not(Box<Formula>),
    And(Vec<Formula>),
    Or(Vec<Formula>),
}

/// The variables that formulas speak of.
#[derive(Clone, Debug, Default)]
pub struct Space {
    vars: Vec<(Domain, Absence)>,
}

impl Test {
    /// In the range, or the value itself. As the evaluator has it, counted values include the right end.
    #[must_use]
    pub fn of_value(value: Value) -> Self {
        match value {
            Value::Range(ends) => {
                let closed = matches!(ends.0, Value::Int(_) | Value::Date(_) | Value::Choice(_));
                Self::Between { from: ends.0, to: ends.1, closed }
            }
            value => Self::OneOf(vec![value]),
        }
    }
}

impl Domain {
    /// Of a type; `cases` are those of a choice. `None` for types whose values cannot be told apart by tests.
    #[must_use]
    pub fn of(ty: &Type, cases: impl FnOnce() -> Option<Vec<Name>>) -> Option<Self> {
        let line = |scale| Self::Line { scale, least: None };
        Some(match ty.known() {
            Type::Bool => Self::Bool,
            Type::Int => line(Scale::Whole),
            Type::Decimal => line(Scale::Number),
            Type::Percent => line(Scale::Percent),
            Type::Money(currency) => line(Scale::Money(*currency)),
            Type::Date => line(Scale::Date),
            Type::Time => Self::Line { scale: Scale::Time, least: Some(0) },
            Type::Moment => line(Scale::Moment),
            Type::Duration => line(Scale::Elapsed),
            Type::Choice(_) | Type::OneOf(_) => Self::Cases(cases()?),
            Type::Text | Type::ShortText(_) | Type::Id | Type::Entity(_) | Type::Channel | Type::Content => {
                Self::Open
            }
            _ => return None,
        })
    }
}

impl Space {
    pub fn add(&mut self, domain: Domain, absence: Absence) -> Var {
        self.vars.push((domain, absence));
        Var(self.vars.len() - 1)
    }

    #[must_use]
    pub fn domain(&self, var: Var) -> Option<&Domain> {
        self.vars.get(var.0).map(|(domain, _)| domain)
    }

    pub fn vars(&self) -> impl Iterator<Item = Var> {
        (0..self.vars.len()).map(Var)
    }
}

impl Formula {
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Const(value) => Self::Const(!value),
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::And(vec![self, other])
    }

    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::Or(vec![self, other])
    }

    /// The variables it asks, each once.
    #[must_use]
    pub fn vars(&self) -> Vec<Var> {
        let mut vars = Vec::new();
        self.each(&mut |var, _| vars.push(var));
        vars.sort_unstable();
        vars.dedup();
        vars
    }

    /// Every test in it.
    pub fn each(&self, found: &mut impl FnMut(Var, &Test)) {
        match self {
            Self::Const(_) => {}
            Self::Is(var, test) => found(*var, test),
            Self::Not(inner) => inner.each(found),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.each(found)),
        }
    }
}

#[cfg(test)]
mod tests;
