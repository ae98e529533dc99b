//! What was found before: after an edit only what it touched is held to the rules again.
//!
//! A finding belongs to the first of what it is about: a journey, a content, or something of the ground (products,
//! lotteries), which is small and looked at every time. What an edit changed, and all that names it, is told by the check
//! of names and types ([`crate::model::check::Due`]): an edited metric touches the journeys whose conditions lean on it.
//! To these belong the contents that they send, before and after, the journeys that send an edited content, and whatever
//! has a finding that points into an edited file. What every rule may look at without being named (policies, products) is
//! everything's business.
//!
//! INVARIANT: what is told is what a first look at the same project tells.

use std::collections::{BTreeMap, BTreeSet};

use super::context::{self, Context, Message};
use super::finding::{Found, Out};
use super::pack::Chosen;
use super::trees::Trees;
use super::waiver::{self, Ground};
use super::{registry, with_policies};
use crate::diagnostic::Diagnostic;
use crate::model::Model;
use crate::name::{Name, NameMap, NumberSet};
use crate::text::{FileId, Sources};

/// Whose a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Of(Name),
    File(FileId),
}

/// What has changed since the last look.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    pub everything: bool,
    /// Declared in `files`, now or before.
    pub names: BTreeSet<Name>,
    pub files: BTreeSet<FileId>,
}

/// The findings of the last look.
#[derive(Debug, Default)]
pub struct Memory {
    found: BTreeMap<Key, Vec<Found>>,
    /// The contents that each journey sends, and the journeys that send each content.
    sends: NameMap<Vec<Name>>,
    senders: NameMap<NumberSet<Name>>,
    /// What was missed while there were errors.
    missed: Touched,
    looked: bool,
}

/// What rules look at: `None` is everything.
#[derive(Debug, Default)]
pub struct Scope {
    pub journeys: BTreeSet<Name>,
    pub contents: BTreeSet<Name>,
    /// Who else sends these contents.
    pub senders: BTreeSet<Name>,
    pub files: BTreeSet<FileId>,
}

impl Touched {
    fn add(&mut self, other: &Self) {
        self.everything |= other.everything;
        self.names.extend(&other.names);
        self.files.extend(&other.files);
    }
}

impl Memory {
    /// Remembers what has changed while nobody could look.
    pub fn miss(&mut self, touched: &Touched) {
        self.missed.add(touched);
    }

    /// Holds a project without errors to the rules that were chosen.
    pub fn check(
        &mut self,
        model: &Model,
        sources: &Sources,
        trees: Trees<'_, '_>,
        chosen: &Chosen,
        touched: &Touched,
    ) -> Vec<Diagnostic> {
        self.missed.add(touched);
        let touched = std::mem::take(&mut self.missed);
        let (chosen, mut told) = with_policies(model, chosen);
        let whole = touched.everything || !self.looked;
        let scope = (!whole).then(|| self.scope(model, touched));
        self.looked = true;
        self.found.retain(|key, _| !matches!(key, Key::File(file) if trees.get(*file).is_none()));
        let context = Context::new(model, sources, trees, &chosen, scope.as_ref());
        if whole {
            self.relearn(&context.messages);
        }
        let mut found = Vec::new();
        for rule in registry::ALL {
            if let Some(held) = rule.held(&chosen) {
                let mut out = Out::new(rule, held);
                (rule.check)(&context, &mut out);
                found.append(&mut out.found);
            }
        }
        self.keep(model, found, scope.as_ref());
        told.extend(waiver::apply(
            &Ground { model, sources, trees, chosen: &chosen },
            self.found.values().flatten().cloned().collect(),
        ));
        told
    }

    /// Puts what was found in place of what was known of the same.
    fn keep(&mut self, model: &Model, found: Vec<Found>, scope: Option<&Scope>) {
        let is_new = |key: &Key| match (scope, key) {
            (None, _) => true,
            (Some(scope), Key::File(file)) => scope.files.contains(file),
            (Some(scope), Key::Of(name)) => {
                scope.journeys.contains(name)
                    || scope.contents.contains(name)
                    || !(model.journeys.contains_key(name) || model.contents.contains_key(name))
            }
        };
        self.found.retain(|key, _| !is_new(key));
        for one in found {
            let key =
                one.about.first().map_or(Key::File(one.diagnostic.primary.span.file), |name| Key::Of(*name));
            if is_new(&key) {
                self.found.entry(key).or_default().push(one);
            }
        }
    }

    /// All that the touched journeys and contents hang together with, before and after.
    fn scope(&mut self, model: &Model, touched: Touched) -> Scope {
        let Touched { mut names, files, .. } = touched;
        for (key, found) in &self.found {
            if let Key::Of(name) = key
                && found.iter().any(|one| one.diagnostic.points_into(&files))
            {
                names.insert(*name);
            }
        }
        let mut scope = Scope { files, ..Scope::default() };
        for name in &names {
            scope.contents.extend(self.sends.get(name).into_iter().flatten());
            scope.journeys.extend(self.senders.get(name).into_iter().flatten());
        }
        for name in &names {
            self.learn(model, *name);
        }
        for name in names {
            scope.journeys.extend(self.senders.get(&name).into_iter().flatten());
            scope.journeys.insert(name);
            scope.contents.insert(name);
        }
        for journey in &scope.journeys {
            scope.contents.extend(self.sends.get(journey).into_iter().flatten());
        }
        for content in &scope.contents {
            scope.senders.extend(self.senders.get(content).into_iter().flatten());
        }
        scope
    }

    fn relearn(&mut self, messages: &[Message<'_>]) {
        self.sends.clear();
        self.senders.clear();
        for message in messages {
            let (journey, content) = (message.journey.name, message.content.name);
            self.senders.entry(content).or_default().insert(journey);
            self.sends.entry(journey).or_default().push(content);
        }
    }

    /// What the journey `name` sends now.
    fn learn(&mut self, model: &Model, name: Name) {
        for content in self.sends.remove(&name).into_iter().flatten() {
            if let Some(senders) = self.senders.get_mut(&content) {
                senders.remove(&name);
            }
        }
        let Some(journey) = model.journeys.get(&name) else { return };
        let sent = context::sent(model, journey);
        for content in &sent {
            self.senders.entry(*content).or_default().insert(name);
        }
        self.sends.insert(name, sent);
    }
}
