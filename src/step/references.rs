//! What is known of other roots: employers, branches, groups, as far as a subject of another kind refers to them.
//!
//! Part of the world: a snapshot, the same for every customer during a batch. What is not in it is missing, and a
//! condition on what is missing does not hold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::name::Name;
use crate::value::Value;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct References {
    kinds: BTreeSet<Name>,
    /// Stored attributes by kind and id.
    known: BTreeMap<Name, BTreeMap<Arc<str>, BTreeMap<Name, Value>>>,
}

impl References {
    /// Nothing known yet of these kinds.
    #[must_use]
    pub fn of_kinds(kinds: BTreeSet<Name>) -> Self {
        Self { kinds, known: BTreeMap::new() }
    }

    /// The kinds that somebody looks at.
    #[must_use]
    pub fn kinds(&self) -> &BTreeSet<Name> {
        &self.kinds
    }

    /// Everything that is known of one of them, instead of what was.
    pub fn set(&mut self, entity: Name, id: Arc<str>, fields: BTreeMap<Name, Value>) {
        self.known.entry(entity).or_default().insert(id, fields);
    }

    /// Sets attributes of one of them; `Missing` removes one.
    pub fn merge(&mut self, entity: Name, id: Arc<str>, fields: &[(Name, Value)]) {
        let known = self.known.entry(entity).or_default().entry(id).or_default();
        for (name, value) in fields {
            if value.is_missing() {
                known.remove(name);
            } else {
                known.insert(*name, value.clone());
            }
        }
    }

    /// One attribute; `Missing` where the kind, the one or the attribute is not known.
    #[must_use]
    pub fn attribute(&self, entity: Name, id: &str, name: Name) -> Value {
        let known = self.known.get(&entity).and_then(|all| all.get(id)).and_then(|one| one.get(&name));
        known.cloned().unwrap_or(Value::Missing)
    }
}
