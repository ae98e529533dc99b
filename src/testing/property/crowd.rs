//! A crowd: many invented customers on one stage, with one stock and one set of budgets, on their way through a bundle. What
//! became of them is added up: entries and ends, messages, and what was given.
//!
//! Who they are and what they do is drawn as for a property, near the edges of the journey. It tries the journey out and is no
//! forecast of anybody.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::Serialize;

use super::super::random::Random;
use super::super::record::What;
use super::super::script::Script;
use super::draw;
use super::plan::Plan;
use super::{Act, Suite, walk};
use crate::name::Name;
use crate::program::value::Values;
use crate::step::{Decision, Trace, World};
use crate::value::{Currency, Money, Value};

/// How big it is, and what it hangs on: the same is the same crowd.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub seed: u64,
    pub customers: u32,
    pub start: Timestamp,
    /// From the start on; customers come in over the first half.
    pub lasts: SignedDuration,
}

/// What became of a crowd.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Became {
    /// By journey: how often it was entered, and how its runs ended.
    pub journeys: BTreeMap<String, Runs>,
    /// By channel: how many each customer who got any got.
    pub messages: BTreeMap<String, Each>,
    /// By what was given, or was not.
    pub given: BTreeMap<String, Gifts>,
    /// By account of stock and budgets: what was taken of it.
    pub taken: BTreeMap<String, i64>,
    /// By currency: minor units, for each customer who was given anything of a declared worth.
    pub cost: BTreeMap<String, Each>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Runs {
    pub entered: u64,
    pub ends: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Gifts {
    pub given: u64,
    /// By outcome: `sold_out`, `budget_gone`, `limited`…
    pub refused: BTreeMap<String, u64>,
}

/// Of something that each customer has so much of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Each {
    /// Who has any.
    pub customers: u64,
    pub sum: i64,
    pub most: i64,
}

impl Each {
    fn add(&mut self, count: i64) {
        self.customers += 1;
        self.sum = self.sum.saturating_add(count);
        self.most = self.most.max(count);
    }
}

/// Sends a crowd through the bundle, drawn for one of its journeys. `None`: there is no such journey.
#[must_use]
pub fn crowd(suite: Suite<'_>, journey: Name, size: Size) -> Option<Became> {
    let test = walk::of_anybody(suite, journey)?;
    let world = Arc::new(World::of_bundle(Arc::clone(suite.bundle), suite.zone.clone()));
    let plan = Plan::new(suite, &world, &test)?;
    let mut script = Script::new(suite, &world, &test, size.start);
    let end = size.start.saturating_add(size.lasts).unwrap_or(Timestamp::MAX);
    let mut acts: Vec<(Timestamp, Act)> = Vec::new();
    for number in 0..size.customers {
        let mut random = Random::stream(size.seed, u64::from(number));
        let case = draw::case_from(&plan, &mut random, size.start);
        let first = script.cast.len();
        for role in case.roles {
            let named = |id: &Arc<str>| -> Arc<str> { format!("{id}-{number}").into() };
            let id = named(&role.id);
            let parent = role.parent.as_ref().map(named);
            script.cast(None, super::Role { id, parent, ..role });
        }
        let late = size.lasts.as_secs() / 2;
        let begins = SignedDuration::from_secs(random.within(0, late.max(0)));
        acts.extend(case.acts.into_iter().filter_map(|(after, act)| {
            let at = size.start.saturating_add(begins).ok()?.saturating_add(after).ok()?;
            (at <= end).then_some((at, Act { actor: act.actor + first, ..act }))
        }));
    }
    acts.sort_by_key(|(at, _)| *at);
    let last = acts.last().map_or(size.start, |(at, _)| *at);
    script.lay(acts, end.duration_since(last));
    // There is no expectation that could be broken.
    let _ = script.run();
    Some(added_up(&script, &world, &suite.bundle.values))
}

fn added_up(script: &Script<'_>, world: &World, values: &Values) -> Became {
    let mut became = Became { taken: script.stage.taken(), ..Became::default() };
    for row in &script.stage.rows {
        let mut messages: BTreeMap<String, i64> = BTreeMap::new();
        let mut cost: BTreeMap<Currency, Decimal> = BTreeMap::new();
        for line in &row.record.lines {
            match &line.what {
                What::Delivered(delivery) => *messages.entry(delivery.channel.to_string()).or_default() += 1,
                What::Trace(trace) => became.note(trace, world, values, &mut cost),
                _ => {}
            }
        }
        for (channel, count) in messages {
            became.messages.entry(channel).or_default().add(count);
        }
        for (currency, amount) in cost {
            // A part of a coin is a coin that somebody pays.
            let minor = i64::try_from(amount.ceil()).unwrap_or(i64::MAX);
            became.cost.entry(currency.to_string()).or_default().add(minor);
        }
    }
    became
}

impl Became {
    fn note(
        &mut self,
        trace: &Trace,
        world: &World,
        values: &Values,
        cost: &mut BTreeMap<Currency, Decimal>,
    ) {
        let name = |sym| world.symbols.name(sym);
        match &trace.what {
            Decision::Granted { what, amount } => {
                let Some(what) = name(*what) else { return };
                self.given.entry(what.to_string()).or_default().given += 1;
                if let Some((currency, minor)) = worth(values, what, amount) {
                    *cost.entry(currency).or_default() += minor;
                }
            }
            Decision::NotGiven { what, outcome } => {
                let (Some(what), Some(outcome)) = (name(*what), name(*outcome)) else { return };
                let gifts = self.given.entry(what.to_string()).or_default();
                *gifts.refused.entry(outcome.to_string()).or_default() += 1;
            }
            _ => {}
        }
        let Some(journey) = trace.journey.and_then(name) else { return };
        match &trace.what {
            Decision::Entered { .. } => {
                self.journeys.entry(journey.to_string()).or_default().entered += 1;
            }
            Decision::Ended { end } | Decision::Exited { end } => {
                let Some(end) = name(*end) else { return };
                let runs = self.journeys.entry(journey.to_string()).or_default();
                *runs.ends.entry(end.to_string()).or_default() += 1;
            }
            _ => {}
        }
    }
}

/// What one gift costs, in minor units; `None`: nothing is declared.
fn worth(values: &Values, what: Name, amount: &Value) -> Option<(Currency, Decimal)> {
    let of = |money: Money| (money.currency, Decimal::from(money.minor));
    if let Value::Money(money) = amount {
        return Some(of(*money));
    }
    if let Some(reward) = values.rewards.get(&what) {
        return reward.value.map(of);
    }
    if let Some(points) = values.points.get(&what) {
        let (worth, Value::Int(count)) = (points.worth?, amount) else { return None };
        let minor = Decimal::from(10_i64.checked_pow(worth.currency.digits())?);
        return Some((worth.currency, worth.amount * Decimal::from(*count) * minor));
    }
    let (lottery, prize) = what.as_str().rsplit_once('.')?;
    let lottery = values.lotteries.get(&Name::lookup(lottery)?)?;
    lottery.prizes.iter().find(|known| known.name.as_str() == prize)?.value.map(of)
}
