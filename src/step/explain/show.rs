//! Words for what stands in slots.

use super::Words;
use crate::program::ShowOutcome;
use crate::step::trace::{Decision, Rule, TakenDown};

impl Words<'_> {
    pub(super) fn slot(&self, what: &Decision) -> String {
        match what {
            Decision::Placed { step, slot, until } => {
                let until = until.map(|until| format!(" until {}", self.clock(until))).unwrap_or_default();
                format!("`{}` stands in {}{until}", self.name(*step), self.name(*slot))
            }
            Decision::NotPlaced { step, slot, outcome, rule } => {
                let why = self.not_placed(*outcome, rule.as_ref(), &self.name(*slot));
                format!("`{}` is not shown: {why} ({})", self.name(*step), outcome.as_str())
            }
            Decision::TakenDown { step, slot, why } => {
                let why = match why {
                    TakenDown::Over => "its time is over",
                    TakenDown::Hidden => "it is hidden",
                    TakenDown::Exited => "the journey exited",
                    TakenDown::Displaced => "something of a higher rank takes its place",
                    TakenDown::Dismissed => "it was closed",
                    TakenDown::Seen => "it was seen as often as may be",
                    TakenDown::Replaced => "it is shown there anew",
                };
                format!("`{}` stands in {} no longer: {why}", self.name(*step), self.name(*slot))
            }
            Decision::Rests { step, slot, rule, until } => {
                let (step, slot) = (self.name(*step), self.name(*slot));
                let until = self.clock(*until);
                format!("`{step}` rests in {slot} until {until}: {}", self.rule(rule, &slot))
            }
            _ => String::new(),
        }
    }

    fn not_placed(&self, outcome: ShowOutcome, rule: Option<&Rule>, slot: &str) -> String {
        match (rule, outcome) {
            (Some(rule), _) => self.rule(rule, slot),
            (None, ShowOutcome::Full) => format!("{slot} is full, and nothing in it has a lower rank"),
            (None, _) => "its time is past".to_owned(),
        }
    }
}
