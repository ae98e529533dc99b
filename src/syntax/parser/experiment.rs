//! `experiment`: its arms or factors, how many take part, and what decides.

use nom::Parser;
use nom::combinator::map;

use super::decl::choice_item;
use super::duration::duration;
use super::expr::sum;
use super::heading::{Heads, heading};
use super::input::In;
use super::primitive::{P, block, expect_word, ident, item, label, path};
use crate::syntax::ast::{DeclKind, ExperimentItem, WinnerItem};
use crate::syntax::words;

const ITEMS: Heads = Heads { what: "an item of an experiment", words: &[words::EXPERIMENT_ITEMS] };
const WINNER: Heads = Heads { what: "a rule for the winner", words: &[words::WINNER_ITEMS] };

/// `{ items }`
pub(super) fn experiment(i: In<'_>) -> P<'_, DeclKind> {
    let (i, (items, _)) = block(i, experiment_item)?;
    Ok((i, DeclKind::Experiment(items)))
}

fn experiment_item<'a>(i: In<'a>) -> (In<'a>, ExperimentItem) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &ITEMS)?;
        let i = start.next();
        match word {
            "arm" => arm(i),
            "factor" => factor(i),
            "design" => map(ident("`full` or `fractional`"), ExperimentItem::Design).parse(i),
            "allocate" => map(sum, ExperimentItem::Allocate).parse(i),
            _ => winner(i),
        }
    };
    item(i, read, ExperimentItem::Error)
}

/// `short "短文案" 50%`
fn arm(i: In<'_>) -> P<'_, ExperimentItem> {
    let (i, (name, label, share)) = (ident("a name for the arm"), label, sum).parse(i)?;
    Ok((i, ExperimentItem::Arm { name, label, share }))
}

/// `greeting { warm "亲切"; plain "平实" }`
fn factor(i: In<'_>) -> P<'_, ExperimentItem> {
    let (i, (name, label, (levels, _))) =
        (ident("a name for the factor"), label, |i| block(i, choice_item)).parse(i)?;
    Ok((i, ExperimentItem::Factor { name, label, levels: levels.into_iter().flatten().collect() }))
}

/// `etc { confidence 95%; least 2_000; by 14 days after open; undecided keep_mix }`
fn winner(i: In<'_>) -> P<'_, ExperimentItem> {
    let (i, (goal, (items, _))) = (path("a goal"), |i| block(i, winner_item)).parse(i)?;
    Ok((i, ExperimentItem::Winner { goal, items }))
}

fn winner_item<'a>(i: In<'a>) -> (In<'a>, WinnerItem) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &WINNER)?;
        let i = start.next();
        match word {
            "confidence" => map(sum, WinnerItem::Confidence).parse(i),
            "least" => map(sum, WinnerItem::Least).parse(i),
            "by" => map((duration, expect_word("after"), ident("`open`")), |(after, _, from)| {
                WinnerItem::By { after, from }
            })
            .parse(i),
            _ => map(ident("what then, such as `keep_mix`"), WinnerItem::Undecided).parse(i),
        }
    };
    item(i, read, WinnerItem::Error)
}
