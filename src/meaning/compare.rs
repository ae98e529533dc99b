//! Audiences for people: one written out with an example of who is in it, and how two lie to one another.

use super::read::Reader;
use super::scope::Scope;
use super::words::lines;
use crate::expr::show;
use crate::logic::{Answer, Formula, Trust};
use crate::model::{Derived, Model};

/// An example customer: one line for each thing that matters; none where anybody will do.
pub type Customer = Vec<String>;

/// One audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Written out: without the names of other audiences and metrics.
    pub condition: String,
    pub inside: Found,
    pub outside: Found,
}

/// Whether there can be somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Nobody,
    Somebody(Customer),
    /// The conditions are too large to tell.
    Unknown,
}

/// How two audiences of one kind of subject lie to one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    pub both: Found,
    pub only_first: Found,
    pub only_second: Found,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Same,
    FirstInside,
    SecondInside,
    Apart,
    Overlap,
    Unknown,
}

impl Compared {
    #[must_use]
    pub fn relation(&self) -> Relation {
        let nobody = |found: &Found| *found == Found::Nobody;
        let found = [&self.both, &self.only_first, &self.only_second];
        match found.map(nobody) {
            [false, true, true] => Relation::Same,
            [true, ..] => Relation::Apart,
            _ if found.contains(&&Found::Unknown) => Relation::Unknown,
            [_, true, _] => Relation::FirstInside,
            [_, _, true] => Relation::SecondInside,
            [_, false, false] => Relation::Overlap,
        }
    }
}

#[must_use]
pub fn show(model: &Model, audience: &Derived) -> Shown {
    let mut reader = Reader::new(Scope::of(model, audience.subject));
    let expr = reader.scope.expand(&audience.value, &audience.uses);
    let truth = reader.truth(&expr);
    let condition = show::expr(&expr, &reader.scope);
    let not = truth.clone().negated();
    Shown { condition, inside: found(&reader, &[&truth]), outside: found(&reader, &[&not]) }
}

/// Both must be of the same subject.
#[must_use]
pub fn compare(model: &Model, first: &Derived, second: &Derived) -> Compared {
    let mut reader = Reader::new(Scope::of(model, first.subject));
    let [first, second] = [first, second].map(|derived| {
        let expr = reader.scope.expand(&derived.value, &derived.uses);
        reader.truth(&expr)
    });
    let (not_first, not_second) = (first.clone().negated(), second.clone().negated());
    Compared {
        both: found(&reader, &[&first, &second]),
        only_first: found(&reader, &[&first, &not_second]),
        only_second: found(&reader, &[&second, &not_first]),
    }
}

fn found(reader: &Reader, formulas: &[&Formula]) -> Found {
    match reader.solve(formulas, Trust::Types) {
        Answer::Never => Found::Nobody,
        Answer::Example(example) => Found::Somebody(lines(reader, &example)),
        Answer::Unknown => Found::Unknown,
    }
}
