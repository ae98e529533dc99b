//! What a change of the project does to what the bank may have to give: journeys that are new, gone or another program, budgets,
//! and all of it together, before and after.
//!
//! SOUND upper bounds, those of [`super::liability`] and [`super::portfolio`]. A journey has changed if its program has: words of
//! comments and the order of declarations are no change. Knows nothing of customers in flight: what becomes of them is another
//! question, and is asked of a store.

mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use super::amount::Amount;
use super::flow::Flow;
use super::liability::{Worth, liability};
use super::portfolio::{self, Given, given_by};
use crate::model::{Journey, Model};
use crate::name::Name;
use crate::program::Bundle;
use crate::program::value::Budget;

/// The version of the JSON. Fields are only ever added.
pub const FORMAT: &str = "1";

/// A project that compiles.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    pub model: &'a Model,
    pub bundle: &'a Bundle,
}

#[derive(Clone, Debug, Serialize)]
pub struct Exposure {
    pub version: &'static str,
    /// In order of names; what is the same is not here.
    pub journeys: Vec<Changed>,
    /// All budgets of either side, in order of names.
    pub budgets: Vec<Pot>,
    pub before: Given,
    pub after: Given,
}

/// `None` on a side: it is not there.
#[derive(Clone, Debug, Serialize)]
pub struct Changed {
    pub journey: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Gives>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Gives>,
}

/// The most that a journey gives; in each, `None`: nothing bounds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Gives {
    pub one_run: Option<Vec<Amount>>,
    pub one_customer: Option<Vec<Amount>>,
    /// As budgets and stocks end it.
    pub all: Option<Vec<Amount>>,
}

/// A budget.
#[derive(Clone, Debug, Serialize)]
pub struct Pot {
    pub budget: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Share>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Share>,
    /// Given and not come back, as the books say; absent where nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<Amount>,
}

/// What a budget holds, and when its owner is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    pub total: Amount,
    pub owner: Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
}

impl Exposure {
    #[must_use]
    pub fn of(before: Side<'_>, after: Side<'_>) -> Self {
        Self {
            version: FORMAT,
            journeys: journeys(before, after),
            budgets: budgets(before.model, after.model),
            before: given_by(before.model),
            after: given_by(after.model),
        }
    }

    /// Whether nothing of it is another than before.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.journeys.is_empty() && self.budgets.iter().all(|pot| pot.before == pot.after)
    }
}

fn journeys(before: Side<'_>, after: Side<'_>) -> Vec<Changed> {
    let names: BTreeSet<Name> =
        before.bundle.programs.keys().chain(after.bundle.programs.keys()).copied().collect();
    let hash = |side: Side<'_>, name| side.bundle.programs.get(&name).map(|program| program.hash.clone());
    let changed = names.into_iter().filter(|name| hash(before, *name) != hash(after, *name));
    changed
        .map(|name| Changed {
            journey: name.to_string(),
            before: gives(before.model, name),
            after: gives(after.model, name),
        })
        .collect()
}

fn gives(model: &Model, name: Name) -> Option<Gives> {
    let journey: &Journey = model.journeys.get(&name)?;
    let nothing = || Some(Vec::new());
    let none = Gives { one_run: nothing(), one_customer: nothing(), all: nothing() };
    Some(liability(&Flow::of(model, journey)).map_or(none, |found| Gives {
        one_run: amounts(found.one_run),
        one_customer: amounts(found.one_customer),
        all: amounts(found.all),
    }))
}

fn amounts(worth: Worth) -> Option<Vec<Amount>> {
    worth.map(portfolio::amounts)
}

fn budgets(before: &Model, after: &Model) -> Vec<Pot> {
    let sides = [&before.values.budgets, &after.values.budgets];
    let names: BTreeSet<Name> = sides.iter().flat_map(|side| side.keys().copied()).collect();
    let pot = |name: Name| Pot {
        budget: name.to_string(),
        before: share(sides[0], name),
        after: share(sides[1], name),
        used: None,
    };
    names.into_iter().map(pot).collect()
}

fn share(side: &BTreeMap<Name, Budget>, name: Name) -> Option<Share> {
    let Budget { total, owner, alert, .. } = side.get(&name)?;
    let alert = alert.map(|share| format!("{}%", (share * rust_decimal::Decimal::ONE_HUNDRED).normalize()));
    Some(Share { total: Amount(*total), owner: owner.clone(), alert })
}
