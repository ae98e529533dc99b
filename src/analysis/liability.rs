//! The most that a journey gives away: to one customer in one run, to one customer in all, and to all customers.
//!
//! SOUND upper bound of the values that rewards, points and prizes declare: the most expensive way through a run, rounds
//! counted, every draw won; times how often a customer can enter, unless a limit of each customer is lower. A value that
//! data decides is bounded by the limits of its reward, or not at all. What stock and budgets add is kept by the engine:
//! they end the giving, whatever the journey does.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::Direction;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;
use rust_decimal::Decimal;

use super::entries::Entries;
use super::flow::{Flow, What};
use crate::expr::{BinaryOp, Expr, Function};
use crate::graph::EdgeKind;
use crate::model::journey::{Step, StepKind};
use crate::name::Name;
use crate::program::value::{Limit, Period, Values};
use crate::program::{Give, Giving};
use crate::value::{Currency, Money, Value};

/// What something may come to, in minor units of each currency; `None`: nothing bounds it.
pub type Worth = Option<BTreeMap<Currency, i64>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Liability {
    /// Of one run.
    pub one_run: Worth,
    /// Of one customer, all runs together.
    pub one_customer: Worth,
    /// Of all customers, as budgets and stocks end it.
    pub all: Worth,
    /// The budgets and stocks that do, by name, with what each leaves; `None`: something is given that none ends.
    pub ends: Option<BTreeMap<Name, Money>>,
    /// The budgets that are charged, in order of names.
    pub budgets: BTreeSet<Name>,
    /// The steps that give the most, the most expensive first, at most three, with the value of one giving.
    pub steps: Vec<(NodeIndex, Worth)>,
    /// Steps whose giving no budget and no stock ends.
    pub open: Vec<NodeIndex>,
}

/// `None`: the journey gives nothing.
#[must_use]
pub fn liability(flow: &Flow<'_>) -> Option<Liability> {
    let given: BTreeMap<NodeIndex, Gift> = flow
        .graph
        .node_indices()
        .filter(|at| !flow.dead.contains(at))
        .filter_map(|at| match flow.node(at)?.what {
            What::Step(Step { kind: StepKind::Give(giving, _), .. }) => {
                Some((at, gift(&flow.model.values, giving)))
            }
            _ => None,
        })
        .collect();
    if given.is_empty() {
        return None;
    }
    let one_run = heaviest(flow, &given);
    let once = Entries::of(flow.model, flow.journey) == Entries::Once;
    let one_customer = if once { one_run.clone() } else { by_limits(&flow.model.values, &given) };
    let mut steps: Vec<(NodeIndex, Worth)> =
        given.iter().map(|(at, gift)| (*at, gift.worth.clone())).collect();
    steps.sort_by_key(|(at, worth)| (std::cmp::Reverse(weight(worth)), *at));
    steps.truncate(3);
    let open = given.iter().filter(|(_, gift)| gift.ends.is_none()).map(|(at, _)| *at).collect();
    let budgets = given.values().flat_map(|gift| gift.budgets.iter().copied()).collect();
    let ends = ends(&given);
    let all = ends.as_ref().map(summed);
    Some(Liability { one_run, one_customer, all, ends, budgets, steps, open })
}

/// What one step gives.
#[derive(Clone, Debug)]
struct Gift {
    /// At most, in one giving.
    worth: Worth,
    /// What it may be.
    names: Vec<Name>,
    budgets: BTreeSet<Name>,
    /// What ends it for all customers together, by the name of what does; `None`: nothing.
    ends: Option<BTreeMap<Name, Money>>,
}

fn gift(values: &Values, giving: &Giving) -> Gift {
    let own = giving.budget.and_then(|name| Some((name, values.budgets.get(&name)?.total)));
    let mut gift = match &giving.give {
        Give::Reward { what, amount } => reward(values, &candidates(what, values), amount.as_ref()),
        Give::Exchange { what, .. } => reward(values, &candidates(what, values), None),
        Give::Points { points, amount } => self::points(values, *points, amount),
        Give::Draw { lottery } => draw(values, *lottery),
        // A chance is worth what the draw gives for it; to qualify is worth nothing by itself.
        Give::Chance { .. } | Give::Qualify { .. } => Gift {
            worth: Some(BTreeMap::new()),
            names: Vec::new(),
            budgets: BTreeSet::new(),
            ends: Some(BTreeMap::new()),
        },
    };
    if let Some((name, total)) = own {
        gift.budgets.insert(name);
        gift.ends = Some(BTreeMap::from([(name, total)]));
    }
    gift
}

fn reward(values: &Values, names: &[Name], amount: Option<&Expr>) -> Gift {
    let mut gift = Gift {
        worth: Some(BTreeMap::new()),
        names: names.to_vec(),
        budgets: BTreeSet::new(),
        ends: Some(BTreeMap::new()),
    };
    for name in names {
        let Some(reward) = values.rewards.get(name) else { continue };
        let said = match amount {
            Some(amount) => most_of(amount),
            None => reward.value,
        };
        let limit = least_amount(&reward.limits);
        let worth = match (said, limit) {
            (Some(said), Some(limit)) => Some(Money { minor: said.minor.min(limit), ..said }),
            (Some(said), None) => Some(said),
            (None, Some(limit)) => reward
                .budget
                .and_then(|budget| values.budgets.get(&budget))
                .map(|budget| Money { minor: limit, currency: budget.total.currency }),
            (None, None) => None,
        };
        gift.worth = larger(gift.worth, worth.map(|worth| BTreeMap::from([(worth.currency, worth.minor)])));
        let budget = reward.budget.and_then(|budget| Some((budget, values.budgets.get(&budget)?.total)));
        let stock = reward.stock.filter(|stock| matches!(stock.period, Period::Ever) && !stock.of_amount);
        let stock = stock
            .zip(reward.value)
            .map(|(stock, value)| (*name, Money { minor: value.minor.saturating_mul(stock.most), ..value }));
        gift.budgets.extend(budget.map(|(name, _)| name));
        gift.ends = gift.ends.zip(budget.or(stock)).map(|(mut ends, end)| {
            ends.extend([end]);
            ends
        });
    }
    gift
}

fn points(values: &Values, name: Name, amount: &Expr) -> Gift {
    let points = values.points.get(&name);
    let limit = points.and_then(|points| {
        points.limits.iter().filter(|limit| !limit.of_amount).map(|limit| limit.most).min()
    });
    let most = match (whole(amount), limit) {
        (Some(said), Some(limit)) => Some(said.min(limit)),
        (said, limit) => said.or(limit),
    };
    let worth = points.and_then(|points| points.worth);
    let money = most.zip(worth).and_then(|(most, worth)| {
        let scale = Decimal::from(10_i64.checked_pow(worth.currency.digits())?);
        let minor = worth.amount.checked_mul(Decimal::from(most))?.checked_mul(scale)?.ceil();
        Some((worth.currency, i64::try_from(minor).ok()?))
    });
    let budget = points.and_then(|points| points.budget);
    let budget = budget.and_then(|budget| Some((budget, values.budgets.get(&budget)?.total)));
    // Points without a worth cost nothing that is known here.
    let free = worth.is_none();
    Gift {
        worth: if free { Some(BTreeMap::new()) } else { money.map(|one| BTreeMap::from([one])) },
        names: vec![name],
        budgets: budget.iter().map(|(name, _)| *name).collect(),
        ends: budget.map(|end| BTreeMap::from([end])).or_else(|| free.then(BTreeMap::new)),
    }
}

fn draw(values: &Values, name: Name) -> Gift {
    let lottery = values.lotteries.get(&name);
    let prizes = || lottery.iter().flat_map(|lottery| &lottery.prizes);
    let worth = |prize: &crate::program::value::Prize| {
        prize.value.or_else(|| prize.gives.and_then(|gives| values.rewards.get(&gives)?.value))
    };
    let mut most: Worth = Some(BTreeMap::new());
    for value in prizes().filter_map(worth) {
        most = larger(most, Some(BTreeMap::from([(value.currency, value.minor)])));
    }
    let budget = lottery.and_then(|lottery| lottery.budget);
    let budget = budget.and_then(|budget| Some((budget, values.budgets.get(&budget)?.total)));
    // Each prize that is counted ends by itself.
    let counted = prizes().map(|prize| match (prize.count, worth(prize)) {
        (_, None) => Some(None),
        (Some(count), Some(value)) => {
            let money = Money { minor: value.minor.saturating_mul(count), ..value };
            Some(Some((crate::program::value::below(name, prize.name), money)))
        }
        (None, Some(_)) => None,
    });
    let counted: Option<Vec<_>> = counted.collect();
    let ends = budget
        .map(|end| BTreeMap::from([end]))
        .or_else(|| counted.map(|counted| counted.into_iter().flatten().collect()));
    Gift { worth: most, names: vec![name], budgets: budget.iter().map(|(name, _)| *name).collect(), ends }
}

/// The rewards that an expression may name.
fn candidates(what: &Expr, values: &Values) -> Vec<Name> {
    fn named(expr: &Expr, into: &mut Option<Vec<Name>>) {
        match expr {
            Expr::Const(Value::Choice(name)) => into.iter_mut().for_each(|found| found.push(*name)),
            Expr::Table(call) => call.rows.iter().for_each(|row| named(&row.value, into)),
            Expr::Choose { rows, otherwise } => {
                rows.iter().for_each(|(_, value)| named(value, into));
                named(otherwise, into);
            }
            Expr::Otherwise(first, second) => {
                named(first, into);
                named(second, into);
            }
            _ => *into = None,
        }
    }
    let mut found = Some(Vec::new());
    named(what, &mut found);
    // What data decides may be any of them.
    found.unwrap_or_else(|| values.rewards.keys().copied().collect())
}

/// The most that an amount can be; `None`: data decides.
fn most_of(amount: &Expr) -> Option<Money> {
    match amount {
        Expr::Const(Value::Money(money)) => Some(*money),
        // The lesser of several is at most any of them; the greater at most the greatest.
        Expr::Call(Function::Min, args) => args.iter().filter_map(most_of).min_by_key(|money| money.minor),
        Expr::Call(Function::Max, args) => {
            let all: Option<Vec<Money>> = args.iter().map(most_of).collect();
            all?.into_iter().max_by_key(|money| money.minor)
        }
        Expr::Call(Function::Round, args) => {
            let exact = most_of(args.first()?)?;
            let whole = 10_i64.checked_pow(exact.currency.digits())?;
            Some(Money { minor: exact.minor.checked_add(whole)? / whole * whole, ..exact })
        }
        Expr::Table(call) => {
            let all: Option<Vec<Money>> = call.rows.iter().map(|row| most_of(&row.value)).collect();
            all?.into_iter().max_by_key(|money| money.minor)
        }
        Expr::Otherwise(first, second) => {
            Some(most_of(first)?).into_iter().chain(most_of(second)).max_by_key(|money| money.minor)
        }
        Expr::Binary(BinaryOp::Mul, left, right) => {
            let (money, factor) = match (most_of(left), most_of(right)) {
                (Some(money), None) => (money, right),
                (None, Some(money)) => (money, left),
                _ => return None,
            };
            match &**factor {
                Expr::Const(Value::Int(times)) => {
                    Some(Money { minor: money.minor.checked_mul(*times)?, ..money })
                }
                Expr::Const(Value::Percent(share) | Value::Decimal(share)) => {
                    money.times(*share).map(|money| Money { minor: money.minor.saturating_add(1), ..money })
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn whole(amount: &Expr) -> Option<i64> {
    match amount {
        Expr::Const(Value::Int(amount)) => Some(*amount),
        Expr::Call(Function::Min, args) => args.iter().filter_map(whole).min(),
        Expr::Table(call) => {
            let all: Option<Vec<i64>> = call.rows.iter().map(|row| whole(&row.value)).collect();
            all?.into_iter().max()
        }
        _ => None,
    }
}

fn least_amount(limits: &[Limit]) -> Option<i64> {
    limits.iter().filter(|limit| limit.of_amount).map(|limit| limit.most).min()
}

/// Of two alternatives the larger, currency by currency.
fn larger(one: Worth, other: Worth) -> Worth {
    let (mut one, other) = (one?, other?);
    for (currency, minor) in other {
        let known = one.entry(currency).or_default();
        *known = (*known).max(minor);
    }
    Some(one)
}

pub(super) fn together(one: &Worth, other: &Worth, times: i64) -> Worth {
    let (mut sum, other) = (one.clone()?, other.as_ref()?);
    for (currency, minor) in other {
        let known = sum.entry(*currency).or_default();
        *known = known.saturating_add(minor.saturating_mul(times));
    }
    Some(sum)
}

fn weight(worth: &Worth) -> i64 {
    worth.as_ref().map_or(i64::MAX, |worth| worth.values().copied().max().unwrap_or(0))
}

/// The most expensive way through one run, and the most expensive exit behind it.
fn heaviest(flow: &Flow<'_>, given: &BTreeMap<NodeIndex, Gift>) -> Worth {
    let none: Worth = Some(BTreeMap::new());
    let mut sums: Vec<Worth> = vec![none.clone(); flow.graph.node_count()];
    let (mut inside, mut exits) = (none.clone(), none.clone());
    let first_exit = flow.exits.first().copied().unwrap_or(NodeIndex::end());
    for at in flow.graph.node_indices().filter(|at| flow.original(*at) == *at) {
        let mut before = none.clone();
        for edge in flow.graph.edges_directed(at, Direction::Incoming) {
            let back = edge.source() >= at || edge.weight().kind == EdgeKind::Again;
            if !back && !flow.shut.contains(&edge.id()) {
                for from in flow.comes_from(edge.source(), edge.weight()) {
                    before = larger(before, sums.get(from.index()).cloned().unwrap_or_default());
                }
            }
        }
        let rounds = flow.node(at).map_or(1, |node| node.rounds);
        let sum = given.get(&at).map_or(before.clone(), |gift| together(&before, &gift.worth, rounds));
        if at < first_exit {
            inside = larger(inside, sum.clone());
        } else {
            exits = larger(exits, sum.clone());
        }
        if let Some(slot) = sums.get_mut(at.index()) {
            *slot = sum;
        }
    }
    together(&inside, &exits, 1)
}

/// Where a customer can enter again: only limits of each customer that are for ever bound the sum.
fn by_limits(values: &Values, given: &BTreeMap<NodeIndex, Gift>) -> Worth {
    let names: BTreeSet<Name> = given.values().flat_map(|gift| gift.names.iter().copied()).collect();
    let mut sum: Worth = Some(BTreeMap::new());
    for name in names {
        let (limits, value) = match (values.rewards.get(&name), values.lotteries.get(&name)) {
            (Some(reward), _) => (&reward.limits, reward.value),
            (None, Some(lottery)) => {
                let most = lottery.prizes.iter().filter_map(|prize| prize.value);
                (&lottery.limits, most.max_by_key(|value| value.minor))
            }
            (None, None) => return None,
        };
        let ever = limits.iter().find(|limit| matches!(limit.period, Period::Ever))?;
        let value = value?;
        let minor = if ever.of_amount { ever.most } else { value.minor.saturating_mul(ever.most) };
        sum = together(&sum, &Some(BTreeMap::from([(value.currency, minor)])), 1);
    }
    sum
}

/// What budgets and stocks leave: each counted once, however many steps draw on it.
fn ends(given: &BTreeMap<NodeIndex, Gift>) -> Option<BTreeMap<Name, Money>> {
    let mut all = BTreeMap::new();
    for gift in given.values() {
        all.extend(gift.ends.clone()?);
    }
    Some(all)
}

/// Amounts currency by currency, in minor units.
pub(super) fn summed(all: &BTreeMap<Name, Money>) -> BTreeMap<Currency, i64> {
    let mut sum = BTreeMap::new();
    for money in all.values() {
        let known: &mut i64 = sum.entry(money.currency).or_default();
        *known = known.saturating_add(money.minor);
    }
    sum
}
