//! What conditions mean: audiences that nobody can be in, branches that nobody takes, audiences that are the same,
//! and an example customer for each answer.
//!
//! Reading order: `scope` (metrics, audiences and derived fields written out), `read` (an expression as a formula of
//! [`crate::logic`]: what is understood becomes tests of variables, everything else a variable of its own, so that
//! "never" is only said of what was proved), `history` (what counts and windows have to do with one another), [`words`]
//! (an example in the language's words). Upon these: `audience` and `journey` (findings), [`compare`] (two audiences,
//! for `wayfare audience`), [`entrants`] (who can be in several journeys).

mod audience;
pub mod compare;
pub mod entrants;
mod history;
mod journey;
pub mod mind;
mod read;
mod scope;
mod shape;
mod tell;
pub mod words;

use std::collections::{BTreeMap, BTreeSet};

use self::audience::{Alike, Look};
use crate::diagnostic::Diagnostic;
use crate::model::Model;
use crate::name::Name;

/// Findings about the conditions of a model: of its audiences, and of those of its journeys that are sound. Goes on
/// from model to model, looking only at what changed.
#[derive(Debug, Default)]
pub struct Meanings {
    derived: BTreeMap<Name, Look>,
    alike: BTreeMap<Alike, BTreeSet<Name>>,
    twins: BTreeMap<Alike, Vec<Diagnostic>>,
    journeys: BTreeMap<Name, Vec<Diagnostic>>,
}

impl Meanings {
    /// Looks at what is called `names` in `model`, or at everything.
    pub fn look(&mut self, model: &Model, names: Option<&BTreeSet<Name>>, sound: impl Fn(Name) -> bool) {
        let all;
        let names = if let Some(names) = names {
            names
        } else {
            *self = Self::default();
            all = model.derived.keys().chain(model.journeys.keys()).copied().collect();
            &all
        };
        self.look_at_derived(model, names);
        for name in names {
            self.journeys.remove(name);
            if let Some(journey) = model.journeys.get(name).filter(|journey| sound(journey.name)) {
                let found = journey::check(model, journey);
                if !found.is_empty() {
                    self.journeys.insert(journey.name, found);
                }
            }
        }
    }

    fn look_at_derived(&mut self, model: &Model, names: &BTreeSet<Name>) {
        let mut touched: BTreeSet<Alike> = BTreeSet::new();
        for name in names {
            if let Some(alike) = self.derived.remove(name).and_then(|look| look.alike) {
                if let Some(group) = self.alike.get_mut(&alike) {
                    group.remove(name);
                }
                touched.insert(alike);
            }
            let Some(derived) = model.derived.get(name) else { continue };
            let look = audience::look(model, derived);
            if let Some(alike) = &look.alike {
                self.alike.entry(alike.clone()).or_default().insert(*name);
                touched.insert(alike.clone());
            }
            self.derived.insert(*name, look);
        }
        for alike in touched {
            let group = self.alike.get(&alike).into_iter().flatten();
            let found = audience::same(model, group.filter_map(|name| model.derived.get(name)));
            if found.is_empty() {
                self.twins.remove(&alike);
            } else {
                self.twins.insert(alike, found);
            }
        }
    }

    pub fn findings(&self) -> impl Iterator<Item = &Diagnostic> {
        let derived = self.derived.values().flat_map(|look| &look.found);
        derived.chain(self.twins.values().flatten()).chain(self.journeys.values().flatten())
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
