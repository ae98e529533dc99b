//! What is said about journeys in use: `adjust`, and the clauses `param`, `rollout` and `migrate`.

use nom::Parser;
use nom::combinator::map;

use super::duration::duration;
use super::entity::type_ref;
use super::expr::{expr, range, sum};
use super::heading::{Heads, heading};
use super::input::In;
use super::primitive::{
    P, block, expect, expect_word, ident, item, label, list, missed, optional, path, text,
};
use crate::syntax::ast::{AdjustItem, ClauseKind, DeclKind, MigrateRule, RolloutItem, Tunable};
use crate::syntax::token::TokenKind;
use crate::syntax::words;

const ROLLOUT: Heads = Heads { what: "an item of `rollout`", words: &[words::ROLLOUT_ITEMS] };
const MIGRATE: Heads = Heads { what: "a rule of `migrate`", words: &[words::MIGRATE_ITEMS] };

/// `{ care_amount = 8_000 CNY }`
pub(super) fn adjust(i: In<'_>) -> P<'_, DeclKind> {
    let set = map(
        (ident("a parameter of the journey"), expect(TokenKind::Equals, "`=`"), expr),
        |(name, _, value)| AdjustItem::Set { name, value },
    );
    let mut set = set;
    let (i, (items, _)) = block(i, |i| item(i, |i| set.parse(i), AdjustItem::Error))?;
    Ok((i, DeclKind::Adjust(items)))
}

/// `care_amount "关怀门槛" : Money(CNY) = 5_000 CNY in 1_000 CNY..50_000 CNY`
pub(super) fn param(i: In<'_>) -> P<'_, ClauseKind> {
    let (i, (name, label, _, ty)) =
        (ident("a name for the parameter"), label, expect(TokenKind::Colon, "`:`"), type_ref).parse(i)?;
    // Not any expression: that would eat the `in`.
    let (i, (_, value)) = (expect(TokenKind::Equals, "`=`"), sum).parse(i)?;
    let (i, range) = optional("in", range).parse(i)?;
    Ok((i, ClauseKind::Param(Box::new(Tunable { name, label, ty, value, range }))))
}

/// `5%, 20%, 100% { hold 3 days; gate click_rate > 3%; alert "…" }`
pub(super) fn rollout(i: In<'_>) -> P<'_, ClauseKind> {
    let (i, shares) = list(sum).parse(i)?;
    let (i, (items, _)) =
        if i.kind() == TokenKind::LBrace { block(i, rollout_item)? } else { (i, (Vec::new(), i.span())) };
    Ok((i, ClauseKind::Rollout { shares, items }))
}

fn rollout_item<'a>(i: In<'a>) -> (In<'a>, RolloutItem) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &ROLLOUT)?;
        let i = start.next();
        match word {
            "hold" => map(duration, RolloutItem::Hold).parse(i),
            "gate" => map(expr, RolloutItem::Gate).parse(i),
            _ => map(text("an address in quotes"), RolloutItem::Alert).parse(i),
        }
    };
    item(i, read, RolloutItem::Error)
}

/// `"v-3f9a12" { move a.b to a.c; gone d to end completed; retime e recompute }`
pub(super) fn migrate(i: In<'_>) -> P<'_, ClauseKind> {
    let (i, (from, (rules, _))) = (text("the version in quotes"), |i| block(i, migrate_rule)).parse(i)?;
    Ok((i, ClauseKind::Migrate { from, rules }))
}

fn migrate_rule<'a>(i: In<'a>) -> (In<'a>, MigrateRule) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &MIGRATE)?;
        let (i, step) = path("a step")(start.next())?;
        match word {
            "retime" => retime(i, step),
            "gone" => {
                let (i, (_, _, end)) = (expect_word("to"), expect_word("end"), ident("an end")).parse(i)?;
                Ok((i, MigrateRule::End { step, end }))
            }
            _ => moved(i, &step),
        }
    };
    item(i, read, MigrateRule::Error)
}

/// `to a.c`, `to end completed`
fn moved<'a>(i: In<'a>, step: &crate::syntax::ast::Path) -> P<'a, MigrateRule> {
    let (i, _) = expect_word("to")(i)?;
    if i.is_word("end") {
        return map(ident("an end"), |end| MigrateRule::End { step: step.clone(), end }).parse(i.next());
    }
    map(path("a step"), |to| MigrateRule::Move { step: step.clone(), to }).parse(i)
}

fn retime(i: In<'_>, step: crate::syntax::ast::Path) -> P<'_, MigrateRule> {
    match i.word() {
        "recompute" => Ok((i.next(), MigrateRule::Retime { step, recompute: true })),
        "hold" => Ok((i.next(), MigrateRule::Retime { step, recompute: false })),
        _ => missed(i, "`recompute` or `hold`"),
    }
}
