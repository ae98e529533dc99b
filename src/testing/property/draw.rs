//! Random subjects and histories, drawn near the edges: constants of conditions and one more or less, lengths of
//! waits and a minute more or less.

use std::sync::Arc;

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Span, Timestamp};
use rust_decimal::Decimal;

use super::plan::Plan;
use super::{Act, Case, Doing};
use crate::expr::civil::{date_of, moment_at};
use crate::model::test::TestKind;
use crate::name::Name;
use crate::program::Field;
use crate::testing::cast::Role;
use crate::testing::random::Random;
use crate::testing::script;
use crate::value::{Length, Money, Type, Value, signs};

const MOST_ACTS: u64 = 12;
/// What the subject of a property is called.
pub(super) const SOMEONE: &str = "someone";

pub(super) fn case(plan: &Plan<'_>, random: &mut Random) -> Case {
    let start = start(plan, random);
    case_from(plan, random, start)
}

/// A case that begins at `start`.
pub(super) fn case_from(plan: &Plan<'_>, random: &mut Random, start: Timestamp) -> Case {
    let mut draw = Draw { plan, random, start };
    let roles = draw.roles();
    let entities: Vec<Name> = roles.iter().map(|role| role.entity).collect();
    let acts = draw.acts(&entities);
    Case { start, roles, acts }
}

/// Attributes of the first subject that change under way, and how long behind the start.
pub(super) fn changes(
    plan: &Plan<'_>,
    random: &mut Random,
    start: Timestamp,
    most: u64,
) -> Vec<(SignedDuration, Vec<(Name, Value)>)> {
    let schema = &plan.suite.bundle.schema.entities;
    let Some(entity) = schema.get(&plan.entity) else { return Vec::new() };
    let entity = entity.parent.unwrap_or(plan.entity);
    let mut draw = Draw { plan, random, start };
    let mut after = SignedDuration::ZERO;
    let mut found = Vec::new();
    for _ in 0..draw.random.below(most + 1) {
        after = after.saturating_add(draw.gap());
        let fields = draw.attributes(entity, &[]);
        found.extend(draw.random.pick(&fields).cloned().map(|field| (after, vec![field])));
    }
    found
}

/// The test's own clock, or any minute of 300 days: month ends, holidays and weekends included.
fn start(plan: &Plan<'_>, random: &mut Random) -> Timestamp {
    let base = script::start(plan.suite, plan.test);
    if plan.test.items.iter().any(|item| matches!(item.kind, TestKind::Clock(_))) {
        return base;
    }
    let day = date_of(base, plan.suite.zone).saturating_add(Span::new().days(random.within(-150, 150)));
    moment_at(day, clock_time(random), plan.suite.zone).unwrap_or(base)
}

fn clock_time(random: &mut Random) -> Time {
    Time::midnight().wrapping_add(Span::new().minutes(random.within(0, 24 * 60 - 1)))
}

struct Draw<'d, 'a> {
    plan: &'d Plan<'a>,
    random: &'d mut Random,
    start: Timestamp,
}

impl Draw<'_, '_> {
    fn roles(&mut self) -> Vec<Role> {
        let plan = self.plan;
        let parent = plan.suite.bundle.schema.entities.get(&plan.entity).and_then(|entity| entity.parent);
        let mut roles = Vec::new();
        if let Some(parent) = parent {
            let fields = self.attributes(parent, &[]);
            roles.push(Role { entity: parent, id: SOMEONE.into(), parent: None, fields, days: Vec::new() });
        }
        let id: Arc<str> = match parent {
            Some(_) => plan.entity.as_str().into(),
            None => SOMEONE.into(),
        };
        let fields = self.attributes(plan.entity, plan.fixed);
        let days = script::given_days(plan.suite, plan.days, self.start);
        roles.push(Role { entity: plan.entity, id, parent: parent.map(|_| SOMEONE.into()), fields, days });
        roles
    }

    /// A value for every stored attribute; what the test fixes stays.
    fn attributes(&mut self, entity: Name, fixed: &[(Name, Value)]) -> Vec<(Name, Value)> {
        let Some(entity) = self.plan.suite.bundle.schema.entities.get(&entity) else { return Vec::new() };
        let stored = entity.fields.iter().filter(|field| field.value.is_none() && field.name != entity.key);
        let drawn = stored.map(|field| match fixed.iter().find(|(name, _)| *name == field.name) {
            Some(said) => said.clone(),
            None => (field.name, self.value(&field.ty)),
        });
        drawn.filter(|(_, value)| !value.is_missing()).collect()
    }

    fn acts(&mut self, entities: &[Name]) -> Vec<(SignedDuration, Act)> {
        let mut after = SignedDuration::ZERO;
        let count = self.random.below(MOST_ACTS + 1);
        let mut acts = Vec::new();
        for _ in 0..count {
            after = after.saturating_add(self.gap());
            if let Some(act) = self.act(entities) {
                acts.push((after, act));
            }
        }
        acts
    }

    fn gap(&mut self) -> SignedDuration {
        match self.random.below(4) {
            0 => SignedDuration::from_mins(self.random.within(0, 10)),
            1 => {
                let length = self.random.pick(&self.plan.lengths).copied().unwrap_or_default();
                let nudged = length.saturating_add(SignedDuration::from_mins(self.random.within(-1, 1)));
                nudged.max(SignedDuration::ZERO)
            }
            2 => SignedDuration::from_mins(self.random.within(0, 48 * 60)),
            _ => SignedDuration::from_hours(24 * self.random.within(0, 10)),
        }
    }

    fn act(&mut self, entities: &[Name]) -> Option<Act> {
        let plan = self.plan;
        if plan.events.is_empty() || self.random.once_in(3) {
            let kind = *self.random.pick(&plan.reactions)?;
            let back = usize::try_from(self.random.below(3)).unwrap_or(0);
            return Some(Act { actor: entities.len().saturating_sub(1), doing: Doing::React { kind, back } });
        }
        let event = *self.random.pick(&plan.events)?;
        let declared = plan.suite.bundle.schema.events.get(&event)?;
        let actor = entities.iter().position(|entity| *entity == declared.subject)?;
        let fields = self.payload(&declared.fields);
        Some(Act { actor, doing: Doing::Event { event, fields } })
    }

    fn payload(&mut self, fields: &[Field]) -> Vec<(Name, Value)> {
        let drawn = fields.iter().map(|field| (field.name, self.value(&field.ty)));
        drawn.filter(|(_, value)| !value.is_missing()).collect()
    }

    fn value(&mut self, ty: &Type) -> Value {
        if self.random.once_in(2)
            && let Some(value) = self.near_constant(ty)
        {
            return value;
        }
        match ty {
            Type::Optional(_) if self.random.once_in(3) => Value::Missing,
            Type::Optional(inner) => self.value(inner),
            Type::Bool => Value::Bool(self.random.once_in(2)),
            Type::Int => Value::Int(self.random.within(0, 100)),
            Type::Decimal => Value::Decimal(Decimal::new(self.random.within(0, 10_000), 2)),
            Type::Percent => Value::Percent(Decimal::new(self.random.within(0, 100), 2)),
            Type::Money(currency) => {
                let minor = self.random.within(0, 1_000_000).saturating_mul(100);
                Value::Money(Money { minor, currency: *currency })
            }
            Type::Text | Type::ShortText(_) | Type::Id | Type::Entity(_) => {
                Value::text(self.random.pick(&["甲", "乙", "丙"]).copied().unwrap_or_default())
            }
            Type::Date => Value::Date(self.day()),
            Type::Time => Value::Time(clock_time(self.random)),
            Type::Moment => {
                let after = SignedDuration::from_mins(self.random.within(-10 * 24 * 60, 60 * 24 * 60));
                Value::Moment(self.start.saturating_add(after).unwrap_or(self.start))
            }
            Type::Duration => Value::Length(Length::Elapsed(self.random.within(0, 3_600_000))),
            Type::Choice(choice) => {
                self.case_of(self.plan.suite.bundle.schema.choices.get(choice).map(Vec::as_slice))
            }
            Type::OneOf(cases) => self.case_of(Some(cases)),
            Type::Channel => {
                let channels: Vec<Name> = self.plan.suite.bundle.channels.keys().copied().collect();
                self.case_of(Some(&channels))
            }
            Type::List(inner) => self.list(inner),
            Type::Reward => {
                let rewards: Vec<Name> = self.plan.suite.bundle.values.rewards.keys().copied().collect();
                self.case_of(Some(&rewards))
            }
            Type::Period
            | Type::Content
            | Type::Audience(_)
            | Type::Event(_)
            | Type::Range(_)
            | Type::Error
            | Type::Occurrence => Value::Missing,
        }
    }

    fn case_of(&mut self, cases: Option<&[Name]>) -> Value {
        self.random.pick(cases.unwrap_or_default()).map_or(Value::Missing, |case| Value::Choice(*case))
    }

    /// Of channels every one or any subset; of others a few.
    fn list(&mut self, inner: &Type) -> Value {
        if *inner == Type::Channel {
            let all = self.random.once_in(3);
            let channels = self.plan.suite.bundle.channels.keys();
            let chosen = channels.filter(|_| all || self.random.once_in(2)).map(|name| Value::Choice(*name));
            return Value::List(chosen.collect());
        }
        let count = self.random.below(3);
        Value::List((0..count).map(|_| self.value(inner)).filter(|value| !value.is_missing()).collect())
    }

    /// From ten days before the start to sixty behind it.
    fn day(&mut self) -> Date {
        let today = date_of(self.start, self.plan.suite.zone);
        today.saturating_add(Span::new().days(self.random.within(-10, 60)))
    }

    /// A constant that some condition of this type compares with, or its neighbour.
    fn near_constant(&mut self, ty: &Type) -> Option<Value> {
        let fitting: Vec<&Value> = self.plan.constants.iter().filter(|value| fits(value, ty)).collect();
        let constant = (*self.random.pick(&fitting)?).clone();
        let by = self.random.within(-1, 1);
        Some(match constant {
            Value::Int(value) => Value::Int(value.saturating_add(by)),
            Value::Money(money) => {
                Value::Money(Money { minor: money.minor.saturating_add(by).max(0), ..money })
            }
            Value::Date(date) => Value::Date(date.saturating_add(Span::new().days(by))),
            other => other,
        })
    }
}

fn fits(value: &Value, ty: &Type) -> bool {
    match (value, ty) {
        (Value::Int(_), Type::Int)
        | (Value::Date(_), Type::Date)
        | (Value::Text(_), Type::Text)
        | (Value::Decimal(_), Type::Decimal)
        | (Value::Percent(_), Type::Percent) => true,
        (Value::Text(text), Type::ShortText(most)) => signs(text) <= usize::from(*most),
        (Value::Money(money), Type::Money(currency)) => money.currency == *currency,
        _ => false,
    }
}
