//! Layouts and how they are printed: a small algebra after Wadler and Oppen, with comments as citizens.
//!
//! A [`Doc::Group`] is printed on one line if it fits there with what follows it, up to the next place where the
//! line may end; otherwise its own lines break, and the groups inside it are asked again. A comment ends its line,
//! so a group that holds one is always broken.

use unicode_width::UnicodeWidthStr;

/// Lines are broken beyond this column. A wide character (Chinese, Japanese, Korean) takes two.
pub(super) const WIDTH: usize = 100;

/// A text that may still be laid out in several ways.
#[derive(Debug)]
pub(super) enum Doc {
    Text(String),
    /// A blank, except at the start of a line.
    Space,
    /// A blank, or a line break where the group is broken.
    Line,
    /// Nothing, or a line break where the group is broken.
    SoftLine,
    HardLine,
    /// A line break and an empty line.
    Gap,
    /// Only where the group stands on one line.
    Flat(&'static str),
    /// Only where the group is broken.
    Broken(&'static str),
    /// A comment behind what was printed last. The next text begins a new line.
    Behind(String),
    /// A comment on a line of its own.
    Above(String),
    /// A text of several lines; all but the first and the empty ones are indented.
    Lines(Vec<String>),
    Nest(usize, Box<Doc>),
    /// Indented from the line it begins on, not from what is around it.
    Hug(Box<Doc>),
    /// With whether it has to be broken.
    Group(Box<Doc>, bool),
    All(Vec<Doc>),
}

impl Doc {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn nest(by: usize, doc: Doc) -> Self {
        Self::Nest(by, Box::new(doc))
    }

    pub(super) fn hug(doc: Doc) -> Self {
        Self::Hug(Box::new(doc))
    }

    pub(super) fn group(doc: Doc) -> Self {
        let breaks = doc.breaks();
        Self::Group(Box::new(doc), breaks)
    }

    /// Whether it cannot stand on one line.
    fn breaks(&self) -> bool {
        match self {
            Self::HardLine | Self::Gap | Self::Behind(_) | Self::Above(_) => true,
            Self::Nest(_, doc) | Self::Hug(doc) => doc.breaks(),
            Self::Group(_, breaks) => *breaks,
            Self::All(docs) => docs.iter().any(Self::breaks),
            _ => false,
        }
    }
}

/// Prints `doc` from the left edge, without a line break at its end.
pub(super) fn print(doc: &Doc) -> String {
    let mut printer = Printer { at_start: true, ..Printer::default() };
    printer.todo.push(Task { indent: 0, mode: Mode::Broken, doc });
    while let Some(task) = printer.todo.pop() {
        printer.run(task);
    }
    printer.out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Flat,
    Broken,
}

#[derive(Clone, Copy)]
struct Task<'d> {
    indent: usize,
    mode: Mode,
    doc: &'d Doc,
}

#[derive(Default)]
struct Printer<'d> {
    out: String,
    todo: Vec<Task<'d>>,
    column: usize,
    /// The indentation of the line being printed.
    line_indent: usize,
    /// Nothing of the line is written yet, its indentation included.
    at_start: bool,
    /// A comment was written: the line must end before the next text.
    owed: bool,
}

impl<'d> Printer<'d> {
    fn run(&mut self, task: Task<'d>) {
        let Task { indent, mode, doc } = task;
        match doc {
            Doc::Text(text) => self.text(text, indent),
            Doc::Space => self.space(),
            Doc::Line if mode == Mode::Flat => self.space(),
            Doc::SoftLine if mode == Mode::Flat => {}
            Doc::Line | Doc::SoftLine | Doc::HardLine => self.newline(indent),
            Doc::Gap => {
                self.out.push('\n');
                self.newline(indent);
            }
            Doc::Flat(text) if mode == Mode::Flat => self.text(text, indent),
            Doc::Broken(text) if mode == Mode::Broken => self.text(text, indent),
            Doc::Flat(_) | Doc::Broken(_) => {}
            Doc::Behind(comment) => self.behind(comment, indent),
            Doc::Above(comment) => self.above(comment, indent),
            Doc::Lines(lines) => self.lines(lines, indent),
            Doc::Nest(by, doc) => self.todo.push(Task { indent: indent + by, mode, doc }),
            Doc::Hug(doc) => {
                let indent = if self.owed { indent } else { self.line_indent };
                self.todo.push(Task { indent, mode, doc });
            }
            Doc::Group(doc, breaks) => {
                let flat = mode == Mode::Flat || (!breaks && self.fits(doc));
                let mode = if flat { Mode::Flat } else { Mode::Broken };
                self.todo.push(Task { indent, mode, doc });
            }
            Doc::All(docs) => {
                self.todo.extend(docs.iter().rev().map(|doc| Task { indent, mode, doc }));
            }
        }
    }

    fn text(&mut self, text: &str, indent: usize) {
        if self.owed {
            self.newline(indent);
        }
        if std::mem::take(&mut self.at_start) {
            self.out.extend(std::iter::repeat_n(' ', self.line_indent));
        }
        self.out.push_str(text);
        self.column += text.width();
    }

    fn space(&mut self) {
        if !self.at_start && !self.owed {
            self.out.push(' ');
            self.column += 1;
        }
    }

    fn newline(&mut self, indent: usize) {
        self.out.push('\n');
        self.line_indent = indent;
        self.column = indent;
        self.at_start = true;
        self.owed = false;
    }

    fn behind(&mut self, comment: &str, indent: usize) {
        if self.owed || self.at_start {
            return self.above(comment, indent);
        }
        self.out.push(' ');
        self.out.push_str(comment);
        self.owed = true;
    }

    fn above(&mut self, comment: &str, indent: usize) {
        if !self.at_start {
            self.newline(indent);
        }
        self.text(comment, indent);
        self.owed = true;
    }

    fn lines(&mut self, lines: &[String], indent: usize) {
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                self.newline(indent);
            }
            if index == 0 || !line.is_empty() {
                self.text(line, indent);
            }
        }
    }

    /// Whether `doc` fits on this line, with what comes behind it up to where the line may end.
    fn fits(&self, doc: &'d Doc) -> bool {
        let Some(mut room) = WIDTH.checked_sub(self.column) else { return false };
        let mut inner = vec![(Mode::Flat, doc)];
        let mut behind = self.todo.iter().rev();
        let mut inside = true;
        loop {
            let Some((mode, doc)) = inner.pop().or_else(|| {
                inside = false;
                behind.next().map(|task| (task.mode, task.doc))
            }) else {
                return true;
            };
            let needed = match doc {
                Doc::Text(text) => text.width(),
                Doc::Lines(lines) => {
                    return lines.first().is_none_or(|line| line.width() <= room);
                }
                Doc::Space => 1,
                Doc::Line if mode == Mode::Flat => 1,
                Doc::SoftLine if mode == Mode::Flat => 0,
                Doc::Line | Doc::SoftLine | Doc::HardLine | Doc::Gap | Doc::Behind(_) | Doc::Above(_) => {
                    return true;
                }
                Doc::Flat(text) if mode == Mode::Flat => text.width(),
                Doc::Broken(text) if mode == Mode::Broken => text.width(),
                Doc::Flat(_) | Doc::Broken(_) => 0,
                Doc::Nest(_, doc) | Doc::Hug(doc) => {
                    inner.push((mode, doc));
                    0
                }
                Doc::Group(doc, _) => {
                    // What comes behind may still break, if what is around it is broken.
                    let mode = if inside { Mode::Flat } else { mode };
                    inner.push((mode, doc));
                    0
                }
                Doc::All(docs) => {
                    inner.extend(docs.iter().rev().map(|doc| (mode, doc)));
                    0
                }
            };
            match room.checked_sub(needed) {
                Some(left) => room = left,
                None => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(items: &[&str]) -> Doc {
        let mut inner = Vec::new();
        for (index, item) in items.iter().enumerate() {
            inner.push(if index == 0 { Doc::SoftLine } else { Doc::Line });
            inner.push(Doc::text(*item));
            inner.push(if index + 1 == items.len() { Doc::Broken(",") } else { Doc::text(",") });
        }
        let all = vec![Doc::text("["), Doc::nest(2, Doc::All(inner)), Doc::SoftLine, Doc::text("]")];
        Doc::group(Doc::hug(Doc::All(all)))
    }

    #[test]
    fn what_fits_stands_on_one_line() {
        assert_eq!(print(&list(&["a", "b"])), "[a, b]");
        let long = "x".repeat(60);
        assert_eq!(print(&list(&[&long, &long])), format!("[\n  {long},\n  {long},\n]"));
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let wide = "贷".repeat(48);
        assert_eq!(print(&list(&[&wide])), format!("[{wide}]"));
        let wider = "贷".repeat(50);
        assert_eq!(print(&list(&[&wider])), format!("[\n  {wider},\n]"));
    }

    #[test]
    fn what_follows_counts_up_to_the_next_break() {
        let name = "x".repeat(94);
        let follows = |doc| Doc::All(vec![list(&[&name]), Doc::text(" and"), doc, Doc::text("more")]);
        assert_eq!(print(&follows(Doc::HardLine)), format!("[{name}] and\nmore"));
        assert_eq!(print(&follows(Doc::Space)), format!("[\n  {name},\n] and more"));
    }

    #[test]
    fn a_comment_ends_its_line_once() {
        let doc = Doc::group(Doc::All(vec![
            Doc::text("a"),
            Doc::Behind("// one".to_owned()),
            Doc::nest(
                2,
                Doc::All(vec![Doc::Space, Doc::text("b"), Doc::Above("// two".to_owned()), Doc::Line]),
            ),
            Doc::text("c"),
        ]));
        assert_eq!(print(&doc), "a // one\n  b\n  // two\n  c");
    }
}
