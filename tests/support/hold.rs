//! What holds for every text, however broken: the fuzzer (`tests/fuzz`) and the replay of its corpus both call this.

use std::sync::Arc;

use wayfare::compile::{Compilation, File, Input, compile};
use wayfare::diagnostic::render::human::Color;
use wayfare::diagnostic::render::{concise, human, json};
use wayfare::diagnostic::{Diagnostic, Severity};
use wayfare::format::{self, Refusal};
use wayfare::syntax;
use wayfare::text::{FileId, Sources};

const MODEL: &str = include_str!("../../journeys/model.journey");
const BANK: &str = include_str!("../../stdlib/cn/bank.journey");
const PEOPLE: &str = include_str!("../../stdlib/cn/people.journey");
const CALENDAR: &str = include_str!("../../stdlib/cn/calendars/cn_2026_2027.csv");

/// The tokens cover the text, and every finding lies in it and can be shown.
pub(crate) fn parse(text: &str) {
    let parsed = syntax::parse(FileId(0), text);
    let mut at = 0;
    for token in &parsed.tokens {
        assert_eq!(token.start as usize, at, "a hole before a token");
        at = token.end as usize;
    }
    assert_eq!(at, text.len(), "the tokens end before the text");
    let mut sources = Sources::default();
    sources.add("a.journey", text);
    can_be_shown(&parsed.diagnostics, &sources);
}

/// A text without syntax errors has one canonical form, which is its own canonical form; any other is left alone.
pub(crate) fn format(text: &str) {
    let wrong = syntax::parse(FileId(0), text).diagnostics.iter().any(|it| it.severity == Severity::Error);
    match format::format(FileId(0), text) {
        Ok(once) => {
            assert!(!wrong, "formatted despite syntax errors");
            let again = format::format(FileId(0), &once);
            assert!(again.is_ok_and(|again| again == once), "the canonical form has another one");
        }
        Err(Refusal::Syntax(_)) => assert!(wrong, "refused without syntax errors"),
        Err(Refusal::Defect(finding)) => {
            panic!("the formatter could not prove its work: {}", finding.headline)
        }
    }
}

/// The text compiles or is refused, as a file of the example project; twice the same.
pub(crate) fn check(text: &str) {
    let once = compiled(text);
    let errors = once.has_errors();
    assert_eq!(once.bundle.is_none(), errors, "a bundle exactly where nothing is wrong");
    can_be_shown(&once.diagnostics, &once.sources);
    let again = compiled(text);
    assert_eq!(words(&once), words(&again), "the same text, other findings");
    let hash = |compilation: &Compilation| compilation.bundle.as_ref().map(|bundle| bundle.hash.clone());
    assert_eq!(hash(&once), hash(&again), "the same text, another bundle");
}

fn compiled(text: &str) -> Compilation {
    let file = |path: &str, package: &str, text: &str| File {
        path: path.into(),
        package: package.into(),
        text: text.into(),
    };
    let files = vec![
        file("model.journey", "", MODEL),
        file("under_test.journey", "", text),
        file("std/cn/bank.journey", "std.cn.bank", BANK),
        file("std/cn/people.journey", "std.cn.people", PEOPLE),
    ];
    let named: (Arc<str>, Arc<str>) = ("std/cn/bank.journey".into(), "calendars/cn_2026_2027.csv".into());
    compile(&Input { files, named: [(named, CALENDAR.into())].into(), ..Input::default() })
}

fn words(compilation: &Compilation) -> Vec<String> {
    compilation
        .diagnostics
        .iter()
        .map(|finding| format!("{} {}", finding.code.as_str(), finding.headline))
        .collect()
}

fn can_be_shown(findings: &[Diagnostic], sources: &Sources) {
    for finding in findings {
        let file = sources.get(finding.primary.span.file).expect("a finding of no file");
        let range = finding.primary.span.range();
        assert!(
            range.start <= range.end && range.end <= file.text.len(),
            "{}: {range:?}",
            finding.code.as_str()
        );
        assert!(file.text.get(range).is_some(), "{}: inside a character", finding.code.as_str());
        assert!(!finding.headline.is_empty() && !finding.headline.contains('\n'), "{:?}", finding.headline);
    }
    let mut shown = Vec::new();
    human::render(findings, sources, Color::Off, &mut shown).expect("writing into memory");
    concise::render(findings, sources, &mut shown).expect("writing into memory");
    json::render(findings, sources, &mut shown).expect("writing into memory");
    assert!(String::from_utf8(shown).is_ok(), "what is shown is text");
}
