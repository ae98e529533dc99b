//! What giving would come to: how much, what of the customer's own stands against it, and what others must be asked for.

use jiff::Timestamp;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::expr::{Expr, civil, eval};
use crate::lottery;
use crate::name::Name;
use crate::program::value::{self, Limit, Reward, outcome};
use crate::program::{Give, Giving, Opening};
use crate::step::account::{Entry, period_key};
use crate::step::actor::Actor;
use crate::step::effect::{Line, Short};
use crate::step::input::MessageKey;
use crate::step::opening;
use crate::step::symbols::Sym;
use crate::value::{Length, Money, Value};

/// The unit of what is counted one by one.
const PIECE: &str = "piece";
/// A gift that nothing of the customer's own stands against.
pub(super) struct Plan {
    pub what: Name,
    pub outcome: Name,
    pub entry: Entry,
    pub value: Value,
    /// Points or chances to be taken for it.
    pub cost: Option<(Sym, i64)>,
    pub can_be_spent: bool,
    /// When it ends; always good without one.
    pub until: Option<Timestamp>,
    pub lines: Vec<Line>,
    /// The reward that a prize is.
    pub also: Option<Name>,
    /// It counts there too.
    pub counts: Option<(Name, Entry)>,
}

/// Why nothing is given: of what, and the outcome.
pub(super) type Refusal = (Name, &'static str);

pub(super) fn plan(actor: &Actor, giving: &Giving, key: &MessageKey) -> Result<Plan, Refusal> {
    let world = actor.run.world;
    let kill = &world.kill;
    let stopped = kill.all || kill.journeys.contains(&actor.loaded.program.journey);
    let plan = match &giving.give {
        Give::Reward { what, amount } => reward(actor, what, amount.as_ref(), giving)?,
        Give::Points { points, amount } => points_of(actor, *points, amount, giving.budget)?,
        Give::Chance { lottery } => chance(actor, *lottery)?,
        Give::Exchange { amount, points, what } => {
            let mut plan = reward(actor, what, None, giving)?;
            let count = int(actor, amount).filter(|count| *count > 0).ok_or((plan.what, outcome::REFUSED))?;
            plan.cost = Some((actor.run.sym(*points), count));
            plan
        }
        Give::Draw { lottery } => drawn(actor, *lottery, key, giving.budget)?,
        Give::Qualify { referral, inviter } => qualified(actor, *referral, inviter)?,
    };
    if stopped { Err((plan.what, outcome::REFUSED)) } else { Ok(plan) }
}

fn reward(actor: &Actor, what: &Expr, amount: Option<&Expr>, giving: &Giving) -> Result<Plan, Refusal> {
    let scene = actor.scene();
    let Value::Choice(name) = eval(what, &scene) else { return Err((Name::new(""), outcome::REFUSED)) };
    let values = &actor.run.world.bundle.values;
    let reward = values.rewards.get(&name).ok_or((name, outcome::REFUSED))?;
    if !reward.is_given_by(actor.loaded.program.journey) {
        return Err((name, outcome::REFUSED));
    }
    let asked = match amount {
        Some(amount) => match eval(amount, &scene) {
            Value::Money(money) if money.minor > 0 => Some(money),
            _ => return Err((name, outcome::REFUSED)),
        },
        None => reward.value,
    };
    let entry = entry(actor, reward.open.as_ref(), asked.map_or(0, |money| money.minor))
        .ok_or((name, outcome::CLOSED))?;
    let entry = within(actor, name, &reward.limits, entry).ok_or((name, outcome::LIMITED))?;
    let counts = giving.counts.and_then(|referral| Some((referral, values.referrals.get(&referral)?)));
    let counts = match counts {
        Some((referral, declared)) => {
            let (place, own) = (value::inviters(referral), counted(actor, declared.open.as_ref(), &entry));
            Some((place, within(actor, place, &declared.limits, own).ok_or((name, outcome::LIMITED))?))
        }
        None => None,
    };
    let entry = Entry { amount: counts.map_or(entry.amount, |(_, own)| own.amount), ..entry };
    let value = asked.map(|money| Money { minor: entry.amount, ..money });
    let mut plan = plain(name, entry, value.map_or(Value::Missing, Value::Money));
    plan.until = until(actor, reward.keep);
    plan.lines.extend(stock(name, reward, &entry));
    plan.lines.extend(codes(name, reward));
    plan.lines.extend(paid(actor, [reward.budget, giving.budget], entry.amount));
    plan.counts = counts;
    Ok(plan)
}

/// Once for ever, and nobody is asked.
fn qualified(actor: &Actor, referral: Name, inviter: &Expr) -> Result<Plan, Refusal> {
    if !actor.run.world.bundle.values.referrals.contains_key(&referral) {
        return Err((referral, outcome::REFUSED));
    }
    let once = Limit { most: 1, of_amount: false, period: value::Period::Ever, partial: false };
    let entry = entry(actor, None, 0).ok_or((referral, outcome::CLOSED))?;
    let entry = within(actor, referral, &[once], entry).ok_or((referral, outcome::LIMITED))?;
    Ok(plain(referral, entry, eval(inviter, &actor.scene())))
}

/// The same gift in the opening of something else.
pub(super) fn counted(actor: &Actor, open: Option<&Opening>, entry: &Entry) -> Entry {
    let opening = open.and_then(|open| opening::current(open, actor.run.world, actor.run.now));
    Entry { opening, ..*entry }
}

fn points_of(actor: &Actor, name: Name, amount: &Expr, own: Option<Name>) -> Result<Plan, Refusal> {
    let points = actor.run.world.bundle.values.points.get(&name).ok_or((name, outcome::REFUSED))?;
    let count = int(actor, amount).filter(|count| *count > 0).ok_or((name, outcome::REFUSED))?;
    let entry = entry(actor, None, count).ok_or((name, outcome::CLOSED))?;
    let limits: Vec<Limit> = points.limits.iter().map(|limit| Limit { of_amount: true, ..*limit }).collect();
    let entry = within(actor, name, &limits, entry).ok_or((name, outcome::LIMITED))?;
    let mut plan = plain(name, entry, Value::Int(entry.amount));
    (plan.can_be_spent, plan.until) = (true, until(actor, points.keep));
    if let Some(worth) = points.worth {
        // A part of the smallest coin costs a whole one.
        let exact = worth.amount.checked_mul(Decimal::from(entry.amount)).unwrap_or(Decimal::MAX);
        let coin = Money { minor: 1, currency: worth.currency }.major();
        let coins = exact.checked_div(coin).unwrap_or(Decimal::MAX);
        let coins = coins.round_dp_with_strategy(0, RoundingStrategy::AwayFromZero);
        let coins = i64::try_from(coins).unwrap_or(i64::MAX);
        plan.lines.extend(paid(actor, [points.budget, own], coins));
    }
    Ok(plan)
}

fn chance(actor: &Actor, lottery: Name) -> Result<Plan, Refusal> {
    let name = value::chance(lottery);
    let declared = actor.run.world.bundle.values.lotteries.get(&lottery).ok_or((name, outcome::REFUSED))?;
    let entry = entry(actor, declared.open.as_ref(), 1).ok_or((name, outcome::CLOSED))?;
    let entry = within(actor, name, &declared.limits, entry).ok_or((name, outcome::LIMITED))?;
    let mut plan = plain(name, entry, Value::Int(1));
    (plan.can_be_spent, plan.until) = (true, until(actor, declared.keep));
    Ok(plan)
}

fn drawn(actor: &Actor, lottery: Name, key: &MessageKey, own: Option<Name>) -> Result<Plan, Refusal> {
    let world = actor.run.world;
    let values = &world.bundle.values;
    let declared = values.lotteries.get(&lottery).ok_or((lottery, outcome::REFUSED))?;
    let entry = entry(actor, declared.open.as_ref(), 0).ok_or((lottery, outcome::CLOSED))?;
    let cost = Some((actor.run.sym(value::chance(lottery)), 1));
    let seed = world.seeds.of(lottery).ok_or((lottery, outcome::REFUSED))?;
    let ticket = lottery::ticket(lottery, &key.to_string());
    let Some(prize) = lottery::drawn(&seed, &ticket, &declared.prizes) else {
        let blank = Name::new(outcome::BLANK);
        return Ok(Plan { outcome: blank, cost, ..plain(lottery, entry, Value::Missing) });
    };
    let name = value::below(lottery, prize.name);
    let minor = prize.value.map_or(0, |money| money.minor);
    let entry = Entry { amount: minor, ..entry };
    let mut plan = plain(name, entry, prize.value.map_or(Value::Missing, Value::Money));
    (plan.outcome, plan.cost, plan.also) = (prize.name, cost, prize.gives);
    plan.lines.extend(prize.count.map(|count| Line {
        account: format!("stock/{name}").into(),
        amount: 1,
        limit: count,
        unit: PIECE.into(),
        short: Short::SoldOut,
    }));
    if let Some(reward) =
        prize.gives.and_then(|gives| values.rewards.get(&gives).map(|reward| (gives, reward)))
    {
        plan.lines.extend(stock(reward.0, reward.1, &entry));
        plan.lines.extend(codes(reward.0, reward.1));
        plan.until = until(actor, reward.1.keep);
    }
    plan.lines.extend(paid(actor, [declared.budget, own], minor));
    Ok(plan)
}

fn plain(what: Name, entry: Entry, value: Value) -> Plan {
    let outcome = Name::new(outcome::GRANTED);
    Plan {
        what,
        outcome,
        entry,
        value,
        cost: None,
        can_be_spent: false,
        until: None,
        lines: Vec::new(),
        also: None,
        counts: None,
    }
}

/// What the accounts would count now; `None` while it is closed.
fn entry(actor: &Actor, open: Option<&Opening>, amount: i64) -> Option<Entry> {
    let (world, now) = (actor.run.world, actor.run.now);
    let opening = match open {
        Some(open) => Some(opening::current(open, world, now)?),
        None => None,
    };
    Some(Entry { day: civil::date_of(now, &world.zone), opening, amount })
}

/// The gift as the customer's limits let it through: less where a limit is `partial`; `None`: nothing.
fn within(actor: &Actor, what: Name, limits: &[Limit], mut entry: Entry) -> Option<Entry> {
    let sym = actor.run.sym(what);
    let account = actor.run.state.accounts.iter().find(|account| account.what == sym);
    for limit in limits {
        let (pieces, amount) = account.map_or((0, 0), |account| account.used(limit.period, &entry));
        let left = limit.most.saturating_sub(if limit.of_amount { amount } else { i64::from(pieces) });
        let wanted = if limit.of_amount { entry.amount } else { 1 };
        if left >= wanted {
            continue;
        }
        if !(limit.partial && limit.of_amount) || left <= 0 {
            return None;
        }
        entry.amount = left;
    }
    Some(entry)
}

fn stock(name: Name, reward: &Reward, entry: &Entry) -> Option<Line> {
    let limit = reward.stock?;
    let account = format!("stock/{name}{}", period_key(limit.period, entry)).into();
    Some(Line { account, amount: 1, limit: limit.most, unit: PIECE.into(), short: Short::SoldOut })
}

/// How many codes there are the store knows, and nobody else: they come in by file at any time.
fn codes(name: Name, reward: &Reward) -> Option<Line> {
    reward.codes.as_ref()?;
    let account = format!("codes/{name}").into();
    Some(Line { account, amount: 1, limit: i64::MAX, unit: PIECE.into(), short: Short::SoldOut })
}

/// One line for each budget that pays.
fn paid(actor: &Actor, budgets: [Option<Name>; 2], amount: i64) -> Vec<Line> {
    let [first, second] = budgets;
    let second = second.filter(|second| first != Some(*second));
    let values = &actor.run.world.bundle.values;
    let line = |name: Name| {
        let total = values.budgets.get(&name)?.total;
        let (account, unit) = (format!("budget/{name}").into(), total.currency.as_str().into());
        Some(Line { account, amount, limit: total.minor, unit, short: Short::BudgetGone })
    };
    [first, second].into_iter().flatten().filter_map(line).filter(|line| line.amount > 0).collect()
}

pub(super) fn int(actor: &Actor, amount: &Expr) -> Option<i64> {
    match eval(amount, &actor.scene()) {
        Value::Int(count) => Some(count),
        _ => None,
    }
}

/// Until when what is given now stays valid.
fn until(actor: &Actor, keep: Option<Length>) -> Option<Timestamp> {
    keep.map(|keep| actor.run.after(actor.run.now, keep, &actor.scene()))
}
