//! Steps that hold other steps more than once, or one of several: `repeat` and `split`.

use nom::Parser;
use nom::combinator::map;

use super::expr::{expr, range};
use super::input::In;
use super::pattern::{anchor, schedule};
use super::primitive::{P, at_name, block, ends_item, expect_word, ident, item, label, missed, path};
use super::report;
use super::step::{once, steps};
use crate::syntax::ast::{Anchor, Arm, Expr, ExprKind, Missed, Repeat, StepKind};
use crate::syntax::token::TokenKind;

/// What may follow the range of a `repeat`, in any order.
#[derive(Default)]
struct Options {
    from: Option<Anchor>,
    until: Option<Expr>,
    missed: Option<Missed>,
}

/// `week in 1..4 every monday at 10:00 from entered until C missed skip { … }`
pub(super) fn repeat(i: In<'_>) -> P<'_, StepKind> {
    let named = at_name(i) && i.word2() == "in";
    let (i, name) = if named {
        let (i, name) = ident("a name for the number")(i)?;
        (i.next(), Some(name))
    } else {
        (i, None)
    };
    let (i, range) = how_often(i)?;
    let (i, schedule) = if i.is_word("every") { map(schedule, Some).parse(i)? } else { (i, None) };
    let (i, Options { from, until, missed }) = options(i)?;
    let (i, (steps, _)) = steps(i)?;
    Ok((i, StepKind::Repeat(Box::new(Repeat { name, range, schedule, from, until, missed, steps }))))
}

/// `1..4`; where nothing is written, that is reported and the rest is read.
fn how_often(i: In<'_>) -> P<'_, Expr> {
    let absent = ends_item(i.kind())
        || i.kind() == TokenKind::LBrace
        || matches!(i.word(), "every" | "from" | "until" | "missed");
    if !absent {
        return range(i);
    }
    report::missing(i, "how often, such as `1..4`", false);
    Ok((i, Expr { kind: ExprKind::Error, span: i.last_span().after() }))
}

fn options(mut i: In<'_>) -> P<'_, Options> {
    let mut options = Options::default();
    loop {
        i = match i.word() {
            "from" if once(i, options.from.is_none()) => {
                let (i, from) = anchor(i.next())?;
                options.from = Some(from);
                i
            }
            "until" if once(i, options.until.is_none()) => {
                let (i, until) = expr(i.next())?;
                options.until = Some(until);
                i
            }
            "missed" if once(i, options.missed.is_none()) => {
                let (i, what) = missed_ticks(i.next())?;
                options.missed = Some(what);
                i
            }
            _ => return Ok((i, options)),
        };
    }
}

fn missed_ticks(i: In<'_>) -> P<'_, Missed> {
    match i.word() {
        "skip" => Ok((i.next(), Missed::Skip)),
        "all" => Ok((i.next(), Missed::All)),
        _ => missed(i, "`skip` or `all`"),
    }
}

/// `etc_copy { arm short { … } arm story { … } }`
pub(super) fn split(i: In<'_>) -> P<'_, StepKind> {
    let (i, (experiment, (arms, _))) = (path("an experiment"), |i| block(i, arm)).parse(i)?;
    Ok((i, StepKind::Split { experiment, arms: arms.into_iter().flatten().collect() }))
}

fn arm<'a>(start: In<'a>) -> (In<'a>, Option<Arm>) {
    let read = |i: In<'a>| {
        let (i, (_, name, _, (steps, _))) =
            (expect_word("arm"), ident("an arm of the experiment"), label, steps).parse(i)?;
        Ok((i, Some(Arm { name, steps, span: i.since(start.span()) })))
    };
    item(start, read, |_| None)
}
