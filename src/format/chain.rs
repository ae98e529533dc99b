//! The lines of an item outside its blocks, and where they break when they are too long: behind `=`, before `and`
//! and `or`, inside brackets, and where nothing else helps before the little words and behind commas.

use super::comments::Leaf;
use super::copy;
use super::doc::Doc;
use super::spacing::Edge;
use super::tree::{List, Part, take_behind};
use crate::syntax::token::TokenKind;

/// Joiners before which a line may break where it must.
const MAY_BEGIN_A_LINE: &[&str] =
    &["during", "from", "otherwise", "per", "since", "until", "where", "within", "without"];

/// What is known of the parts of a line from where they stand.
#[derive(Clone, Copy, Default)]
struct Place {
    /// They begin with the word that heads the item.
    first: bool,
    /// They are the value behind a `=`: a line of it may begin with `+` or `-`, which in a table would begin a row.
    value: bool,
}

/// What stands before a block, or a whole item without one. `first`: it begins with the word that heads the item.
pub(super) fn header(mut parts: Vec<Part<'_>>, first: bool) -> Doc {
    let equals = parts.iter().position(|part| part.is(TokenKind::Equals));
    let Some(equals) = equals.filter(|&at| at + 1 < parts.len()) else {
        return chain(parts, Place { first, value: false });
    };
    let value = parts.split_off(equals + 1);
    let value = chain(value, Place { first: false, value: true });
    let name = chain(parts, Place { first, value: false });
    Doc::All(vec![name, Doc::group(Doc::All(vec![Doc::Line, value]))])
}

/// Conditions joined by `or`, and each of them by `and`: they break all or not at all, the looser ones first.
fn chain(parts: Vec<Part<'_>>, place: Place) -> Doc {
    let alternatives = split(parts, "or");
    let deeper = if alternatives.len() > 1 { 2 } else { 0 };
    let docs = alternatives.into_iter().enumerate().map(|(index, parts)| {
        let place = |part: usize| Place { first: place.first && index == 0 && part == 0, ..place };
        let conditions = split(parts, "and").into_iter().enumerate();
        joined(conditions.map(|(index, parts)| run(parts, place(index))), deeper)
    });
    joined(docs, 0)
}

/// One line each, all but the first `deeper`.
fn joined(mut docs: impl Iterator<Item = Doc>, deeper: usize) -> Doc {
    let Some(first) = docs.next() else { return Doc::All(Vec::new()) };
    let rest: Vec<Doc> = docs.flat_map(|doc| [Doc::Line, doc]).collect();
    if rest.is_empty() {
        return first;
    }
    Doc::group(Doc::All(vec![first, Doc::nest(deeper, Doc::All(rest))]))
}

/// Cuts before every `word`; what is cut off begins with it.
fn split<'a>(parts: Vec<Part<'a>>, word: &str) -> Vec<Vec<Part<'a>>> {
    let mut out: Vec<Vec<Part<'a>>> = Vec::new();
    for part in parts {
        match out.last_mut() {
            Some(last) if !part.is_word(word) => last.push(part),
            _ => out.push(vec![part]),
        }
    }
    out
}

/// Parts one after the other. A line that is still too long breaks where it must, as a paragraph does.
fn run(parts: Vec<Part<'_>>, place: Place) -> Doc {
    let mut lines: Vec<Vec<Doc>> = vec![Vec::new()];
    let mut edge: Option<Edge> = None;
    let mut behind_comma = false;
    for (index, mut part) in parts.into_iter().enumerate() {
        let next = part.first_mut();
        let apart = edge.is_some_and(|edge| edge.is_apart_from(next.kind));
        let may_break = behind_comma
            || match next.kind {
                TokenKind::Name => MAY_BEGIN_A_LINE.contains(&&*next.text),
                TokenKind::Plus | TokenKind::Minus => place.value && edge.is_some_and(Edge::ends_operand),
                _ => false,
            };
        behind_comma = next.kind == TokenKind::Comma;
        if apart && may_break {
            lines.push(vec![Doc::Line]);
        }
        let Some(line) = lines.last_mut() else { continue };
        if apart && !may_break {
            line.push(Doc::Space);
        }
        match part {
            Part::Leaf(one) => {
                edge = Some(Edge::behind(&one, place.first && index == 0, edge));
                line.push(leaf(one));
            }
            Part::List(one) => {
                edge = Some(Edge::behind(&one.close, false, edge));
                line.push(list(one));
            }
            // Whoever has blocks prints them; see `item`.
            Part::Block(_) => {}
        }
    }
    let mut lines = lines.into_iter().map(Doc::All);
    let mut all: Vec<Doc> = lines.next().into_iter().collect();
    all.extend(lines.map(Doc::group));
    Doc::All(all)
}

/// A token and its comments.
pub(super) fn leaf(leaf: Leaf<'_>) -> Doc {
    let is_copy = leaf.kind == TokenKind::Copy && leaf.text.contains('\n');
    let text = if is_copy { Doc::Lines(copy::lines(&leaf.text)) } else { Doc::text(leaf.text) };
    if leaf.above.is_empty() && leaf.behind.is_none() {
        return text;
    }
    let mut all: Vec<Doc> = leaf.above.iter().map(|comment| Doc::Above(comment.text.to_owned())).collect();
    all.push(text);
    all.extend(leaf.behind.map(|comment| Doc::Behind(comment.to_owned())));
    Doc::All(all)
}

/// `[a, b]`, or one element per line with a comma behind each.
fn list(list: List<'_>) -> Doc {
    let List { open, elements, commas, mut close } = list;
    // A newline before `}` would end the import, were there no comma.
    let braces = close.kind == TokenKind::RBrace;
    let edge = || if braces { Doc::Line } else { Doc::SoftLine };
    if elements.is_empty() && open.behind.is_none() && close.above.is_empty() {
        return Doc::All(vec![leaf(open), leaf(close)]);
    }
    let mut inner = Vec::new();
    let count = elements.len();
    for (index, mut element) in elements.into_iter().enumerate() {
        inner.push(if index == 0 { edge() } else { Doc::Line });
        let behind = take_behind(&mut element);
        inner.push(chain(element, Place::default()));
        let last = index + 1 == count;
        match (last, commas || braces) {
            (false, _) => inner.push(Doc::text(",")),
            (true, true) => inner.push(Doc::Broken(",")),
            (true, false) => {}
        }
        inner.extend(behind.map(|comment| Doc::Behind(comment.to_owned())));
    }
    inner.extend(close.above.drain(..).map(|comment| Doc::Above(comment.text.to_owned())));
    let behind = close.behind.take();
    let all = vec![leaf(open), Doc::nest(2, Doc::All(inner)), edge(), Doc::text(close.text)];
    let list = Doc::group(Doc::hug(Doc::All(all)));
    match behind {
        Some(comment) => Doc::All(vec![list, Doc::Behind(comment.to_owned())]),
        None => list,
    }
}
