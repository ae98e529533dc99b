//! What stands in a slot until it is taken down: `show` and `hide`.

use nom::Parser;
use nom::combinator::map;

use super::duration::duration;
use super::expr::{expr, moment};
use super::input::In;
use super::operand::call;
use super::primitive::{P, expect_word, ident, list};
use super::rate::rate;
use super::step::{once, option};
use super::tail::{optional_tail, step_id};
use crate::syntax::ast::{Dur, Expr, Rate, Show, StepId, StepKind};

/// What may follow the slots of a `show`, in any order.
#[derive(Default)]
struct Options {
    rank: Option<Expr>,
    caps: Vec<Rate>,
    keep: Option<Dur>,
    until: Option<Expr>,
    id: Option<StepId>,
}

/// `spring via home_banner, popup rank 20 cap 3 per day until 2027-02-20 at 23:59 { on full … } else …`
pub(super) fn show(i: In<'_>) -> P<'_, StepKind> {
    let (mut i, (content, _, channels)) =
        (call("a content"), expect_word("via"), list(ident("a slot"))).parse(i)?;
    let mut options = Options::default();
    loop {
        i = match i.word() {
            "rank" if once(i, options.rank.is_none()) => option(expr, i.next(), &mut options.rank)?,
            "cap" => {
                let (rest, cap) = rate(i.next())?;
                options.caps.push(cap);
                rest
            }
            "keep" if once(i, options.keep.is_none()) => option(duration, i.next(), &mut options.keep)?,
            "until" if once(i, options.until.is_none()) => option(moment, i.next(), &mut options.until)?,
            "as" if once(i, options.id.is_none()) => option(step_id, i, &mut options.id)?,
            _ => break,
        };
    }
    let (i, tail) = optional_tail(i)?;
    let Options { rank, caps, keep, until, id } = options;
    let id = id.unwrap_or_default();
    Ok((i, StepKind::Show(Box::new(Show { content, channels, rank, caps, keep, until, id, tail }))))
}

/// `ad_gold via paid_social`
pub(super) fn hide(i: In<'_>) -> P<'_, StepKind> {
    map((call("a content"), expect_word("via"), list(ident("a slot"))), |(content, _, channels)| {
        StepKind::Hide { content, channels }
    })
    .parse(i)
}
