//! Experiments over all rows of the stage: the counts of each arm, and the decision when its time has come.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::expr::civil::shift_moment;
use crate::name::Name;
use crate::program::{NodeKind, Winner};
use crate::step::verdict::{Tally, Verdict, Why, decide};
use crate::step::{Decision, World};
use crate::testing::Suite;

/// What is less probable than this is told as that.
const LEAST_SHOWN: f64 = 0.0001;

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
        let mut trials = BTreeMap::new();
        let programs = suite.bundle.programs.values();
        for node in programs.flat_map(|program| &program.body.nodes) {
            if let NodeKind::Split { experiment, arms, winner: Some(winner), .. } = &node.kind {
                let arms = arms.iter().map(|(arm, ..)| (*arm, Tally::default())).collect();
                let rule = Winner::clone(winner);
                trials.insert(*experiment, Trial { rule, arms, due: None, is_open: false });
            }
        }
        Self(trials)
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
        Some((*experiment, verdict.arm, told(*experiment, trial, &verdict)))
    }
}

/// ``experiment `words`: arm `story` wins (short 12 of 100, story 30 of 98; p = 0.0011)``
fn told(experiment: Name, trial: &Trial, verdict: &Verdict) -> String {
    let counts = trial.arms.iter().map(|(arm, tally)| format!("{arm} {} of {}", tally.reached, tally.counts));
    let counts = counts.collect::<Vec<_>>().join(", ");
    let (word, how) = match verdict.why {
        Why::Wins { p } if p < LEAST_SHOWN => ("wins", format!("; p < {LEAST_SHOWN}")),
        Why::Wins { p } => ("wins", format!("; p = {p:.4}")),
        Why::TooFew => ("undecided", format!("; fewer than {} of an arm", trial.rule.least)),
        Why::NoDifference { p } => ("undecided", format!("; p = {p:.4}")),
    };
    let said = match (verdict.arm, word) {
        (Some(arm), "wins") => format!("arm `{arm}` wins"),
        (Some(arm), _) => format!("undecided, arm `{arm}` is for everybody new"),
        (None, _) => "undecided, the mix stays".to_owned(),
    };
    format!("experiment `{experiment}`: {said} ({counts}{how})")
}
