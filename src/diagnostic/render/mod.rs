//! How findings look: one file per format, each one function from findings and sources to text.
//!
//! [`human`] is for terminals, [`concise`] for editors and grep, [`json`] and [`json_lines`] for programs, [`github`]
//! and [`gitlab`] for what a change request shows, [`sarif`] for code scanning, [`junit`] for build servers. A renderer never decides what is said, never sorts, and never prints: it writes where it is told.

pub mod concise;
pub mod fingerprint;
pub mod github;
pub mod gitlab;
pub mod human;
pub mod json;
pub mod json_lines;
pub mod junit;
pub mod sarif;

use std::ops::Range;

use super::{Diagnostic, Severity};
use crate::text::{Position, SourceFile, Span};

/// `2 errors, 1 warning`; empty where there is nothing to count.
#[must_use]
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let counts = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "hint")];
    let parts = counts.into_iter().filter_map(|(severity, word)| {
        let count = diagnostics.iter().filter(|finding| finding.severity == severity).count();
        let plural = if count == 1 { "" } else { "s" };
        (count > 0).then(|| format!("{count} {word}{plural}"))
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// The word for a severity in every format.
fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// All that is said of a finding without its places, line by line, for formats that have one text per finding.
fn message(finding: &Diagnostic) -> String {
    let label = Some(&finding.primary.text).filter(|text| !text.is_empty());
    let help = finding.help.iter().map(|help| format!("help: {help}"));
    let notes = finding.notes.iter().map(|note| format!("note: {note}"));
    std::iter::once(finding.headline.clone())
        .chain(label.cloned())
        .chain(help)
        .chain(notes)
        .collect::<Vec<_>>()
        .join("\n")
}

/// The bytes of `span` that really are in `file`, on character boundaries, start before end.
///
/// The one place where spans are mended: formats may slice and count without fear of a span of another text.
fn clamp(file: &SourceFile, span: Span) -> Range<usize> {
    let text = &*file.text;
    let start = text.floor_char_boundary(span.start as usize);
    let end = text.ceil_char_boundary(span.end as usize);
    start..end.max(start)
}

/// Where `span` begins and ends, for people.
fn positions(file: &SourceFile, span: Span) -> (Position, Position) {
    let range = clamp(file, span);
    let at = |offset: usize| file.position(u32::try_from(offset).unwrap_or(u32::MAX));
    (at(range.start), at(range.end))
}

/// What every format must bear, for their tests.
#[cfg(test)]
mod samples {
    use crate::diagnostic::{Diagnostic, Severity, code};
    use crate::text::{FileId, Sources, Span};

    const JOURNEY: &str = "journey 签约提醒 \"签约后七天\" {\n  enter when signed # 事件\n  push \"您好，{customer.姓名}\" as 问候\n  push \"您好\" as 问候\n}\n";
    const CHANNELS: &str = "# 渠道（全行）\nchannel push {\n}";

    /// Chinese text, several labels in two files, the end of a file, an empty file, a span of no file.
    pub(super) fn all() -> (Vec<Diagnostic>, Sources) {
        let mut sources = Sources::default();
        let journey = sources.add("journeys/签约.journey", JOURNEY);
        let channels = sources.add("journeys/channels.journey", CHANNELS);
        let empty = sources.add("journeys/empty.journey", "");
        let at = |file, text: &str, part: &str, nth: usize| {
            let start = text.match_indices(part).nth(nth).expect("the part is in the text").0;
            Span::new(file, start, start + part.len())
        };
        let second = at(journey, JOURNEY, "问候", 1);
        let twice = Diagnostic::new(code::UNEXPECTED, second, "two steps are called `问候`")
            .label("`问候` again")
            .also(at(journey, JOURNEY, "问候", 0), "first here")
            .also(at(channels, CHANNELS, "channel push", 0), "both go out by this channel")
            .help("give this one a name of its own, as in `as 问候_2`")
            .help("or leave `as` out")
            .note("names of steps are what `why` shows")
            .fix("rename to `问候_2`", second, "问候_2");
        let block =
            Diagnostic::new(code::UNEXPECTED, at(channels, CHANNELS, "{\n}", 0), "this block is empty");
        let mut end = Diagnostic::new(
            code::UNEXPECTED,
            Span::new(journey, JOURNEY.len(), JOURNEY.len()),
            "100% of the file is read, `end` is missing",
        );
        end.severity = Severity::Warning;
        let nothing = Diagnostic::new(code::UNEXPECTED, Span::new(empty, 0, 0), "the file declares nothing")
            .label("a declaration was expected");
        let nowhere =
            Diagnostic::new(code::UNEXPECTED, Span::new(FileId(99), 3, 9), "the project has no journeys")
                .help("run `wayfare init`");
        (vec![twice, block, end, nothing, nowhere], sources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{FileId, Sources};

    #[test]
    fn a_span_is_mended_to_whole_characters_of_its_file() {
        let file = SourceFile::new("a", "a签b");
        let clamped = |start, end| clamp(&file, Span::new(FileId(0), start, end));
        assert_eq!(clamped(2, 3), 1..4, "inside the character");
        assert_eq!(clamped(4, 900), 4..5, "behind the end");
        assert_eq!(clamped(900, 901), 5..5);
        assert_eq!(clamped(4, 1), 4..4, "backwards");
    }

    #[test]
    fn the_summary_counts_each_severity() {
        let (findings, _) = samples::all();
        insta::assert_snapshot!(summary(&findings), @"4 errors, 1 warning");
        assert_eq!(summary(&[]), "");
    }

    #[test]
    fn nothing_to_say_is_said_in_every_format() {
        let sources = Sources::default();
        let mut out = Vec::new();
        human::render(&[], &sources, human::Color::Off, &mut out).unwrap();
        concise::render(&[], &sources, &mut out).unwrap();
        github::render(&[], &sources, &mut out).unwrap();
        json_lines::render(&[], &sources, &mut out).unwrap();
        assert!(out.is_empty());
        gitlab::render(&[], &sources, &mut out).unwrap();
        assert_eq!(out, b"[]\n");
        out.clear();
        json::render(&[], &sources, &mut out).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"version": "1", "ok": true, "errors": 0, "warnings": 0, "diagnostics": []})
        );
    }
}
