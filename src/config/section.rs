//! Typed reading of one section: every question is remembered, and what nobody asked for is unknown.

use std::collections::BTreeSet;

use super::tree::{Entry, Table, Value};
use crate::diagnostic::{Diagnostic, code, suggest};
use crate::text::Span;

/// A setting with the place of its value.
#[derive(Clone, Debug)]
pub(super) struct Set<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

/// A section while it is being read. It must be [`finish`](Self::finish)ed.
pub(super) struct Section<'a> {
    /// As in the file, `channels.push`; empty for the top.
    path: String,
    entries: Table,
    asked: BTreeSet<&'static str>,
    /// Where the section is named.
    pub(super) span: Span,
    pub(super) findings: &'a mut Vec<Diagnostic>,
}

impl<'a> Section<'a> {
    pub(super) fn new(path: String, entries: Table, span: Span, findings: &'a mut Vec<Diagnostic>) -> Self {
        Self { path, entries, asked: BTreeSet::new(), span, findings }
    }

    /// The section `key` inside this one; empty where it is not written.
    pub(super) fn section(&mut self, key: &'static str) -> Section<'_> {
        let (entries, span) = match self.take(key) {
            Some(Entry { value: Value::Table(entries), key, .. }) => (entries, key),
            Some(entry) => {
                self.refuse::<()>(&entry, "a section");
                (Table::new(), entry.key)
            }
            None => (Table::new(), self.span),
        };
        Section::new(self.name(key), entries, span, &mut *self.findings)
    }

    /// Every entry of this section, for sections whose keys are names of the user's.
    pub(super) fn entries(&mut self) -> Table {
        std::mem::take(&mut self.entries)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Where the text of `key` stands in the file; `None` where it comes from the environment, or is not there.
    pub(super) fn written(&self, key: &str) -> Option<Span> {
        let entry = self.entries.get(key)?;
        matches!(entry.value, Value::Text(_)).then_some(entry.span)
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<Set<String>> {
        self.parsed(key, "text in quotes", |text| Some(text.to_owned()))
    }

    /// Text that `parse` understands; `wanted` says what that is.
    pub(super) fn parsed<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Set<T>> {
        let entry = self.take(key)?;
        let (Value::Text(text) | Value::Raw(text)) = &entry.value else { return self.refuse(&entry, wanted) };
        match parse(text) {
            Some(value) => Some(Set { value, span: entry.span }),
            None => self.bad_value(key, entry.span, wanted),
        }
    }

    /// A whole number in `range`, which both ends belong to.
    pub(super) fn integer(&mut self, key: &'static str, low: i64, high: i64) -> Option<i64> {
        let entry = self.take(key)?;
        let number = match &entry.value {
            Value::Integer(number) => Some(*number),
            Value::Raw(text) => text.parse().ok(),
            _ => None,
        };
        match number {
            Some(number) if (low..=high).contains(&number) => Some(number),
            _ => self.refuse(&entry, &format!("a whole number from {low} to {high}")),
        }
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let entry = self.take(key)?;
        match &entry.value {
            Value::Bool(flag) => Some(*flag),
            Value::Raw(text) if text == "true" || text == "false" => Some(text == "true"),
            _ => self.refuse(&entry, "`true` or `false`"),
        }
    }

    /// Refuses the value of `key`, which is text but not what is wanted.
    pub(super) fn bad_value<T>(&mut self, key: &str, span: Span, wanted: &str) -> Option<T> {
        let headline = format!("`{}` cannot be set to this", self.name(key));
        self.findings
            .push(Diagnostic::new(code::SETTING_VALUE, span, headline).label(format!("needed: {wanted}")));
        None
    }

    pub(super) fn report(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    /// Reports what nobody asked for.
    pub(super) fn finish(self) {
        let Self { path, entries, asked, findings, .. } = self;
        for (key, entry) in entries {
            let place = if path.is_empty() { "at the top".to_owned() } else { format!("in `[{path}]`") };
            let mut finding = Diagnostic::new(
                code::SETTING_UNKNOWN,
                entry.key,
                format!("there is no setting `{key}` {place}"),
            );
            let near = suggest::did_you_mean(&key, asked.iter().copied());
            let known = || format!("known here: {}", asked.iter().copied().collect::<Vec<_>>().join(", "));
            finding = finding.help(near.unwrap_or_else(known));
            findings.push(finding);
        }
    }

    /// The full name of `key`.
    pub(super) fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn take(&mut self, key: &'static str) -> Option<Entry> {
        self.asked.insert(key);
        self.entries.remove(key)
    }

    fn refuse<T>(&mut self, entry: &Entry, wanted: &str) -> Option<T> {
        let found = match &entry.value {
            Value::Table(_) => "this is a section".to_owned(),
            Value::Text(_) => "this is text".to_owned(),
            Value::Integer(number) => format!("this is the number {number}"),
            Value::Bool(_) => "this is a yes or no".to_owned(),
            Value::Raw(text) => format!("this is `{text}`"),
            Value::Other(what) => format!("this is a {what}"),
        };
        self.findings.push(
            Diagnostic::new(code::SETTING_VALUE, entry.span, format!("needed here: {wanted}")).label(found),
        );
        None
    }
}
