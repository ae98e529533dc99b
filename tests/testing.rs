//! The test runner, on stories: what is told of tests that pass and of tests that fail, and that the bank's own
//! journeys pass theirs.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;
use wayfare::compile::{Compilation, compile};
use wayfare::model::Model;
use wayfare::program::Bundle;
use wayfare::project;
use wayfare::testing::{Options, Report, Suite, junit, run};
use wayfare::text::Sources;

/// A compiled folder of journeys with the standard library.
pub(crate) struct Compiled {
    sources: Sources,
    model: Model,
    bundle: Arc<Bundle>,
    zone: TimeZone,
}

impl Compiled {
    /// Stops the test where there are errors.
    pub(crate) fn of(path: &str) -> Self {
        let project = project::load(&[PathBuf::from(path)]).unwrap();
        let Compilation { sources, model, bundle, diagnostics, .. } = compile(&project.input);
        let bundle = bundle.unwrap_or_else(|| panic!("{path}: {diagnostics:#?}"));
        Self { sources, model, bundle: Arc::new(bundle), zone: TimeZone::get("Asia/Shanghai").unwrap() }
    }

    pub(crate) fn run(&self, options: &Options) -> Vec<Report> {
        run(
            Suite { model: &self.model, bundle: &self.bundle, sources: &self.sources, zone: &self.zone },
            options,
        )
    }
}

fn told(reports: &[Report], trace: bool) -> String {
    let mut out = Vec::new();
    for report in reports {
        report.write(trace, &mut out).unwrap();
    }
    String::from_utf8(out).unwrap()
}

pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Stories about days, other subjects and stages: each file holds journeys and tests that must pass.
#[test]
fn stories_of_what_is_known_over_time_come_true() {
    let bank = Compiled::of("tests/suite/testing/history");
    let reports = bank.run(&Options { threads: threads(), ..Options::default() });
    let failed: Vec<Report> = reports.iter().filter(|report| !report.passed()).cloned().collect();
    assert!(failed.is_empty(), "\n{}", told(&failed, true));
    assert!(reports.len() >= 16);
    let story = told(&reports, true);
    assert!(story.contains("您上月日均资产 12,000.00 元"), "copy prints what is kept: {story}");
}

/// Stories about rewards, points and lotteries: the ledger of the stage answers for stock and budgets.
#[test]
fn nobody_gets_more_than_there_is() {
    let bank = Compiled::of("tests/suite/testing/value");
    let reports = bank.run(&Options { threads: threads(), ..Options::default() });
    let failed: Vec<Report> = reports.iter().filter(|report| !report.passed()).cloned().collect();
    assert!(failed.is_empty(), "\n{}", told(&failed, true));
    assert!(reports.len() >= 9);
}

/// Stories about replies: who is counted, when they are silent, and what `why` says of it.
#[test]
fn whoever_writes_is_answered_by_the_first_rule_that_fits() {
    let bank = Compiled::of("tests/suite/testing/replies");
    let reports = bank.run(&Options { threads: threads(), ..Options::default() });
    let failed: Vec<Report> = reports.iter().filter(|report| !report.passed()).cloned().collect();
    assert!(failed.is_empty(), "\n{}", told(&failed, true));
    assert!(reports.len() >= 6);
    let story = told(&reports, true);
    for words in [
        "rule `redeem` answers",
        "no rule fits: does `else`",
        "enough was answered, `limit 1 per rolling 10min`",
        "silent: ",
    ] {
        assert!(story.contains(words), "{words}: {story}");
    }
}

#[test]
fn the_banks_own_journeys_pass_their_tests() {
    let bank = Compiled::of("journeys");
    let reports = bank.run(&Options { threads: threads(), ..Options::default() });
    assert!(reports.len() >= 30);
    let failed: Vec<Report> = reports.into_iter().filter(|report| !report.passed()).collect();
    assert!(failed.is_empty(), "\n{}", told(&failed, false));
}

#[test]
fn reports_do_not_depend_on_threads() {
    let bank = Compiled::of("journeys");
    let with = |threads| told(&bank.run(&Options { threads, cases: 5, ..Options::default() }), true);
    assert_eq!(with(1), with(3));
}

#[test]
fn failures_are_told_with_their_story() {
    insta::glob!("suite/testing/*.journey", |path| {
        let path = path.strip_prefix(std::env::current_dir().unwrap()).unwrap();
        let bank = Compiled::of(path.to_str().unwrap());
        insta::assert_snapshot!(told(&bank.run(&Options { cases: 50, ..Options::default() }), false));
    });
}

#[test]
fn stories_of_the_whole_language_come_out_as_they_say() {
    insta::glob!("suite/stories/*.journey", |path| {
        let path = path.strip_prefix(std::env::current_dir().unwrap()).unwrap();
        let story = Compiled::of(path.to_str().unwrap());
        let reports = story.run(&Options { threads: threads(), ..Options::default() });
        let failed: Vec<Report> = reports.into_iter().filter(|report| !report.passed()).collect();
        assert!(failed.is_empty(), "\n{}", told(&failed, true));
    });
}

/// Why an arm won, or none did, is on record, with the numbers that it was decided by.
#[test]
fn what_decided_an_experiment_is_told() {
    let story = Compiled::of("tests/suite/stories/experiment.journey");
    let story = told(&story.run(&Options { threads: threads(), ..Options::default() }), true);
    for words in [
        "experiment `tone`: arm `warm` wins (warm 26 of 26, plain 0 of 15; p < 0.0001)",
        "experiment `order`: undecided, arm `first` is for everybody new (first 0 of 25, second 0 of 15; p = 1.0000)",
        "counts for arm `warm` of `tone` from now on",
        "is a success for arm `warm` of `tone`",
    ] {
        assert!(story.contains(words), "{words}: {story}");
    }
}

#[test]
fn flows_and_templates_work_across_packages() {
    let bank = Compiled::of("tests/suite/packages");
    let reports = bank.run(&Options { threads: threads(), ..Options::default() });
    let failed: Vec<Report> = reports.into_iter().filter(|report| !report.passed()).collect();
    assert!(failed.is_empty(), "\n{}", told(&failed, true));
}

#[test]
fn build_servers_can_read_the_results() {
    let story = Compiled::of("tests/suite/testing/failing.journey");
    let mut out = Vec::new();
    junit::write(&story.run(&Options { cases: 50, ..Options::default() }), &mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}
