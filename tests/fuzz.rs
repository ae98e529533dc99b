//! What the fuzzer once found, and what it starts from, still holds. `scripts/fuzz` searches for more.

use std::path::{Path, PathBuf};

use crate::support::hold;

fn texts(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(&folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", folder.display());
    let read = |path: PathBuf| std::fs::read_to_string(&path).ok().map(|text| (path, text));
    paths.into_iter().filter_map(read).collect()
}

#[test]
fn every_text_of_the_corpus_is_read() {
    for (_, text) in texts("tests/fuzz/corpus/parse") {
        hold::parse(&text);
    }
}

#[test]
fn every_text_of_the_corpus_has_one_form() {
    for (_, text) in texts("tests/fuzz/corpus/format") {
        hold::format(&text);
    }
}

#[test]
fn every_text_of_the_corpus_compiles_or_is_refused() {
    for (_, text) in texts("tests/fuzz/corpus/check") {
        hold::check(&text);
    }
}
