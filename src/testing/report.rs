//! What a test came to, and how that is told on a terminal.

use std::io::{self, Write};
use std::sync::Arc;

use super::Suite;
use super::script::{Broken, Played};
use super::story;
use crate::model::Test;
use crate::name::Name;
use crate::text::Span;

/// Stories told of one test, at most.
const MOST_STORIES: usize = 3;
/// Lines of a failed test's story, at most; the newest are kept.
const MOST_LINES: usize = 60;

/// One test and what it came to.
#[derive(Clone, Debug)]
pub struct Report {
    pub title: Arc<str>,
    pub journey: Name,
    pub span: Span,
    /// The file as given to the compiler, and the line of the test's head.
    pub path: Arc<str>,
    pub line: u32,
    pub verdict: Verdict,
    /// What happened to its customers, line by line.
    pub story: Vec<String>,
}

#[derive(Clone, Debug)]
pub enum Verdict {
    Passed {
        /// Of a property: cases played, and in how many the journey was entered.
        cases: Option<(u32, u32)>,
    },
    Failed(Box<Failure>),
}

#[derive(Clone, Debug)]
pub struct Failure {
    pub path: Arc<str>,
    pub line: u32,
    /// The line of the test that was not met, as written.
    pub expected: String,
    pub was: String,
    /// Of a property: the smallest test found that breaks it.
    pub counterexample: Vec<String>,
}

impl Report {
    #[must_use]
    pub fn passed(&self) -> bool {
        matches!(self.verdict, Verdict::Passed { .. })
    }

    /// One line for a test that passed; for one that failed where, what was expected, what was, and the story.
    pub fn write(&self, with_story: bool, out: &mut dyn Write) -> io::Result<()> {
        match &self.verdict {
            Verdict::Passed { cases: None } => writeln!(out, "ok    {}: {}", self.journey, self.title)?,
            Verdict::Passed { cases: Some((cases, entered)) } => {
                writeln!(out, "ok    {}: {} ({cases} cases, {entered} entered)", self.journey, self.title)?;
            }
            Verdict::Failed(failure) => {
                writeln!(out, "FAIL  {}: {}", self.journey, self.title)?;
                failure.write(out)?;
            }
        }
        let skipped = if with_story { 0 } else { self.story.len().saturating_sub(MOST_LINES) };
        if with_story || !self.passed() {
            if skipped > 0 {
                writeln!(out, "      … {skipped} lines before (`--trace` shows all)")?;
            }
            self.story.iter().skip(skipped).try_for_each(|line| writeln!(out, "      {line}"))?;
            writeln!(out)?;
        }
        Ok(())
    }
}

impl Failure {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "   --> {}:{}", self.path, self.line)?;
        writeln!(out, "      {}", self.expected)?;
        writeln!(out, "      but {}", self.was)?;
        if !self.counterexample.is_empty() {
            writeln!(out, "      the smallest story that breaks it:")?;
            self.counterexample.iter().try_for_each(|line| writeln!(out, "        {line}"))?;
        }
        Ok(())
    }
}

pub(super) fn of_script(suite: Suite<'_>, test: &Test, played: &Played<'_>) -> Report {
    let story = story(played);
    match &played.broken {
        None => report(suite, test, Verdict::Passed { cases: None }, story),
        Some(broken) => report(suite, test, failed(suite, broken, Vec::new()), story),
    }
}

/// A property with a counterexample, found in case `number`.
pub(super) fn of_property(
    suite: Suite<'_>,
    test: &Test,
    played: &Played<'_>,
    mut counterexample: Vec<String>,
    number: u32,
) -> Report {
    let Some(broken) = &played.broken else { return of_script(suite, test, played) };
    counterexample.push(format!("// found in case {number}, then made smaller"));
    report(suite, test, failed(suite, broken, counterexample), story(played))
}

/// A property that held in `played` cases, of which `entered` entered the journey.
pub(super) fn of_cases(suite: Suite<'_>, test: &Test, played: u32, entered: u32) -> Report {
    report(suite, test, Verdict::Passed { cases: Some((played, entered)) }, Vec::new())
}

/// A test that could not be played.
pub(super) fn of_broken(suite: Suite<'_>, test: &Test, broken: &Broken) -> Report {
    report(suite, test, failed(suite, broken, Vec::new()), Vec::new())
}

fn report(suite: Suite<'_>, test: &Test, verdict: Verdict, story: Vec<String>) -> Report {
    let (path, line) = suite.sources.place(test.span);
    Report {
        title: Arc::clone(&test.title),
        journey: test.journey,
        span: test.span,
        path,
        line,
        verdict,
        story,
    }
}

fn failed(suite: Suite<'_>, broken: &Broken, counterexample: Vec<String>) -> Verdict {
    let (path, line) = suite.sources.place(broken.span);
    let written = suite.sources.slice(broken.span);
    let expected = written.split_whitespace().collect::<Vec<_>>().join(" ");
    Verdict::Failed(Box::new(Failure { path, line, expected, was: broken.was.clone(), counterexample }))
}

/// The story of whoever broke the expectation, or of the first few.
fn story(played: &Played<'_>) -> Vec<String> {
    match played.broken.as_ref().and_then(|broken| broken.row) {
        Some(row) => story::of_row(&played.stage, row),
        None => story::of_all(&played.stage, MOST_STORIES),
    }
}
