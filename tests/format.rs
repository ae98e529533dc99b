//! The formatter: what messy files become, that nothing is lost whatever they look like, and its command.

mod command;
mod messy;

use std::path::Path;

use wayfare::format::{Refusal, format};
use wayfare::text::FileId;

fn formatted(text: &str) -> String {
    format(FileId(0), text).unwrap_or_else(|refusal| panic!("{}\n{text}", told(&refusal)))
}

fn told(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Syntax(findings) => findings.iter().map(|finding| finding.headline.clone() + "\n").collect(),
        Refusal::Defect(finding) => format!("{} {:?}", finding.headline, finding.notes),
    }
}

#[test]
fn messy_files_become_canonical() {
    insta::glob!("suite/format/*.journey", |path| {
        let text = std::fs::read_to_string(path).unwrap();
        insta::assert_snapshot!(formatted(&text));
    });
}

#[test]
fn what_is_shipped_is_canonical() {
    for folder in ["journeys", "stdlib", "src/cli/command/init"] {
        let mut checked = 0;
        for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) {
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(formatted(&text), text, "run `wayfare fmt {}`", path.display());
            checked += 1;
        }
        assert!(checked > 0, "{folder}");
    }
}

#[test]
fn line_ends_tabs_and_byte_order_marks_go() {
    let text = "tag a of b { keep 2 days }\n\n// note\ntag c of d {\n  keep 3 days\n}\n";
    let windows = format!("\u{FEFF}{}", text.replace('\n', "\r\n").replace("  ", "\t\u{3000}"));
    assert_eq!(formatted(&windows), text);
    assert_eq!(formatted(""), "");
    assert_eq!(formatted("\n\n  \n"), "");
    assert_eq!(formatted("\n\n// alone"), "// alone\n");
}

#[test]
fn files_with_syntax_errors_are_refused() {
    let refusal = format(FileId(0), "tag a of b { keep 2 dyas }").unwrap_err();
    let Refusal::Syntax(findings) = refusal else { panic!("{refusal:?}") };
    assert!(findings.iter().any(|finding| finding.code.as_str() == "E0111"), "{findings:?}");
}

#[test]
fn deep_and_large_files_are_formatted_in_time() {
    let deep = "if x { ".repeat(50);
    let text = format!("journey a of b {{ {deep} continue {} }}", "}".repeat(50));
    assert_eq!(formatted(&text).lines().count(), 103);
    let line = "  send a(x, y = [1, 2, 3]) via push { on failed { send a via sms } } else continue // why\n";
    let text = format!("journey a of b {{\n{}}}\n", line.repeat(3_000));
    assert!(formatted(&text).lines().count() > 9_000);
    let list = format!("audience a of b = x in [{}]\n", "name, ".repeat(3_000));
    assert_eq!(formatted(&list).lines().count(), 3_003);
}

/// All journey files below `folder`, sorted.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "journey") {
            found.push(path);
        }
    }
    found.sort();
    found
}
