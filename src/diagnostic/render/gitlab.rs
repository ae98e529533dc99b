//! A Code Quality report of GitLab: what a merge request shows in its widget and beside changed lines.
//!
//! Lines and columns count from 1, columns in characters. A finding of no file is put at the settings of the
//! project, since GitLab drops what has no place.

use std::io::{self, Write};

use serde::Serialize;

use super::fingerprint::fingerprints;
use super::{message, positions};
use crate::diagnostic::{Diagnostic, Severity};
use crate::text::{Position, Sources, Span};

/// Writes one array, pretty-printed, with a line break at its end.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
    let prints = fingerprints(diagnostics, sources);
    let issues: Vec<Issue> =
        diagnostics.iter().zip(prints).map(|(finding, print)| Issue::new(finding, print, sources)).collect();
    serde_json::to_writer_pretty(&mut *out, &issues)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    positions: Positions,
}

#[derive(Serialize)]
struct Positions {
    begin: Place,
    end: Place,
}

#[derive(Serialize)]
struct Place {
    line: u32,
    column: u32,
}

impl<'a> Issue<'a> {
    fn new(finding: &Diagnostic, fingerprint: String, sources: &'a Sources) -> Self {
        Self {
            description: message(finding),
            check_name: finding.code.as_str(),
            fingerprint,
            severity: severity(finding.severity),
            location: Location::new(finding.primary.span, sources),
        }
    }
}

/// An error stops the deployment, so it is more than `major`; it does not stop the bank, so it is no `blocker`.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "critical",
        Severity::Warning => "minor",
        Severity::Info => "info",
    }
}

impl<'a> Location<'a> {
    fn new(span: Span, sources: &'a Sources) -> Self {
        let Some(file) = sources.get(span.file) else {
            let top = || Place { line: 1, column: 1 };
            return Self { path: "wayfare.toml", positions: Positions { begin: top(), end: top() } };
        };
        let (begin, end) = positions(file, span);
        Self { path: &file.path, positions: Positions { begin: begin.into(), end: end.into() } }
    }
}

impl From<Position> for Place {
    fn from(position: Position) -> Self {
        Self { line: position.line, column: position.column }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_whole_report() {
        let (findings, sources) = super::super::samples::all();
        let mut out = Vec::new();
        super::render(&findings, &sources, &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }
}
