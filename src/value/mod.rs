//! Values and their types: what an attribute, an event field or an expression can be.
//!
//! Shared by the compiler and the runtime; serialisable, exact (no floats), and free of any clock. Reading order:
//! [`Type`], [`Value`], [`Money`], then [`length`] (elapsed and civil lengths of time).

pub mod length;
mod money;
mod ty;

pub use length::{CivilUnit, Length};
pub use money::{Currency, Money};
pub use ty::{Type, signs};

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::text::shared;

/// A value at run time. Lists and records are small and owned; text is shared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// The value of a `T?` that is not there. Only `otherwise`, `is known` and `is missing` accept it.
    Missing,
    Bool(bool),
    Int(i64),
    Decimal(#[serde(with = "rust_decimal::serde::str")] Decimal),
    /// As a fraction: `5%` is 0.05.
    Percent(#[serde(with = "rust_decimal::serde::str")] Decimal),
    Money(Money),
    /// Also ids.
    Text(#[serde(deserialize_with = "shared::text")] Arc<str>),
    Date(Date),
    Time(Time),
    Moment(Timestamp),
    Length(Length),
    /// A case of a `choice` or of `one of [...]`; a channel in `consent`, a content passed as an argument.
    Choice(Name),
    List(Vec<Value>),
    /// An event or child entity: fields in the order of their declaration, missing ones left out.
    Record(Vec<(Name, Value)>),
    /// `a..b`; ends as `docs/language.md` says: counted types include both, measured types exclude the right.
    Range(Box<(Value, Value)>),
}

impl Value {
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// The field of a record, `Missing` where it has none.
    #[must_use]
    pub fn field(&self, name: Name) -> Self {
        let Self::Record(fields) = self else { return Self::Missing };
        fields.iter().find(|(field, _)| *field == name).map_or(Self::Missing, |(_, value)| value.clone())
    }
}
