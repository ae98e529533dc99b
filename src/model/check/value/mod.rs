//! What is given: budgets, rewards, points, lotteries, referrals.
//!
//! Each has a room; here is what they share: constants, names said twice, and when something is open.

mod budget;
mod limit;
mod lottery;
mod points;
mod referral;
mod reward;

use std::sync::Arc;

use super::expr::{Checker, Place};
use super::schedule::{self, Place as ScheduleAt};
use super::world::{Declared, Kind, Sink, World};
use super::{length, schema, words};
use crate::diagnostic::{Code, Diagnostic, code};
use crate::expr::Expr;
use crate::model::{Event, Field};
use crate::name::Name;
use crate::program::Opening;
use crate::program::entry::Schedule;
use crate::program::value::{INVITER, JOINED, QUALIFIED, REFERRAL};
use crate::syntax::ast::{self, BinaryOp, DeclKind, ExprKind};
use crate::text::Span;
use crate::value::{Money, Type, Value};

fn is_value(kind: Kind) -> bool {
    matches!(kind, Kind::Reward | Kind::Points | Kind::Lottery | Kind::Referral)
}

/// Checks them all. Budgets come first, because the others are paid from them.
pub(super) fn values(world: &mut World, sink: &mut Sink) {
    for declared in world.due_of(|kind| kind == Kind::Budget) {
        if let DeclKind::Budget(items) = &declared.decl.kind
            && let Some(budget) = budget::budget(&mut Reader::new(world, &declared, sink), items)
        {
            world.model.values.budgets.insert(declared.name, budget);
        }
    }
    for declared in world.due_of(is_value) {
        let mut reader = Reader::new(world, &declared, sink);
        match &declared.decl.kind {
            DeclKind::Reward(items) => {
                let reward = reward::reward(&mut reader, items);
                world.model.values.rewards.insert(declared.name, reward);
            }
            DeclKind::Points(items) => {
                if let Some(points) = points::points(&mut reader, items) {
                    world.model.values.points.insert(declared.name, points);
                }
            }
            DeclKind::Lottery(items) => {
                if let Some(lottery) = lottery::lottery(&mut reader, items) {
                    world.model.values.lotteries.insert(declared.name, lottery);
                }
            }
            DeclKind::Referral(items) => {
                if let Some(referral) = referral::referral(&mut reader, items) {
                    world.model.referrals.insert(declared.name, referral);
                }
            }
            _ => {}
        }
    }
    referral_events(world);
}

/// What becomes of somebody invited.
pub(super) const REFERRAL_EVENTS: [&str; 2] = [JOINED, QUALIFIED];

/// The events of referrals, where there are any: `joined(friends)`, `qualified(friends)`.
fn referral_events(world: &mut World) {
    let Some(first) = world.model.referrals.values().next() else { return };
    let (subject, span) = (first.subject, first.span);
    let names: Vec<Name> = world.model.referrals.keys().copied().collect();
    let field = |name: &str, ty: Type| Field {
        name: Name::new(name),
        label: None,
        ty,
        daily: false,
        class: None,
        purposes: Vec::new(),
        value: None,
        span,
    };
    for word in REFERRAL_EVENTS.map(Name::new) {
        if world.decls.contains_key(&word) {
            continue;
        }
        let fields = vec![
            field(REFERRAL, Type::OneOf(names.clone())),
            field(INVITER, Type::Entity(subject).optional()),
        ];
        let event = Event {
            name: word,
            label: None,
            subject,
            fields,
            source: None,
            late: None,
            captures: Vec::new(),
            span,
        };
        world.model.events.insert(word, event);
    }
}

/// Reads the items of one declaration.
pub(super) struct Reader<'w, 'a, 's> {
    world: &'w World<'a>,
    declared: Declared<'a>,
    sink: &'s mut Sink,
}

impl<'w, 'a, 's> Reader<'w, 'a, 's> {
    pub(super) fn new(world: &'w World<'a>, declared: &Declared<'a>, sink: &'s mut Sink) -> Self {
        Self { world, declared: *declared, sink }
    }

    fn label(&self) -> Option<Arc<str>> {
        schema::label(self.declared.decl)
    }

    fn report(&mut self, finding: Diagnostic) {
        self.sink.report(finding);
    }

    /// Something about the whole declaration.
    fn complain(&mut self, code: Code, what: &str, label: &str, help: &str) {
        let headline = format!("{} `{}` {what}", self.declared.decl.word.name, self.declared.name);
        self.report(Diagnostic::new(code, self.declared.span, headline).label(label).help(help));
    }

    /// Takes what is said for the first time; the second is reported.
    fn once<T>(&mut self, slot: &mut Option<T>, value: Option<T>, word: &str, span: Span) {
        if slot.is_some() {
            let finding = Diagnostic::new(code::VALUE_ITEM, span, format!("`{word}` is said twice"));
            self.report(finding.label("again here").help("keep one of them"));
        } else {
            *slot = value;
        }
    }

    fn checker(&self, subject: Option<Name>) -> Checker<'w, 'a> {
        Checker::new(self.world, self.declared.file, Place::Derived, subject)
    }

    fn absorb(&mut self, checker: &mut Checker) {
        self.sink.findings.append(&mut checker.sink.findings);
        self.sink.used_too(std::mem::take(&mut checker.sink.used));
    }

    /// The value of a constant; `None` once it has been reported that it is none.
    fn constant(&mut self, expr: &ast::Expr) -> Option<Value> {
        let mut checker = self.checker(None);
        let typed = checker.expr(expr, None);
        self.absorb(&mut checker);
        match typed.expr {
            Expr::Const(Value::Missing) => None,
            Expr::Const(value) => Some(value),
            _ => {
                let finding = Diagnostic::new(code::VALUE_ITEM, expr.span, "a fixed value is wanted here");
                self.report(finding.label("worked out").help("write it as a number or an amount"));
                None
            }
        }
    }

    /// An amount above nothing.
    fn money(&mut self, expr: &ast::Expr) -> Option<Money> {
        match self.constant(expr)? {
            Value::Money(money) if money.minor > 0 => Some(money),
            _ => {
                let headline = format!("{} is not an amount above zero", words::quote(expr));
                let finding = Diagnostic::new(code::VALUE_ITEM, expr.span, headline).label("not an amount");
                self.report(finding.help("write it with its currency, for example `20 CNY`"));
                None
            }
        }
    }

    /// A whole number above nothing.
    fn number(&mut self, expr: &ast::Expr) -> Option<i64> {
        match self.constant(expr)? {
            Value::Int(number) if number > 0 => Some(number),
            _ => {
                let headline = format!("{} is not a whole number above zero", words::quote(expr));
                let finding =
                    Diagnostic::new(code::VALUE_ITEM, expr.span, headline).label("not such a number");
                self.report(finding.help("write for example `500`"));
                None
            }
        }
    }

    /// The name of something declared as `kind`.
    fn named(&mut self, path: &ast::Path, kind: Kind) -> Option<Name> {
        Some(self.world.expect_path(self.sink, self.declared.file, path, kind)?.name)
    }

    /// The budget, which must be in the currency of what it pays.
    fn budget(&mut self, path: &ast::Path, pays: Option<Money>) -> Option<Name> {
        let name = self.named(path, Kind::Budget)?;
        let total = self.world.model.values.budgets.get(&name)?.total;
        if let Some(pays) = pays.filter(|pays| pays.currency != total.currency) {
            let headline =
                format!("budget `{name}` is in {}, and this is paid in {}", total.currency, pays.currency);
            let finding = Diagnostic::new(code::VALUE_ITEM, path.span, headline).label("another currency");
            self.report(finding.help(format!("name a budget in {}", pays.currency)));
        }
        Some(name)
    }

    /// The entity it is of, which must be a root.
    fn subject(&mut self) -> Option<Name> {
        let Some(path) = &self.declared.decl.subject else {
            self.complain(
                code::NO_SUBJECT,
                "is about nothing",
                "`of` is missing",
                "write whose it is: `of customer`",
            );
            return None;
        };
        let name = self.named(path, Kind::Entity)?;
        if self.world.root(name) == name {
            return Some(name);
        }
        let headline = format!("`{name}` is a part of `{}`", self.world.root(name));
        let finding = Diagnostic::new(code::OTHER_SUBJECT, path.span, headline).label("owns nothing itself");
        self.report(finding.help(format!("write `of {}`", self.world.root(name))));
        None
    }

    fn opening(&mut self, written: &ast::Opening) -> Option<Opening> {
        match written {
            ast::Opening::Range(range) => {
                length::date_range(range, self.sink).map(|(first, last)| Opening::Days(first, last))
            }
            ast::Opening::Every(schedule) => {
                let calendar = self
                    .world
                    .model
                    .entities
                    .values()
                    .filter(|one| one.parent.is_none())
                    .find_map(|one| one.calendar);
                opening_every(schedule, calendar, self.sink)
            }
        }
    }
}

/// `every friday 10:00..12:00`: from when to when on each of these days.
pub(super) fn opening_every(
    written: &ast::Schedule,
    calendar: Option<Name>,
    sink: &mut Sink,
) -> Option<Opening> {
    let hours = written.hours.as_ref().and_then(|hours| match &hours.kind {
        ExprKind::Binary { op: BinaryOp::Range, left, right, .. } => match (&left.kind, &right.kind) {
            (ExprKind::Time(from), ExprKind::Time(to)) if from < to => Some((*from, *to)),
            _ => None,
        },
        _ => None,
    });
    let Some((from, until)) = hours else {
        let finding =
            Diagnostic::new(code::OPENING, written.span, "from when to when it is open is not said");
        sink.report(
            finding
                .label("needs a beginning and an end")
                .help("write the hours: `every friday 10:00..12:00`"),
        );
        return None;
    };
    let place = ScheduleAt { fields: &[], calendar, needs_time: false };
    let Schedule { every, during, calendar, .. } = schedule::schedule(&place, written, sink)?;
    if matches!(every, crate::program::Every::Elapsed(_)) {
        let finding = Diagnostic::new(code::OPENING, written.span, "what opens, opens on days");
        sink.report(finding.label("recurs by a stopwatch").help("write `every day 10:00..12:00`"));
        return None;
    }
    Some(Opening::Every { schedule: Schedule { every, at: vec![from], during, calendar }, until })
}
