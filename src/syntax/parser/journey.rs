//! A journey: its clauses, then its steps. Which of both a line is, its first word says.

use nom::Parser;
use nom::combinator::map;

use super::duration::duration;
use super::expr::{expr, sum};
use super::govern;
use super::heading::{Heads, heading};
use super::input::In;
use super::operand::call;
use super::pattern::{anchor, patterns, schedule};
use super::policy::{cap, quiet};
use super::primitive::{P, block, boxed, expect_word, ident, item, label, missed, optional, path, text};
use super::step::{self, steps};
use super::value::opening;
use crate::diagnostic::{Diagnostic, code};
use crate::name::Name;
use crate::syntax::ast::{
    Clause, ClauseKind, DeclKind, Enter, Exit, Goal, Ident, Journey, Path, Reenter, Step, StepKind, Trigger,
};
use crate::syntax::token::TokenKind;
use crate::syntax::words;
use crate::text::Span;

const HEADS: Heads = Heads { what: "a clause or step of a journey", words: &[words::CLAUSES, words::STEPS] };

#[allow(clippy::large_enum_variant, reason = "lives for a moment, and almost always is a step")]
enum Line {
    Clause(Clause),
    Step(Step),
}

/// `{ clauses steps }`
pub(super) fn journey(i: In<'_>) -> P<'_, DeclKind> {
    if i.kind() == TokenKind::Equals {
        return map(call("a journey with parameters"), DeclKind::Instance).parse(i.next());
    }
    let mut first_step: Option<Span> = None;
    let mut said = false;
    let (i, (lines, close)) = block(i, |i| {
        let (rest, line) = line(i);
        match &line {
            Line::Clause(clause) if !said => said = below_step(i, clause, first_step),
            // Not for what could not be read, which may have been meant as a clause.
            Line::Step(step) if step.kind != StepKind::Error => {
                first_step = first_step.or(Some(step.word.span));
            }
            _ => {}
        }
        (rest, line)
    })?;
    Ok((i, DeclKind::Journey(Box::new(collect(lines, close)))))
}

fn collect(lines: Vec<Line>, close: Span) -> Journey {
    let steps = lines.iter().filter(|line| matches!(line, Line::Step(_))).count();
    let clauses = Vec::with_capacity(lines.len() - steps);
    let mut journey = Journey { clauses, steps: Vec::with_capacity(steps), close };
    for line in lines {
        match line {
            Line::Clause(clause) => journey.clauses.push(clause),
            Line::Step(step) => journey.steps.push(step),
        }
    }
    journey
}

/// Reports a clause below a step, and whether it did.
fn below_step(i: In<'_>, clause: &Clause, first_step: Option<Span>) -> bool {
    let Some(step) = first_step else { return false };
    let finding = Diagnostic::new(
        code::CLAUSE_BELOW_STEP,
        clause.word.span,
        format!("clause `{}` stands below a step", clause.word.name),
    )
    .also(step, "the steps begin here")
    .help("move it up: first what the journey is, then what it does");
    i.cx.diagnostics.borrow_mut().push(finding);
    true
}

/// One clause or step.
fn line<'a>(i: In<'a>) -> (In<'a>, Line) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &HEADS)?;
        if words::CLAUSES.contains(&word) {
            map(|i| clause(i, word), Line::Clause).parse(start)
        } else {
            map(|i| step::step(i, word), Line::Step).parse(start)
        }
    };
    item(i, read, |span| unread(i, span))
}

/// What stands for a line that could not be read.
fn unread(i: In<'_>, span: Span) -> Line {
    let head = i.word();
    let is_clause = words::CLAUSES.contains(&head);
    let word = Ident { name: Name::new(head), span: i.span() };
    if is_clause {
        Line::Clause(Clause { word, kind: ClauseKind::Error, span })
    } else {
        Line::Step(step::error(i, span))
    }
}

/// The clause that `word`, at `start`, heads.
pub(super) fn clause<'a>(start: In<'a>, word: &str) -> P<'a, Clause> {
    let (i, kind) = clause_kind(start.next(), word)?;
    let word = Ident { name: Name::new(word), span: start.span() };
    Ok((i, Clause { word, kind, span: i.since(start.span()) }))
}

fn clause_kind<'a>(i: In<'a>, word: &str) -> P<'a, ClauseKind> {
    match word {
        "purpose" => map(ident("a purpose such as `marketing`"), ClauseKind::Purpose).parse(i),
        "owner" => map(text("an address in quotes"), ClauseKind::Owner).parse(i),
        "priority" => map(ident("a priority"), ClauseKind::Priority).parse(i),
        "open" => boxed(opening, ClauseKind::Open).parse(i),
        "budget" => map(path("a budget"), ClauseKind::Budget).parse(i),
        "enter" => boxed(enter, ClauseKind::Enter).parse(i),
        "existing" => existing(i),
        "stale" => map((expect_word("after"), duration), |(_, after)| ClauseKind::Stale(after)).parse(i),
        "reviewed" => boxed(sum, ClauseKind::Reviewed).parse(i),
        "reenter" => map(reenter, ClauseKind::Reenter).parse(i),
        "exit" => exit(i),
        "goal" => goal(i),
        "param" => govern::param(i),
        "guardrail" => boxed(expr, ClauseKind::Guardrail).parse(i),
        "holdout" => boxed(sum, ClauseKind::Holdout).parse(i),
        "rollout" => govern::rollout(i),
        "migrate" => govern::migrate(i),
        "product" => map(path("a product"), ClauseKind::Product).parse(i),
        "lane" => map(path("a lane of the policy"), ClauseKind::Lane).parse(i),
        "cap" => boxed(cap, ClauseKind::Cap).parse(i),
        "quiet" => boxed(quiet, ClauseKind::Quiet).parse(i),
        _ => map(duration, ClauseKind::Lasts).parse(i),
    }
}

fn enter(i: In<'_>) -> P<'_, Enter> {
    match i.word() {
        "on" => map(patterns, Enter::On).parse(i.next()),
        "when" => enter_when(i.next()),
        "every" => {
            let (i, (schedule, filter)) = (schedule, optional("where", expr)).parse(i)?;
            Ok((i, Enter::Every { schedule, filter }))
        }
        "by" => enter_by(i.next()),
        _ => missed(i, "`on`, `when`, `every` or `by start`"),
    }
}

/// `preapproved every day at 10:00`
fn enter_when(i: In<'_>) -> P<'_, Enter> {
    let (i, condition) = expr(i)?;
    let (i, schedule) = if i.is_word("every") { map(schedule, Some).parse(i)? } else { (i, None) };
    Ok((i, Enter::When { condition, schedule }))
}

fn enter_by(i: In<'_>) -> P<'_, Enter> {
    match i.word() {
        "start" => Ok((i.next(), Enter::ByStart)),
        "list" => Ok((i.next(), Enter::ByList)),
        _ => missed(i, "`start` or `list`"),
    }
}

fn existing(i: In<'_>) -> P<'_, ClauseKind> {
    match i.word() {
        "include" => Ok((i.next(), ClauseKind::Existing(true))),
        "skip" => Ok((i.next(), ClauseKind::Existing(false))),
        _ => missed(i, "`include` or `skip`"),
    }
}

fn reenter(i: In<'_>) -> P<'_, Reenter> {
    match i.word() {
        "never" => Ok((i.next(), Reenter::Never)),
        "restart" => Ok((i.next(), Reenter::Restart)),
        "after" => map(duration, Reenter::After).parse(i.next()),
        "per" => per(i),
        _ => missed(i, "`never`, `per …`, `after …` or `restart`"),
    }
}

/// `per event.txn per day`
fn per(mut i: In<'_>) -> P<'_, Reenter> {
    let mut units: Vec<Path> = Vec::new();
    while i.is_word("per") {
        let (rest, unit) = path("a unit such as `week` or `event.id`")(i.next())?;
        units.push(unit);
        i = rest;
    }
    Ok((i, Reenter::Per(units)))
}

/// `on patterns` or `when expr`
fn trigger(i: In<'_>) -> P<'_, Trigger> {
    match i.word() {
        "on" => map(patterns, Trigger::On).parse(i.next()),
        "when" => map(expr, Trigger::When).parse(i.next()),
        _ => missed(i, "`on` or `when`"),
    }
}

/// `on complained as complained "投诉" { tag cooling }`
fn exit(i: In<'_>) -> P<'_, ClauseKind> {
    let (i, trigger) = trigger(i)?;
    let (i, alias) = optional("as", ident("a name for the exit")).parse(i)?;
    let (i, label) = if alias.is_some() { label(i)? } else { (i, None) };
    let (i, block) = if i.kind() == TokenKind::LBrace {
        map(steps, |(steps, _)| Some(steps)).parse(i)?
    } else {
        (i, None)
    };
    Ok((i, ClauseKind::Exit(Box::new(Exit { trigger, alias, label, block }))))
}

/// `drawdown "动支" on loan_drawdown within 30 days from first sent`
fn goal(i: In<'_>) -> P<'_, ClauseKind> {
    let (i, (name, label, trigger)) = (ident("a name for the goal"), label, trigger).parse(i)?;
    let (i, (_, within, _, from)) =
        (expect_word("within"), duration, expect_word("from"), anchor).parse(i)?;
    Ok((i, ClauseKind::Goal(Box::new(Goal { name, label, trigger, within, from }))))
}
