//! Walking resolved expressions.

use crate::expr::Expr;

/// Whether `test` holds for the expression or anything in it. Does not look into aggregates over child entities.
pub(super) fn any(expr: &Expr, test: &impl Fn(&Expr) -> bool) -> bool {
    test(expr) || parts(expr).into_iter().any(|part| any(part, test))
}

fn parts(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Field(inner, _) | Expr::Not(inner) | Expr::Neg(inner) | Expr::Known(inner, _) => vec![inner],
        Expr::Binary(_, left, right)
        | Expr::Otherwise(left, right)
        | Expr::Range(left, right)
        | Expr::At(left, right) => vec![left, right],
        Expr::List(items) | Expr::Call(_, items) => items.iter().collect(),
        Expr::Table(call) => call.args.iter().collect(),
        Expr::Shift { from, .. } => vec![from],
        Expr::SpanOf { of, .. } => vec![of],
        _ => Vec::new(),
    }
}
