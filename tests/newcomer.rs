//! What somebody sees who makes the mistakes of a first week: each in a copy of the bank's own journeys, each told once.

use std::fmt::Write as _;
use std::path::Path;

use crate::support::command::wayfare;

/// A mistake: in which file, what was done, what stood there and what stands there now.
struct Slip<'a> {
    file: &'a str,
    what: &'a str,
    from: String,
    to: String,
}

fn slips(text: &str) -> Vec<Slip<'_>> {
    let sections = text.split("\n== ").skip(1);
    sections
        .map(|section| {
            let (heading, lines) = section.split_once('\n').unwrap();
            let (file, what) = heading.split_once(": ").unwrap();
            let of = |sign: char| {
                lines.lines().filter_map(|line| line.strip_prefix(sign)).collect::<Vec<_>>().join("\n")
            };
            Slip { file, what, from: of('-'), to: of('+') }
        })
        .collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { std::fs::copy(&path, &target).map(|_| ()).unwrap() }
    }
}

fn check(folder: &Path) -> String {
    let (code, data, talk) = wayfare(folder, &["check", "."]);
    assert_eq!(code, 1, "the mistake was not found");
    data + &talk
}

#[test]
fn the_slips_of_a_first_week_are_each_told_once_in_words_that_mend_them() {
    let text = std::fs::read_to_string("tests/suite/newcomer/slips.txt").unwrap();
    let slips = slips(&text);
    assert!(slips.len() >= 20, "{}", slips.len());
    let mut seen = String::new();
    for slip in &slips {
        let folder = tempfile::tempdir().unwrap();
        copy(Path::new("journeys"), folder.path());
        let path = folder.path().join(slip.file);
        let right = std::fs::read_to_string(&path).unwrap();
        assert_eq!(right.matches(&slip.from).count().min(1), 1, "`{}` is not in {}", slip.what, slip.file);
        std::fs::write(&path, right.replacen(&slip.from, &slip.to, 1)).unwrap();
        writeln!(seen, "== {}\n{}", slip.what, check(folder.path())).unwrap();
    }
    insta::assert_snapshot!("slips", seen);
    // Signs of other languages are two slips on two lines; all others are one finding.
    let findings = seen.matches("error[").count();
    assert_eq!(findings, slips.len() + 1, "{findings} findings");
}
