//! Expressions.

use super::{Arg, DurKind, Ident, Path, Pattern, Window};
use crate::name::Name;
use crate::text::Span;
use jiff::civil::Date;
use jiff::civil::Time;
use rust_decimal::Decimal;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    Bool(bool),
    Int(i64),
    Decimal(Decimal),
    /// `5%` is 5 here; its value is 0.05.
    Percent(Decimal),
    /// Amount in major units as written, and the currency.
    Money(Decimal, Name),
    Text(Arc<str>),
    Date(Date),
    Time(Time),
    Dur(DurKind),
    /// `today`, `customer.risk`, `event.amount`; a single name is a path of one part.
    Path(Path),
    /// `.field` behind something that is not a path: `granted(x).amount`.
    Field {
        base: Box<Expr>,
        field: Ident,
    },
    /// `opened(offer)`, `count(…)`, `money(x)`
    Call {
        callee: Path,
        args: Vec<Arg>,
    },
    List(Vec<Expr>),
    Not(Box<Expr>),
    Neg(Box<Expr>),
    Binary {
        op: BinaryOp,
        op_span: Span,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `x is known`, `x is missing`
    Known {
        value: Box<Expr>,
        known: bool,
    },
    /// `a otherwise b`
    Otherwise {
        value: Box<Expr>,
        fallback: Box<Expr>,
    },
    /// `in bank.east`: the subject is in this org unit.
    InUnit(Path),
    /// `any login during last 90 days`, `no loan_drawdown ever`
    Quantified {
        quantifier: Quantifier,
        pattern: Box<Pattern>,
        window: Option<Window>,
    },
    /// `(x during last 5 days)`
    Windowed {
        value: Box<Expr>,
        window: Window,
    },
    /// `this month`, `last year`
    Span {
        which: Ident,
        unit: Ident,
    },
    /// `month of 2027-03-31`
    SpanOf {
        unit: Ident,
        of: Box<Expr>,
    },
    /// Tests only: `ended reached`, `ended`.
    Ended(Option<Ident>),
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    Any,
    No,
    Once,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    Or,
    And,
    Is,
    IsNot,
    Less,
    LessEq,
    Greater,
    GreaterEq,
    In,
    Has,
    /// `a..b`
    Range,
    /// `DATE at TIME`
    At,
    /// `5 workdays before maturity`
    Before,
    After,
    Add,
    Sub,
    Mul,
    Div,
}
