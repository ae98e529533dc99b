//! Interned names: one `u32` per distinct identifier of the process.
//!
//! Every identifier that comes from source text or from a program is a [`Name`]. Comparing and hashing one
//! costs an integer; it is written out as text wherever it is serialised, so programs stay portable.
//! What never enters: strings from outside (event ids, attribute values). Interning never frees, so data
//! must not reach it; look data up with [`Name::lookup`].

use std::collections::HashMap;
use std::fmt;
use std::sync::{LazyLock, RwLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A handle to an interned identifier.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name(u32);

#[derive(Default)]
struct Interner {
    ids: HashMap<&'static str, u32>,
    texts: Vec<&'static str>,
}

static INTERNER: LazyLock<RwLock<Interner>> = LazyLock::new(RwLock::default);

impl Name {
    /// Interns `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        if let Some(name) = Self::lookup(text) {
            return name;
        }
        let mut interner = INTERNER.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(&id) = interner.ids.get(text) {
            return Self(id);
        }
        let id = u32::try_from(interner.texts.len()).unwrap_or(u32::MAX);
        let text: &'static str = Box::leak(text.into());
        interner.texts.push(text);
        interner.ids.insert(text, id);
        Self(id)
    }

    /// The name of `text` if it has been interned before. For text that comes from data.
    #[must_use]
    pub fn lookup(text: &str) -> Option<Self> {
        let interner = INTERNER.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        interner.ids.get(text).copied().map(Self)
    }

    /// The text this name stands for.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let interner = INTERNER.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        interner.texts.get(self.0 as usize).copied().unwrap_or_default()
    }

    /// A small dense number, stable within this process only: an index into side tables.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Ord for Name {
    /// Alphabetical, so that nothing printed or stored depends on interning order.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        if self.0 == other.0 { std::cmp::Ordering::Equal } else { self.as_str().cmp(other.as_str()) }
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(deserializer).map(|text| Self::new(&text))
    }
}
