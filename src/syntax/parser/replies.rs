//! Answers to what people write: rules by keyword, how often, and who answers otherwise.

use nom::Parser;
use nom::combinator::map;

use super::duration::duration;
use super::heading::{Heads, heading};
use super::input::In;
use super::journey::clause;
use super::pattern::pattern;
use super::primitive::{P, expect_word, ident, item, optional};
use super::rate::rate;
use super::tail::body;
use crate::syntax::ast::RepliesItem;
use crate::syntax::words;

const ITEMS: Heads = Heads { what: "an item of replies", words: &[words::REPLIES_ITEMS, &["on", "else"]] };

pub(super) fn replies_item<'a>(i: In<'a>) -> (In<'a>, RepliesItem) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &ITEMS)?;
        let i = start.next();
        match word {
            "on" => rule(i),
            "limit" => map(rate, RepliesItem::Limit).parse(i),
            "quiet_for" => {
                let (i, (length, _, after)) = (duration, expect_word("after"), pattern).parse(i)?;
                Ok((i, RepliesItem::QuietFor { length, after: Box::new(after) }))
            }
            "else" => map(body, RepliesItem::Else).parse(i),
            _ => map(|i| clause(i, word), |clause| RepliesItem::Clause(Box::new(clause))).parse(start),
        }
    };
    item(i, read, RepliesItem::Error)
}

/// `message where text has ["赎回"] as redeem { send faq_redeem via group_chat }`
fn rule(i: In<'_>) -> P<'_, RepliesItem> {
    let (i, (pattern, name, body)) =
        (pattern, optional("as", ident("a name for the rule")), body).parse(i)?;
    Ok((i, RepliesItem::Rule { pattern: Box::new(pattern), name, body }))
}
