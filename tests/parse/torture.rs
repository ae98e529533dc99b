//! Mutilated files, and what is said of them. That every file of the repository survives it: `tests/torture.rs`.

use std::path::PathBuf;

use proptest::prelude::*;
use wayfare::syntax::token::Token;
use wayfare::syntax::{parse, parse_expr};
use wayfare::text::{FileId, SourceFile};

use crate::support::looks;

fn good_texts() -> Vec<(PathBuf, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/parse/good");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|end| end == "journey")).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

/// What the deletion of one token led to.
struct Deletion {
    line: u32,
    /// Lines of the findings.
    found: Vec<u32>,
    what: String,
}

fn deletions(text: &str) -> Vec<Deletion> {
    let source = SourceFile::new("", text);
    let tokens: Vec<Token> =
        parse(FileId(0), text).tokens.into_iter().filter(|token| !token.kind.is_trivia()).collect();
    let delete = |token: &Token| {
        let mut broken = text.to_owned();
        broken.replace_range(token.start as usize..token.end as usize, "");
        let parsed = parse(FileId(0), &broken);
        let after = SourceFile::new("", broken.as_str());
        let found = parsed.diagnostics.iter().map(|finding| after.line(finding.primary.span.start)).collect();
        let line = source.line(token.start);
        Deletion {
            line,
            found,
            what: format!("`{}` of `{}`", token.text(text), source.line_text(line).trim()),
        }
    };
    tokens.iter().map(delete).collect()
}

#[test]
fn a_deleted_token_is_found_near_its_place() {
    let (mut refused, mut near, mut single) = (0, 0, 0);
    let mut far = Vec::new();
    let mut noisy = Vec::new();
    for (path, text) in good_texts() {
        for deletion in deletions(&text).into_iter().filter(|deletion| !deletion.found.is_empty()) {
            refused += 1;
            single += usize::from(deletion.found.len() == 1);
            if deletion.found[0].abs_diff(deletion.line) <= 1 {
                near += 1;
            } else {
                far.push(format!(
                    "{}:{} {} -> {:?}",
                    path.display(),
                    deletion.line,
                    deletion.what,
                    deletion.found
                ));
            }
            if deletion.found.len() > 2 {
                noisy.push(format!(
                    "{}:{} {} -> {:?}",
                    path.display(),
                    deletion.line,
                    deletion.what,
                    deletion.found
                ));
            }
        }
    }
    println!(
        "{refused} refused, {near} near, {single} with one finding\nfar:\n{}\nnoisy:\n{}",
        far.join("\n"),
        noisy.join("\n")
    );
    assert!(refused > 1_000, "only {refused} deletions were refused");
    assert!(near * 100 >= refused * 97, "{near} of {refused} are near:\n{}", far.join("\n"));
    assert!(single * 100 >= refused * 92, "{single} of {refused} give one finding:\n{}", noisy.join("\n"));
}

#[test]
fn deep_nesting_is_a_finding() {
    for (open, close) in [("(", ")"), ("[", "]"), ("not ", ""), ("-", ""), ("any x where ", ""), ("f(", ")")]
    {
        let text = format!("{}1{}", open.repeat(20_000), close.repeat(20_000));
        let (_, findings) = parse_expr(FileId(0), &text);
        assert!(findings.iter().any(|finding| finding.code.as_str() == "E0119"), "{open}");
    }
    let blocks = format!("journey a of b {{ {} {} }}", "if x { ".repeat(20_000), "}".repeat(20_000));
    let findings = parse(FileId(0), &blocks).diagnostics;
    assert_eq!(findings.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>(), ["E0119"]);
}

#[test]
fn long_expressions_are_a_finding_and_no_stack_overflow() {
    for operator in [" + ", " and ", " or ", " before ", " otherwise "] {
        let text = vec!["a"; 50_000].join(operator);
        let (_, findings) = parse_expr(FileId(0), &text);
        assert_eq!(
            findings.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>(),
            ["E0119"],
            "{operator}"
        );
    }
}

fn scraps() -> impl Strategy<Value = String> {
    let words: Vec<&'static str> = wayfare::syntax::words::all();
    let signs = vec![
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ",",
        ":",
        ";",
        "=",
        "=>",
        "->",
        "..",
        ".",
        "|",
        "?",
        "<",
        ">=",
        "+",
        "-",
        "*",
        "/",
        "\n",
        "\n",
        "\n  ",
        "\r\n",
        "\"\"\"",
        "\"",
        "\"文本\"",
        "\"\"\"{{ x }}\"\"\"",
        "{{",
        "}}",
        "//",
        "/// d",
        "`",
        "`from`",
        "3m",
        "2d",
        "48h",
        "5%",
        "2026-12-01",
        "10:00",
        "50_000",
        "0.5",
        "CNY",
        "==",
        "!=",
        "&&",
        "!",
        "（",
        "，",
        "“",
        "”",
        "客户",
        "a",
        "x1",
        "_",
        "\u{FEFF}",
        "@",
        "\\",
        "\u{301}",
    ];
    let scrap = prop_oneof![proptest::sample::select(words), proptest::sample::select(signs)];
    proptest::collection::vec((scrap, prop_oneof![Just(" "), Just(""), Just("\n")]), 0..200)
        .prop_map(|scraps| scraps.into_iter().flat_map(|(scrap, gap)| [scrap, gap]).collect())
}

proptest! {
    #[test]
    fn any_soup_of_tokens_is_read(text in scraps()) {
        let parsed = parse(FileId(0), &text);
        let joined: String = parsed.tokens.iter().map(|token| token.text(&text)).collect();
        prop_assert_eq!(&joined, &text);
        for finding in &parsed.diagnostics {
            prop_assert!(text.get(finding.primary.span.range()).is_some(), "{:?}", finding);
            for edit in finding.fix.iter().flat_map(|fix| &fix.edits) {
                prop_assert!(text.get(edit.span.range()).is_some(), "{:?}", finding);
            }
        }
    }

    #[test]
    fn any_text_is_read(text in "\\PC*") {
        let parsed = parse(FileId(0), &text);
        let joined: String = parsed.tokens.iter().map(|token| token.text(&text)).collect();
        prop_assert_eq!(joined, text);
    }
}

/// Inputs on which a parser that goes back and forth would take forever.
#[test]
fn large_hostile_texts_are_read_in_linear_time() {
    let line = "wait for x where (a or b) within 2 days else { send y via z }\n";
    let many = 20_000;
    let texts = [
        "{".repeat(many),
        "}".repeat(many),
        "} {\n".repeat(many),
        "(".repeat(many),
        "\"\"\"".repeat(many),
        "\"".repeat(many),
        "“".repeat(many),
        "\"\"\"{{".repeat(many),
        "journey a of b {\n".repeat(many),
        "if x {\n".repeat(many),
        "  else send x via y }\n".repeat(many),
        "tag x\n{ keep\n".repeat(many),
        "/// doc\n".repeat(many),
        "@ ".repeat(many),
        "a.".repeat(many),
        "x = ".repeat(many),
        format!("journey a of b {{\n{}", line.repeat(many / 10)),
        format!("journey a of b {{\n{}}}\n}}", line.replace('{', "").repeat(many / 10)),
        format!("content c {{ via sms \"\"\"{}\"\"\" }}", "{{ } }}".repeat(many)),
    ];
    for text in texts {
        let parsed = parse(FileId(0), &text);
        assert_eq!(parsed.tokens.last().map(|token| token.end as usize), Some(text.len()));
        let begin: String = text.chars().take(24).collect();
        looks::are_few(&parsed, &text, || format!("{begin:?}…"));
    }
}
