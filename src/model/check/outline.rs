//! What files look like from outside, and what has to be checked again after an edit.
//!
//! A declaration is seen from outside by its whole text, and leans on every word in it: both say more than need be and never less, for
//! any kind of declaration. What is due after an edit is the edited files, the files with a word that changed its
//! meaning, and the files with a finding that the edit may have answered. Results must be those of a check of
//! everything; how far the change of a kind is felt is said by [`super::world::Kind::reach`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::collect;
use super::memory::Memory;
use super::world::{Kind, Reach};
use crate::name::Name;
use crate::syntax::ast::{self, DeclKind};
use crate::text::FileId;

/// What a check has to look at.
#[derive(Clone, Debug, Default)]
pub struct Due {
    everything: bool,
    files: BTreeSet<FileId>,
    /// Files that are no more.
    pub(super) gone: BTreeSet<FileId>,
    names: BTreeSet<Name>,
}

impl Due {
    #[must_use]
    pub fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.everything
    }

    #[must_use]
    pub fn has(&self, file: FileId) -> bool {
        self.everything || self.files.contains(&file)
    }

    /// The files to look at; not told if it is everything.
    #[must_use]
    pub fn files(&self) -> &BTreeSet<FileId> {
        &self.files
    }

    /// All names that these files declare or declared.
    #[must_use]
    pub fn names(&self) -> &BTreeSet<Name> {
        &self.names
    }
}

/// One file, as others see it.
#[derive(Clone, Debug)]
pub struct Outline {
    parts: Vec<Part>,
    /// Its text was not wholly understood, so that one part may have swallowed another.
    broken: bool,
}

#[derive(Clone, Debug)]
struct Part {
    name: Option<Name>,
    /// `None` for what declares no name of its own.
    kind: Option<Kind>,
    reach: Reach,
    text: u64,
    words: Box<[u32]>,
}

impl Outline {
    /// `broken` if the parser found anything.
    #[must_use]
    pub fn new(text: &str, file: &ast::File, broken: bool) -> Self {
        let mut from = 0;
        let last = file.decls.len();
        let parts = file.decls.iter().zip(1..).map(|(decl, nth)| {
            let to = if nth == last { text.len() } else { decl.span.end as usize };
            let part = text.get(from..to).unwrap_or(text);
            from = to;
            Part {
                name: decl.name.map(|name| name.name),
                kind: collect::kind(&decl.kind),
                reach: reach(decl),
                text: hash(part),
                words: words(part),
            }
        });
        Self { parts: parts.collect(), broken }
    }

    fn words(&self) -> BTreeSet<u32> {
        self.parts.iter().flat_map(|part| part.words.iter().copied()).collect()
    }

    /// The names of what the memory keeps.
    fn kept(&self) -> impl Iterator<Item = Name> {
        let kept = self.parts.iter().filter(|part| matches!(part.reach, Reach::Named | Reach::Inside));
        kept.filter_map(|part| part.name)
    }

    /// What each name stands for here, in the order written.
    fn meanings(&self) -> BTreeMap<Name, Vec<(Option<Kind>, u64)>> {
        let mut meanings: BTreeMap<Name, Vec<(Option<Kind>, u64)>> = BTreeMap::new();
        for part in &self.parts {
            if let Some(name) = part.name {
                meanings.entry(name).or_default().push((part.kind, part.text));
            }
        }
        meanings
    }
}

fn reach(decl: &ast::Decl) -> Reach {
    match (&decl.kind, collect::kind(&decl.kind)) {
        (_, Some(kind)) => kind.reach(),
        // Its name is that of an entity.
        (DeclKind::Extend(_), None) => Reach::Ground,
        // Nothing looks at a test; what could not be read makes the file a broken one.
        (DeclKind::Test(_) | DeclKind::Error, None) => Reach::Named,
        _ => Reach::Everywhere,
    }
}

/// The outlines of a project, and where each word is written.
#[derive(Debug, Default)]
pub struct Outlines {
    files: BTreeMap<FileId, Outline>,
    places: HashMap<u32, Vec<FileId>>,
}

impl Outlines {
    /// Takes in new outlines of changed files (`None` for a file that is gone) and tells what is due now. `memory`
    /// is that of the check before.
    pub fn change(&mut self, changed: Vec<(FileId, Option<Outline>)>, memory: &Memory) -> Due {
        let mut edit = Edit::default();
        for (file, outline) in changed {
            let before = self.files.remove(&file);
            edit.see(file, before.as_ref(), outline.as_ref());
            self.move_words(file, before.as_ref(), outline.as_ref());
            self.files.extend(outline.map(|outline| (file, outline)));
        }
        if edit.everything {
            return Due::everything();
        }
        self.follow(&mut edit);
        answered(&mut edit, memory);
        let names = self.siblings(&mut edit);
        let gone = edit.edited.iter().filter(|file| !self.files.contains_key(file)).copied().collect();
        for gone in &gone {
            edit.due.remove(gone);
        }
        Due { everything: false, files: edit.due, gone, names }
    }

    fn move_words(&mut self, file: FileId, before: Option<&Outline>, after: Option<&Outline>) {
        let before = before.map(Outline::words).unwrap_or_default();
        let after = after.map(Outline::words).unwrap_or_default();
        for word in before.difference(&after) {
            if let Some(places) = self.places.get_mut(word) {
                places.retain(|place| *place != file);
            }
        }
        for word in after.difference(&before) {
            self.places.entry(*word).or_default().push(file);
        }
    }

    /// Adds the files that write a changed name, and counts what these files declare with it as changed.
    fn follow(&self, edit: &mut Edit) {
        let mut open: Vec<Name> = edit.names.iter().copied().collect();
        while let Some(name) = open.pop() {
            let word = word_of(name);
            for file in self.places.get(&word).into_iter().flatten() {
                edit.due.insert(*file);
                let parts = self.files.get(file).map(|outline| outline.parts.as_slice()).unwrap_or_default();
                for part in parts.iter().filter(|part| part.words.binary_search(&word).is_ok()) {
                    open.extend(part.name.filter(|name| edit.names.insert(*name)));
                }
            }
        }
    }

    /// All names that the due files declare or declared. Adds the files that declare them too: which of them counts is
    /// decided anew.
    fn siblings(&self, edit: &mut Edit) -> BTreeSet<Name> {
        let outlines = edit.due.iter().filter_map(|file| self.files.get(file));
        let mut names: BTreeSet<Name> =
            outlines.flat_map(Outline::kept).chain(edit.gone.iter().copied()).collect();
        let mut open: Vec<Name> = names.iter().copied().collect();
        while let Some(name) = open.pop() {
            for file in self.places.get(&word_of(name)).into_iter().flatten() {
                let Some(outline) = self.files.get(file) else { continue };
                if outline.kept().any(|other| other == name) && edit.due.insert(*file) {
                    open.extend(outline.kept().filter(|name| names.insert(*name)));
                }
            }
        }
        names
    }
}

/// What an edit changed, and what is due because of it.
#[derive(Default)]
struct Edit {
    everything: bool,
    edited: BTreeSet<FileId>,
    due: BTreeSet<FileId>,
    /// Names that mean something else now.
    names: BTreeSet<Name>,
    /// There are more or fewer names than before, or they are of other kinds.
    new_names: bool,
    /// All names that edited files declared before.
    gone: BTreeSet<Name>,
}

impl Edit {
    fn see(&mut self, file: FileId, before: Option<&Outline>, after: Option<&Outline>) {
        self.edited.insert(file);
        if after.is_some() {
            self.due.insert(file);
        }
        self.gone.extend(before.into_iter().flat_map(Outline::kept));
        let sides = [before, after];
        let parts = sides.into_iter().flatten().flat_map(|outline| &outline.parts);
        self.everything |= parts.clone().any(|part| part.reach == Reach::Everywhere);
        let all = before.is_none() || after.is_none() || sides.iter().flatten().any(|outline| outline.broken);
        let meanings = sides.map(|outline| outline.map(Outline::meanings).unwrap_or_default());
        let [old, new] = &meanings;
        let kinds = |(name, meant): (&Name, &Vec<(Option<Kind>, u64)>)| {
            (*name, meant.iter().map(|(kind, _)| *kind).collect::<Vec<_>>())
        };
        self.new_names |= all || !old.iter().map(kinds).eq(new.iter().map(kinds));
        for part in parts {
            let Some(name) = part.name else { continue };
            if all || part.reach == Reach::Inside || old.get(&name) != new.get(&name) {
                self.names.insert(name);
                self.everything |= part.reach == Reach::Ground || !is_plain(name);
            }
        }
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Whether a name is one word wherever it is written.
fn is_plain(name: Name) -> bool {
    name.as_str().bytes().all(is_word_byte)
}

fn word_of(name: Name) -> u32 {
    word(name.as_str().as_bytes())
}

/// A number for a word; two may share one. All words that are not plain ASCII do: they can be written in several ways.
fn word(bytes: &[u8]) -> u32 {
    if !bytes.is_ascii() {
        return 0;
    }
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// All words of a text, those of comments and copies too.
fn words(text: &str) -> Box<[u32]> {
    let split = text.as_bytes().split(|byte| !is_word_byte(*byte)).filter(|part| !part.is_empty());
    let mut words: Vec<u32> = split.map(word).collect();
    words.sort_unstable();
    words.dedup();
    words.into()
}

/// Adds the files whose findings may read otherwise now: they point into an edited file, or they say what names
/// there are.
fn answered(edit: &mut Edit, memory: &Memory) {
    for (file, findings) in memory.said() {
        let points = || findings.iter().any(|finding| finding.points_into(&edit.edited));
        if !findings.is_empty() && (edit.new_names || points()) {
            edit.due.insert(file);
        }
    }
}
