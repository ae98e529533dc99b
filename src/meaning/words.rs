//! An example customer in the language's words: `aum = 50_000 CNY`, `any login during last 7 days`, `not vip`.

use std::cmp::Ordering;

use super::read::{Reader, Term};
use crate::expr::{BinaryOp, Expr, show};
use crate::logic::{Example, Held};
use crate::value::Value;

/// Things that are said of one example before it is cut short.
const MOST_SAID: usize = 8;

/// One line for each thing that matters; none: anybody.
pub(super) fn lines(reader: &Reader, example: &Example) -> Vec<String> {
    let terms = reader.space.vars().zip(&reader.terms);
    let held = terms.filter_map(|(var, term)| Some((term, example.held(var)?)));
    held.map(|(term, held)| line(reader, term, held)).collect()
}

/// The example in a sentence: each thing in backticks.
pub(super) fn sentence(reader: &Reader, example: &Example) -> String {
    let lines = lines(reader, example);
    if lines.is_empty() {
        return "anybody".to_owned();
    }
    let said: Vec<String> = lines.iter().take(MOST_SAID).map(|line| format!("`{line}`")).collect();
    let more = if lines.len() > MOST_SAID { ", …" } else { "" };
    format!("{}{more}", said.join(", "))
}

fn line(reader: &Reader, term: &Term, held: &Held) -> String {
    let words = |expr: &Expr| show::expr(expr, &reader.scope);
    match (term, held) {
        (Term::Value(expr), Held::Missing) => words(&Expr::Known(Box::new(expr.clone()), false)),
        (Term::Value(expr), Held::OneOf(values)) => match values.as_slice() {
            [Value::Bool(true)] | [] => words(expr),
            [Value::Bool(false)] => words(&Expr::Not(Box::new(expr.clone()))),
            [first, ..] => format!("{} = {}", words(expr), show::value(first)),
        },
        (Term::Value(expr), Held::NoneOf(values)) => match values.first() {
            Some(value) => words(&compare(BinaryOp::IsNot, expr, &Expr::Const(value.clone()))),
            None => words(&Expr::Known(Box::new(expr.clone()), true)),
        },
        (Term::Value(expr), held) => match held.value() {
            Some(value) => format!("{} = {}", words(expr), show::value(&value)),
            None => words(&Expr::Known(Box::new(expr.clone()), true)),
        },
        (Term::Order(left, right), Held::Compares(way)) => {
            let op = match way {
                Ordering::Less => BinaryOp::Less,
                Ordering::Equal => BinaryOp::Is,
                Ordering::Greater => BinaryOp::Greater,
            };
            words(&compare(op, left, right))
        }
        (Term::Order(left, right), _) => format!("{} or {} is missing", words(left), words(right)),
    }
}

fn compare(op: BinaryOp, left: &Expr, right: &Expr) -> Expr {
    Expr::Binary(op, Box::new(left.clone()), Box::new(right.clone()))
}
