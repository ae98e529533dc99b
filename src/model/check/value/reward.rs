//! `reward fuel_rush "周五加油券" { kind coupon; value 50 CNY; open every friday 10:00..12:00; stock 5_000 per opening }`

use super::Reader;
use super::limit::Whose;
use crate::diagnostic::{Diagnostic, code, suggest};
use crate::expr::Expr;
use crate::model::check::expr::{Element, Shape};
use crate::model::check::length;
use crate::model::check::world::Kind;
use crate::name::Name;
use crate::program::value::{Limit, Period, Reward};
use crate::syntax::ast::{self, Ident, RewardItem};

const KINDS: [&str; 5] = ["cashback", "coupon", "discount", "gift", "right"];

pub(super) fn reward(reader: &mut Reader, items: &[RewardItem]) -> Reward {
    let mut reward = Reward {
        label: reader.label(),
        kind: Name::new("coupon"),
        value: None,
        open: None,
        stock: None,
        limits: Vec::new(),
        keep: None,
        budget: None,
        fulfil: None,
        merchant: None,
        codes: None,
        only: Vec::new(),
    };
    let mut kind = None;
    // What others are measured by first, wherever it stands.
    for item in items {
        match item {
            RewardItem::Kind(word) => {
                let known = known_kind(reader, *word);
                reader.once(&mut kind, Some(known), "kind", word.span);
            }
            RewardItem::Value(expr) => {
                let money = reader.money(expr);
                reader.once(&mut reward.value, money, "value", expr.span);
            }
            RewardItem::Open(opening) => {
                let opened = reader.opening(opening);
                reward.open = reward.open.or(opened);
            }
            _ => {}
        }
    }
    for item in items {
        rest(reader, item, &mut reward);
    }
    if kind.is_none() && !items.iter().any(|item| matches!(item, RewardItem::Error(_))) {
        reader.complain(
            code::VALUE_ITEM,
            "has no kind",
            "what is it?",
            "write `kind coupon`, or one of `gift`, `cashback`, `right`, `discount`",
        );
    }
    reward.kind = kind.unwrap_or(reward.kind);
    reward
}

fn rest(reader: &mut Reader, item: &RewardItem, reward: &mut Reward) {
    match item {
        RewardItem::Stock(rate) => {
            let stock = reader.limit(rate, Whose::All, reward.open.as_ref(), reward.value);
            let countable = |stock: &Limit| !stock.of_amount && !matches!(stock.period, Period::Rolling(_));
            if stock.as_ref().is_some_and(|stock| !countable(stock)) {
                let finding = Diagnostic::new(
                    code::LIMIT,
                    rate.span,
                    "a stock is a number of pieces, per calendar time",
                );
                reader.report(
                    finding
                        .label("not a stock")
                        .help("write `stock 5_000`, `stock 500 per day` or `stock 5_000 per opening`"),
                );
            }
            reader.once(&mut reward.stock, stock, "stock", rate.span);
        }
        RewardItem::Limit(rate) => {
            let limit = reader.limit(rate, Whose::Each, reward.open.as_ref(), reward.value);
            reward.limits.extend(limit);
        }
        RewardItem::Keep(dur) => {
            let keep = length::positive(*dur, reader.sink);
            reader.once(&mut reward.keep, Some(keep), "keep", dur.span);
        }
        RewardItem::Merchant(filter) => {
            let merchant = merchant(reader, filter);
            reader.once(&mut reward.merchant, Some(merchant), "merchant", filter.span);
        }
        RewardItem::Fulfil { task, within } => {
            let length = length::positive(*within, reader.sink);
            let fulfil = reader.named(task, Kind::Task).map(|task| (task, length));
            reader.once(&mut reward.fulfil, fulfil, "fulfil", task.span);
        }
        RewardItem::Budget(path) => {
            let budget = reader.budget(path, reward.value);
            reader.once(&mut reward.budget, budget, "budget", path.span);
        }
        RewardItem::Codes(partner) => {
            reader.once(&mut reward.codes, Some(partner.value.clone()), "codes", partner.span);
        }
        RewardItem::Only(journeys) => reward.only.extend(journeys.iter().map(|journey| journey.name)),
        RewardItem::Kind(_) | RewardItem::Value(_) | RewardItem::Open(_) | RewardItem::Error(_) => {}
    }
}

fn known_kind(reader: &mut Reader, word: Ident) -> Name {
    if !KINDS.contains(&word.name.as_str()) {
        let headline = format!("`{}` is no kind of reward", word.name);
        let finding = Diagnostic::new(code::VALUE_ITEM, word.span, headline).label("not a kind");
        let help = suggest::did_you_mean(word.name.as_str(), KINDS);
        reader.report(finding.help(help.unwrap_or_else(|| format!("kinds are `{}`", KINDS.join("`, `")))));
    }
    word.name
}

/// Where it may be used: a condition on the merchant alone.
fn merchant(reader: &mut Reader, filter: &ast::Expr) -> Expr {
    let mut checker = reader.checker(None);
    checker.elements.push(Element { names: vec![Name::new("merchant")], shape: Shape::Merchant });
    let condition = checker.condition(filter);
    reader.absorb(&mut checker);
    condition
}
