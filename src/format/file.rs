//! A file: imports and declarations, and the empty lines between them.
//!
//! Declarations stand one empty line apart. Those of one line each may stand together, as a family: they stay
//! together where they were written so.

use super::comments::Comment;
use super::doc::print;
use super::item::{Row, comment_rows, rows};
use super::tree::{Item, Part};

/// A declaration or import with the comments above it.
struct Unit {
    rows: Vec<(bool, String)>,
    import: bool,
}

impl Unit {
    fn new(rows: &[Row], import: bool) -> Self {
        Self { rows: rows.iter().map(|row| (row.blank, print(&row.doc))).collect(), import }
    }

    /// Whether it was written below an empty line.
    fn was_apart(&self) -> bool {
        self.rows.first().is_some_and(|(blank, _)| *blank)
    }

    fn is_one_line(&self) -> bool {
        matches!(&*self.rows, [(_, text)] if !text.contains('\n'))
    }

    /// Whether an empty line stands between this and `below`.
    fn is_apart_from(&self, below: &Unit) -> bool {
        let lines = !self.import && !below.import && self.is_one_line() && below.is_one_line();
        // What is said above the first import is about the file.
        let family = lines || (self.import && below.import);
        below.was_apart() || !family
    }
}

/// The text of a file of `items`, with the comments `end` below the last.
pub(super) fn file(items: Vec<Item<'_>>, end: Vec<Comment<'_>>) -> String {
    let is_import =
        |item: &Item<'_>| item.parts.first().is_some_and(|part: &Part<'_>| part.is_word("import"));
    let mut units: Vec<Unit> = Vec::new();
    for item in items {
        let import = is_import(&item);
        units.push(Unit::new(&rows(item), import));
    }
    if !end.is_empty() {
        units.push(Unit::new(&comment_rows(end), false));
    }
    let mut out = String::new();
    for (index, unit) in units.iter().enumerate() {
        let above = index.checked_sub(1).and_then(|above| units.get(above));
        if above.is_some_and(|above| above.is_apart_from(unit)) {
            out.push('\n');
        }
        for (index, (blank, text)) in unit.rows.iter().enumerate() {
            if index > 0 && *blank {
                out.push('\n');
            }
            out.push_str(text);
            out.push('\n');
        }
    }
    out
}
