//! The ladder: one message, channel after channel, until somebody answers.

use nom::Parser;
use nom::combinator::map;

use super::duration::duration;
use super::input::In;
use super::operand::call;
use super::pattern::all_awaited;
use super::primitive::{P, block, expect_word, ident, item, missed, optional, path};
use super::report;
use super::step::steps;
use super::tail::{body, optional_else, step_id};
use crate::syntax::ast::{Body, Path, Reach, Rung, StepId, StepKind};
use crate::syntax::token::TokenKind;

/// A line of the ladder.
enum Line {
    Rung(Rung),
    NotSent(Body),
    Error,
}

/// `reach first_loan as offer prefer best_channel { via … on not_sent … } else …`
pub(super) fn reach(i: In<'_>) -> P<'_, StepKind> {
    let (i, content) = call("a content")(i)?;
    let (i, (id, prefer)) = options(i)?;
    let (i, (lines, _)) = block(i, line)?;
    let (i, otherwise) = optional_else(i)?;
    let otherwise = otherwise.unwrap_or_else(|| {
        report::missing(i, "`else` and what happens when nobody answers", false);
        Body::Error(i.last_span().after())
    });
    let mut rungs = Vec::new();
    let mut not_sent = None;
    for line in lines {
        match line {
            Line::Rung(rung) => rungs.push(rung),
            Line::NotSent(body) => not_sent = Some(body),
            Line::Error => {}
        }
    }
    Ok((i, StepKind::Reach(Box::new(Reach { content, id, prefer, rungs, not_sent, otherwise }))))
}

/// `as …` and `prefer …`, in any order.
fn options(mut i: In<'_>) -> P<'_, (StepId, Option<Path>)> {
    let (mut id, mut prefer) = (StepId::default(), None);
    loop {
        match i.word() {
            "as" if id.alias.is_none() => (i, id) = step_id(i)?,
            "prefer" if prefer.is_none() => (i, prefer) = map(path("a metric"), Some).parse(i.next())?,
            _ => return Ok((i, (id, prefer))),
        }
    }
}

fn line(i: In<'_>) -> (In<'_>, Line) {
    item(i, line_of, |_| Line::Error)
}

fn line_of(i: In<'_>) -> P<'_, Line> {
    match i.word() {
        "via" => map(|rest| rung(i, rest), Line::Rung).parse(i.next()),
        "on" => map((expect_word("not_sent"), body), |(_, body)| Line::NotSent(body)).parse(i.next()),
        _ => missed(i, "`via` and a channel, or `on not_sent`"),
    }
}

/// `push with first_loan_again for opened within 2 days { tag … }`
fn rung<'a>(start: In<'a>, i: In<'a>) -> P<'a, Rung> {
    let (i, (channel, with)) = (ident("a channel"), optional("with", call("a content"))).parse(i)?;
    let (i, (_, awaited, _, within)) =
        (expect_word("for"), all_awaited, expect_word("within"), duration).parse(i)?;
    let (i, success) = if i.kind() == TokenKind::LBrace {
        map(steps, |(steps, _)| steps).parse(i)?
    } else {
        (i, Vec::new())
    };
    Ok((i, Rung { channel, with, awaited, within, success, span: i.since(start.span()) }))
}
