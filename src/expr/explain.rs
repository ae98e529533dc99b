//! Why a condition is true or false: the leaves that decided, with the values they saw. `why` prints these.

use super::eval::{Env, eval, holds};
use super::show::{self, Names};
use super::{BinaryOp, Expr, Owner};
use crate::value::Value;

/// What explaining needs beside evaluation: names, and what may not be shown.
pub trait Reader: Names {
    /// Whether the value of this leaf is of a data class that does not belong in traces and logs.
    fn is_masked(&self, leaf: &Expr) -> bool;
    /// The expression behind a metric or audience of the subject, to look into it.
    fn definition(&self, index: u16) -> Option<&Expr>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub holds: bool,
    /// The leaves that made it so, in the order written. Never empty for a condition.
    pub because: Vec<Reason>,
}

/// One leaf of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// As written: `loan_limit > 0 CNY`.
    pub condition: String,
    /// `None`: it could not be decided because data is missing, which counts as false.
    pub value: Option<bool>,
    /// Names and values of what was looked at: `("loan_limit", "missing")`.
    pub seen: Vec<(String, String)>,
}

/// How deep definitions of definitions are looked into.
const DEEPEST: usize = 16;

/// Explains `condition` with the same environment that decided it.
#[must_use]
pub fn explain(condition: &Expr, env: &dyn Env, reader: &dyn Reader) -> Explanation {
    let mut because = Vec::new();
    let holds = holds(condition, env);
    Walk { env, reader }.collect(condition, holds, 0, &mut because);
    Explanation { holds, because }
}

impl std::fmt::Display for Reason {
    /// `loan_limit > 0 CNY is false: loan_limit is missing`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verdict = if self.value == Some(true) { "true" } else { "false" };
        match self.seen.as_slice() {
            [(name, value)] if *name == self.condition => return write!(f, "{name} is {value}"),
            _ => write!(f, "{} is {verdict}", self.condition)?,
        }
        for (at, (name, value)) in self.seen.iter().enumerate() {
            write!(f, "{}{name} is {value}", if at == 0 { ": " } else { ", " })?;
        }
        Ok(())
    }
}

struct Walk<'a> {
    env: &'a dyn Env,
    reader: &'a dyn Reader,
}

impl Walk<'_> {
    /// Adds the leaves because of which `expr` is `wanted`.
    fn collect(&self, expr: &Expr, wanted: bool, depth: usize, out: &mut Vec<Reason>) {
        match expr {
            Expr::Binary(BinaryOp::And | BinaryOp::Or, left, right) => {
                for side in [left, right] {
                    if holds(side, self.env) == wanted {
                        self.collect(side, wanted, depth, out);
                    }
                }
            }
            Expr::Not(inner) if !is_any(inner) && !eval(inner, self.env).is_missing() => {
                self.collect(inner, !wanted, depth, out);
            }
            Expr::Def(Owner::Subject, index) => match self.reader.definition(*index) {
                Some(inner) if depth < DEEPEST && is_condition(inner) => {
                    self.collect(inner, wanted, depth + 1, out);
                }
                _ => out.push(self.reason(expr)),
            },
            leaf => out.push(self.reason(leaf)),
        }
    }

    fn reason(&self, leaf: &Expr) -> Reason {
        let value = match eval(leaf, self.env) {
            Value::Bool(value) => Some(value),
            _ => None,
        };
        let mut seen = Vec::new();
        self.see(leaf, &mut seen);
        let missing = seen.iter().any(|(_, value)| value == MISSING);
        let decided = if value == Some(false) && missing && !is_total(leaf) { None } else { value };
        Reason { condition: show::expr(leaf, self.reader), value: decided, seen }
    }

    /// Adds every named thing that `expr` looks at, once.
    fn see(&self, expr: &Expr, seen: &mut Vec<(String, String)>) {
        let is_named = matches!(
            expr,
            Expr::Attr(..)
                | Expr::Def(..)
                | Expr::Tag(..)
                | Expr::Local(_)
                | Expr::Param(_)
                | Expr::Field(..)
                | Expr::Reference { .. }
                | Expr::Anchored { .. }
                | Expr::Entered
                | Expr::Now
                | Expr::Today
                | Expr::Aggregate(_)
                | Expr::History(_)
        );
        if !is_named {
            return expr.parts().into_iter().for_each(|part| self.see(part, seen));
        }
        let name = show::expr(expr, self.reader);
        if seen.iter().all(|(known, _)| *known != name) {
            seen.push((name, self.shown_value(expr)));
        }
    }

    fn shown_value(&self, expr: &Expr) -> String {
        match eval(expr, self.env) {
            Value::Missing => MISSING.to_owned(),
            _ if self.reader.is_masked(expr) => "***".to_owned(),
            value => show::value(&value),
        }
    }
}

const MISSING: &str = "missing";

fn is_any(expr: &Expr) -> bool {
    matches!(expr, Expr::Aggregate(_) | Expr::History(_))
}

fn is_condition(expr: &Expr) -> bool {
    matches!(expr, Expr::Binary(op, ..) if !matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div))
        || matches!(
            expr,
            Expr::Not(_) | Expr::Known(..) | Expr::Tag(..) | Expr::Aggregate(_) | Expr::History(_)
        )
}

/// Conditions that answer about missing data themselves.
fn is_total(expr: &Expr) -> bool {
    matches!(expr, Expr::Known(..))
}

#[cfg(test)]
mod tests;
