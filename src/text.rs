//! Source text: files, byte spans, and the way from a byte offset to a line and column.
//!
//! Knows nothing of the language and does no IO: whoever reads files puts them into [`Sources`].

pub mod hex;
pub mod shared;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

/// A file of one compilation: an index into [`Sources`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId(pub u32);

/// A half-open range of bytes in one file. Always on character boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
}

impl Span {
    #[must_use]
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { file, start: narrow(start), end: narrow(end) }
    }

    /// The smallest span that holds both. Both are of one file.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The empty span just behind this one: where something is missing.
    #[must_use]
    pub fn after(self) -> Self {
        Self { start: self.end, ..self }
    }

    #[must_use]
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A place for people: both count from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

/// One file: its path as the user would type it, and its text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    pub path: Arc<str>,
    pub text: Arc<str>,
    /// Counted when somebody asks for a place: most texts have nothing wrong with them.
    line_starts: OnceLock<Arc<[u32]>>,
}

impl SourceFile {
    #[must_use]
    pub fn new(path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self { path: path.into(), text: text.into(), line_starts: OnceLock::new() }
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let breaks = self.text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
            let starts = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1));
            starts.map(|at| u32::try_from(at).unwrap_or(u32::MAX)).collect()
        })
    }

    /// The line, counted from 1, that holds byte `offset`.
    #[must_use]
    pub fn line(&self, offset: u32) -> u32 {
        u32::try_from(self.line_starts().partition_point(|&start| start <= offset)).unwrap_or(u32::MAX)
    }

    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line(offset);
        let start = self.line_starts().get(line as usize - 1).copied().unwrap_or_default();
        let before = self.text.get(start as usize..offset as usize).unwrap_or_default();
        Position { line, column: u32::try_from(before.chars().count()).unwrap_or(u32::MAX).saturating_add(1) }
    }

    /// The text of line `line` (from 1), without its line break.
    #[must_use]
    pub fn line_text(&self, line: u32) -> &str {
        self.text.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default()
    }
}

/// All files of one compilation, in the order of their numbers.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: BTreeMap<FileId, SourceFile>,
}

impl Sources {
    /// Adds a file under the next number.
    pub fn add(&mut self, path: &str, text: &str) -> FileId {
        let id = FileId(self.files.keys().next_back().map_or(0, |last| last.0.saturating_add(1)));
        self.set(id, path, text);
        id
    }

    /// Puts a file under a number of its own, in place of what was there.
    pub fn set(&mut self, id: FileId, path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) {
        self.files.insert(id, SourceFile::new(path, text));
    }

    pub fn remove(&mut self, id: FileId) {
        self.files.remove(&id);
    }

    #[must_use]
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(&id)
    }

    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().map(|(id, file)| (*id, file))
    }

    /// The text under `span`, empty where the span is of no file here.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.get(span.file).and_then(|file| file.text.get(span.range())).unwrap_or_default()
    }

    /// `(path, line)` of the start of `span`.
    #[must_use]
    pub fn place(&self, span: Span) -> (Arc<str>, u32) {
        self.get(span.file).map_or_else(|| ("".into(), 0), |file| (file.path.clone(), file.line(span.start)))
    }
}
