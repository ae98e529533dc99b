//! Rows as one JSON array of arrays, the parameter of a `json_each` statement. Written by hand: it is the hot path.

use std::fmt::Write as _;

use crate::step::facets::Mark;

/// `[[…],[…],…]`
pub(super) struct Rows {
    text: String,
}

/// One `[…]`, cell by cell.
pub(super) struct Row<'a> {
    text: &'a mut String,
    first: bool,
}

impl Rows {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        let mut text = String::with_capacity(bytes + 2);
        text.push('[');
        Self { text }
    }

    pub(super) fn row(&mut self, fill: impl FnOnce(&mut Row<'_>)) {
        self.text.push_str(if self.text.len() > 1 { ",[" } else { "[" });
        fill(&mut Row { text: &mut self.text, first: true });
        self.text.push(']');
    }

    /// A text that is no row.
    pub(super) fn one(&mut self, value: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        Row { text: &mut self.text, first: true }.text(value);
    }

    pub(super) fn finish(mut self) -> String {
        self.text.push(']');
        self.text
    }
}

impl Row<'_> {
    pub(super) fn int(&mut self, value: impl Into<i64>) -> &mut Self {
        self.separate();
        // Writing to a string does not fail.
        let _ = write!(self.text, "{}", value.into());
        self
    }

    /// Layout and bits.
    pub(super) fn mark(&mut self, mark: Option<Mark>) -> &mut Self {
        if let Some(Mark { layout, bits }) = mark {
            return self.int(layout).int(bits);
        }
        self.separate();
        self.text.push_str("null,null");
        self
    }

    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        self.separate();
        self.text.push('"');
        for c in value.chars() {
            match c {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                c if c.is_control() => {
                    let _ = write!(self.text, "\\u{:04x}", u32::from(c));
                }
                c => self.text.push(c),
            }
        }
        self.text.push('"');
        self
    }

    pub(super) fn perhaps(&mut self, value: Option<i64>) -> &mut Self {
        if let Some(value) = value {
            return self.int(value);
        }
        self.separate();
        self.text.push_str("null");
        self
    }

    pub(super) fn perhaps_text(&mut self, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            return self.text(value);
        }
        self.separate();
        self.text.push_str("null");
        self
    }

    /// In hex, for `unhex`.
    pub(super) fn bytes(&mut self, value: &[u8]) -> &mut Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.separate();
        self.text.push('"');
        self.text.reserve(value.len() * 2 + 1);
        for &byte in value {
            for digit in [byte >> 4, byte & 15] {
                self.text.push(char::from(DIGITS.get(usize::from(digit)).copied().unwrap_or(b'0')));
            }
        }
        self.text.push('"');
        self
    }

    fn separate(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.text.push(',');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_json() {
        let mut rows = Rows::with_capacity(64);
        rows.row(|row| {
            row.int(-1_i64).text("客\"\\\n户").bytes(&[0, 0xaf]);
        });
        rows.row(|row| {
            row.bytes(&[]);
        });
        let text = rows.finish();
        let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(parsed, serde_json::json!([[-1, "客\"\\\n户", "00af"], [""]]));
        assert_eq!(Rows::with_capacity(0).finish(), "[]");
    }
}
