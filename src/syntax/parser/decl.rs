//! Declarations: one shape for all, `word name(params) "label" of subject = value { items }`, and the small kinds.

use nom::Parser;
use nom::combinator::map;

use super::content::content_item;
use super::duration::duration;
use super::entity::{entity_item, type_ref};
use super::experiment::experiment;
use super::expr::{expr, range};
use super::govern::adjust;
use super::heading::{Heads, heading};
use super::input::In;
use super::journey::journey;
use super::pattern::schedule;
use super::policy::policy_item;
use super::primitive::{
    P, at_name, block, ends_item, expect, expect_word, ident, item, label, list, optional, optional_kind,
    path, series, text,
};
use super::replies::replies_item;
use super::step::steps;
use super::task::task_item;
use super::world::{org_item, product_item, waiver_item};
use super::{report, stages, test, value};
use crate::name::Name;
use crate::syntax::ast::{
    CalendarItem, ChannelItem, ChoiceItem, Decl, DeclKind, Derived, DerivedItem, Dur, Expr, ExprKind, Ident,
    Param, Path, Text,
};
use crate::syntax::token::TokenKind;
use crate::syntax::words;

/// What stands before the `=` or `{` of a declaration.
struct Header {
    name: Option<Ident>,
    params: Vec<Param>,
    label: Option<Text>,
    subject: Option<Path>,
    unit: Option<Path>,
}

/// The declaration headed by `word` (which may be spelled otherwise, and is then reported).
pub(super) fn declaration<'a>(start: In<'a>, word: &str) -> P<'a, Decl> {
    let (i, header) = header(start.next(), word)?;
    let (i, kind) = body(i, word)?;
    let Header { name, params, label, subject, unit } = header;
    let word = Ident { name: Name::new(word), span: start.span() };
    let span = i.since(start.span());
    Ok((i, Decl { word, name, params, label, subject, unit, doc: start.doc(), kind, span }))
}

fn header<'a>(i: In<'a>, word: &str) -> P<'a, Header> {
    let (i, name) = if word == "test" { (i, None) } else { decl_name(i)? };
    let (i, params) = optional_kind(TokenKind::LParen, params).parse(i)?;
    let (i, label) = label(i)?;
    let (i, subject) = subject(i, word)?;
    let (i, unit) = if word == "adjust" { adjusted_unit(i)? } else { (i, None) };
    Ok((i, Header { name, params: params.unwrap_or_default(), label, subject, unit }))
}

/// `in shanghai`
fn adjusted_unit(i: In<'_>) -> P<'_, Option<Path>> {
    map((expect_word("in"), path("a unit of the organisation")), |(_, unit)| Some(unit)).parse(i)
}

/// `of customer`; a lost `of` is reported.
fn subject<'a>(i: In<'a>, word: &str) -> P<'a, Option<Path>> {
    const ABOUT: [&str; 14] = [
        "audience",
        "event",
        "experiment",
        "flow",
        "journey",
        "lottery",
        "metric",
        "points",
        "referral",
        "replies",
        "stages",
        "tag",
        "task",
        "waiver",
    ];
    if at_name(i) && ABOUT.contains(&word) {
        let (i, _) = expect_word("of")(i)?;
        return map(path("what it is about"), Some).parse(i);
    }
    optional("of", path("what it is about")).parse(i)
}

/// The name; where it is missing that is reported, and the rest is read all the same.
fn decl_name(i: In<'_>) -> P<'_, Option<Ident>> {
    if at_name(i) {
        return map(ident("a name"), Some).parse(i);
    }
    report::missing(i, "a name", true);
    // A reserved word or a wrong sign stands where the name belongs: read on behind it.
    let wrong =
        !matches!(i.kind(), TokenKind::LBrace | TokenKind::LParen | TokenKind::Text | TokenKind::Equals);
    let i = if wrong && !i.is_word("of") && !ends_item(i.kind()) { i.next() } else { i };
    Ok((i, None))
}

/// `(zone : zone_kind, who : Audience(customer))`
fn params(i: In<'_>) -> P<'_, Vec<Param>> {
    series(i.next(), param, TokenKind::RParen, "`)`")
}

/// `zone : zone_kind`
pub(super) fn param(i: In<'_>) -> P<'_, Param> {
    let (i, (name, _, ty)) = (ident("a name"), expect(TokenKind::Colon, "`:`"), type_ref).parse(i)?;
    Ok((i, Param { name, ty }))
}

fn body<'a>(i: In<'a>, word: &str) -> P<'a, DeclKind> {
    match word {
        "choice" => items(i, choice_item, |all| DeclKind::Choice(all.into_iter().flatten().collect())),
        "entity" => items(i, entity_item, DeclKind::Entity),
        "extend" => items(i, entity_item, DeclKind::Extend),
        "event" => items(i, entity_item, DeclKind::Event),
        "tag" => tag(i),
        "metric" => map(derived, DeclKind::Metric).parse(i),
        "audience" => map(derived, DeclKind::Audience).parse(i),
        "calendar" => items(i, calendar_item, DeclKind::Calendar),
        "channel" => items(i, channel_item, DeclKind::Channel),
        "content" => items(i, content_item, DeclKind::Content),
        "journey" => journey(i),
        "stages" => stages::stages(i),
        "flow" => flow(i),
        "experiment" => experiment(i),
        "adjust" => adjust(i),
        "table" => stages::table(i),
        "budget" => items(i, value::budget_item, DeclKind::Budget),
        "reward" => items(i, value::reward_item, DeclKind::Reward),
        "points" => items(i, value::points_item, DeclKind::Points),
        "lottery" => items(i, value::lottery_item, DeclKind::Lottery),
        "referral" => items(i, value::referral_item, DeclKind::Referral),
        "task" => items(i, task_item, DeclKind::Task),
        "product" => items(i, product_item, DeclKind::Product),
        "org" => items(i, org_item, DeclKind::Org),
        "policy" => items(i, policy_item, DeclKind::Policy),
        "replies" => items(i, replies_item, DeclKind::Replies),
        "waiver" => items(i, waiver_item, DeclKind::Waiver),
        _ => test::test(i),
    }
}

fn items<'a, T>(
    i: In<'a>,
    one: impl FnMut(In<'a>) -> (In<'a>, T),
    kind: impl Fn(Vec<T>) -> DeclKind,
) -> P<'a, DeclKind> {
    let (i, (items, _)) = block(i, one)?;
    Ok((i, kind(items)))
}

/// Items in braces, if there are any.
fn optional_items<'a, T>(i: In<'a>, one: impl FnMut(In<'a>) -> (In<'a>, T)) -> P<'a, Vec<T>> {
    if i.kind() != TokenKind::LBrace {
        return Ok((i, Vec::new()));
    }
    let (i, (items, _)) = block(i, one)?;
    Ok((i, items))
}

/// `{ steps }`
fn flow(i: In<'_>) -> P<'_, DeclKind> {
    map(steps, |(steps, close)| DeclKind::Flow { steps, close }).parse(i)
}

/// `name "label"`
pub(super) fn choice_item(i: In<'_>) -> (In<'_>, Option<ChoiceItem>) {
    let choice =
        map((ident("a value of the choice"), label), |(name, label)| Some(ChoiceItem { name, label }));
    item(i, choice, |_| None)
}

/// `{ keep 180 days }`
fn tag(i: In<'_>) -> P<'_, DeclKind> {
    let keep = |i| item(i, map((expect_word("keep"), duration), |(_, keep)| Some(keep)), |_| None);
    let (i, keeps): (In<'_>, Vec<Option<Dur>>) = optional_items(i, keep)?;
    Ok((i, DeclKind::Tag { keep: keeps.into_iter().flatten().next() }))
}

/// `= expr { items }`
fn derived(i: In<'_>) -> P<'_, Derived> {
    let (i, _) = expect(TokenKind::Equals, "`=`")(i)?;
    let (i, value) =
        if ends_item(i.kind()) || i.kind() == TokenKind::LBrace { no_value(i)? } else { expr(i)? };
    let (i, items) = optional_items(i, derived_item)?;
    Ok((i, Derived { value, items }))
}

fn no_value(i: In<'_>) -> P<'_, Expr> {
    report::missing(i, "a value", false);
    Ok((i, Expr { kind: ExprKind::Error, span: i.last_span().after() }))
}

fn derived_item<'a>(i: In<'a>) -> (In<'a>, DerivedItem) {
    const HEADS: Heads = Heads { what: "an item of an audience or metric", words: &[words::DERIVED_ITEMS] };
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &HEADS)?;
        let i = start.next();
        match word {
            "priority" => map(ident("a priority"), DerivedItem::Priority).parse(i),
            "size" => map(expr, DerivedItem::Size).parse(i),
            _ => map(schedule, |schedule| DerivedItem::Refresh(Box::new(schedule))).parse(i),
        }
    };
    item(i, read, DerivedItem::Error)
}

fn calendar_item<'a>(i: In<'a>) -> (In<'a>, CalendarItem) {
    const HEADS: Heads = Heads { what: "an item of a calendar", words: &[words::CALENDAR_ITEMS] };
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &HEADS)?;
        let i = start.next();
        match word {
            "file" => map(text("a file in quotes"), CalendarItem::File).parse(i),
            _ => map(range, CalendarItem::Covers).parse(i),
        }
    };
    item(i, read, CalendarItem::Error)
}

fn channel_item<'a>(i: In<'a>) -> (In<'a>, ChannelItem) {
    const HEADS: Heads = Heads { what: "an item of a channel", words: &[words::CHANNEL_ITEMS] };
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &HEADS)?;
        channel_value(start.next(), word)
    };
    item(i, read, ChannelItem::Error)
}

fn channel_value<'a>(i: In<'a>, word: &str) -> P<'a, ChannelItem> {
    match word {
        "kind" => map(ident("a kind of channel"), ChannelItem::Kind).parse(i),
        "surface" => map(ident("a surface"), ChannelItem::Surface).parse(i),
        "party" => map(ident("a party"), ChannelItem::Party).parse(i),
        "cost" => map(expr, ChannelItem::Cost).parse(i),
        "capacity" => map(expr, ChannelItem::Capacity).parse(i),
        "rate" => rate(i),
        "segments" => map(expr, ChannelItem::Segments).parse(i),
        "receipt" => {
            map((expect_word("within"), duration), |(_, within)| ChannelItem::Receipt(within)).parse(i)
        }
        "outcomes" => map(list(ident("an outcome")), ChannelItem::Outcomes).parse(i),
        "addresses" => map(path("an attribute"), ChannelItem::Addresses).parse(i),
        "port" => map(ident("what the port is for"), ChannelItem::Port).parse(i),
        "opt_out" => {
            let ways = list(ident("how somebody leaves"));
            let parts = (expect_word("within"), duration, expect_word("by"), ways);
            map(parts, |(_, within, _, by)| ChannelItem::OptOut { within, by }).parse(i)
        }
        "do_not_call" => {
            map((expect_word("within"), duration), |(_, within)| ChannelItem::DoNotCall(within)).parse(i)
        }
        "region" => {
            let under = optional("under", text("a ground in quotes"));
            map((ident("a country"), under), |(place, under)| ChannelItem::Region { place, under }).parse(i)
        }
        _ => map(text("an address in quotes"), ChannelItem::Owner).parse(i),
    }
}

/// `500 per second`
fn rate(i: In<'_>) -> P<'_, ChannelItem> {
    let (i, (count, _, unit)) = (expr, expect_word("per"), ident("`second` or `minute`")).parse(i)?;
    Ok((i, ChannelItem::Rate { count, unit }))
}
