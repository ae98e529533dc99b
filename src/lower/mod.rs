//! From the checked model to a [`Bundle`]: what the daemon loads.
//!
//! [`bundle`] puts the parts together; `table` flattens the steps of a journey; `tables` gives a journey its own
//! copies of the metrics, audiences and history conditions it uses, so that a program needs nothing beside itself;
//! [`hash`] addresses the parts by content. Only a model without errors is lowered. The result depends on what the
//! files say, never on their names, their order or where in them a journey stands; [`Program::origin`] and
//! [`Program::lines`] keep the places for blame and stay out of every hash.

pub mod hash;
mod journey;
mod renumber;
mod schema;
mod table;
mod tables;
mod tracked;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{self, Model};
use crate::name::Name;
use crate::program::{Bundle, Content, FORMAT, Hashed, Program};
use crate::text::{Sources, Span};

/// A part of a model that has no place in a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// The journey, content, metric or audience.
    pub name: Name,
    pub span: Span,
}

/// Lowers the whole model. `sources` tells the places of steps.
///
/// # Errors
/// Everything that has more parts than a program can number (65,535).
pub fn bundle(model: &Model, sources: &Sources) -> Result<Bundle, Vec<TooLarge>> {
    let mut lowered = Lowered::default();
    lowered.forget(model, None);
    lowered.complete(model, sources);
    if lowered.large.is_empty() {
        Ok(lowered.bundle(model))
    } else {
        Err(lowered.too_large().cloned().collect())
    }
}

/// The lowered parts of a model. Goes on from model to model, lowering only what changed.
#[derive(Debug, Default)]
pub struct Lowered {
    contents: BTreeMap<Name, Hashed<Content>>,
    programs: BTreeMap<Name, Hashed<Program>>,
    /// Not hashed yet: that is worth its time only when somebody asks for the bundle.
    new_contents: BTreeMap<Name, Content>,
    new_programs: BTreeMap<Name, Program>,
    /// Contents come before journeys.
    large: BTreeMap<(Part, Name), TooLarge>,
    missing: BTreeSet<(Part, Name)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Content,
    Journey,
}

impl Lowered {
    /// Drops what is called `names`, or everything.
    pub fn forget(&mut self, model: &Model, names: Option<&BTreeSet<Name>>) {
        let Some(names) = names else {
            *self = Self::default();
            self.missing.extend(model.contents.keys().map(|&name| (Part::Content, name)));
            self.missing.extend(model.journeys.keys().map(|&name| (Part::Journey, name)));
            return;
        };
        for &name in names {
            self.contents.remove(&name);
            self.programs.remove(&name);
            self.new_contents.remove(&name);
            self.new_programs.remove(&name);
            for part in [Part::Content, Part::Journey] {
                self.large.remove(&(part, name));
                self.missing.insert((part, name));
            }
        }
    }

    /// Lowers what is missing. Only of a model without errors.
    pub fn complete(&mut self, model: &Model, sources: &Sources) {
        for (part, name) in std::mem::take(&mut self.missing) {
            let span = match part {
                Part::Content => model.contents.get(&name).and_then(|it| match content(model, it) {
                    Some(body) => {
                        self.new_contents.insert(name, body);
                        None
                    }
                    None => Some(it.span),
                }),
                Part::Journey => {
                    model.journeys.get(&name).and_then(|it| match journey::program(model, it, sources) {
                        Some(body) => {
                            self.new_programs.insert(name, body);
                            None
                        }
                        None => Some(it.span),
                    })
                }
            };
            self.large.extend(span.map(|span| ((part, name), TooLarge { name, span })));
        }
    }

    /// What has more parts than a program can number (65,535).
    pub fn too_large(&self) -> impl Iterator<Item = &TooLarge> {
        self.large.values()
    }

    /// All parts together, once [`Self::complete`] and nothing too large.
    #[must_use]
    pub fn bundle(&mut self, model: &Model) -> Bundle {
        let contents = std::mem::take(&mut self.new_contents);
        self.contents.extend(contents.into_iter().map(|(name, body)| (name, hash::content(body))));
        let programs = std::mem::take(&mut self.new_programs);
        self.programs.extend(programs.into_iter().map(|(name, body)| (name, hash::program(body))));
        assemble(model, self.contents.clone(), self.programs.clone())
    }
}

fn assemble(
    model: &Model,
    contents: BTreeMap<Name, Hashed<Content>>,
    programs: BTreeMap<Name, Hashed<Program>>,
) -> Bundle {
    let mut bundle = Bundle {
        format: FORMAT,
        hash: Arc::from(""),
        schema: schema::schema(model),
        channels: schema::channels(model),
        contents,
        calendars: model.calendars.iter().map(|(&name, calendar)| (name, calendar.data.clone())).collect(),
        values: model.values.clone(),
        programs,
    };
    bundle.hash = hash::bundle(&bundle);
    bundle
}

/// The content with its metrics and history conditions inside.
fn content(model: &Model, content: &model::Content) -> Option<Content> {
    let mut tables = tables::Tables::new(model);
    let numbers = tables.take(&content.uses)?;
    let mut variants = content.variants.clone();
    for (_, _, copy) in variants.iter_mut().flat_map(|variant| &mut variant.parts) {
        numbers.copy(copy);
    }
    let (defs, features) = tables.finish();
    Some(Content {
        name: content.name,
        label: content.label.clone(),
        takes: content.takes.clone(),
        open: content.open,
        variants,
        defs,
        features,
    })
}

#[cfg(test)]
mod tests;
