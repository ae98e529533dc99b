//! Items of entities and events: fields and their types, anchors, sources.

use nom::Parser;
use nom::combinator::map;

use super::duration::{count, duration};
use super::expr::expr;
use super::heading::suggestion;
use super::input::In;
use super::pattern::schedule;
use super::primitive::{
    P, expect, expect_word, ident, item, label, list, missed, nested, optional, optional_kind, path, series,
};
use super::report;
use crate::diagnostic::{Diagnostic, Fix, code};
use crate::syntax::ast::{EntityItem, Field, Roll, TypeKind, TypeRef};
use crate::syntax::token::TokenKind;
use crate::text::Span;

/// One item. A word of an item is a field when a `:` or a label follows: `source : Text`.
pub(super) fn entity_item(i: In<'_>) -> (In<'_>, EntityItem) {
    item(i, entity_item_of, EntityItem::Error)
}

fn entity_item_of(i: In<'_>) -> P<'_, EntityItem> {
    if matches!(i.kind2(), TokenKind::Colon | TokenKind::Text) {
        return map(|i| field(i, false), EntityItem::Field).parse(i);
    }
    match item_word(i) {
        "key" => map(|i| field(i, true), EntityItem::Field).parse(i.next()),
        "anchor" => anchor(i.next()),
        "calendar" => map(path("a calendar"), EntityItem::Calendar).parse(i.next()),
        "region" => map(ident("a country"), EntityItem::Region).parse(i.next()),
        "source" => map(ident("a source"), EntityItem::Source).parse(i.next()),
        "captures" => captures(i, i.next()),
        "late" => map(duration, EntityItem::Late).parse(i.next()),
        _ => map(|i| field(i, false), EntityItem::Field).parse(i),
    }
}

/// `push, sms ticked required`
fn captures<'a>(start: In<'a>, i: In<'a>) -> P<'a, EntityItem> {
    let (mut i, channels) = list(path("a channel")).parse(i)?;
    let (mut ticked, mut required) = (None, None);
    loop {
        let said = match i.word() {
            "ticked" => &mut ticked,
            "required" => &mut required,
            _ => break,
        };
        *said = Some(i.span());
        i = i.next();
    }
    Ok((i, EntityItem::Captures { channels, ticked, required, span: i.since(start.span()) }))
}

/// The word that heads the item, corrected if it is plainly misspelt: `souce core_banking`.
fn item_word(i: In<'_>) -> &str {
    let word = i.word();
    if i.kind2() != TokenKind::Name || ITEMS.contains(&word) {
        return word;
    }
    let Some(meant) = suggestion(word, ITEMS.into_iter()) else { return word };
    say_misspelt(i, "an item here", meant);
    meant
}

/// Words that head an item which is no field.
const ITEMS: [&str; 7] = ["key", "anchor", "calendar", "captures", "region", "source", "late"];

/// `name ["label"] : type [daily] [class C] [for P, Q] [= expr]`
fn field<'a>(i: In<'a>, key: bool) -> P<'a, Field> {
    let (i, (name, label, _, ty)) = (ident("a field"), label, colon, type_ref).parse(i)?;
    let meant = if i.is_word("daily") { Some("daily") } else { misspelt_modifier(i) };
    let daily = meant == Some("daily");
    let i = if daily { i.next() } else { i };
    let (i, class) = optional("class", path("a data class")).parse(i)?;
    let (i, purposes) = optional("for", list(ident("a purpose"))).parse(i)?;
    let (i, value) = optional_kind(TokenKind::Equals, |i: In<'a>| expr(i.next())).parse(i)?;
    misspelt_modifier(i);
    let purposes = purposes.unwrap_or_default();
    Ok((i, Field { key, name, label, ty, daily, class, purposes, value }))
}

/// `:`, for which a `=` is taken.
fn colon(i: In<'_>) -> P<'_, Span> {
    if i.kind() != TokenKind::Equals {
        return expect(TokenKind::Colon, "`:`")(i);
    }
    let finding = Diagnostic::new(code::UNEXPECTED, i.span(), "a type stands behind `:`, not behind `=`")
        .label("`:` belongs here")
        .fix("write `:`", i.span(), ":");
    report::at(i, finding.help("write `:` instead of `=`"));
    Ok((i.next(), i.span()))
}

/// `dayly`: what stands behind a complete field is most likely a misspelt modifier.
fn misspelt_modifier(i: In<'_>) -> Option<&'static str> {
    let known = ["daily", "class"];
    let meant = suggestion(i.word(), known.into_iter()).filter(|_| !known.contains(&i.word()))?;
    say_misspelt(i, "part of a field", meant);
    Some(meant)
}

fn say_misspelt(i: In<'_>, what: &str, meant: &'static str) {
    let finding = Diagnostic::new(code::UNKNOWN_WORD, i.span(), format!("`{}` is not {what}", i.word()))
        .help(format!("did you mean `{meant}`?"))
        .with_fix(Fix::suggested(format!("write `{meant}`")).replace(i.span(), meant));
    report::at(i, finding);
}

/// `payday "代发日" every month on day pay_day roll back`
fn anchor(i: In<'_>) -> P<'_, EntityItem> {
    let (i, (name, label, schedule)) = (ident("a name"), label, schedule).parse(i)?;
    let (i, roll) = optional("roll", roll).parse(i)?;
    Ok((i, EntityItem::Anchor { name, label, schedule, roll }))
}

fn roll(i: In<'_>) -> P<'_, Roll> {
    match i.word() {
        "back" => Ok((i.next(), Roll::Back)),
        "forward" => Ok((i.next(), Roll::Forward)),
        _ => missed(i, "`back` or `forward`"),
    }
}

/// `Money(CNY)`, `[customer]`, `one of [a, b]`, each with `?` if it may be missing.
pub(super) fn type_ref(start: In<'_>) -> P<'_, TypeRef> {
    let (i, kind) = match start.kind() {
        TokenKind::LBracket => nested(start, list_type)?,
        _ if start.is_word("one") && start.word2() == "of" => one_of(start)?,
        _ => named_type(start)?,
    };
    let optional = i.kind() == TokenKind::Question;
    let i = if optional { i.next() } else { i };
    Ok((i, TypeRef { kind, optional, span: i.since(start.span()) }))
}

/// `[customer]`
fn list_type(i: In<'_>) -> P<'_, TypeKind> {
    let (i, (element, _)) = (type_ref, expect(TokenKind::RBracket, "`]`")).parse(i.next())?;
    Ok((i, TypeKind::List(Box::new(element))))
}

/// `one of [positive, neutral, negative]`
fn one_of(i: In<'_>) -> P<'_, TypeKind> {
    let (i, (_, _, _)) =
        (expect_word("one"), expect_word("of"), expect(TokenKind::LBracket, "`[`")).parse(i)?;
    let (i, names) = series(i, ident("a value"), TokenKind::RBracket, "`]`")?;
    Ok((i, TypeKind::OneOf(names)))
}

/// `Text`, `Text(20)`, `Audience(customer)`
fn named_type(i: In<'_>) -> P<'_, TypeKind> {
    let (i, name) = ident("a type")(i)?;
    if i.kind() == TokenKind::LParen && i.kind2() == TokenKind::Int {
        let most = count(i.next());
        let (i, _) = expect(TokenKind::RParen, "`)`")(i.next().next())?;
        return Ok((i, TypeKind::Sized { name, most }));
    }
    let (i, args) = if i.kind() == TokenKind::LParen {
        series(i.next(), ident("a name"), TokenKind::RParen, "`)`")?
    } else {
        (i, Vec::new())
    };
    Ok((i, TypeKind::Named { name, args }))
}
