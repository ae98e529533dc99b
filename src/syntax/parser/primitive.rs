//! The small parsers everything else is made of, and how mistakes are survived.
//!
//! * `name(i)` reads a construct or fails with [`Missed`]; failing never reports.
//! * `expect…` reports what is missing and goes on as if it stood there, without consuming.
//! * `optional(word, p)` looks at one word; once it is there, `p` is owed.
//! * [`item`] runs the parser of one item, reports its failure once, and skips to the end of the item.

use std::borrow::Cow;

use nom::error::{ErrorKind, ParseError};
use nom::{Err, IResult, Parser};

use super::input::{In, MAX_DEPTH};
use super::report;
use crate::diagnostic::{Diagnostic, code};
use crate::syntax::ast::{Expr, ExprKind, Ident, Path, Text};
use crate::syntax::token::TokenKind;
use crate::syntax::{literal, words};
use crate::text::Span;

/// Bytes of an item from which on spare room is given back.
const LARGE: usize = 64;

pub(super) type P<'a, T> = IResult<In<'a>, T, Missed>;

/// A construct was not there: where, and what was expected. Reported by [`item`] or whoever goes on.
#[derive(Clone, Debug)]
pub(super) struct Missed {
    pub(super) at: usize,
    pub(super) what: Cow<'static, str>,
    /// A name was expected: a reserved word there was perhaps meant as one.
    pub(super) name: bool,
}

impl<'a> ParseError<In<'a>> for Missed {
    fn from_error_kind(input: In<'a>, _: ErrorKind) -> Self {
        Self { at: input.position(), what: "something else".into(), name: false }
    }

    fn append(_: In<'a>, _: ErrorKind, other: Self) -> Self {
        other
    }

    /// The branch that came farthest knows best; at the same place both were possible.
    fn or(self, other: Self) -> Self {
        match self.at.cmp(&other.at) {
            std::cmp::Ordering::Greater => self,
            std::cmp::Ordering::Less => other,
            std::cmp::Ordering::Equal => {
                let what = format!("{} or {}", self.what, other.what).into();
                Self { at: self.at, what, name: self.name && other.name }
            }
        }
    }
}

/// Fails here.
pub(super) fn missed<T>(i: In<'_>, what: impl Into<Cow<'static, str>>) -> P<'_, T> {
    Err(Err::Error(Missed { at: i.position(), what: what.into(), name: false }))
}

/// What a failed parser missed.
pub(super) fn missing_of(error: Err<Missed>) -> Option<Missed> {
    match error {
        Err::Error(missed) | Err::Failure(missed) => Some(missed),
        Err::Incomplete(_) => None,
    }
}

/// The sign `kind`.
pub(super) fn sign<'a>(kind: TokenKind, what: &'static str) -> impl Fn(In<'a>) -> P<'a, Span> {
    move |i| if i.kind() == kind { Ok((i.next(), i.span())) } else { missed(i, what) }
}

/// The sign `kind`; reported where it is missing.
pub(super) fn expect<'a>(kind: TokenKind, what: &'static str) -> impl Fn(In<'a>) -> P<'a, Span> {
    move |i| sign(kind, what)(i).or_else(|_| go_on(i, what))
}

/// The word `word`; reported where it is missing.
pub(super) fn expect_word<'a>(word: &'static str) -> impl Fn(In<'a>) -> P<'a, Span> {
    move |i| match i.is_word(word) {
        true => Ok((i.next(), i.span())),
        // `vai push` is `via push`: what is plainly the word is taken for it.
        false if report::is_misspelt(i, word) && is_begun(i.next()) => {
            report::left_out(i, &format!("`{word}`"));
            Ok((i.next(), i.span()))
        }
        false => go_on(i, format!("`{word}`")),
    }
}

fn go_on(i: In<'_>, what: impl Into<Cow<'static, str>>) -> P<'_, Span> {
    report::left_out(i, &what.into());
    Ok((i, i.last_span().after()))
}

/// The word that decided, already seen: its span.
pub(super) fn head(i: In<'_>) -> P<'_, Ident> {
    let name = if i.word().is_empty() { literal::name(i.text()) } else { literal::name(i.word()) };
    Ok((i.next(), Ident { name, span: i.span() }))
}

/// `word p`, if `word` is next.
pub(super) fn optional<'a, T>(
    word: &'static str,
    mut p: impl Parser<In<'a>, Output = T, Error = Missed>,
) -> impl FnMut(In<'a>) -> P<'a, Option<T>> {
    move |i| {
        if !i.is_word(word) {
            return Ok((i, None));
        }
        let (i, value) = p.parse(i.next())?;
        Ok((i, Some(value)))
    }
}

/// `p`, if the next token is of `kind`.
pub(super) fn optional_kind<'a, T>(
    kind: TokenKind,
    mut p: impl Parser<In<'a>, Output = T, Error = Missed>,
) -> impl FnMut(In<'a>) -> P<'a, Option<T>> {
    move |i| {
        if i.kind() != kind {
            return Ok((i, None));
        }
        let (i, value) = p.parse(i)?;
        Ok((i, Some(value)))
    }
}

/// A name: any word that is not reserved, or anything in backticks.
pub(super) fn ident<'a>(what: &'static str) -> impl Fn(In<'a>) -> P<'a, Ident> {
    move |i| {
        let name = match i.kind() {
            TokenKind::Name if !words::is_hard(i.word()) => literal::name(i.text()),
            TokenKind::QuotedName => literal::name(i.text().trim_matches('`')),
            _ => return Err(Err::Error(Missed { at: i.position(), what: what.into(), name: true })),
        };
        Ok((i.next(), Ident { name, span: i.span() }))
    }
}

/// Whether a name is next.
pub(super) fn at_name(i: In<'_>) -> bool {
    match i.kind() {
        TokenKind::Name => !words::is_hard(i.word()),
        kind => kind == TokenKind::QuotedName,
    }
}

/// Whether what follows a word of the language is next: a name or a number.
fn is_begun(i: In<'_>) -> bool {
    at_name(i) || matches!(i.kind(), TokenKind::Int | TokenKind::Glued)
}

/// `name.name`
pub(super) fn path<'a>(what: &'static str) -> impl Fn(In<'a>) -> P<'a, Path> {
    move |start| {
        let (mut i, first) = ident(what)(start)?;
        let mut parts = vec![first];
        while i.kind() == TokenKind::Dot {
            let (rest, part) = ident("a name")(i.next())?;
            parts.push(part);
            i = rest;
        }
        parts.shrink_to_fit();
        Ok((i, Path { parts, span: i.since(start.span()) }))
    }
}

/// `p` as one of several kinds that keep it behind a pointer.
pub(super) fn boxed<'a, T, K>(
    p: impl Parser<In<'a>, Output = T, Error = Missed>,
    kind: impl Fn(Box<T>) -> K,
) -> impl Parser<In<'a>, Output = K, Error = Missed> {
    p.map(move |value| kind(Box::new(value)))
}

/// `p, p, …`: a comma owes another one.
pub(super) fn list<'a, T>(
    mut p: impl Parser<In<'a>, Output = T, Error = Missed>,
) -> impl FnMut(In<'a>) -> P<'a, Vec<T>> {
    move |i| {
        let (mut i, first) = p.parse(i)?;
        let mut all = vec![first];
        while i.kind() == TokenKind::Comma {
            let (rest, value) = p.parse(i.next())?;
            all.push(value);
            i = rest;
        }
        Ok((i, all))
    }
}

/// `one, one CLOSE`, behind the opening sign: may be empty, and a comma may stand before `CLOSE`.
pub(super) fn series<'a, T>(
    mut i: In<'a>,
    one: impl Fn(In<'a>) -> P<'a, T>,
    close: TokenKind,
    what: &'static str,
) -> P<'a, Vec<T>> {
    let mut all = Vec::new();
    while i.kind() != close {
        let value;
        (i, value) = one(i)?;
        all.push(value);
        if i.kind() != TokenKind::Comma {
            break;
        }
        i = i.next();
    }
    let (i, _) = expect(close, what)(i)?;
    Ok((i, fitted(all)))
}

/// `"…"`, on one line.
pub(super) fn text<'a>(what: &'static str) -> impl Fn(In<'a>) -> P<'a, Text> {
    move |i| {
        if i.kind() != TokenKind::Text {
            return missed(i, what);
        }
        let written = i.text();
        let opened = written.strip_prefix(['"', '“']).unwrap_or(written);
        let offset = i.span().start as usize + (written.len() - opened.len());
        let inside = opened.strip_suffix(['"', '”']).unwrap_or(opened);
        let (value, bad) = literal::unescape(inside);
        for escape in bad {
            report::bad_escape(i, offset + escape.at, escape.length);
        }
        Ok((i.next(), Text { value: value.into(), span: i.span() }))
    }
}

/// A label, if one is next.
pub(super) fn label(i: In<'_>) -> P<'_, Option<Text>> {
    optional_kind(TokenKind::Text, text("a label")).parse(i)
}

/// `{ item; item }` with the span of its closing brace.
pub(super) fn block<'a, T>(
    start: In<'a>,
    mut one: impl FnMut(In<'a>) -> (In<'a>, T),
) -> P<'a, (Vec<T>, Span)> {
    if start.kind() != TokenKind::LBrace {
        return go_on(start, "`{`").map(|(rest, span)| (rest, (Vec::new(), span)));
    }
    let mut i = start.next();
    let mut items = Vec::new();
    loop {
        match i.kind() {
            TokenKind::Sep | TokenKind::Semicolon => i = i.next(),
            TokenKind::RBrace => return Ok((i.next(), (fitted(items), i.span()))),
            TokenKind::Eof => return Ok((i, (fitted(items), i.last_span().after()))),
            _ => {
                let (rest, value) = one(i);
                items.push(value);
                i = if rest.position() > i.position() { rest } else { i.next() };
            }
        }
    }
}

/// Without the room for more: steps are large, most blocks have one or two of them, and trees are kept.
fn fitted<T>(mut items: Vec<T>) -> Vec<T> {
    if size_of::<T>() > LARGE {
        items.shrink_to_fit();
    }
    items
}

/// One item: `p` and the end of the item; where `p` fails, the item is skipped and stands as an error.
pub(super) fn item<'a, T>(
    i: In<'a>,
    mut p: impl Parser<In<'a>, Output = T, Error = Missed>,
    error: impl FnOnce(Span) -> T,
) -> (In<'a>, T) {
    match p.parse(i) {
        Ok((rest, value)) => (end_of_item(rest), value),
        Err(failure) => {
            if let Some(missed) = missing_of(failure) {
                report::missed(i.cx, &missed);
            }
            let rest = skip_item(i);
            (rest, error(rest.since(i.span())))
        }
    }
}

/// What stands behind a complete item is reported and skipped.
fn end_of_item(i: In<'_>) -> In<'_> {
    if ends_item(i.kind()) {
        return i;
    }
    report::beyond_end(i);
    skip_item(i)
}

pub(super) fn ends_item(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Sep | TokenKind::Semicolon | TokenKind::RBrace | TokenKind::Eof)
}

/// To the end of the item that `i` is in; braces are skipped whole.
pub(super) fn skip_item(start: In<'_>) -> In<'_> {
    let mut i = start;
    while !ends_item(i.kind()) {
        i = if i.kind() == TokenKind::LBrace { skip_braces(i) } else { i.next() };
    }
    start.lose(i);
    i
}

/// Behind the `}` that closes the `{` at `i`.
fn skip_braces(mut i: In<'_>) -> In<'_> {
    let mut depth = 0u32;
    loop {
        match i.kind() {
            TokenKind::LBrace => depth += 1,
            TokenKind::RBrace => depth -= 1,
            TokenKind::Eof => return i,
            _ => {}
        }
        i = i.next();
        if depth == 0 {
            return i;
        }
    }
}

/// Runs `p` one level deeper, unless that is too deep.
pub(super) fn nested<'a, T>(i: In<'a>, p: impl FnOnce(In<'a>) -> P<'a, T>) -> P<'a, T> {
    let depth = i.cx.depth.get();
    if depth >= MAX_DEPTH {
        let finding = Diagnostic::new(
            code::TOO_DEEP,
            i.span(),
            format!("more than {MAX_DEPTH} levels of nesting"),
        )
        .help("name a part of it: a `metric` or `audience` for conditions, a `start`ed journey for steps");
        if !i.cx.too_deep.replace(true) {
            report::at(i, finding);
        }
        report::hush(i);
        return missed(i, "less nesting");
    }
    i.cx.depth.set(depth + 1);
    let result = p(i);
    i.cx.depth.set(depth);
    result
}

/// An expression that fills its text.
pub(super) fn whole(i: In<'_>, p: impl FnOnce(In<'_>) -> P<'_, Expr>) -> Expr {
    match p(i) {
        Ok((rest, value)) => {
            if rest.kind() != TokenKind::Eof {
                report::beyond_end(rest);
            }
            value
        }
        Err(_) => Expr { kind: ExprKind::Error, span: i.span() },
    }
}
