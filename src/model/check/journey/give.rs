//! `grant`, `draw`, `exchange`: what is given, how much, and every way in which it may not be.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, code, suggest};
use crate::expr::Expr;
use crate::model::check::expr::{Checker, give::slot_name};
use crate::model::check::words;
use crate::model::check::world::Kind;
use crate::model::journey::{GiveTail, StepKind};
use crate::name::Name;
use crate::program::value::{self, outcome};
use crate::program::{Addressee, Give, Giving};
use crate::syntax::ast::{self, ExprKind, Ident};
use crate::text::Span;
use crate::value::{Type, Value};

/// What can become of it.
struct Outcomes {
    good: Vec<Name>,
    bad: Vec<Name>,
    /// For help: what is given.
    what: Option<Name>,
}

/// Something to give: what it is, what can become of it, and where its amount is kept.
struct Gift {
    give: Give,
    outcomes: Outcomes,
    slot: Option<(Name, Type)>,
}

impl Checker<'_, '_> {
    pub(super) fn grant(&mut self, written: &ast::Give) -> Option<StepKind> {
        self.to_others = written.to.is_some();
        let gift = self.gift(written);
        self.to_others = false;
        self.giving(written, gift)
    }

    pub(super) fn draw(&mut self, written: &ast::Give) -> Option<StepKind> {
        let declared = self.world.expect_path(&mut self.sink, self.file, &written.what.path, Kind::Lottery);
        self.no_amount(written, "a draw has no amount");
        let gift = declared.and_then(|declared| {
            let lottery = self.world.model.values.lotteries.get(&declared.name)?;
            self.belongs(lottery.subject, &written.what.path);
            let prizes = lottery.prizes.iter().map(|prize| prize.name).collect();
            let mut bad = vec![outcome::BLANK, outcome::NO_CHANCE, outcome::REFUSED];
            bad.extend(lottery.open.is_some().then_some(outcome::CLOSED));
            bad.extend(lottery.budget.is_some().then_some(outcome::BUDGET_GONE));
            let outcomes = Outcomes { good: prizes, bad: named(&bad), what: Some(declared.name) };
            Some(Gift { give: Give::Draw { lottery: declared.name }, outcomes, slot: None })
        });
        self.giving(written, gift)
    }

    pub(super) fn exchange(&mut self, written: &ast::Exchange) -> Option<StepKind> {
        let ast::Exchange { amount, points, give: written } = written;
        let cost = self.amount(amount, &Type::Int);
        let declared = self.world.expect_path(&mut self.sink, self.file, points, Kind::Points);
        if let Some(owned) = declared.and_then(|one| self.world.model.values.points.get(&one.name)) {
            self.belongs(owned.subject, points);
        }
        self.no_amount(written, "what is had in exchange has its own value");
        let gift = self.reward(written);
        let gift = match (declared, gift) {
            (Some(declared), Some(Gift { give: Give::Reward { what, .. }, mut outcomes, slot })) => {
                outcomes.bad.push(Name::new(outcome::TOO_FEW));
                let give = Give::Exchange { amount: cost, points: declared.name, what };
                Some(Gift { give, outcomes, slot })
            }
            _ => None,
        };
        self.giving(written, gift)
    }

    fn giving(&mut self, written: &ast::Give, gift: Option<Gift>) -> Option<StepKind> {
        let to = match (&written.to, &gift) {
            (None, gift) => {
                if matches!(gift, Some(Gift { give: Give::Reward { .. } | Give::Exchange { .. }, .. })) {
                    self.person_gets(written.what.span);
                }
                None
            }
            (Some(to), Some(gift)) => self.gift_to(to, &gift.give),
            (Some(_), None) => None,
        };
        let key = written.key.as_ref().and_then(|key| self.key(key));
        let slot = gift.as_ref().and_then(|gift| self.amount_slot(gift, written));
        let tail = self.give_tail(written, gift.as_ref().map(|gift| &gift.outcomes), slot);
        let give = gift?.give;
        let giving = Giving { give, key, slot, budget: self.budget, to, counts: None };
        Some(StepKind::Give(Box::new(giving), tail))
    }

    /// Somebody else who gets it. What an `exchange` costs is the subject's own; a chance is drawn by who holds it.
    fn gift_to(&mut self, to: &ast::Expr, give: &Give) -> Option<Addressee> {
        let owner = match give {
            Give::Reward { .. } | Give::Exchange { .. } | Give::Qualify { .. } => None,
            Give::Points { points, .. } => {
                self.world.model.values.points.get(points).map(|points| points.subject)
            }
            Give::Chance { lottery } => {
                self.world.model.values.lotteries.get(lottery).map(|lottery| lottery.subject)
            }
            Give::Draw { .. } => {
                let headline = "who draws is who holds the chance";
                let finding = Diagnostic::new(code::ADDRESSEE, to.span, headline).label("cannot be another");
                self.report(
                    finding.help("leave `to …` out: the subject draws").help(
                        "or `grant` the other one a chance with `to …`, and let a journey of theirs draw",
                    ),
                );
                return None;
            }
        };
        self.gifted(to, owner)
    }

    fn gift(&mut self, written: &ast::Give) -> Option<Gift> {
        let path = &written.what.path;
        let found = self.world.find_path(&mut self.sink, self.file, &path.parts);
        match found.map(|(declared, taken)| (declared, path.parts.get(taken..).unwrap_or_default())) {
            Some((declared, [])) if declared.kind == Kind::Points => self.points(declared.name, written),
            Some((declared, rest)) if declared.kind == Kind::Lottery => {
                self.no_amount(written, "one chance is granted at a time");
                if !matches!(rest, [part] if part.name.as_str() == "chance") {
                    let headline = format!("what is granted of lottery `{}` is a chance", declared.name);
                    let finding = Diagnostic::new(code::WRONG_KIND, path.span, headline).label("a lottery");
                    self.report(finding.help(format!("write `grant {}.chance`", declared.name)));
                    return None;
                }
                let lottery = self.world.model.values.lotteries.get(&declared.name)?;
                self.belongs(lottery.subject, path);
                let mut bad = vec![outcome::REFUSED];
                bad.extend(lottery.open.is_some().then_some(outcome::CLOSED));
                bad.extend((!lottery.limits.is_empty()).then_some(outcome::LIMITED));
                let what = Some(value::chance(declared.name));
                let outcomes = Outcomes { good: named(&[outcome::GRANTED]), bad: named(&bad), what };
                Some(Gift { give: Give::Chance { lottery: declared.name }, outcomes, slot: None })
            }
            _ => self.reward(written),
        }
    }

    fn points(&mut self, points: Name, written: &ast::Give) -> Option<Gift> {
        let Some(amount) = &written.amount else {
            let headline = format!("how many `{points}` is not said");
            let finding = Diagnostic::new(code::GIVE_AMOUNT, written.what.span, headline).label("points");
            self.report(finding.help(format!("write `grant {points} amount 10`")));
            return None;
        };
        let amount = self.amount(amount, &Type::Int);
        let declared = self.world.model.values.points.get(&points)?;
        self.belongs(declared.subject, &written.what.path);
        let mut bad = vec![outcome::REFUSED];
        bad.extend((!declared.limits.is_empty()).then_some(outcome::LIMITED));
        bad.extend((declared.budget.is_some() || self.budget.is_some()).then_some(outcome::BUDGET_GONE));
        let outcomes = Outcomes { good: named(&[outcome::GRANTED]), bad: named(&bad), what: Some(points) };
        Some(Gift { give: Give::Points { points, amount }, outcomes, slot: Some((points, Type::Int)) })
    }

    /// A reward by its name, or one that a table or an event names.
    fn reward(&mut self, written: &ast::Give) -> Option<Gift> {
        let call = &written.what;
        let kind = if call.args.is_empty() {
            ExprKind::Path(call.path.clone())
        } else {
            ExprKind::Call { callee: call.path.clone(), args: call.args.clone() }
        };
        let named_reward = call.args.is_empty() && {
            let found = self.world.find_path(&mut self.sink, self.file, &call.path.parts);
            match found {
                Some((declared, taken)) if taken == call.path.parts.len() => declared.kind == Kind::Reward,
                None if call.path.parts.len() == 1 && !self.is_taken(call.path.parts.first()?.name) => {
                    self.world.expect_path(&mut self.sink, self.file, &call.path, Kind::Reward);
                    return None;
                }
                _ => false,
            }
        };
        let named_reward = named_reward || self.is_given(&call.path);
        let what = self.expect(&ast::Expr { kind, span: call.span }, &Type::Reward);
        let name = match &what {
            Expr::Const(Value::Choice(name)) if named_reward || call.path.parts.len() == 2 => Some(*name),
            Expr::Const(_) => return None,
            _ => None,
        };
        if let Some(name) = name {
            self.may_give(name, call.span);
        }
        let amount = self.reward_amount(name, written);
        let ty =
            name.and_then(|name| self.amount_of(name)).or_else(|| amount.as_ref().map(|(_, ty)| ty.clone()));
        let outcomes = self.outcomes_of_reward(name);
        let slot = name.zip(ty);
        Some(Gift { give: Give::Reward { what, amount: amount.map(|(amount, _)| amount) }, outcomes, slot })
    }

    /// What is for some journeys alone is neither given nor promised by another.
    pub(super) fn may_give(&mut self, reward: Name, span: Span) {
        let declared = self.world.model.values.rewards.get(&reward);
        let Some((declared, journey)) = declared.zip(self.messages) else { return };
        if declared.is_given_by(journey) {
            return;
        }
        let those: Vec<String> = declared.only.iter().map(|name| format!("`{name}`")).collect();
        let headline = format!("`{reward}` is for {} alone, not for `{journey}`", those.join(", "));
        let finding = Diagnostic::new(code::EXCLUSIVE, span, headline).label("exclusive");
        let help = format!("name `{journey}` behind its `only`, or give something else here");
        self.report(finding.help(help));
    }

    fn outcomes_of_reward(&self, name: Option<Name>) -> Outcomes {
        let reward = name.and_then(|name| self.world.model.values.rewards.get(&name));
        let has = |test: fn(&value::Reward) -> bool| reward.is_none_or(test);
        let mut bad = vec![outcome::REFUSED];
        bad.extend(has(value::Reward::runs_out).then_some(outcome::SOLD_OUT));
        bad.extend(has(|reward| !reward.limits.is_empty()).then_some(outcome::LIMITED));
        bad.extend(has(|reward| reward.open.is_some()).then_some(outcome::CLOSED));
        let paid = self.budget.is_some() || has(|reward| reward.budget.is_some());
        bad.extend(paid.then_some(outcome::BUDGET_GONE));
        Outcomes { good: named(&[outcome::GRANTED]), bad: named(&bad), what: name }
    }

    /// The amount said, if one is; whether one must be, the reward decides.
    fn reward_amount(&mut self, name: Option<Name>, written: &ast::Give) -> Option<(Expr, Type)> {
        let reward = name.and_then(|name| self.world.model.values.rewards.get(&name));
        let Some(amount) = &written.amount else {
            let paid = self.budget.is_some() || reward.is_some_and(|reward| reward.budget.is_some());
            let in_money = reward.is_some_and(|reward| reward.limits.iter().any(|limit| limit.of_amount));
            if let Some(reward) = reward.filter(|reward| reward.value.is_none())
                && (reward.kind.as_str() == "cashback" || paid || in_money)
            {
                let headline = format!("how much `{}` this is, is not said", written.what.path.text());
                let finding = Diagnostic::new(code::GIVE_AMOUNT, written.what.span, headline);
                let finding = finding.label("has no value of its own");
                self.report(
                    finding
                        .help("write `amount` and how much behind it: `amount event.amount * 5%`")
                        .help("or give the reward a `value`"),
                );
            }
            return None;
        };
        if reward.is_some_and(|reward| reward.value.is_some()) {
            self.no_amount(written, "this reward has a value of its own");
            return None;
        }
        let typed = self.expr(amount, None);
        let typed = self.present(amount, typed);
        let want = name.and_then(|name| self.amount_of(name));
        match (&typed.ty, want) {
            (Type::Error, _) => None,
            (_, Some(want)) => Some((self.coerce(amount, typed, &want), want)),
            (Type::Money(_), None) => Some((typed.expr, typed.ty)),
            (other, None) => {
                let headline =
                    format!("{} is {}, not an amount", words::quote(amount), words::of_type(other));
                let finding =
                    Diagnostic::new(code::GIVE_AMOUNT, amount.span, headline).label(other.to_string());
                self.report(finding.help("write an amount with its currency: `200 CNY`"));
                None
            }
        }
    }

    fn amount(&mut self, written: &ast::Expr, ty: &Type) -> Expr {
        let value = self.expect(written, ty);
        if let Expr::Const(Value::Int(number)) = &value
            && *number <= 0
        {
            let headline = format!("{} is nothing to give", words::quote(written));
            let finding = Diagnostic::new(code::GIVE_AMOUNT, written.span, headline).label("not above zero");
            self.report(finding.help("write how many: one or more"));
        }
        value
    }

    fn no_amount(&mut self, written: &ast::Give, headline: &str) {
        if let Some(amount) = &written.amount {
            let finding = Diagnostic::new(code::GIVE_AMOUNT, amount.span, headline).label("not needed here");
            self.report(finding.help("leave `amount …` out"));
        }
    }

    fn belongs(&mut self, of: Name, path: &ast::Path) {
        if !self.to_others && self.owner_of(of).is_none() {
            let headline = format!("`{}` is of `{of}`", path.text());
            let finding =
                Diagnostic::new(code::OTHER_SUBJECT, path.span, headline).label("another kind of subject");
            self.report(finding.help("give it in a journey of that subject"));
        }
    }

    /// Where the instance keeps what it was granted.
    fn amount_slot(&mut self, gift: &Gift, written: &ast::Give) -> Option<u16> {
        let (what, ty) = gift.slot.as_ref()?;
        let name = slot_name(*what);
        if let Some(known) = self.locals.iter().position(|local| local.name == name) {
            return u16::try_from(known).ok();
        }
        self.new_slot(Ident { name, span: written.what.span }, ty.clone(), None)
    }

    fn give_tail(&mut self, written: &ast::Give, outcomes: Option<&Outcomes>, slot: Option<u16>) -> GiveTail {
        let tail = &written.tail;
        self.time_passes();
        let base = self.flow();
        let mut ways = Vec::new();
        let mut seen: BTreeSet<Name> = BTreeSet::new();
        let mut arms = Vec::new();
        for arm in &tail.outcomes {
            let mut names = Vec::new();
            for word in &arm.outcomes {
                if self.give_outcome(*word, outcomes, &mut seen) {
                    names.push(word.name);
                }
            }
            self.set_flow(base.clone());
            let good = outcomes.is_some_and(|known| names.iter().all(|name| known.good.contains(name)));
            if good && !names.is_empty() {
                self.assigned.extend(slot);
            }
            let steps = self.body(&arm.body);
            ways.push(self.flow());
            arms.push((names, steps));
        }
        let otherwise = tail.otherwise.as_ref().map(|body| {
            self.set_flow(base.clone());
            let steps = self.body(body);
            ways.push(self.flow());
            steps
        });
        let all = |known: &[Name]| known.iter().all(|name| seen.contains(name));
        let bad_named = outcomes.is_none_or(|known| all(&known.bad));
        let good_named = outcomes.is_some_and(|known| all(&known.good));
        if otherwise.is_none() && !bad_named {
            self.tail_missing(written, outcomes, &seen);
        }
        if !good_named {
            self.set_flow(base);
            self.assigned.extend(slot);
            ways.push(self.flow());
        }
        self.meet(ways);
        GiveTail { arms, otherwise, goes_on: !good_named }
    }

    fn give_outcome(&mut self, word: Ident, outcomes: Option<&Outcomes>, seen: &mut BTreeSet<Name>) -> bool {
        let Some(known) = outcomes else { return true };
        let name = word.name;
        if known.good.contains(&name) || known.bad.contains(&name) {
            if seen.insert(name) {
                return true;
            }
            let finding = Diagnostic::new(code::GIVE_OUTCOME, word.span, format!("`{name}` is said twice"));
            self.report(finding.label("again here").help("keep one of them"));
            return false;
        }
        let all: Vec<&str> = known.good.iter().chain(&known.bad).map(|name| name.as_str()).collect();
        let of = known.what.map_or_else(|| "this".to_owned(), |what| format!("`{what}`"));
        let headline = format!("`{name}` never becomes of {of}");
        let finding = Diagnostic::new(code::GIVE_OUTCOME, word.span, headline).label("cannot happen");
        let why = match name.as_str() {
            outcome::SOLD_OUT => Some("it has neither `stock` nor `codes`"),
            outcome::LIMITED => Some("it has no `limit`"),
            outcome::CLOSED => Some("it has no `open`"),
            outcome::BUDGET_GONE => Some("no `budget` pays for it"),
            _ => None,
        };
        let finding = match why {
            Some(why) => finding.help(format!("take it out: {why}")),
            None => match suggest::did_you_mean(name.as_str(), all.iter().copied()) {
                Some(help) => finding.help(help),
                None => finding.help(format!("its outcomes are `{}`", all.join("`, `"))),
            },
        };
        self.report(finding);
        false
    }

    /// A reward that silently fails is a complaint.
    fn tail_missing(&mut self, written: &ast::Give, outcomes: Option<&Outcomes>, seen: &BTreeSet<Name>) {
        let open: Vec<String> = outcomes
            .map(|known| {
                known.bad.iter().filter(|name| !seen.contains(name)).map(|name| format!("`{name}`")).collect()
            })
            .unwrap_or_default();
        let headline = format!("what if `{}` cannot be given is not said", written.what.path.text());
        let finding = Diagnostic::new(code::GIVE_TAIL, written.what.span, headline);
        self.report(
            finding
                .label(format!("may be {}", open.join(", ")))
                .help("behind the step (where it has branches, behind their `}`), write `else end …` or `else continue`")
                .help("or a branch for each: `{ on … end … }`"),
        );
    }
}

fn named(words: &[&'static str]) -> Vec<Name> {
    words.iter().map(|word| Name::new(word)).collect()
}
