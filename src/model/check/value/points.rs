//! `points stars "星点" of customer { keep 12 months; worth 0.01 CNY; limit 200 per customer per day }`

use super::Reader;
use super::limit::Whose;
use crate::diagnostic::{Diagnostic, code};
use crate::model::check::length;
use crate::program::value::{Points, Worth};
use crate::syntax::ast::{self, ExprKind, PointsItem};
use crate::value::{Currency, Money};

pub(super) fn points(reader: &mut Reader, items: &[PointsItem]) -> Option<Points> {
    let subject = reader.subject();
    let (mut keep, mut worth, mut budget) = (None, None, None);
    let mut limits = Vec::new();
    for item in items {
        match item {
            PointsItem::Keep(dur) => {
                let length = length::positive(*dur, reader.sink);
                reader.once(&mut keep, Some(length), "keep", dur.span);
            }
            PointsItem::Worth(expr) => {
                let found = exact(reader, expr);
                reader.once(&mut worth, found, "worth", expr.span);
            }
            PointsItem::Limit(rate) => {
                let limit = reader.limit(rate, Whose::Each, None, None);
                if limit.is_some_and(|limit| limit.of_amount) {
                    let finding = Diagnostic::new(code::LIMIT, rate.span, "points are counted, not paid");
                    reader.report(
                        finding.label("an amount of money").help("write `limit 200 per customer per day`"),
                    );
                }
                limits.extend(limit);
            }
            PointsItem::Budget(_) | PointsItem::Error(_) => {}
        }
    }
    for item in items {
        if let PointsItem::Budget(path) = item {
            let pays = worth.map(|worth| Money { minor: 1, currency: worth.currency });
            let found = reader.budget(path, pays);
            if worth.is_none() && found.is_some() {
                let headline = "what one point costs the budget is not said";
                let finding = Diagnostic::new(code::VALUE_ITEM, path.span, headline).label("paid from here");
                reader.report(finding.help("write `worth 0.01 CNY`"));
            }
            reader.once(&mut budget, found, "budget", path.span);
        }
    }
    Some(Points { label: reader.label(), subject: subject?, keep, worth, limits, budget })
}

/// An amount that may be less than the smallest coin: a hundredth of a fen is something, a thousand times.
fn exact(reader: &mut Reader, expr: &ast::Expr) -> Option<Worth> {
    if let ExprKind::Money(amount, currency) = &expr.kind
        && let Some(currency) = Currency::parse(currency.as_str())
        && amount.is_sign_positive()
        && !amount.is_zero()
    {
        return Some(Worth { amount: *amount, currency });
    }
    if !matches!(expr.kind, ExprKind::Error) {
        let finding = Diagnostic::new(code::VALUE_ITEM, expr.span, "this is not what a point is worth");
        reader.report(finding.label("not an amount above zero").help("write for example `worth 0.01 CNY`"));
    }
    None
}
