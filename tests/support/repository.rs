//! Every `.journey` of this repository, wherever it lies.

use std::path::Path;

/// Where journeys are kept.
const FOLDERS: [&str; 6] =
    ["benches", "journeys", "stdlib", "src/cli/command/init", "tests/suite", "tests/fuzz/corpus"];

/// Path and text of every journey file, sorted by path.
pub(crate) fn journeys() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        collect(Path::new(folder), &mut found);
    }
    found.sort();
    assert!(found.len() > 100, "only {} journey files were found", found.len());
    found
}

fn collect(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "journey") {
            found.push((path.to_string_lossy().into_owned(), std::fs::read_to_string(&path).unwrap()));
        }
    }
}
