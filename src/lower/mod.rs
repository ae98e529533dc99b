//! From the checked model to a [`Bundle`]: what the daemon loads.
//!
//! [`bundle`] puts the parts together; `table` flattens the steps of a journey; `tables` gives a journey its own
//! copies of the metrics, audiences and history conditions it uses, so that a program needs nothing beside itself;
//! [`hash`] addresses the parts by content. Only a model without errors is lowered. The result depends on what the
//! files say, never on their names, their order or where in them a journey stands; [`Program::origin`] and
//! [`Program::lines`] keep the places for blame and stay out of every hash.

pub mod hash;
mod journey;
mod policy;
mod rank;
mod referral;
mod renumber;
mod schema;
mod size;
mod table;
mod tables;
mod tracked;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{self, Model};
use crate::name::Name;
use crate::program::{Bundle, Content, FORMAT, Hashed, Lane, Lanes, Program, Variant};
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
    lowered.complete(model, sources);
    if lowered.large.is_empty() {
        Ok(lowered.bundle(model, sources))
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
    unmeasured: Unmeasured,
    shared: size::Shared,
}

/// What may be too large for all that is known.
#[derive(Debug, Default)]
enum Unmeasured {
    #[default]
    Everything,
    Only(BTreeSet<Name>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Content,
    Journey,
}

impl Lowered {
    /// Drops what is called `names`, or everything.
    pub fn forget(&mut self, names: Option<&BTreeSet<Name>>) {
        let Some(names) = names else {
            *self = Self::default();
            return;
        };
        for &name in names {
            self.contents.remove(&name);
            self.programs.remove(&name);
            self.new_contents.remove(&name);
            self.new_programs.remove(&name);
            for part in [Part::Content, Part::Journey] {
                self.large.remove(&(part, name));
            }
        }
        if let Unmeasured::Only(unmeasured) = &mut self.unmeasured {
            unmeasured.extend(names);
        }
    }

    /// Finds out what is too large, and lowers only what may be. Only of a model without errors.
    pub fn measure(&mut self, model: &Model, sources: &Sources) {
        match std::mem::replace(&mut self.unmeasured, Unmeasured::Only(BTreeSet::new())) {
            Unmeasured::Everything => {
                self.shared = size::Shared::of(model);
                for content in model.contents.values() {
                    self.measure_content(model, content);
                }
                for journey in model.journeys.values() {
                    self.measure_journey(model, journey, sources);
                }
            }
            Unmeasured::Only(names) => {
                names.iter().for_each(|name| self.shared.learn(model, *name));
                for name in &names {
                    if let Some(content) = model.contents.get(name) {
                        self.measure_content(model, content);
                    }
                    if let Some(journey) = model.journeys.get(name) {
                        self.measure_journey(model, journey, sources);
                    }
                }
            }
        }
    }

    fn measure_content(&mut self, model: &Model, content: &model::Content) {
        if !self.shared.holds_content(content) {
            self.content(model, content);
        }
    }

    fn measure_journey(&mut self, model: &Model, journey: &model::Journey, sources: &Sources) {
        if !self.shared.holds_journey(journey) {
            self.journey(model, journey, sources);
        }
    }

    fn content(&mut self, model: &Model, it: &model::Content) {
        match content(model, it) {
            Some(body) => drop(self.new_contents.insert(it.name, body)),
            None => self.refuse(Part::Content, it.name, it.span),
        }
    }

    fn journey(&mut self, model: &Model, it: &model::Journey, sources: &Sources) {
        match journey::program(model, it, sources) {
            Some(body) => drop(self.new_programs.insert(it.name, body)),
            None => self.refuse(Part::Journey, it.name, it.span),
        }
    }

    fn refuse(&mut self, part: Part, name: Name, span: Span) {
        self.large.insert((part, name), TooLarge { name, span });
    }

    /// Lowers what is not lowered yet. Only of a model without errors.
    fn complete(&mut self, model: &Model, sources: &Sources) {
        for it in model.contents.values() {
            let known = self.contents.contains_key(&it.name)
                || self.new_contents.contains_key(&it.name)
                || self.large.contains_key(&(Part::Content, it.name));
            if !known {
                self.content(model, it);
            }
        }
        for it in model.journeys.values() {
            let known = self.programs.contains_key(&it.name)
                || self.new_programs.contains_key(&it.name)
                || self.large.contains_key(&(Part::Journey, it.name));
            if !known {
                self.journey(model, it, sources);
            }
        }
        self.referrals(model, sources);
    }

    /// Referrals are few and small: they are lowered anew each time.
    fn referrals(&mut self, model: &Model, sources: &Sources) {
        for it in model.referrals.values() {
            self.programs.remove(&it.name);
            self.journey(model, &referral::journey(model, it), sources);
        }
    }

    /// What has more parts than a program can number (65,535), once [`Self::measure`]d.
    pub fn too_large(&self) -> impl Iterator<Item = &TooLarge> {
        self.large.values()
    }

    /// All programs, not hashed where nobody asked for that before. Only of a model without errors.
    pub fn programs(&mut self, model: &Model, sources: &Sources) -> impl Iterator<Item = &Program> {
        self.complete(model, sources);
        let hashed = self.programs.values().map(|program| &*program.body);
        hashed.chain(self.new_programs.values())
    }

    /// All parts together, of a model without errors in which nothing is too large.
    #[must_use]
    pub fn bundle(&mut self, model: &Model, sources: &Sources) -> Bundle {
        self.complete(model, sources);
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
        values: referral::values(model),
        lanes: lanes(model),
        policy: policy::policies(model).map(hash::policies),
        units: units(model),
        programs,
        pictures: BTreeMap::new(),
    };
    bundle.hash = hash::bundle(&bundle);
    bundle
}

fn lanes(model: &Model) -> Lanes {
    let lanes = model.policies.values().flat_map(|policy| &policy.lanes);
    lanes.map(|lane| (lane.name, Lane { journeys: lane.journeys.clone(), wait: lane.wait })).collect()
}

fn units(model: &Model) -> BTreeMap<Name, Option<Name>> {
    let units = model.orgs.values().flat_map(|org| &org.units);
    units.map(|unit| (unit.name, unit.parent)).collect()
}

/// The content with its metrics and history conditions inside.
fn content(model: &Model, content: &model::Content) -> Option<Content> {
    let mut tables = tables::Tables::new(model);
    let numbers = tables.take(&content.uses)?;
    let mut variants = content.variants.clone();
    for copy in variants.iter_mut().flat_map(Variant::copies_mut) {
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
