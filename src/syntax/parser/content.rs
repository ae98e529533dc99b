//! Items of a content: what it takes, when it is open, and its variant for each channel.

use nom::Parser;
use nom::combinator::map;

use super::copy::copy;
use super::decl::param;
use super::expr::range;
use super::heading::{Heads, heading};
use super::input::In;
use super::primitive::{P, block, ident, item};
use crate::name::Name;
use crate::syntax::ast::{ContentItem, Ident, Variant, VariantPart};
use crate::syntax::token::TokenKind;
use crate::syntax::words;

const ITEMS: Heads = Heads {
    what: "an item of a content",
    words: &[words::CONTENT_ITEMS],
    later: &[words::LATER_CONTENT_ITEMS],
};
const PARTS: Heads = Heads {
    what: "a piece of a message",
    words: &[words::VARIANT_PARTS],
    later: &[words::LATER_VARIANT_PARTS],
};

pub(super) fn content_item<'a>(i: In<'a>) -> (In<'a>, ContentItem) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &ITEMS)?;
        let i = start.next();
        match word {
            "takes" => map(param, ContentItem::Takes).parse(i),
            "open" => map(range, ContentItem::Open).parse(i),
            _ => map(|i| variant(start, i), ContentItem::Via).parse(i),
        }
    };
    item(i, read, ContentItem::Error)
}

/// `push { title "…"; body """…""" }` or `sms """…"""`
fn variant<'a>(start: In<'a>, i: In<'a>) -> P<'a, Variant> {
    let (i, channel) = ident("a channel")(i)?;
    let (i, parts) = match i.kind() {
        TokenKind::Text | TokenKind::Copy => whole_body(i)?,
        _ => {
            let (i, (parts, _)) = block(i, part)?;
            (i, parts.into_iter().flatten().collect())
        }
    };
    Ok((i, Variant { channel, parts, gap: None, close: None, span: i.since(start.span()) }))
}

fn whole_body(i: In<'_>) -> P<'_, Vec<VariantPart>> {
    let (rest, copy) = copy(i)?;
    let word = Ident { name: Name::new("body"), span: i.span() };
    Ok((rest, vec![VariantPart { word, file: false, locale: None, copy }]))
}

/// `title "…"`, `locale zh """…"""`
fn part<'a>(i: In<'a>) -> (In<'a>, Option<VariantPart>) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &PARTS)?;
        let is_locale = word == "locale";
        let word = Ident { name: Name::new(word), span: start.span() };
        let i = start.next();
        let (i, locale) =
            if is_locale { map(ident("a locale such as `zh`"), Some).parse(i)? } else { (i, None) };
        let (i, copy) = copy(i)?;
        Ok((i, Some(VariantPart { word, file: false, locale, copy })))
    };
    item(i, read, |_| None)
}
