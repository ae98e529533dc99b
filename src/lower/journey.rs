//! One journey as a program.

use super::policy;
use super::renumber::Numbers;
use super::table::Table;
use super::tables::Tables;
use super::tracked;
use crate::model::journey::{Exit as ModelExit, Trigger};
use crate::model::{Journey, Model};
use crate::program::{Enter, Exit, ExitOn, Goal, Origin, Param, Program, Reenter, Rules};
use crate::text::Sources;

/// `None` if a table of the program would be too large.
pub(super) fn program(model: &Model, journey: &Journey, sources: &Sources) -> Option<Program> {
    let mut tables = Tables::new(model);
    let numbers = tables.take(&journey.uses)?;
    let mut table = Table::new(model, &numbers, sources);
    table.journey(&journey.steps)?;
    let exits = journey.exits.iter().map(|rule| exit(rule, &numbers, &mut table)).collect::<Option<_>>()?;
    let (awaits, nodes, lines, rung_lines) = table.finish()?;
    // What copy prints must be kept by whoever sends it.
    for name in nodes.iter().flat_map(|node| node.kind.names()) {
        if let Some(content) = model.contents.get(&name) {
            tables.take(&content.uses)?;
        }
    }
    // So is what the bank's rules ask of whoever is written to.
    if nodes.iter().any(|node| node.kind.sends()) {
        for uses in policy::asks_history(model, journey.root) {
            tables.take(uses)?;
        }
    }
    let (defs, features) = tables.finish();
    let (path, line) = sources.place(journey.span);
    let mut program = Program {
        journey: journey.name,
        label: journey.label.clone(),
        subject: journey.subject,
        root: journey.root,
        purpose: journey.purpose,
        owner: journey.owner.clone(),
        open: journey.open.clone(),
        enter: enter(&journey.enter, &numbers),
        existing: journey.existing,
        stale: journey.stale,
        reenter: reenter(&journey.reenter, &numbers),
        exits,
        goals: goals(journey, &numbers),
        lasts: journey.lasts,
        params: journey.params.iter().map(param).collect(),
        holdout: journey.holdout,
        locals: journey.locals.iter().map(|(name, _)| *name).collect(),
        defs,
        features,
        tracked: Vec::new(),
        awaits,
        nodes,
        origin: Some(Origin { path, line }),
        lines,
        rung_lines,
        rules: journey.rules.as_ref().map(|rules| answers(&rules.run, &numbers)),
        stamped: false,
    };
    program.stamped = numbers.is_stamped();
    program.tracked = tracked::of(model, &program);
    Some(program)
}

fn answers(rules: &Rules, numbers: &Numbers) -> Rules {
    let mut rules = rules.clone();
    numbers.optional(&mut rules.quiet);
    numbers.optional(&mut rules.writer);
    rules
}

fn param(param: &crate::model::journey::Param) -> Param {
    Param {
        name: param.name,
        label: param.label.clone(),
        ty: param.ty.clone(),
        value: param.value.clone(),
        range: param.range.clone(),
        adjusted: param.adjusted.clone(),
    }
}

fn exit(rule: &ModelExit, numbers: &Numbers, table: &mut Table<'_>) -> Option<Exit> {
    let block = match rule.block.as_slice() {
        [] => None,
        steps => Some(table.exit(steps, rule.end, rule.span)?),
    };
    Some(Exit { on: trigger(&rule.trigger, numbers), end: rule.end, block })
}

fn goals(journey: &Journey, numbers: &Numbers) -> Vec<Goal> {
    let goal = |goal: &crate::model::journey::Goal| {
        let mut from = goal.from.clone();
        numbers.anchor(&mut from);
        Goal { name: goal.name, on: trigger(&goal.trigger, numbers), within: goal.within, from }
    };
    journey.goals.iter().map(goal).collect()
}

fn trigger(trigger: &Trigger, numbers: &Numbers) -> ExitOn {
    match trigger.clone() {
        Trigger::On(mut patterns) => {
            numbers.patterns(&mut patterns);
            ExitOn::Events(patterns)
        }
        Trigger::When(mut condition) => {
            numbers.expr(&mut condition);
            ExitOn::When(condition)
        }
    }
}

fn enter(enter: &Enter, numbers: &Numbers) -> Enter {
    let mut enter = enter.clone();
    match &mut enter {
        Enter::Event(patterns) => numbers.patterns(patterns),
        Enter::Without { trigger, absent, within: _ } => {
            numbers.patterns(std::slice::from_mut(trigger));
            numbers.patterns(std::slice::from_mut(absent));
        }
        Enter::When { condition, schedule: _ } => numbers.expr(condition),
        Enter::Date { moment, filter } => {
            numbers.expr(moment);
            numbers.optional(filter);
        }
        Enter::Anchor { of, filter, .. } => {
            if let Some((of, _)) = of {
                numbers.expr(of);
            }
            numbers.optional(filter);
        }
        Enter::Every { filter, .. } => numbers.optional(filter),
        Enter::Start | Enter::List => {}
    }
    enter
}

fn reenter(reenter: &Reenter, numbers: &Numbers) -> Reenter {
    let mut reenter = reenter.clone();
    if let Reenter::Per(units) = &mut reenter {
        for unit in units {
            numbers.unit(unit);
        }
    }
    reenter
}
