//! What is given: items of budgets, rewards, points, lotteries and referrals.

use nom::Parser;
use nom::combinator::map;

use super::duration::duration;
use super::expr::{expr, range, sum};
use super::heading::{Heads, heading};
use super::input::In;
use super::pattern::{patterns, schedule};
use super::primitive::{P, block, expect_word, ident, item, label, list, path, text};
use super::rate::rate;
use crate::syntax::ast::{BudgetItem, LotteryItem, Opening, PointsItem, PrizeItem, ReferralItem, RewardItem};
use crate::syntax::words;

const BUDGET: Heads = Heads { what: "an item of a budget", words: &[words::BUDGET_ITEMS] };
const REWARD: Heads = Heads { what: "an item of a reward", words: &[words::REWARD_ITEMS] };
const POINTS: Heads = Heads { what: "an item of points", words: &[words::POINTS_ITEMS] };
const LOTTERY: Heads = Heads { what: "an item of a lottery", words: &[words::LOTTERY_ITEMS] };
const PRIZE: Heads = Heads { what: "an item of a prize", words: &[words::PRIZE_ITEMS] };
const REFERRAL: Heads = Heads { what: "an item of a referral", words: &[words::REFERRAL_ITEMS] };

/// `2026-12-01..2027-02-28`, or `every friday 10:00..12:00 during 2026-12-01..2027-02-28`
pub(super) fn opening(i: In<'_>) -> P<'_, Opening> {
    if i.is_word("every") {
        return map(schedule, |schedule| Opening::Every(Box::new(schedule))).parse(i);
    }
    map(range, Opening::Range).parse(i)
}

/// `total 2_000_000 CNY`
pub(super) fn budget_item<'a>(i: In<'a>) -> (In<'a>, BudgetItem) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &BUDGET)?;
        let i = start.next();
        match word {
            "total" => map(expr, BudgetItem::Total).parse(i),
            "alert" => map(expr, BudgetItem::Alert).parse(i),
            _ => map(text("an address in quotes"), BudgetItem::Owner).parse(i),
        }
    };
    item(i, read, BudgetItem::Error)
}

/// `stock 5_000 per opening`
pub(super) fn reward_item<'a>(i: In<'a>) -> (In<'a>, RewardItem) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &REWARD)?;
        reward_value(start.next(), word)
    };
    item(i, read, RewardItem::Error)
}

fn reward_value<'a>(i: In<'a>, word: &str) -> P<'a, RewardItem> {
    match word {
        "kind" => map(ident("a kind of reward such as `coupon`"), RewardItem::Kind).parse(i),
        "value" => map(expr, RewardItem::Value).parse(i),
        "open" => map(opening, RewardItem::Open).parse(i),
        "stock" => map(rate, RewardItem::Stock).parse(i),
        "limit" => map(rate, RewardItem::Limit).parse(i),
        "keep" => map(duration, RewardItem::Keep).parse(i),
        "merchant" => map((expect_word("where"), expr), |(_, filter)| RewardItem::Merchant(filter)).parse(i),
        "fulfil" => {
            let parts = (path("a task"), expect_word("within"), duration);
            map(parts, |(task, _, within)| RewardItem::Fulfil { task, within }).parse(i)
        }
        "codes" => map(text("whose codes they are, in quotes"), RewardItem::Codes).parse(i),
        "only" => map(list(ident("a journey")), RewardItem::Only).parse(i),
        _ => map(path("a budget"), RewardItem::Budget).parse(i),
    }
}

/// `worth 0.01 CNY`
pub(super) fn points_item<'a>(i: In<'a>) -> (In<'a>, PointsItem) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &POINTS)?;
        let i = start.next();
        match word {
            "keep" => map(duration, PointsItem::Keep).parse(i),
            "worth" => map(expr, PointsItem::Worth).parse(i),
            "limit" => map(rate, PointsItem::Limit).parse(i),
            _ => map(path("a budget"), PointsItem::Budget).parse(i),
        }
    };
    item(i, read, PointsItem::Error)
}

/// `chance keep 7 days`, `prize fund_coupon "贴金券" { … }`
pub(super) fn lottery_item<'a>(i: In<'a>) -> (In<'a>, LotteryItem) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &LOTTERY)?;
        let i = start.next();
        match word {
            "open" => map(opening, LotteryItem::Open).parse(i),
            "chance" => {
                map((expect_word("keep"), duration), |(_, keep)| LotteryItem::ChanceKeep(keep)).parse(i)
            }
            "rules" => map(text("a file in quotes"), LotteryItem::Rules).parse(i),
            "prize" => prize(i),
            "limit" => map(rate, LotteryItem::Limit).parse(i),
            _ => map(path("a budget"), LotteryItem::Budget).parse(i),
        }
    };
    item(i, read, LotteryItem::Error)
}

/// `gift_box "实物礼盒" { value 88 CNY; count 500; odds 1 in 2_000; tax withheld }`
fn prize(i: In<'_>) -> P<'_, LotteryItem> {
    let (i, (name, label)) = (ident("a name for the prize"), label).parse(i)?;
    let (i, (items, _)) = block(i, prize_item)?;
    Ok((i, LotteryItem::Prize { name, label, items }))
}

fn prize_item<'a>(i: In<'a>) -> (In<'a>, PrizeItem) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &PRIZE)?;
        let i = start.next();
        match word {
            "value" => map(expr, PrizeItem::Value).parse(i),
            "count" => map(expr, PrizeItem::Count).parse(i),
            "odds" => {
                map((sum, expect_word("in"), sum), |(wins, _, of)| PrizeItem::Odds { wins, of }).parse(i)
            }
            "gives" => map(path("a reward"), PrizeItem::Gives).parse(i),
            _ => map(ident("`withheld` or `paid`"), PrizeItem::Tax).parse(i),
        }
    };
    item(i, read, PrizeItem::Error)
}

/// `qualify on salary_received where amount >= 1_000 CNY`
pub(super) fn referral_item<'a>(i: In<'a>) -> (In<'a>, ReferralItem) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &REFERRAL)?;
        referral_value(start.next(), word)
    };
    item(i, read, ReferralItem::Error)
}

fn referral_value<'a>(i: In<'a>, word: &str) -> P<'a, ReferralItem> {
    let gets = |i| map((expect_word("gets"), path("a reward")), |(_, reward)| reward).parse(i);
    match word {
        "open" => map(opening, ReferralItem::Open).parse(i),
        "link" => {
            let parts = (ident("`first_touch` or `last_touch`"), expect_word("within"), duration);
            map(parts, |(rule, _, within)| ReferralItem::Link { rule, within }).parse(i)
        }
        "qualify" => map((expect_word("on"), patterns), |(_, on)| ReferralItem::Qualify(on)).parse(i),
        "inviter" => map(gets, ReferralItem::Inviter).parse(i),
        "invitee" => map(gets, ReferralItem::Invitee).parse(i),
        "limit" => map(rate, ReferralItem::Limit).parse(i),
        "refuse" => map(list(ident("who is refused")), ReferralItem::Refuse).parse(i),
        _ => map(path("a budget"), ReferralItem::Budget).parse(i),
    }
}
