//! What the constants of all tests cut the domain of a variable into. Within a region no test can tell two values
//! apart, so a variable is a choice among finitely many regions, and a test a set of them. Region 0 holds nothing.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::{Absence, Domain, Scale, Test, Trust};
use crate::name::Name;
use crate::value::Value;

const WORDS: usize = 4;
/// Regions that one variable can have.
pub(super) const MOST: usize = WORDS * 64;

/// A set of regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mask([u64; WORDS]);

impl Mask {
    pub(super) const NONE: Self = Self([0; WORDS]);
    pub(super) const ALL: Self = Self([u64::MAX; WORDS]);

    pub(super) fn with(mut self, region: usize) -> Self {
        if let Some(word) = self.0.get_mut(region / 64) {
            *word |= 1 << (region % 64);
        }
        self
    }

    pub(super) fn has(&self, region: usize) -> bool {
        self.0.get(region / 64).is_some_and(|word| word & (1 << (region % 64)) != 0)
    }

    pub(super) fn and(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    pub(super) fn without(self, other: Self) -> Self {
        self.zip(other, |a, b| a & !b)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(super) fn is_in(self, other: Self) -> bool {
        self.without(other).is_empty()
    }

    fn zip(self, other: Self, op: fn(u64, u64) -> u64) -> Self {
        let mut words = [0; WORDS];
        for (to, (a, b)) in words.iter_mut().zip(self.0.iter().zip(other.0)) {
            *to = op(*a, b);
        }
        Self(words)
    }
}

/// The regions of one variable.
#[derive(Clone, Debug)]
pub(super) enum Regions {
    /// 1 false, 2 true.
    Bool,
    /// 1.. in order.
    Cases(Vec<Name>),
    /// Ends, sorted: 1 is below the first, 2 at it, 3 between it and the second, …
    Line(Scale, Vec<Decimal>),
    /// 1 is any other value, 2.. those mentioned.
    Open(Vec<Value>),
    /// 1 less, 2 equal, 3 greater.
    Order,
}

impl Regions {
    /// The regions that `tests` make of `domain`; `None` if they are too many.
    pub(super) fn new(domain: &Domain, tests: &[&Test]) -> Option<Self> {
        let regions = match domain {
            Domain::Bool => Self::Bool,
            Domain::Order => Self::Order,
            Domain::Cases(cases) => Self::Cases(cases.clone()),
            Domain::Line { scale, least } => {
                let values = tests.iter().flat_map(|test| constants(test));
                let mut ends: Vec<Decimal> = values.filter_map(|value| scale.place(value)).collect();
                ends.extend(least.map(Decimal::from));
                ends.sort_unstable();
                ends.dedup();
                Self::Line(*scale, ends)
            }
            Domain::Open => {
                let mut known: Vec<Value> = Vec::new();
                for value in tests.iter().flat_map(|test| constants(test)) {
                    if !known.contains(value) {
                        known.push(value.clone());
                    }
                }
                Self::Open(known)
            }
        };
        (regions.count() <= MOST).then_some(regions)
    }

    pub(super) fn count(&self) -> usize {
        match self {
            Self::Bool => 3,
            Self::Order => 4,
            Self::Cases(cases) => cases.len() + 1,
            Self::Line(_, ends) => 2 * ends.len() + 2,
            Self::Open(known) => known.len() + 2,
        }
    }

    /// All regions that hold a value at all.
    pub(super) fn whole(&self, domain: &Domain, absence: Absence, trust: Trust) -> Mask {
        let missing = match absence {
            Absence::Never => false,
            Absence::Unheard => trust == Trust::Nothing,
            Absence::Possible => true,
        };
        let least = match domain {
            Domain::Line { least, .. } => least.map(Decimal::from),
            _ => None,
        };
        let start = if missing { Mask::NONE.with(0) } else { Mask::NONE };
        let regions = (1..self.count()).filter(|region| match self {
            Self::Line(scale, ends) => holds_some(*scale, ends, *region, least),
            _ => true,
        });
        regions.fold(start, Mask::with)
    }

    /// The regions where the test is true.
    pub(super) fn mask(&self, test: &Test) -> Mask {
        match (self, test) {
            (_, Test::Missing) => Mask::NONE.with(0),
            (_, Test::OneOf(values)) => {
                values.iter().filter_map(|value| self.region(value)).fold(Mask::NONE, Mask::with)
            }
            (Self::Order, Test::Compares(ways)) => {
                let region = |way: &Ordering| match way {
                    Ordering::Less => 1,
                    Ordering::Equal => 2,
                    Ordering::Greater => 3,
                };
                ways.iter().map(region).fold(Mask::NONE, Mask::with)
            }
            (Self::Line(..), Test::Less(value)) => self.span(None, Some((value, false))),
            (Self::Line(..), Test::LessEq(value)) => self.span(None, Some((value, true))),
            (Self::Line(..), Test::Greater(value)) => self.span(Some((value, false)), None),
            (Self::Line(..), Test::GreaterEq(value)) => self.span(Some((value, true)), None),
            (Self::Line(..), Test::Between { from, to, closed }) => {
                self.span(Some((from, true)), Some((to, *closed)))
            }
            (Self::Cases(cases), Test::Between { from, to, .. }) => {
                let at = |value: &Value| cases.iter().position(|case| *value == Value::Choice(*case));
                let (Some(from), Some(to)) = (at(from), at(to)) else { return Mask::NONE };
                (from..=to).map(|at| at + 1).fold(Mask::NONE, Mask::with)
            }
            _ => Mask::NONE,
        }
    }

    fn region(&self, value: &Value) -> Option<usize> {
        match self {
            Self::Bool => match value {
                Value::Bool(value) => Some(if *value { 2 } else { 1 }),
                _ => None,
            },
            Self::Cases(cases) => {
                cases.iter().position(|case| *value == Value::Choice(*case)).map(|at| at + 1)
            }
            Self::Line(scale, ends) => ends.binary_search(&scale.place(value)?).ok().map(|at| 2 * at + 2),
            Self::Open(known) => known.iter().position(|one| one == value).map(|at| at + 2),
            Self::Order => None,
        }
    }

    fn span(&self, from: Option<(&Value, bool)>, to: Option<(&Value, bool)>) -> Mask {
        let first = match from {
            None => Some(1),
            Some((value, with)) => self.region(value).map(|at| if with { at } else { at + 1 }),
        };
        let last = match to {
            None => Some(self.count() - 1),
            Some((value, with)) => self.region(value).map(|at| if with { at } else { at - 1 }),
        };
        let (Some(first), Some(last)) = (first, last) else { return Mask::NONE };
        (first..=last).fold(Mask::NONE, Mask::with)
    }
}

fn constants(test: &Test) -> Vec<&Value> {
    match test {
        Test::Missing | Test::Compares(_) => Vec::new(),
        Test::OneOf(values) => values.iter().collect(),
        Test::Less(value) | Test::LessEq(value) | Test::Greater(value) | Test::GreaterEq(value) => {
            vec![value]
        }
        Test::Between { from, to, .. } => vec![from, to],
    }
}

/// Whether a region of a line has any value: between two neighbours on a counted scale there is none.
fn holds_some(scale: Scale, ends: &[Decimal], region: usize, least: Option<Decimal>) -> bool {
    let end = |at: usize| ends.get(at).copied();
    if region.is_multiple_of(2) {
        let Some(at) = end(region / 2 - 1) else { return false };
        return (!scale.is_counted() || at.fract().is_zero()) && least.is_none_or(|least| at >= least);
    }
    let low = (region / 2).checked_sub(1).and_then(end);
    let high = end(region / 2);
    if let (Some(least), Some(high)) = (least, high)
        && high <= least
    {
        return false;
    }
    match (low, high) {
        (Some(low), Some(high)) if scale.is_counted() => low.floor() + Decimal::ONE < high,
        _ => true,
    }
}
