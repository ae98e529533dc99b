//! What the language has and the daemon does not do yet: `wayfare check --deployable` refuses journeys that lean on it.
//!
//! The one place where such constructs are listed. Whoever teaches the daemon one takes its line out.

use crate::diagnostic::{Diagnostic, code};
use crate::model::journey::Unserved;
use crate::model::{Journey, Model};
use crate::text::Span;

/// Something the daemon does not do yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Construct {
    Clause(Unserved),
    Referral,
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
            Self::Referral => {
                ("referral", "nobody follows links: `joined` and `qualified` must come from outside")
            }
            Self::Clause(Unserved::EnterByList) => ("enter by list", "there is no way yet to hand in a list"),
        }
    }
}

/// Every place of `model` that the daemon would not do justice to.
#[must_use]
pub fn findings(model: &Model) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let referrals = model.referrals.values().map(|referral| (Construct::Referral, referral.span));
    let journeys = model.journeys.values().flat_map(|journey| constructs(journey));
    for (construct, span) in referrals.chain(journeys) {
        let (name, lacking) = construct.words();
        let headline = format!("the daemon does not have `{name}` yet");
        let finding = Diagnostic::new(code::NOT_DEPLOYABLE, span, headline).label(lacking);
        found.push(finding.help("leave it out of what is deployed now"));
    }
    found
}

fn constructs(journey: &Journey) -> Vec<(Construct, Span)> {
    journey.unserved.iter().map(|(clause, span)| (Construct::Clause(*clause), *span)).collect()
}
