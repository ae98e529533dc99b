//! `lottery weekly_draw "周周抽" of customer { chance keep 7 days; prize gift_box { value 88 CNY; count 500; odds 1 in 2_000 } }`

use rust_decimal::Decimal;

use super::Reader;
use super::limit::Whose;
use crate::diagnostic::{Diagnostic, code};
use crate::model::check::length;
use crate::model::check::world::Kind;
use crate::program::value::{Lottery, Prize, outcome};
use crate::syntax::ast::{self, Ident, LotteryItem, PrizeItem, Text};

pub(super) fn lottery(reader: &mut Reader, items: &[LotteryItem]) -> Option<Lottery> {
    let subject = reader.subject();
    let mut lottery = Lottery {
        label: reader.label(),
        subject: subject?,
        open: None,
        keep: None,
        limits: Vec::new(),
        rules: None,
        prizes: Vec::new(),
        budget: None,
    };
    for item in items {
        one(reader, item, &mut lottery);
    }
    if lottery.prizes.is_empty() && !items.iter().any(|item| matches!(item, LotteryItem::Error(_))) {
        reader.complain(
            code::LOTTERY,
            "has no prizes",
            "nothing to win",
            "write `prize coupon { value 5 CNY; count 100; odds 1 in 5 }`",
        );
    }
    sum_of_odds(reader, &lottery);
    Some(lottery)
}

fn one(reader: &mut Reader, item: &LotteryItem, lottery: &mut Lottery) {
    match item {
        LotteryItem::Open(opening) => lottery.open = reader.opening(opening),
        LotteryItem::ChanceKeep(dur) => {
            let keep = length::positive(*dur, reader.sink);
            reader.once(&mut lottery.keep, Some(keep), "chance", dur.span);
        }
        LotteryItem::Rules(text) => {
            reader.once(&mut lottery.rules, Some(text.value.clone()), "rules", text.span);
        }
        LotteryItem::Prize { name, label, items } => {
            if let Some(prize) = prize(reader, *name, label.as_ref(), items, lottery) {
                lottery.prizes.push(prize);
            }
        }
        LotteryItem::Limit(rate) => {
            let limit = reader.limit(rate, Whose::Each, lottery.open.as_ref(), None);
            lottery.limits.extend(limit);
        }
        LotteryItem::Budget(path) => {
            let budget = reader.budget(path, None);
            reader.once(&mut lottery.budget, budget, "budget", path.span);
        }
        LotteryItem::Error(_) => {}
    }
}

fn prize(
    reader: &mut Reader,
    name: Ident,
    label: Option<&Text>,
    items: &[PrizeItem],
    lottery: &Lottery,
) -> Option<Prize> {
    let taken = lottery.prizes.iter().any(|known| known.name == name.name);
    if taken || outcome::ALL.contains(&name.name.as_str()) || name.name.as_str() == "chance" {
        let headline = format!("a prize cannot be called `{}`", name.name);
        let why = if taken { "another prize is called so" } else { "means something else in a draw" };
        let finding = Diagnostic::new(code::LOTTERY, name.span, headline).label(why);
        reader.report(finding.help("choose another name"));
        return None;
    }
    let (mut value, mut count, mut odds, mut gives, mut tax) = (None, None, None, None, None);
    for item in items {
        match item {
            PrizeItem::Value(expr) => {
                let money = reader.money(expr);
                reader.once(&mut value, money, "value", expr.span);
            }
            PrizeItem::Count(expr) => {
                let number = reader.number(expr);
                reader.once(&mut count, number, "count", expr.span);
            }
            PrizeItem::Odds { wins, of } => {
                let found = chance(reader, wins, of);
                reader.once(&mut odds, found, "odds", wins.span);
            }
            PrizeItem::Gives(path) => {
                let reward = reader.named(path, Kind::Reward);
                reader.once(&mut gives, reward, "gives", path.span);
            }
            PrizeItem::Tax(word) => {
                if !matches!(word.name.as_str(), "withheld" | "paid") {
                    let headline = format!("`{}` does not say who bears the tax", word.name);
                    let finding = Diagnostic::new(code::LOTTERY, word.span, headline).label("not known");
                    reader.report(finding.help("write `tax withheld` or `tax paid`"));
                }
                reader.once(&mut tax, Some(word.name), "tax", word.span);
            }
            PrizeItem::Error(_) => {}
        }
    }
    if odds.is_none()
        && !items.iter().any(|item| matches!(item, PrizeItem::Error(_) | PrizeItem::Odds { .. }))
    {
        let headline = format!("how often `{}` is won is not said", name.name);
        let finding = Diagnostic::new(code::LOTTERY, name.span, headline).label("`odds` is missing");
        reader.report(finding.help("write for example `odds 1 in 200`"));
    }
    let label = label.map(|label| label.value.clone());
    Some(Prize { name: name.name, label, value, count, odds: odds?, gives, tax })
}

fn chance(reader: &mut Reader, wins: &ast::Expr, of: &ast::Expr) -> Option<(u32, u32)> {
    let (won, all) = (reader.number(wins)?, reader.number(of)?);
    match (u32::try_from(won), u32::try_from(all)) {
        (Ok(won), Ok(all)) if won <= all => Some((won, all)),
        _ => {
            let finding = Diagnostic::new(code::LOTTERY, wins.span.to(of.span), "these odds are no chance");
            reader.report(finding.label("more often than always, or too rare").help("write `odds 1 in 200`"));
            None
        }
    }
}

/// All prizes together cannot be won more often than always.
fn sum_of_odds(reader: &mut Reader, lottery: &Lottery) {
    let share =
        |prize: &Prize| Decimal::from(prize.odds.0).checked_div(prize.odds.1.into()).unwrap_or_default();
    let sum: Decimal = lottery.prizes.iter().map(share).sum();
    // Thirds do not add up to one in decimals.
    if sum.round_dp(12) > Decimal::ONE {
        let percent = (sum * Decimal::ONE_HUNDRED).round_dp(1).normalize();
        reader.complain(
            code::LOTTERY,
            &format!("is won in {percent}% of all draws"),
            "more often than always",
            "lower the odds until all of them together are at most 100%",
        );
    }
}
