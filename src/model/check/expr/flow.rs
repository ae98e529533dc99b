//! What a condition proves about values that may be missing.

use crate::expr::{BinaryOp, Expr};

/// Values that are there if `condition` is true.
pub(in crate::model::check) fn when_true(condition: &Expr) -> Vec<Expr> {
    match condition {
        Expr::Known(value, true) => vec![(**value).clone()],
        Expr::Not(inner) => when_false(inner),
        Expr::Binary(BinaryOp::And, left, right) => join(when_true(left), when_true(right)),
        Expr::Binary(BinaryOp::Or, left, right) => meet(&when_true(left), &when_true(right)),
        _ => Vec::new(),
    }
}

/// Values that are there if `condition` is false.
pub(in crate::model::check) fn when_false(condition: &Expr) -> Vec<Expr> {
    match condition {
        Expr::Known(value, false) => vec![(**value).clone()],
        Expr::Not(inner) => when_true(inner),
        Expr::Binary(BinaryOp::Or, left, right) => join(when_false(left), when_false(right)),
        Expr::Binary(BinaryOp::And, left, right) => meet(&when_false(left), &when_false(right)),
        _ => Vec::new(),
    }
}

fn join(mut left: Vec<Expr>, right: Vec<Expr>) -> Vec<Expr> {
    left.extend(right);
    left
}

/// What both lists hold.
pub(in crate::model::check) fn meet(left: &[Expr], right: &[Expr]) -> Vec<Expr> {
    left.iter().filter(|fact| right.contains(fact)).cloned().collect()
}

/// Whether a proved value stays proved while the instance waits: attributes may change, what it holds may not.
pub(in crate::model::check) fn is_frozen(fact: &Expr) -> bool {
    match fact {
        Expr::Local(_) | Expr::Entry | Expr::Param(_) => true,
        Expr::Field(base, _) => is_frozen(base),
        _ => false,
    }
}
