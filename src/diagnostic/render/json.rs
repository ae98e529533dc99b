//! One JSON document for programs: an envelope with counts, and every finding in full.
//!
//! Version "1". Fields are only ever added; lines and columns count from 1, columns in characters, offsets in bytes.

use std::io::{self, Write};

use serde::Serialize;

use super::{clamp, positions, word};
use crate::diagnostic::{Diagnostic, Edit, Fix, Label, Severity};
use crate::text::{Position, Sources, Span};

/// Writes the envelope, pretty-printed, with a line break at its end. `ok` means: no errors.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
    let count = |severity| diagnostics.iter().filter(|finding| finding.severity == severity).count();
    let errors = count(Severity::Error);
    let envelope = Envelope {
        version: "1",
        ok: errors == 0,
        errors,
        warnings: count(Severity::Warning),
        diagnostics: diagnostics.iter().map(|finding| Finding::new(finding, sources)).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &envelope)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Envelope<'a> {
    version: &'static str,
    ok: bool,
    errors: usize,
    warnings: usize,
    diagnostics: Vec<Finding<'a>>,
}

#[derive(Serialize)]
pub(super) struct Finding<'a> {
    code: &'static str,
    severity: &'static str,
    headline: &'a str,
    /// Absent where the finding is of no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Range<'a>>,
    label: &'a str,
    related: Vec<Related<'a>>,
    help: &'a [String],
    notes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<Mend<'a>>,
}

#[derive(Serialize)]
struct Range<'a> {
    path: &'a str,
    start: Place,
    end: Place,
}

#[derive(Serialize)]
struct Place {
    line: u32,
    column: u32,
    offset: usize,
}

#[derive(Serialize)]
struct Related<'a> {
    range: Option<Range<'a>>,
    text: &'a str,
}

#[derive(Serialize)]
struct Mend<'a> {
    title: &'a str,
    safe: bool,
    edits: Vec<Change<'a>>,
}

#[derive(Serialize)]
struct Change<'a> {
    range: Option<Range<'a>>,
    text: &'a str,
}

impl<'a> Finding<'a> {
    pub(super) fn new(finding: &'a Diagnostic, sources: &'a Sources) -> Self {
        Self {
            code: finding.code.as_str(),
            severity: word(finding.severity),
            headline: &finding.headline,
            range: Range::new(finding.primary.span, sources),
            label: &finding.primary.text,
            related: finding.secondary.iter().map(|label| Related::new(label, sources)).collect(),
            help: &finding.help,
            notes: &finding.notes,
            fix: finding.fix.as_ref().map(|fix| Mend::new(fix, sources)),
        }
    }
}

impl<'a> Range<'a> {
    fn new(span: Span, sources: &'a Sources) -> Option<Self> {
        let file = sources.get(span.file)?;
        let (start, end) = positions(file, span);
        let bytes = clamp(file, span);
        Some(Self {
            path: &file.path,
            start: Place::new(start, bytes.start),
            end: Place::new(end, bytes.end),
        })
    }
}

impl Place {
    fn new(position: Position, offset: usize) -> Self {
        Self { line: position.line, column: position.column, offset }
    }
}

impl<'a> Related<'a> {
    fn new(label: &'a Label, sources: &'a Sources) -> Self {
        Self { range: Range::new(label.span, sources), text: &label.text }
    }
}

impl<'a> Mend<'a> {
    fn new(fix: &'a Fix, sources: &'a Sources) -> Self {
        let change = |edit: &'a Edit| Change { range: Range::new(edit.span, sources), text: &edit.text };
        Self { title: &fix.title, safe: fix.safe, edits: fix.edits.iter().map(change).collect() }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_whole_envelope() {
        let (findings, sources) = super::super::samples::all();
        let mut out = Vec::new();
        super::render(&findings, &sources, &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }
}
