//! What the parsers read: a slice of tokens and the context of the file. Cheap to copy.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;

use nom::{Input, Needed};

use crate::diagnostic::Diagnostic;
use crate::name::Name;
use crate::syntax::layout::{Layout, Tok};
use crate::syntax::literal;
use crate::syntax::token::TokenKind;
use crate::text::{FileId, Span};

/// How deep blocks and expressions may nest. Twice as much would need more than the 2 MB of stack that threads
/// have, in builds without optimisation.
pub(super) const MAX_DEPTH: u32 = 64;
/// How many operators one expression may hold: together with [`MAX_DEPTH`] it bounds the height of every tree,
/// so that no later phase can run out of stack.
pub(super) const MAX_OPERATORS: u32 = 512;

/// The file being parsed: its text, its tokens, and the findings so far.
pub(super) struct Context<'a> {
    pub(super) file: FileId,
    pub(super) source: &'a str,
    pub(super) toks: &'a [Tok],
    pub(super) docs: &'a [(usize, Arc<str>)],
    pub(super) diagnostics: RefCell<Vec<Diagnostic>>,
    /// Token positions up to here are reported: one finding per place.
    pub(super) reported: Cell<usize>,
    pub(super) depth: Cell<u32>,
    pub(super) expr_depth: Cell<u32>,
    pub(super) operators: Cell<u32>,
    /// Nesting was reported; once is enough.
    pub(super) too_deep: Cell<bool>,
    /// Names in what was skipped.
    pub(super) lost: RefCell<BTreeSet<Name>>,
    /// Inside a test, where `ended NAME` is an expression.
    pub(super) in_test: Cell<bool>,
    /// How often a token was looked at.
    pub(super) looks: Cell<usize>,
}

impl<'a> Context<'a> {
    pub(super) fn new(file: FileId, source: &'a str, layout: &'a Layout) -> Self {
        Self {
            file,
            source,
            toks: &layout.toks,
            docs: &layout.docs,
            diagnostics: RefCell::new(layout.diagnostics.clone()),
            reported: Cell::new(0),
            depth: Cell::new(0),
            expr_depth: Cell::new(0),
            operators: Cell::new(0),
            too_deep: Cell::new(false),
            lost: RefCell::default(),
            in_test: Cell::new(false),
            looks: Cell::new(0),
        }
    }

    pub(super) fn start(&'a self) -> In<'a> {
        In { toks: self.toks, cx: self }
    }

    pub(super) fn text(&self, tok: Tok) -> &'a str {
        self.source.get(tok.start as usize..tok.end as usize).unwrap_or_default()
    }
}

/// The rest of the tokens.
#[derive(Clone, Copy)]
pub(super) struct In<'a> {
    pub(super) toks: &'a [Tok],
    pub(super) cx: &'a Context<'a>,
}

impl<'a> In<'a> {
    pub(super) fn tok(self) -> Tok {
        self.nth(0)
    }

    fn nth(self, n: usize) -> Tok {
        self.look(n).copied().unwrap_or_else(|| {
            let end = u32::try_from(self.cx.source.len()).unwrap_or(u32::MAX);
            Tok { kind: TokenKind::Eof, start: end, end, meant: "" }
        })
    }

    fn look(self, n: usize) -> Option<&'a Tok> {
        self.cx.looks.set(self.cx.looks.get() + 1);
        self.toks.get(n)
    }

    pub(super) fn kind(self) -> TokenKind {
        self.look(0).map_or(TokenKind::Eof, |tok| tok.kind)
    }

    /// The kind of the token after the next.
    pub(super) fn kind2(self) -> TokenKind {
        self.look(1).map_or(TokenKind::Eof, |tok| tok.kind)
    }

    fn word_of(self, tok: Tok) -> &'a str {
        match tok.kind {
            TokenKind::Name if tok.meant.is_empty() => self.cx.text(tok),
            TokenKind::Name => tok.meant,
            _ => "",
        }
    }

    /// The next token if it is a word or name without backticks, else empty.
    pub(super) fn word(self) -> &'a str {
        self.word_of(self.tok())
    }

    /// The word after the next token.
    pub(super) fn word2(self) -> &'a str {
        self.word_of(self.nth(1))
    }

    /// Most words differ in their length, and then the text is not read.
    pub(super) fn is_word(self, word: &str) -> bool {
        let Some(tok) = self.look(0).filter(|tok| tok.kind == TokenKind::Name) else {
            return word.is_empty();
        };
        match tok.meant {
            "" => (tok.end - tok.start) as usize == word.len() && self.cx.text(*tok) == word,
            meant => meant == word,
        }
    }

    pub(super) fn text(self) -> &'a str {
        self.cx.text(self.tok())
    }

    /// Behind the next token.
    pub(super) fn next(self) -> Self {
        Self { toks: self.toks.get(1..).unwrap_or_default(), ..self }
    }

    /// Notes the names from here to `end`, which are in no tree: what they declare is not unknown, only unread.
    pub(super) fn lose(mut self, end: Self) {
        let mut lost = self.cx.lost.borrow_mut();
        while self.position() < end.position() {
            match self.kind() {
                TokenKind::Name => lost.extend([literal::name(self.text())]),
                TokenKind::QuotedName => lost.extend([literal::name(self.text().trim_matches('`'))]),
                _ => {}
            }
            self = self.next();
        }
    }

    /// The index of the next token.
    pub(super) fn position(self) -> usize {
        self.cx.toks.len() - self.toks.len()
    }

    pub(super) fn span_of(self, tok: Tok) -> Span {
        Span { file: self.cx.file, start: tok.start, end: tok.end }
    }

    pub(super) fn span(self) -> Span {
        self.span_of(self.tok())
    }

    /// The span of the last token before this place that is written in the text.
    pub(super) fn last_span(self) -> Span {
        let before = self.cx.toks.get(..self.position()).unwrap_or_default();
        let last = before.iter().rev().find(|tok| tok.kind != TokenKind::Sep);
        last.map_or(Span { file: self.cx.file, start: 0, end: 0 }, |&tok| self.span_of(tok))
    }

    /// The doc comment above the next token.
    pub(super) fn doc(self) -> Option<Arc<str>> {
        let position = self.position();
        let found = self.cx.docs.binary_search_by_key(&position, |(at, _)| *at).ok()?;
        self.cx.docs.get(found).map(|(_, text)| text.clone())
    }

    /// Whether the next token is the first of its line, with nothing before it.
    pub(super) fn begins_line(self) -> bool {
        let before = self.cx.source.get(..self.tok().start as usize).unwrap_or_default();
        before.is_empty() || before.ends_with(['\n', '\u{FEFF}'])
    }

    /// Whether the next token is a brace that was inserted for a lost one.
    pub(super) fn is_inserted(self) -> bool {
        let tok = self.tok();
        matches!(tok.kind, TokenKind::LBrace | TokenKind::RBrace) && tok.start == tok.end
    }

    /// From `start` to the last token read.
    pub(super) fn since(self, start: Span) -> Span {
        let last = self.last_span();
        if last.end > start.start { start.to(last) } else { start }
    }
}

impl<'a> Input for In<'a> {
    type Item = &'a Tok;
    type Iter = std::slice::Iter<'a, Tok>;
    type IterIndices = std::iter::Enumerate<std::slice::Iter<'a, Tok>>;

    fn input_len(&self) -> usize {
        self.toks.len()
    }

    fn take(&self, index: usize) -> Self {
        Self { toks: self.toks.get(..index).unwrap_or(self.toks), ..*self }
    }

    fn take_from(&self, index: usize) -> Self {
        Self { toks: self.toks.get(index..).unwrap_or_default(), ..*self }
    }

    fn take_split(&self, index: usize) -> (Self, Self) {
        (self.take_from(index), self.take(index))
    }

    fn position<P: Fn(Self::Item) -> bool>(&self, predicate: P) -> Option<usize> {
        self.toks.iter().position(predicate)
    }

    fn iter_elements(&self) -> Self::Iter {
        self.toks.iter()
    }

    fn iter_indices(&self) -> Self::IterIndices {
        self.toks.iter().enumerate()
    }

    fn slice_index(&self, count: usize) -> Result<usize, Needed> {
        if self.toks.len() >= count { Ok(count) } else { Err(Needed::new(count - self.toks.len())) }
    }
}
