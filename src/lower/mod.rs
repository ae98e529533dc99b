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

use std::collections::BTreeMap;
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
    let mut errors = Vec::new();
    let mut contents = BTreeMap::new();
    for (&name, content) in &model.contents {
        match self::content(model, content) {
            Some(body) => _ = contents.insert(name, hash::content(body)),
            None => errors.push(TooLarge { name, span: content.span }),
        }
    }
    let mut programs = BTreeMap::new();
    for (&name, journey) in &model.journeys {
        match journey::program(model, journey, sources) {
            Some(body) => _ = programs.insert(name, hash::program(body)),
            None => errors.push(TooLarge { name, span: journey.span }),
        }
    }
    if errors.is_empty() { Ok(assemble(model, contents, programs)) } else { Err(errors) }
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
