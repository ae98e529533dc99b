//! Whether a journey or content can be too large for a program, without lowering it: more than all parts that the
//! program could have is counted, and what stays below is never lowered to find out.

use std::collections::BTreeMap;

use crate::model::journey::{Step, StepKind};
use crate::model::{Content, Journey, Model};
use crate::name::Name;

/// Below the 65,534 that a table holds, with room for the few parts that are not counted.
const SURELY_FITS: usize = 60_000;

/// What the definitions of a model bring at most into one program.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// How many conditions on history each has, of those that have any.
    features: BTreeMap<Name, usize>,
    sum: usize,
    defs: usize,
}

impl Shared {
    pub(super) fn of(model: &Model) -> Self {
        let mut shared = Self::default();
        model.derived.keys().chain(model.contents.keys()).for_each(|name| shared.learn(model, *name));
        shared
    }

    /// What `name` brings now.
    pub(super) fn learn(&mut self, model: &Model, name: Name) {
        self.defs = model.derived.len();
        let derived = model.derived.get(&name).map_or(0, |derived| derived.uses.features.len());
        let content = model.contents.get(&name).map_or(0, |content| content.uses.features.len());
        let before = match derived + content {
            0 => self.features.remove(&name),
            now => {
                self.sum = self.sum.saturating_add(now);
                self.features.insert(name, now)
            }
        };
        self.sum = self.sum.saturating_sub(before.unwrap_or_default());
    }

    pub(super) fn holds_content(&self, content: &Content) -> bool {
        self.has_room(content.uses.features.len())
    }

    pub(super) fn holds_journey(&self, journey: &Journey) -> bool {
        let blocks = journey.exits.iter().map(|exit| parts(&exit.block) + 1);
        let own: usize = parts(&journey.steps) + blocks.sum::<usize>();
        self.has_room(journey.uses.features.len()) && own < SURELY_FITS
    }

    fn has_room(&self, features: usize) -> bool {
        self.defs < SURELY_FITS && self.sum.saturating_add(features) < SURELY_FITS
    }
}

/// At least as many as the nodes and the awaited things that `steps` become.
fn parts(steps: &[Step]) -> usize {
    let one = |step: &Step| {
        let blocks = step.kind.blocks();
        let awaited = match &step.kind {
            StepKind::Events { arms, .. } => arms.iter().map(|arm| arm.awaited.len()).sum(),
            StepKind::Reach { rungs, .. } => rungs.iter().map(|rung| rung.awaited.len()).sum(),
            _ => 0,
        };
        2 + awaited + blocks.len() + blocks.into_iter().map(parts).sum::<usize>()
    };
    steps.iter().map(one).sum()
}
