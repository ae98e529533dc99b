//! Words for the rules of the gate, with the numbers they went by.

use super::Words;
use crate::program::policy::Span;
use crate::step::symbols::Sym;
use crate::step::trace::{Decision, Rule};

impl Words<'_> {
    /// What rule of the gate refused, or held.
    pub(super) fn rule(&self, rule: &Rule, channel: &str) -> String {
        match rule {
            Rule::KillSwitch => "the kill switch is on".to_owned(),
            Rule::Consent => format!("`consent` does not hold {channel}"),
            Rule::ConsentFor { purpose } => {
                format!("`consent_{}` does not hold {channel}", self.name(*purpose))
            }
            Rule::Withdrawn { at, how } => {
                format!("the consent for {channel} was withdrawn at {} ({how})", self.clock(*at))
            }
            Rule::Listed { list, at } => format!("is on the list `{list}` since {}", self.clock(*at)),
            Rule::Suppressed { policy, condition } => {
                format!("{}: suppress if `{condition}`", self.policy(Some(*policy)))
            }
            Rule::Risk { product, level, own } => {
                let own = own.map_or("has not been assessed".to_owned(), |own| format!("can bear R{own}"));
                format!("product `{}` is of risk R{level}, and the customer {own}", self.name(*product))
            }
            Rule::Market { product, condition } => {
                format!("product `{}` is marketed only where `{condition}`", self.name(*product))
            }
            Rule::Quiet { policy, from, to, until, latest } => {
                let (from, to) = (from.strftime("%H:%M"), to.strftime("%H:%M"));
                let late = match latest {
                    Some(latest) if latest < until => {
                        format!(
                            ", which ends {}, and it may wait until {}",
                            self.clock(*until),
                            self.clock(*latest)
                        )
                    }
                    _ => String::new(),
                };
                format!("{}: quiet {from}..{to}{late}", self.policy(*policy))
            }
            Rule::Cap { policy, name, most, within, sent, last, room } => {
                let said = self.cap(*policy, *name, (*most, *within));
                let room = room.map(|room| format!(", room from {}", self.clock(room))).unwrap_or_default();
                format!("{said}; {sent} sent, the last at {}{room}", self.clock(*last))
            }
            Rule::LedgerFull => "the ledger of what was sent is full".to_owned(),
            Rule::Release { rate } => {
                format!(
                    "at most {} leave per {} s when a quiet time is over",
                    rate.count,
                    rate.per_ms / 1_000
                )
            }
            Rule::Sights { most, within, seen } => {
                let within = within.map_or("ever".to_owned(), |within| format!("per {within}"));
                format!("cap {most} {within}; seen {seen} times")
            }
            Rule::OtherContent { was, is } => {
                format!("its content was {was:016x} then and is {is:016x} now")
            }
            Rule::NoAddress => format!("there is no address for {channel}"),
            Rule::NoContent => format!("its content has nothing for {channel}"),
            Rule::ContentClosed => "its content is not open today".to_owned(),
            Rule::UnknownSubject => "the subject's attributes have not arrived".to_owned(),
        }
    }

    /// `policy retail: cap sms 2 per week`
    fn cap(&self, policy: Option<Sym>, name: Sym, (most, within): (u32, Span)) -> String {
        format!("{}: cap {} {most} per {within}", self.policy(policy), self.name(name))
    }

    fn policy(&self, policy: Option<Sym>) -> String {
        policy.map_or_else(|| "the journey".to_owned(), |policy| format!("policy `{}`", self.name(policy)))
    }

    /// What customers say of being written to.
    pub(super) fn said(&self, what: &Decision) -> String {
        match what {
            Decision::Consent { channel, purpose, given, how } => {
                let (channel, purpose) =
                    (self.any(*channel, "every channel"), self.any(*purpose, "every purpose"));
                let word = if *given { "agrees to" } else { "refuses" };
                format!("{word} {channel} for {purpose} ({how})")
            }
            Decision::Listed { list, on: true, until: Some(until) } => {
                format!("is on the list `{list}` until {}", self.clock(*until))
            }
            Decision::Listed { list, on: true, until: None } => format!("is on the list `{list}`"),
            Decision::Listed { list, .. } => format!("is no longer on the list `{list}`"),
            _ => "was erased: what is left says what was decided, and nothing of whom".to_owned(),
        }
    }

    fn any(&self, name: Option<Sym>, all: &str) -> String {
        name.map_or_else(|| all.to_owned(), |name| self.name(name))
    }
}
