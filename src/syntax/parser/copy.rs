//! Copy: text for customers, `"""…"""`, with `{{ expr }}` holes. The first newline is dropped, and the blanks
//! that all lines begin with; `\{{` is literal.

use std::borrow::Cow;
use std::sync::Arc;

use super::input::In;
use super::primitive::{P, missed, text};
use super::{expression_in, report};
use crate::diagnostic::{Diagnostic, code};
use crate::syntax::ast::{Copy, CopyPiece};
use crate::syntax::token::TokenKind;
use crate::text::Span;

/// A copy, or a text on one line, which has no holes.
pub(super) fn copy(i: In<'_>) -> P<'_, Copy> {
    match i.kind() {
        TokenKind::Text => plain(i),
        TokenKind::Copy => Ok((i.next(), Copy { pieces: pieces(i), span: i.span() })),
        _ => missed(i, "a text"),
    }
}

fn plain(i: In<'_>) -> P<'_, Copy> {
    let (rest, value) = text("a text")(i)?;
    if value.value.contains("{{") {
        let finding =
            Diagnostic::new(code::HOLE_IN_TEXT, i.span(), "`{{` in a `\"…\"` text is sent as it stands")
                .help("only `\"\"\"…\"\"\"` has holes");
        report::at(i, finding);
    }
    let pieces = if value.value.is_empty() { Vec::new() } else { vec![CopyPiece::Text(value.value)] };
    Ok((rest, Copy { pieces, span: value.span }))
}

/// A stretch of the inside of a copy, by byte offsets into the file.
enum Stretch {
    Text(usize, usize),
    Hole(usize, usize),
}

fn pieces(i: In<'_>) -> Vec<CopyPiece> {
    let written = i.text();
    let start = i.span().start as usize + 3;
    let closed = written.len() >= 6 && written.ends_with("\"\"\"");
    let end = i.span().end as usize - if closed { 3 } else { 0 };
    let stretches = stretches(i, start, end);
    let inside = i.cx.source.get(start..end).unwrap_or_default();
    let mut trim = Trim { indentation: indentation(inside), first: true };
    let mut out: Vec<CopyPiece> = Vec::with_capacity(stretches.len());
    let last = stretches.len().saturating_sub(1);
    for (index, stretch) in stretches.into_iter().enumerate() {
        match stretch {
            Stretch::Text(from, to) => {
                let text = trim.text(i.cx.source.get(from..to).unwrap_or_default(), index == last);
                if !text.is_empty() {
                    out.push(CopyPiece::Text(text));
                }
            }
            Stretch::Hole(from, to) => {
                out.push(CopyPiece::Hole(expression_in(i, from, to)));
            }
        }
    }
    out
}

/// Splits the bytes `start..end` of the file into text and holes.
fn stretches(i: In<'_>, start: usize, end: usize) -> Vec<Stretch> {
    let source = i.cx.source;
    let mut out = Vec::new();
    let (mut from, mut search) = (start, start);
    while let Some(found) = source.get(search..end).and_then(|rest| find_twice(rest, b'{')) {
        let open = search + found;
        search = open + 2;
        if source.get(start..open).is_some_and(|before| before.ends_with('\\')) {
            continue;
        }
        let Some(close) =
            source.get(search..end).and_then(|rest| find_twice(rest, b'}')).map(|at| search + at)
        else {
            not_closed(i, open);
            break;
        };
        out.push(Stretch::Text(from, open));
        out.push(Stretch::Hole(search, close));
        (from, search) = (close + 2, close + 2);
    }
    out.push(Stretch::Text(from, end));
    out
}

/// Where `sign` stands twice, one behind the other.
fn find_twice(text: &str, sign: u8) -> Option<usize> {
    text.as_bytes().windows(2).position(|pair| pair == [sign, sign])
}

fn not_closed(i: In<'_>, open: usize) {
    let span = Span::new(i.cx.file, open, open + 2);
    let finding = Diagnostic::new(code::TEXT_NOT_CLOSED, span, "this `{{` has no `}}`")
        .help("close it with `}}`, or write `\\{{` for the signs themselves");
    i.cx.diagnostics.borrow_mut().push(finding);
}

/// The number of blanks that all lines behind the first begin with. The last line counts even if it is blank:
/// where `"""` closes on a line of its own, its column is the left edge.
#[must_use]
pub fn indentation(inside: &str) -> usize {
    let mut lines = inside.split('\n').skip(1).peekable();
    let mut least = usize::MAX;
    while let Some(line) = lines.next() {
        let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
        let blank = line.trim_end_matches('\r').len() == blanks;
        if !blank || lines.peek().is_none() {
            least = least.min(blanks);
        }
    }
    if least == usize::MAX { 0 } else { least }
}

/// Takes the indentation off the texts between the holes, in order.
struct Trim {
    indentation: usize,
    /// Nothing of the copy was read yet.
    first: bool,
}

impl Trim {
    fn text(&mut self, raw: &str, last: bool) -> Arc<str> {
        let whole = if raw.contains('\n') { Cow::Owned(self.unindented(raw)) } else { Cow::Borrowed(raw) };
        let dropped = if std::mem::take(&mut self.first) { without_first_line(&whole) } else { &whole };
        let dropped = if last { without_last_line(dropped) } else { dropped };
        if dropped.contains('\\') { dropped.replace("\\{{", "{{").into() } else { dropped.into() }
    }

    fn unindented(&self, raw: &str) -> String {
        let raw = raw.replace("\r\n", "\n");
        let mut out = String::with_capacity(raw.len());
        for (index, line) in raw.split('\n').enumerate() {
            if index > 0 {
                out.push('\n');
            }
            out.push_str(if index > 0 { self.stripped(line) } else { line });
        }
        out
    }

    fn stripped<'t>(&self, line: &'t str) -> &'t str {
        let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
        line.get(blanks.min(self.indentation)..).unwrap_or_default()
    }
}

/// Where the opening `"""` ends its line, that line is no part of the copy.
fn without_first_line(text: &str) -> &str {
    match text.split_once('\n') {
        Some((first, rest)) if first.trim_matches([' ', '\t']).is_empty() => rest,
        _ => text,
    }
}

/// Where the closing `"""` stands on a line of its own, that line is no part of the copy.
fn without_last_line(text: &str) -> &str {
    match text.rsplit_once('\n') {
        Some((before, last)) if last.trim_matches([' ', '\t']).is_empty() => before,
        _ => text,
    }
}
