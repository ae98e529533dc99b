//! The one evaluator of expressions: steps, content, audiences, tests and simulations all run this.
//!
//! Total: data that is not there gives [`Value::Missing`], which goes through arithmetic and makes every comparison
//! false. Types were agreed on by the checker; a value of another type (an attribute imported under an older schema)
//! counts as missing. All data comes in through [`Env`]; nothing here reads a clock.

mod aggregate;
mod binary;
mod call;
mod compare;
mod table;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use aggregate::fold;
pub use compare::{compare, same};
pub use table::passes;

use super::civil::{self, Calendar};
use super::{BinaryOp, Expr, Owner};
use crate::name::Name;
use crate::value::{Length, Money, Value};

/// What an expression can see: one subject, at one instant.
pub trait Env {
    fn now(&self) -> Timestamp;
    /// The subject's zone.
    fn zone(&self) -> &TimeZone;
    /// The named calendar, or with `None` the subject's own; without one, Monday to Friday are worked.
    fn calendar(&self, name: Option<Name>) -> Option<&Calendar>;

    /// A stored attribute or derived field. From here on: where there is no subject, nothing is known of one.
    fn attr(&self, _owner: Owner, _name: Name) -> Value {
        Value::Missing
    }

    fn tag(&self, _owner: Owner, _name: Name) -> bool {
        false
    }

    /// The value of a metric or audience: [`super::Expr::Def`].
    fn def(&self, _owner: Owner, _index: u16) -> Value {
        Value::Missing
    }

    fn local(&self, _slot: u16) -> Value {
        Value::Missing
    }

    fn param(&self, _name: Name) -> Value {
        Value::Missing
    }

    /// The entry event, a record.
    fn entry(&self) -> Value {
        Value::Missing
    }

    /// The record under test in a `where`.
    fn element(&self) -> Value {
        Value::Missing
    }

    /// The subject's child entities of this kind, as records, in a stable order.
    fn children(&self, _entity: Name) -> Vec<Value> {
        Vec::new()
    }

    /// The value of a history condition: [`super::Expr::History`].
    fn history(&self, _feature: u16) -> Value {
        Value::Missing
    }

    /// An attribute of another root.
    fn reference(&self, _entity: Name, _id: &str, _attribute: Name) -> Value {
        Value::Missing
    }

    /// The date of a recurring anchor of the subject, or of another root: see [`Expr::Anchored`].
    fn anchored(&self, _of: Option<&str>, _entity: Name, _anchor: Name, _back: bool) -> Value {
        Value::Missing
    }

    /// How many points the owner has.
    fn balance(&self, _owner: Owner, _points: Name) -> Value {
        Value::Missing
    }

    /// When the instance was entered; `None` outside of instances.
    fn entered(&self) -> Option<Timestamp> {
        None
    }

    /// One field of [`Env::entry`], for environments that need not build the record.
    fn entry_field(&self, name: Name) -> Value {
        self.entry().field(name)
    }

    /// One field of [`Env::element`].
    fn element_field(&self, name: Name) -> Value {
        self.element().field(name)
    }

    /// How two cases of one `choice` compare: by the order in which they are declared.
    fn choice_order(&self, _left: Name, _right: Name) -> Option<std::cmp::Ordering> {
        None
    }

    /// The locale of the copy that is being rendered.
    fn locale(&self) -> Option<Name> {
        None
    }
}

/// The value of `expr` for the subject, and at the instant, of `env`.
#[must_use]
pub fn eval(expr: &Expr, env: &dyn Env) -> Value {
    match expr {
        Expr::Const(value) => value.clone(),
        Expr::Attr(owner, name) => env.attr(*owner, *name),
        Expr::Def(owner, index) => env.def(*owner, *index),
        Expr::Tag(owner, name) => Value::Bool(env.tag(*owner, *name)),
        Expr::Local(slot) => env.local(*slot),
        Expr::Param(name) => env.param(*name),
        Expr::Entry => env.entry(),
        Expr::Element => env.element(),
        Expr::Field(of, name) => field(of, *name, env),
        Expr::Entered => env.entered().map_or(Value::Missing, Value::Moment),
        Expr::Now => Value::Moment(env.now()),
        Expr::Today => Value::Date(today(env)),
        Expr::Not(inner) => not(&eval(inner, env)),
        Expr::Neg(inner) => negative(&eval(inner, env)),
        Expr::Binary(BinaryOp::And, left, right) => Value::Bool(holds(left, env) && holds(right, env)),
        Expr::Binary(BinaryOp::Or, left, right) => Value::Bool(holds(left, env) || holds(right, env)),
        Expr::Binary(op, left, right) => binary::apply(*op, &eval(left, env), &eval(right, env), env),
        Expr::Known(inner, known) => Value::Bool(eval(inner, env).is_missing() != *known),
        Expr::Otherwise(first, second) => match eval(first, env) {
            Value::Missing => eval(second, env),
            value => value,
        },
        Expr::List(items) => Value::List(items.iter().map(|item| eval(item, env)).collect()),
        Expr::Range(from, to) => range(eval(from, env), eval(to, env)),
        Expr::At(date, time) => at(&eval(date, env), &eval(time, env), env),
        Expr::Shift { by, back, from, calendar } => {
            shift(&eval(from, env), *by, *back, env.calendar(*calendar), env)
        }
        Expr::Span { unit, offset } => days(civil::span(*unit, *offset, today(env))),
        Expr::SpanOf { unit, of } => {
            let date = as_date(&eval(of, env), env.zone());
            days(date.and_then(|date| civil::span_of(*unit, date)))
        }
        Expr::Table(call) => table::look_up(call, env),
        Expr::Choose { rows, otherwise } => {
            let found = rows.iter().find(|(condition, _)| holds(condition, env));
            eval(found.map_or(otherwise, |(_, value)| value), env)
        }
        Expr::Reference { of, entity, attribute } => match eval(of, env) {
            Value::Text(id) => env.reference(*entity, &id, *attribute),
            _ => Value::Missing,
        },
        Expr::Anchored { of: Some(of), entity, anchor, back } => match eval(of, env) {
            Value::Text(id) => env.anchored(Some(&id), *entity, *anchor, *back),
            _ => Value::Missing,
        },
        Expr::Anchored { of: None, entity, anchor, back } => env.anchored(None, *entity, *anchor, *back),
        Expr::Call(function, args) => call::apply(*function, args, env),
        Expr::Aggregate(aggregate) => aggregate::over_children(aggregate, env),
        Expr::History(feature) => env.history(*feature),
        Expr::Balance(owner, points) => env.balance(*owner, *points),
    }
}

/// Whether the condition is true. Missing is not.
#[must_use]
pub fn holds(condition: &Expr, env: &dyn Env) -> bool {
    eval(condition, env) == Value::Bool(true)
}

/// The value of `expr` with `element` as the record under test.
#[must_use]
pub fn eval_on(expr: &Expr, element: &Value, env: &dyn Env) -> Value {
    eval(expr, &On { element, env })
}

/// Whether a `where` lets `element` through; no filter lets everything through.
#[must_use]
pub fn admits(filter: Option<&Expr>, element: &Value, env: &dyn Env) -> bool {
    filter.is_none_or(|filter| holds(filter, &On { element, env }))
}

/// An environment inside a `where`: everything of `env`, and the record under test.
pub struct On<'a> {
    pub element: &'a Value,
    pub env: &'a dyn Env,
}

impl Env for On<'_> {
    fn now(&self) -> Timestamp {
        self.env.now()
    }
    fn zone(&self) -> &TimeZone {
        self.env.zone()
    }
    fn calendar(&self, name: Option<Name>) -> Option<&Calendar> {
        self.env.calendar(name)
    }
    fn attr(&self, owner: Owner, name: Name) -> Value {
        self.env.attr(owner, name)
    }
    fn tag(&self, owner: Owner, name: Name) -> bool {
        self.env.tag(owner, name)
    }
    fn def(&self, owner: Owner, index: u16) -> Value {
        self.env.def(owner, index)
    }
    fn local(&self, slot: u16) -> Value {
        self.env.local(slot)
    }
    fn param(&self, name: Name) -> Value {
        self.env.param(name)
    }
    fn entry(&self) -> Value {
        self.env.entry()
    }
    fn element(&self) -> Value {
        self.element.clone()
    }
    fn children(&self, entity: Name) -> Vec<Value> {
        self.env.children(entity)
    }
    fn history(&self, feature: u16) -> Value {
        self.env.history(feature)
    }
    fn reference(&self, entity: Name, id: &str, attribute: Name) -> Value {
        self.env.reference(entity, id, attribute)
    }
    fn anchored(&self, of: Option<&str>, entity: Name, anchor: Name, back: bool) -> Value {
        self.env.anchored(of, entity, anchor, back)
    }
    fn balance(&self, owner: Owner, points: Name) -> Value {
        self.env.balance(owner, points)
    }
    fn entered(&self) -> Option<Timestamp> {
        self.env.entered()
    }
    fn entry_field(&self, name: Name) -> Value {
        self.env.entry_field(name)
    }
    fn element_field(&self, name: Name) -> Value {
        self.element.field(name)
    }
    fn choice_order(&self, left: Name, right: Name) -> Option<std::cmp::Ordering> {
        self.env.choice_order(left, right)
    }
    fn locale(&self) -> Option<Name> {
        self.env.locale()
    }
}

fn field(of: &Expr, name: Name, env: &dyn Env) -> Value {
    match of {
        Expr::Element => env.element_field(name),
        Expr::Entry => env.entry_field(name),
        other => eval(other, env).field(name),
    }
}

fn today(env: &dyn Env) -> jiff::civil::Date {
    civil::date_of(env.now(), env.zone())
}

fn not(value: &Value) -> Value {
    match value {
        Value::Bool(value) => Value::Bool(!value),
        _ => Value::Missing,
    }
}

fn negative(value: &Value) -> Value {
    let negated = match value {
        Value::Int(value) => value.checked_neg().map(Value::Int),
        Value::Decimal(value) => Some(Value::Decimal(-*value)),
        Value::Percent(value) => Some(Value::Percent(-*value)),
        Value::Money(money) => money.minor.checked_neg().map(|minor| Value::Money(Money { minor, ..*money })),
        Value::Length(Length::Elapsed(ms)) => ms.checked_neg().map(|ms| Value::Length(Length::Elapsed(ms))),
        Value::Length(Length::Civil { count, unit }) => {
            count.checked_neg().map(|count| Value::Length(Length::Civil { count, unit: *unit }))
        }
        _ => None,
    };
    negated.unwrap_or(Value::Missing)
}

fn range(from: Value, to: Value) -> Value {
    if from.is_missing() || to.is_missing() {
        return Value::Missing;
    }
    Value::Range(Box::new((from, to)))
}

fn days(span: Option<(jiff::civil::Date, jiff::civil::Date)>) -> Value {
    span.map_or(Value::Missing, |(first, last)| range(Value::Date(first), Value::Date(last)))
}

fn at(date: &Value, time: &Value, env: &dyn Env) -> Value {
    let (Some(date), Value::Time(time)) = (as_date(date, env.zone()), time) else { return Value::Missing };
    civil::moment_at(date, *time, env.zone()).map_or(Value::Missing, Value::Moment)
}

/// The value moved by a length: a date stays a date under civil lengths, and becomes a moment under elapsed ones.
fn shift(from: &Value, by: Length, back: bool, calendar: Option<&Calendar>, env: &dyn Env) -> Value {
    let zone = env.zone();
    let moved = match (from, by) {
        (Value::Date(date), Length::Civil { .. }) => {
            civil::shift_date(*date, by, back, calendar).map(Value::Date)
        }
        (Value::Date(date), Length::Elapsed(_)) => civil::start_of_day(*date, zone)
            .and_then(|moment| civil::shift_moment(moment, by, back, zone, calendar))
            .map(Value::Moment),
        (Value::Moment(moment), _) => {
            civil::shift_moment(*moment, by, back, zone, calendar).map(Value::Moment)
        }
        _ => None,
    };
    moved.unwrap_or(Value::Missing)
}

/// A date, or the date of a moment in `zone`.
fn as_date(value: &Value, zone: &TimeZone) -> Option<jiff::civil::Date> {
    match value {
        Value::Date(date) => Some(*date),
        Value::Moment(moment) => Some(civil::date_of(*moment, zone)),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests;
