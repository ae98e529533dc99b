//! The README shows what is there: its journey and its picture are those of the repository.

use std::path::Path;
use std::process::Command;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The text of the first fenced block of `language`.
fn block<'t>(text: &'t str, language: &str) -> &'t str {
    let (_, rest) = text.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn the_picture_is_the_graph() {
    let graph = Command::new(env!("CARGO_BIN_EXE_wayfare"))
        .args(["graph", "first_loan", "journeys"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let drawn = String::from_utf8(graph.stdout).unwrap();
    assert_eq!(block(&read("README.md"), "mermaid").trim(), drawn.trim());
}

#[test]
fn the_journey_is_the_one_in_the_repository() {
    let readme = read("README.md");
    let source = read("journeys/first_loan.journey");
    let bare = |text: &str| {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    };
    assert!(
        bare(&source).contains(&bare(block(&readme, "journey"))),
        "the journey of the README is not in journeys/first_loan.journey"
    );
}
