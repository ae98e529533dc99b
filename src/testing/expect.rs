//! Was it as expected? Expectations look at the record of what happened, never into the journey.

use jiff::Timestamp;

use super::count;
use super::env::Scene;
use super::record::{Run, is_at_or_below};
use super::script::{Broken, Cast};
use super::stage::Stage;
use super::story::instant;
use crate::expr::explain::explain;
use crate::expr::{BinaryOp, Expr};
use crate::model::Test;
use crate::model::test::{CountOf, Expectation};
use crate::name::Name;
use crate::step::sight;
use crate::text::Span;
use crate::value::Length;

/// What there is to look at.
#[derive(Clone, Copy)]
pub(super) struct View<'v, 'a> {
    pub(super) test: &'a Test,
    pub(super) stage: &'v Stage<'a>,
    pub(super) cast: &'v Cast,
}

/// Whose record counts.
#[derive(Clone, Copy)]
pub(super) enum Scope {
    All,
    Row(usize),
}

/// It was otherwise: how, and whose story tells it.
pub(super) struct Found {
    was: String,
    row: Option<usize>,
}

/// Where an `expect eventually` stands.
pub(super) enum State {
    Holds,
    Broken(Found),
    /// It may still come true, up to this instant.
    Open(Timestamp),
}

/// An `expect eventually` that has been read.
pub(super) struct Eventual<'a> {
    pub(super) span: Span,
    what: &'a Expectation,
    within: Option<Length>,
    since: Timestamp,
    /// Whether it has held since.
    held: bool,
}

impl Found {
    pub(super) fn at(self, span: Span) -> Broken {
        Broken { span, was: self.was, row: self.row }
    }
}

/// Looks once.
pub(super) fn check(view: View<'_, '_>, what: &Expectation, scope: Scope) -> Result<(), Found> {
    match what {
        Expectation::Ended { end, negated } => ended(view, *end, *negated, scope),
        Expectation::Entered { negated } => entered(view, *negated, scope),
        Expectation::Waiting { negated } => waiting(view, *negated, scope),
        Expectation::Showing { step, negated } => showing(view, *step, *negated, scope),
        Expectation::Compare { count, op, value } => compare(view, count, *op, *value, scope),
        Expectation::Holds(condition) => condition_holds(view, condition, scope),
    }
}

fn ended(view: View<'_, '_>, end: Option<Name>, negated: bool, scope: Scope) -> Result<(), Found> {
    let newest = newest_runs(view, scope);
    let is_so = |run: &Run| run.ended.is_some_and(|(found, _)| end.is_none_or(|end| end == found));
    if negated {
        return match newest.iter().find(|(_, run)| is_so(run)) {
            Some((row, run)) => Err(found(view, *row, run)),
            None => Ok(()),
        };
    }
    match newest.iter().find(|(_, run)| !is_so(run)) {
        Some((row, run)) => Err(found(view, *row, run)),
        None if newest.is_empty() => Err(nobody(view, scope)),
        None => Ok(()),
    }
}

fn entered(view: View<'_, '_>, negated: bool, scope: Scope) -> Result<(), Found> {
    let newest = newest_runs(view, scope);
    match (newest.first(), negated) {
        (Some((row, run)), true) => Err(found(view, *row, run)),
        (None, false) => Err(nobody(view, scope)),
        _ => Ok(()),
    }
}

fn waiting(view: View<'_, '_>, negated: bool, scope: Scope) -> Result<(), Found> {
    let newest = newest_runs(view, scope);
    let wanted = |run: &Run| run.ended.is_none() != negated;
    match newest.iter().find(|(_, run)| !wanted(run)) {
        Some((row, run)) => Err(found(view, *row, run)),
        None if newest.is_empty() && !negated => Err(nobody(view, scope)),
        None => Ok(()),
    }
}

/// Whether something of the show stands in a slot, for every row.
fn showing(view: View<'_, '_>, step: Name, negated: bool, scope: Scope) -> Result<(), Found> {
    let world = &view.stage.world;
    let journey = world.symbols.sym(view.test.journey);
    for number in rows(view, scope) {
        let Some(row) = view.stage.rows.get(number) else { continue };
        let placements = row.state.placements.iter().enumerate();
        let standing = placements.filter(|(at, one)| {
            let is_ours = one.stands() && Some(one.journey) == journey;
            is_ours && !sight::rests(world, &row.key, &row.state, *at, view.stage.now)
        });
        let names: Vec<Name> = standing.filter_map(|(_, one)| world.symbols.name(one.step)).collect();
        let is_meant = |name: &&Name| is_at_or_below(name.as_str(), step.as_str());
        let found = names.iter().find(is_meant);
        let was = match (found, negated) {
            (Some(_), false) | (None, true) => continue,
            (Some(name), true) => format!("`{name}` stands in its slot"),
            (None, false) if names.is_empty() => "nothing stands in any slot".to_owned(),
            (None, false) => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                format!("only {} stands in a slot", names.join(", "))
            }
        };
        return Err(Found { was, row: Some(number) });
    }
    Ok(())
}

fn compare(view: View<'_, '_>, of: &CountOf, op: BinaryOp, value: u32, scope: Scope) -> Result<(), Found> {
    let rows = rows(view, scope);
    let counted: Vec<(usize, count::Counted)> =
        rows.iter().flat_map(|row| count::count(view, of, *row).into_iter().map(|one| (*row, one))).collect();
    let number = u32::try_from(counted.len()).unwrap_or(u32::MAX);
    let is_so = match op {
        BinaryOp::Is => number == value,
        BinaryOp::IsNot => number != value,
        BinaryOp::Less => number < value,
        BinaryOp::LessEq => number <= value,
        BinaryOp::Greater => number > value,
        BinaryOp::GreaterEq => number >= value,
        _ => false,
    };
    if is_so {
        return Ok(());
    }
    let row = counted.last().map(|(row, _)| *row).or_else(|| rows.first().copied());
    Err(Found { was: count::listed(view, &counted), row })
}

/// The condition, for every subject of the journey.
fn condition_holds(view: View<'_, '_>, condition: &Expr, scope: Scope) -> Result<(), Found> {
    let entity = view.stage.suite.model.journeys.get(&view.test.journey).map(|journey| journey.subject);
    let rows = rows(view, scope);
    let actors = view.cast.iter().map(|(_, actor)| actor);
    for actor in actors.filter(|actor| Some(actor.entity) == entity && rows.contains(&actor.row)) {
        let Some(scene) = Scene::new(view.stage, actor, &view.test.uses) else { continue };
        let explained = explain(condition, &scene, &scene);
        if !explained.holds {
            let because: Vec<String> = explained.because.iter().map(ToString::to_string).collect();
            let was = format!("for {} {}", actor.id, because.join(", "));
            return Err(Found { was, row: Some(actor.row) });
        }
    }
    Ok(())
}

impl<'a> Eventual<'a> {
    pub(super) fn new(span: Span, what: &'a Expectation, within: Option<Length>, since: Timestamp) -> Self {
        Self { span, what, within, since, held: false }
    }

    /// Looks whether it has come true by now. Endings have their own time, from each entry: see [`Eventual::state`].
    pub(super) fn look(&mut self, view: View<'_, '_>) {
        if !matches!(self.what, Expectation::Ended { negated: false, .. }) {
            let in_time = view.stage.now <= self.limit(view, self.since, Timestamp::MAX);
            self.held = self.held || (in_time && check(view, self.what, Scope::All).is_ok());
        }
    }

    /// Whether it holds; `patience` bounds those that have no `within`.
    pub(super) fn state(&self, view: View<'_, '_>, patience: Timestamp) -> State {
        let Expectation::Ended { end, negated: false } = self.what else {
            return self.state_of_condition(view, patience);
        };
        let mut open: Option<Timestamp> = None;
        let mut any = false;
        for row in rows(view, Scope::All) {
            for run in runs(view, row) {
                any = true;
                let limit = self.limit(view, run.entered, patience);
                match run.ended {
                    Some((name, at)) if at <= limit && end.is_none_or(|end| end == name) => {}
                    None if view.stage.now < limit => open = Some(open.map_or(limit, |open| open.max(limit))),
                    _ => return State::Broken(found(view, row, &run)),
                }
            }
        }
        match open {
            Some(until) => State::Open(until),
            // Nobody has to enter for a property to hold: all who enter must end.
            None if any || super::is_property(view.test) => State::Holds,
            None if view.stage.now < patience => State::Open(patience),
            None => State::Broken(nobody(view, Scope::All)),
        }
    }

    fn state_of_condition(&self, view: View<'_, '_>, patience: Timestamp) -> State {
        if self.held {
            return State::Holds;
        }
        let limit = self.limit(view, self.since, patience);
        match check(view, self.what, Scope::All) {
            Ok(()) if view.stage.now <= limit => State::Holds,
            Err(_) if view.stage.now < limit => State::Open(limit),
            Err(found) => State::Broken(found),
            Ok(()) => State::Broken(Found { was: "it came true too late".to_owned(), row: None }),
        }
    }

    fn limit(&self, view: View<'_, '_>, from: Timestamp, patience: Timestamp) -> Timestamp {
        let zone = view.stage.suite.zone;
        let limit =
            self.within.and_then(|within| crate::expr::civil::shift_moment(from, within, false, zone, None));
        limit.unwrap_or(patience)
    }
}

/// Rows in scope that hold a subject of the test.
pub(super) fn rows(view: View<'_, '_>, scope: Scope) -> Vec<usize> {
    match scope {
        Scope::Row(row) => vec![row],
        Scope::All => (0..view.stage.rows.len()).collect(),
    }
}

/// The runs of the tested journey in a row.
pub(super) fn runs(view: View<'_, '_>, row: usize) -> Vec<Run> {
    let row = view.stage.rows.get(row);
    row.map(|row| row.record.runs(view.test.journey, &view.stage.world)).unwrap_or_default()
}

/// The newest run of each subject in scope.
fn newest_runs(view: View<'_, '_>, scope: Scope) -> Vec<(usize, Run)> {
    let mut newest: Vec<(usize, Run)> = Vec::new();
    for row in rows(view, scope) {
        for run in runs(view, row) {
            newest.retain(|(other, known)| *other != row || known.subject != run.subject);
            newest.push((row, run));
        }
    }
    newest
}

fn nobody(view: View<'_, '_>, scope: Scope) -> Found {
    let row = rows(view, scope).first().copied();
    Found { was: format!("nobody entered `{}`", view.test.journey), row }
}

/// What a run has come to, in words.
fn found(view: View<'_, '_>, row: usize, run: &Run) -> Found {
    let who = match &run.subject.0 {
        Some((_, id)) => id.to_string(),
        None => view.stage.rows.get(row).map(|row| row.key.id.to_string()).unwrap_or_default(),
    };
    let zone = view.stage.suite.zone;
    let entered = instant(run.entered, zone);
    let was = match run.ended {
        Some((end, at)) => format!("{who} entered at {entered} and ended `{end}` at {}", instant(at, zone)),
        None => {
            format!("{who} entered at {entered} and is still waiting at {}", instant(view.stage.now, zone))
        }
    };
    Found { was, row: Some(row) }
}
