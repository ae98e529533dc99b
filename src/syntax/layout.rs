//! Tokens to what the grammar sees: trivia dropped, newlines that end an item kept, mistakes of writing reported
//! and replaced by what was meant. After this every token is one the grammar knows.
//!
//! A newline ends an item, except behind an opening bracket, a comma or an infix, and before a closing bracket
//! or a joiner. Brackets need no counting for that: two operands never stand side by side in an expression, so
//! a newline between two of them ends the item even inside brackets, and the mistake stays on its line. In a
//! `table` a row may begin with `>=` or `-`, so there these signs do not join a line to the one above.

use std::sync::Arc;

use super::mistake;
use super::token::{Token, TokenKind};
use super::words::{self, Index};
use crate::diagnostic::Diagnostic;
use crate::text::FileId;

/// A token of the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tok {
    pub(super) kind: TokenKind,
    pub(super) start: u32,
    pub(super) end: u32,
    /// The word meant by a mistaken sign: `is` for `==`.
    pub(super) meant: &'static str,
}

/// What the parser works on.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) toks: Vec<Tok>,
    /// Doc comments, by the index of the token below them, ascending.
    pub(super) docs: Vec<(usize, Arc<str>)>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Findings that count only if nothing else is said about their line.
    pub(super) doubtful: Vec<Diagnostic>,
}

/// Words that continue the line above when they begin a line.
static JOINERS: Index = Index::new(&[
    "after",
    "and",
    "as",
    "at",
    "before",
    "during",
    "ever",
    "from",
    "has",
    "in",
    "is",
    "or",
    "otherwise",
    "per",
    "since",
    "until",
    "where",
    "within",
    "without",
]);

/// Words that continue on the next line when they end a line.
static INFIXES: Index =
    Index::new(&["after", "and", "at", "before", "has", "in", "is", "not", "or", "otherwise", "where"]);

/// Lays out `tokens` of `source`.
pub(super) fn layout<'a>(file: FileId, source: &'a str, tokens: &'a [Token]) -> Layout {
    let mut pass = Pass {
        source,
        out: Layout { toks: Vec::with_capacity(tokens.len() / 2 + 4), ..Layout::default() },
        newline: false,
        in_table: false,
        docs: Vec::new(),
        rest: tokens,
    };
    pass.out.diagnostics = mistake::find(file, source, tokens);
    while let Some((&token, rest)) = pass.rest.split_first() {
        pass.rest = rest;
        pass.token(token);
    }
    pass.out
}

/// What the grammar sees of `tokens`: no trivia, and a [`TokenKind::Sep`] wherever a newline ends an item.
#[must_use]
pub fn significant(source: &str, tokens: &[Token]) -> Vec<Token> {
    let token = |tok: &Tok| Token { kind: tok.kind, start: tok.start, end: tok.end };
    layout(FileId::default(), source, tokens).toks.iter().map(token).collect()
}

struct Pass<'a> {
    source: &'a str,
    out: Layout,
    /// A newline since the last token of the grammar.
    newline: bool,
    /// Within a `table`.
    in_table: bool,
    docs: Vec<&'a str>,
    /// The tokens behind the one being laid out.
    rest: &'a [Token],
}

impl<'a> Pass<'a> {
    fn token(&mut self, token: Token) {
        match token.kind {
            TokenKind::Space | TokenKind::Comment => {}
            // Reported already. In front of an item it is dropped; inside one it costs the rest of the item.
            TokenKind::Bad if self.newline || self.at_item_start() => {}
            TokenKind::Newline => self.newline = true,
            TokenKind::Doc => self.docs.push(token.text(self.source).trim_start_matches('/').trim()),
            _ => self.grammar_token(token),
        }
    }

    fn grammar_token(&mut self, token: Token) {
        let tok =
            Tok { kind: mistake::meant_kind(token.kind), start: token.start, end: token.end, meant: "" };
        let tok = Tok { meant: mistake::meant_word(token.kind), ..tok };
        if (self.newline || self.out.toks.is_empty()) && self.begins_declaration(tok) {
            self.in_table = self.word(tok) == "table";
        }
        if std::mem::take(&mut self.newline) {
            self.separate(tok);
        }
        if !self.docs.is_empty() {
            let lines = std::mem::take(&mut self.docs);
            self.out.docs.push((self.out.toks.len(), lines.join("\n").into()));
        }
        self.out.toks.push(tok);
        if token.kind == TokenKind::BangEq {
            self.out.toks.push(Tok { start: tok.end, meant: "not", ..tok });
        }
    }

    fn at_item_start(&self) -> bool {
        let last = self.out.toks.last().map(|tok| tok.kind);
        matches!(last, None | Some(TokenKind::LBrace | TokenKind::Semicolon | TokenKind::Sep))
    }

    /// Ends the item before `next`, which begins a line, unless the line continues.
    fn separate(&mut self, next: Tok) {
        let Some(&last) = self.out.toks.last() else { return };
        if self.begins_declaration(next) || !self.continues(last) && !self.joins(next) {
            self.out.toks.push(Tok { kind: TokenKind::Sep, start: last.end, end: last.end, meant: "" });
        }
    }

    /// A declaring word at the left edge begins a declaration even if the line above wants to go on.
    fn begins_declaration(&self, next: Tok) -> bool {
        let before = self.source.get(..next.start as usize).unwrap_or_default();
        (before.is_empty() || before.ends_with('\n')) && words::is_declaration(self.word(next))
    }

    fn word(&self, tok: Tok) -> &'a str {
        if tok.meant.is_empty() {
            self.source.get(tok.start as usize..tok.end as usize).unwrap_or_default()
        } else {
            tok.meant
        }
    }

    fn continues(&self, last: Tok) -> bool {
        use TokenKind as K;
        match last.kind {
            K::LParen
            | K::LBracket
            | K::LBrace
            | K::Semicolon
            | K::Comma
            | K::Colon
            | K::Dot
            | K::FatArrow
            | K::Arrow
            | K::Equals => true,
            K::Name => INFIXES.has(self.word(last)),
            kind => is_infix(kind),
        }
    }

    /// `from : Text`: a joiner that heads a field, which is reported as a reserved word.
    fn names_something(&self) -> bool {
        let next = self.rest.iter().find(|token| !token.kind.is_trivia());
        next.is_some_and(|token| matches!(token.kind, TokenKind::Colon | TokenKind::Equals))
    }

    fn joins(&self, next: Tok) -> bool {
        use TokenKind as K;
        match next.kind {
            K::RParen | K::RBracket | K::Comma | K::Dot | K::Equals => true,
            K::Name => JOINERS.has(self.word(next)) && !self.names_something(),
            K::Minus | K::Less | K::LessEq | K::Greater | K::GreaterEq => !self.in_table,
            kind => is_infix(kind),
        }
    }
}

fn is_infix(kind: TokenKind) -> bool {
    use TokenKind as K;
    matches!(
        kind,
        K::Plus
            | K::Minus
            | K::Star
            | K::Slash
            | K::Less
            | K::LessEq
            | K::Greater
            | K::GreaterEq
            | K::DotDot
            | K::Pipe
    )
}
