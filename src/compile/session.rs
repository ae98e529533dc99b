//! A project that stays open while it is edited: each update checks again only what the edit can have changed.
//!
//! INVARIANT: after every update everything told is what [`super::compile`] tells of the same texts; only the numbers
//! of files differ. Files keep their number for as long as they are there, so that places in what was kept stay
//! right; numbers are spaced, so that a new file finds one at its place in the order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::work::{Named, Parsed, Work, has_errors};
use super::{File, Input};
use crate::diagnostic::Diagnostic;
use crate::model::Model;
use crate::model::check::{Due, Outline, Outlines};
use crate::program::Bundle;
use crate::text::{FileId, Sources};

/// Between the numbers of two files at first.
const SPACE: u32 = 1 << 12;

/// An open project.
#[derive(Debug, Default)]
pub struct Session {
    work: Work,
    outlines: Outlines,
    files: BTreeMap<FileId, File>,
    ids: BTreeMap<Arc<str>, FileId>,
    named: Named,
}

impl Session {
    /// Compiles all of `input`.
    #[must_use]
    pub fn open(input: &Input) -> Self {
        let mut session = Self::default();
        session.reopen(input);
        session
    }

    fn reopen(&mut self, input: &Input) {
        *self = Self { named: input.named.clone(), ..Self::default() };
        let ids = (1..).map(|nth: u32| FileId(nth.saturating_mul(SPACE)));
        let files: Vec<(FileId, &File)> = ids.zip(&input.files).collect();
        self.work.today = input.today;
        self.work.rules.clone_from(&input.rules);
        self.read(&files);
        let outlines = files.iter().map(|(id, file)| (*id, self.outline(*id, file))).collect();
        self.outlines.change(outlines, &self.work.memory);
        self.work.check(Due::everything());
    }

    /// Goes on to the texts of `input`, and tells whether they differ from those before.
    pub fn update(&mut self, input: &Input) -> bool {
        let Some(numbers) = self.numbers(&input.files) else {
            // The order of files changed, or there is no number left between two of them.
            self.reopen(input);
            return true;
        };
        let numbered = numbers.iter().copied().zip(&input.files);
        let changed: Vec<(FileId, &File)> = numbered
            .filter(|(id, file)| self.files.get(id).is_none_or(|known| !is_same(known, file)))
            .collect();
        let staying: BTreeSet<FileId> = numbers.into_iter().collect();
        let gone: Vec<FileId> = self.files.keys().copied().filter(|id| !staying.contains(id)).collect();
        let settings = (&self.work.today, &self.work.rules) != (&input.today, &input.rules);
        let beside = self.named != input.named || settings;
        self.work.today = input.today;
        self.work.rules.clone_from(&input.rules);
        if changed.is_empty() && gone.is_empty() && !beside {
            return false;
        }
        self.named.clone_from(&input.named);
        // What is imported from where, and the files beside it, is nobody's text.
        let moved = beside || self.packages(&changed, &gone);
        if beside {
            self.work.read_named(self.files.iter().map(|(id, file)| (*id, file)), &self.named);
        }
        self.apply(&changed, &gone, moved);
        true
    }

    /// Goes on with one file changed; it must be known, and name the files that it named before.
    pub fn edit(&mut self, file: &File) {
        let Some(&id) = self.ids.get(&file.path) else { return };
        self.apply(&[(id, file)], &[], false);
    }

    fn apply(&mut self, changed: &[(FileId, &File)], gone: &[FileId], everything: bool) {
        for id in gone {
            self.work.remove(*id);
            if let Some(file) = self.files.remove(id) {
                self.ids.remove(&file.path);
            }
        }
        self.read(changed);
        let mut outlines: Vec<(FileId, Option<Outline>)> = gone.iter().map(|id| (*id, None)).collect();
        outlines.extend(changed.iter().map(|(id, file)| (*id, self.outline(*id, file))));
        let due = self.outlines.change(outlines, &self.work.memory);
        self.work.check(if everything { Due::everything() } else { due });
    }

    fn read(&mut self, files: &[(FileId, &File)]) {
        self.work.read(files, &self.named);
        for (id, file) in files {
            // The number of a file that is gone may be given again at once.
            if let Some(before) = self.files.insert(*id, (*file).clone()) {
                self.ids.remove(&before.path);
            }
        }
        self.ids.extend(files.iter().map(|(id, file)| (file.path.clone(), *id)));
    }

    fn outline(&self, id: FileId, file: &File) -> Option<Outline> {
        let Parsed { tree, diagnostics, .. } = self.work.files.get(&id)?;
        Some(Outline::new(&file.text, tree, !diagnostics.is_empty()))
    }

    /// A number for each of `files`, ascending; `None` if those that are known cannot keep theirs.
    fn numbers(&self, files: &[File]) -> Option<Vec<FileId>> {
        let mut numbers: Vec<FileId> = Vec::with_capacity(files.len());
        let mut new = 0;
        let last = self.files.keys().next_back().map_or(0, |id| id.0);
        let end = last.checked_add(SPACE.checked_mul(u32::try_from(files.len()).ok()?.checked_add(1)?)?)?;
        let known = files.iter().map(|file| self.ids.get(&file.path).copied()).chain([Some(FileId(end))]);
        for id in known {
            let Some(id) = id else {
                new += 1;
                continue;
            };
            let before = numbers.last().map_or(0, |id| id.0);
            let step = id.0.checked_sub(before)? / (new + 1);
            if step == 0 {
                return None;
            }
            numbers.extend((1..=new).map(|nth| FileId(before + nth * step)));
            numbers.push(id);
            new = 0;
        }
        numbers.pop();
        Some(numbers)
    }

    /// Whether there are other packages after a change than before it.
    fn packages(&self, changed: &[(FileId, &File)], gone: &[FileId]) -> bool {
        let package = |id: &FileId| self.files.get(id).map(|file| &file.package);
        if gone.is_empty() && changed.iter().all(|(id, file)| package(id) == Some(&file.package)) {
            return false;
        }
        let before: BTreeSet<&Arc<str>> = self.files.values().map(|file| &file.package).collect();
        let changed_ids: BTreeSet<FileId> =
            changed.iter().map(|(id, _)| *id).chain(gone.iter().copied()).collect();
        let staying =
            self.files.iter().filter(|(id, _)| !changed_ids.contains(id)).map(|(_, file)| &file.package);
        let after: BTreeSet<&Arc<str>> =
            staying.chain(changed.iter().map(|(_, file)| &file.package)).collect();
        before != after
            || changed.iter().any(|(id, file)| package(id).is_some_and(|was| *was != file.package))
    }

    /// Sorted by place.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.work.diagnostics
    }

    #[must_use]
    pub fn has_errors(&self) -> bool {
        has_errors(&self.work.diagnostics)
    }

    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.work.sources
    }

    #[must_use]
    pub fn model(&self) -> &Model {
        self.work.memory.model()
    }

    /// Put together when asked for; `None` exactly if there are errors.
    #[must_use]
    pub fn bundle(&mut self) -> Option<Bundle> {
        self.work.bundle()
    }
}

fn is_same(known: &File, file: &File) -> bool {
    known.path == file.path
        && known.package == file.package
        && (Arc::ptr_eq(&known.text, &file.text) || known.text == file.text)
}
