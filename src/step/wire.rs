//! How instants are written in a state row: whole milliseconds as one integer, wherever they stand in tuples, lists
//! and options. Used as `#[serde(with = "wire")]`.

use std::sync::Arc;

use jiff::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::symbols::Sym;
use crate::expr::MessageEvent;
use crate::text::shared;
use crate::value::Value;

pub(super) fn serialize<T: Compact, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.put(serializer)
}

pub(super) fn deserialize<'de, T: Compact, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::get(deserializer)
}

/// A value that can hold instants.
pub(super) trait Compact: Sized {
    fn put<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
    fn get<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

struct Put<'a, T>(&'a T);
struct Got<T>(T);

impl<T: Compact> Serialize for Put<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.put(serializer)
    }
}

impl<'de, T: Compact> Deserialize<'de> for Got<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::get(deserializer).map(Got)
    }
}

impl Compact for Timestamp {
    fn put<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_millisecond().serialize(serializer)
    }

    fn get<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_millisecond(i64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<T: Compact> Compact for Option<T> {
    fn put<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(Put).serialize(serializer)
    }

    fn get<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<Got<T>>::deserialize(deserializer)?.map(|got| got.0))
    }
}

impl<T: Compact> Compact for Vec<T> {
    fn put<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Put))
    }

    fn get<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = Vec::<Got<T>>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|got| got.0).collect())
    }
}

/// What is written as it is.
macro_rules! plain {
    ($($plain:ty),*) => { $(
        impl Compact for $plain {
            fn put<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize(serializer)
            }

            fn get<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(deserializer)
            }
        }
    )* };
}

macro_rules! tuples {
    ($(($($name:ident $at:tt),*)),*) => { $(
        impl<$($name: Compact),*> Compact for ($($name,)*) {
            fn put<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
                ($(Put(&self.$at),)*).serialize(serializer)
            }

            fn get<'de, Z: Deserializer<'de>>(deserializer: Z) -> Result<Self, Z::Error> {
                let got = <($(Got<$name>,)*)>::deserialize(deserializer)?;
                Ok(($(got.$at.0,)*))
            }
        }
    )* };
}

impl Compact for Arc<str> {
    fn put<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn get<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        shared::text(deserializer)
    }
}

plain!(Sym, u16, u32, i64, Value, MessageEvent);
tuples!((A 0, B 1), (A 0, B 1, C 2));
