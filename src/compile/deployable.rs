//! What the language has and the daemon does not do yet: `wayfare check --deployable` refuses journeys that lean on it.
//!
//! The one place where such constructs are listed. Whoever teaches the daemon one takes its line out.

use crate::diagnostic::{Diagnostic, code};
use crate::model::journey::Unserved;
use crate::model::{Journey, Model};
use crate::name::Name;
use crate::program::value::{JOINED, QUALIFIED, REFERRAL};
use crate::text::Span;

/// Something the daemon does not do yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Construct {
    Clause(Unserved),
    /// Whose events are called like those of a referral.
    OwnEvents,
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
            Self::OwnEvents => (
                "referral beside events of your own called `joined` or `qualified`",
                "links that are followed have no event to tell of",
            ),
            Self::Clause(Unserved::EnterByList) => ("enter by list", "there is no way yet to hand in a list"),
        }
    }
}

/// Every place of `model` that the daemon would not do justice to.
#[must_use]
pub fn findings(model: &Model) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let referrals = model.referrals.values().filter(|_| has_own_events(model));
    let referrals = referrals.map(|referral| (Construct::OwnEvents, referral.span));
    let journeys = model.journeys.values().flat_map(|journey| constructs(journey));
    for (construct, span) in referrals.chain(journeys) {
        let (name, lacking) = construct.words();
        let headline = format!("the daemon does not have `{name}` yet");
        let finding = Diagnostic::new(code::NOT_DEPLOYABLE, span, headline).label(lacking);
        found.push(finding.help("leave it out of what is deployed now"));
    }
    found
}

/// Where a project declares them, they are what it says and not what a referral tells.
fn has_own_events(model: &Model) -> bool {
    [JOINED, QUALIFIED].into_iter().any(|word| {
        let event = model.events.get(&Name::new(word));
        event.is_none_or(|event| event.field(Name::new(REFERRAL)).is_none())
    })
}

fn constructs(journey: &Journey) -> Vec<(Construct, Span)> {
    journey.unserved.iter().map(|(clause, span)| (Construct::Clause(*clause), *span)).collect()
}
