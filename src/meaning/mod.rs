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

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::model::{Journey, Model};
use crate::name::Name;

/// Findings about the conditions of `model`: of its audiences, and of those of its journeys that are `sound`.
#[must_use]
pub fn check<'m>(model: &'m Model, sound: impl IntoIterator<Item = &'m Journey>) -> Vec<Diagnostic> {
    let mut found = audience::check(model);
    for journey in sound {
        found.extend(journey::check(model, journey));
    }
    found
}

/// `wayfare audience show` and `compare` ask for audiences by name.
#[must_use]
pub fn audiences(model: &Model) -> BTreeMap<Name, Name> {
    let audiences = model.derived.values().filter(|derived| derived.audience);
    audiences.map(|derived| (derived.name, derived.subject)).collect()
}

#[cfg(test)]
mod tests;
