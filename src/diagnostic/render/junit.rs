//! `JUnit` XML, which every build server reads: a suite per file, and in it a case per finding. An error is a failed
//! case. A warning does not fail `check`, so it is a case that passed, with its text as output. A file about which
//! there is nothing to say is one passed case.

use std::io::{self, Write};

use super::{message, positions, word};
use crate::diagnostic::{Diagnostic, Severity};
use crate::text::{FileId, SourceFile, Sources};

pub fn render(diagnostics: &[Diagnostic], sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
    let mut suites: Vec<Suite> = sources.iter().map(|(id, file)| Suite::of(id, file, diagnostics)).collect();
    let nowhere: Vec<&Diagnostic> =
        diagnostics.iter().filter(|finding| sources.get(finding.primary.span.file).is_none()).collect();
    if !nowhere.is_empty() {
        suites.push(Suite { name: "project", file: None, findings: nowhere });
    }
    let (tests, failures) = (suites.iter().map(Suite::tests).sum(), suites.iter().map(Suite::failures).sum());
    let counts = |tests: usize, failures: usize| format!("tests=\"{tests}\" failures=\"{failures}\"");
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"wayfare check\" {}>", counts(tests, failures))?;
    for suite in &suites {
        let counts = counts(suite.tests(), suite.failures());
        writeln!(out, "  <testsuite name=\"{}\" {counts}>", escape(suite.name))?;
        suite.cases(out)?;
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

struct Suite<'a> {
    name: &'a str,
    file: Option<&'a SourceFile>,
    findings: Vec<&'a Diagnostic>,
}

impl<'a> Suite<'a> {
    fn of(id: FileId, file: &'a SourceFile, diagnostics: &'a [Diagnostic]) -> Self {
        let findings = diagnostics.iter().filter(|finding| finding.primary.span.file == id).collect();
        Self { name: &file.path, file: Some(file), findings }
    }

    fn tests(&self) -> usize {
        self.findings.len().max(1)
    }

    fn failures(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error).count()
    }

    fn cases(&self, out: &mut dyn Write) -> io::Result<()> {
        let name = escape(self.name);
        if self.findings.is_empty() {
            return writeln!(out, "    <testcase name=\"nothing to say\" classname=\"{name}\"/>");
        }
        for finding in &self.findings {
            let place = self.file.map(|file| positions(file, finding.primary.span).0);
            let place = place.map(|at| format!(" line {} column {}", at.line, at.column)).unwrap_or_default();
            let code = finding.code;
            writeln!(out, "    <testcase name=\"{code}{place}\" classname=\"{name}\">")?;
            outcome(finding, out)?;
            writeln!(out, "    </testcase>")?;
        }
        Ok(())
    }
}

fn outcome(finding: &Diagnostic, out: &mut dyn Write) -> io::Result<()> {
    let text = escape(&message(finding));
    if finding.severity != Severity::Error {
        return writeln!(out, "      <system-out>{}: {text}</system-out>", word(finding.severity));
    }
    let headline = escape(&finding.headline);
    writeln!(out, "      <failure type=\"{}\" message=\"{headline}\">{text}</failure>", finding.code)
}

/// `text` for XML, in texts and attributes; what XML cannot hold at all becomes a mark.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_per_file() {
        let (findings, sources) = super::super::samples::all();
        let mut out = Vec::new();
        render(&findings, &sources, &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }

    #[test]
    fn no_text_ends_its_element() {
        assert_eq!(escape("a<b> & \"c\"\u{1b}\u{0}"), "a&lt;b&gt; &amp; &quot;c&quot;\u{FFFD}\u{FFFD}");
    }
}
