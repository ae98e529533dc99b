//! What the language has and the daemon does not do yet: `wayfare check --deployable` refuses journeys that lean on it.
//!
//! The one place where such constructs are listed. Whoever teaches the daemon one takes its line out.

use crate::diagnostic::{Diagnostic, code};
use crate::model::journey::{Step, StepKind, Unserved};
use crate::model::{Journey, Model};
use crate::text::Span;

/// Something the daemon does not do yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Construct {
    Clause(Unserved),
    Assign,
    Policy,
}

impl Construct {
    /// How it is called, and what is lacking.
    #[must_use]
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Clause(Unserved::Rollout) => {
                ("rollout", "nobody takes its steps: everybody would enter at once")
            }
            Self::Clause(Unserved::Guardrail) => ("guardrail", "nobody watches the rate"),
            Self::Clause(Unserved::Migrate) => ("migrate", "people stay in the version they entered with"),
            Self::Clause(Unserved::Lane) => ("lane", "several of its journeys would run at a time"),
            Self::Clause(Unserved::Cap) => ("cap", "nobody counts what was sent"),
            Self::Clause(Unserved::Quiet) => ("quiet", "messages would leave at any time"),
            Self::Assign => ("assign", "the task is recorded, and nobody is told of it"),
            Self::Policy => ("policy", "the gate asks for consent, and for nothing else it says"),
            Self::Clause(Unserved::EnterByList) => ("enter by list", "there is no way yet to hand in a list"),
        }
    }
}

/// Every place of `model` that the daemon would not do justice to.
#[must_use]
pub fn findings(model: &Model) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let policies = model.policies.values().map(|policy| (Construct::Policy, policy.span));
    for (construct, span) in policies.chain(model.journeys.values().flat_map(constructs)) {
        let (name, lacking) = construct.words();
        let headline = format!("the daemon does not have `{name}` yet");
        let finding = Diagnostic::new(code::NOT_DEPLOYABLE, span, headline).label(lacking);
        found.push(finding.help("leave it out of what is deployed now"));
    }
    found
}

fn constructs(journey: &Journey) -> Vec<(Construct, Span)> {
    let mut found: Vec<(Construct, Span)> =
        journey.unserved.iter().map(|(clause, span)| (Construct::Clause(*clause), *span)).collect();
    tasks(&journey.steps, &mut found);
    for exit in &journey.exits {
        tasks(&exit.block, &mut found);
    }
    found
}

fn tasks(steps: &[Step], found: &mut Vec<(Construct, Span)>) {
    for step in steps {
        if matches!(step.kind, StepKind::Assign(_)) {
            found.push((Construct::Assign, step.span));
        }
        step.kind.blocks().into_iter().for_each(|block| tasks(block, found));
    }
}
