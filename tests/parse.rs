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
