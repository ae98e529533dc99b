//! What happens, which of it counts, and when: occurrences, patterns, windows, schedules.

use nom::Parser;
use nom::combinator::map;

use super::duration::{at_duration, duration};
use super::expr::{expr, moment, range, sum};
use super::input::In;
use super::operand;
use super::primitive::{P, at_name, expect_word, head, ident, list, missed, nested, optional, path};
use super::report;
use crate::syntax::ast::{
    Anchor, Every, Occurrence, OccurrenceKind, Pattern, Schedule, ScheduleOn, Window, Without,
};
use crate::syntax::token::TokenKind;

/// `[first] (change of path | moment)`
pub(super) fn occurrence(start: In<'_>) -> P<'_, Occurrence> {
    let first = start.is_word("first") && at_name(start.next());
    let i = if first { start.next() } else { start };
    let (i, kind) = if is_change(i.word()) && i.word2() == "of" {
        change(i)?
    } else {
        map(moment, OccurrenceKind::Expr).parse(i)?
    };
    Ok((i, Occurrence { first, kind, span: i.since(start.span()) }))
}

fn is_change(word: &str) -> bool {
    matches!(word, "change" | "rise" | "drop" | "close")
}

/// `drop of tier`
fn change(i: In<'_>) -> P<'_, OccurrenceKind> {
    let (i, verb) = head(i)?;
    map(path("an attribute"), |of| OccurrenceKind::Change { verb, of }).parse(i.next())
}

/// The moment a window or deadline counts from.
pub(super) fn anchor(i: In<'_>) -> P<'_, Anchor> {
    occurrence(i)
}

/// `occ [where expr] [without pattern within dur]`
pub(super) fn pattern(i: In<'_>) -> P<'_, Pattern> {
    conditions(i, false)
}

/// A pattern that may be named: `salary_received as pay where …`.
pub(super) fn awaited(i: In<'_>) -> P<'_, Pattern> {
    conditions(i, true)
}

pub(super) fn patterns(i: In<'_>) -> P<'_, Vec<Pattern>> {
    list(pattern).parse(i)
}

pub(super) fn all_awaited(i: In<'_>) -> P<'_, Vec<Pattern>> {
    list(awaited).parse(i)
}

fn conditions(start: In<'_>, may_be_named: bool) -> P<'_, Pattern> {
    let (i, occurrence) = occurrence(start)?;
    let (i, alias) =
        if may_be_named { optional("as", ident("a name for the event")).parse(i)? } else { (i, None) };
    let (i, filter) = optional("where", expr.map(Box::new)).parse(i)?;
    let (i, without) = optional("without", without.map(Box::new)).parse(i)?;
    Ok((i, Pattern { occurrence, alias, filter, without, span: i.since(start.span()) }))
}

/// `F within D`
fn without(i: In<'_>) -> P<'_, Without> {
    let (i, (pattern, _, within)) = (|i| nested(i, pattern), expect_word("within"), duration).parse(i)?;
    Ok((i, Without { pattern, within }))
}

/// `during …`, `since …`, `ever`
pub(super) fn optional_window(i: In<'_>) -> P<'_, Option<Window>> {
    match i.word() {
        "ever" => Ok((i.next(), Some(Window::Ever))),
        "since" => map(anchor, |anchor| Some(Window::Since(Box::new(anchor)))).parse(i.next()),
        "during" => map(during, Some).parse(i.next()),
        _ if at_misnamed_window(i) => {
            report::misnamed_window(i);
            map(during, Some).parse(i.next())
        }
        _ => Ok((i, None)),
    }
}

/// `in last 30 days`, `within last 30 days`: no list and no deadline, so a window with another word before it.
pub(super) fn at_misnamed_window(i: In<'_>) -> bool {
    matches!(i.word(), "in" | "within" | "over" | "for")
        && i.word2() == "last"
        && at_duration(i.next().next())
}

/// `last 90 days`, `last month`, `2026-12-01..2026-12-31`
fn during(i: In<'_>) -> P<'_, Window> {
    if i.is_word("last") && at_duration(i.next()) {
        return map(duration, Window::Last).parse(i.next());
    }
    map(range, |span| Window::Span(Box::new(span))).parse(i)
}

/// `every friday at 10:00 during …`, `every friday 10:00..12:00`
pub(super) fn schedule(start: In<'_>) -> P<'_, Schedule> {
    let (i, _) = expect_word("every")(start)?;
    let (i, every) = every(i)?;
    let (i, on) = optional("on", schedule_on).parse(i)?;
    let (i, at) = optional("at", list(map(operand::time, |(time, _)| time))).parse(i)?;
    let (i, hours) = if i.kind() == TokenKind::Time { map(range, Some).parse(i)? } else { (i, None) };
    let (i, during) = optional("during", range).parse(i)?;
    Ok((i, Schedule { every, on, at: at.unwrap_or_default(), hours, during, span: i.since(start.span()) }))
}

fn every(i: In<'_>) -> P<'_, Every> {
    match i.kind() {
        TokenKind::Glued | TokenKind::Int => map(duration, Every::Dur).parse(i),
        _ => {
            map(list(ident("`day`, `workday`, `week`, `month`, `year` or a weekday")), Every::Units).parse(i)
        }
    }
}

/// `day 3`, `last friday`, `birthday`
fn schedule_on(i: In<'_>) -> P<'_, ScheduleOn> {
    match i.word() {
        "day" => map(sum, ScheduleOn::Day).parse(i.next()),
        "last" if at_name(i.next()) => map(ident("a weekday"), ScheduleOn::Last).parse(i.next()),
        _ if at_name(i) => map(path("a date"), ScheduleOn::Path).parse(i),
        _ => missed(i, "`day 3`, `last friday` or a date"),
    }
}
