//! The grammar, on files: what good ones are read as, what is said about bad ones, and that no mutilated one
//! breaks the parser or sends its findings far from the mistake.

mod dump;
mod torture;

use std::fmt::Write as _;
use std::path::Path;

use dump::dump;
use wayfare::syntax::{Parsed, parse};
use wayfare::text::{FileId, SourceFile};

/// Findings as `line:column code headline | help`.
fn findings(text: &str, parsed: &Parsed) -> String {
    let source = SourceFile::new("", text);
    let mut out = String::new();
    for finding in &parsed.diagnostics {
        let place = source.position(finding.primary.span.start);
        let help = finding.help.join(" / ");
        writeln!(out, "{}:{} {} {} | {help}", place.line, place.column, finding.code, finding.headline)
            .unwrap();
    }
    out
}

fn read(path: &Path) -> (String, Parsed) {
    let text = std::fs::read_to_string(path).unwrap();
    let parsed = parse(FileId(0), &text);
    (text, parsed)
}

#[test]
fn good_files() {
    insta::glob!("suite/parse/good/*.journey", |path| {
        let (text, parsed) = read(path);
        assert_eq!(findings(&text, &parsed), "", "{}", path.display());
        let imports = parsed.file.imports.iter().map(dump);
        let decls = parsed.file.decls.iter().map(|decl| format!("{} {}", decl.word.name, dump(decl)));
        insta::assert_snapshot!(imports.chain(decls).collect::<Vec<_>>().join("\n"));
    });
}

#[test]
fn bad_files() {
    insta::glob!("suite/parse/bad/*.journey", |path| {
        let (text, parsed) = read(path);
        insta::assert_snapshot!(findings(&text, &parsed));
    });
}

#[test]
fn tokens_are_the_text() {
    insta::glob!("suite/parse/*/*.journey", |path| {
        let (text, parsed) = read(path);
        let joined: String = parsed.tokens.iter().map(|token| token.text(&text)).collect();
        assert_eq!(joined, text);
    });
}

#[test]
fn line_ends_and_byte_order_mark_change_nothing() {
    insta::glob!("suite/parse/good/*.journey", |path| {
        let (text, parsed) = read(path);
        let windows = format!("\u{FEFF}{}", text.replace('\n', "\r\n"));
        let again = parse(FileId(0), &windows);
        assert_eq!(findings(&windows, &again), "");
        assert_eq!(dump(&again.file), dump(&parsed.file));
    });
}

/// Names of a tree and the bytes their spans stand for, from its `Debug` text.
fn names(parsed: &Parsed) -> Vec<(String, std::ops::Range<usize>)> {
    let text = format!("{:?}", parsed.file);
    let number = |text: &str, key: &str| -> usize {
        let digits = text.split_once(key).unwrap().1;
        digits.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
    };
    let found = text.split("Ident { name: ").skip(1).map(|rest| {
        let (name, rest) = rest.split_once(", span").unwrap();
        (name.to_owned(), number(rest, "start: ")..number(rest, "end: "))
    });
    found.collect()
}

#[test]
fn every_name_is_where_its_span_says() {
    insta::glob!("suite/parse/good/*.journey", |path| {
        let (text, parsed) = read(path);
        let mut checked = 0;
        for (name, range) in names(&parsed) {
            let written = &text[range];
            // `via sms "…"` has no word `body`; the span is the text's.
            if !written.starts_with('"') {
                assert_eq!(written.trim_matches('`'), name, "{}", path.display());
                checked += 1;
            }
        }
        assert!(checked > 20, "{}", path.display());
    });
}
