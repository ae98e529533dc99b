//! Rows of tests, first match wins: `match`, tables, stages. Is every value named, and is a row never reached?

use super::{Absence, Answer, Domain, Example, Formula, Space, Test, Trust, Var};

/// One cell of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Pat {
    /// `_`
    Any,
    /// Any of these.
    Tests(Vec<Test>),
}

/// Whether the rows name every combination of values.
#[derive(Clone, Debug)]
pub enum Coverage {
    Full,
    /// What is not named: [`Example::held`] of each column's [`Columns::var`].
    Lacks(Example),
    /// Too large to tell: ask for an `else`.
    Unknown,
}

/// What becomes of a row.
#[derive(Clone, Debug)]
pub enum Row {
    /// Reached, for example so.
    Taken(Example),
    /// Never reached: these rows before it take everything. Empty: it cannot be true at all.
    Dead {
        by: Vec<usize>,
    },
    Unknown,
}

/// Columns of a table, each with what its value can be. Values are there; a column that may lack its value is not
/// asked.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    space: Space,
    vars: Vec<Var>,
}

impl Columns {
    #[must_use]
    pub fn new(domains: impl IntoIterator<Item = Domain>) -> Self {
        let mut space = Space::default();
        let vars = domains.into_iter().map(|domain| space.add(domain, Absence::Never)).collect();
        Self { space, vars }
    }

    /// The variable of a column, from 0.
    #[must_use]
    pub fn var(&self, column: usize) -> Option<Var> {
        self.vars.get(column).copied()
    }

    #[must_use]
    pub fn exhaustive(&self, rows: &[Vec<Pat>]) -> Coverage {
        let missed: Vec<Formula> = rows.iter().map(|row| self.formula(row).negated()).collect();
        match self.space.solve(&missed, Trust::Types) {
            Answer::Never => Coverage::Full,
            Answer::Example(example) => Coverage::Lacks(example),
            Answer::Unknown => Coverage::Unknown,
        }
    }

    /// What becomes of each row.
    #[must_use]
    pub fn rows(&self, rows: &[Vec<Pat>]) -> Vec<Row> {
        let formulas: Vec<Formula> = rows.iter().map(|row| self.formula(row)).collect();
        first_match(&self.space, &formulas, Trust::Types)
    }

    fn formula(&self, row: &[Pat]) -> Formula {
        let cells = self.vars.iter().zip(row).filter_map(|(var, pat)| match pat {
            Pat::Any => None,
            Pat::Tests(tests) => {
                Some(Formula::Or(tests.iter().map(|test| Formula::Is(*var, test.clone())).collect()))
            }
        });
        Formula::And(cells.collect())
    }
}

/// What becomes of each of these conditions, where the first true one is taken.
#[must_use]
pub fn first_match(space: &Space, conditions: &[Formula], trust: Trust) -> Vec<Row> {
    let nots: Vec<Formula> = conditions.iter().map(|condition| condition.clone().negated()).collect();
    let rows = conditions.iter().enumerate().map(|(at, condition)| {
        let before: Vec<&Formula> = nots.iter().take(at).collect();
        match space.solve(before.iter().copied().chain([condition]), trust) {
            Answer::Example(example) => Row::Taken(example),
            Answer::Unknown => Row::Unknown,
            Answer::Never => Row::Dead { by: needed(space, condition, &before, trust) },
        }
    });
    rows.collect()
}

/// A smallest set of `facts` that cannot hold together with `condition`, in their order: none of them can be left
/// out. All of them, where that cannot be told.
#[must_use]
pub fn needed(space: &Space, condition: &Formula, facts: &[&Formula], trust: Trust) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..facts.len()).collect();
    for drop in (0..facts.len()).rev() {
        let rest = kept.iter().filter(|at| **at != drop).filter_map(|at| facts.get(*at).copied());
        if space.is_never(rest.chain([condition]), trust) {
            kept.retain(|at| *at != drop);
        }
    }
    kept
}
