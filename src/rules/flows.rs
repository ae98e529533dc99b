//! Journeys as the analyses see them, for the rules about ways: worked out when the first of these rules asks, and once.

use std::collections::BTreeMap;

use super::context::Context;
use crate::analysis::facts::Facts;
use crate::analysis::flow::{Flow, Message};
use crate::expr::{BinaryOp, Expr, Owner};
use crate::model::Journey;
use crate::name::Name;
use crate::program::policy::MARKETING;
use crate::value::{Type, Value};

/// The attribute that holds the channels somebody has agreed to.
const CONSENT: &str = "consent";

#[derive(Debug)]
pub struct Looked<'a> {
    pub flow: Flow<'a>,
    pub facts: Facts<'a>,
}

impl<'a> Context<'a> {
    /// The journeys to look at, by name.
    pub fn flows(&self) -> impl Iterator<Item = &Looked<'a>> {
        let all = self.looked.get_or_init(|| {
            let look = |journey: &'a Journey| {
                let mut flow = Flow::of(self.model, journey);
                let facts = Facts::of(&mut flow);
                (journey.name, Looked { flow, facts })
            };
            self.journeys().map(look).collect::<BTreeMap<Name, Looked>>()
        });
        all.values()
    }

    /// Those with the purpose of marketing.
    pub fn marketing(&self) -> impl Iterator<Item = &Looked<'a>> {
        self.flows().filter(|looked| looked.flow.journey.purpose.as_str() == MARKETING)
    }

    /// Whether some cap counts the message.
    #[must_use]
    pub fn is_capped(&self, journey: &Journey, message: &Message<'_>) -> bool {
        let caps = self.model.policies.values().flat_map(|policy| &policy.caps).chain(&journey.caps);
        caps.into_iter().any(|cap| cap.name == message.channel || cap.name == journey.purpose)
    }
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
#[must_use]
pub fn channel_of(condition: &Expr) -> Option<Name> {
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
