//! Aggregates that can be added to each other: of a day, or of all time.

use jiff::Timestamp;

use crate::expr::eval::fold;
use crate::expr::{AggregateFn, BinaryOp, Env, Expr, eval};
use crate::step::history::Tally;
use crate::value::Value;

impl Tally {
    pub(super) fn empty() -> Self {
        Self { count: 0, at: Timestamp::MIN, value: Value::Missing }
    }

    /// Adds one value. What the function does not need is not kept.
    pub(super) fn add(&mut self, function: AggregateFn, at: Timestamp, value: Value, env: &dyn Env) {
        let is_first = self.count == 0;
        self.count = self.count.saturating_add(1);
        let takes = match function {
            AggregateFn::First => is_first || at < self.at,
            _ => is_first || at >= self.at,
        };
        match function {
            AggregateFn::First | AggregateFn::Last if takes => self.value = value,
            AggregateFn::Sum | AggregateFn::Avg => {
                self.value =
                    fold(AggregateFn::Sum, &[std::mem::replace(&mut self.value, Value::Missing), value], env);
            }
            AggregateFn::Min | AggregateFn::Max => {
                self.value =
                    fold(function, &[std::mem::replace(&mut self.value, Value::Missing), value], env);
            }
            // Only the count, or not the first or last after all.
            _ => {}
        }
        if takes {
            self.at = at;
        }
    }

    /// Adds what another tally of the same function has.
    pub(in crate::step) fn join(&mut self, other: Self, function: AggregateFn, env: &dyn Env) {
        if self.count == 0 || other.count == 0 {
            if self.count == 0 {
                *self = other;
            }
            return;
        }
        self.count = self.count.saturating_add(other.count);
        let takes = match function {
            AggregateFn::First => other.at < self.at,
            _ => other.at >= self.at,
        };
        let sum = match function {
            AggregateFn::First | AggregateFn::Last => None,
            AggregateFn::Min | AggregateFn::Max => Some(function),
            _ => Some(AggregateFn::Sum),
        };
        match sum {
            Some(_) if self.value.is_missing() && other.value.is_missing() => {}
            Some(function) => {
                let own = std::mem::replace(&mut self.value, Value::Missing);
                self.value = fold(function, &[own, other.value], env);
            }
            None if takes => self.value = other.value,
            None => {}
        }
        if takes {
            self.at = other.at;
        }
    }
}

/// The aggregate over several tallies, oldest first.
pub(super) fn total<'t>(
    tallies: impl IntoIterator<Item = &'t Tally>,
    function: AggregateFn,
    env: &dyn Env,
) -> Value {
    let tallies: Vec<&Tally> = tallies.into_iter().filter(|tally| tally.count > 0).collect();
    let count: u64 = tallies.iter().map(|tally| u64::from(tally.count)).sum();
    let values = || tallies.iter().map(|tally| tally.value.clone()).collect::<Vec<_>>();
    match function {
        AggregateFn::Any => Value::Bool(count > 0),
        AggregateFn::Once => Value::Bool(count == 1),
        AggregateFn::Count => i64::try_from(count).map_or(Value::Missing, Value::Int),
        AggregateFn::Avg => average(&fold(AggregateFn::Sum, &values(), env), count, env),
        function => fold(function, &values(), env),
    }
}

fn average(sum: &Value, count: u64, env: &dyn Env) -> Value {
    let Ok(count @ 1..) = i64::try_from(count) else { return Value::Missing };
    let side = |value: Value| Box::new(Expr::Const(value));
    eval(&Expr::Binary(BinaryOp::Div, side(sum.clone()), side(Value::Int(count))), env)
}
