//! The metrics, audiences and history conditions that one program (or content) uses, as its own tables.
//!
//! A definition comes behind those it uses, so that its number is larger than theirs. Equal history conditions are
//! one, and their id is the same in every program that asks the same: it is a digest in which definitions count by
//! what they say, not by their place in the table.

use super::hash;
use super::renumber::Numbers;
use crate::expr::{Aggregate, Expr};
use crate::model::{Model, Uses};
use crate::name::Name;
use crate::program::{Def, Feature};

pub(super) struct Tables<'a> {
    model: &'a Model,
    defs: Vec<Def>,
    /// Beside `defs`: what each says, whatever it is called and wherever it stands.
    digests: Vec<Name>,
    features: Vec<Feature>,
}

impl<'a> Tables<'a> {
    pub(super) fn new(model: &'a Model) -> Self {
        Self { model, defs: Vec::new(), digests: Vec::new(), features: Vec::new() }
    }

    pub(super) fn finish(self) -> (Vec<Def>, Vec<Feature>) {
        (self.defs, self.features)
    }

    /// Takes everything of `uses` in and tells its numbers here. `None` if there are too many.
    pub(super) fn take(&mut self, uses: &Uses) -> Option<Numbers> {
        let mut numbers = Numbers::default();
        for name in &uses.defs {
            numbers.defs.push(self.def(*name)?);
        }
        for aggregate in &uses.features {
            let mut own = aggregate.clone();
            // A history condition may look at definitions, but not at other history.
            numbers.aggregate(&mut own);
            numbers.features.push(self.feature(own)?);
        }
        Some(numbers)
    }

    fn def(&mut self, name: Name) -> Option<u16> {
        if let Some(known) = self.defs.iter().position(|def| def.name == name) {
            return u16::try_from(known).ok();
        }
        let derived = self.model.derived.get(&name)?;
        let numbers = self.take(&derived.uses)?;
        let mut value = derived.value.clone();
        numbers.expr(&mut value);
        let digest = self.digest(&Said { expr: Some(&value), aggregate: None });
        let number = u16::try_from(self.defs.len()).ok()?;
        self.defs.push(Def { name, value });
        self.digests.push(digest);
        Some(number)
    }

    fn feature(&mut self, aggregate: Aggregate) -> Option<u16> {
        if let Some(known) = self.features.iter().position(|feature| feature.aggregate == aggregate) {
            return u16::try_from(known).ok();
        }
        let id = self.digest(&Said { expr: None, aggregate: Some(&aggregate) });
        let number = u16::try_from(self.features.len()).ok()?;
        self.features.push(Feature { id, aggregate });
        Some(number)
    }

    /// A digest that is the same in every program: numbers are replaced by the order in which they appear, and the
    /// digests of what they stand for are added.
    fn digest(&self, said: &Said<'_>) -> Name {
        let (mut expr, mut aggregate) = (said.expr.cloned(), said.aggregate.cloned());
        let mut used = Used::default();
        if let Some(expr) = &expr {
            used.see(expr);
        }
        if let Some(aggregate) = &aggregate {
            used.see_aggregate(aggregate);
        }
        let numbers = used.numbers();
        numbers.optional(&mut expr);
        if let Some(aggregate) = &mut aggregate {
            numbers.aggregate(aggregate);
        }
        let defs = used.defs.iter().filter_map(|&at| self.digests.get(usize::from(at)));
        let features = used.features.iter().filter_map(|&at| self.features.get(usize::from(at)));
        let features = features.map(|feature| feature.id);
        hash::short(&(expr, aggregate, defs.collect::<Vec<_>>(), features.collect::<Vec<_>>()))
    }
}

struct Said<'a> {
    expr: Option<&'a Expr>,
    aggregate: Option<&'a Aggregate>,
}

/// Numbers in the order in which they first appear.
#[derive(Default)]
struct Used {
    defs: Vec<u16>,
    features: Vec<u16>,
}

impl Used {
    fn see(&mut self, expr: &Expr) {
        match expr {
            Expr::Def(_, index) => note(&mut self.defs, *index),
            Expr::History(index) => note(&mut self.features, *index),
            Expr::Aggregate(aggregate) => self.see_aggregate(aggregate),
            other => other.parts().into_iter().for_each(|part| self.see(part)),
        }
    }

    fn see_aggregate(&mut self, aggregate: &Aggregate) {
        aggregate.exprs().into_iter().for_each(|part| self.see(part));
    }

    /// Old number to place of first appearance.
    fn numbers(&self) -> Numbers {
        let places = |used: &[u16]| {
            let mut places: Vec<u16> = Vec::new();
            for (place, &index) in (0_u16..).zip(used) {
                let room = usize::from(index) + 1;
                places.resize(places.len().max(room), 0);
                if let Some(slot) = places.get_mut(usize::from(index)) {
                    *slot = place;
                }
            }
            places
        };
        Numbers::new(places(&self.defs), places(&self.features))
    }
}

fn note(seen: &mut Vec<u16>, index: u16) {
    if !seen.contains(&index) {
        seen.push(index);
    }
}
