//! REWARD: what is given, for what, and how much of it.

pub(super) mod deposit;
pub(super) mod investment;
pub(super) mod lasts;
pub(super) mod levels;
pub(super) mod worst;

use std::collections::BTreeSet;

use crate::model::journey::{Step, StepKind};
use crate::model::{Journey, Model};
use crate::rules::reads::{self, Read};

/// Calls `look` with every step that gives something, and what decides it: who enters, conditions on the way, the amount.
fn gifts<'a>(model: &'a Model, journey: &'a Journey, look: &mut impl FnMut(&'a Step, &BTreeSet<Read>)) {
    reads::walk(model, journey, &mut |step, known| {
        let StepKind::Give(giving, _) = &step.kind else { return };
        let mut give = giving.give.clone();
        let mut all = known.clone();
        for expr in give.exprs_mut() {
            all.extend(reads::of(model, journey.subject, &journey.uses, expr));
        }
        look(step, &all);
    });
}

/// Name and label of what is read, lower-case, with what it is called for people.
pub(super) fn words(model: &Model, read: Read) -> (String, String) {
    let (name, label) = match read {
        Read::Attribute(entity, name) => {
            let field = reads::field(model, entity, name);
            (name, field.and_then(|field| field.label.clone()))
        }
        Read::Event(name) => (name, model.events.get(&name).and_then(|event| event.label.clone())),
    };
    let label = label.unwrap_or_default();
    (
        format!("{} {label}", name.as_str().to_lowercase()),
        if label.is_empty() { name.to_string() } else { label.to_string() },
    )
}

/// Whether any of `parts` stands in `text`.
pub(super) fn any(text: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| text.contains(part))
}
