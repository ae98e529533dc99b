//! Text to tokens. Lossless: the tokens, put end to end, are the text again.

use std::ops::Range;

use logos::Logos;

use super::token::{Token, TokenKind};
use super::words;

/// The tokens of `text[range]`, with offsets into the whole `text`.
///
/// INVARIANT: the tokens are contiguous, none is empty, and together they cover `range`.
#[must_use]
pub fn lex(text: &str, range: Range<usize>) -> Vec<Token> {
    let base = range.start;
    let mut lexer = TokenKind::lexer(text.get(range.clone()).unwrap_or_default());
    // A token has three to four bytes, the blanks between them included; copies are much longer.
    let mut tokens: Vec<Token> = Vec::with_capacity(range.len() / 4 + 4);
    while let Some(found) = lexer.next() {
        let mut kind = found.unwrap_or(TokenKind::Bad);
        if kind == TokenKind::Copy {
            let (length, closed) = copy_length(lexer.remainder());
            lexer.bump(length);
            kind = if closed { TokenKind::Copy } else { TokenKind::OpenCopy };
        }
        let span = lexer.span();
        push(&mut tokens, Token { kind, start: offset(base + span.start), end: offset(base + span.end) });
    }
    tokens
}

/// Adds a token; neighbouring mistakes become one.
fn push(tokens: &mut Vec<Token>, token: Token) {
    match tokens.last_mut() {
        Some(last) if last.kind == TokenKind::Bad && token.kind == TokenKind::Bad => last.end = token.end,
        _ => tokens.push(token),
    }
}

fn offset(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// How much of `rest`, the text behind an opening `"""`, belongs to the copy, and whether it is closed.
///
/// A copy that is never closed ends before the next line that plainly is not copy, so that it costs one
/// declaration and not the file.
fn copy_length(rest: &str) -> (usize, bool) {
    if let Some(at) = rest.find("\"\"\"") {
        return (at + 3, true);
    }
    let line_starts = rest.match_indices('\n').map(|(at, _)| at + 1);
    let end = line_starts.filter(|&at| begins_declaration(rest.get(at..).unwrap_or_default())).min();
    (end.unwrap_or(rest.len()), false)
}

fn begins_declaration(line: &str) -> bool {
    let word: &str = line.split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default();
    line.starts_with('}') || words::is_declaration(word)
}

#[cfg(test)]
mod tests;
