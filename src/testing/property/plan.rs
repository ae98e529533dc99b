//! What a property is about: whose histories to draw, of what, and which values and lengths are near its edges.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;

use crate::expr::{Expr, MessageEvent, Pattern, Source, Window};
use crate::model::Test;
use crate::model::test::{Counted, Expectation, Given, TestItem, TestKind};
use crate::name::Name;
use crate::program::{CaseTest, Enter, NodeKind, Program, Reenter, ShowEnd};
use crate::step::World;
use crate::testing::Suite;
use crate::text::Span;
use crate::value::{CivilUnit, Length, Value};

pub(super) struct Plan<'a> {
    pub(super) suite: Suite<'a>,
    pub(super) world: Arc<World>,
    pub(super) test: &'a Test,
    pub(super) entity: Name,
    pub(super) filter: Option<&'a Expr>,
    /// Attributes that the test fixes.
    pub(super) fixed: &'a [(Name, Value)],
    /// Days of daily attributes that the test fixes.
    pub(super) days: &'a [(Name, Value, Window)],
    /// Of the `given any`.
    pub(super) span: Span,
    /// Declared events that something listens for.
    pub(super) events: Vec<Name>,
    /// What can become of a message on some channel.
    pub(super) reactions: Vec<MessageEvent>,
    /// Constants that conditions compare with.
    pub(super) constants: Vec<Value>,
    /// Lengths that the journey waits.
    pub(super) lengths: Vec<SignedDuration>,
}

impl<'a> Plan<'a> {
    /// `None` where the test has no `given any` of a declared entity.
    pub(super) fn new(suite: Suite<'a>, world: &Arc<World>, test: &'a Test) -> Option<Self> {
        let (entity, filter, fixed, days, span) = test.items.iter().find_map(|item| match &item.kind {
            TestKind::Given { entity, who: Given::Any, filter, fields, days, .. } => {
                Some((*entity, filter.as_ref(), fields.as_slice(), days.as_slice(), item.span))
            }
            _ => None,
        })?;
        suite.bundle.schema.entities.get(&entity)?;
        let programs = programs_about(suite, test.journey);
        Some(Self {
            suite,
            world: Arc::clone(world),
            test,
            entity,
            filter,
            fixed,
            days,
            span,
            events: events(&programs, test),
            reactions: reactions(suite),
            constants: constants(suite, &programs, filter),
            lengths: programs.iter().flat_map(|program| lengths(program)).map(rough).collect(),
        })
    }
}

/// FNV-1a, so that every test searches in its own place.
pub(super) fn digest(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The journey, those it hands over to, and those that hand over to it.
fn programs_about(suite: Suite<'_>, journey: Name) -> Vec<Arc<Program>> {
    let mut about = BTreeSet::from([journey]);
    loop {
        let before = about.len();
        for (name, program) in &suite.bundle.programs {
            let started = started(&program.body);
            if about.contains(name) {
                about.extend(started);
            } else if started.iter().any(|started| about.contains(started)) {
                about.insert(*name);
            }
        }
        if about.len() == before {
            break;
        }
    }
    let known = about.iter().filter_map(|name| suite.bundle.programs.get(name));
    known.map(|program| Arc::clone(&program.body)).collect()
}

fn started(program: &Program) -> Vec<Name> {
    let nodes = program.nodes.iter().filter_map(|node| match node.kind {
        NodeKind::Start { journey, .. } => Some(journey),
        _ => None,
    });
    nodes.collect()
}

/// Declared events that the programs or the test's expectations listen for, in order of name.
fn events(programs: &[Arc<Program>], test: &Test) -> Vec<Name> {
    let mut sources: Vec<&Source> = Vec::new();
    for program in programs {
        sources.extend(program.patterns().map(|pattern| &pattern.source));
        sources.extend(program.features.iter().map(|feature| &feature.aggregate.source));
    }
    sources.extend(test.items.iter().flat_map(expected).map(|pattern| &pattern.source));
    let names = sources.into_iter().filter_map(|source| match source {
        Source::Event(name) => Some(*name),
        _ => None,
    });
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Patterns that an expectation counts, or counts from.
fn expected(item: &TestItem) -> impl Iterator<Item = &Pattern> {
    let count = match &item.kind {
        TestKind::Expect { what: Expectation::Compare { count, .. }, .. } => Some(count),
        _ => None,
    };
    count.into_iter().flat_map(|count| {
        let counted = match &count.what {
            Counted::Event(pattern) => Some(pattern),
            _ => None,
        };
        count.since.iter().chain(counted)
    })
}

/// What some channel can report, and failure, which all can.
fn reactions(suite: Suite<'_>) -> Vec<MessageEvent> {
    let reports = |kind| suite.bundle.channels.values().any(|channel| channel.outcomes.contains(&kind));
    MessageEvent::ALL.into_iter().filter(|kind| *kind == MessageEvent::Failed || reports(*kind)).collect()
}

fn constants(suite: Suite<'_>, programs: &[Arc<Program>], filter: Option<&Expr>) -> Vec<Value> {
    let mut constants = Constants::default();
    for program in programs {
        constants.program(program);
    }
    suite.model.derived.values().for_each(|derived| constants.expr(&derived.value));
    if let Some(filter) = filter {
        constants.expr(filter);
    }
    constants.0
}

#[derive(Default)]
struct Constants(Vec<Value>);

impl Constants {
    fn program(&mut self, program: &Program) {
        program.patterns().filter_map(|pattern| pattern.filter.as_ref()).for_each(|filter| self.expr(filter));
        program.defs.iter().for_each(|def| self.expr(&def.value));
        for feature in &program.features {
            feature.aggregate.filter.iter().for_each(|filter| self.expr(filter));
        }
        match &program.enter {
            Enter::When { condition, .. } => self.expr(condition),
            Enter::Date { filter, .. } | Enter::Anchor { filter, .. } | Enter::Every { filter, .. } => {
                if let Some(filter) = filter {
                    self.expr(filter);
                }
            }
            Enter::Event(_) | Enter::Without { .. } | Enter::Start | Enter::List => {}
        }
        program.nodes.iter().for_each(|node| self.node(&node.kind));
    }

    fn node(&mut self, node: &NodeKind) {
        match node {
            NodeKind::UntilState { condition, .. } | NodeKind::If { condition, .. } => self.expr(condition),
            NodeKind::Match { cases, .. } => {
                for test in cases.iter().flat_map(|(tests, _)| tests) {
                    match test {
                        CaseTest::Any => {}
                        CaseTest::Compare(_, value) => self.expr(value),
                        CaseTest::OneOf(values) => values.iter().for_each(|value| self.expr(value)),
                    }
                }
            }
            _ => {}
        }
    }

    fn expr(&mut self, expr: &Expr) {
        if let Expr::Const(value) = expr
            && !self.0.contains(value)
        {
            self.0.push(value.clone());
        }
        if let Expr::Aggregate(aggregate) = expr {
            aggregate.filter.iter().for_each(|filter| self.expr(filter));
        }
        expr.parts().into_iter().for_each(|part| self.expr(part));
    }
}

/// Every length that decides something in the journey.
fn lengths(program: &Program) -> Vec<Length> {
    let mut found: Vec<Length> = program.stale.into_iter().chain(program.lasts).collect();
    if let Enter::Without { within, .. } = &program.enter {
        found.push(*within);
    }
    if let Reenter::After(length) = &program.reenter {
        found.push(*length);
    }
    for node in &program.nodes {
        match &node.kind {
            NodeKind::Pause { length, .. } => found.push(*length),
            NodeKind::UntilState { within, .. } | NodeKind::Events { within, .. } => found.push(*within),
            NodeKind::Assign(assign) => found.extend(assign.due),
            NodeKind::Show(show) => {
                if let Some(ShowEnd::Keep(length)) = &show.end {
                    found.push(*length);
                }
            }
            NodeKind::Reach { rungs, .. } => found.extend(rungs.iter().map(|rung| rung.within)),
            _ => {}
        }
    }
    let windows = program.features.iter().filter_map(|feature| match feature.aggregate.window {
        Some(Window::Last(length)) => Some(length),
        _ => None,
    });
    found.extend(windows);
    found
}

/// About as long, for the search only.
fn rough(length: Length) -> SignedDuration {
    let days = |days: i64| SignedDuration::from_hours(24_i64.saturating_mul(days));
    match length {
        Length::Elapsed(ms) => SignedDuration::from_millis(ms),
        Length::Civil { count, unit } => days(i64::from(count).saturating_mul(match unit {
            CivilUnit::Day | CivilUnit::Workday => 1,
            CivilUnit::Week => 7,
            CivilUnit::Month => 30,
            CivilUnit::Year => 365,
        })),
    }
}
