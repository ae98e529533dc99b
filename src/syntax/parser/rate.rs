//! Rates: how much of something there may be, for whom and in which time.

use nom::Parser;
use nom::combinator::map;

use super::duration::duration;
use super::expr::sum;
use super::input::In;
use super::primitive::{P, path};
use crate::syntax::ast::{Rate, RateUnit};

/// `500 per customer per day`, `2 per customer per rolling 7 days`, `1 per customer ever`, `100 CNY per month partial`
pub(super) fn rate(start: In<'_>) -> P<'_, Rate> {
    let (mut i, count) = sum(start)?;
    let mut per = Vec::new();
    while i.is_word("per") {
        let unit;
        (i, unit) = rate_unit(i.next())?;
        per.push(unit);
    }
    let (i, ever) = flag(i, "ever");
    let (i, partial) = flag(i, "partial");
    Ok((i, Rate { count, per, ever, partial, span: i.since(start.span()) }))
}

/// `customer`, `day`, `event.group`, `rolling 7 days`
fn rate_unit(i: In<'_>) -> P<'_, RateUnit> {
    match i.word() {
        "rolling" => map(duration, RateUnit::Rolling).parse(i.next()),
        _ => map(path("a unit such as `customer`, `day` or `rolling 7 days`"), RateUnit::Path).parse(i),
    }
}

/// Whether `word` is next, and what is behind it.
fn flag<'a>(i: In<'a>, word: &str) -> (In<'a>, bool) {
    if i.is_word(word) { (i.next(), true) } else { (i, false) }
}
