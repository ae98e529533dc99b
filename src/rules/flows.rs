//! Journeys as the analyses see them, for the rules about ways: worked out when the first of these rules asks, and once.
//!
//! Most rules can tell by little that a journey has nothing for them ([`Case::gives`], [`Case::asks_consent`]): its ways are
//! then not worked out. Such a look may let too much through, and never too little.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::context::{Context, walk};
use super::reads::{self, Read};
use crate::analysis::facts::Facts;
use crate::analysis::flow::{Flow, Message, Node};
use crate::expr::{BinaryOp, Expr, Owner};
use crate::meaning::mind::FactId;
use crate::model::govern::{Cap, Product};
use crate::model::journey::StepKind;
use crate::model::{Channel, Journey, Model};
use crate::name::Name;
use crate::program::policy::MARKETING;
use crate::value::{Type, Value};

/// The attribute that holds the channels somebody has agreed to.
pub const CONSENT: &str = "consent";

#[derive(Debug)]
pub struct Looked<'a> {
    pub flow: Flow<'a>,
    pub facts: Facts<'a>,
}

/// A journey, and what was worked out of it so far.
#[derive(Debug)]
pub struct Case<'a> {
    model: &'a Model,
    pub journey: &'a Journey,
    gives: OnceCell<bool>,
    reads: OnceCell<BTreeSet<Read>>,
    looked: OnceCell<Looked<'a>>,
}

impl<'a> Case<'a> {
    pub(super) fn new(model: &'a Model, journey: &'a Journey) -> Self {
        let (gives, reads, looked) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { model, journey, gives, reads, looked }
    }

    #[must_use]
    pub fn is_marketing(&self) -> bool {
        self.journey.purpose.as_str() == MARKETING
    }

    /// Whether any step gives, takes or draws something of value.
    #[must_use]
    pub fn gives(&self) -> bool {
        *self.gives.get_or_init(|| {
            let mut found = false;
            walk(self.journey, &mut |step| found |= matches!(step.kind, StepKind::Give(..)));
            found
        })
    }

    /// What its conditions look at.
    pub fn reads(&self) -> &BTreeSet<Read> {
        self.reads.get_or_init(|| reads::all(self.model, self.journey))
    }

    /// Whether any condition looks at an attribute of this name, of whomever.
    #[must_use]
    pub fn asks(&self, attribute: Name) -> bool {
        self.reads().iter().any(|read| matches!(read, Read::Attribute(_, name) if *name == attribute))
    }

    /// Whether any condition looks at consents.
    #[must_use]
    pub fn asks_consent(&self) -> bool {
        self.asks(Name::new(CONSENT))
    }

    pub fn looked(&self) -> &Looked<'a> {
        self.looked.get_or_init(|| {
            let mut flow = Flow::of(self.model, self.journey);
            let facts = Facts::of(&mut flow);
            Looked { flow, facts }
        })
    }
}

impl<'a> Context<'a> {
    /// The journeys of which `is_worth` holds, by name.
    pub fn flows(&self, is_worth: impl Fn(&Case<'a>) -> bool) -> impl Iterator<Item = &Looked<'a>> {
        self.cases.iter().filter(move |case| is_worth(case)).map(Case::looked)
    }

    /// Those of them with the purpose of marketing.
    pub fn marketing(&self, is_worth: impl Fn(&Case<'a>) -> bool) -> impl Iterator<Item = &Looked<'a>> {
        self.flows(move |case| case.is_marketing() && is_worth(case))
    }

    /// Journeys of marketing that name a product of one of `classes`, with it.
    pub fn selling<'b>(
        &'b self,
        classes: &'b [&str],
    ) -> impl Iterator<Item = (&'a Journey, &'a Product)> + 'b {
        let marketing = self.cases.iter().filter(|case| case.is_marketing()).map(|case| case.journey);
        marketing.filter_map(|journey| {
            let product = self.model.products.get(&journey.product?)?;
            classes.contains(&product.class?.as_str()).then_some((journey, product))
        })
    }

    /// Whether the journey sends anything by a channel for which `is_it` holds.
    pub fn sends_by(&self, case: &Case<'a>, is_it: fn(&Channel) -> bool) -> bool {
        self.messages_of(case.journey.name).iter().any(|message| is_it(message.channel))
    }

    /// The messages of marketing that somebody comes to, where consents are looked at.
    pub fn asked(&self) -> impl Iterator<Item = Asked<'_, 'a>> {
        let looked = self.marketing(Case::asks_consent);
        looked.filter(|looked| consents(self, looked.flow.journey).is_some()).flat_map(|looked| {
            looked.flow.messages().filter_map(|(at, message)| {
                let known = looked.facts.known(at)?;
                let channel = |fact: FactId| looked.facts.mind.holds(fact).and_then(channel_of);
                let consents = known.iter().filter_map(|(fact, age)| Some((channel(*fact)?, *fact, *age)));
                let consents = consents.collect();
                Some(Asked { looked, node: looked.flow.node(at)?, channel: message.channel, consents })
            })
        })
    }

    /// The caps that hold for a journey: those of all policies, and its own.
    pub fn caps<'b>(&'b self, journey: &'b Journey) -> impl Iterator<Item = &'b Cap> {
        self.model.policies.values().flat_map(|policy| &policy.caps).chain(&journey.caps)
    }

    /// Whether some cap counts the message.
    #[must_use]
    pub fn is_capped(&self, journey: &Journey, message: &Message<'_>) -> bool {
        self.caps(journey).any(|cap| counts_in(cap, journey, message))
    }
}

/// A message of a journey of marketing, and the consents that were looked at on every way to it.
pub struct Asked<'b, 'a> {
    pub looked: &'b Looked<'a>,
    pub node: &'b Node<'a>,
    pub channel: Name,
    /// The channel of each, the condition, and how many milliseconds ago it may have been looked at.
    pub consents: Vec<(Name, FactId, i64)>,
}

/// Whether the cap counts this message of the journey.
#[must_use]
pub fn counts_in(cap: &Cap, journey: &Journey, message: &Message<'_>) -> bool {
    cap.name == message.channel || cap.name == journey.purpose
}

/// Whose attribute `consent` a journey's conditions ask for.
#[must_use]
pub fn consents(context: &Context, journey: &Journey) -> Option<Owner> {
    let has = |entity: Name| {
        let field = context.model.entities.get(&entity).and_then(|entity| entity.field(Name::new(CONSENT)));
        field.is_some_and(|field| matches!(field.ty, Type::List(_)))
    };
    if has(journey.subject) {
        Some(Owner::Subject)
    } else {
        (journey.root != journey.subject && has(journey.root)).then_some(Owner::Parent)
    }
}

/// `consent has sms`
#[must_use]
pub fn consent_has(owner: Owner, channel: Name) -> Expr {
    let consent = Expr::Attr(owner, Name::new(CONSENT));
    Expr::Binary(BinaryOp::Has, Box::new(consent), Box::new(Expr::Const(Value::Choice(channel))))
}

/// The channel of a condition `consent has CHANNEL`.
fn channel_of(condition: &Expr) -> Option<Name> {
    match condition {
        Expr::Binary(BinaryOp::Has, list, channel) => match (&**list, &**channel) {
            (Expr::Attr(_, name), Expr::Const(Value::Choice(channel))) if name.as_str() == CONSENT => {
                Some(*channel)
            }
            _ => None,
        },
        _ => None,
    }
}
