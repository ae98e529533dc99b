//! Copy of several lines: it moves with its item, and its own indentation, which the language strips, stays what
//! it means.

use crate::syntax::copy_indentation;

/// The lines of the copy written `text`, without the indentation that all of them share.
pub(super) fn lines(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n");
    let inside = text.strip_prefix("\"\"\"").unwrap_or(&text);
    let inside = inside.strip_suffix("\"\"\"").unwrap_or(inside);
    let indentation = copy_indentation(inside);
    let mut lines: Vec<String> = inside.split('\n').map(str::to_owned).collect();
    for line in lines.iter_mut().skip(1) {
        let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
        line.drain(..blanks.min(indentation));
    }
    // Blanks behind the opening quotes and before the closing ones on lines of their own are no part of the copy.
    if let Some(first) = lines.first_mut() {
        drop_blanks(first);
        first.insert_str(0, "\"\"\"");
    }
    if let Some(last) = lines.last_mut() {
        drop_blanks(last);
        last.push_str("\"\"\"");
    }
    lines
}

/// Empties a line that holds nothing but blanks.
fn drop_blanks(line: &mut String) {
    if line.trim_matches([' ', '\t']).is_empty() {
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_indentation_is_stripped_and_the_rest_stays() {
        let text = "\"\"\"  \r\n    您好，\r\n      额度\n\n    退订回复 R\n    \"\"\"";
        assert_eq!(lines(text), ["\"\"\"", "您好，", "  额度", "", "退订回复 R", "\"\"\""]);
    }

    #[test]
    fn the_closing_quotes_may_be_the_left_edge() {
        assert_eq!(lines("\"\"\"\n    a\n  \"\"\""), ["\"\"\"", "  a", "\"\"\""]);
        assert_eq!(lines("\"\"\"a\n   b \"\"\""), ["\"\"\"a", "b \"\"\""]);
    }
}
