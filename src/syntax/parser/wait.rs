//! The four waits.

use nom::Parser;
use nom::combinator::map;

use super::duration::{at_duration, duration};
use super::expr::expr;
use super::input::In;
use super::pattern::{all_awaited, anchor};
use super::primitive::{P, block, item, missed, optional};
use super::report;
use super::tail::{body, optional_else};
use crate::syntax::ast::{Anchor, Body, Dur, Wait, WaitArm};
use crate::syntax::token::TokenKind;

pub(super) fn wait(i: In<'_>) -> P<'_, Wait> {
    match i.word() {
        "until" => until(i.next()),
        "for" => wait_for(i.next()),
        "within" => branches(i.next()),
        _ if at_duration(i) || i.kind() == TokenKind::Int => map(duration, Wait::Pause).parse(i),
        _ => missed(i, "a length of time, `until`, `for` or `within`"),
    }
}

/// `20:00`, `C within D from A else B`
fn until(i: In<'_>) -> P<'_, Wait> {
    let (i, target) = expr(i)?;
    let (i, (within, from, otherwise)) = limits(i)?;
    Ok((i, Wait::Until { target, within, from, otherwise }))
}

/// `E, F within D from A else B`
fn wait_for(i: In<'_>) -> P<'_, Wait> {
    let (i, awaited) = all_awaited(i)?;
    let (i, (within, from, otherwise)) = limits(i)?;
    Ok((i, Wait::For { awaited, within, from, otherwise }))
}

/// `[within D [from A]] [else B]`
fn limits(i: In<'_>) -> P<'_, (Option<Dur>, Option<Anchor>, Option<Body>)> {
    let (i, (within, from)) = (optional("within", duration), optional("from", anchor)).parse(i)?;
    let (i, otherwise) = if i.kind() == TokenKind::LBrace {
        report::without_else(i);
        map(body, Some).parse(i)?
    } else {
        optional_else(i)?
    };
    Ok((i, (within, from, otherwise)))
}

/// An arm of `wait within`.
enum Arm {
    On(WaitArm),
    Timeout(Body),
    Error,
}

/// `D from A { on E body … on timeout body }`
fn branches(i: In<'_>) -> P<'_, Wait> {
    let (i, (within, from)) = (duration, optional("from", anchor)).parse(i)?;
    let (i, (lines, _)) = block(i, arm)?;
    let mut arms = Vec::new();
    let mut timeout = None;
    for line in lines {
        match line {
            Arm::On(arm) => arms.push(arm),
            Arm::Timeout(body) => timeout = Some(body),
            Arm::Error => {}
        }
    }
    Ok((i, Wait::Branches { within, from, arms, timeout }))
}

fn arm(i: In<'_>) -> (In<'_>, Arm) {
    item(i, arm_of, |_| Arm::Error)
}

fn arm_of(i: In<'_>) -> P<'_, Arm> {
    if !i.is_word("on") {
        return missed(i, "`on` and an event, or `on timeout`");
    }
    if i.word2() == "timeout" {
        return map(body, Arm::Timeout).parse(i.next().next());
    }
    let (i, (awaited, body)) = (all_awaited, body).parse(i.next())?;
    Ok((i, Arm::On(WaitArm { awaited, body })))
}
