//! Walking resolved expressions.

use crate::expr::Expr;

/// Whether `test` holds for the expression or anything in it. Does not look into aggregates over child entities.
pub(super) fn any(expr: &Expr, test: &impl Fn(&Expr) -> bool) -> bool {
    test(expr) || expr.parts().into_iter().any(|part| any(part, test))
}
