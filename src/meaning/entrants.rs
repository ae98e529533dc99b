//! Who can be in several journeys: what each asks of its subject on entering, read in one space.
//!
//! Only what a subject *is* counts, its attributes. What it did, its tags, the time and the event that came can be
//! otherwise a moment later, and whoever is not let in today is let in tomorrow: they keep nobody apart.

use std::collections::BTreeSet;

use super::read::Reader;
use super::scope::{Scope, any};
use super::tell::{Said, parts};
use super::words::lines;
use crate::expr::{Expr, Pattern};
use crate::logic::{Answer, Formula, Trust};
use crate::model::{Journey, Model};
use crate::name::Name;
use crate::program::Enter;

#[derive(Clone, Debug)]
pub struct Entrants<'m> {
    reader: Reader<'m>,
    /// For each journey what holds of whoever enters.
    entered: Vec<Vec<Formula>>,
    /// Pairs of which it is proved that nobody is let in to both while attributes stay as they are.
    apart: BTreeSet<(usize, usize)>,
}

impl<'m> Entrants<'m> {
    /// Of journeys of one kind of subject; they are numbered in this order.
    #[must_use]
    pub fn of(model: &'m Model, subject: Name, journeys: &[&Journey]) -> Self {
        let mut reader = Reader::new(Scope::of(model, subject));
        let entered = journeys.iter().map(|journey| lasting(&mut reader, journey)).collect();
        let mut found = Self { reader, entered, apart: BTreeSet::new() };
        for one in 0..journeys.len() {
            for other in one + 1..journeys.len() {
                let formulas = found.formulas(&[one, other]);
                if formulas.len() > 1 && found.reader.is_never(&formulas, Trust::Types) {
                    found.apart.insert((one, other));
                }
            }
        }
        found
    }

    #[must_use]
    pub fn are_apart(&self, one: usize, other: usize) -> bool {
        self.apart.contains(&(one.min(other), one.max(other)))
    }

    /// Somebody whom all of these let in, one line for each thing that matters; empty: anybody. `None`: nobody, or it
    /// cannot be told.
    #[must_use]
    pub fn example(&self, journeys: &[usize]) -> Option<Vec<String>> {
        match self.reader.solve(&self.formulas(journeys), Trust::Types) {
            Answer::Example(example) => Some(lines(&self.reader, &example)),
            Answer::Never | Answer::Unknown => None,
        }
    }

    fn formulas(&self, journeys: &[usize]) -> Vec<&Formula> {
        journeys.iter().filter_map(|at| self.entered.get(*at)).flatten().collect()
    }
}

/// What a journey asks of whoever enters, as far as only attributes decide it.
fn lasting(reader: &mut Reader<'_>, journey: &Journey) -> Vec<Formula> {
    let only = |patterns: &[Pattern]| match patterns {
        [only] => only.filter.clone(),
        _ => None,
    };
    let condition = match &journey.enter {
        Enter::Event(patterns) => only(patterns),
        Enter::When { condition, .. } => Some(condition.clone()),
        Enter::Date { filter, .. } | Enter::Anchor { filter, .. } | Enter::Every { filter, .. } => {
            filter.clone()
        }
        _ => None,
    };
    let Some(condition) = condition else { return Vec::new() };
    let mut all = Vec::new();
    parts(&reader.scope.expand(&condition, &journey.uses), Said::True, &mut all);
    let all = all.into_iter().filter(|part| !any(&part.expr, &passes));
    all.map(|part| part.formula(reader)).collect()
}

/// Whether a part of a condition may be otherwise a moment later, or for another event.
fn passes(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::History(_)
            | Expr::Aggregate(_)
            | Expr::Def(..)
            | Expr::Tag(..)
            | Expr::Element
            | Expr::Entry
            | Expr::Local(_)
            | Expr::Now
            | Expr::Today
    )
}
