//! Small declarations of the world: the organisation, products, waivers.

use nom::Parser;
use nom::combinator::map;

use super::expr::{expr, sum};
use super::heading::{Heads, heading};
use super::input::In;
use super::primitive::{P, block, ident, item, label, nested, path, text};
use crate::syntax::ast::{OrgItem, OrgUnit, ProductItem, WaiverItem};
use crate::syntax::token::TokenKind;
use crate::syntax::words;

/// `file "org.csv"`, or a unit with the units below it: `east "华东" { shanghai "上海分行" }`
pub(super) fn org_item<'a>(i: In<'a>) -> (In<'a>, OrgItem) {
    let read = |start: In<'a>| {
        if start.is_word("file") && start.kind2() == TokenKind::Text {
            return map(text("a file in quotes"), OrgItem::File).parse(start.next());
        }
        map(unit, OrgItem::Unit).parse(start)
    };
    item(i, read, OrgItem::Error)
}

fn unit(i: In<'_>) -> P<'_, OrgUnit> {
    let (i, (name, label)) = (ident("a unit of the organisation"), label).parse(i)?;
    if i.kind() != TokenKind::LBrace {
        return Ok((i, OrgUnit { name, label, units: Vec::new() }));
    }
    let (i, (units, _)) = nested(i, |i| block(i, org_item))?;
    Ok((i, OrgUnit { name, label, units }))
}

const PRODUCT: Heads = Heads { what: "an item of a product", words: &[words::PRODUCT_ITEMS] };

pub(super) fn product_item<'a>(i: In<'a>) -> (In<'a>, ProductItem) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &PRODUCT)?;
        let i = start.next();
        match word {
            "class" => map(path("a class of products"), ProductItem::Class).parse(i),
            "risk" => map(ident("`R1` to `R5`"), ProductItem::Risk).parse(i),
            "disclose" => map(path("a content"), ProductItem::Disclose).parse(i),
            _ => map(expr, ProductItem::Market).parse(i),
        }
    };
    item(i, read, ProductItem::Error)
}

const WAIVER: Heads = Heads { what: "an item of a waiver", words: &[words::WAIVER_ITEMS] };

pub(super) fn waiver_item<'a>(i: In<'a>) -> (In<'a>, WaiverItem) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &WAIVER)?;
        let i = start.next();
        match word {
            "rule" => map(text("a rule in quotes"), WaiverItem::Rule).parse(i),
            "step" => map(path("a step"), WaiverItem::Step).parse(i),
            "reason" => map(text("a reason in quotes"), WaiverItem::Reason).parse(i),
            "approver" => map(text("who approved it, in quotes"), WaiverItem::Approver).parse(i),
            "binds" => map(text("a digest in quotes"), WaiverItem::Binds).parse(i),
            "ticket" => map(text("a ticket in quotes"), WaiverItem::Ticket).parse(i),
            _ => map(sum, WaiverItem::Expires).parse(i),
        }
    };
    item(i, read, WaiverItem::Error)
}
