//! Tables, and the tests that their rows share with `match`.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Env, eval};
use crate::expr::civil::Calendar;
use crate::expr::{BinaryOp, CaseTest, Expr, TableCall};
use crate::name::Name;
use crate::value::Value;

/// The value of the first row whose tests all hold; `Missing` where there is none.
pub(super) fn look_up(call: &TableCall, env: &dyn Env) -> Value {
    let args: Vec<Value> = call.args.iter().map(|arg| eval(arg, env)).collect();
    let inside = Inside { params: &call.params, args: &args, env };
    let fits = |tests: &[CaseTest]| tests.iter().zip(&args).all(|(test, value)| passes(test, value, &inside));
    let row = call.rows.iter().find(|row| fits(&row.tests));
    row.map_or(Value::Missing, |row| eval(&row.value, &inside))
}

/// Whether `value` passes the test.
#[must_use]
pub fn passes(test: &CaseTest, value: &Value, env: &dyn Env) -> bool {
    match test {
        CaseTest::Any => true,
        CaseTest::Compare(op, bound) => compares(*op, value, bound, env),
        CaseTest::OneOf(options) => options.iter().any(|option| {
            let op = if matches!(eval(option, env), Value::Range(_)) { BinaryOp::In } else { BinaryOp::Is };
            compares(op, value, option, env)
        }),
    }
}

fn compares(op: BinaryOp, value: &Value, bound: &Expr, env: &dyn Env) -> bool {
    let left = Box::new(Expr::Const(value.clone()));
    eval(&Expr::Binary(op, left, Box::new(bound.clone())), env) == Value::Bool(true)
}

/// An environment inside a table: its parameters, and of `env` only clock, zone, calendars and orders.
struct Inside<'a> {
    params: &'a [Name],
    args: &'a [Value],
    env: &'a dyn Env,
}

impl Env for Inside<'_> {
    fn now(&self) -> Timestamp {
        self.env.now()
    }
    fn zone(&self) -> &TimeZone {
        self.env.zone()
    }
    fn calendar(&self, name: Option<Name>) -> Option<&Calendar> {
        self.env.calendar(name)
    }
    fn param(&self, name: Name) -> Value {
        let at = self.params.iter().position(|param| *param == name);
        at.and_then(|at| self.args.get(at)).cloned().unwrap_or(Value::Missing)
    }
    fn choice_order(&self, left: Name, right: Name) -> Option<std::cmp::Ordering> {
        self.env.choice_order(left, right)
    }
    fn locale(&self) -> Option<Name> {
        self.env.locale()
    }
}
