//! Tests: what is given, what happens, what is expected.

use nom::Parser;
use nom::combinator::map;

use super::duration::{count, duration};
use super::expr::{expr, moment};
use super::heading::{Heads, heading};
use super::input::In;
use super::operand::call;
use super::pattern::{anchor, optional_window};
use super::primitive::{P, at_name, block, expect as expect_sign, head, ident, item, optional, path};
use crate::name::Name;
use crate::syntax::ast::{DeclKind, Expect, Given, GivenField, Ident, TestItem, TestKind};
use crate::syntax::token::TokenKind;
use crate::syntax::words;

const HEADS: Heads = Heads { what: "a line of a test", words: &[words::TEST_ITEMS] };

/// `{ items }`
pub(super) fn test(i: In<'_>) -> P<'_, DeclKind> {
    i.cx.in_test.set(true);
    let read = block(i, test_item);
    i.cx.in_test.set(false);
    let (i, (items, _)) = read?;
    Ok((i, DeclKind::Test(items)))
}

fn test_item<'a>(i: In<'a>) -> (In<'a>, TestItem) {
    let word = |word: &str| Ident { name: Name::new(word), span: i.span() };
    let read = |start: In<'a>| {
        let (_, head) = heading(start, &HEADS)?;
        let (rest, kind) = kind(start.next(), head)?;
        Ok((rest, TestItem { word: word(head), kind, span: rest.since(start.span()) }))
    };
    item(i, read, |span| TestItem { word: word(i.word()), kind: TestKind::Error, span })
}

fn kind<'a>(i: In<'a>, word: &str) -> P<'a, TestKind> {
    match word {
        "given" => given(i),
        "clock" => map(moment, TestKind::Clock).parse(i),
        "advance" if i.is_word("to") => map(moment, TestKind::AdvanceTo).parse(i.next()),
        "advance" => map(duration, TestKind::Advance).parse(i),
        "happen" => happen(i),
        "expect" => expect(i),
        _ => map((ident("a channel"), duration), |(channel, dur)| TestKind::Outage { channel, dur }).parse(i),
    }
}

/// `customer li { … }`, `any customer where …`, `8_000 customers { … }`
fn given(i: In<'_>) -> P<'_, TestKind> {
    let (i, (who, filter)) = (who, optional("where", expr)).parse(i)?;
    let (i, fields) = if i.kind() == TokenKind::LBrace {
        map(|i| block(i, given_field), |(fields, _)| fields).parse(i)?
    } else {
        (i, Vec::new())
    };
    Ok((i, TestKind::Given { who, filter, fields: fields.into_iter().flatten().collect() }))
}

fn who(i: In<'_>) -> P<'_, Given> {
    if i.is_word("any") {
        return map(ident("an entity"), Given::Any).parse(i.next());
    }
    if i.kind() == TokenKind::Int {
        let many = u32::try_from(count(i)).unwrap_or(u32::MAX);
        return map(ident("an entity"), |entity| Given::Many(many, entity)).parse(i.next());
    }
    let (i, entity) = ident("an entity such as `customer`")(i)?;
    let (i, name) = if at_name(i) { map(ident("a name"), Some).parse(i)? } else { (i, None) };
    Ok((i, Given::One(entity, name)))
}

/// `aum = 20_000 CNY during 2026-12-01..2026-12-31`
fn given_field(i: In<'_>) -> (In<'_>, Option<GivenField>) {
    let read = |i| {
        let (i, (path, _)) = (path("an attribute"), expect_sign(TokenKind::Equals, "`=`")).parse(i)?;
        let (i, (value, window)) = (expr, optional_window).parse(i)?;
        Ok((i, Some(GivenField { path, value, window })))
    };
    item(i, read, |_| None)
}

/// `clicked(offer) by all at 11min before now`
fn happen(i: In<'_>) -> P<'_, TestKind> {
    let is_change = matches!(i.word(), "change" | "rise" | "drop" | "close") && i.word2() == "of";
    let (i, change) = if is_change { map(head, Some).parse(i)? } else { (i, None) };
    let i = if is_change { i.next() } else { i };
    let (i, event) = call("an event")(i)?;
    let (i, (by, at)) = (optional("by", ident("a name or `all`")), optional("at", moment)).parse(i)?;
    Ok((i, TestKind::Happen { change, event, by, at }))
}

/// `always no sent(offer) since loan_drawdown`
fn expect(i: In<'_>) -> P<'_, TestKind> {
    let (i, mode) = match i.word() {
        "always" => (i.next(), Expect::Always),
        "eventually" => (i.next(), Expect::Eventually),
        _ => (i, Expect::Now),
    };
    let (i, value) = expr(i)?;
    let (i, (within, from)) = (optional("within", duration), optional("from", anchor)).parse(i)?;
    Ok((i, TestKind::Expect { mode, value, within, from }))
}
