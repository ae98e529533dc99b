//! One mistake is one finding: what later phases say only because an earlier one went on after a mistake is left out.
//!
//! Three kinds are known for sure: whatever is said of a line that could not be read, names that a mistyped import did
//! not bring, and steps or ends that a test misses in a journey which has mistakes itself.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Severity, code};
use crate::model::Model;
use crate::text::{FileId, Sources, Span};

/// Takes the echoes out of `later`, which the phases behind the parser found; `syntax` is what the parser found.
pub(super) fn leave_out<'d>(
    later: &mut Vec<Diagnostic>,
    syntax: impl Iterator<Item = &'d Diagnostic>,
    model: &Model,
    sources: &Sources,
) {
    let mut unread: BTreeMap<(FileId, u32), Vec<u32>> = BTreeMap::new();
    for finding in syntax.filter(|finding| [code::UNEXPECTED, code::BEYOND_END].contains(&finding.code)) {
        if let Some(line) = line(sources, finding.primary.span) {
            unread.entry(line).or_default().push(finding.primary.span.start);
        }
    }
    if !unread.is_empty() {
        later.retain(|finding| !is_of_unread(finding, &unread, sources));
    }
    let imports: Vec<(FileId, &str)> =
        later.iter().filter_map(|finding| mistyped_import(sources, finding)).collect();
    if !imports.is_empty() {
        let echoes: Vec<bool> =
            later.iter().map(|finding| is_not_brought(sources, finding, &imports)).collect();
        drop_marked(later, &echoes);
    }
    let tests = later.iter().any(is_missed);
    if tests {
        let echoes: Vec<bool> = later
            .iter()
            .map(|finding| is_missed(finding) && is_of_broken_journey(finding, later, model))
            .collect();
        drop_marked(later, &echoes);
    }
}

fn drop_marked(findings: &mut Vec<Diagnostic>, marked: &[bool]) {
    let mut marks = marked.iter();
    findings.retain(|_| !marks.next().copied().unwrap_or_default());
}

fn is_error(finding: &Diagnostic) -> bool {
    finding.severity == Severity::Error
}

/// Whether it is said of an item of one line that could not be read to its end.
fn is_of_unread(finding: &Diagnostic, unread: &BTreeMap<(FileId, u32), Vec<u32>>, sources: &Sources) -> bool {
    let span = finding.primary.span;
    let Some(places) = line(sources, span).and_then(|line| unread.get(&line)) else { return false };
    places.iter().any(|&place| {
        let between = Span { start: span.start.min(place), end: span.start.max(place), ..span };
        !sources.slice(between).contains(';')
    })
}

fn line(sources: &Sources, span: Span) -> Option<(FileId, u32)> {
    Some((span.file, sources.get(span.file)?.line(span.start)))
}

/// The file and package of an import that names something which the package does not have.
fn mistyped_import<'s>(sources: &'s Sources, finding: &Diagnostic) -> Option<(FileId, &'s str)> {
    if finding.code != code::UNKNOWN_NAME {
        return None;
    }
    let (file, line) = line(sources, finding.primary.span)?;
    let text = sources.get(file)?.line_text(line).trim_start();
    let package = text.strip_prefix("import ")?.split([' ', '{']).next()?;
    Some((file, package))
}

/// Whether it says that a name of such a package is not imported.
fn is_not_brought(sources: &Sources, finding: &Diagnostic, imports: &[(FileId, &str)]) -> bool {
    let file = finding.primary.span.file;
    let of_package = |package: &str| {
        let import = format!("`import {package} {{");
        finding.help.iter().any(|help| help.contains(&import))
    };
    finding.code == code::NOT_IMPORTED
        && sources.get(file).is_some()
        && imports.iter().any(|(importer, package)| *importer == file && of_package(package))
}

/// Whether it says that a journey lacks a step or an end.
fn is_missed(finding: &Diagnostic) -> bool {
    [code::UNKNOWN_STEP, code::UNKNOWN_END].contains(&finding.code)
}

/// Whether it stands in a test of a journey in which something else is wrong.
fn is_of_broken_journey(finding: &Diagnostic, all: &[Diagnostic], model: &Model) -> bool {
    let at = finding.primary.span;
    let before = model.tests.iter().filter(|test| test.span.file == at.file && test.span.start <= at.start);
    let Some(test) = before.max_by_key(|test| test.span.start) else { return false };
    let Some(journey) = model.journeys.get(&test.journey) else { return false };
    let whole = journey.span.to(journey.close);
    all.iter().any(|other| is_error(other) && is_within(other.primary.span, whole))
}

fn is_within(inner: Span, outer: Span) -> bool {
    inner.file == outer.file && outer.start <= inner.start && inner.end <= outer.end
}
