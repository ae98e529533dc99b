//! GitHub workflow commands: each finding becomes an annotation of the changed line in a pull request.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::{message, positions};
use crate::diagnostic::{Diagnostic, Severity};
use crate::text::{SourceFile, Sources, Span};

pub fn render(diagnostics: &[Diagnostic], sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
    for finding in diagnostics {
        let place = sources.get(finding.primary.span.file).map(|file| place(file, finding.primary.span));
        let command = command(finding.severity);
        let (place, title) = (place.unwrap_or_default(), finding.code);
        writeln!(out, "::{command} {place}title={title}::{}", escape(&message(finding)))?;
    }
    Ok(())
}

fn command(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    }
}

/// Columns are only understood where the span stays on one line.
fn place(file: &SourceFile, span: Span) -> String {
    let (start, end) = positions(file, span);
    let mut place = format!("file={},line={},endLine={},", escape_property(&file.path), start.line, end.line);
    if start.line == end.line {
        let _ = write!(place, "col={},endColumn={},", start.column, end.column);
    }
    place
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn escape_property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_command_each() {
        let (findings, sources) = super::super::samples::all();
        let mut out = Vec::new();
        render(&findings, &sources, &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }

    #[test]
    fn a_path_cannot_end_its_property() {
        assert_eq!(escape_property("a,b:c%\n"), "a%2Cb%3Ac%25%0A");
    }
}
