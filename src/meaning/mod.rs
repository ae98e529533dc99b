//! What conditions mean: audiences that nobody can be in, branches that nobody takes, audiences that are the same,
//! and an example customer for each answer.
//!
//! Reading order: `scope` (metrics, audiences and derived fields written out), `read` (an expression as a formula of
//! [`crate::logic`]: what is understood becomes tests of variables, everything else a variable of its own, so that
//! "never" is only said of what was proved), `history` (what counts and windows have to do with one another), [`words`]
//! (an example in the language's words). Upon these: `audience` and `journey` (findings), [`compare`] (two audiences,
//! for `wayfare audience`).

mod audience;
pub mod compare;
mod history;
mod journey;
mod read;
mod scope;
mod shape;
mod tell;
pub mod words;

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Diagnostic;
use crate::model::{Journey, Model};
use crate::name::Name;

/// Findings about the conditions of a model: of its audiences, and of those of its journeys that are sound. Goes on
/// from model to model, looking only at what changed.
#[derive(Debug, Default)]
pub struct Meanings {
    audiences: Vec<Diagnostic>,
    /// How many metrics and audiences there were.
    derived: usize,
    journeys: BTreeMap<Name, Vec<Diagnostic>>,
}

impl Meanings {
    /// Looks at what is called `names` in `model`, or at everything.
    pub fn look(&mut self, model: &Model, names: Option<&BTreeSet<Name>>, sound: impl Fn(Name) -> bool) {
        let changed = names.is_none_or(|names| names.iter().any(|name| model.derived.contains_key(name)));
        if changed || self.derived != model.derived.len() {
            self.audiences = audience::check(model);
            self.derived = model.derived.len();
        }
        let Some(names) = names else {
            self.journeys.clear();
            model
                .journeys
                .values()
                .filter(|journey| sound(journey.name))
                .for_each(|journey| self.add(model, journey));
            return;
        };
        for name in names {
            self.journeys.remove(name);
            if let Some(journey) = model.journeys.get(name).filter(|journey| sound(journey.name)) {
                self.add(model, journey);
            }
        }
    }

    fn add(&mut self, model: &Model, journey: &Journey) {
        let found = journey::check(model, journey);
        if !found.is_empty() {
            self.journeys.insert(journey.name, found);
        }
    }

    pub fn findings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.audiences.iter().chain(self.journeys.values().flatten())
    }
}

/// `wayfare audience show` and `compare` ask for audiences by name.
#[must_use]
pub fn audiences(model: &Model) -> BTreeMap<Name, Name> {
    let audiences = model.derived.values().filter(|derived| derived.audience);
    audiences.map(|derived| (derived.name, derived.subject)).collect()
}

#[cfg(test)]
mod tests;
