//! `given any`: a property holds for every subject and every history. Looked for is one against it.
//!
//! A case is a random subject ([`draw`]) with a random history over what the journey listens for ([`plan`]), laid over
//! the test's own items. The first case that breaks an expectation is made small ([`shrink`]) and told as a test that
//! anybody can paste into a file ([`print`]). Every case has its own stream of chance, so the same seed finds the same.

pub(super) mod crowd;
mod draw;
mod plan;
mod print;
mod shrink;
pub(super) mod walk;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::cast::Role;
use super::env::Scene;
use super::random::Random;
use super::report::{self, Report};
use super::script::{self, Played, Script};
use super::{Options, Suite};
use crate::expr::MessageEvent;
use crate::expr::eval::holds;
use crate::model::Test;
use crate::name::Name;
use crate::step::World;
use crate::value::Value;
use plan::Plan;
pub(in crate::testing) use print::payload;

/// Something random that happens to one of the case's subjects.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Act {
    /// Which of [`Case::roles`].
    pub(super) actor: usize,
    pub(super) doing: Doing,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Doing {
    Event {
        event: Name,
        fields: Vec<(Name, Value)>,
    },
    /// Answers the message `back` messages before the newest; nothing happens where there is none.
    React {
        kind: MessageEvent,
        back: usize,
    },
}

/// One subject and its history.
#[derive(Clone, Debug)]
struct Case {
    start: Timestamp,
    /// Parents before children; the last is the one that the test calls `any`.
    roles: Vec<Role>,
    /// In order of time after `start`.
    acts: Vec<(SignedDuration, Act)>,
}

/// Draws per case before giving up on a `where`.
const MOST_DRAWS: u64 = 200;
/// The clock goes on this long behind the last random happening.
const REST: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Plays the test with random cases.
pub(super) fn play(suite: Suite<'_>, world: &Arc<World>, test: &Test, options: &Options) -> Report {
    let Some(plan) = Plan::new(suite, world, test) else {
        return report::of_broken(suite, test, &script::broken(test.span, "there is no such subject"));
    };
    let seed = options.seed ^ plan::digest(&test.title);
    let (mut played, mut entered) = (0, 0);
    for number in 0..options.cases {
        let Some((case, first)) = fitting(&plan, seed, u64::from(number)) else { continue };
        let Some(broken) = first.broken.clone() else {
            played += 1;
            entered += u32::from(has_entered(&plan, &first));
            continue;
        };
        let (smallest, last) = shrink::shrink(&plan, case, first, &broken);
        let told = print::as_test(&plan, &smallest, &last);
        return report::of_property(suite, test, &last, told, number);
    }
    if played == 0 {
        let why =
            format!("no {} was found that the `where` admits, in {MOST_DRAWS} tries a case", plan.entity);
        return report::of_broken(suite, test, &script::broken(plan.span, why));
    }
    report::of_cases(suite, test, played, entered)
}

/// A case whose subject the `where` admits, played.
fn fitting<'a>(plan: &Plan<'a>, seed: u64, number: u64) -> Option<(Case, Played<'a>)> {
    (0..MOST_DRAWS).find_map(|attempt| {
        let mut random = Random::stream(seed, number.wrapping_mul(MOST_DRAWS).wrapping_add(attempt));
        let case = draw::case(plan, &mut random);
        let played = plan.play(&case)?;
        Some((case, played))
    })
}

fn has_entered(plan: &Plan<'_>, played: &Played<'_>) -> bool {
    played.stage.rows.iter().any(|row| !row.record.runs(plan.test.journey, &plan.world).is_empty())
}

impl<'a> Plan<'a> {
    /// Plays one case; `None` if the `where` does not admit its subject.
    fn play(&self, case: &Case) -> Option<Played<'a>> {
        let mut script = Script::new(self.suite, &self.world, self.test, case.start);
        for role in &case.roles {
            script.cast(None, role.clone());
        }
        if let Some(filter) = self.filter {
            let (_, actor) = script.cast.last()?;
            let scene = Scene::new(&script.stage, actor, &self.test.uses)?;
            if !holds(filter, &scene) {
                return None;
            }
        }
        let at = |after: SignedDuration| case.start.saturating_add(after).unwrap_or(Timestamp::MAX);
        script.lay(case.acts.iter().map(|(after, act)| (at(*after), act.clone())), REST);
        let broken = script.run().err();
        Some(Played { stage: script.stage, broken })
    }
}
