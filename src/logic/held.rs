//! An answer as values: what each variable may hold, and one natural value of it.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::region::{Mask, Regions};
use super::{Scale, Var};
use crate::expr::show;
use crate::name::Name;
use crate::value::Value;

/// What a variable may hold so that everything asked is true.
#[derive(Clone, Debug, PartialEq)]
pub enum Held {
    Missing,
    /// Any of these.
    OneOf(Vec<Value>),
    /// Any text, id, … but these.
    NoneOf(Vec<Value>),
    /// From one end to the other; whether an end belongs to it.
    Between {
        scale: Scale,
        low: Option<(Decimal, bool)>,
        high: Option<(Decimal, bool)>,
    },
    Compares(Ordering),
}

/// An assignment: for each variable that matters, what it may hold.
#[derive(Clone, Debug)]
pub struct Example {
    held: Vec<Option<Held>>,
}

impl Example {
    pub(super) fn new(regions: Vec<Option<Regions>>, whole: &[Mask], masks: &[Mask]) -> Self {
        let held = regions.into_iter().zip(whole).zip(masks).map(|((regions, whole), mask)| {
            if whole == mask { None } else { Some(held(&regions?, *mask, *whole)) }
        });
        Self { held: held.collect() }
    }

    /// `None`: whatever it holds.
    #[must_use]
    pub fn held(&self, var: Var) -> Option<&Held> {
        self.held.get(var.0)?.as_ref()
    }
}

impl Held {
    /// One value of it, as round as can be: an end that belongs to it, or a round one inside. `None` where there is
    /// none to name.
    #[must_use]
    pub fn value(&self) -> Option<Value> {
        match self {
            Self::Missing => Some(Value::Missing),
            Self::OneOf(values) => values.first().cloned(),
            Self::NoneOf(_) | Self::Compares(_) => None,
            Self::Between { scale, low, high } => {
                let at = match (low, high) {
                    (Some((low, true)), _) => Some(*low),
                    (None, Some((high, true))) => Some(*high),
                    (low, high) => {
                        let low = low.map(|(at, _)| at);
                        // A closed right end with an open left one: the end itself will do if nothing rounder is there.
                        let inside = scale.between(low, high.map(|(at, _)| at));
                        inside.or_else(|| high.filter(|(_, with)| *with).map(|(at, _)| at))
                    }
                };
                scale.value(at?)
            }
        }
    }
}

impl Held {
    /// In words, of something called `name`: `tier is gold`, `10_000 CNY <= gain < 20_000 CNY`, in backticks.
    #[must_use]
    pub fn words(&self, name: &str) -> String {
        match self {
            Self::Missing => format!("`{name} is missing`"),
            Self::OneOf(values) => format!("`{name} is {}`", listed(values, "` or `")),
            Self::NoneOf(values) if values.is_empty() => format!("any `{name}`"),
            Self::NoneOf(values) => format!("any `{name}` but `{}`", listed(values, "`, `")),
            Self::Compares(_) => format!("`{name}`"),
            Self::Between { scale, low, high } => stretch(name, *scale, *low, *high),
        }
    }
}

impl Held {
    /// As a column of a row at the end of a table, where the rows above have taken theirs.
    #[must_use]
    pub fn pattern(&self) -> String {
        match self {
            Self::OneOf(values) => listed(values, " | "),
            Self::Missing | Self::NoneOf(_) | Self::Compares(_) => "_".to_owned(),
            Self::Between { scale, low, high } => {
                let word = |at: Decimal| scale.value(at).map(|value| show::value(&value));
                let compared = match (low, high) {
                    (Some((low, _)), Some((high, _))) if low == high => word(*low),
                    (Some((low, with)), _) => {
                        word(*low).map(|word| format!("{} {word}", if *with { ">=" } else { ">" }))
                    }
                    (None, Some((high, with))) => {
                        word(*high).map(|word| format!("{} {word}", if *with { "<=" } else { "<" }))
                    }
                    (None, None) => None,
                };
                compared.unwrap_or_else(|| "_".to_owned())
            }
        }
    }
}

fn listed(values: &[Value], between: &str) -> String {
    values.iter().map(show::value).collect::<Vec<_>>().join(between)
}

type End = Option<(Decimal, bool)>;

fn stretch(name: &str, scale: Scale, low: End, high: End) -> String {
    let word = |at: Decimal| scale.value(at).map(|value| show::value(&value)).unwrap_or_default();
    let sign = |with: bool, open: &'static str, closed: &'static str| if with { closed } else { open };
    match (low, high) {
        (Some((low, _)), Some((high, _))) if low == high => format!("`{name} is {}`", word(low)),
        (Some((low, with)), Some((high, too))) => {
            let (left, right) = (sign(with, "<", "<="), sign(too, "<", "<="));
            format!("`{} {left} {name} {right} {}`", word(low), word(high))
        }
        (Some((low, with)), None) => format!("`{name} {} {}`", sign(with, ">", ">="), word(low)),
        (None, Some((high, with))) => format!("`{name} {} {}`", sign(with, "<", "<="), word(high)),
        (None, None) => format!("any `{name}`"),
    }
}

fn held(regions: &Regions, mask: Mask, whole: Mask) -> Held {
    let known: Vec<usize> = (1..regions.count()).filter(|region| mask.has(*region)).collect();
    let Some(first) = known.first().copied() else { return Held::Missing };
    match regions {
        Regions::Bool => Held::OneOf(known.iter().map(|region| Value::Bool(*region == 2)).collect()),
        Regions::Cases(cases) => {
            let cases = known.iter().filter_map(|region| cases.get(region - 1));
            Held::OneOf(cases.map(|case: &Name| Value::Choice(*case)).collect())
        }
        Regions::Open(values) if first == 1 => {
            let shut = values.iter().enumerate().filter(|(at, _)| !mask.has(at + 2));
            Held::NoneOf(shut.map(|(_, value)| value.clone()).collect())
        }
        Regions::Open(values) => {
            Held::OneOf(known.iter().filter_map(|region| values.get(region - 2)).cloned().collect())
        }
        Regions::Order => Held::Compares(match first {
            1 => Ordering::Less,
            2 => Ordering::Equal,
            _ => Ordering::Greater,
        }),
        Regions::Line(scale, ends) => {
            // The first stretch without a gap; a region without values is no gap.
            let stretch = (first..regions.count()).take_while(|at| mask.has(*at) || !whole.has(*at));
            let last = stretch.filter(|at| mask.has(*at)).last().unwrap_or(first);
            let end = |at: usize| ends.get(at).copied();
            let low = match first {
                1 => None,
                at if at % 2 == 0 => end(at / 2 - 1).map(|end| (end, true)),
                at => end(at / 2 - 1).map(|end| (end, false)),
            };
            let high = match last {
                at if at % 2 == 0 => end(at / 2 - 1).map(|end| (end, true)),
                at => end(at / 2).map(|end| (end, false)),
            };
            Held::Between { scale: *scale, low, high }
        }
    }
}
