//! A policy, and the two of its items that a journey may repeat more tightly: `cap` and `quiet`.

use nom::Parser;
use nom::combinator::map;

use super::duration::duration;
use super::expr::{expr, range};
use super::heading::{Heads, heading};
use super::input::In;
use super::primitive::{P, block, expect_word, ident, item, label, list, missed, optional, path, text};
use super::rate::rate;
use crate::syntax::ast::{Cap, Dur, Loser, Over, Path, PolicyItem, Quiet, Rate};
use crate::syntax::token::TokenKind;
use crate::syntax::words;

const ITEMS: Heads = Heads { what: "an item of a policy", words: &[words::POLICY_ITEMS] };

pub(super) fn policy_item<'a>(i: In<'a>) -> (In<'a>, PolicyItem) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &ITEMS)?;
        policy_item_of(start.next(), word)
    };
    item(i, read, PolicyItem::Error)
}

fn policy_item_of<'a>(i: In<'a>, word: &str) -> P<'a, PolicyItem> {
    match word {
        "owner" => map(text("an address in quotes"), PolicyItem::Owner).parse(i),
        "pack" => map(text("a rule pack in quotes"), PolicyItem::Pack).parse(i),
        "consent" => {
            let (i, (purpose, _, per)) =
                (ident("a purpose"), expect_word("per"), ident("`channel`")).parse(i)?;
            Ok((i, PolicyItem::Consent { purpose, per }))
        }
        "suppress" => suppress(i),
        "quiet" => map(quiet, PolicyItem::Quiet).parse(i),
        "cap" => map(cap, PolicyItem::Cap).parse(i),
        "order" => map(list(ident("a priority")), PolicyItem::Order).parse(i),
        "lane" => lane(i),
        "never" => {
            let events = || list(path("an event"));
            let parts =
                (ident("a purpose or channel"), expect_word("after"), events(), optional("until", events()));
            map(parts, |(what, _, after, until)| {
                let until = until.unwrap_or_default();
                PolicyItem::Never { what, after, until }
            })
            .parse(i)
        }
        "review" => map((expect_word("every"), duration), |(_, every)| PolicyItem::Review(every)).parse(i),
        "forbid" => {
            map((expect_word("words"), text("a file in quotes")), |(_, file)| PolicyItem::ForbidWords(file))
                .parse(i)
        }
        _ => {
            let (i, (what, _, by)) =
                (ident("what is approved"), expect_word("by"), list(ident("who approves"))).parse(i)?;
            Ok((i, PolicyItem::Approve { what, by }))
        }
    }
}

/// `marketing if cooling`, `if deceased`
fn suppress(i: In<'_>) -> P<'_, PolicyItem> {
    let (i, purpose) = if i.is_word("if") { (i, None) } else { map(ident("a purpose"), Some).parse(i)? };
    map((expect_word("if"), expr), move |(_, condition)| PolicyItem::Suppress { purpose, condition }).parse(i)
}

/// `sms 2 per customer per rolling 7 days { over next_channel }`
pub(super) fn cap(i: In<'_>) -> P<'_, Cap> {
    let (i, (name, rate)) = (ident("a channel or purpose"), rate).parse(i)?;
    if i.kind() != TokenKind::LBrace {
        return Ok((i, Cap { name, rate, over: None }));
    }
    let over = |i| item(i, map((expect_word("over"), over), |(_, over)| Some(over)), |_| None);
    let (i, (overs, _)) = block(i, over)?;
    Ok((i, Cap { name, rate, over: overs.into_iter().flatten().next() }))
}

fn over(i: In<'_>) -> P<'_, Over> {
    match i.word() {
        "skip" => Ok((i.next(), Over::Skip)),
        "next_channel" => Ok((i.next(), Over::NextChannel)),
        "defer" => map(duration, Over::Defer).parse(i.next()),
        _ => missed(i, "`skip`, `defer …` or `next_channel`"),
    }
}

/// An item of `quiet`.
enum Calm {
    Defer(Dur),
    Release(Rate),
    Error,
}

/// `21:30..08:30 { defer 2 days; release 500 per minute }`
pub(super) fn quiet(i: In<'_>) -> P<'_, Quiet> {
    let (i, range) = range(i)?;
    let mut quiet = Quiet { range, defer: None, release: None };
    if i.kind() != TokenKind::LBrace {
        return Ok((i, quiet));
    }
    let (i, (items, _)) = block(i, |i| item(i, calm, |_| Calm::Error))?;
    for item in items {
        match item {
            Calm::Defer(defer) => quiet.defer = Some(defer),
            Calm::Release(release) => quiet.release = Some(release),
            Calm::Error => {}
        }
    }
    Ok((i, quiet))
}

fn calm(i: In<'_>) -> P<'_, Calm> {
    match i.word() {
        "defer" => map(duration, Calm::Defer).parse(i.next()),
        "release" => map(rate, Calm::Release).parse(i.next()),
        _ => missed(i, "`defer …` or `release …`"),
    }
}

/// A line of a lane.
enum LaneLine {
    Journeys(Vec<Path>),
    Loser(Loser),
    Error,
}

/// `account_checks "开户核验" { video_cert, risk_check; loser wait 2 days }`
fn lane(i: In<'_>) -> P<'_, PolicyItem> {
    let (i, (name, label)) = (ident("a name for the lane"), label).parse(i)?;
    let (i, (lines, _)) = block(i, |i| item(i, lane_line, |_| LaneLine::Error))?;
    let (mut journeys, mut loser) = (Vec::new(), None);
    for line in lines {
        match line {
            LaneLine::Journeys(more) => journeys.extend(more),
            LaneLine::Loser(said) => loser = Some(said),
            LaneLine::Error => {}
        }
    }
    Ok((i, PolicyItem::Lane { name, label, journeys, loser }))
}

fn lane_line(i: In<'_>) -> P<'_, LaneLine> {
    match i.word() {
        "loser" => map(loser, LaneLine::Loser).parse(i.next()),
        _ => map(list(path("a journey")), LaneLine::Journeys).parse(i),
    }
}

fn loser(i: In<'_>) -> P<'_, Loser> {
    match i.word() {
        "skip" => Ok((i.next(), Loser::Skip)),
        "wait" => map(duration, Loser::Wait).parse(i.next()),
        _ => missed(i, "`skip` or `wait …`"),
    }
}
