//! What contents say: every copy as it is searched, with the place of every phrase in it.

use std::ops::Range;

use super::words::{self, Hit, List, Verdict};
use crate::expr::Expr;
use crate::model::Content;
use crate::name::Name;
use crate::program::{Copy, CopyPiece};
use crate::syntax::ast::{self, ContentItem};
use crate::text::{Sources, Span};

/// So far behind an offer, in characters, it is said that it was given.
const NEAR: usize = 12;

/// One copy of a content.
#[derive(Debug)]
pub struct Said<'a> {
    pub content: &'a Content,
    pub channel: Name,
    /// `body`, `title`, `link`, `message`, …
    pub part: Name,
    pub locale: Option<Name>,
    pub copy: &'a Copy,
    /// The text of every arm of an experiment in it, folded; one where there is no experiment.
    pub arms: Vec<Arm>,
    /// The copy in the file.
    pub span: Span,
    /// All of the content, where the texts of arms are.
    whole: Span,
}

/// A text that somebody may read.
#[derive(Debug)]
pub struct Arm {
    pub text: String,
    pub hits: Vec<Hit>,
}

impl Arm {
    fn new(text: &str) -> Self {
        let text = words::folded(text);
        let hits = words::hits(&text);
        Self { text, hits }
    }

    #[must_use]
    pub fn has(&self, list: List) -> bool {
        self.hits.iter().any(|hit| hit.list == list)
    }
}

impl<'a> Said<'a> {
    /// The phrases of `list` that it says and does not deny.
    pub fn says(&self, list: List) -> impl Iterator<Item = (&Arm, &Hit)> {
        let hits = self.arms.iter().flat_map(|arm| arm.hits.iter().map(move |hit| (arm, hit)));
        hits.filter(move |(_, hit)| hit.list == list && hit.verdict == Verdict::Said)
    }

    /// The offers in it that are not facts already, as in `返现已到账`.
    pub fn offers(&self) -> impl Iterator<Item = (&Arm, &Hit)> {
        self.says(List::Offer).filter(|(arm, hit)| {
            let behind = arm.text.get(hit.range.end..).unwrap_or_default();
            let near: String = behind.chars().take(NEAR).collect();
            !arm.hits.iter().any(|one| one.list == List::Done && near.to_lowercase().contains(one.entry))
        })
    }

    /// The expressions in its holes.
    #[must_use]
    pub fn holes(&self) -> Vec<&'a Expr> {
        let mut found = Vec::new();
        holes(self.copy, &mut found);
        found
    }

    /// Whether it is text that people read, not a link or the name of a file.
    #[must_use]
    pub fn is_read(&self) -> bool {
        !matches!(self.part.as_str(), "link" | "image" | "page")
    }

    /// Where `range` of a text of an arm stands in the file; the whole copy where it is written otherwise there.
    #[must_use]
    pub fn place(&self, sources: &Sources, arm: &Arm, range: &Range<usize>) -> Span {
        let Some(word) = arm.text.get(range.clone()).filter(|word| !word.is_empty()) else {
            return self.span;
        };
        let before = arm.text.get(..range.start).unwrap_or_default().matches(word).count();
        let found = |within: Span, nth: usize| {
            let at = sources.slice(within).match_indices(word).nth(nth)?.0;
            let start = within.start as usize + at;
            Some(Span::new(within.file, start, start + word.len()))
        };
        found(self.span, before)
            .or_else(|| found(self.span, 0))
            .or_else(|| found(self.whole, 0))
            .unwrap_or(self.span)
    }
}

fn holes<'a>(copy: &'a Copy, found: &mut Vec<&'a Expr>) {
    for piece in &copy.0 {
        match piece {
            CopyPiece::Text(_) => {}
            CopyPiece::Hole(expr) => found.push(expr),
            CopyPiece::Part(part) => part.levels.iter().for_each(|(_, copy)| holes(copy, found)),
        }
    }
}

/// All copies of a content; `written` is its declaration.
pub(super) fn copies<'a>(content: &'a Content, written: Option<&ast::Decl>) -> Vec<Said<'a>> {
    let whole = written.map_or(content.span, |decl| decl.span);
    let items: &[ContentItem] = match written.map(|decl| &decl.kind) {
        Some(ast::DeclKind::Content(items)) => items,
        _ => &[],
    };
    let mut found = Vec::new();
    for variant in &content.variants {
        let written = items.iter().find_map(|item| match item {
            ContentItem::Via(written) if written.channel.name == variant.channel => Some(written),
            _ => None,
        });
        let parts: &[ast::VariantPart] = written.map_or(&[], |written| &written.parts);
        let around = written.map_or(content.span, |written| written.span);
        let mut add = |part: Name, locale: Option<Name>, copy: &'a Copy, span: Option<Span>| {
            found.push(Said {
                content,
                channel: variant.channel,
                part,
                locale,
                copy,
                arms: arms(copy).iter().map(|text| Arm::new(text)).collect(),
                span: span.unwrap_or(around),
                whole,
            });
        };
        for (part, locale, copy) in &variant.parts {
            let is_it = |one: &&ast::VariantPart| {
                let word = if one.word.name.as_str() == "locale" { "body" } else { one.word.name.as_str() };
                word == part.as_str() && one.locale.map(|locale| locale.name) == *locale
            };
            add(*part, *locale, copy, parts.iter().find(is_it).map(|one| one.copy.span));
        }
        let messages = parts.iter().filter(|part| part.word.name.as_str() == "message");
        let mut messages = messages.map(|part| part.copy.span);
        for one in &variant.messages {
            let (span, word) = (messages.next(), if one.file { "image" } else { "body" });
            add(Name::new(word), None, &one.copy, span);
        }
    }
    found
}

/// One text for every level of the parts under experiment: the n-th text has the n-th level of each.
fn arms(copy: &Copy) -> Vec<String> {
    let levels = copy.0.iter().map(|piece| match piece {
        CopyPiece::Part(part) => part.levels.len(),
        _ => 1,
    });
    (0..levels.max().unwrap_or(1).max(1)).map(|nth| text(copy, nth)).collect()
}

fn text(copy: &Copy, nth: usize) -> String {
    let mut out = String::new();
    for piece in &copy.0 {
        match piece {
            CopyPiece::Text(text) => out.push_str(text),
            CopyPiece::Hole(expr) => out.push_str(&printed(expr)),
            CopyPiece::Part(part) => {
                let level = part.levels.get(nth).or_else(|| part.levels.last());
                out.extend(level.map(|(_, copy)| text(copy, nth)));
            }
        }
    }
    out
}

/// What a hole prints as far as it is written in the copy: the target of a link, a text that stands for what is missing.
fn printed(expr: &Expr) -> String {
    let constant = |expr: &Expr| match expr {
        Expr::Const(crate::value::Value::Text(text)) => Some(text.to_string()),
        _ => None,
    };
    let known = match expr {
        Expr::Call(_, args) => args.first().and_then(constant),
        other => constant(other),
    };
    known.unwrap_or_else(|| words::HOLE.to_string())
}
