//! `budget payroll_2026 "代发专项" { total 2_000_000 CNY; owner "…"; alert 80% }`

use super::Reader;
use crate::diagnostic::{Diagnostic, code};
use crate::program::value::Budget;
use crate::syntax::ast::BudgetItem;
use crate::value::Value;

pub(super) fn budget(reader: &mut Reader, items: &[BudgetItem]) -> Option<Budget> {
    let (mut total, mut owner, mut alert) = (None, None, None);
    let mut unread = false;
    for item in items {
        match item {
            BudgetItem::Total(expr) => {
                let money = reader.money(expr);
                unread |= money.is_none();
                reader.once(&mut total, money, "total", expr.span);
            }
            BudgetItem::Owner(text) => {
                reader.once(&mut owner, Some(text.value.clone()), "owner", text.span);
            }
            BudgetItem::Alert(expr) => {
                let share = share(reader, expr);
                reader.once(&mut alert, share, "alert", expr.span);
            }
            BudgetItem::Error(_) => unread = true,
        }
    }
    if total.is_none() && !unread {
        reader.complain(
            code::VALUE_ITEM,
            "does not say how much there is",
            "`total` is missing",
            "write `total 2_000_000 CNY`",
        );
    }
    if owner.is_none() && !unread {
        reader.complain(
            code::VALUE_ITEM,
            "belongs to nobody",
            "`owner` is missing",
            "write `owner \"team@bank.example\"`: who answers for it",
        );
    }
    let label = reader.label();
    Some(Budget { label, total: total?, owner: owner.unwrap_or_else(|| "".into()), alert })
}

fn share(reader: &mut Reader, expr: &crate::syntax::ast::Expr) -> Option<rust_decimal::Decimal> {
    match reader.constant(expr)? {
        Value::Percent(share) if share > 0.into() && share <= 1.into() => Some(share),
        _ => {
            let finding = Diagnostic::new(code::VALUE_ITEM, expr.span, "this is not a share of the total");
            reader.report(finding.label("not between 0% and 100%").help("write for example `alert 80%`"));
            None
        }
    }
}
