//! Items of a content: what it takes, when it is open, and its variant for each channel.

use nom::Parser;
use nom::combinator::map;

use super::copy::copy;
use super::decl::param;
use super::duration::duration;
use super::expr::{range, sum};
use super::heading::{Heads, heading};
use super::input::In;
use super::primitive::{P, block, expect_word, ident, item, optional, path, text};
use crate::name::Name;
use crate::syntax::ast::{ContentItem, Dur, Ident, Variant, VariantPart};
use crate::syntax::token::TokenKind;
use crate::syntax::words;

const ITEMS: Heads = Heads { what: "an item of a content", words: &[words::CONTENT_ITEMS] };
const PARTS: Heads = Heads { what: "a piece of a message", words: &[words::VARIANT_PARTS] };

pub(super) fn content_item<'a>(i: In<'a>) -> (In<'a>, ContentItem) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &ITEMS)?;
        let i = start.next();
        match word {
            "takes" => map(param, ContentItem::Takes).parse(i),
            "part" => factor_part(i),
            "open" => map(range, ContentItem::Open).parse(i),
            "product" => map(path("a product"), ContentItem::Product).parse(i),
            "approved" => approved(start, i),
            "commits" => map(path("a product"), ContentItem::Commits).parse(i),
            "offers" => map(path("a reward"), ContentItem::Offers).parse(i),
            _ => map(|i| variant(start, i), ContentItem::Via).parse(i),
        }
    };
    item(i, read, ContentItem::Error)
}

/// `approved by "compliance:li.wei" on 2026-11-01 binds "sha256:…"`
fn approved<'a>(start: In<'a>, i: In<'a>) -> P<'a, ContentItem> {
    let digest = optional("binds", text("a digest in quotes"));
    let mut parts = (expect_word("by"), text("who approved it, in quotes"), expect_word("on"), sum, digest);
    let (i, (_, by, _, on, binds)) = parts.parse(i)?;
    Ok((i, ContentItem::Approved { by, on: Box::new(on), binds, span: i.since(start.span()) }))
}

/// `greeting of copy_test.greeting { warm """…"""; plain "…" }`
fn factor_part<'a>(i: In<'a>) -> P<'a, ContentItem> {
    let level = |i: In<'a>| item(i, map((ident("a level of the factor"), copy), Some), |_| None);
    let (i, (name, _, factor, (levels, _))) = (
        ident("a name for the part"),
        expect_word("of"),
        path("a factor such as `copy_test.greeting`"),
        |i| block(i, level),
    )
        .parse(i)?;
    Ok((i, ContentItem::Part { name, factor, levels: levels.into_iter().flatten().collect() }))
}

/// `push { title "…"; body """…""" }` or `sms """…"""`
fn variant<'a>(start: In<'a>, i: In<'a>) -> P<'a, Variant> {
    let (i, channel) = ident("a channel")(i)?;
    let mut variant =
        Variant { channel, parts: Vec::new(), gap: None, close: None, span: i.since(start.span()) };
    if matches!(i.kind(), TokenKind::Text | TokenKind::Copy) {
        let (i, parts) = whole_body(i)?;
        return Ok((i, Variant { parts, span: i.since(start.span()), ..variant }));
    }
    let (i, (pieces, _)) = block(i, piece)?;
    for piece in pieces {
        match piece {
            Piece::Part(part) => variant.parts.push(part),
            Piece::Gap(gap) => variant.gap = Some(gap),
            Piece::Close(close) => variant.close = Some(close),
            Piece::Error => {}
        }
    }
    variant.parts.shrink_to_fit();
    Ok((i, Variant { span: i.since(start.span()), ..variant }))
}

fn whole_body(i: In<'_>) -> P<'_, Vec<VariantPart>> {
    let (rest, copy) = copy(i)?;
    let word = Ident { name: Name::new("body"), span: i.span() };
    Ok((rest, vec![VariantPart { word, file: false, locale: None, copy }]))
}

/// A line of a variant.
enum Piece {
    Part(VariantPart),
    Gap(Dur),
    Close(Ident),
    Error,
}

/// `title "…"`, `locale zh """…"""`, `message file "…"`, `gap 20s`, `close visible`
fn piece<'a>(i: In<'a>) -> (In<'a>, Piece) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &PARTS)?;
        let i = start.next();
        match word {
            "gap" => map(duration, Piece::Gap).parse(i),
            "close" => map(ident("how it is closed"), Piece::Close).parse(i),
            _ => map(|i| part(start, i, word), Piece::Part).parse(i),
        }
    };
    item(i, read, |_| Piece::Error)
}

fn part<'a>(start: In<'a>, i: In<'a>, word: &str) -> P<'a, VariantPart> {
    let (i, locale) =
        if word == "locale" { map(ident("a locale such as `zh`"), Some).parse(i)? } else { (i, None) };
    let file = word == "message" && i.is_word("file");
    let i = if file { i.next() } else { i };
    let (i, copy) = copy(i)?;
    let word = Ident { name: Name::new(word), span: start.span() };
    Ok((i, VariantPart { word, file, locale, copy }))
}
