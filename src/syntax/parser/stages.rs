//! `stages` and `table`: rows of which the first that holds counts.

use nom::Parser;
use nom::combinator::map;

use super::choose::case_pattern;
use super::entity::type_ref;
use super::expr::expr;
use super::input::In;
use super::primitive::{P, block, expect, expect_word, ident, item, label, list};
use crate::syntax::ast::{DeclKind, StageItem, TableRow};
use crate::syntax::token::TokenKind;

/// `ranked { rows }`
pub(super) fn stages(i: In<'_>) -> P<'_, DeclKind> {
    let ranked = i.is_word("ranked");
    let i = if ranked { i.next() } else { i };
    let (i, (rows, _)) = block(i, stage)?;
    Ok((i, DeclKind::Stages { ranked, rows }))
}

fn stage(i: In<'_>) -> (In<'_>, StageItem) {
    item(i, stage_of, StageItem::Error)
}

/// `dormant "休眠" if no login during last 90 days`, `else growing "成长"`
fn stage_of(i: In<'_>) -> P<'_, StageItem> {
    if i.is_word("else") {
        let (i, (name, label)) = (ident("a name for the stage"), label).parse(i.next())?;
        return Ok((i, StageItem::Else { name, label }));
    }
    let (i, (name, label, _, condition)) = (ident("a stage"), label, expect_word("if"), expr).parse(i)?;
    Ok((i, StageItem::If { name, label, condition }))
}

/// `-> type { rows }`
pub(super) fn table(i: In<'_>) -> P<'_, DeclKind> {
    let (i, _) = expect(TokenKind::Arrow, "`->`")(i)?;
    let (i, returns) =
        if i.kind() == TokenKind::LBrace { (i, None) } else { map(type_ref, Some).parse(i)? };
    let (i, (rows, _)) = block(i, |i| item(i, map(row, Some), |_| None))?;
    Ok((i, DeclKind::Table { returns, rows: rows.into_iter().flatten().collect() }))
}

/// `at_risk, platinum => private_care`
fn row(start: In<'_>) -> P<'_, TableRow> {
    let (i, (patterns, _, value)) =
        (list(case_pattern), expect(TokenKind::FatArrow, "`=>`"), expr).parse(start)?;
    Ok((i, TableRow { patterns, value, span: i.since(start.span()) }))
}
