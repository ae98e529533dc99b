//! Interned names: one entry per distinct identifier of the process, and a pointer to it wherever it is used.
//!
//! Every identifier that comes from source text or from a program is a [`Name`]. Comparing and hashing one
//! costs an address, and never looks at what stands there: a table of ten thousand names is not read from memory again. It
//! is written out as text wherever it is serialised, so programs stay portable.
//! What never enters: strings from outside (event ids, attribute values). Interning never frees, so data
//! must not reach it; look data up with [`Name::lookup`].

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::{LazyLock, RwLock};

use foldhash::fast::RandomState;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A handle to an interned identifier.
#[derive(Clone, Copy)]
pub struct Name(&'static Interned);

struct Interned {
    id: u32,
    /// The first bytes of the text, zeros behind a shorter one: most pairs differ in them, and then nothing else is read.
    front: u128,
    text: Box<str>,
}

/// The first bytes of a text as a number that is ordered as texts are.
fn front(text: &str) -> u128 {
    let mut bytes = [0; size_of::<u128>()];
    bytes.iter_mut().zip(text.bytes()).for_each(|(to, byte)| *to = byte);
    u128::from_be_bytes(bytes)
}

/// A table by numbers of our own: names, files, places. They are dense, so a multiplication is hash enough.
pub type NumberMap<K, V> = HashMap<K, V, BuildHasherDefault<NameHasher>>;

/// A set of such.
pub type NumberSet<K> = HashSet<K, BuildHasherDefault<NameHasher>>;

/// A table by name.
pub type NameMap<V> = NumberMap<Name, V>;

/// For [`NumberMap`].
#[derive(Clone, Copy, Debug, Default)]
pub struct NameHasher(u64);

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

static INTERNER: LazyLock<RwLock<HashMap<&'static str, Name, RandomState>>> = LazyLock::new(RwLock::default);

impl Name {
    /// Interns `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        if let Some(name) = Self::lookup(text) {
            return name;
        }
        let mut interner = INTERNER.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(&name) = interner.get(text) {
            return name;
        }
        let id = u32::try_from(interner.len()).unwrap_or(u32::MAX);
        let name = Self(Box::leak(Box::new(Interned { id, front: front(text), text: text.into() })));
        interner.insert(name.as_str(), name);
        name
    }

    /// The name of `text` if it has been interned before. For text that comes from data.
    #[must_use]
    pub fn lookup(text: &str) -> Option<Self> {
        let interner = INTERNER.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        interner.get(text).copied()
    }

    /// The text this name stands for.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        &self.0.text
    }

    /// A small dense number, stable within this process only: an index into side tables.
    #[must_use]
    pub fn index(self) -> usize {
        self.0.id as usize
    }
}

impl Name {
    /// Where it is interned: one place for each text, for as long as the process lives.
    fn address(self) -> usize {
        std::ptr::from_ref(self.0).addr()
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.address() == other.address()
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.address());
    }
}

impl Ord for Name {
    /// Alphabetical, so that nothing printed or stored depends on interning order.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        if self == other {
            return std::cmp::Ordering::Equal;
        }
        self.0.front.cmp(&other.0.front).then_with(|| self.as_str().cmp(other.as_str()))
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

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn names_are_in_the_order_of_their_texts() {
        let mut texts = vec![
            "",
            "a",
            "a.",
            "a0",
            "ab",
            "b",
            "sixteen_signs_16",
            "sixteen_signs_16.a",
            "sixteen_signs_16_",
            "sixteen_signs_1",
            "sixteen_signs_17",
            "余额",
            "账户余额",
            "账户余额余额",
            "账户余额余额a",
        ];
        texts.sort_unstable();
        let mut names: Vec<Name> = texts.iter().rev().map(|text| Name::new(text)).collect();
        names.sort_unstable();
        assert_eq!(names.iter().map(|name| name.as_str()).collect::<Vec<_>>(), texts);
    }
}
