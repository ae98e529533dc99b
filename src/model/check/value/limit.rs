//! How much, for whom, in which time: rates as limits that a ledger can keep exactly.

use super::Reader;
use crate::diagnostic::{Diagnostic, code};
use crate::model::check::{length, words};
use crate::name::Name;
use crate::program::Opening;
use crate::program::value::{Limit, Period};
use crate::syntax::ast::{Rate, RateUnit};
use crate::value::{CivilUnit, Length, Money, Value};

/// Whose limit it is.
#[derive(Clone, Copy)]
pub(super) enum Whose {
    /// Of all together: a stock.
    All,
    /// Of each one who gets it.
    Each,
    /// Of each one who invites.
    Inviter,
}

impl Reader<'_, '_, '_> {
    /// The rate as a limit. `pays` is what one piece is worth, for limits in money.
    pub(super) fn limit(
        &mut self,
        rate: &Rate,
        whose: Whose,
        open: Option<&Opening>,
        pays: Option<Money>,
    ) -> Option<Limit> {
        let (most, of_amount) = self.most(rate, pays)?;
        let mut named = false;
        let mut period = rate.ever.then_some(Period::Ever);
        for unit in &rate.per {
            if let RateUnit::Path(path) = unit
                && self.names_owner(path.parts.first()?.name, whose)
            {
                named = true;
                continue;
            }
            let found = self.period(unit, rate, open)?;
            if period.replace(found).is_some() {
                self.refuse(
                    rate,
                    "only one stretch of time can be counted",
                    "several stretches",
                    "keep one of them",
                );
            }
        }
        match whose {
            Whose::Each | Whose::Inviter if !named => {
                let who = if matches!(whose, Whose::Inviter) { "inviter" } else { "customer" };
                self.refuse(
                    rate,
                    "this limit does not say of whom",
                    "of everybody together?",
                    &format!("write `per {who}`; what there is for all together is `stock`"),
                );
            }
            _ => {}
        }
        Some(Limit { most, of_amount, period: period.unwrap_or(Period::Ever), partial: rate.partial })
    }

    fn most(&mut self, rate: &Rate, pays: Option<Money>) -> Option<(i64, bool)> {
        match self.constant(&rate.count)? {
            Value::Int(number) if number > 0 => Some((number, false)),
            Value::Money(money) if money.minor > 0 => {
                if let Some(pays) = pays.filter(|pays| pays.currency != money.currency) {
                    let headline =
                        format!("the limit is in {}, and this is paid in {}", money.currency, pays.currency);
                    self.refuse(rate, &headline, "another currency", "write both in one currency");
                }
                Some((money.minor, true))
            }
            _ => {
                let headline =
                    format!("{} is neither a number nor an amount above zero", words::quote(&rate.count));
                self.refuse(rate, &headline, "how much?", "write for example `1 per customer per day`");
                None
            }
        }
    }

    fn names_owner(&self, name: Name, whose: Whose) -> bool {
        match whose {
            Whose::All => false,
            Whose::Inviter => name.as_str() == "inviter",
            Whose::Each => self.world.entity(name).is_some_and(|entity| entity.parent.is_none()),
        }
    }

    fn period(&mut self, unit: &RateUnit, rate: &Rate, open: Option<&Opening>) -> Option<Period> {
        match unit {
            RateUnit::Rolling(dur) => {
                let days = match length::positive(*dur, self.sink) {
                    Length::Civil { count, unit: CivilUnit::Day } => Some(count),
                    Length::Civil { count, unit: CivilUnit::Week } => count.checked_mul(7),
                    _ => None,
                };
                let days = days.and_then(|days| u16::try_from(days).ok()).filter(|days| *days <= 366);
                if days.is_none() {
                    self.refuse(
                        rate,
                        "what was given is counted in whole days",
                        "not a number of days up to 366",
                        "write for example `per rolling 7 days`",
                    );
                }
                days.map(Period::Rolling)
            }
            RateUnit::Path(path) => match path.text().as_str() {
                "day" => Some(Period::Day),
                "week" => Some(Period::Week),
                "month" => Some(Period::Month),
                "year" => Some(Period::Year),
                "opening" if matches!(open, Some(Opening::Every { .. })) => Some(Period::Opening),
                "opening" => {
                    self.refuse(
                        rate,
                        "this opens only once",
                        "there is one opening",
                        "write `open every friday 10:00..12:00`, or leave `per opening` out",
                    );
                    None
                }
                other => {
                    let headline = format!("`{other}` is nothing that a limit can count by");
                    self.refuse(
                        rate,
                        &headline,
                        "not a unit here",
                        "write `per customer` and `per day`, `week`, `month`, `year`, `opening` or `rolling 7 days`",
                    );
                    None
                }
            },
        }
    }

    fn refuse(&mut self, rate: &Rate, headline: &str, label: &str, help: &str) {
        self.report(Diagnostic::new(code::LIMIT, rate.span, headline).label(label).help(help));
    }
}
