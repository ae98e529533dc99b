//! SARIF 2.1.0, the format of code scanning services: findings, the rules behind them with their pages, and fixes.
//!
//! Lines and columns count from 1, columns in characters (`columnKind` is `unicodeCodePoints`, so a Chinese
//! character is one), and the end of a region is behind its last character.

mod log;

use std::io::{self, Write};

use log::{
    ArtifactChange, ArtifactLocation, Automation, Configuration, Driver, Fingerprints, FixOf, Location, Log,
    Markdown, Physical, Properties, Region, Replacement, Rule, Run, RunResult, Text, Tool,
};

use super::fingerprint::fingerprints;
use super::{message, positions};
use crate::diagnostic::{Code, Diagnostic, Edit, Fix, Label, Severity};
use crate::text::{FileId, Sources, Span};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes one log with one run, pretty-printed, with a line break at its end.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
    let mut codes: Vec<Code> = diagnostics.iter().map(|finding| finding.code).collect();
    codes.sort_by_key(|code| code.as_str());
    codes.dedup();
    let prints = fingerprints(diagnostics, sources);
    let results = diagnostics.iter().zip(prints);
    let run = Run {
        tool: Tool { driver: driver(&codes) },
        automation_details: Automation { id: "wayfare/check/" },
        column_kind: "unicodeCodePoints",
        results: results.map(|(finding, print)| result(finding, print, &codes, sources)).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &Log { schema: SCHEMA, version: "2.1.0", runs: [run] })?;
    writeln!(out)
}

fn driver(codes: &[Code]) -> Driver {
    Driver {
        name: "wayfare",
        version: env!("CARGO_PKG_VERSION"),
        semantic_version: env!("CARGO_PKG_VERSION"),
        information_uri: env!("CARGO_PKG_REPOSITORY"),
        rules: codes.iter().map(|code| rule(*code)).collect(),
    }
}

/// The page of `wayfare explain` is the rule's description: its first paragraph in short, the whole as markdown.
fn rule(code: Code) -> Rule {
    let page = code.page();
    let first = page.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    Rule {
        id: code.as_str(),
        name: code.name(),
        short_description: Text::new(code.title()),
        full_description: Text::new(first),
        help: Markdown { text: page, markdown: page },
        help_uri: code.url(),
        default_configuration: Configuration { level: level(code.severity()) },
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn result(finding: &Diagnostic, print: String, codes: &[Code], sources: &Sources) -> RunResult {
    let primary = physical(finding.primary.span, sources);
    let related = finding.secondary.iter().enumerate();
    RunResult {
        rule_id: finding.code.as_str(),
        rule_index: codes.iter().position(|code| *code == finding.code).unwrap_or_default(),
        level: level(finding.severity),
        message: Text::new(message(finding)),
        locations: primary
            .map(|physical_location| Location { id: None, physical_location, message: None })
            .into_iter()
            .collect(),
        related_locations: related.filter_map(|(at, label)| related_location(at, label, sources)).collect(),
        fixes: finding.fix.iter().filter_map(|fix| fix_of(fix, sources)).collect(),
        partial_fingerprints: Fingerprints { primary_location_line_hash: print.clone(), wayfare: print },
    }
}

fn related_location(at: usize, label: &Label, sources: &Sources) -> Option<Location> {
    let physical_location = physical(label.span, sources)?;
    Some(Location { id: Some(at + 1), physical_location, message: Some(Text::new(&label.text)) })
}

fn physical(span: Span, sources: &Sources) -> Option<Physical> {
    Some(Physical { artifact_location: artifact(span.file, sources)?, region: region(span, sources)? })
}

fn artifact(file: FileId, sources: &Sources) -> Option<ArtifactLocation> {
    sources.get(file).map(|file| ArtifactLocation { uri: uri(&file.path) })
}

fn region(span: Span, sources: &Sources) -> Option<Region> {
    let (start, end) = positions(sources.get(span.file)?, span);
    Some(Region {
        start_line: start.line,
        start_column: start.column,
        end_line: end.line,
        end_column: end.column,
    })
}

/// A fix as one change per file. One of no known file cannot be said.
fn fix_of(fix: &Fix, sources: &Sources) -> Option<FixOf> {
    let mut files: Vec<FileId> = fix.edits.iter().map(|edit| edit.span.file).collect();
    files.sort_unstable();
    files.dedup();
    let change = |file: FileId| {
        let edits = fix.edits.iter().filter(|edit| edit.span.file == file);
        let replacements = edits.map(|edit| replacement(edit, sources)).collect::<Option<Vec<_>>>()?;
        Some(ArtifactChange { artifact_location: artifact(file, sources)?, replacements })
    };
    Some(FixOf {
        description: Text::new(&fix.title),
        artifact_changes: files.into_iter().map(change).collect::<Option<Vec<_>>>()?,
        properties: Properties { applicability: if fix.safe { "safe" } else { "unsafe" } },
    })
}

fn replacement(edit: &Edit, sources: &Sources) -> Option<Replacement> {
    Some(Replacement { deleted_region: region(edit.span, sources)?, inserted_content: Text::new(&edit.text) })
}

/// A path as a reference of RFC 3986: relative ones stay so, and services take them from the top of the repository.
fn uri(path: &str) -> String {
    let mut uri = if path.starts_with('/') { String::from("file://") } else { String::new() };
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte.into());
            }
            b'\\' => uri.push('/'),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_log() {
        let (findings, sources) = super::super::samples::all();
        let mut out = Vec::new();
        render(&findings, &sources, &mut out).unwrap();
        let page = serde_json::to_string(findings[0].code.page()).unwrap();
        let log = String::from_utf8(out).unwrap().replace(env!("CARGO_PKG_VERSION"), "VERSION");
        let log = log.replace(&page, "\"PAGE\"");
        insta::assert_snapshot!(log);
    }

    #[test]
    fn paths_are_references() {
        assert_eq!(uri("journeys/签约 1.journey"), "journeys/%E7%AD%BE%E7%BA%A6%201.journey");
        assert_eq!(uri("/srv/a:b"), "file:///srv/a%3Ab");
    }
}
