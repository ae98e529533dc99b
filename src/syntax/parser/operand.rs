//! What operators stand between: literals, names, calls, lists, quantifiers. The first token decides.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::map;
use rust_decimal::Decimal;

use super::duration::{self, at_duration, duration, too_large};
use super::expr::{expr, field, node};
use super::input::In;
use super::pattern::{optional_window, pattern};
use super::primitive::{P, at_name, expect, head, ident, missed, optional, path, series, sign, text};
use super::report;
use crate::diagnostic::{Diagnostic, code};
use crate::syntax::ast::{Arg, Call, Expr, ExprKind, Ident, Quantifier};
use crate::syntax::token::TokenKind;
use crate::syntax::{literal, words};
use crate::text::Span;

/// `prim` or `quant`
pub(super) fn operand(i: In<'_>) -> P<'_, Expr> {
    match i.kind() {
        TokenKind::LParen => parenthesised(i),
        TokenKind::LBracket => bracketed(i),
        TokenKind::QuotedName => named(i),
        TokenKind::Name => worded(i),
        _ => literal(i),
    }
}

fn worded(i: In<'_>) -> P<'_, Expr> {
    match i.word() {
        "any" => quantified(i, Quantifier::Any),
        "no" => quantified(i, Quantifier::No),
        "once" => quantified(i, Quantifier::Once),
        "true" => constant(i, ExprKind::Bool(true)),
        "false" => constant(i, ExprKind::Bool(false)),
        "this" | "last" | "next" if is_span_unit(i.word2()) => calendar_span(i),
        "ended" if i.cx.in_test.get() => ended(i),
        unit if is_span_unit(unit) && i.word2() == "of" => span_of(i),
        word if words::is_hard(word) => missed(i, "a value"),
        _ => named(i),
    }
}

fn constant(i: In<'_>, kind: ExprKind) -> P<'_, Expr> {
    Ok((i.next(), Expr { kind, span: i.span() }))
}

/// `any login where … during last 90 days`
fn quantified(start: In<'_>, quantifier: Quantifier) -> P<'_, Expr> {
    let (i, pattern) = pattern(start.next())?;
    let (i, window) = optional_window(i)?;
    Ok((i, node(i, start.span(), ExprKind::Quantified { quantifier, pattern: Box::new(pattern), window })))
}

fn is_span_unit(word: &str) -> bool {
    matches!(word, "week" | "month" | "quarter" | "year")
}

/// `this month`
fn calendar_span(start: In<'_>) -> P<'_, Expr> {
    let (i, (which, unit)) = (head, head).parse(start)?;
    Ok((i, node(i, start.span(), ExprKind::Span { which, unit })))
}

/// `month of 2027-03-31`
fn span_of(start: In<'_>) -> P<'_, Expr> {
    let (i, unit) = head(start)?;
    let (i, of) = alt((date, map(path("a date"), path_expr))).parse(i.next())?;
    Ok((i, node(i, start.span(), ExprKind::SpanOf { unit, of: Box::new(of) })))
}

/// `ended reached`, `ended`
fn ended(start: In<'_>) -> P<'_, Expr> {
    let (i, name) = if at_name(start.next()) {
        map(ident("an end"), Some).parse(start.next())?
    } else {
        (start.next(), None)
    };
    Ok((i, node(i, start.span(), ExprKind::Ended(name))))
}

fn path_expr(path: crate::syntax::ast::Path) -> Expr {
    Expr { span: path.span, kind: ExprKind::Path(path) }
}

/// `path`, `path(args)`, and `.field` behind a call
fn named(start: In<'_>) -> P<'_, Expr> {
    let (i, callee) = path("a value")(start)?;
    if i.kind() != TokenKind::LParen {
        return Ok((i, path_expr(callee)));
    }
    let (i, args) = args(i)?;
    fields(i, node(i, start.span(), ExprKind::Call { callee, args }))
}

fn fields(mut i: In<'_>, mut base: Expr) -> P<'_, Expr> {
    while i.kind() == TokenKind::Dot {
        let name: Ident;
        (i, name) = ident("a field")(i.next())?;
        base = field(i, base, name);
    }
    Ok((i, base))
}

/// `path [ args ]` where only that may stand: contents, journeys, events that happen.
pub(super) fn call<'a>(what: &'static str) -> impl Fn(In<'a>) -> P<'a, Call> {
    move |start| {
        let (i, path) = path(what)(start)?;
        let (i, args) = if i.kind() == TokenKind::LParen { args(i)? } else { (i, Vec::new()) };
        Ok((i, Call { path, args, span: i.since(start.span()) }))
    }
}

/// `(arg, arg)`
fn args(i: In<'_>) -> P<'_, Vec<Arg>> {
    series(i.next(), arg, TokenKind::RParen, "`)`")
}

/// `[name =] expr [where expr] [window]`
fn arg(i: In<'_>) -> P<'_, Arg> {
    let named = at_name(i) && i.kind2() == TokenKind::Equals;
    let (i, name) = if named {
        map((ident("a name"), sign(TokenKind::Equals, "`=`")), |(name, _)| Some(name)).parse(i)?
    } else {
        (i, None)
    };
    let (i, value) = expr(i)?;
    let (i, (filter, window)) = (optional("where", expr), optional_window).parse(i)?;
    Ok((i, Arg { name, value, filter: filter.map(Box::new), window: window.map(Box::new) }))
}

/// `(expr)`, `(expr during last 5 days)`
fn parenthesised(start: In<'_>) -> P<'_, Expr> {
    let (i, value) = expr(start.next())?;
    let (i, window) = optional_window(i)?;
    let (i, _) = expect(TokenKind::RParen, "`)`")(i)?;
    match window {
        None => fields(i, value),
        Some(window) => {
            fields(i, node(i, start.span(), ExprKind::Windowed { value: Box::new(value), window }))
        }
    }
}

/// `[a, b]`
fn bracketed(start: In<'_>) -> P<'_, Expr> {
    let (i, items) = series(start.next(), expr, TokenKind::RBracket, "`]`")?;
    Ok((i, node(i, start.span(), ExprKind::List(items))))
}

fn literal(i: In<'_>) -> P<'_, Expr> {
    match i.kind() {
        TokenKind::Int | TokenKind::Glued if at_duration(i) => {
            map(duration, |dur| Expr { kind: ExprKind::Dur(dur.kind), span: dur.span }).parse(i)
        }
        TokenKind::Int | TokenKind::Decimal => number(i),
        TokenKind::Percent => constant(i, ExprKind::Percent(fitting(i, literal::percent(i.text())))),
        TokenKind::Text => {
            map(text("a text"), |text| Expr { kind: ExprKind::Text(text.value), span: text.span }).parse(i)
        }
        TokenKind::Date => date(i),
        TokenKind::Time => map(time, |(time, span)| Expr { kind: ExprKind::Time(time), span }).parse(i),
        _ => missed(i, "a value"),
    }
}

/// The decimal `value` of the number at `i`; one that does not fit is reported.
fn fitting(i: In<'_>, value: Option<Decimal>) -> Decimal {
    value.unwrap_or_else(|| {
        too_large(i);
        Decimal::ZERO
    })
}

/// `50_000`, `0.5`, `50_000 CNY`
fn number(i: In<'_>) -> P<'_, Expr> {
    if i.kind2() == TokenKind::Name && literal::is_currency(i.word2()) {
        let amount = fitting(i, literal::decimal(i.text()));
        let (rest, currency) = head(i.next())?;
        return Ok((rest, node(rest, i.span(), ExprKind::Money(amount, currency.name))));
    }
    match i.kind() {
        TokenKind::Decimal => constant(i, ExprKind::Decimal(fitting(i, literal::decimal(i.text())))),
        _ => constant(i, ExprKind::Int(duration::count(i))),
    }
}

fn date(i: In<'_>) -> P<'_, Expr> {
    if i.kind() != TokenKind::Date {
        return missed(i, "a date");
    }
    if let Some(date) = literal::date(i.text()) {
        return constant(i, ExprKind::Date(date));
    }
    let finding = Diagnostic::new(code::NO_SUCH_TIME, i.span(), format!("`{}` is not a day", i.text()))
        .help("dates are written `2026-12-01` and must exist in the calendar");
    report::at(i, finding);
    constant(i, ExprKind::Error)
}

/// `10:00`. A time the clock does not show is reported and read as midnight.
pub(super) fn time(i: In<'_>) -> P<'_, (jiff::civil::Time, Span)> {
    if i.kind() != TokenKind::Time {
        return missed(i, "a time such as `10:00`");
    }
    let time = literal::time(i.text()).unwrap_or_else(|| {
        let finding = Diagnostic::new(code::NO_SUCH_TIME, i.span(), format!("`{}` is not a time", i.text()))
            .help("times have 24 hours and four digits, `00:00` to `23:59`");
        report::at(i, finding);
        jiff::civil::Time::midnight()
    });
    Ok((i.next(), (time, i.span())))
}
