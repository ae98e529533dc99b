//! Mistakes of writing that the lexer can name: signs of other languages, full-width signs, texts that are not
//! closed, characters that mean nothing. Each is reported here, once, and the layout goes on with what was meant.

use super::token::{Token, TokenKind};
use crate::diagnostic::{Diagnostic, Edit, Fix, code};
use crate::text::{FileId, Span};

/// The kind a mistaken token stands for.
pub(super) fn meant_kind(kind: TokenKind) -> TokenKind {
    match kind {
        TokenKind::CurlyText | TokenKind::OpenText => TokenKind::Text,
        TokenKind::OpenCopy => TokenKind::Copy,
        _ if meant_word(kind).is_empty() => kind,
        _ => TokenKind::Name,
    }
}

/// The word a sign of another language stands for, empty for all other tokens.
pub(super) fn meant_word(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::EqEq | TokenKind::BangEq => "is",
        TokenKind::AndAnd => "and",
        TokenKind::OrOr => "or",
        TokenKind::Bang => "not",
        _ => "",
    }
}

/// All such mistakes of a text.
pub(super) fn find(file: FileId, source: &str, tokens: &[Token]) -> Vec<Diagnostic> {
    if !tokens.iter().any(|&token| may_be_mistake(source, token)) {
        return Vec::new();
    }
    let mut found: Vec<Diagnostic> =
        tokens.iter().filter_map(|&token| of_token(file, source, token)).collect();
    for line in tokens.split(|token| token.kind == TokenKind::Newline) {
        found.extend(full_width(file, source, line));
    }
    found
}

/// Whether it is worth looking at: nearly every text is without any mistake.
fn may_be_mistake(source: &str, token: Token) -> bool {
    use TokenKind as K;
    match token.kind {
        K::EqEq | K::BangEq | K::AndAnd | K::OrOr | K::Bang | K::OpenText | K::OpenCopy | K::Bad => true,
        kind => may_be_full_width(kind) && !token.text(source).is_ascii(),
    }
}

fn of_token(file: FileId, source: &str, token: Token) -> Option<Diagnostic> {
    let span = token.span(file);
    let text = token.text(source);
    Some(match token.kind {
        TokenKind::EqEq | TokenKind::BangEq | TokenKind::AndAnd | TokenKind::OrOr | TokenKind::Bang => {
            foreign_sign(file, source, token)
        }
        TokenKind::OpenText => Diagnostic::new(code::TEXT_NOT_CLOSED, span, "this text has no closing `\"`")
            .help("a text ends on its line with `\"`; write `\"\"\"…\"\"\"` for more lines"),
        TokenKind::OpenCopy => {
            let mut opening = span;
            opening.end = opening.start + 3;
            let finding =
                Diagnostic::new(code::TEXT_NOT_CLOSED, opening, "this copy has no closing `\"\"\"`");
            let line = text.lines().next().unwrap_or_default().trim_end();
            // One sign where three are owed is the commonest slip, and the eye does not find it.
            if line.len() > 3 && line.ends_with('"') {
                let start = span.start as usize + line.trim_end_matches('"').len();
                let sign = Span::new(file, start, span.start as usize + line.len());
                finding.also(sign, "this is not three").help("write `\"\"\"` here, where the copy ends")
            } else {
                finding.help("end it with `\"\"\"`")
            }
        }
        TokenKind::Bad => Diagnostic::new(code::BAD_CHARACTER, span, format!("`{text}` means nothing here"))
            .help("remove it, or put it into a text: `\"…\"`"),
        _ => return None,
    })
}

fn foreign_sign(file: FileId, source: &str, token: Token) -> Diagnostic {
    let word = if token.kind == TokenKind::BangEq { "is not" } else { meant_word(token.kind) };
    let text = token.text(source);
    let around = |at: usize| source.as_bytes().get(at).is_some_and(|byte| !byte.is_ascii_whitespace());
    let start = token.start as usize;
    let before = if start > 0 && around(start - 1) && token.kind != TokenKind::Bang { " " } else { "" };
    let after = if around(token.end as usize) { " " } else { "" };
    Diagnostic::new(code::FOREIGN_SIGN, token.span(file), format!("`{text}` is written `{word}` here"))
        .help(format!("write `{word}`"))
        .fix(format!("write `{word}`"), token.span(file), format!("{before}{word}{after}"))
}

/// One finding for all full-width signs of a line, with one fix.
fn full_width(file: FileId, source: &str, line: &[Token]) -> Option<Diagnostic> {
    let mut edits = Vec::new();
    let mut signs: Vec<char> = Vec::new();
    for token in line.iter().filter(|token| may_be_full_width(token.kind)) {
        for (at, sign) in token.text(source).char_indices() {
            let Some(ascii) = ascii(sign) else { continue };
            let start = token.start + u32::try_from(at).unwrap_or_default();
            let end = start + u32::try_from(sign.len_utf8()).unwrap_or_default();
            let piece = Token { kind: token.kind, start, end };
            edits.push(Edit { span: piece.span(file), text: ascii.to_owned() });
            signs.push(sign);
        }
    }
    let first = edits.first()?.span;
    signs.dedup();
    let written: Vec<String> = signs.iter().map(|sign| format!("`{sign}`")).collect();
    let meant: Vec<String> = signs.iter().filter_map(|&sign| Some(format!("`{}`", ascii(sign)?))).collect();
    let (noun, verb) =
        if signs.len() == 1 { ("a full-width sign", "is") } else { ("full-width signs", "are") };
    let headline = format!("{} {verb} {noun}", written.join(" "));
    let finding = Diagnostic::new(code::FULL_WIDTH, first, headline)
        .help(format!("write {} with the keyboard in English mode", meant.join(" ")));
    Some(finding.with_fix(Fix { edits, ..Fix::safe("write them half-width") }))
}

fn may_be_full_width(kind: TokenKind) -> bool {
    use TokenKind as K;
    !matches!(
        kind,
        K::Space
            | K::Newline
            | K::Comment
            | K::Doc
            | K::Name
            | K::QuotedName
            | K::Text
            | K::OpenText
            | K::Copy
            | K::OpenCopy
            | K::Glued
            | K::Bad
            | K::Bang
    )
}

/// The ASCII sign that stands on the same key. Only signs the lexer knows; text inside curly quotes may hold
/// others, which must stay.
fn ascii(sign: char) -> Option<&'static str> {
    Some(match sign {
        '（' => "(",
        '）' => ")",
        '［' | '【' => "[",
        '］' | '】' => "]",
        '｛' => "{",
        '｝' => "}",
        '，' | '、' => ",",
        '：' => ":",
        '；' => ";",
        '？' => "?",
        '．' => ".",
        '｜' => "|",
        '＝' => "=",
        '＜' => "<",
        '＞' => ">",
        '≤' => "<=",
        '≥' => ">=",
        '＋' => "+",
        '－' => "-",
        '＊' => "*",
        '／' => "/",
        '％' => "%",
        '“' | '”' => "\"",
        _ => return None,
    })
}
