//! What one check leaves for the next: items, findings and uses of everything that an edit did not touch.
//!
//! The ground (entities, choices, calendars, channels, and kinds that are not listed as [`super::world::Reach::Named`]) is made anew in
//! every run; it is small. The many (events, tags, metrics, contents, journeys, tests) are looked at again only if
//! they are due.

use std::collections::{BTreeMap, BTreeSet};

use super::derived::Tangled;
use super::journey::identity::StepIds;
use super::outline::Due;
use super::world::{Imports, Kept, Signature, Sink, World};
use super::{Context, phases};
use crate::diagnostic::{self, Diagnostic};
use crate::model::Model;
use crate::name::{Name, NumberMap};
use crate::syntax::ast;
use crate::text::FileId;
use crate::value::Type;

/// The results of the last check.
#[derive(Debug, Default)]
pub struct Memory {
    model: Model,
    imports: NumberMap<FileId, Imports>,
    signatures: NumberMap<Name, Signature>,
    takes: NumberMap<Name, Vec<(Name, Type)>>,
    steps: NumberMap<Name, StepIds>,
    needs: NumberMap<Name, BTreeSet<Name>>,
    kept: BTreeMap<FileId, Kept>,
    tangled: bool,
    /// What an unread name silences may be anywhere.
    lost: BTreeSet<Name>,
}

/// What a check says.
#[derive(Debug)]
pub struct Checked {
    /// Sorted by place.
    pub findings: Vec<Diagnostic>,
    /// What was looked at: at least what was due.
    pub looked: Due,
}

impl Memory {
    /// Checks again what is due. `files` are all files of the project, changed or not.
    ///
    /// INVARIANT: model and findings are those that [`super::check`] has for the same files.
    pub fn check(&mut self, files: &[(FileId, &ast::File)], context: &Context, due: Due) -> Checked {
        let part = if self.tangled || self.lost != context.lost { Due::everything() } else { due };
        self.forget(&part);
        self.lost.clone_from(&context.lost);
        if let Ok(findings) = phases(files, context, self, &part) {
            return Checked { findings, looked: part };
        }
        let whole = Due::everything();
        self.forget(&whole);
        self.lost.clone_from(&context.lost);
        // Only a part can be tangled.
        let findings = phases(files, context, self, &whole).unwrap_or_else(|Tangled| Vec::new());
        Checked { findings, looked: whole }
    }

    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The model, of which nothing is left here: the next check must be of everything.
    #[must_use]
    pub fn take_model(&mut self) -> Model {
        std::mem::take(&mut self.model)
    }

    /// What was said about each file, places in other files included.
    pub(super) fn said(&self) -> impl Iterator<Item = (FileId, &[Diagnostic])> {
        self.kept.iter().map(|(file, kept)| (*file, kept.findings.as_slice()))
    }

    /// Drops everything about what is due.
    fn forget(&mut self, due: &Due) {
        if due.is_everything() {
            *self = Self::default();
            return;
        }
        for name in due.names() {
            self.model.events.remove(name);
            self.model.tags.remove(name);
            self.model.derived.remove(name);
            self.model.contents.remove(name);
            self.model.journeys.remove(name);
            self.signatures.remove(name);
            self.takes.remove(name);
            self.steps.remove(name);
            self.needs.remove(name);
        }
        self.model.tests.retain(|test| !due.has(test.span.file) && !due.gone.contains(&test.span.file));
        for file in due.files().iter().chain(&due.gone) {
            self.kept.remove(file);
            self.imports.remove(file);
        }
    }

    pub(super) fn lend(&mut self, world: &mut World, sink: &mut Sink) {
        world.before = std::mem::take(&mut self.model);
        world.imports = std::mem::take(&mut self.imports);
        world.signatures = std::mem::take(&mut self.signatures);
        world.takes = std::mem::take(&mut self.takes);
        world.steps = std::mem::take(&mut self.steps);
        world.needs = std::mem::take(&mut self.needs);
        sink.kept = std::mem::take(&mut self.kept);
    }

    /// Takes everything back, and tells all findings.
    pub(super) fn keep(&mut self, world: World, sink: Sink) -> Vec<Diagnostic> {
        self.model = world.model;
        self.imports = world.imports;
        self.signatures = world.signatures;
        self.takes = world.takes;
        self.steps = world.steps;
        self.needs = world.needs;
        self.tangled = world.tangled;
        self.kept = sink.kept;
        let mut findings = sink.findings;
        findings.extend(self.kept.values().flat_map(|kept| &kept.findings).cloned());
        diagnostic::sort(&mut findings);
        findings
    }
}
