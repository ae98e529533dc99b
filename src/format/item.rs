//! Items and blocks. An item is stretches of one line, between them its blocks.

use super::chain::{header, leaf};
use super::comments::Comment;
use super::doc::Doc;
use super::tree::{Block, Item, Part, take_above, take_behind};

/// How much deeper the items of a block stand.
const STEP: usize = 2;

/// A line of a block or file: an item, or a comment that has its line to itself.
#[derive(Debug)]
pub(super) struct Row {
    /// An empty line was above it.
    pub(super) blank: bool,
    pub(super) doc: Doc,
}

/// The rows that `item` and the comments above it make.
pub(super) fn rows(mut item: Item<'_>) -> Vec<Row> {
    let (above, blank) = take_above(&mut item.parts);
    let mut rows = comment_rows(above);
    rows.push(Row { blank, doc: self::item(item) });
    rows
}

pub(super) fn comment_rows(comments: Vec<Comment<'_>>) -> Vec<Row> {
    let row = |comment: Comment<'_>| Row { blank: comment.blank, doc: Doc::Above(comment.text.to_owned()) };
    comments.into_iter().map(row).collect()
}

fn item(mut item: Item<'_>) -> Doc {
    let behind = take_behind(&mut item.parts);
    let mut out = Vec::new();
    let mut line = Vec::new();
    for (head, block) in stretches(item.parts) {
        if !line.is_empty() || !out.is_empty() {
            line.push(Doc::Space);
        }
        // Deeper than the items of the block that follows, so that a long line does not run into them.
        let by = if block.is_some() { 2 * STEP } else { STEP };
        line.push(Doc::nest(by, header(head, out.is_empty() && line.is_empty())));
        let Some(block) = block else { continue };
        line.push(Doc::Space);
        if block.is_bare() || block.may_be_flat() {
            line.push(flat_block(block));
        } else {
            let Block { open, items, close } = block;
            line.push(leaf(open));
            out.push(Doc::group(Doc::All(std::mem::take(&mut line))));
            out.push(broken_body(items, close.above));
            line.push(Doc::text("}"));
            line.extend(close.behind.map(|comment| Doc::Behind(comment.to_owned())));
        }
    }
    out.push(Doc::group(Doc::All(line)));
    out.extend(behind.map(|comment| Doc::Behind(comment.to_owned())));
    Doc::All(out)
}

type Stretch<'a> = (Vec<Part<'a>>, Option<Block<'a>>);

/// What stands before each block, with the block; the last stretch may have none.
fn stretches(parts: Vec<Part<'_>>) -> Vec<Stretch<'_>> {
    let mut out = Vec::new();
    let mut head = Vec::new();
    for part in parts {
        match part {
            Part::Block(block) => out.push((std::mem::take(&mut head), Some(block))),
            part => head.push(part),
        }
    }
    if !head.is_empty() {
        out.push((head, None));
    }
    out
}

/// A block that breaks together with the line it is in.
fn flat_block(block: Block<'_>) -> Doc {
    let mut inner = Vec::new();
    for (index, one) in block.items.into_iter().enumerate() {
        if index > 0 {
            inner.push(Doc::Flat(";"));
        }
        inner.push(Doc::Line);
        inner.push(item(one));
    }
    let end = if inner.is_empty() { Doc::SoftLine } else { Doc::Line };
    let close = block.close.behind.map(|comment| Doc::Behind(comment.to_owned()));
    let mut all = vec![leaf(block.open), Doc::nest(STEP, Doc::All(inner)), end, Doc::text("}")];
    all.extend(close);
    Doc::All(all)
}

/// What stands between the braces of a block that is written line by line.
fn broken_body(items: Vec<Item<'_>>, end: Vec<Comment<'_>>) -> Doc {
    let mut rows: Vec<Row> = items.into_iter().flat_map(rows).collect();
    rows.extend(comment_rows(end));
    let mut inner = Vec::new();
    for (index, row) in rows.into_iter().enumerate() {
        inner.push(if index > 0 && row.blank { Doc::Gap } else { Doc::HardLine });
        inner.push(row.doc);
    }
    Doc::All(vec![Doc::nest(STEP, Doc::All(inner)), Doc::HardLine])
}
