//! The store's numbering of names, so that state rows and traces hold small numbers. Append-only; it goes both ways.

use serde::{Deserialize, Serialize};

use super::rounds;
use crate::expr::MessageEvent;
use crate::name::Name;
use crate::program::policy::PURPOSES;
use crate::program::value::outcome;
use crate::program::{Bundle, Policies, Program};

/// A name as the store numbers it: dense from 0, append-only, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sym(pub u32);

/// The numbering.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    names: Vec<Name>,
    /// By [`Name::index`].
    syms: Vec<Option<Sym>>,
}

/// Names that the runtime itself writes.
pub(super) const CONSENT: &str = "consent";
pub(super) const ZONE: &str = "zone";
pub(super) const ATTRIBUTES: &str = "wayfare.attributes";
/// End state of an instance that ran without ever waiting.
pub(super) const STUCK: &str = "stuck";
/// End state of the instance that `reenter restart` replaces.
pub(super) const RESTARTED: &str = "restarted";
/// End state of an instance that outlived `lasts`.
pub(super) const EXPIRED: &str = "expired";
/// The argument of a message that holds the content a table chose for it.
pub(super) const CONTENT: &str = "wayfare.content";
/// Who was asked to do a task, in what its `escalate` says.
pub const ASSIGNEE: &str = "assignee";
/// The outcome of a task that nobody did in time.
pub(super) const OVERDUE: &str = "overdue";
/// End state of the younger of two instances, when their subjects were found to be the same.
pub(super) const MERGED_END: &str = "merged";
/// End state of whatever ran for a subject that was erased.
pub(super) const ERASED: &str = "erased";
const FIXED: [&str; 11] =
    [CONSENT, ZONE, ATTRIBUTES, STUCK, RESTARTED, EXPIRED, CONTENT, ASSIGNEE, OVERDUE, MERGED_END, ERASED];

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

    /// Numbers every name of the bundle, and of older programs, that can appear in state or trace. A deployment stores
    /// what this adds before it steps anybody.
    pub fn cover<'a>(&mut self, bundle: &Bundle, older: impl Iterator<Item = &'a Program>) {
        for name in FIXED {
            self.add(Name::new(name));
        }
        for purpose in PURPOSES {
            self.add(Name::new(purpose));
        }
        for kind in MessageEvent::ALL {
            self.add(Name::new(kind.as_str()));
        }
        for name in outcome::ALL {
            self.add(Name::new(name));
        }
        bundle.values.names().for_each(|name| _ = self.add(name));
        self.cover_schema(bundle);
        for content in bundle.contents.values() {
            self.add(content.body.name);
            content.body.takes.iter().for_each(|(name, _)| _ = self.add(*name));
        }
        bundle.lanes.keys().for_each(|name| _ = self.add(*name));
        bundle.policy.iter().for_each(|policy| self.cover_policies(&policy.body));
        bundle.channels.keys().for_each(|name| _ = self.add(*name));
        bundle.programs.values().for_each(|program| self.cover_program(&program.body));
        older.for_each(|program| self.cover_program(program));
    }

    fn cover_policies(&mut self, policies: &Policies) {
        policies.policies.keys().chain(policies.products.keys()).for_each(|name| _ = self.add(*name));
        policies.caps().for_each(|cap| _ = self.add(cap.name));
    }

    fn cover_schema(&mut self, bundle: &Bundle) {
        for (name, entity) in &bundle.schema.entities {
            self.add(*name);
            self.add(entity.key);
            entity.fields.iter().for_each(|field| _ = self.add(field.name));
        }
        for (name, event) in &bundle.schema.events {
            self.add(*name);
            event.fields.iter().for_each(|field| _ = self.add(field.name));
        }
        bundle.schema.tags.keys().for_each(|name| _ = self.add(*name));
    }

    fn cover_program(&mut self, program: &Program) {
        for name in [program.journey, program.subject, program.root, program.purpose] {
            self.add(name);
        }
        program.exits.iter().for_each(|exit| _ = self.add(exit.end));
        program.goals.iter().for_each(|goal| _ = self.add(goal.name));
        program.features.iter().for_each(|feature| _ = self.add(feature.id));
        for (_, in_round) in rounds::names(program) {
            self.add(in_round);
        }
        program.tracked.iter().for_each(|tracked| _ = self.add(tracked.name));
        for node in &program.nodes {
            self.add(node.step);
            node.kind.names().into_iter().for_each(|name| _ = self.add(name));
        }
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
