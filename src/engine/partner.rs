//! What partners do: their codes come in by file, and customers use what they were given at their tills.
//!
//! That a gift was used is in the books first and told to the customer's row then, as each event of `source books`. Whoever
//! asks again, because the answer did not arrive, has it told again; the row knows it by its id.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::handle::{EngineError, EngineHandle, Receipt};
use super::{audit, desk};
use crate::expr::Env;
use crate::expr::civil::Calendar;
use crate::expr::eval::holds;
use crate::intake::MAX_ID;
use crate::ledger::{Act, REWARDS};
use crate::name::Name;
use crate::program::value::{BOOKS, Reward};
use crate::step::{Event, EventKind, RootKey, World};
use crate::store::{Acted, EntryRow, Shown};
use crate::value::{Type, Value};

/// The source of what rows are told.
const SOURCE: &str = "wayfare.books";
/// The field of the event that names the gift, where there is one.
const GIFT: &str = "gift";

/// Where something is to be used: `mcc`, `city`, `id`, `name`, as far as the till says.
pub type Merchant = BTreeMap<String, String>;

/// What comes of using a gift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redeemed {
    Acted(Acted),
    /// It can be used, but not there.
    Elsewhere,
}

impl EngineHandle {
    /// The customer has used it; `None`: the store keeps no books.
    ///
    /// # Errors
    /// If the store cannot be read or written, or the customer's row cannot be told: asked again, it is.
    pub async fn redeem(&self, gift: &str, merchant: &Merchant) -> Result<Option<Redeemed>, EngineError> {
        let Some(ledger) = self.store.ledger() else { return Ok(None) };
        let Some(bucket) = desk::bucket_of(gift) else { return Ok(Some(Redeemed::Acted(Acted::Unknown))) };
        let known = ledger.gift(self.store.lease().group(bucket), gift).await?;
        let world = self.world();
        let place = Till { world: &world, now: self.now(), merchant };
        let is_there = |(_, reward): &(Name, &Reward)| {
            reward.merchant.as_ref().is_none_or(|condition| holds(condition, &place))
        };
        if !rewards(&world, &known).all(|reward| is_there(&reward)) {
            return Ok(Some(Redeemed::Elsewhere));
        }
        let acted = audit::act(&*self.store, gift, Act::Confirm, self.now()).await?;
        if let Some(Acted::Done(rows) | Acted::Before(rows)) = &acted {
            self.tell_used(&world, gift, rows).await?;
        }
        Ok(acted.map(Redeemed::Acted))
    }

    /// The code that comes with a gift: `None`: the store keeps none.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn code_of(&self, gift: &str) -> Result<Option<Shown>, EngineError> {
        let Some(codes) = self.store.codes() else { return Ok(None) };
        let Some(bucket) = desk::bucket_of(gift) else { return Ok(Some(Shown::Unknown)) };
        let group = self.store.lease().group(bucket);
        Ok(Some(codes.show(group, gift, self.now().as_millisecond()).await?))
    }

    async fn tell_used(&self, world: &World, gift: &str, rows: &[EntryRow]) -> Result<(), EngineError> {
        let Some(used) = rows.iter().find(|row| row.entry.act == Act::Confirm) else { return Ok(()) };
        let Some((entity, id)) = used.holder.split_once('/') else { return Ok(()) };
        let root = RootKey { entity: Name::new(entity), id: id.into() };
        let told: Vec<(RootKey, Event)> = rewards(world, rows)
            .flat_map(|(reward, _)| events(world, reward, &root).map(move |event| (reward, event)))
            .map(|(reward, (name, fields))| {
                let event = Event {
                    source: SOURCE.into(),
                    id: format!("{gift}/{reward}/{name}").into(),
                    kind: EventKind::Declared(name),
                    child: None,
                    time: Timestamp::from_millisecond(used.at).unwrap_or_default(),
                    received: self.now(),
                    fields: fields
                        .into_iter()
                        .map(|(field, value)| (field, value.unwrap_or_else(|| Value::text(gift))))
                        .collect(),
                };
                (root.clone(), event)
            })
            .collect();
        if told.is_empty() {
            return Ok(());
        }
        let receipts = self.submit(told).await;
        let receipts = receipts.map_err(|error| EngineError::Store(error.to_string().into()))?;
        if receipts.iter().any(|receipt| matches!(receipt, Receipt::Conflict | Receipt::Quarantined(_))) {
            tracing::error!(gift, "that a gift was used was set aside");
        }
        Ok(())
    }
}

/// What a gift is of, as it is declared now.
fn rewards<'w>(world: &'w World, rows: &[EntryRow]) -> impl Iterator<Item = (Name, &'w Reward)> {
    let mut names: Vec<Name> =
        rows.iter().filter_map(|row| Name::lookup(row.entry.account.strip_prefix(REWARDS)?)).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().filter_map(|name| Some((name, world.bundle.values.rewards.get(&name)?)))
}

/// Fields of an event; without a value: the gift.
type Fields = Vec<(Name, Option<Value>)>;

/// The events by which such a subject hears that this reward was used.
fn events(world: &World, reward: Name, root: &RootKey) -> impl Iterator<Item = (Name, Fields)> {
    let entity = root.entity;
    let of_books = world.bundle.schema.events.iter().filter(move |(_, event)| {
        event.subject == entity && event.source.is_some_and(|source| source.as_str() == BOOKS)
    });
    of_books.map(move |(name, event)| {
        let field = |field: &crate::program::Field| match field.ty.known() {
            Type::Reward => Some((field.name, Some(Value::Choice(reward)))),
            _ if field.name.as_str() == GIFT => Some((field.name, None)),
            _ => None,
        };
        (*name, event.fields.iter().filter_map(field).collect())
    })
}

/// Where a condition on the merchant is looked at.
struct Till<'a> {
    world: &'a World,
    now: Timestamp,
    merchant: &'a Merchant,
}

impl Env for Till<'_> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn zone(&self) -> &TimeZone {
        &self.world.zone
    }

    fn calendar(&self, _: Option<Name>) -> Option<&Calendar> {
        None
    }

    fn element_field(&self, name: Name) -> Value {
        self.merchant.get(name.as_str()).map_or(Value::Missing, |text| Value::text(text))
    }
}

/// Whether this can be a partner's code.
#[must_use]
pub fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_ID
        && !text.chars().any(|letter| letter.is_control() || letter.is_whitespace())
}

/// A code as lists show it: its ends, where enough stays hidden.
#[must_use]
pub fn masked(code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    let ends = if letters.len() >= 8 { 2 } else { 0 };
    let hidden = |place: usize| place >= ends && place + ends < letters.len();
    letters.iter().enumerate().map(|(place, letter)| if hidden(place) { '*' } else { *letter }).collect()
}
