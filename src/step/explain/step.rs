//! Words for what steps do.

use jiff::Timestamp;

use super::Words;
use crate::expr::{Expr, show};
use crate::program::value::outcome as value;
use crate::program::{NodeKind, Outcome};
use crate::step::symbols::Sym;
use crate::step::trace::{Act, Because, Decision, Rule};
use crate::value::Value;

impl Words<'_> {
    pub(super) fn step(&self, what: &Decision) -> String {
        match what {
            Decision::Waits { until } => self.waits(*until),
            Decision::Happened { awaited, at } => {
                format!("`{}` happened at {}", self.awaited(*awaited), self.clock(*at))
            }
            Decision::TimedOut => self.timed_out(),
            Decision::AlreadyTrue => self.already(),
            Decision::BecameTrue => match self.state() {
                Some(condition) => format!("`{}` has become true", self.expr(condition)),
                None => "what was waited for has become true".to_owned(),
            },
            Decision::Branched { arm, because } => self.branched(*arm, because),
            Decision::Late { awaited, at } => {
                let awaited = self.awaited(*awaited);
                format!("`{awaited}` of {} came too late to count", self.clock(*at))
            }
            Decision::Tagged { tag, until: Some(until) } => {
                format!("tagged `{}` until {}", self.name(*tag), self.clock(*until))
            }
            Decision::Tagged { tag, until: None } => format!("tagged `{}`", self.name(*tag)),
            Decision::Untagged { tag } => format!("untagged `{}`", self.name(*tag)),
            Decision::Remembered { slot, value } => {
                let names = self.program().map(|program| &program.locals);
                let name = names.and_then(|names| names.get(usize::from(*slot)));
                let name = name.map_or_else(|| format!("#{slot}"), ToString::to_string);
                format!("remembers {name} = {}", show::value(value))
            }
            Decision::Changed { what, old, new } if !old.is_missing() && !new.is_missing() => {
                let (old, new) = (show::value(old), show::value(new));
                format!("`{}` is {new} now, it was {old}", self.name(*what))
            }
            Decision::Changed { what, .. } => format!("`{}` has changed", self.name(*what)),
            Decision::Granted { what, amount } if self.is_referral(*what) => {
                let inviter = match amount {
                    Value::Text(id) => id.to_string(),
                    other => show::value(other),
                };
                format!("qualifies for `{}`, invited by {inviter}", self.name(*what))
            }
            Decision::NotGiven { what, .. } if self.is_referral(*what) => {
                format!("does not count for `{}`: it has qualified before", self.name(*what))
            }
            Decision::Granted { what, amount } if amount.is_missing() => {
                format!("grants `{}`", self.name(*what))
            }
            Decision::Granted { what, amount } => {
                format!("grants `{}`: {}", self.name(*what), show::value(amount))
            }
            Decision::NotGiven { what, outcome } => {
                let (what, outcome) = (self.name(*what), self.name(*outcome));
                format!("`{what}` is not given: {}", not_given(&outcome))
            }
            Decision::StartedEach { journey, count, left_out: 0 } => {
                format!("starts `{}` for each of {count}", self.name(*journey))
            }
            Decision::StartedEach { journey, count, left_out } => {
                format!(
                    "starts `{}` for each of {count}; {left_out} are too many at once",
                    self.name(*journey)
                )
            }
            Decision::Started { journey } => format!("starts `{}`", self.name(*journey)),
            Decision::Arm { experiment, arm, cell } => {
                format!("arm `{}` of `{}` (cell {cell})", self.name(*arm), self.name(*experiment))
            }
            Decision::Counts { experiment, arm } => {
                format!("counts for arm `{}` of `{}` from now on", self.name(*arm), self.name(*experiment))
            }
            Decision::Succeeds { experiment, arm } => {
                format!("is a success for arm `{}` of `{}`", self.name(*arm), self.name(*experiment))
            }
            Decision::NoArm { cell } => format!("takes no part in the experiment (cell {cell})"),
            Decision::HeldOut { step, channel } => {
                format!("held out: `{}` is not sent via {}", self.name(*step), self.name(*channel))
            }
            Decision::Spared { act, what } => {
                format!("held out: `{}` is not {}", self.name(*what), done(*act))
            }
            Decision::Round { number } => format!("round {number} begins"),
            Decision::RoundMissed { number, tick } => {
                format!("round {number} is left out: its time was {}", self.clock(*tick))
            }
            Decision::RoundsOver { number } => match self.until() {
                Some(until) => format!("no round {number}: `{}` is true", self.expr(until)),
                None => format!("no round {number}"),
            },
            task @ (Decision::Assigned { .. }
            | Decision::Reminded { .. }
            | Decision::Overdue { .. }
            | Decision::Escalated { .. }
            | Decision::TaskDone { .. }
            | Decision::Withdrawn { .. }
            | Decision::Claimed { .. }
            | Decision::NotClaimed { .. }
            | Decision::Reassigned { .. }
            | Decision::NoSuchTask { .. }) => self.task(task),
            slot @ (Decision::Placed { .. }
            | Decision::NotPlaced { .. }
            | Decision::TakenDown { .. }
            | Decision::Rests { .. }) => self.slot(slot),
            message => self.message(message),
        }
    }

    fn message(&self, what: &Decision) -> String {
        match what {
            Decision::Decided { step, channel } => {
                format!("sends `{}` via {}", self.name(*step), self.name(*channel))
            }
            Decision::Refused { step, channel, outcome, rule } => {
                self.refused(*step, *channel, *outcome, rule)
            }
            Decision::Dispatched { step, channel } | Decision::Leaves { step, channel, .. } => {
                let corrected = matches!(what, Decision::Leaves { corrected: true, .. });
                let corrected = if corrected { ", its content corrected since it was decided" } else { "" };
                format!("`{}` handed to {}{corrected}", self.name(*step), self.name(*channel))
            }
            Decision::Answered { step, outcome, detail } => {
                let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
                format!("the provider answers `{}` for `{}`{detail}", outcome.as_str(), self.name(*step))
            }
            Decision::Receipt { step, kind, at } => {
                format!("`{}` was {} at {}", self.name(*step), kind.as_str(), self.clock(*at))
            }
            Decision::PassedOn { step, channel: Some(channel), to } => {
                let (step, channel, to) = (self.name(*step), self.name(*channel), plain(to));
                format!("passes `{step}` via {channel} on to {to}, whose own consent and limits decide")
            }
            Decision::PassedOn { step, channel: None, to } => {
                format!("passes `{}` on to {}, whose own limits decide", self.name(*step), plain(to))
            }
            Decision::Reported { step, became } => {
                format!("the addressee's side says `{}` of `{}`", became.as_str(), self.name(*step))
            }
            Decision::PartSent { step, part, of } => {
                format!("message {part} of {of} of `{}` has left", self.name(*step))
            }
            Decision::Cancelled { step } => format!("`{}` is cancelled before it left", self.name(*step)),
            Decision::Unconfirmed { step, channel, rule } => self.unconfirmed(*step, *channel, rule),
            Decision::Held { step, channel, until, rule } => {
                let (step, channel, until) = (self.name(*step), self.name(*channel), self.clock(*until));
                format!("`{step}` via {channel} waits until {until}: {}", self.rule(rule, &channel))
            }
            said @ (Decision::Consent { .. } | Decision::Listed { .. } | Decision::Erased) => self.said(said),
            _ => String::new(),
        }
    }

    fn refused(&self, step: Sym, channel: Sym, outcome: Outcome, rule: &Rule) -> String {
        let channel = self.name(channel);
        let why = self.rule(rule, &channel);
        format!("`{}` may not go via {channel}: {why} ({})", self.name(step), outcome.as_str())
    }

    fn unconfirmed(&self, step: Sym, channel: Sym, rule: &Rule) -> String {
        let channel = self.name(channel);
        let why = self.rule(rule, &channel);
        format!("`{}` may have arrived via {channel}, unconfirmed; not tried again: {why}", self.name(step))
    }

    fn waits(&self, until: Option<Timestamp>) -> String {
        let Some(until) = until else {
            return match self.node().map(|(node, _)| &node.kind) {
                Some(NodeKind::Give { .. }) => "asks the ledger whether there is enough".to_owned(),
                _ => "waits for the provider's answer".to_owned(),
            };
        };
        let until = self.clock(until);
        let what = match self.node().map(|(node, _)| &node.kind) {
            Some(NodeKind::Events { arms, .. }) => {
                let arms: Vec<String> =
                    arms.iter().map(|(number, _)| format!("`{}`", self.awaited(*number))).collect();
                format!("for {} ", arms.join(" or "))
            }
            Some(NodeKind::UntilState { condition, .. }) => {
                format!("until `{}`, at most ", self.expr(condition))
            }
            Some(NodeKind::Send { .. }) => "for the provider's report ".to_owned(),
            Some(NodeKind::Round { .. }) => "for the next round ".to_owned(),
            Some(NodeKind::Reach { .. }) => "for an answer ".to_owned(),
            Some(NodeKind::Assign(assign)) => format!("for `{}` to be done ", assign.task),
            _ => String::new(),
        };
        format!("waits {what}until {until}")
    }

    fn timed_out(&self) -> String {
        match self.node().map(|(node, _)| &node.kind) {
            Some(NodeKind::Events { arms, .. }) => {
                let arms: Vec<String> =
                    arms.iter().map(|(number, _)| format!("`{}`", self.awaited(*number))).collect();
                format!("{} did not happen in time", arms.join(" or "))
            }
            Some(NodeKind::UntilState { condition, .. }) => {
                format!("`{}` did not become true in time", self.expr(condition))
            }
            Some(NodeKind::Reach { .. }) => "no answer in time".to_owned(),
            Some(NodeKind::Send { .. }) => "no report in time, which counts as sent".to_owned(),
            _ => "the time is up".to_owned(),
        }
    }

    fn already(&self) -> String {
        match self.state() {
            Some(condition) => format!("goes on at once: `{}` is true already", self.expr(condition)),
            None => "goes on at once: the moment is past".to_owned(),
        }
    }

    fn state(&self) -> Option<&Expr> {
        match &self.node()?.0.kind {
            NodeKind::UntilState { condition, .. } => Some(condition),
            _ => None,
        }
    }

    fn until(&self) -> Option<&Expr> {
        match &self.node()?.0.kind {
            NodeKind::Round { until, .. } => until.as_ref(),
            _ => None,
        }
    }

    fn branched(&self, arm: u16, because: &Because) -> String {
        match self.node().map(|(node, _)| &node.kind) {
            Some(NodeKind::If { condition, .. }) => self.verdict(condition, arm == 0, because),
            Some(NodeKind::Match { subjects, .. }) if self.is_of_rules(subjects) => {
                let rule = because.first().map(|(_, rule)| show::value(rule)).unwrap_or_default();
                if rule == "else" {
                    "no rule fits: does `else`".to_owned()
                } else {
                    format!("rule `{rule}` answers")
                }
            }
            Some(NodeKind::Match { subjects, cases, .. }) => {
                let arm = if usize::from(arm) < cases.len() {
                    format!("case {}", u32::from(arm) + 1)
                } else {
                    "`else`".to_owned()
                };
                format!("takes {arm}: {}", self.because(subjects, because))
            }
            _ => format!("takes branch {}", u32::from(arm) + 1),
        }
    }

    /// Whether this is where replies take the rule that fits.
    fn is_of_rules(&self, subjects: &[Expr]) -> bool {
        let rules = self.program().and_then(|program| program.rules.as_ref());
        rules.is_some_and(|rules| subjects == [Expr::Local(rules.slot)])
    }

    fn awaited(&self, number: u16) -> String {
        let awaited = self.program().and_then(|program| program.awaits.get(usize::from(number)));
        awaited.map_or_else(|| format!("#{number}"), |awaited| show::pattern(&awaited.pattern, &()))
    }
}

/// An id without its quotes.
fn plain(value: &Value) -> String {
    crate::step::message::key_text(value)
}

fn done(act: Act) -> &'static str {
    match act {
        Act::Tag => "tagged",
        Act::Untag => "untagged",
        Act::Start => "started",
        Act::Assign => "assigned",
        Act::Give => "given",
        Act::Hide => "hidden",
    }
}

/// Why nothing was given, with the outcome's own word.
fn not_given(outcome: &str) -> String {
    let why = match outcome {
        value::SOLD_OUT => "there is no more of it",
        value::LIMITED => "the customer has as much as the limit allows",
        value::CLOSED => "it is not open now",
        value::BUDGET_GONE => "the budget is used up",
        value::TOO_FEW => "there are too few points",
        value::NO_CHANCE => "there is no chance left",
        value::BLANK => "the draw was a blank",
        value::REFUSED => "it was refused",
        other => return other.to_owned(),
    };
    format!("{why} ({outcome})")
}
