//! What a test did to its customers and what was decided, as data: so that the same story can be told to the daemon and
//! the decisions compared.

use std::sync::Arc;

use jiff::Timestamp;

use super::record::What;
use super::{Options, Suite, is_property, script};
use crate::model::Test;
use crate::model::test::TestKind;
use crate::name::Name;
use crate::step::{Delivery, Event, RootKey, Trace, World};
use crate::value::Value;

/// A test that passed, from its first event to its last decision.
#[derive(Clone, Debug)]
pub struct Transcript {
    pub title: Arc<str>,
    pub journey: Name,
    /// The file as given to the compiler, and the line of the test's head.
    pub path: Arc<str>,
    pub line: u32,
    /// Where its clock began and where it was when everything had been looked at.
    pub begins: Timestamp,
    pub ends: Timestamp,
    /// In order over all its customers.
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug)]
pub struct Line {
    pub at: Timestamp,
    pub root: RootKey,
    pub what: Told,
}

#[derive(Clone, Debug)]
pub enum Told {
    /// Came from outside.
    Event(Event),
    Decided(Trace),
    /// Left for the provider.
    Sent(Box<Delivery>),
}

/// Plays the chosen tests and writes down what happened in those that passed. Left out are properties, and tests that
/// arrange what no event can: an outage, a tag that nobody set.
#[must_use]
pub fn transcripts(suite: Suite<'_>, options: &Options) -> Vec<Transcript> {
    let world = Arc::new(World::of_bundle(Arc::clone(suite.bundle), suite.zone.clone()));
    let tests = suite.model.tests.iter().filter(|test| options.selects(test));
    tests
        .filter(|test| suite.bundle.programs.contains_key(&test.journey))
        .filter(|test| !is_property(test) && !is_arranged(suite, test))
        .filter_map(|test| of_test(suite, &world, test))
        .collect()
}

fn is_arranged(suite: Suite<'_>, test: &Test) -> bool {
    let is_tag = |(name, value): &(Name, Value)| {
        *value == Value::Bool(true) && suite.bundle.schema.tags.contains_key(name)
    };
    test.items.iter().any(|item| match &item.kind {
        TestKind::Given { fields, .. } => fields.iter().any(is_tag),
        TestKind::Outage { .. } => true,
        _ => false,
    })
}

fn of_test(suite: Suite<'_>, world: &Arc<World>, test: &Test) -> Option<Transcript> {
    let played = script::play(suite, world, test);
    if played.broken.is_some() {
        return None;
    }
    let mut lines: Vec<(u64, Line)> = Vec::new();
    for row in played.stage.rows {
        for line in row.record.lines {
            let what = match line.what {
                What::Event(event) => Told::Event(event),
                What::Trace(trace) => Told::Decided(trace),
                What::Delivered(delivery) => Told::Sent(delivery),
                What::Placed(_) | What::Decided(_) => continue,
            };
            lines.push((line.serial, Line { at: line.at, root: row.key.clone(), what }));
        }
    }
    lines.sort_by_key(|(serial, _)| *serial);
    let (path, line) = suite.sources.place(test.span);
    Some(Transcript {
        title: Arc::clone(&test.title),
        journey: test.journey,
        path,
        line,
        begins: script::start(suite, test),
        ends: played.stage.now,
        lines: lines.into_iter().map(|(_, line)| line).collect(),
    })
}
