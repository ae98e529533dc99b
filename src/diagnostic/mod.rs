//! The one type for everything that is told to a user about their text: errors, warnings, refusals.
//!
//! Reading order: [`Diagnostic`] (what is said), [`code`] (the registry of stable codes and their `explain`
//! pages), [`fix`] (what would mend it), [`suppress`] (what is excused), [`render`] (how it looks for a person or a machine). Building a diagnostic never formats it, and a
//! renderer never decides what is said.
//!
//! Wording: the headline is one lower-case sentence without a full stop, in the user's words, with their text in
//! backticks and no Rust names; a label says what is *here*; help says what to write instead.

pub mod code;
pub mod fix;
pub mod render;
pub mod suggest;
pub mod suppress;

pub use code::Code;
pub use fix::{Edit, Fix};

use std::collections::BTreeSet;

use crate::text::{FileId, Span};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
    Info,
}

/// One finding, with the exact place it is about.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    /// If only one thing can be shown, this is it.
    pub headline: String,
    pub primary: Label,
    /// Other places that explain the finding ("first declared here").
    pub secondary: Vec<Label>,
    /// What to do, most likely first.
    pub help: Vec<String>,
    /// Facts that explain, without being an instruction.
    pub notes: Vec<String>,
    pub fix: Option<Fix>,
}

#[derive(Clone, Debug)]
pub struct Label {
    pub span: Span,
    /// May be empty: the place alone is meant.
    pub text: String,
}

impl Diagnostic {
    /// A finding of the code's own severity at `span`.
    #[must_use]
    pub fn new(code: Code, span: Span, headline: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            headline: headline.into(),
            primary: Label { span, text: String::new() },
            secondary: Vec::new(),
            help: Vec::new(),
            notes: Vec::new(),
            fix: None,
        }
    }

    /// Says what is at the primary place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// A safe replacement of `span` by `text`.
    #[must_use]
    pub fn fix(self, title: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        self.with_fix(Fix::safe(title).replace(span, text))
    }

    #[must_use]
    pub fn with_fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    /// Whether one of its places, or of its fix, is in one of `files`.
    #[must_use]
    pub fn points_into(&self, files: &BTreeSet<FileId>) -> bool {
        let places = std::iter::once(&self.primary).chain(&self.secondary).map(|label| label.span);
        let edits = self.fix.iter().flat_map(|fix| &fix.edits).map(|edit| edit.span);
        places.chain(edits).any(|span| files.contains(&span.file))
    }

    /// Help on `word`, which stands at the primary place and is not known: the one of `among` that was probably
    /// meant, with a fix, or the two that are equally near; `otherwise` if none is.
    #[must_use]
    pub fn suggest<'a>(
        self,
        word: &str,
        among: impl IntoIterator<Item = &'a str>,
        otherwise: impl FnOnce() -> String,
    ) -> Self {
        let span = self.primary.span;
        match suggest::candidates(word, among).as_slice() {
            [] => self.help(otherwise()),
            [only] => self
                .help(format!("did you mean `{only}`?"))
                .with_fix(Fix::suggested(format!("write `{only}`")).replace(span, *only)),
            [first, second, ..] => self.help(format!("did you mean `{first}` or `{second}`?")),
        }
    }
}

/// A text for comparing: `line 9` comes before `line 10`. Signs and numbers by turns.
fn numbered(text: &str) -> Vec<(&str, u64)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (signs, tail) = rest.split_at(digits);
        let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        let (number, tail) = tail.split_at(end);
        parts.push((signs, number.parse().unwrap_or(0)));
        rest = tail;
    }
    parts
}

/// Sorts by place, then code, so that output never depends on the order of discovery, and drops exact repeats.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| {
        let key = |d: &Diagnostic| (d.primary.span, d.code.as_str());
        key(a).cmp(&key(b)).then_with(|| numbered(&a.headline).cmp(&numbered(&b.headline)))
    });
    diagnostics
        .dedup_by(|a, b| a.primary.span == b.primary.span && a.code == b.code && a.headline == b.headline);
}
