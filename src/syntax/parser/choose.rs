//! Choices: `if` and `match`.

use nom::Parser;
use nom::combinator::map;

use super::expr::{expr, range, sum};
use super::input::In;
use super::primitive::{P, block, item, list, missed};
use super::step::steps;
use super::tail::body;
use crate::syntax::ast::{BinaryOp, Body, Case, CasePattern, StepKind};
use crate::syntax::token::TokenKind;

/// `c { } else if d { } else { }`, behind the first `if`
pub(super) fn choice(i: In<'_>) -> P<'_, StepKind> {
    let (mut i, (condition, (block, _))) = (expr, steps).parse(i)?;
    let mut arms = vec![(condition, block)];
    while i.is_word("else") {
        if i.word2() != "if" {
            let (i, (otherwise, _)) = steps(i.next())?;
            return Ok((i, StepKind::If { arms, otherwise: Some(otherwise) }));
        }
        let (rest, (condition, (block, _))) = (expr, steps).parse(i.next().next())?;
        arms.push((condition, block));
        i = rest;
    }
    Ok((i, StepKind::If { arms, otherwise: None }))
}

/// A row of `match`.
enum Row {
    Case(Case),
    Else(Body),
    Error,
}

/// `gain { case >= 500_000 CNY body … else body }`
pub(super) fn cases(i: In<'_>) -> P<'_, StepKind> {
    let (i, (subjects, (rows, _))) = (list(expr), |i| block(i, row)).parse(i)?;
    let mut cases = Vec::new();
    let mut otherwise = None;
    for row in rows {
        match row {
            Row::Case(case) => cases.push(case),
            Row::Else(body) => otherwise = Some(body),
            Row::Error => {}
        }
    }
    Ok((i, StepKind::Match { subjects, cases, otherwise }))
}

fn row(i: In<'_>) -> (In<'_>, Row) {
    item(i, row_of, |_| Row::Error)
}

fn row_of(i: In<'_>) -> P<'_, Row> {
    match i.word() {
        "case" => {
            let (i, (patterns, body)) = (list(case_pattern), body).parse(i.next())?;
            Ok((i, Row::Case(Case { patterns, body })))
        }
        "else" => map(body, Row::Else).parse(i.next()),
        _ => missed(i, "`case` or `else`"),
    }
}

/// `_`, `>= 50_000 CNY`, `gold | platinum`, `18..35`
pub(super) fn case_pattern(i: In<'_>) -> P<'_, CasePattern> {
    let compare = |op| map(sum, move |value| CasePattern::Compare { op, value }).parse(i.next());
    match i.kind() {
        TokenKind::Less => compare(BinaryOp::Less),
        TokenKind::LessEq => compare(BinaryOp::LessEq),
        TokenKind::Greater => compare(BinaryOp::Greater),
        TokenKind::GreaterEq => compare(BinaryOp::GreaterEq),
        _ if i.is_word("_") => Ok((i.next(), CasePattern::Any(i.span()))),
        _ => one_of(i),
    }
}

fn one_of(i: In<'_>) -> P<'_, CasePattern> {
    let (mut i, first) = range(i)?;
    let mut values = vec![first];
    while i.kind() == TokenKind::Pipe {
        let (rest, value) = range(i.next())?;
        values.push(value);
        i = rest;
    }
    Ok((i, CasePattern::OneOf(values)))
}
