//! What was given: `granted(fuel_rush)`, `granted(abroad_cashback).amount`, `balance(stars)`.

use super::{Checker, Typed};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::Expr;
use crate::model::check::pattern::{Happening, granted};
use crate::model::check::world::Kind;
use crate::name::Name;
use crate::program::value;
use crate::syntax::ast::{Arg, ExprKind, Ident, Path};
use crate::text::Span;
use crate::value::Type;

impl Checker<'_, '_> {
    /// `granted(fuel_rush)`, `granted(weekly_draw.chance)`
    pub(in crate::model::check) fn granted_called(&mut self, span: Span, args: &[Arg]) -> Option<Happening> {
        let [Arg { name: None, value, .. }] = args else {
            let finding = Diagnostic::new(code::WRONG_ARGUMENTS, span, "`granted` is of one reward");
            self.report(finding.label("which one?").help("write `granted(x)` with the name of a reward"));
            return None;
        };
        let ExprKind::Path(path) = &value.kind else {
            let finding =
                Diagnostic::new(code::WRONG_ARGUMENTS, value.span, "the name of a reward is wanted here");
            self.report(finding.label("not a name").help("write for example `granted(fuel_rush)`"));
            return None;
        };
        let (name, amount) = self.gift_named(path)?;
        Some(granted(Some(name), amount))
    }

    /// What can be given, by its name in events, and the type of its amounts.
    pub(in crate::model::check) fn gift_named(&mut self, path: &Path) -> Option<(Name, Option<Type>)> {
        let found = self.world.find_path(&mut self.sink, self.file, &path.parts);
        let Some((declared, taken)) = found else {
            let kinds = [Kind::Reward, Kind::Points, Kind::Lottery];
            let among = self.world.visible_of(self.file, &kinds);
            let first = path.parts.first().copied()?;
            let finding = self.world.unknown(self.file, first, Kind::Reward.words(), &among);
            self.report(finding);
            return None;
        };
        let values = &self.world.model.values;
        let rest = path.parts.get(taken..).unwrap_or_default();
        match (declared.kind, rest) {
            (Kind::Reward, []) => Some((declared.name, self.amount_of(declared.name))),
            (Kind::Points, []) => Some((declared.name, Some(Type::Int))),
            (Kind::Lottery, [part]) => {
                let lottery = values.lotteries.get(&declared.name)?;
                if part.name.as_str() == "chance" {
                    return Some((value::chance(declared.name), Some(Type::Int)));
                }
                if let Some(prize) = lottery.prizes.iter().find(|prize| prize.name == part.name) {
                    let amount = prize.value.map(|money| Type::Money(money.currency));
                    return Some((value::below(declared.name, prize.name), amount));
                }
                let names: Vec<&str> = lottery.prizes.iter().map(|prize| prize.name.as_str()).collect();
                let headline = format!("lottery `{}` has no `{}`", declared.name, part.name);
                let finding =
                    Diagnostic::new(code::UNKNOWN_FIELD, part.span, headline).label("no such prize");
                self.report(finding.help(format!("it has `chance` and the prizes `{}`", names.join("`, `"))));
                None
            }
            _ => {
                let headline = format!("`{}` is nothing that can be given", path.text());
                let finding = Diagnostic::new(code::WRONG_KIND, path.span, headline);
                let finding = finding.label(declared.kind.words()).also(declared.span, "declared here");
                self.report(finding.help("rewards, points, and chances and prizes of a lottery can be"));
                None
            }
        }
    }

    /// The currency that a reward is paid in, if it has one.
    pub(in crate::model::check) fn amount_of(&self, reward: Name) -> Option<Type> {
        let values = &self.world.model.values;
        let reward = values.rewards.get(&reward)?;
        let budget = reward.budget.and_then(|budget| values.budgets.get(&budget)).map(|budget| budget.total);
        reward.value.or(budget).map(|money| Type::Money(money.currency))
    }

    /// `granted(abroad_cashback).amount`: what this instance was granted.
    pub(super) fn amount_granted(&mut self, args: &[Arg], part: Ident) -> Typed {
        if part.name.as_str() != "amount" {
            let headline = format!("what was granted has no `{}`", part.name);
            let finding = Diagnostic::new(code::UNKNOWN_FIELD, part.span, headline).label("no such part");
            self.report(finding.help("write `.amount`"));
            return Typed::error();
        }
        let [Arg { value, .. }] = args else {
            self.granted_called(part.span, args);
            return Typed::error();
        };
        let ExprKind::Path(path) = &value.kind else {
            self.granted_called(part.span, args);
            return Typed::error();
        };
        let Some((name, _)) = self.gift_named(path) else { return Typed::error() };
        let slot_name = slot_name(name);
        let Some(slot) = self.locals.iter().position(|local| local.name == slot_name) else {
            let headline = format!("no step before this one grants an amount of `{name}`");
            let finding =
                Diagnostic::new(code::NOT_GRANTED, value.span, headline).label("nothing granted yet");
            self.report(finding.help(format!("write `grant {name} …` above, and read its amount behind it")));
            return Typed::error();
        };
        let ty = self.locals.get(slot).map_or(Type::Error, |local| local.ty.clone());
        let slot = u16::try_from(slot).unwrap_or(u16::MAX);
        self.must_be_assigned(slot, value.span);
        Typed::new(Expr::Local(slot), ty)
    }

    /// `balance(stars)`
    pub(super) fn balance(&mut self, callee: &Path, args: &[Arg]) -> Typed {
        let path = match args {
            [Arg { name: None, value, .. }] => match &value.kind {
                ExprKind::Path(path) => Some(path),
                _ => None,
            },
            _ => None,
        };
        let Some(path) = path else {
            let finding =
                Diagnostic::new(code::WRONG_ARGUMENTS, callee.span, "`balance` is of one kind of points");
            self.report(finding.label("of which?").help("write for example `balance(stars)`"));
            return Typed::error();
        };
        let Some(declared) = self.world.expect_path(&mut self.sink, self.file, path, Kind::Points) else {
            return Typed::error();
        };
        let Some(points) = self.world.model.values.points.get(&declared.name) else { return Typed::error() };
        let Some(owner) = self.owner_of(points.subject) else {
            let headline = format!("points `{}` belong to a `{}`", declared.name, points.subject);
            let finding =
                Diagnostic::new(code::OTHER_SUBJECT, path.span, headline).label("of another subject");
            self.report(finding.help("ask for them in a journey, metric or content of that subject"));
            return Typed::error();
        };
        Typed::new(Expr::Balance(owner, declared.name), Type::Int)
    }
}

/// What an instance calls the amount it was granted: no name of the language can be spelled so.
pub(in crate::model::check) fn slot_name(what: Name) -> Name {
    Name::new(&format!("granted({what}).amount"))
}
