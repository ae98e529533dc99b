//! Which token a comment belongs to: what stands on a line of its own belongs to the token below it, what stands
//! behind a token on its line belongs to that token.
//!
//! INVARIANT: every comment of the text is in exactly one place of what [`leaves`] gives.

use std::borrow::Cow;

use super::spelling::spelled;
use crate::syntax::token::{Token, TokenKind};

/// A comment on a line of its own.
#[derive(Debug)]
pub(super) struct Comment<'a> {
    pub(super) text: &'a str,
    /// An empty line was above it.
    pub(super) blank: bool,
}

/// A token of the grammar, in canonical spelling, with its comments.
#[derive(Debug)]
pub(super) struct Leaf<'a> {
    pub(super) kind: TokenKind,
    pub(super) text: Cow<'a, str>,
    /// The line it begins on.
    pub(super) line: usize,
    /// An empty line was above it, below its comments.
    pub(super) blank: bool,
    pub(super) above: Vec<Comment<'a>>,
    pub(super) behind: Option<&'a str>,
}

impl Leaf<'_> {
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Name && self.text == word
    }

    /// Separators and commas come and go with the layout; what must stay cannot hang on them.
    fn holds_comments(&self) -> bool {
        !matches!(self.kind, TokenKind::Sep | TokenKind::Semicolon | TokenKind::Comma)
    }
}

/// The tokens of `grammar` with the comments between them, and the comments below the last one.
pub(super) fn leaves<'a>(
    source: &'a str,
    tokens: &[Token],
    grammar: &[Token],
) -> (Vec<Leaf<'a>>, Vec<Comment<'a>>) {
    let mut pass = Pass { source, leaves: Vec::with_capacity(grammar.len()), ..Pass::default() };
    let mut all = tokens.iter().copied().peekable();
    for &token in grammar {
        while let Some(trivia) = all.next_if(|next| next.start < token.start) {
            pass.trivia(trivia);
        }
        pass.token(token);
        while all.next_if(|next| next.start < token.end).is_some() {}
    }
    all.for_each(|trivia| pass.trivia(trivia));
    (pass.leaves, pass.waiting)
}

#[derive(Default)]
struct Pass<'a> {
    source: &'a str,
    leaves: Vec<Leaf<'a>>,
    /// Comments for the next token.
    waiting: Vec<Comment<'a>>,
    line: usize,
    /// Line breaks since the last token or comment.
    breaks: usize,
}

impl<'a> Pass<'a> {
    fn trivia(&mut self, token: Token) {
        match token.kind {
            TokenKind::Newline => {
                self.breaks += 1;
                self.line += 1;
            }
            TokenKind::Comment | TokenKind::Doc => self.comment(text(self.source, token).trim_end()),
            _ => {}
        }
    }

    fn comment(&mut self, text: &'a str) {
        let breaks = std::mem::take(&mut self.breaks);
        if breaks == 0 && self.waiting.is_empty() {
            let last = self.leaves.iter_mut().rev().find(|leaf| leaf.holds_comments());
            if let Some(last) = last.filter(|last| last.behind.is_none()) {
                last.behind = Some(text);
                return;
            }
        }
        self.waiting.push(Comment { text, blank: breaks > 1 });
    }

    fn token(&mut self, token: Token) {
        let written = text(self.source, token);
        let spelled = spelled(token.kind, written, &self.leaves);
        let mut leaf = Leaf {
            kind: token.kind,
            text: spelled,
            line: self.line,
            blank: self.breaks > 1,
            above: Vec::new(),
            behind: None,
        };
        if leaf.holds_comments() {
            leaf.above = std::mem::take(&mut self.waiting);
        }
        // A separator stands where the item above ends, not where the next begins.
        if token.kind != TokenKind::Sep {
            self.breaks = 0;
            self.line += written.matches('\n').count();
        }
        self.leaves.push(leaf);
    }
}

fn text(source: &str, token: Token) -> &str {
    source.get(token.start as usize..token.end as usize).unwrap_or_default()
}
