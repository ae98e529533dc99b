//! What happens next when it can turn out otherwise: bodies and the one outcome tail of every verb.

use nom::Parser;
use nom::combinator::map;

use super::input::In;
use super::primitive::{P, block, ident, item, label, list, missed, optional};
use super::step::steps;
use crate::syntax::ast::{Body, OutcomeArm, StepId, Tail};
use crate::syntax::token::TokenKind;

/// `{ … }`, `end NAME` or `continue`
pub(super) fn body(start: In<'_>) -> P<'_, Body> {
    match start.word() {
        "end" => {
            let (i, (name, label)) = (ident("a name for the end"), label).parse(start.next())?;
            Ok((i, Body::End { name, label, span: i.since(start.span()) }))
        }
        "continue" => Ok((start.next(), Body::Continue(start.span()))),
        _ if start.kind() == TokenKind::LBrace => {
            let (i, (steps, _)) = steps(start)?;
            Ok((i, Body::Block(steps, i.since(start.span()))))
        }
        _ => missed(start, "`{`, `end` or `continue`"),
    }
}

/// `else body`, if there is one.
pub(super) fn optional_else(i: In<'_>) -> P<'_, Option<Body>> {
    optional("else", body).parse(i)
}

/// `{ on OUTCOME, … body … } else body`, both parts optional.
pub(super) fn optional_tail(i: In<'_>) -> P<'_, Tail> {
    let (i, arms) =
        if i.kind() == TokenKind::LBrace { block(i, outcome_arm)? } else { (i, (Vec::new(), i.span())) };
    let (i, otherwise) = optional_else(i)?;
    Ok((i, Tail { outcomes: arms.0.into_iter().flatten().collect(), otherwise }))
}

/// `on no_consent, failed body`
fn outcome_arm(i: In<'_>) -> (In<'_>, Option<OutcomeArm>) {
    item(i, map(outcome_arm_of, Some), |_| None)
}

fn outcome_arm_of(i: In<'_>) -> P<'_, OutcomeArm> {
    if !i.is_word("on") {
        return missed(i, "`on` and an outcome");
    }
    let (i, (outcomes, body)) = (list(ident("an outcome")), body).parse(i.next())?;
    Ok((i, OutcomeArm { outcomes, body }))
}

/// `as nudge was reminder "提醒"`
pub(super) fn step_id(i: In<'_>) -> P<'_, StepId> {
    let (i, alias) = optional("as", ident("a name for the step")).parse(i)?;
    let (i, was) = optional("was", ident("the name it had before")).parse(i)?;
    let (i, label) = label(i)?;
    Ok((i, StepId { alias, was, label }))
}
