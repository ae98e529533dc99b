use super::*;
use crate::expr::eval::tests::{attr, cny, con, date, op};
use crate::expr::{Anchor, Pattern, Source, Window};
use crate::value::{CivilUnit, Length, Value};

struct Known {
    drawdown: Aggregate,
}

impl Names for Known {
    fn def(&self, _: u16) -> Option<Name> {
        Some(Name::new("preapproved"))
    }
    fn feature(&self, _: u16) -> Option<&Aggregate> {
        Some(&self.drawdown)
    }
    fn parent(&self) -> Option<Name> {
        Some(Name::new("customer"))
    }
}

fn known() -> Known {
    let drawdown = Aggregate {
        function: AggregateFn::Any,
        source: Source::Event(Name::new("loan_drawdown")),
        filter: None,
        value: None,
        window: Some(Window::Ever),
    };
    Known { drawdown }
}

#[test]
fn conditions_read_as_they_were_written() {
    let limit = Expr::Otherwise(Box::new(attr("loan_limit")), Box::new(con(cny(0))));
    let condition = op(
        BinaryOp::And,
        op(BinaryOp::Greater, limit, con(cny(50_000))),
        Expr::Not(Box::new(Expr::History(0))),
    );
    assert_eq!(
        expr(&condition, &known()),
        "loan_limit otherwise 0 CNY > 50_000 CNY and no loan_drawdown ever"
    );
    let owned = op(BinaryOp::Or, Expr::Def(Owner::Parent, 0), Expr::Not(Box::new(condition)));
    assert_eq!(
        expr(&owned, &known()),
        "customer.preapproved or not (loan_limit otherwise 0 CNY > 50_000 CNY and no loan_drawdown ever)"
    );
}

#[test]
fn parentheses_stand_where_they_matter() {
    let (a, b, c) = (|| attr("a"), || attr("b"), || attr("c"));
    let text = |expression: Expr| expr(&expression, &());
    assert_eq!(text(op(BinaryOp::Mul, op(BinaryOp::Add, a(), b()), c())), "(a + b) * c");
    assert_eq!(text(op(BinaryOp::Sub, a(), op(BinaryOp::Sub, b(), c()))), "a - (b - c)");
    assert_eq!(text(op(BinaryOp::Or, op(BinaryOp::And, a(), b()), c())), "a and b or c");
    assert_eq!(text(op(BinaryOp::And, op(BinaryOp::Or, a(), b()), c())), "(a or b) and c");
    assert_eq!(text(Expr::Known(Box::new(a()), false)), "a is missing");
}

#[test]
fn moments_patterns_and_windows_read_well() {
    let by = Length::Civil { count: 5, unit: CivilUnit::Workday };
    let before = Expr::Shift { by, back: true, from: Box::new(attr("maturity")), calendar: None };
    let at = Expr::At(Box::new(before), Box::new(con(Value::Time("10:00".parse().unwrap()))));
    assert_eq!(expr(&at, &()), "5 workdays before maturity at 10:00");
    let amount = Expr::Field(Box::new(Expr::Element), Name::new("amount"));
    let payment = Pattern {
        source: Source::Event(Name::new("payment")),
        first: true,
        filter: Some(op(BinaryOp::GreaterEq, amount.clone(), con(cny(100)))),
    };
    assert_eq!(pattern(&payment, &()), "first payment where amount >= 100 CNY");
    let sum = Aggregate {
        function: AggregateFn::Sum,
        source: payment.source,
        filter: None,
        value: Some(amount),
        window: Some(Window::Last(Length::Civil { count: 30, unit: CivilUnit::Day })),
    };
    assert_eq!(aggregate(&sum, &()), "sum(payment.amount during last 30 days)");
    assert_eq!(anchor(&Anchor::Sent(Name::new("offer.push")), &()), "sent(offer.push)");
    let days = Expr::Range(Box::new(con(date("2026-12-01"))), Box::new(Expr::Today));
    assert_eq!(expr(&days, &()), "2026-12-01..today");
}
