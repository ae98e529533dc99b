//! The test runner, on stories: what is told of tests that pass and of tests that fail, and that the bank's own
//! journeys pass theirs.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;
use wayfare::lower;
use wayfare::model::check::{calendar_files, check};
use wayfare::model::{Context, Model};
use wayfare::program::Bundle;
use wayfare::syntax::parse;
use wayfare::testing::{Options, Report, Suite, junit, run};
use wayfare::text::Sources;

/// A compiled folder of journeys with the standard library.
pub(crate) struct Compiled {
    pub(crate) sources: Sources,
    pub(crate) model: Model,
    pub(crate) bundle: Arc<Bundle>,
    zone: TimeZone,
}

impl Compiled {
    /// Stops the test where the files have findings.
    pub(crate) fn of(files: &[PathBuf]) -> Self {
        let (mut sources, mut context, mut trees) = (Sources::default(), Context::default(), Vec::new());
        let library = [("std.cn.bank", PathBuf::from("stdlib/cn/bank.journey"))];
        let own = files.iter().map(|path| ("", path.clone()));
        for (package, path) in library.into_iter().chain(own) {
            let text = std::fs::read_to_string(&path).unwrap();
            let id = sources.add(&path.to_string_lossy(), &text);
            let parsed = parse(id, &text);
            assert!(parsed.diagnostics.is_empty(), "{}: {:#?}", path.display(), parsed.diagnostics);
            context.packages.insert(id, package.into());
            for calendar in calendar_files(&parsed.file) {
                let text = std::fs::read_to_string(path.parent().unwrap().join(&*calendar)).unwrap();
                context.calendars.insert((id, calendar), text.into());
            }
            trees.push((id, parsed.file));
        }
        let trees: Vec<_> = trees.iter().map(|(id, file)| (*id, file)).collect();
        let (model, findings) = check(&trees, &context);
        assert!(findings.is_empty(), "{findings:#?}");
        let bundle = Arc::new(lower::bundle(&model, &sources).unwrap());
        Self { sources, model, bundle, zone: TimeZone::get("Asia/Shanghai").unwrap() }
    }

    pub(crate) fn run(&self, options: &Options) -> Vec<Report> {
        run(
            Suite { model: &self.model, bundle: &self.bundle, sources: &self.sources, zone: &self.zone },
            options,
        )
    }
}

pub(crate) fn journeys_in(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(Path::new(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "journey")).collect();
    paths.sort();
    paths
}

fn told(reports: &[Report], trace: bool) -> String {
    let mut out = Vec::new();
    reports.iter().for_each(|report| report.write(trace, &mut out).unwrap());
    String::from_utf8(out).unwrap()
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

#[test]
fn the_banks_own_journeys_pass_their_tests() {
    let bank = Compiled::of(&journeys_in("journeys"));
    let reports = bank.run(&Options { threads: threads(), ..Options::default() });
    assert!(reports.len() >= 30);
    let failed: Vec<Report> = reports.into_iter().filter(|report| !report.passed()).collect();
    assert!(failed.is_empty(), "\n{}", told(&failed, false));
}

#[test]
fn reports_do_not_depend_on_threads() {
    let bank = Compiled::of(&journeys_in("journeys"));
    let with = |threads| told(&bank.run(&Options { threads, cases: 5, ..Options::default() }), true);
    assert_eq!(with(1), with(3));
}

#[test]
fn failures_are_told_with_their_story() {
    insta::glob!("suite/testing/*.journey", |path| {
        let path = path.strip_prefix(std::env::current_dir().unwrap()).unwrap();
        let bank = Compiled::of(&[path.to_owned()]);
        insta::assert_snapshot!(told(&bank.run(&Options { cases: 50, ..Options::default() }), false));
    });
}

#[test]
fn build_servers_can_read_the_results() {
    let story = Compiled::of(&[PathBuf::from("tests/suite/testing/failing.journey")]);
    let mut out = Vec::new();
    junit::write(&story.run(&Options { cases: 50, ..Options::default() }), &mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}
