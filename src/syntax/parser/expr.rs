//! Expressions, by precedence climbing: one loop over the operators, from `or` (loosest) to `*` (tightest).
//! Operands are in `operand`.

use nom::Parser;

use super::input::{In, MAX_OPERATORS};
use super::operand;
use super::pattern::at_misnamed_window;
use super::primitive::{P, ends_item, missed, missing_of, nested, path};
use super::report;
use crate::diagnostic::{Diagnostic, code};
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Ident};
use crate::syntax::token::TokenKind;
use crate::text::Span;

/// How tightly an operator binds. The names are those of the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Or,
    And,
    Not,
    Compare,
    Range,
    Otherwise,
    /// `DATE at TIME`: what `mom` of the grammar is.
    Moment,
    Offset,
    Sum,
    Product,
    Unary,
}

/// Any expression. Never fails: what cannot be read is reported, skipped to the next sign that ends an
/// expression, and stands as an error, so that the rest of the item is still checked.
pub(super) fn expr(i: In<'_>) -> P<'_, Expr> {
    at_level(i, Level::Or).or_else(|failure| {
        if let Some(missed) = missing_of(failure) {
            report::missed(i.cx, &missed);
        }
        let rest = skip_operands(i);
        Ok((rest, Expr { kind: ExprKind::Error, span: rest.since(i.span()) }))
    })
}

/// To the sign or word behind an expression that could not be read.
fn skip_operands(mut i: In<'_>) -> In<'_> {
    let mut depth = 0u32;
    while !ends_item(i.kind()) && i.kind() != TokenKind::LBrace {
        match i.kind() {
            TokenKind::LParen | TokenKind::LBracket => depth += 1,
            TokenKind::RParen | TokenKind::RBracket | TokenKind::Comma if depth == 0 => break,
            TokenKind::RParen | TokenKind::RBracket => depth -= 1,
            _ => {}
        }
        i = i.next();
    }
    i
}

/// A moment or an event: nothing looser than `at`.
pub(super) fn moment(i: In<'_>) -> P<'_, Expr> {
    at_level(i, Level::Moment)
}

/// `a..b` or what binds tighter.
pub(super) fn range(i: In<'_>) -> P<'_, Expr> {
    at_level(i, Level::Range)
}

/// `a + b` or what binds tighter.
pub(super) fn sum(i: In<'_>) -> P<'_, Expr> {
    at_level(i, Level::Sum)
}

/// An expression of operators that bind at least as tightly as `level`.
pub(super) fn at_level(i: In<'_>, level: Level) -> P<'_, Expr> {
    let depth = i.cx.expr_depth.get();
    if depth == 0 {
        i.cx.operators.set(0);
    }
    i.cx.expr_depth.set(depth + 1);
    let result = nested(i, |i| operators(i, level));
    i.cx.expr_depth.set(depth);
    result
}

fn operators(i: In<'_>, level: Level) -> P<'_, Expr> {
    let start = i.span();
    let (mut i, mut left) = prefix(i, level)?;
    while let Some(found) = infix(i).filter(|found| found.level() >= level) {
        count_operator(i)?;
        (i, left) = apply(i, found, start, left)?;
    }
    Ok((i, left))
}

/// Bounds the height of trees that grow without nesting: `a + a + …`.
fn count_operator(i: In<'_>) -> P<'_, ()> {
    let count = i.cx.operators.get() + 1;
    i.cx.operators.set(count);
    if count <= MAX_OPERATORS {
        return Ok((i, ()));
    }
    let finding = Diagnostic::new(
        code::TOO_DEEP,
        i.span(),
        format!("more than {MAX_OPERATORS} operators in one expression"),
    )
    .help("name a part of it as a `metric` or `audience`, or use a list: `x in [a, b, c]`");
    report::at(i, finding);
    missed(i, "a shorter expression")
}

fn prefix(i: In<'_>, level: Level) -> P<'_, Expr> {
    let start = i.span();
    match i.word() {
        "not" if level <= Level::Not => {
            count_operator(i)?;
            let (i, value) = at_level(i.next(), Level::Not)?;
            Ok((i, node(i, start, ExprKind::Not(Box::new(value)))))
        }
        "in" if level <= Level::Compare => {
            let (i, unit) = path("an org unit").parse(i.next())?;
            Ok((i, node(i, start, ExprKind::InUnit(unit))))
        }
        _ if i.kind() == TokenKind::Minus => {
            count_operator(i)?;
            let (i, value) = at_level(i.next(), Level::Unary)?;
            Ok((i, node(i, start, ExprKind::Neg(Box::new(value)))))
        }
        _ => operand::operand(i),
    }
}

/// An operator as it is seen at its first token.
#[derive(Clone, Copy)]
enum Infix {
    Binary(BinaryOp, Level),
    Is,
    Otherwise,
}

impl Infix {
    fn level(self) -> Level {
        match self {
            Self::Binary(_, level) => level,
            Self::Is => Level::Compare,
            Self::Otherwise => Level::Otherwise,
        }
    }
}

fn infix(i: In<'_>) -> Option<Infix> {
    use BinaryOp as Op;
    use Infix::Binary;
    Some(match i.kind() {
        TokenKind::Name => match i.word() {
            "or" => Binary(Op::Or, Level::Or),
            "and" => Binary(Op::And, Level::And),
            "is" => Infix::Is,
            "in" if !at_misnamed_window(i) => Binary(Op::In, Level::Compare),
            "has" => Binary(Op::Has, Level::Compare),
            "otherwise" => Infix::Otherwise,
            "at" => Binary(Op::At, Level::Moment),
            "before" => Binary(Op::Before, Level::Offset),
            "after" => Binary(Op::After, Level::Offset),
            _ => return None,
        },
        // `x = 5` where a comparison is meant: after a whole expression `=` can stand nowhere.
        TokenKind::Equals => Infix::Is,
        TokenKind::Less => Binary(Op::Less, Level::Compare),
        TokenKind::LessEq => Binary(Op::LessEq, Level::Compare),
        TokenKind::Greater => Binary(Op::Greater, Level::Compare),
        TokenKind::GreaterEq => Binary(Op::GreaterEq, Level::Compare),
        TokenKind::DotDot => Binary(Op::Range, Level::Range),
        TokenKind::Plus => Binary(Op::Add, Level::Sum),
        TokenKind::Minus => Binary(Op::Sub, Level::Sum),
        TokenKind::Star => Binary(Op::Mul, Level::Product),
        TokenKind::Slash => Binary(Op::Div, Level::Product),
        _ => return None,
    })
}

/// Reads the operator at `i` and what stands right of it; `start` is where the left side begins, brackets included.
fn apply(i: In<'_>, found: Infix, start: Span, left: Expr) -> P<'_, Expr> {
    match found {
        Infix::Is => is(i, start, left),
        Infix::Otherwise => {
            let (rest, fallback) = at_level(i.next(), Level::Moment)?;
            let kind = ExprKind::Otherwise { value: Box::new(left), fallback: Box::new(fallback) };
            Ok((rest, node(rest, start, kind)))
        }
        Infix::Binary(op, level) => {
            no_chain(i, &left, op);
            let (rest, right) = at_level(i.next(), right_of(level))?;
            Ok((rest, binary(rest, start, op, i.span(), left, right)))
        }
    }
}

/// What may stand right of an operator: everything that binds tighter.
fn right_of(level: Level) -> Level {
    match level {
        Level::Or => Level::And,
        Level::And => Level::Not,
        Level::Not | Level::Compare => Level::Range,
        Level::Range => Level::Otherwise,
        Level::Otherwise => Level::Moment,
        Level::Moment => Level::Offset,
        Level::Offset => Level::Sum,
        Level::Sum => Level::Product,
        Level::Product | Level::Unary => Level::Unary,
    }
}

fn binary(i: In<'_>, start: Span, op: BinaryOp, op_span: Span, left: Expr, right: Expr) -> Expr {
    node(i, start, ExprKind::Binary { op, op_span, left: Box::new(left), right: Box::new(right) })
}

/// `a < b < c` says something else than it seems to.
fn no_chain(i: In<'_>, left: &Expr, op: BinaryOp) {
    let again = match &left.kind {
        ExprKind::Binary { op: first, .. } => {
            (is_comparison(*first) && is_comparison(op)) || (*first == op && op == BinaryOp::Range)
        }
        ExprKind::Known { .. } => is_comparison(op),
        _ => false,
    };
    // A left side in brackets is fine: its span ends before the bracket.
    if again && i.last_span().end == left.span.end {
        let finding = Diagnostic::new(
            code::CHAINED,
            i.span(),
            format!("`{}` cannot follow another comparison", i.text()),
        )
        .help("compare twice, joined by `and`: `a < b and b < c`");
        report::at(i, finding);
    }
}

fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp as Op;
    matches!(op, Op::Is | Op::IsNot | Op::Less | Op::LessEq | Op::Greater | Op::GreaterEq | Op::In | Op::Has)
}

/// `is known`, `is not missing`, `is x`
fn is(word: In<'_>, start: Span, left: Expr) -> P<'_, Expr> {
    if word.kind() == TokenKind::Equals {
        let finding =
            Diagnostic::new(code::FOREIGN_SIGN, word.span(), "`=` gives a value; comparing is written `is`")
                .help("write `is`")
                .fix("write `is`", word.span(), "is");
        report::at(word, finding);
    }
    let negated = word.next().is_word("not");
    let i = if negated { word.next().next() } else { word.next() };
    if matches!(i.word(), "known" | "missing") {
        let known = i.is_word("known") != negated;
        let rest = i.next();
        return Ok((rest, node(rest, start, ExprKind::Known { value: Box::new(left), known })));
    }
    let op = if negated { BinaryOp::IsNot } else { BinaryOp::Is };
    let op_span = i.since(word.span());
    no_chain(word, &left, op);
    let (rest, right) = at_level(i, Level::Range)?;
    Ok((rest, binary(rest, start, op, op_span, left, right)))
}

/// A node from `start` to what was last read.
pub(super) fn node(i: In<'_>, start: Span, kind: ExprKind) -> Expr {
    Expr { kind, span: i.since(start) }
}

/// `.field` behind any expression.
pub(super) fn field(i: In<'_>, base: Expr, field: Ident) -> Expr {
    let start = base.span;
    node(i, start, ExprKind::Field { base: Box::new(base), field })
}
