//! Giving: what it comes to, what it is held against, and what others must be asked for.
//!
//! A customer's own limits, points and chances are in the state and decide at once. Stock and budgets are shared by
//! all, so a step asks for them ([`Effect::Reserve`]) and goes on when the answer comes ([`Input::Permit`]); until
//! then the customer's side is held. Whatever was asked for and granted stands, even if the instance has left.

mod draw;
mod plan;

use std::sync::Arc;

use jiff::Timestamp;

use super::account::{Account, Entry};
use super::actor::Actor;
use super::effect::{Booking, Effect, Reserve, Short};
use super::input::{MessageKey, RootKey};
use super::occurrence::Occurrence;
use super::post::{self, Errand, Favour};
use super::run::{Follow, Run};
use super::state::{Ask, Gift, Sender};
use super::symbols::Sym;
use super::trace::{Decision, Trace};
use crate::expr::{Expr, civil, eval};
use crate::lottery::Outcome;
use crate::name::Name;
use crate::program::value::{self, outcome};
use crate::program::{Give, Giving, NodeId, NodeKind};
use crate::value::Value;
use plan::{Plan, int, plan};

/// Asks kept at once for one customer; more are refused.
const MAX_ASKS: usize = 64;

/// What giving came to in the first moment.
pub(super) enum Given {
    /// This outcome, now.
    Now(Name),
    /// Others were asked.
    Asked,
}

/// Gives, refuses, or asks: the ledger, or the row of somebody else who is to get it.
pub(super) fn give(actor: &mut Actor, step: Name, giving: &Giving) -> Given {
    let step = actor.message_of(step);
    let key = key_of(actor, step, giving);
    if let Some(to) = &giving.to {
        let id = match eval(&to.id, &actor.scene()) {
            Value::Text(id) if !id.is_empty() => id,
            _ => {
                let what = actor.run.sym(step);
                return refused(actor, what, outcome::REFUSED);
            }
        };
        let root = RootKey { entity: to.entity, id };
        if root != *actor.run.root {
            return pass_on(actor, step, giving, key, root);
        }
    }
    give_as(actor, step, giving, key, None)
}

/// Gives under this key; `from` is the row whose journey gives, if not this one.
pub(super) fn give_as(
    actor: &mut Actor,
    step: Name,
    giving: &Giving,
    key: MessageKey,
    from: Option<Sender>,
) -> Given {
    if actor.run.state.asks.iter().any(|ask| is_of(actor.run, ask, &key)) {
        return Given::Asked;
    }
    match plan(actor, giving, &key) {
        Ok(plan) => settle(actor, step, giving, plan, (key, from)),
        Err((what, outcome)) => {
            let outcome = Name::new(outcome);
            let (what, sym) = (actor.run.sym(what), actor.run.sym(outcome));
            actor.trace(Decision::NotGiven { what, outcome: sym });
            Given::Now(outcome)
        }
    }
}

/// Asks the row of whoever gets it, with everything in it worked out; the instance stands here until the answer.
fn pass_on(actor: &mut Actor, step: Name, giving: &Giving, key: MessageKey, to: RootKey) -> Given {
    let mut giving = Giving { to: None, key: None, slot: None, ..giving.clone() };
    let scene = actor.scene();
    for expr in giving.give.exprs_mut() {
        *expr = Expr::Const(eval(expr, &scene));
    }
    if let Give::Exchange { amount, points, what } = giving.give {
        if let Some(short) = pay(actor, step, &key, (&amount, points, &what)) {
            return short;
        }
        giving.give = Give::Reward { what, amount: None };
    }
    let step_sym = actor.run.sym(step);
    actor.trace(Decision::PassedOn { step: step_sym, channel: None, to: Value::Text(to.id.clone()) });
    let favour = Favour { program: actor.it.program, node: actor.it.node, step, giving };
    post::send(actor.run, to, key, Errand::Give(Box::new(favour)));
    Given::Asked
}

/// Takes the points for what somebody else gets, and holds them until the answer ([`paid_for`]). `None`: it is paid.
fn pay(
    actor: &mut Actor,
    step: Name,
    key: &MessageKey,
    (amount, points, what): (&Expr, Name, &Expr),
) -> Option<Given> {
    if actor.run.state.asks.iter().any(|ask| is_of(actor.run, ask, key)) {
        return Some(Given::Asked);
    }
    let what = match what {
        Expr::Const(Value::Choice(name)) => actor.run.sym(*name),
        _ => actor.run.sym(step),
    };
    let count = int(actor, amount).filter(|count| *count > 0);
    let Some(count) = count.filter(|_| actor.run.state.asks.len() < MAX_ASKS) else {
        return Some(refused(actor, what, outcome::REFUSED));
    };
    let (points, now) = (actor.run.sym(points), actor.run.now);
    let Some(lots) = account(actor.run, points).take(count, now) else {
        return Some(refused(actor, what, outcome::TOO_FEW));
    };
    let day = civil::date_of(now, &actor.run.world.zone);
    let gift = Gift {
        what,
        outcome: actor.run.fixed(outcome::GRANTED),
        // It counts with whoever gets it.
        entry: Entry { day, opening: None, amount: 0 },
        value: Value::Missing,
        taken: Some((points, lots)),
        spendable: false,
        until: None,
        slot: None,
        also: None,
    };
    let ask = ask(actor, step, key, gift, None);
    actor.run.state.asks.push(ask);
    None
}

/// The row of whoever was to get it has answered: what was paid is spent, or is had back.
pub(super) fn paid_for(run: &mut Run, key: &MessageKey, outcome: Name) {
    let Some(at) = run.state.asks.iter().position(|ask| is_of(run, ask, key)) else { return };
    let ask = run.state.asks.remove(at);
    if outcome.as_str() == outcome::GRANTED {
        draw::spent(run, key, ask.gift.taken.as_ref());
    } else {
        give_back(run, &ask.gift);
    }
}

fn give_back(run: &mut Run, gift: &Gift) {
    let now = run.now;
    if let Some((from, lots)) = &gift.taken {
        lots.iter().for_each(|lot| account(run, *from).put(*lot, now));
    }
}

fn ask(actor: &Actor, step: Name, key: &MessageKey, gift: Gift, from: Option<Sender>) -> Ask {
    Ask {
        journey: actor.it.journey,
        subject: actor.it.subject.clone(),
        entry: actor.it.key.clone(),
        step: actor.run.sym(step),
        key: key.step.clone(),
        program: actor.it.program,
        node: actor.it.node,
        gift,
        from,
    }
}

/// Tells the row that gives what became of it; `None`: it could not even be tried.
pub(super) fn report(
    run: &mut Run,
    to: &Sender,
    key: &MessageKey,
    node: NodeId,
    given: Option<(Name, Value)>,
) {
    let (outcome, amount) = given.unwrap_or_else(|| (Name::new(outcome::REFUSED), Value::Missing));
    post::send(run, to.root.clone(), key.clone(), Errand::Given { node, outcome, amount });
}

fn settle(
    actor: &mut Actor,
    step: Name,
    giving: &Giving,
    plan: Plan,
    (key, from): (MessageKey, Option<Sender>),
) -> Given {
    let run = &mut *actor.run;
    let what = run.sym(plan.what);
    if run.state.asks.len() >= MAX_ASKS {
        return refused(actor, what, outcome::REFUSED);
    }
    let now = run.now;
    let taken = match plan.cost {
        Some((from, count)) => {
            if let Some(lots) = account(run, from).take(count, now) {
                Some((from, lots))
            } else {
                // What was drawn is nobody's business then.
                let drawing = matches!(giving.give, Give::Draw { .. });
                let (what, short) =
                    if drawing { (from, outcome::NO_CHANCE) } else { (what, outcome::TOO_FEW) };
                return refused(actor, what, short);
            }
        }
        None => None,
    };
    if plan.outcome.as_str() == outcome::BLANK {
        let lottery = plan.what;
        return draw::blank(actor, lottery, what, taken.as_ref(), key);
    }
    account(run, what).add(&plan.entry);
    if let Some((place, entry)) = plan.counts {
        let place = run.sym(place);
        account(run, place).add(&entry);
    }
    let gift = Gift {
        what,
        outcome: run.sym(plan.outcome),
        entry: plan.entry,
        value: plan.value,
        taken,
        spendable: plan.can_be_spent,
        until: plan.until,
        slot: giving.slot,
        also: plan.also.map(|name| run.sym(name)),
    };
    if plan.lines.is_empty() {
        granted(actor.run, &gift, &key);
        let instance = &mut actor.it;
        keep_amount(&mut instance.locals, &gift);
        trace_of(actor, &gift);
        return Given::Now(plan.outcome);
    }
    let ask = ask(actor, step, &key, gift, from);
    actor.run.state.asks.push(ask);
    actor.run.effect(Effect::Reserve(Box::new(Reserve { key, lines: plan.lines })));
    Given::Asked
}

fn refused(actor: &mut Actor, what: Sym, outcome: &'static str) -> Given {
    let sym = actor.run.fixed(outcome);
    actor.trace(Decision::NotGiven { what, outcome: sym });
    Given::Now(Name::new(outcome))
}

fn trace_of(actor: &mut Actor, gift: &Gift) {
    for what in gift.names() {
        actor.trace(Decision::Granted { what, amount: gift.value.clone() });
    }
}

/// The ledger has answered.
pub(super) fn permit(run: &mut Run, key: &MessageKey, short: Option<Short>) {
    let Some(at) = run.state.asks.iter().position(|ask| is_of(run, ask, key)) else { return };
    let ask = run.state.asks.remove(at);
    let outcome = match short {
        None => {
            granted(run, &ask.gift, key);
            for what in ask.gift.names() {
                trace(run, &ask, Decision::Granted { what, amount: ask.gift.value.clone() });
            }
            ask.gift.outcome
        }
        Some(short) => {
            let outcome = release(run, &ask, key, short);
            trace(run, &ask, Decision::NotGiven { what: ask.gift.what, outcome });
            outcome
        }
    };
    if let Some(from) = &ask.from {
        let Some(outcome) = run.world.symbols.name(outcome) else { return };
        let amount = if short.is_none() { ask.gift.value.clone() } else { Value::Missing };
        return report(run, from, key, ask.node, Some((outcome, amount)));
    }
    let stands = |instance: &super::state::Instance| {
        instance.journey == ask.journey
            && instance.key == ask.entry
            && instance.subject == ask.subject
            && instance.node == ask.node
    };
    let Some(at) = run.state.instances.iter().position(stands) else { return };
    let Some(outcome) = run.world.symbols.name(outcome) else { return };
    super::with_actor(run, at, |mut actor| {
        if short.is_none() {
            keep_amount(&mut actor.it.locals, &ask.gift);
        }
        actor.permitted(outcome)
    });
}

/// Gives back what was held. A prize that has run out was still drawn for: the chance is spent.
fn release(run: &mut Run, ask: &Ask, key: &MessageKey, short: Short) -> Sym {
    account(run, ask.gift.what).remove(&ask.gift.entry);
    uncount(run, ask);
    let drawn = ask.gift.outcome != run.fixed(outcome::GRANTED);
    let outcome = match short {
        Short::SoldOut if drawn => outcome::BLANK,
        Short::SoldOut => outcome::SOLD_OUT,
        Short::BudgetGone => outcome::BUDGET_GONE,
        Short::NoLedger => outcome::REFUSED,
    };
    if outcome == outcome::BLANK {
        draw::spent(run, key, ask.gift.taken.as_ref());
    } else {
        give_back(run, &ask.gift);
    }
    let drawn = match short {
        Short::SoldOut => Outcome::SoldOut,
        Short::BudgetGone => Outcome::BudgetGone,
        Short::NoLedger => Outcome::Refused,
    };
    draw::told(run, &ask.gift, key, drawn);
    run.fixed(outcome)
}

/// What was to be given for having invited somebody no longer counts there.
fn uncount(run: &mut Run, ask: &Ask) {
    let loaded = run.world.index().program(ask.program);
    let node = loaded.and_then(|loaded| loaded.program.nodes.get(usize::from(ask.node)));
    let Some(NodeKind::Give { giving: Giving { counts: Some(referral), .. }, .. }) =
        node.map(|node| &node.kind)
    else {
        return;
    };
    let declared = run.world.bundle.values.referrals.get(referral);
    let open = declared.and_then(|declared| declared.open.as_ref());
    let opening = open.and_then(|open| super::opening::current(open, run.world, run.now));
    let place = run.sym(value::inviters(*referral));
    account(run, place).remove(&Entry { opening, ..ask.gift.entry });
}

/// It is given: what can be spent is put to the rest, and everybody hears of it.
fn granted(run: &mut Run, gift: &Gift, key: &MessageKey) {
    let now = run.now;
    if gift.spendable {
        account(run, gift.what).put((gift.until, gift.entry.amount), now);
    }
    let name = |sym| run.world.symbols.name(sym);
    if let Some(referral) = name(gift.what)
        && run.world.bundle.values.referrals.contains_key(&referral)
    {
        let identity: Arc<str> = format!("{key}#{referral}").into();
        let occurrence = Occurrence::of_qualified(referral, &gift.value, identity, run);
        return run.follow(Follow::Occurrence(occurrence));
    }
    let booking = Booking {
        key: key.clone(),
        what: gift.names().filter_map(name).collect(),
        amount: gift.entry.amount,
        can_be_spent: gift.spendable,
        until: gift.until,
        taken: gift.taken.as_ref().and_then(|(what, lots)| Some((name(*what)?, lots.clone()))),
    };
    run.effect(Effect::Book(Box::new(booking)));
    draw::told(run, gift, key, Outcome::Won);
    for what in gift.names() {
        let Some(name) = run.world.symbols.name(what) else { continue };
        let identity: Arc<str> = format!("{key}#{name}").into();
        let occurrence = Occurrence::of_grant(name, &gift.value, identity, run);
        run.follow(Follow::Occurrence(occurrence));
    }
}

fn keep_amount(locals: &mut [(Value, Option<Timestamp>)], gift: &Gift) {
    let slot = gift.slot.and_then(|slot| locals.get_mut(usize::from(slot)));
    if let Some(local) = slot {
        *local = (gift.value.clone(), None);
    }
}

fn account<'r>(run: &'r mut Run, what: Sym) -> &'r mut Account {
    let accounts = &mut run.state.accounts;
    let at = accounts.partition_point(|account| account.what < what);
    if accounts.get(at).is_none_or(|account| account.what != what) {
        accounts.insert(at, Account::new(what));
    }
    // Just put there.
    #[allow(clippy::indexing_slicing, reason = "inserted above if it was not there")]
    &mut accounts[at]
}

/// The identity of this gift: the instance, the step, and what `key` says.
fn key_of(actor: &Actor, step: Name, giving: &Giving) -> MessageKey {
    let run = &*actor.run;
    let text = |sym| run.world.index().text(sym);
    let step: Arc<str> = match &giving.key {
        Some(key) => format!("{step}#{}", super::message::key_text(&eval(key, &actor.scene()))).into(),
        None => step.as_str().into(),
    };
    let child = actor.it.subject.0.as_ref().map(|(entity, id)| (text(*entity), id.clone()));
    MessageKey {
        journey: text(actor.it.journey),
        root: run.root.id.clone(),
        child,
        entry: actor.it.key.clone(),
        step,
    }
}

fn is_of(run: &Run, ask: &Ask, key: &MessageKey) -> bool {
    let text = |sym| run.world.index().text(sym);
    let (root, child) = match &ask.from {
        Some(from) => (&from.root.id, from.child.clone()),
        None => (&run.root.id, ask.subject.0.as_ref().map(|(entity, id)| (text(*entity), id.clone()))),
    };
    ask.entry == key.entry
        && ask.key == key.step
        && text(ask.journey) == key.journey
        && *root == key.root
        && child == key.child
}

fn trace(run: &mut Run, ask: &Ask, what: Decision) {
    run.out.trace.push(Trace {
        at: run.now,
        journey: Some(ask.journey),
        subject: ask.subject.clone(),
        entry: Some(ask.entry.clone()),
        program: Some(ask.program),
        node: Some(ask.node),
        what,
    });
}
