//! Whether a journey or content can be too large for a program, without lowering it: more than all parts that the
//! program could have is counted, and what stays below is never lowered to find out.

use crate::model::journey::{Step, StepKind};
use crate::model::{Content, Journey, Model};

/// Below the 65,534 that a table holds, with room for the few parts that are not counted.
const SURELY_FITS: usize = 60_000;

/// What the definitions of a model bring at most into one program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shared {
    defs: usize,
    features: usize,
}

impl Shared {
    pub(super) fn of(model: &Model) -> Self {
        let derived = model.derived.values().map(|derived| derived.uses.features.len());
        let contents = model.contents.values().map(|content| content.uses.features.len());
        Self { defs: model.derived.len(), features: derived.chain(contents).sum() }
    }

    pub(super) fn holds_content(self, content: &Content) -> bool {
        self.has_room(content.uses.features.len())
    }

    pub(super) fn holds_journey(self, journey: &Journey) -> bool {
        let blocks = journey.exits.iter().map(|exit| parts(&exit.block) + 1);
        let own: usize = parts(&journey.steps) + blocks.sum::<usize>();
        self.has_room(journey.uses.features.len()) && own < SURELY_FITS
    }

    fn has_room(self, features: usize) -> bool {
        self.defs < SURELY_FITS && self.features.saturating_add(features) < SURELY_FITS
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
