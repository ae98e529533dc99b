//! What is the same for every customer during a batch: programs, content, schema, calendars, switches.
//!
//! Immutable while in use; a deployment makes a new one. The store gives every name that appears in state or trace a
//! small number ([`Sym`]), so that rows stay compact; [`Symbols`] goes both ways.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::program::{Bundle, Program};

/// A name as the store numbers it: dense from 0, append-only, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sym(pub u32);

/// A program version as the store numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProgramNo(pub u32);

/// The store's numbering of names.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    names: Vec<Name>,
    /// By [`Name::index`].
    syms: Vec<Option<Sym>>,
}

#[derive(Clone, Debug)]
pub struct World {
    /// The live deployment: schema, channels, contents, calendars, and the programs new instances enter.
    pub bundle: Arc<Bundle>,
    /// Every version that is live or that somebody may still stand in.
    pub programs: BTreeMap<ProgramNo, Arc<Program>>,
    /// The version a new instance of a journey enters.
    pub live: BTreeMap<Name, ProgramNo>,
    pub symbols: Symbols,
    /// The bank's zone: schedules, and customers whose own zone is unknown.
    pub zone: TimeZone,
    pub kill: Kill,
}

/// Switches that stop sending at once, whatever a journey says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kill {
    pub all: bool,
    pub channels: BTreeSet<Name>,
    pub journeys: BTreeSet<Name>,
}

impl Symbols {
    /// From the store's list, in its order.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = Name>) -> Self {
        let mut symbols = Self::default();
        for name in names {
            symbols.add(name);
        }
        symbols
    }

    /// The number of `name`, given one if it has none. Only a deployment adds.
    pub fn add(&mut self, name: Name) -> Sym {
        if let Some(sym) = self.sym(name) {
            return sym;
        }
        let sym = Sym(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(name);
        if self.syms.len() <= name.index() {
            self.syms.resize(name.index() + 1, None);
        }
        if let Some(slot) = self.syms.get_mut(name.index()) {
            *slot = Some(sym);
        }
        sym
    }

    #[must_use]
    pub fn sym(&self, name: Name) -> Option<Sym> {
        self.syms.get(name.index()).copied().flatten()
    }

    #[must_use]
    pub fn name(&self, sym: Sym) -> Option<Name> {
        self.names.get(sym.0 as usize).copied()
    }

    #[must_use]
    pub fn names(&self) -> &[Name] {
        &self.names
    }
}
