//! Experiments over all rows of the stage: the counts of each arm, and the decision when its time has come.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::expr::civil::shift_moment;
use crate::name::Name;
use crate::program::Winner;
use crate::step::verdict::{Rule, Tally, decide, rules};
use crate::step::{Decision, World};
use crate::testing::Suite;

#[derive(Default)]
pub(super) struct Trials(BTreeMap<Name, Trial>);

struct Trial {
    rule: Winner,
    arms: Vec<(Name, Tally)>,
    /// When it is decided, once somebody took part; `None` before, and behind it.
    due: Option<Timestamp>,
    is_open: bool,
}

impl Trials {
    /// Every experiment that some journey splits by and that has a winner.
    pub(super) fn of(suite: Suite<'_>) -> Self {
        let trial = |(name, Rule { winner: rule, arms }): (Name, Rule)| {
            let arms = arms.into_iter().map(|arm| (arm, Tally::default())).collect();
            (name, Trial { rule, arms, due: None, is_open: false })
        };
        Self(rules(suite.bundle).into_iter().map(trial).collect())
    }

    pub(super) fn note(&mut self, what: &Decision, world: &World, now: Timestamp) {
        let (Decision::Counts { experiment, arm } | Decision::Succeeds { experiment, arm }) = what else {
            return;
        };
        let (Some(experiment), Some(arm)) = (world.symbols.name(*experiment), world.symbols.name(*arm))
        else {
            return;
        };
        let Some(trial) = self.0.get_mut(&experiment) else { return };
        if !trial.is_open {
            trial.is_open = true;
            trial.due = shift_moment(now, trial.rule.by, false, &world.zone, None);
        }
        let Some((_, tally)) = trial.arms.iter_mut().find(|(name, _)| *name == arm) else { return };
        match what {
            Decision::Counts { .. } => tally.counts += 1,
            _ => tally.reached += 1,
        }
    }

    /// When the next one is decided.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.values().filter_map(|trial| trial.due).min()
    }

    /// Decides one that is due: its name, the arm for everybody new, and the record of it.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<(Name, Option<Name>, String)> {
        let due = |trial: &Trial| trial.due.is_some_and(|due| due <= now);
        let (experiment, trial) = self.0.iter_mut().find(|(_, trial)| due(trial))?;
        trial.due = None;
        let verdict = decide(&trial.rule, &trial.arms);
        Some((*experiment, verdict.arm, verdict.told(*experiment, &trial.rule, &trial.arms)))
    }
}
