//! Amounts in documents that tools read: `{"minor": 15000000, "currency": "CNY"}`.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::value::Money;

/// An amount whose currency is written as people know it; within the product it is three bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(pub Money);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut amount = to.serialize_struct("Amount", 2)?;
        amount.serialize_field("minor", &self.0.minor)?;
        amount.serialize_field("currency", self.0.currency.as_str())?;
        amount.end()
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
