//! Tokens by their brackets: items of tokens, bracketed lists and blocks of items. Since a word heads every line
//! and a separator ends it, this is all the structure that a layout needs, for every construct there is.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::comments::{Comment, Leaf};
use crate::syntax::token::TokenKind;

/// A piece of an item.
#[derive(Debug)]
pub(super) enum Part<'a> {
    Leaf(Leaf<'a>),
    List(List<'a>),
    Block(Block<'a>),
}

/// `(a, b)`, `[a, b]`, and the `{ a, b }` of an import.
#[derive(Debug)]
pub(super) struct List<'a> {
    pub(super) open: Leaf<'a>,
    pub(super) elements: Vec<Vec<Part<'a>>>,
    /// There is a comma in it: it may have one at its end.
    pub(super) commas: bool,
    pub(super) close: Leaf<'a>,
}

/// `{ items }`
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub(super) open: Leaf<'a>,
    pub(super) items: Vec<Item<'a>>,
    pub(super) close: Leaf<'a>,
}

/// A declaration, clause, step, branch, field: whatever a newline or `;` ends. Never empty.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub(super) parts: Vec<Part<'a>>,
}

impl<'a> Part<'a> {
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.leaf().is_some_and(|leaf| leaf.is_word(word))
    }

    pub(super) fn is(&self, kind: TokenKind) -> bool {
        self.leaf().is_some_and(|leaf| leaf.kind == kind)
    }

    fn leaf(&self) -> Option<&Leaf<'a>> {
        if let Self::Leaf(leaf) = self { Some(leaf) } else { None }
    }

    pub(super) fn first_mut(&mut self) -> &mut Leaf<'a> {
        match self {
            Self::Leaf(leaf) => leaf,
            Self::List(list) => &mut list.open,
            Self::Block(block) => &mut block.open,
        }
    }

    fn last_mut(&mut self) -> &mut Leaf<'a> {
        match self {
            Self::Leaf(leaf) => leaf,
            Self::List(list) => &mut list.close,
            Self::Block(block) => &mut block.close,
        }
    }
}

impl Block<'_> {
    /// Whether it may stand on one line: it was written on one, and there is no block in it.
    pub(super) fn may_be_flat(&self) -> bool {
        let nested =
            self.items.iter().flat_map(|item| &item.parts).any(|part| matches!(part, Part::Block(_)));
        !nested && self.open.line == self.close.line
    }

    pub(super) fn is_bare(&self) -> bool {
        self.items.is_empty() && self.open.behind.is_none() && self.close.above.is_empty()
    }
}

/// Takes the comment behind the last of `parts` away, so that whoever prints what follows can place it.
pub(super) fn take_behind<'a>(parts: &mut [Part<'a>]) -> Option<&'a str> {
    parts.last_mut().and_then(|part| part.last_mut().behind.take())
}

/// Takes the comments above the first of `parts` away, with whether an empty line was above the token itself.
pub(super) fn take_above<'a>(parts: &mut [Part<'a>]) -> (Vec<Comment<'a>>, bool) {
    parts.first_mut().map_or_else(Default::default, |part| {
        let leaf = part.first_mut();
        (std::mem::take(&mut leaf.above), leaf.blank)
    })
}

/// The items of a whole file without syntax errors.
pub(super) fn items(leaves: Vec<Leaf<'_>>) -> Vec<Item<'_>> {
    Builder { leaves: leaves.into_iter().peekable() }.items()
}

struct Builder<'a> {
    leaves: Peekable<IntoIter<Leaf<'a>>>,
}

impl<'a> Builder<'a> {
    /// Items up to a `}` or the end.
    fn items(&mut self) -> Vec<Item<'a>> {
        let mut items = Vec::new();
        while let Some(kind) = self.kind() {
            match kind {
                TokenKind::RBrace => break,
                TokenKind::Sep | TokenKind::Semicolon => drop(self.leaves.next()),
                _ => items.push(self.item()),
            }
        }
        items
    }

    fn item(&mut self) -> Item<'a> {
        let mut parts: Vec<Part<'a>> = Vec::new();
        while let Some(kind) = self.kind() {
            if matches!(kind, TokenKind::Sep | TokenKind::Semicolon | TokenKind::RBrace) {
                break;
            }
            let imports = parts.first().is_some_and(|first| first.is_word("import"));
            let Some(mut part) = self.part(imports) else { break };
            if kind == TokenKind::Comma {
                // The comma goes in front of the comment that stood in front of it.
                part.first_mut().behind = take_behind(&mut parts);
            }
            parts.push(part);
        }
        Item { parts }
    }

    fn part(&mut self, imports: bool) -> Option<Part<'a>> {
        let open = self.leaves.next()?;
        Some(match open.kind {
            TokenKind::LParen => Part::List(self.list(open, TokenKind::RParen)),
            TokenKind::LBracket => Part::List(self.list(open, TokenKind::RBracket)),
            TokenKind::LBrace if imports => Part::List(self.list(open, TokenKind::RBrace)),
            TokenKind::LBrace => {
                let items = self.items();
                let close = self.close(&open);
                Part::Block(Block { open, items, close })
            }
            _ => Part::Leaf(open),
        })
    }

    fn list(&mut self, open: Leaf<'a>, end: TokenKind) -> List<'a> {
        let mut elements = Vec::new();
        let mut element = Vec::new();
        let mut commas = false;
        while let Some(kind) = self.kind().filter(|&kind| kind != end) {
            match kind {
                TokenKind::Comma => {
                    commas = true;
                    self.leaves.next();
                    elements.push(std::mem::take(&mut element));
                }
                _ => element.extend(self.part(false)),
            }
        }
        if !element.is_empty() {
            elements.push(element);
        }
        let close = self.close(&open);
        List { open, elements, commas, close }
    }

    /// The sign that closes `open`. There always is one in a file without syntax errors; if not, what is made up
    /// here does not pass the proof.
    fn close(&mut self, open: &Leaf<'a>) -> Leaf<'a> {
        self.leaves.next().unwrap_or_else(|| Leaf {
            kind: TokenKind::Bad,
            text: "".into(),
            line: open.line,
            blank: false,
            above: Vec::new(),
            behind: None,
        })
    }

    fn kind(&mut self) -> Option<TokenKind> {
        self.leaves.peek().map(|leaf| leaf.kind)
    }
}
