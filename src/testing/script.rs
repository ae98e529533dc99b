//! Plays the items of one test in the order written.
//!
//! `expect` looks at once; `expect always` is looked at after everything that happens; `expect eventually` is settled
//! at the end, where the clock goes on until it holds or its time is up. A property runs the same script with random
//! [`Act`]s laid over it.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::civil::{Date, date, time};
use jiff::{SignedDuration, Timestamp};

use super::cast::{self, Actor, Role};
use super::env::Bare;
use super::expect::{self, Eventual, Scope, View};
use super::property::Act;
use super::stage::Stage;
use super::{Suite, happen};
use crate::expr::civil::{date_of, last_window_start, moment_at, shift_moment};
use crate::expr::eval::eval;
use crate::expr::{Expr, Window};
use crate::model::Test;
use crate::model::test::{Given, Mode, TestItem, TestKind};
use crate::name::Name;
use crate::step::World;
use crate::text::Span;
use crate::value::{Length, Value};

/// How long an `eventually` without `within` is waited for.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24 * 400);

/// A test that has been played, as far as it went.
pub(super) struct Played<'a> {
    pub(super) stage: Stage<'a>,
    pub(super) broken: Option<Broken>,
}

/// The subjects of a test, under the names it gave them.
pub(super) type Cast = Vec<(Option<Name>, Actor)>;

/// What went against an expectation, or kept the test from being played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) span: Span,
    pub(super) was: String,
    /// Whose story tells it.
    pub(super) row: Option<usize>,
}

pub(super) struct Script<'a> {
    pub(super) test: &'a Test,
    pub(super) stage: Stage<'a>,
    pub(super) cast: Cast,
    /// Random happenings still to come, soonest first.
    acts: VecDeque<(Timestamp, Act)>,
    /// How long the clock goes on behind the last of them.
    rest: SignedDuration,
    eventual: Vec<Eventual<'a>>,
    /// Whether the subjects are on stage and the clock runs.
    running: bool,
}

/// Plays a test that leaves nothing to chance.
pub(super) fn play<'a>(suite: Suite<'a>, world: &Arc<World>, test: &'a Test) -> Played<'a> {
    let mut script = Script::new(suite, world, test, start(suite, test));
    let broken = script.run().err();
    Played { stage: script.stage, broken }
}

/// Where the clock of a test begins: its `clock`, or a plain Monday morning.
pub(super) fn start(suite: Suite<'_>, test: &Test) -> Timestamp {
    let clocks = test.items.iter().filter_map(|item| match &item.kind {
        TestKind::Clock(at) => Some(at),
        _ => None,
    });
    let morning = moment_at(date(2026, 6, 1), time(9, 0, 0, 0), suite.zone).unwrap_or_default();
    clocks.take(1).find_map(|at| moment(suite, at, morning)).unwrap_or(morning)
}

impl<'a> Script<'a> {
    pub(super) fn new(suite: Suite<'a>, world: &Arc<World>, test: &'a Test, start: Timestamp) -> Self {
        let stage = Stage::new(suite, world, start);
        Self {
            test,
            stage,
            cast: Vec::new(),
            acts: VecDeque::new(),
            rest: SignedDuration::ZERO,
            eventual: Vec::new(),
            running: false,
        }
    }

    /// Brings a subject on stage under a name.
    pub(super) fn cast(&mut self, name: Option<Name>, role: Role) {
        if let (Some(parent), Some(entity)) = (&role.parent, cast::parent_of(&self.stage, role.entity)) {
            let is_known = self.cast.iter().any(|(_, actor)| actor.entity == entity && actor.id == *parent);
            if !is_known {
                let (fields, days) = (Vec::new(), Vec::new());
                let parent = Role { entity, id: Arc::clone(parent), parent: None, fields, days };
                self.cast(None, parent);
            }
        }
        let actor = cast::enter(&mut self.stage, role);
        self.cast.push((name, actor));
    }

    /// Lays random happenings over the script, in order of time; behind the last the clock goes on for `rest`.
    pub(super) fn lay(&mut self, acts: impl IntoIterator<Item = (Timestamp, Act)>, rest: SignedDuration) {
        self.acts.extend(acts);
        self.rest = rest;
    }

    /// Plays everything, to the first expectation that is broken.
    pub(super) fn run(&mut self) -> Result<(), Broken> {
        let test = self.test;
        for item in &test.items {
            self.item(item)?;
        }
        self.begin()?;
        let last = self.acts.back().map_or(self.stage.now, |(at, _)| *at).max(self.stage.now);
        self.advance_to(last.saturating_add(self.rest).unwrap_or(last), test.span)?;
        self.settle_eventual()
    }

    fn item(&mut self, item: &'a TestItem) -> Result<(), Broken> {
        if !matches!(item.kind, TestKind::Given { .. } | TestKind::Clock(_)) {
            self.begin()?;
        }
        match &item.kind {
            TestKind::Given { entity, who, fields, days, parent, .. } => {
                let days = given_days(self.stage.suite, days, self.stage.now);
                self.given(*entity, who, (fields, &days), *parent, item.span)
            }
            TestKind::Clock(at) | TestKind::AdvanceTo(at) => self.clock(at, item.span),
            TestKind::Advance(length) => {
                let until =
                    self.later(*length).ok_or_else(|| broken(item.span, "the calendar ends before that"))?;
                self.advance_to(until, item.span)
            }
            TestKind::Happen { event, by, at } => {
                let at = match at {
                    Some(at) => self.moment(at, item.span)?,
                    None => self.stage.now,
                };
                let rows =
                    happen::happen(self, event, by.as_ref(), at).map_err(|was| broken(item.span, was))?;
                self.watch(&rows)
            }
            TestKind::Outage { channel, length } => {
                let until =
                    self.later(*length).ok_or_else(|| broken(item.span, "the calendar ends before that"))?;
                self.stage.outage(*channel, until);
                Ok(())
            }
            TestKind::Expect { mode, what, within } => match mode {
                Mode::Now => {
                    expect::check(self.view(), what, Scope::All).map_err(|found| found.at(item.span))
                }
                // Looked at from the beginning on: see `watch`.
                Mode::Always => Ok(()),
                Mode::Eventually => {
                    self.eventual.push(Eventual::new(item.span, what, *within, self.stage.now));
                    Ok(())
                }
            },
        }
    }

    fn given(
        &mut self,
        entity: Name,
        who: &Given,
        (fields, days): (&[(Name, Value)], &[Days]),
        parent: Option<Name>,
        span: Span,
    ) -> Result<(), Broken> {
        if self.running {
            return Err(broken(
                span,
                "the story has begun already: `given` comes before everything that happens",
            ));
        }
        let role = |id: Arc<str>, parent: Option<Arc<str>>| Role {
            entity,
            id,
            parent,
            fields: fields.to_vec(),
            days: days.to_vec(),
        };
        let parent = cast::parent_of(&self.stage, entity).map(|above| match parent {
            Some(name) => Arc::from(name.as_str()),
            None => self.newest(above).unwrap_or_else(|| Arc::from(above.as_str())),
        });
        match who {
            // A property has cast its subject itself.
            Given::Any => {}
            Given::One(name) => {
                let id = Arc::from(name.unwrap_or(entity).as_str());
                self.cast(*name, role(id, parent));
            }
            Given::Many(count) => {
                for number in 1..=*count {
                    self.cast(None, role(format!("{entity}-{number}").into(), parent.clone()));
                }
            }
        }
        Ok(())
    }

    fn newest(&self, entity: Name) -> Option<Arc<str>> {
        let same = self.cast.iter().rev().find(|(_, actor)| actor.entity == entity);
        same.map(|(_, actor)| Arc::clone(&actor.id))
    }

    /// Everybody is there: journeys look at them for the first time.
    fn begin(&mut self) -> Result<(), Broken> {
        if self.running {
            return Ok(());
        }
        self.running = true;
        let rows: Vec<usize> = (0..self.stage.rows.len()).collect();
        for row in &rows {
            self.stage.settle(*row);
        }
        self.watch(&rows)
    }

    fn clock(&mut self, at: &Expr, span: Span) -> Result<(), Broken> {
        let at = self.moment(at, span)?;
        if at < self.stage.now {
            return Err(broken(span, format!("it is {} already", self.shown(self.stage.now))));
        }
        if at > self.stage.now { self.begin().and_then(|()| self.advance_to(at, span)) } else { Ok(()) }
    }

    pub(super) fn advance_to(&mut self, until: Timestamp, span: Span) -> Result<(), Broken> {
        loop {
            let act = self.acts.front().map(|(at, _)| *at).filter(|at| *at <= until);
            while let Some(rows) = self.beat(act.unwrap_or(until), span)? {
                self.watch(&rows)?;
            }
            let Some((_, act)) = act.and_then(|_| self.acts.pop_front()) else { return Ok(()) };
            if let Some(row) = happen::act(self, &act) {
                self.watch(&[row])?;
            }
        }
    }

    fn beat(&mut self, until: Timestamp, span: Span) -> Result<Option<Vec<usize>>, Broken> {
        self.stage.beat(until).map_err(|_| broken(span, "a customer is woken again and again at one instant"))
    }

    /// Looks at every `expect always`, for the rows that something happened to.
    fn watch(&mut self, rows: &[usize]) -> Result<(), Broken> {
        let test = self.test;
        let view = View { test, stage: &self.stage, cast: &self.cast };
        self.eventual.iter_mut().for_each(|eventual| eventual.look(view));
        for item in &test.items {
            let TestKind::Expect { mode: Mode::Always, what, .. } = &item.kind else { continue };
            for row in rows {
                expect::check(self.view(), what, Scope::Row(*row)).map_err(|found| found.at(item.span))?;
            }
        }
        Ok(())
    }

    fn settle_eventual(&mut self) -> Result<(), Broken> {
        let patience = self.stage.now.saturating_add(PATIENCE).unwrap_or(Timestamp::MAX);
        for number in 0..self.eventual.len() {
            while let Some(eventual) = self.eventual.get(number) {
                let span = eventual.span;
                match eventual.state(self.view(), patience) {
                    expect::State::Holds => break,
                    expect::State::Broken(found) => return Err(found.at(span)),
                    expect::State::Open(until) => match self.beat(until, span)? {
                        Some(rows) => self.watch(&rows)?,
                        None => self.watch(&[])?,
                    },
                }
            }
        }
        Ok(())
    }

    fn later(&self, length: Length) -> Option<Timestamp> {
        shift_moment(self.stage.now, length, false, self.stage.suite.zone, self.calendar())
    }

    /// The calendar of the journey's subject, for `advance 2 workdays`.
    fn calendar(&self) -> Option<&'a crate::expr::civil::Calendar> {
        let bundle = self.stage.suite.bundle;
        let program = bundle.programs.get(&self.test.journey)?;
        let name = bundle.schema.entities.get(&program.body.subject)?.calendar?;
        bundle.calendars.get(&name)
    }

    fn moment(&self, at: &Expr, span: Span) -> Result<Timestamp, Broken> {
        moment(self.stage.suite, at, self.stage.now).ok_or_else(|| broken(span, "there is no such moment"))
    }

    pub(super) fn view(&self) -> View<'_, 'a> {
        View { test: self.test, stage: &self.stage, cast: &self.cast }
    }

    /// An instant as the test writes it.
    pub(super) fn shown(&self, at: Timestamp) -> String {
        super::story::instant(at, self.stage.suite.zone)
    }
}

pub(super) fn broken(span: Span, was: impl Into<String>) -> Broken {
    Broken { span, was: was.into(), row: None }
}

/// A daily attribute, its value, and its first and last day.
pub(super) type Days = (Name, Value, Date, Date);

/// The windows of given days as dates, seen from `now`. What has no first and last day is left out.
pub(super) fn given_days(suite: Suite<'_>, days: &[(Name, Value, Window)], now: Timestamp) -> Vec<Days> {
    let calendar = |name: Option<Name>| suite.bundle.calendars.get(&name?);
    let found = days.iter().filter_map(|(name, value, window)| {
        let (first, last) = match window {
            Window::Last(length) => {
                let start = last_window_start(*length, now, suite.zone, None)?;
                (date_of(start, suite.zone), date_of(now, suite.zone))
            }
            Window::Span(span) => match eval(span, &Bare { now, zone: suite.zone, calendar: &calendar }) {
                Value::Range(ends) => match *ends {
                    (Value::Date(first), Value::Date(last)) => (first, last),
                    _ => return None,
                },
                _ => return None,
            },
            Window::Since(_) | Window::Ever => return None,
        };
        Some((*name, value.clone(), first, last))
    });
    found.collect()
}

/// A date (its first instant) or moment that reads no subject.
fn moment(suite: Suite<'_>, at: &Expr, now: Timestamp) -> Option<Timestamp> {
    let calendar = |name: Option<Name>| suite.bundle.calendars.get(&name?);
    match eval(at, &Bare { now, zone: suite.zone, calendar: &calendar }) {
        Value::Moment(moment) => Some(moment),
        Value::Date(date) => crate::expr::civil::start_of_day(date, suite.zone),
        _ => None,
    }
}
