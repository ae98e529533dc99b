//! A resolved expression in the language's own words, for traces, graphs and `why`.
//!
//! What is printed reads like the source and has its operator precedence; it need not be byte for byte what was
//! written. Numbered things (locals, metrics, history conditions) get their names back through [`Names`].

mod literal;
mod source;

use std::fmt::{self, Display, Formatter};

pub use literal::value;
pub use source::{aggregate, anchor, pattern, patterns};

use super::{Aggregate, AggregateFn, BinaryOp, Expr, Function, Owner, SpanUnit};
use crate::name::Name;

/// The names behind the numbers of an expression. `()` knows none and prints the numbers.
pub trait Names {
    fn local(&self, _slot: u16) -> Option<Name> {
        None
    }
    fn def(&self, _index: u16) -> Option<Name> {
        None
    }
    fn feature(&self, _index: u16) -> Option<&Aggregate> {
        None
    }
    /// What the parent of the subject is called: `customer` of a `holding`.
    fn parent(&self) -> Option<Name> {
        None
    }
}

impl Names for () {}

/// `expr` as text.
#[must_use]
pub fn expr(expr: &Expr, names: &dyn Names) -> String {
    Shown { expr, names, above: Level::Loosest }.to_string()
}

/// How tightly an operator binds; what binds looser than its surroundings is printed in parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Loosest,
    Or,
    And,
    Not,
    Compare,
    Range,
    Otherwise,
    At,
    Shift,
    Add,
    Mul,
    Unary,
    Tightest,
}

pub(super) struct Shown<'a> {
    pub(super) expr: &'a Expr,
    pub(super) names: &'a dyn Names,
    pub(super) above: Level,
}

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if level(self.expr) < self.above {
            write!(f, "(")?;
            self.bare(f)?;
            write!(f, ")")
        } else {
            self.bare(f)
        }
    }
}

impl<'a> Shown<'a> {
    fn below(&self, expr: &'a Expr, above: Level) -> Shown<'a> {
        Shown { expr, names: self.names, above }
    }

    fn bare(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.expr {
            Expr::Const(constant) => f.write_str(&value(constant)),
            Expr::Attr(owner, name) | Expr::Tag(owner, name) => self.owned(*owner, name, f),
            Expr::Def(owner, index) => match self.names.def(*index) {
                Some(name) => self.owned(*owner, &name, f),
                None => self.owned(*owner, &format!("definition #{index}"), f),
            },
            Expr::Local(slot) => match self.names.local(*slot) {
                Some(name) => write!(f, "{name}"),
                None => write!(f, "remembered #{slot}"),
            },
            Expr::Param(name) => write!(f, "{name}"),
            Expr::Entry => f.write_str("event"),
            Expr::Element => f.write_str("it"),
            Expr::Field(of, name) if **of == Expr::Element => write!(f, "{name}"),
            Expr::Field(of, name) => write!(f, "{}.{name}", self.below(of, Level::Tightest)),
            Expr::Entered => f.write_str("entered"),
            Expr::Now => f.write_str("now"),
            Expr::Today => f.write_str("today"),
            Expr::Not(inner) => self.negation(inner, f),
            Expr::Neg(inner) => write!(f, "-{}", self.below(inner, Level::Unary)),
            Expr::Binary(op, left, right) => self.binary(*op, left, right, f),
            Expr::Known(inner, known) => {
                let word = if *known { "known" } else { "missing" };
                write!(f, "{} is {word}", self.below(inner, Level::Range))
            }
            Expr::Otherwise(first, second) => {
                write!(
                    f,
                    "{} otherwise {}",
                    self.below(first, Level::Otherwise),
                    self.below(second, Level::At)
                )
            }
            Expr::List(items) => {
                f.write_str("[")?;
                self.separated(items, f)?;
                f.write_str("]")
            }
            Expr::Range(from, to) => {
                write!(f, "{}..{}", self.below(from, Level::Otherwise), self.below(to, Level::Otherwise))
            }
            Expr::At(date, time) => {
                write!(f, "{} at {}", self.below(date, Level::Shift), self.below(time, Level::Shift))
            }
            Expr::Shift { by, back, from, calendar: _ } => {
                let word = if *back { "before" } else { "after" };
                write!(f, "{by} {word} {}", self.below(from, Level::Add))
            }
            Expr::Span { unit, offset } => span(*unit, *offset, f),
            Expr::SpanOf { unit, of } => {
                write!(f, "{} of {}", unit_word(*unit), self.below(of, Level::Tightest))
            }
            Expr::Choose { rows, otherwise } => {
                for (condition, value) in rows {
                    let (condition, value) = (self.below(condition, Level::Or), self.below(value, Level::Or));
                    write!(f, "{value} if {condition}, ")?;
                }
                write!(f, "else {}", self.below(otherwise, Level::Or))
            }
            Expr::Reference { of, attribute: name, .. }
            | Expr::Anchored { of: Some(of), anchor: name, .. } => {
                write!(f, "{}.{name}", self.below(of, Level::Tightest))
            }
            Expr::Anchored { of: None, anchor, .. } => write!(f, "{anchor}"),
            Expr::Call(Function::DateOf, args) if args.len() == 1 => {
                self.separated(args, f)?;
                f.write_str(".date")
            }
            Expr::Table(call) => {
                write!(f, "{}(", call.table)?;
                self.separated(&call.args, f)?;
                f.write_str(")")
            }
            Expr::Call(function, args) => {
                write!(f, "{}(", function_word(*function))?;
                self.separated(args, f)?;
                f.write_str(")")
            }
            Expr::Aggregate(aggregate) => source::write_aggregate(aggregate, self.names, false, f),
            Expr::History(feature) => match self.names.feature(*feature) {
                Some(aggregate) => source::write_aggregate(aggregate, self.names, false, f),
                None => write!(f, "history #{feature}"),
            },
            Expr::Balance(_, points) => write!(f, "balance({points})"),
        }
    }

    fn owned(&self, owner: Owner, name: &dyn Display, f: &mut Formatter<'_>) -> fmt::Result {
        match (owner, self.names.parent()) {
            (Owner::Subject, _) => write!(f, "{name}"),
            (Owner::Parent, Some(parent)) => write!(f, "{parent}.{name}"),
            (Owner::Parent, None) => write!(f, "parent.{name}"),
        }
    }

    /// `no x` where it negates `any x`.
    fn negation(&self, inner: &'a Expr, f: &mut Formatter<'_>) -> fmt::Result {
        match any_of(inner, self.names) {
            Some(aggregate) => source::write_aggregate(aggregate, self.names, true, f),
            None => write!(f, "not {}", self.below(inner, Level::Not)),
        }
    }

    fn binary(&self, op: BinaryOp, left: &'a Expr, right: &'a Expr, f: &mut Formatter<'_>) -> fmt::Result {
        let own = op_level(op);
        let (left_level, right_level) = match op {
            // Associative: the right side may be of the same kind without parentheses.
            BinaryOp::And | BinaryOp::Or => (own, own),
            BinaryOp::Add | BinaryOp::Sub => (own, Level::Mul),
            BinaryOp::Mul | BinaryOp::Div => (own, Level::Unary),
            _ => (Level::Range, Level::Range),
        };
        write!(f, "{} {} {}", self.below(left, left_level), op_word(op), self.below(right, right_level))
    }

    fn separated(&self, items: &'a [Expr], f: &mut Formatter<'_>) -> fmt::Result {
        for (at, item) in items.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { ", " })?;
            write!(f, "{}", self.below(item, Level::Loosest))?;
        }
        Ok(())
    }
}

fn any_of<'a>(expr: &'a Expr, names: &'a dyn Names) -> Option<&'a Aggregate> {
    let aggregate = match expr {
        Expr::Aggregate(aggregate) => aggregate,
        Expr::History(feature) => names.feature(*feature)?,
        _ => return None,
    };
    (aggregate.function == AggregateFn::Any).then_some(aggregate)
}

fn level(expr: &Expr) -> Level {
    match expr {
        Expr::Binary(op, ..) => op_level(*op),
        Expr::Known(..) => Level::Compare,
        Expr::Not(_) => Level::Not,
        Expr::Range(..) => Level::Range,
        Expr::Otherwise(..) => Level::Otherwise,
        Expr::At(..) => Level::At,
        Expr::Shift { .. } => Level::Shift,
        Expr::Neg(_) => Level::Unary,
        Expr::Choose { .. } => Level::Loosest,
        _ => Level::Tightest,
    }
}

fn op_level(op: BinaryOp) -> Level {
    match op {
        BinaryOp::Or => Level::Or,
        BinaryOp::And => Level::And,
        BinaryOp::Add | BinaryOp::Sub => Level::Add,
        BinaryOp::Mul | BinaryOp::Div => Level::Mul,
        _ => Level::Compare,
    }
}

pub(super) fn op_word(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Or => "or",
        BinaryOp::And => "and",
        BinaryOp::Is => "is",
        BinaryOp::IsNot => "is not",
        BinaryOp::Less => "<",
        BinaryOp::LessEq => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterEq => ">=",
        BinaryOp::In => "in",
        BinaryOp::Has => "has",
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
    }
}

fn function_word(function: Function) -> &'static str {
    match function {
        Function::Money => "money",
        Function::Date | Function::DateOf => "date",
        Function::Mask => "mask",
        Function::Link => "link",
        Function::Max => "max",
        Function::Min => "min",
        Function::Round => "round",
        Function::Days => "days",
        Function::Ratio => "ratio",
    }
}

fn unit_word(unit: SpanUnit) -> &'static str {
    match unit {
        SpanUnit::Day => "day",
        SpanUnit::Week => "week",
        SpanUnit::Month => "month",
        SpanUnit::Quarter => "quarter",
        SpanUnit::Year => "year",
    }
}

fn span(unit: SpanUnit, offset: i8, f: &mut Formatter<'_>) -> fmt::Result {
    match (unit, offset) {
        (SpanUnit::Day, 0) => f.write_str("today"),
        (SpanUnit::Day, -1) => f.write_str("yesterday"),
        (_, 0) => write!(f, "this {}", unit_word(unit)),
        (_, -1) => write!(f, "last {}", unit_word(unit)),
        (_, 1) => write!(f, "next {}", unit_word(unit)),
        _ => write!(f, "{} {offset:+}", unit_word(unit)),
    }
}

#[cfg(test)]
mod tests;
