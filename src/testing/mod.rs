//! Tests of journeys under a virtual clock: `wayfare test`.
//!
//! A test plays on a [`stage`]: a world, its customers' states, a clock that moves only when the script says so, and a
//! provider that answers at once. Every decision comes from `step::step`, the function the daemon calls; nothing here
//! decides anything itself. Reading order: [`script`] (the items of one test in order), [`stage`], [`record`] (what
//! happened), [`expect`] (was it as expected), [`property`] (`given any`: search for a counterexample and make it
//! small), [`report`]. No clock, no randomness that is not an argument, no IO.

mod cast;
mod count;
mod env;
mod expect;
mod happen;
pub mod junit;
mod property;
mod random;
mod record;
pub mod report;
mod script;
mod stage;
mod story;
mod transcript;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::tz::TimeZone;

use crate::model::test::{Given, TestKind};
use crate::model::{Model, Test};
use crate::program::Bundle;
use crate::step::World;
use crate::text::Sources;

pub use property::crowd::{Became, Each, Gifts, Runs, Size, crowd};
pub use property::walk::{Deed, Run, Seen, Walker};
pub use report::{Failure, Report, Verdict};
pub use transcript::{Line, Told, Transcript, transcripts};

/// A compilation, ready to be tested.
#[derive(Clone, Copy)]
pub struct Suite<'a> {
    pub model: &'a Model,
    pub bundle: &'a Arc<Bundle>,
    pub sources: &'a Sources,
    /// The bank's zone: clock times in tests and schedules.
    pub zone: &'a TimeZone,
}

#[derive(Clone, Debug)]
pub struct Options {
    /// Only tests whose title or journey contains this.
    pub filter: Option<String>,
    /// Where the search of properties begins. The same seed finds the same counterexample.
    pub seed: u64,
    /// Random cases per property.
    pub cases: u32,
    /// Tests played at the same time, at least 1. The reports do not depend on it.
    pub threads: usize,
}

impl Options {
    pub const CASES: u32 = 100;
}

impl Default for Options {
    fn default() -> Self {
        Self { filter: None, seed: 1, cases: Self::CASES, threads: 1 }
    }
}

/// Plays the tests and reports on each, in the order of files and of writing.
#[must_use]
pub fn run(suite: Suite<'_>, options: &Options) -> Vec<Report> {
    let tests: Vec<&Test> = suite.model.tests.iter().filter(|test| options.selects(test)).collect();
    let world = Arc::new(World::of_bundle(Arc::clone(suite.bundle), suite.zone.clone()));
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(test) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push(play(suite, &world, test, options));
        }
        done
    };
    let mut reports: Vec<Report> = std::thread::scope(|scope| {
        let threads = 0..options.threads.clamp(1, tests.len().max(1));
        let running: Vec<_> = threads.map(|_| scope.spawn(work)).collect();
        running
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    reports.sort_by_key(|report| (report.span.file, report.span.start));
    reports
}

fn play(suite: Suite<'_>, world: &Arc<World>, test: &Test, options: &Options) -> Report {
    if is_property(test) {
        property::play(suite, world, test, options)
    } else {
        let played = script::play(suite, world, test);
        report::of_script(suite, test, &played)
    }
}

fn is_property(test: &Test) -> bool {
    test.items.iter().any(|item| matches!(item.kind, TestKind::Given { who: Given::Any, .. }))
}

impl Options {
    fn selects(&self, test: &Test) -> bool {
        let Some(filter) = &self.filter else { return true };
        test.title.contains(filter.as_str()) || test.journey.as_str().contains(filter.as_str())
    }
}
