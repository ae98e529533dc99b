//! Changes that would mend a finding, and doing them.

use crate::text::Span;

/// A change that would mend a finding.
#[derive(Clone, Debug)]
pub struct Fix {
    pub title: String,
    pub edits: Vec<Edit>,
    /// Safe fixes never change what a correct program means; the others are only suggested.
    pub safe: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub span: Span,
    pub text: String,
}

impl Fix {
    /// A fix that says what was plainly meant.
    #[must_use]
    pub fn safe(title: impl Into<String>) -> Self {
        Self { title: title.into(), edits: Vec::new(), safe: true }
    }

    /// A fix that decides something for the user: it is done only when asked for.
    #[must_use]
    pub fn suggested(title: impl Into<String>) -> Self {
        Self { safe: false, ..Self::safe(title) }
    }

    #[must_use]
    pub fn replace(mut self, span: Span, text: impl Into<String>) -> Self {
        self.edits.push(Edit { span, text: text.into() });
        self
    }

    /// Takes the text at `span` out, and its line with it if nothing else stands there.
    #[must_use]
    pub fn remove(self, span: Span) -> Self {
        self.replace(span, "")
    }

    /// Puts `text` behind `span`. A line break in it is followed by the indentation of the line it stands on.
    #[must_use]
    pub fn add_behind(self, span: Span, text: impl Into<String>) -> Self {
        self.replace(span.after(), text)
    }

    /// Puts `text` in front of `span`.
    #[must_use]
    pub fn add_before(self, span: Span, text: impl Into<String>) -> Self {
        self.replace(Span { end: span.start, ..span }, text)
    }
}

/// Whether two edits cannot both be done. The same edit wanted twice is one edit.
#[must_use]
pub fn in_conflict(one: &Edit, other: &Edit) -> bool {
    let apart = one.span.end < other.span.start || other.span.end < one.span.start;
    let touching = one.span.end == other.span.start || other.span.end == one.span.start;
    let empty = one.span.start == one.span.end || other.span.start == other.span.end;
    one.span.file == other.span.file && one != other && !(apart || touching && !empty)
}

/// `text` with `edits`, all of this text and none [`in_conflict`] with another. What does not fit is left out.
#[must_use]
pub fn apply<'a>(text: &str, edits: impl IntoIterator<Item = &'a Edit>) -> String {
    let mut edits: Vec<&Edit> = edits.into_iter().collect();
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    edits.dedup();
    let mut done = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        let range = whole_line(text, edit);
        let Some(between) = text.get(at..range.start).filter(|_| text.is_char_boundary(range.end)) else {
            continue;
        };
        done.push_str(between);
        done.push_str(&settled(text, edit));
        at = range.end;
    }
    done.push_str(text.get(at..).unwrap_or_default());
    done
}

/// The bytes an edit takes out: a whole line where it takes all that stands on it.
fn whole_line(text: &str, edit: &Edit) -> std::ops::Range<usize> {
    let range = edit.span.range();
    let (Some(before), Some(behind)) = (text.get(..range.start), text.get(range.end..)) else { return range };
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    let (rest, breaks) = behind.split_once('\n').map_or((behind, 0), |(rest, _)| (rest, 1));
    let is_blank = |text: &str| text.chars().all(char::is_whitespace);
    let alone = edit.text.is_empty() && !range.is_empty() && is_blank(rest);
    if alone && is_blank(before.get(line..).unwrap_or_default()) {
        return line..range.end + rest.len() + breaks;
    }
    if alone {
        // Nor are blanks left at the end of a line.
        return before.trim_end_matches([' ', '\t']).len()..range.end;
    }
    range
}

/// The text of an edit with the line breaks and the indentation of its surroundings.
fn settled(text: &str, edit: &Edit) -> String {
    let before = text.get(..edit.span.range().start).unwrap_or_default();
    let line = before.rfind('\n').map_or(before, |at| before.get(at + 1..).unwrap_or_default());
    let indent: String = line.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    edit.text.replace('\n', &format!("{end}{indent}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::FileId;

    fn at(text: &str, part: &str) -> Span {
        let start = text.find(part).unwrap();
        Span::new(FileId(0), start, start + part.len())
    }

    fn done(text: &str, fix: &Fix) -> String {
        apply(text, &fix.edits)
    }

    #[test]
    fn edits_are_done_in_any_order_and_once() {
        let text = "甲 == 乙 && 丙";
        let fix = Fix::safe("").replace(at(text, "&&"), "and").replace(at(text, "=="), "is");
        assert_eq!(done(text, &fix), "甲 is 乙 and 丙");
        let twice = fix.replace(at(text, "=="), "is");
        assert_eq!(done(text, &twice), "甲 is 乙 and 丙");
    }

    #[test]
    fn a_line_that_becomes_empty_goes_too() {
        let text = "a {\r\n  lasts 3 days\r\n  end x // y\r\n}";
        let gone = done(text, &Fix::safe("").remove(at(text, "lasts 3 days")));
        assert_eq!(gone, "a {\r\n  end x // y\r\n}");
        assert_eq!(
            done(text, &Fix::safe("").remove(at(text, "// y"))),
            "a {\r\n  lasts 3 days\r\n  end x\r\n}"
        );
    }

    #[test]
    fn a_new_line_is_indented_like_its_neighbour() {
        let text = "a {\r\n\tenter when x\r\n}";
        let fix = Fix::suggested("").add_behind(at(text, "enter when x"), "\nexisting skip");
        assert_eq!(done(text, &fix), "a {\r\n\tenter when x\r\n\texisting skip\r\n}");
    }

    #[test]
    fn edits_at_one_place_are_in_conflict_unless_they_are_the_same() {
        let edit =
            |start, end, text: &str| Edit { span: Span::new(FileId(0), start, end), text: text.into() };
        assert!(in_conflict(&edit(0, 3, ""), &edit(2, 4, "")));
        assert!(in_conflict(&edit(3, 3, "a"), &edit(3, 3, "b")));
        assert!(in_conflict(&edit(0, 3, ""), &edit(3, 3, "b")), "which comes first?");
        assert!(!in_conflict(&edit(3, 3, "a"), &edit(3, 3, "a")));
        assert!(!in_conflict(&edit(0, 3, ""), &edit(3, 4, "")));
    }

    proptest::proptest! {
        #[test]
        fn no_edit_of_any_text_panics(text in "(?s).{0,20}", start in 0usize..70, length in 0usize..70, new in "\n?.{0,3}") {
            let edit = Edit { span: Span::new(FileId(0), start, start + length), text: new };
            let other = Edit { span: Span::new(FileId(0), length, start), text: String::new() };
            let _ = apply(&text, [&edit, &other]);
        }
    }
}
