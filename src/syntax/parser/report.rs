//! What the parser says. At most one finding per place, so that one mistake is one message.

use super::input::{Context, In};
use super::primitive::Missed;
use crate::diagnostic::{Diagnostic, Fix, code, suggest};
use crate::syntax::layout::Tok;
use crate::syntax::token::TokenKind;
use crate::syntax::words;
use crate::text::Span;

/// Reports `finding` about the token at `i`, unless something was already said about this place.
pub(super) fn at(i: In<'_>, finding: Diagnostic) {
    let position = i.position() + 1;
    if position > i.cx.reported.get() {
        i.cx.reported.set(position);
        i.cx.diagnostics.borrow_mut().push(finding);
    }
}

/// Something already said about this place: later phases of the parser stay quiet.
pub(super) fn hush(i: In<'_>) {
    i.cx.reported.set(i.cx.reported.get().max(i.position() + 1));
}

/// Reports a failed parser.
pub(super) fn missed(cx: &Context<'_>, missed: &Missed) {
    let toks = cx.toks.get(missed.at..).unwrap_or_default();
    missing(In { toks, cx }, &missed.what, missed.name);
}

/// `what` is not at `i`; `name` if it is a name.
pub(super) fn missing(i: In<'_>, what: &str, name: bool) {
    if i.kind() == TokenKind::Bad {
        return;
    }
    let headline = format!("expected {what}, found {}", found(i));
    let mut finding =
        Diagnostic::new(code::UNEXPECTED, place(i), headline).label(format!("{what} belongs here"));
    if name && is_meant_as_name(i) {
        finding.code = code::HARD_WORD;
        finding = finding
            .help(format!(
                "`{0}` is a word of the language; a name spelled so is written `` `{0}` ``",
                i.word()
            ))
            .fix("put it in backticks", i.span(), format!("`{}`", i.word()));
    } else if i.kind() == TokenKind::Name && finding.primary.span == i.span() {
        finding = misspelt(finding, i, what);
    }
    at(i, finding);
}

/// `vai` where `via` is expected: the words that `what` names in backticks are looked through.
fn misspelt(finding: Diagnostic, i: In<'_>, what: &str) -> Diagnostic {
    let known = what
        .split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|written| written.split_whitespace().next())
        .filter(|word| word.len() > 2 && word.chars().all(|sign| sign.is_alphabetic() || sign == '_'));
    match suggest::nearest(i.word(), known) {
        Some(meant) if i.word().chars().count() > 2 => finding.suggest(i.word(), [meant], String::new),
        _ => finding,
    }
}

/// Whether the word at `i` is `word`, misspelt. Of a short word a letter may be missing; more would make it any other.
pub(super) fn is_misspelt(i: In<'_>, word: &str) -> bool {
    let written = i.word();
    let lacks_one = || {
        word.char_indices().any(|(at, sign)| {
            let (before, behind) = word.split_at(at);
            written.strip_prefix(before).is_some_and(|rest| rest == &behind[sign.len_utf8()..])
        })
    };
    let is_near =
        if written.chars().count() > 2 { suggest::nearest(written, [word]).is_some() } else { lacks_one() };
    i.kind() == TokenKind::Name && is_near
}

/// Whether the reserved word at `i` stands for itself, with no operand of its own behind it.
fn is_meant_as_name(i: In<'_>) -> bool {
    let next = i.next();
    let has_operand = match next.kind() {
        TokenKind::Name => !words::is_hard(next.word()),
        kind => matches!(kind, TokenKind::QuotedName | TokenKind::Int | TokenKind::Glued | TokenKind::Date),
    };
    i.kind() == TokenKind::Name && words::is_hard(i.word()) && i.tok().meant.is_empty() && !has_operand
}

/// The sign or word `what` is not at `i`, and reading goes on as if it were.
pub(super) fn left_out(i: In<'_>, what: &str) {
    if i.is_inserted() || i.kind() == TokenKind::Bad {
        return hush(i);
    }
    let help = match i.kind() {
        TokenKind::Sep | TokenKind::Eof => format!("add {what} at the end of the line"),
        _ => format!("write {what} before {}", found(i)),
    };
    let headline = format!("expected {what}, found {}", found(i));
    let finding = Diagnostic::new(code::UNEXPECTED, place(i), headline).label(format!("{what} belongs here"));
    let finding = misspelt(finding, i, what);
    at(i, if finding.help.is_empty() { finding.help(help) } else { finding });
}

/// Something stands behind a complete item.
pub(super) fn beyond_end(i: In<'_>) {
    if i.is_inserted() || i.kind() == TokenKind::Bad {
        return;
    }
    if let Some(finding) = misspelt_before(i) {
        return at(i, finding);
    }
    let finding =
        Diagnostic::new(code::BEYOND_END, i.span(), format!("the line should end before {}", found(i)))
            .label("this does not continue what stands before it");
    let finding = match i.kind() {
        TokenKind::Comma => {
            let fix = Fix::suggested("write `;`").replace(i.span(), ";");
            finding.help("items on one line are separated by `;`").with_fix(fix)
        }
        TokenKind::Name if i.word().chars().count() > 2 && !words::is_hard(i.word()) => {
            let units = UNITS.iter().filter(|_| before(i).is_some_and(|tok| tok.kind == TokenKind::Int));
            finding.suggest(i.word(), words::CONTINUING.iter().chain(units).copied(), begin_anew)
        }
        _ => finding.help(begin_anew()),
    };
    at(i, finding);
}

/// Words that stand in front of what they are said of.
const LEADING: [&str; 11] =
    ["always", "any", "count", "each", "ended", "every", "first", "last", "next", "once", "this"];

/// Units of calendar time, which stand behind their number.
const UNITS: [&str; 10] =
    ["day", "days", "workday", "workdays", "week", "weeks", "month", "months", "year", "years"];

fn before(i: In<'_>) -> Option<Tok> {
    i.cx.toks.get(i.position().checked_sub(1)?).copied()
}

/// `noce sent(nudge)`: the word before was read as a name, and is a word of the language with a wrong letter.
fn misspelt_before(i: In<'_>) -> Option<Diagnostic> {
    let last = before(i).filter(|tok| tok.kind == TokenKind::Name && tok.meant.is_empty())?;
    let (word, span) = (i.cx.text(last), i.span_of(last));
    if word.chars().count() < 3 || words::is_hard(word) || LEADING.contains(&word) {
        return None;
    }
    let meant = suggest::nearest(word, LEADING)?;
    let headline = format!("`{word}` cannot stand before {}", found(i));
    let finding = Diagnostic::new(code::BEYOND_END, span, headline).help(format!("did you mean `{meant}`?"));
    Some(finding.with_fix(Fix::suggested(format!("write `{meant}`")).replace(span, meant)))
}

fn begin_anew() -> String {
    "take it out; if it begins something of its own, put it on a new line".to_owned()
}

/// A window behind a word that says something else: `in last 30 days`.
pub(super) fn misnamed_window(i: In<'_>) {
    let headline = format!("a window into the past begins with `during`, not with `{}`", i.word());
    let finding = Diagnostic::new(code::UNKNOWN_WORD, i.span(), headline).label("`during` belongs here").fix(
        "write `during`",
        i.span(),
        "during",
    );
    at(i, finding.help("write `during last …`"));
}

/// The body of an `else` stands there without its word.
pub(super) fn without_else(i: In<'_>) {
    let finding = Diagnostic::new(code::UNEXPECTED, i.span(), "the word `else` is missing before `{`")
        .label("what happens if it does not come")
        .help("write `else {`; what is to happen when it does come follows behind the closing `}`")
        .with_fix(Fix::suggested("write `else`").replace(i.span(), "else {"));
    at(i, finding);
}

/// A wrong escape in a text.
pub(super) fn bad_escape(i: In<'_>, start: usize, length: usize) {
    let span = Span::new(i.cx.file, start, start + length);
    let written = i.cx.source.get(start..start + length).unwrap_or_default();
    let finding = Diagnostic::new(code::BAD_ESCAPE, span, format!("`{written}` is not an escape"))
        .help("the escapes are `\\\"`, `\\\\`, `\\n` and `\\u{4F60}`");
    i.cx.diagnostics.borrow_mut().push(finding);
}

/// Where something missing at `i` is pointed at: the token that stands there, or the end of the line before.
fn place(i: In<'_>) -> Span {
    match i.kind() {
        TokenKind::Sep | TokenKind::Eof => i.last_span().after(),
        _ if i.is_inserted() => i.last_span().after(),
        _ => i.span(),
    }
}

/// The token at `i`, in words.
pub(super) fn found(i: In<'_>) -> String {
    match i.kind() {
        TokenKind::Sep => "the end of the line".to_owned(),
        TokenKind::Eof => "the end of the file".to_owned(),
        _ if i.is_inserted() => "the end of the line".to_owned(),
        TokenKind::Copy => "a copy text".to_owned(),
        TokenKind::Text if i.text().chars().count() > 24 => "a text".to_owned(),
        _ => format!("`{}`", i.text()),
    }
}
