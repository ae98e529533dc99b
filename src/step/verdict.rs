//! What the counts of an experiment say. Pure, so that anybody can work it out again from the record.
//!
//! Looked at once, when the time that `by` gives is over: looking every day until something shows would find winners
//! where there are none. The arm with the best share is held against each other one in a two-sided test of two shares
//! (normal approximation, common variance); with several others each test must be as much surer (Bonferroni). It wins if all
//! of them say so, and each arm had at least `least` subjects. Only `+ - * /` and the square root are used, whose results are the
//! same on every machine.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::program::{Bundle, NodeKind, Winner};

/// What is less probable than this is told as that.
const LEAST_SHOWN: f64 = 0.0001;

/// Experiments that have a winner, by name.
pub type Rules = BTreeMap<Name, Rule>;

/// What decides an experiment, and its arms in the order written.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub winner: Winner,
    pub arms: Vec<Name>,
}

/// Every experiment of a bundle that some journey splits by and that has a winner.
#[must_use]
pub fn rules(bundle: &Bundle) -> Rules {
    let nodes = bundle.programs.values().flat_map(|program| &program.body.nodes);
    let found = nodes.filter_map(|node| match &node.kind {
        NodeKind::Split { experiment, arms, winner: Some(winner), .. } => {
            let arms = arms.iter().map(|(arm, ..)| *arm).collect();
            Some((*experiment, Rule { winner: Winner::clone(winner), arms }))
        }
        _ => None,
    });
    found.collect()
}

/// How many took part in an arm, and how many of them reached the goal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub counts: u32,
    pub reached: u32,
}

impl Tally {
    pub fn add(&mut self, more: Self) {
        self.counts += more.counts;
        self.reached += more.reached;
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The arm that everybody new gets; `None`: the mix stays.
    pub arm: Option<Name>,
    pub why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Why {
    /// How probable so large a difference would be by chance.
    Wins { p: f64 },
    /// An arm had fewer than `least`.
    TooFew,
    /// It may well be chance.
    NoDifference { p: f64 },
}

/// Decides between `arms`, in the order written.
#[must_use]
pub fn decide(rule: &Winner, arms: &[(Name, Tally)]) -> Verdict {
    let undecided = |why| Verdict { arm: rule.undecided, why };
    if arms.len() < 2 || arms.iter().any(|(_, tally)| tally.counts < rule.least) {
        return undecided(Why::TooFew);
    }
    let mut best: Option<&(Name, Tally)> = None;
    for arm in arms {
        if best.is_none_or(|best| share(arm.1) > share(best.1)) {
            best = Some(arm);
        }
    }
    let Some((name, tally)) = best else { return undecided(Why::TooFew) };
    let others = arms.iter().filter(|(other, _)| other != name);
    let least_sure = others.map(|(_, other)| by_chance(*tally, *other)).fold(0.0, f64::max);
    let tests = u32::try_from(arms.len() - 1).unwrap_or(u32::MAX);
    let p = (least_sure * f64::from(tests)).min(1.0);
    let doubt = f64::from(10_000_u16.saturating_sub(rule.confidence)) / 10_000.0;
    if p < doubt {
        Verdict { arm: Some(*name), why: Why::Wins { p } }
    } else {
        undecided(Why::NoDifference { p })
    }
}

impl Verdict {
    /// ``experiment `words`: arm `story` wins (short 12 of 100, story 30 of 98; p = 0.0011)``
    #[must_use]
    pub fn told(&self, experiment: Name, rule: &Winner, arms: &[(Name, Tally)]) -> String {
        let counts = arms.iter().map(|(arm, tally)| format!("{arm} {} of {}", tally.reached, tally.counts));
        let counts = counts.collect::<Vec<_>>().join(", ");
        let (wins, how) = match self.why {
            Why::Wins { p } if p < LEAST_SHOWN => (true, format!("; p < {LEAST_SHOWN}")),
            Why::Wins { p } => (true, format!("; p = {p:.4}")),
            Why::TooFew => (false, format!("; fewer than {} of an arm", rule.least)),
            Why::NoDifference { p } => (false, format!("; p = {p:.4}")),
        };
        let said = match self.arm {
            Some(arm) if wins => format!("arm `{arm}` wins"),
            Some(arm) => format!("undecided, arm `{arm}` is for everybody new"),
            None => "undecided, the mix stays".to_owned(),
        };
        format!("experiment `{experiment}`: {said} ({counts}{how})")
    }
}

fn share(tally: Tally) -> f64 {
    f64::from(tally.reached) / f64::from(tally.counts.max(1))
}

/// How probable a difference of two shares at least as large is where there is none.
fn by_chance(one: Tally, other: Tally) -> f64 {
    let (n, m) = (f64::from(one.counts), f64::from(other.counts));
    let pooled = (f64::from(one.reached) + f64::from(other.reached)) / (n + m);
    let variance = pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m);
    if variance <= 0.0 {
        return 1.0;
    }
    beyond((share(one) - share(other)).abs() / variance.sqrt())
}

/// The share of the normal distribution that lies beyond `z` on both sides.
fn beyond(z: f64) -> f64 {
    const ROOT_OF_TWO_PI: f64 = 2.506_628_274_631_000_2;
    // So far out nothing of a double is left.
    if z > 8.0 {
        return 0.0;
    }
    let half_square = z * z / 2.0;
    // Both series have positive terms only, so nothing is lost: exp(z²/2), and z + z³/3 + z⁵/(3·5) + …
    let (mut term, mut growth, mut power, mut inside) = (1.0, 1.0, z, z);
    for k in 1..200_u16 {
        term *= half_square / f64::from(k);
        growth += term;
        power *= z * z / f64::from(2 * k + 1);
        inside += power;
    }
    (1.0 - 2.0 * inside / (ROOT_OF_TWO_PI * growth)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{CivilUnit, Length};

    fn rule(undecided: Option<&str>) -> Winner {
        Winner {
            goal: Name::new("bought"),
            confidence: 9_500,
            least: 100,
            by: Length::Civil { count: 14, unit: CivilUnit::Day },
            undecided: undecided.map(Name::new),
        }
    }

    fn arms(tallies: &[(u32, u32)]) -> Vec<(Name, Tally)> {
        let names = ["a", "b", "c"].map(Name::new);
        names
            .into_iter()
            .zip(tallies)
            .map(|(name, (counts, reached))| (name, Tally { counts: *counts, reached: *reached }))
            .collect()
    }

    #[test]
    fn the_tail_is_that_of_the_tables() {
        for (z, p) in [(0.0, 1.0), (1.0, 0.317_31), (1.959_964, 0.05), (2.575_829, 0.01), (3.290_527, 0.001)]
        {
            assert!((beyond(z) - p).abs() < 1e-5, "{z}: {}", beyond(z));
        }
        assert!(beyond(6.0) < 1e-8 && beyond(9.0) <= 0.0);
    }

    /// 200 of 2,000 against 150: z = 2.797, p = 0.0052 by the tables.
    #[test]
    fn a_difference_that_chance_does_not_make_wins() {
        let verdict = decide(&rule(None), &arms(&[(2_000, 150), (2_000, 200)]));
        let Why::Wins { p } = verdict.why else { panic!("{verdict:?}") };
        assert_eq!(verdict.arm, Some(Name::new("b")));
        assert!((p - 0.005_15).abs() < 1e-4, "{p}");
    }

    #[test]
    fn too_few_or_too_alike_is_undecided_and_then_it_is_as_the_text_says() {
        assert_eq!(
            decide(&rule(None), &arms(&[(2_000, 0), (99, 99)])),
            Verdict { arm: None, why: Why::TooFew }
        );
        let alike = decide(&rule(Some("a")), &arms(&[(2_000, 150), (2_000, 152)]));
        assert!(matches!(alike.why, Why::NoDifference { p } if p > 0.9), "{alike:?}");
        assert_eq!(alike.arm, Some(Name::new("a")));
        let nobody = decide(&rule(None), &arms(&[(200, 0), (200, 0)]));
        assert_eq!(nobody.why, Why::NoDifference { p: 1.0 });
    }

    /// What is sure enough between two is not between three.
    #[test]
    fn of_several_arms_each_test_must_be_surer() {
        let two = decide(&rule(None), &arms(&[(1_000, 100), (1_000, 129)]));
        assert_eq!(two.arm, Some(Name::new("b")), "{two:?}");
        let three = decide(&rule(None), &arms(&[(1_000, 100), (1_000, 129), (1_000, 100)]));
        assert_eq!(three.arm, None, "{three:?}");
    }
}
