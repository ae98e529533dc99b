//! Mends braces that have lost their partner, so that one lost brace is one message and not a file of them.
//!
//! Only a file whose braces do not match is touched, and only if its indentation can be trusted: there a block
//! ends before the next line that is not indented deeper than the line it was opened on. Inserted braces are
//! empty tokens; the finding is said here, and the parser takes them for real ones.

use super::layout::{Layout, Tok};
use super::token::TokenKind;
use super::words;
use crate::diagnostic::{Diagnostic, code};
use crate::text::{FileId, Span};

/// How many lines back a lost `{` is looked for.
const FAR: usize = 1_000;

pub(super) fn repair(file: FileId, source: &str, layout: &mut Layout) {
    if balanced(&layout.toks) {
        return;
    }
    let places = places(source, &layout.toks);
    let trusted = indentation_is_kept(&layout.toks, &places);
    let mut pass = Pass {
        file,
        source,
        toks: &layout.toks,
        places: &places,
        trusted,
        open: Vec::new(),
        lines: Vec::new(),
        changes: Vec::new(),
        diagnostics: Vec::new(),
        doubtful: Vec::new(),
    };
    pass.run();
    let Pass { changes, diagnostics, doubtful, .. } = pass;
    layout.diagnostics.extend(diagnostics);
    layout.doubtful = doubtful;
    apply(changes, layout);
}

fn balanced(toks: &[Tok]) -> bool {
    let mut depth = 0i64;
    for tok in toks {
        match tok.kind {
            TokenKind::LBrace => depth += 1,
            TokenKind::RBrace => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

/// Where a token stands.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    line: u32,
    /// Blanks before the first token of its line.
    indent: u32,
    first_of_line: bool,
    /// First of a line that begins an item: the line does not continue the one above.
    begins_item: bool,
}

fn places(source: &str, toks: &[Tok]) -> Vec<Place> {
    let starts = std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1));
    let mut starts = starts.filter_map(|at| u32::try_from(at).ok()).peekable();
    let mut here = Place::default();
    let (mut line_start, mut last_line, mut after_sep) = (0, u32::MAX, true);
    let mut out = Vec::with_capacity(toks.len());
    for tok in toks {
        while let Some(start) = starts.next_if(|&start| start <= tok.start) {
            line_start = start;
            here.line += 1;
        }
        here.first_of_line = here.line != last_line && tok.kind != TokenKind::Sep;
        if here.first_of_line {
            here.indent = tok.start - line_start;
            last_line = here.line;
        }
        here.begins_item = here.first_of_line && after_sep;
        after_sep = tok.kind == TokenKind::Sep;
        out.push(here);
    }
    out
}

/// Whether lines inside braces are indented deeper than the line that opened them.
fn indentation_is_kept(toks: &[Tok], places: &[Place]) -> bool {
    let pairs = toks.windows(2).zip(places.windows(2));
    pairs.into_iter().all(|(toks, places)| match (toks, places) {
        ([open, next], [before, after]) if open.kind == TokenKind::LBrace && after.first_of_line => {
            next.kind == TokenKind::RBrace || after.indent > before.indent
        }
        _ => true,
    })
}

#[derive(Clone, Copy)]
struct Open {
    at: usize,
    place: Place,
}

enum Change {
    /// A brace of this kind before token `at`.
    Insert {
        at: usize,
        kind: TokenKind,
    },
    Remove {
        at: usize,
    },
}

struct Pass<'a> {
    file: FileId,
    source: &'a str,
    toks: &'a [Tok],
    places: &'a [Place],
    trusted: bool,
    open: Vec<Open>,
    /// The last token and the indentation of each line so far.
    lines: Vec<(usize, u32)>,
    changes: Vec<Change>,
    diagnostics: Vec<Diagnostic>,
    doubtful: Vec<Diagnostic>,
}

impl Pass<'_> {
    fn run(&mut self) {
        for (at, (&tok, &place)) in self.toks.iter().zip(self.places).enumerate() {
            if place.begins_item && self.trusted && tok.kind != TokenKind::RBrace {
                self.close_above(at, place.indent);
            }
            match tok.kind {
                TokenKind::LBrace => self.open.push(Open { at, place }),
                TokenKind::RBrace => self.close(at, place),
                _ => {}
            }
            self.note_line(at, tok, place);
        }
        while let Some(open) = self.open.pop() {
            self.insert_close(self.toks.len(), open);
        }
    }

    fn note_line(&mut self, at: usize, tok: Tok, place: Place) {
        if place.first_of_line {
            self.lines.push((at, place.indent));
        } else if let Some(last) = self.lines.last_mut().filter(|_| tok.kind != TokenKind::Sep) {
            last.0 = at;
        }
    }

    /// Closes the blocks that the line beginning at `at` cannot belong to.
    fn close_above(&mut self, at: usize, indent: u32) {
        while let Some(open) = self.open.pop_if(|open| open.place.indent >= indent) {
            self.insert_close(at, open);
        }
    }

    fn close(&mut self, at: usize, place: Place) {
        if !self.trusted {
            if self.open.pop().is_none() {
                self.remove(at);
            }
        } else if place.first_of_line {
            self.close_at_line_start(at, place);
        } else if self.open.last().is_some_and(|open| open.place.line == place.line) || self.follows_brace(at)
        {
            if self.open.pop().is_none() {
                self.remove(at);
            }
        } else {
            self.close_in_line(at, place);
        }
    }

    fn follows_brace(&self, at: usize) -> bool {
        at.checked_sub(1)
            .and_then(|before| self.toks.get(before))
            .is_some_and(|tok| tok.kind == TokenKind::RBrace)
    }

    fn close_at_line_start(&mut self, at: usize, place: Place) {
        while let Some(open) = self.open.pop_if(|open| open.place.indent > place.indent) {
            self.insert_close(at, open);
        }
        if self.open.pop_if(|open| open.place.indent == place.indent).is_some() {
            return;
        }
        let floor = self.open.last().map_or(0, |open| open.at);
        let lines = self.lines.iter().rev().take(FAR).take_while(|(last, _)| *last >= floor);
        match lines.clone().find(|(_, indent)| *indent == place.indent).copied() {
            Some((last, _)) if !self.is_brace(last) => self.insert_open(last + 1, at),
            _ => self.remove(at),
        }
    }

    fn is_brace(&self, at: usize) -> bool {
        self.toks.get(at).is_some_and(|tok| matches!(tok.kind, TokenKind::LBrace | TokenKind::RBrace))
    }

    /// A `}` behind items of its own line, opened on no line that shows: its `{` stood before the first of them.
    fn close_in_line(&mut self, at: usize, place: Place) {
        let line = (0..at)
            .rev()
            .take(FAR)
            .take_while(|&before| self.places.get(before).is_some_and(|p| p.line == place.line));
        match line.filter(|&before| self.heads_item(before)).min() {
            Some(head) => self.insert_open(head, at),
            None if self.open.last().is_none_or(|open| self.goes_on(at, *open)) => {
                self.changes.push(Change::Remove { at });
                let finding = self.stray(at);
                self.doubtful.push(finding);
            }
            None => drop(self.open.pop()),
        }
    }

    /// Whether the block `open` goes on below the line of token `at`.
    fn goes_on(&self, at: usize, open: Open) -> bool {
        let below = self.places.iter().enumerate().skip(at + 1).find(|(_, place)| place.begins_item);
        below.is_some_and(|(below, place)| {
            let closes = self.toks.get(below).is_some_and(|tok| tok.kind == TokenKind::RBrace);
            place.indent > open.place.indent || (closes && place.indent == open.place.indent)
        })
    }

    fn heads_item(&self, at: usize) -> bool {
        let first = self.places.get(at).is_none_or(|place| place.first_of_line);
        !first && (words::heads_item(self.word(at)) || self.word(at) == "on")
    }

    fn word(&self, at: usize) -> &str {
        let tok = self.toks.get(at);
        tok.and_then(|tok| self.source.get(tok.start as usize..tok.end as usize)).unwrap_or_default()
    }

    fn span(&self, at: usize) -> Span {
        self.toks.get(at).map_or(Span { file: self.file, ..Span::default() }, |tok| Span {
            file: self.file,
            start: tok.start,
            end: tok.end,
        })
    }

    fn insert_close(&mut self, at: usize, open: Open) {
        let before = at.saturating_sub(1);
        let new_line = self.toks.get(before).is_some_and(|tok| tok.kind == TokenKind::Sep);
        // Before the newline that ends the line above, so that the block ends there, except in front of an `else`.
        let at = if new_line && self.word(at) != "else" { before } else { at };
        self.changes.push(Change::Insert { at, kind: TokenKind::RBrace });
        let finding = if self.trusted && at < self.toks.len() {
            Diagnostic::new(code::NOT_CLOSED, self.span(before).after(), "a `}` is missing here")
                .also(self.span(open.at), "this `{` is never closed")
        } else {
            Diagnostic::new(code::NOT_CLOSED, self.span(open.at), "this `{` is never closed")
        };
        self.diagnostics.push(finding.help("add the missing `}`"));
    }

    fn insert_open(&mut self, at: usize, close: usize) {
        self.changes.push(Change::Insert { at, kind: TokenKind::LBrace });
        let place = self.span(at.saturating_sub(1)).after();
        let finding = Diagnostic::new(code::NOT_CLOSED, place, "a `{` is missing here")
            .also(self.span(close), "this `}` closes nothing")
            .help("add `{` here: it opens what that `}` closes");
        self.diagnostics.push(finding);
    }

    fn remove(&mut self, at: usize) {
        self.changes.push(Change::Remove { at });
        let finding = self.stray(at);
        self.diagnostics.push(finding);
    }

    fn stray(&self, at: usize) -> Diagnostic {
        Diagnostic::new(code::NOT_CLOSED, self.span(at), "this `}` closes nothing")
            .help("remove it, or add the `{` it belongs to")
    }
}

fn apply(mut changes: Vec<Change>, layout: &mut Layout) {
    changes.sort_by_key(|change| match change {
        Change::Insert { at, .. } | Change::Remove { at } => *at,
    });
    let mut changes = changes.into_iter().peekable();
    let mut docs = std::mem::take(&mut layout.docs).into_iter().peekable();
    let old = std::mem::take(&mut layout.toks);
    for at in 0..=old.len() {
        let mut removed = false;
        while let Some(change) = changes.next_if(|change| matches!(change, Change::Insert { at: here, .. } | Change::Remove { at: here } if *here == at)) {
            match change {
                Change::Insert { kind, .. } => {
                    let end = layout.toks.last().map_or(0, |tok| tok.end);
                    layout.toks.push(Tok { kind, start: end, end, meant: "" });
                }
                Change::Remove { .. } => removed = true,
            }
        }
        while let Some((_, text)) = docs.next_if(|(below, _)| *below <= at) {
            layout.docs.push((layout.toks.len(), text));
        }
        layout.toks.extend(old.get(at).filter(|_| !removed).copied());
    }
}
