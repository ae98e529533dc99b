//! `docs/coverage.md`: which rows of the mission have journeys, and how far each is shown to work. Made from the
//! `/// rows:` comments above journeys, from their tests, from what `engine::parity` has played, and from `// daemon:` comments above tests of the daemon.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use wayfare::syntax::{ast, parse};
use wayfare::testing::{Options, Report};
use wayfare::text::FileId;

use crate::engine::parity::PLAYED;
use crate::testing::{Compiled, threads};

const DOCUMENT: &str = "docs/coverage.md";
const UPDATE: &str = "COVERAGE_UPDATE";
const HEAD: &str = "\
# Coverage

Which rows of the mission (`docs/rows.csv`) have journeys, and how far each is shown to work. *Language*: the journey
compiles without errors. *Virtual clock*: its tests pass in `wayfare test`. *Daemon*: the engine has run it on a real
store, with outbox and dispatcher, and what was sent, shown, given or asked of people was looked at: a test of its own is
played and compared by `tests/engine/parity.rs` (those in `tests/engine/parity.txt`), or a test of the daemon tells its story.

Made from the `/// rows:` comments above journeys and checked by `tests/coverage.rs`. To write it anew:
`COVERAGE_UPDATE=1 cargo test --test suite coverage`.

";

/// The project that `init --template five-steps` writes: it stands for the five-step method and says nothing of rows,
/// since it becomes somebody's own.
const SCAFFOLD: (&str, u32) = ("src/cli/command/init/five_steps", 30);

/// A journey that says which rows it stands for.
struct Claim {
    journey: String,
    file: String,
    rows: Vec<u32>,
    /// The file of each of its tests.
    tests: Vec<String>,
}

#[test]
fn the_document_is_up_to_date() {
    let made = document();
    if std::env::var_os(UPDATE).is_some() {
        fs::write(DOCUMENT, &made).unwrap();
    }
    let written = fs::read_to_string(DOCUMENT).unwrap_or_default();
    assert_eq!(written, made, "`{UPDATE}=1 cargo test --test suite coverage` writes it anew");
}

#[test]
fn every_journey_claims_a_row_and_has_a_test() {
    for claim in claims() {
        assert!(!claim.rows.is_empty(), "{}: `{}` has no `/// rows:`", claim.file, claim.journey);
        assert!(!claim.tests.is_empty(), "{}: `{}` has no test", claim.file, claim.journey);
    }
}

fn document() -> String {
    let practices = practices();
    let claims = claims();
    // Stops where something does not compile.
    let run = |folder: &str| Compiled::of(folder).run(&Options { threads: threads(), ..Options::default() });
    let scaffold = scaffold();
    let reports: Vec<Report> =
        [run("journeys"), run(&scaffold.path().to_string_lossy())].into_iter().flatten().collect();
    let daemon: BTreeSet<String> = in_daemon().into_iter().chain(played()).collect();
    let mut rows: BTreeMap<u32, Vec<&Claim>> = BTreeMap::new();
    for claim in &claims {
        for row in &claim.rows {
            assert!(practices.contains_key(row), "{}: there is no row {row}", claim.file);
            rows.entry(*row).or_default().push(claim);
        }
    }
    let mut out = HEAD.to_owned();
    writeln!(out, "{} of {} rows have journeys.\n", rows.len(), practices.len()).unwrap();
    writeln!(out, "| row | what banks do | journey | tests | language | virtual clock | daemon |").unwrap();
    writeln!(out, "|---|---|---|---|---|---|---|").unwrap();
    for (row, claims) in &rows {
        for claim in claims {
            let (tests, clock) = (tests(claim), clock(&reports, claim));
            let daemon = if daemon.contains(&claim.journey) { "yes" } else { "not yet" };
            let journey = format!("[`{}`](../{})", claim.journey, claim.file);
            writeln!(out, "| {row} | {} | {journey} | {tests} | yes | {clock} | {daemon} |", practices[row])
                .unwrap();
        }
    }
    out
}

/// The scaffold as a project of its own, as `init` writes it.
pub(crate) fn scaffold() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for path in files(Path::new(SCAFFOLD.0), "journey") {
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    fs::write(folder.path().join("wayfare.toml"), "").unwrap();
    folder
}

/// Number of tests, and the files they stand in.
fn tests(claim: &Claim) -> String {
    let mut files: BTreeMap<&str, usize> = BTreeMap::new();
    for file in &claim.tests {
        *files.entry(file).or_default() += 1;
    }
    let name = |file: &str| Path::new(file).file_name().unwrap().to_string_lossy().into_owned();
    let links = files.iter().map(|(file, count)| format!("{count} in [{}](../{file})", name(file)));
    links.collect::<Vec<_>>().join(", ")
}

fn clock(reports: &[Report], claim: &Claim) -> &'static str {
    let mut of_journey = reports.iter().filter(|report| report.journey.as_str() == claim.journey).peekable();
    let any = of_journey.peek().is_some();
    if any && of_journey.all(Report::passed) { "yes" } else { "no" }
}

fn claims() -> Vec<Claim> {
    let scaffold = claims_in(SCAFFOLD.0).into_iter().map(|claim| Claim { rows: vec![SCAFFOLD.1], ..claim });
    claims_in("journeys").into_iter().chain(scaffold).collect()
}

fn claims_in(folder: &str) -> Vec<Claim> {
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path.to_string_lossy().into_owned(), parse(FileId(0), &text).file)
    };
    let files: Vec<(String, ast::File)> = files(Path::new(folder), "journey").into_iter().map(read).collect();
    let decls = || files.iter().flat_map(|(file, tree)| tree.decls.iter().map(move |decl| (file, decl)));
    // A template is none: what is made from it is.
    let is_journey = |decl: &ast::Decl| match decl.kind {
        ast::DeclKind::Journey(_) => decl.params.is_empty(),
        ast::DeclKind::Replies(_) | ast::DeclKind::Instance(_) => true,
        _ => false,
    };
    let journeys = decls().filter(|(_, decl)| is_journey(decl));
    let claims = journeys.map(|(file, decl)| {
        let journey = decl.name.unwrap().name.to_string();
        let of_this = |test: &ast::Decl| {
            let of = test.subject.as_ref().map(ast::Path::text);
            matches!(test.kind, ast::DeclKind::Test(_)) && of.as_deref() == Some(journey.as_str())
        };
        let tests = decls().filter(|(_, test)| of_this(test)).map(|(file, _)| file.clone()).collect();
        Claim { rows: rows_of(decl), file: file.clone(), tests, journey }
    });
    claims.collect()
}

/// The numbers behind `rows:` in the doc comment.
fn rows_of(decl: &ast::Decl) -> Vec<u32> {
    let doc = decl.doc.as_deref().unwrap_or_default();
    let lines = doc.lines().filter_map(|line| line.trim().strip_prefix("rows:"));
    lines.flat_map(|line| line.split(',').map(|row| row.trim().parse().unwrap())).collect()
}

/// What banks do, by row.
fn practices() -> BTreeMap<u32, String> {
    let mut reader = csv::Reader::from_path("docs/rows.csv").unwrap();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        (row[0].parse().unwrap(), row[2].to_owned())
    });
    rows.collect()
}

/// Journeys named by `// daemon: first_loan, maturity` above tests of the daemon.
fn in_daemon() -> BTreeSet<String> {
    let texts = files(Path::new("tests"), "rs").into_iter().map(|path| fs::read_to_string(path).unwrap());
    let named = |text: String| -> Vec<String> {
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix("// daemon: "));
        lines.flat_map(|line| line.split(',').map(|name| name.trim().to_owned())).collect()
    };
    texts.flat_map(named).collect()
}

/// Journeys whose own tests were told to the engine, in a list that `engine::parity` keeps.
fn played() -> Vec<String> {
    fs::read_to_string(PLAYED).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Every file below `folder` with this extension, in order.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}
