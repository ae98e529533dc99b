//! What all journeys of a project can do to one customer together: messages, gifts, and where they want the same place.
//!
//! SOUND upper bounds, each a sum of what [`super::window`] and [`super::liability`] promise of single journeys. A
//! second number is tighter and holds as long as attributes stay as they are within the window: of journeys that
//! nobody can be let in to together ([`Entrants`]) only the heaviest counts. Caps of policies are not counted in: they
//! are told beside it, as what the gate keeps at run time. Journeys of which nothing bounds the messages are named.
//!
//! Looks at every pair of journeys, so `wayfare prove` asks for it and `wayfare check` never does.

mod contest;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

pub use contest::{Contest, Rival};

use super::amount::Amount;
use super::facts::Facts;
use super::flow::Flow;
use super::liability::{Liability, Worth, liability, summed, together};
use super::proof::Place;
use super::window::most_sends;
use crate::meaning::entrants::Entrants;
use crate::model::{Journey, Model};
use crate::name::Name;
use crate::program::policy::MARKETING;
use crate::program::value::Period;
use crate::text::{Sources, Span};
use crate::value::{Currency, Money};

/// The version of the JSON. Fields are only ever added.
pub const FORMAT: &str = "1";
const DAY_MS: i64 = 86_400_000;
/// The windows that are told, and the one for which it is shown who gets so much.
const WINDOWS: [i64; 3] = [DAY_MS, 7 * DAY_MS, 30 * DAY_MS];
const SHOWN: i64 = 7 * DAY_MS;

#[derive(Clone, Debug, Serialize)]
pub struct Portfolio {
    pub version: &'static str,
    pub journeys: usize,
    pub messages: Vec<Messages>,
    pub budgets: Vec<Charged>,
    pub given: Given,
    pub contests: Vec<Contest>,
}

/// What one subject can get from its journeys.
#[derive(Clone, Debug, Serialize)]
pub struct Messages {
    pub subject: String,
    /// Of whom one may have several: the customer of a holding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// `None`: of every purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<&'static str>,
    pub windows: Vec<InWindow>,
    /// Journeys that may send any number: not in the numbers.
    pub unbounded: Vec<String>,
    /// Caps of policies that the gate holds these to.
    pub caps: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<Crowd>,
}

#[derive(Clone, Debug, Serialize)]
pub struct InWindow {
    pub window_ms: i64,
    /// Of all bounded journeys together.
    pub most: i64,
    /// The same as long as attributes stay as they are.
    pub unchanged: i64,
}

/// Journeys that one subject can be in at the same time.
#[derive(Clone, Debug, Serialize)]
pub struct Crowd {
    pub window_ms: i64,
    pub messages: i64,
    pub shares: Vec<Share>,
    /// One line for each thing that matters; empty: anybody.
    pub customer: Vec<String>,
    /// Whether it was shown that somebody is let in to all of them.
    pub decided: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct Share {
    pub journey: String,
    pub messages: i64,
    pub place: Place,
}

/// A budget and what is charged to it.
#[derive(Clone, Debug, Serialize)]
pub struct Charged {
    pub budget: String,
    pub owner: Arc<str>,
    pub total: Amount,
    pub journeys: Vec<String>,
    /// What one customer can get from these journeys, whatever they charge; `None`: nothing bounds it.
    pub one_customer: Option<Vec<Amount>>,
    /// What the stocks of its rewards come to; `None`: something is charged that only the budget ends.
    pub stocks: Option<Amount>,
}

/// What is given away in all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Given {
    /// As budgets and stocks end it, those of `open` left out.
    pub most: Vec<Amount>,
    /// Journeys with gifts that nothing ends.
    pub open: Vec<String>,
}

/// A journey, and what the passes say of it alone.
struct Member<'m> {
    journey: &'m Journey,
    flow: Flow<'m>,
    /// For each of [`WINDOWS`]; `None`: nothing bounds it.
    sends: Vec<Option<i64>>,
    gives: Option<Liability>,
}

/// The journeys of one kind of subject, numbered as [`Entrants`] has them.
struct Circle<'p, 'm> {
    subject: Name,
    members: Vec<&'p Member<'m>>,
    entrants: Entrants<'m>,
}

/// Of a project without errors.
#[must_use]
pub fn portfolio(model: &Model, sources: &Sources) -> Portfolio {
    let members: Vec<Member<'_>> =
        model.journeys.values().map(|journey| Member::of(model, journey)).collect();
    let subjects: BTreeSet<Name> = members.iter().map(|member| member.journey.subject).collect();
    let circles: Vec<Circle<'_, '_>> =
        subjects.into_iter().map(|subject| Circle::of(model, subject, &members)).collect();
    let messages = circles.iter().flat_map(|circle| {
        [None, Some(MARKETING)].into_iter().filter_map(|purpose| circle.messages(model, sources, purpose))
    });
    Portfolio {
        version: FORMAT,
        journeys: members.len(),
        messages: messages.collect(),
        budgets: budgets(model, &members),
        given: given(&members),
        contests: circles.iter().flat_map(|circle| contest::of(circle, model, sources)).collect(),
    }
}

impl<'m> Member<'m> {
    fn of(model: &'m Model, journey: &'m Journey) -> Self {
        let mut flow = Flow::of(model, journey);
        Facts::of(&mut flow);
        let sends = WINDOWS.iter().map(|window| most_sends(&flow, *window, &|_| true).most).collect();
        let gives = liability(&flow);
        Self { journey, flow, sends, gives }
    }

    fn name(&self) -> String {
        self.journey.name.to_string()
    }
}

impl<'p, 'm> Circle<'p, 'm> {
    fn of(model: &'m Model, subject: Name, members: &'p [Member<'m>]) -> Self {
        let members: Vec<&Member<'m>> =
            members.iter().filter(|member| member.journey.subject == subject).collect();
        let journeys: Vec<&Journey> = members.iter().map(|member| member.journey).collect();
        let entrants = Entrants::of(model, subject, &journeys);
        Self { subject, members, entrants }
    }

    /// `None`: none of these journeys says anything to its subject.
    fn messages(&self, model: &Model, sources: &Sources, purpose: Option<&'static str>) -> Option<Messages> {
        let counts =
            |member: &Member<'_>| purpose.is_none_or(|purpose| member.journey.purpose.as_str() == purpose);
        let mut windows = Vec::new();
        let mut witness = None;
        for (at, window_ms) in WINDOWS.iter().enumerate() {
            let weigh = |(index, member): (usize, &&Member<'_>)| {
                let most = member.sends.get(at).copied().flatten();
                counts(member).then_some((index, most.filter(|most| *most > 0)?))
            };
            let weights: Vec<(usize, i64)> = self.members.iter().enumerate().filter_map(weigh).collect();
            let most = weights.iter().fold(0_i64, |sum, (_, most)| sum.saturating_add(*most));
            windows.push(InWindow { window_ms: *window_ms, most, unchanged: self.heaviest(&weights) });
            if *window_ms == SHOWN {
                witness = self.crowd(&weights, sources);
            }
        }
        let unbounded = self.members.iter().filter(|member| counts(member));
        let unbounded: Vec<String> =
            unbounded.filter(|member| member.sends.contains(&None)).map(|member| member.name()).collect();
        if unbounded.is_empty() && windows.iter().all(|window| window.most == 0) {
            return None;
        }
        let parent = model.entities.get(&self.subject).and_then(|entity| entity.parent);
        Some(Messages {
            subject: self.subject.to_string(),
            parent: parent.map(|parent| parent.to_string()),
            purpose,
            windows,
            unbounded,
            caps: caps(model, self.subject, purpose),
            witness,
        })
    }

    /// An upper bound of the weight of any set of journeys that one subject can be let in to: of journeys each two of
    /// which are apart only the heaviest counts.
    fn heaviest(&self, weights: &[(usize, i64)]) -> i64 {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut sum = 0_i64;
        for (at, weight) in heavy_first(weights) {
            let apart =
                |group: &&mut Vec<usize>| group.iter().all(|known| self.entrants.are_apart(*known, at));
            if let Some(group) = groups.iter_mut().find(apart) {
                group.push(at);
            } else {
                sum = sum.saturating_add(weight);
                groups.push(vec![at]);
            }
        }
        sum
    }

    /// Journeys that one subject can be in together, the heaviest taken first; `None`: fewer than two say anything.
    fn crowd(&self, weights: &[(usize, i64)], sources: &Sources) -> Option<Crowd> {
        let mut chosen: Vec<usize> = Vec::new();
        let mut shares = Vec::new();
        for (at, messages) in heavy_first(weights) {
            let fits = chosen.iter().all(|known| !self.entrants.are_apart(*known, at));
            if let Some(member) = self.members.get(at).filter(|_| fits) {
                chosen.push(at);
                let place = place(sources, member.journey.span);
                shares.push(Share { journey: member.name(), messages, place });
            }
        }
        let customer = self.entrants.example(&chosen);
        (shares.len() > 1).then(|| Crowd {
            window_ms: SHOWN,
            messages: shares.iter().fold(0, |sum: i64, share| sum.saturating_add(share.messages)),
            decided: customer.is_some(),
            customer: customer.unwrap_or_default(),
            shares,
        })
    }
}

fn heavy_first(weights: &[(usize, i64)]) -> Vec<(usize, i64)> {
    let mut all = weights.to_vec();
    all.sort_by_key(|(at, weight)| (std::cmp::Reverse(*weight), *at));
    all
}

/// The caps of policies on what these messages are, in the words of the policy.
fn caps(model: &Model, subject: Name, purpose: Option<&str>) -> Vec<String> {
    let all = model.policies.values().flat_map(|policy| policy.caps.iter().map(move |cap| (policy, cap)));
    let of = |name: Name| {
        model.channels.contains_key(&name) || purpose.is_none_or(|purpose| name.as_str() == purpose)
    };
    let all = all.filter(|(_, cap)| cap.whom == subject && of(cap.name));
    all.map(|(policy, cap)| {
        let rolling = if cap.rolling { "rolling " } else { "" };
        format!("{} {} per {} in {rolling}{} (`{}`)", cap.name, cap.count, cap.whom, cap.window, policy.name)
    })
    .collect()
}

fn budgets(model: &Model, members: &[Member<'_>]) -> Vec<Charged> {
    let charged = model.values.budgets.iter().filter_map(|(name, budget)| {
        let of = members.iter().filter_map(|member| {
            let gives = member.gives.as_ref().filter(|gives| gives.budgets.contains(name))?;
            Some((member.name(), &gives.one_customer))
        });
        let of: Vec<(String, &Worth)> = of.collect();
        if of.is_empty() {
            return None;
        }
        let none: Worth = Some(BTreeMap::new());
        let one = of.iter().fold(none, |sum, (_, worth)| together(&sum, worth, 1));
        Some(Charged {
            budget: name.to_string(),
            owner: budget.owner.clone(),
            total: Amount(budget.total),
            journeys: of.into_iter().map(|(journey, _)| journey).collect(),
            one_customer: one.map(amounts),
            stocks: stocks(model, *name, budget.total.currency),
        })
    });
    charged.collect()
}

/// What the rewards of a budget come to where each has a stock for good; `None`: something else ends it, or nothing.
fn stocks(model: &Model, budget: Name, currency: Currency) -> Option<Amount> {
    let is_charged = |of: &Option<Name>| *of == Some(budget);
    let others = model.values.points.values().any(|points| is_charged(&points.budget))
        || model.values.lotteries.values().any(|lottery| is_charged(&lottery.budget));
    let mut sum = 0_i64;
    for reward in model.values.rewards.values().filter(|reward| is_charged(&reward.budget)) {
        let stock = reward.stock.as_ref().filter(|stock| matches!(stock.period, Period::Ever))?;
        let value = reward.value.filter(|value| value.currency == currency && !stock.of_amount)?;
        sum = sum.saturating_add(value.minor.saturating_mul(stock.most));
    }
    (!others && sum > 0).then_some(Amount(Money { minor: sum, currency }))
}

fn given(members: &[Member<'_>]) -> Given {
    in_all(members.iter().map(|member| (member.journey.name, member.gives.clone())))
}

/// What the journeys of a project give away in all.
pub(super) fn given_by(model: &Model) -> Given {
    in_all(model.journeys.values().map(|journey| (journey.name, liability(&Flow::of(model, journey)))))
}

fn in_all(journeys: impl Iterator<Item = (Name, Option<Liability>)>) -> Given {
    let mut ends: BTreeMap<Name, Money> = BTreeMap::new();
    let mut open = Vec::new();
    for (journey, gives) in journeys {
        match gives.map(|gives| gives.ends) {
            Some(Some(all)) => ends.extend(all),
            Some(None) => open.push(journey.to_string()),
            None => {}
        }
    }
    Given { most: amounts(summed(&ends)), open }
}

pub(super) fn amounts(worth: BTreeMap<Currency, i64>) -> Vec<Amount> {
    worth.into_iter().map(|(currency, minor)| Amount(Money { minor, currency })).collect()
}

fn place(sources: &Sources, span: Span) -> Place {
    let (path, line) = sources.place(span);
    Place { path, line }
}
