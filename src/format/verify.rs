//! The proof, given on every run: the formatted text has the same tokens, the same tree and the same comments at
//! the same places.
//!
//! Tokens are compared with everything taken out that the formatter may change: separators, commas before a closing
//! bracket, the grouping of digits, `2d` for `2 days`, plurals, the indentation of copy. What that leaves open the
//! trees decide. They are compared by their `Debug` texts without spans: that names every field of every node,
//! of those too that are added after this was written.

use super::spelling::CIVIL_UNITS;
use crate::syntax::token::{Token, TokenKind};
use crate::syntax::{Parsed, ast, significant};

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Difference {
    Tokens,
    Comments,
    Tree,
}

impl Difference {
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Tokens => "some of its words and signs would have changed",
            Self::Comments => "some of its comments would have been lost or moved",
            Self::Tree => "it would have been read as something else",
        }
    }
}

/// Whether `after` says what `before` says.
pub(super) fn same(before: (&str, &Parsed), after: (&str, &Parsed)) -> Result<(), Difference> {
    let (old, new) = (Essence::of(before), Essence::of(after));
    if old.tokens != new.tokens {
        return Err(Difference::Tokens);
    }
    if old.comments != new.comments {
        return Err(Difference::Comments);
    }
    let trees_agree = tree(&before.1.file) == tree(&after.1.file);
    if trees_agree { Ok(()) } else { Err(Difference::Tree) }
}

/// A text without what the formatter may change.
struct Essence {
    tokens: Vec<(TokenKind, String)>,
    /// Each comment with the number of tokens above it, separators and commas not counted.
    comments: Vec<(usize, String)>,
}

impl Essence {
    fn of((text, parsed): (&str, &Parsed)) -> Self {
        let grammar = significant(text, &parsed.tokens);
        let mut essence = Self { tokens: Vec::new(), comments: Vec::new() };
        for token in &grammar {
            essence.push(token.kind, token.text(text));
        }
        essence.drop_separator();
        essence.comments = comments(text, &parsed.tokens, &grammar);
        essence
    }

    fn push(&mut self, kind: TokenKind, text: &str) {
        use TokenKind as K;
        let before = self.tokens.last().map(|(kind, _)| *kind);
        match kind {
            K::Sep | K::Semicolon => {
                if !matches!(before, None | Some(K::Sep | K::LBrace)) {
                    self.tokens.push((K::Sep, String::new()));
                }
                return;
            }
            K::RBrace => self.drop_separator(),
            _ => {}
        }
        if matches!(kind, K::RBrace | K::RParen | K::RBracket) {
            self.tokens.pop_if(|(kind, _)| *kind == K::Comma);
        }
        let plain = || text.replace('_', "");
        match kind {
            K::Int | K::Decimal | K::Percent => self.tokens.push((kind, plain())),
            K::Glued => self.glued(&plain()),
            K::Copy => self.tokens.push((kind, String::new())),
            K::Name => self.tokens.push((kind, singular(text).to_owned())),
            _ => self.tokens.push((kind, text.to_owned())),
        }
    }

    fn glued(&mut self, text: &str) {
        let Some(unit) = civil_unit(text) else {
            return self.tokens.push((TokenKind::Glued, text.to_owned()));
        };
        let count = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        self.tokens.push((TokenKind::Int, count.to_owned()));
        self.tokens.push((TokenKind::Name, unit.to_owned()));
    }

    fn drop_separator(&mut self) {
        self.tokens.pop_if(|(kind, _)| *kind == TokenKind::Sep);
    }
}

/// The word for the unit of `2d` and `2w`.
fn civil_unit(glued: &str) -> Option<&'static str> {
    match glued.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_') {
        "d" => Some("day"),
        "w" => Some("week"),
        _ => None,
    }
}

fn singular(word: &str) -> &str {
    word.strip_suffix('s').filter(|unit| CIVIL_UNITS.contains(unit)).unwrap_or(word)
}

fn comments(text: &str, tokens: &[Token], grammar: &[Token]) -> Vec<(usize, String)> {
    let counts =
        |token: &&Token| !matches!(token.kind, TokenKind::Sep | TokenKind::Semicolon | TokenKind::Comma);
    let mut counted = grammar.iter().filter(counts).peekable();
    let mut place = 0;
    let mut out = Vec::new();
    for token in tokens {
        while let Some(above) = counted.next_if(|above| above.start < token.start) {
            // `2d` becomes two tokens.
            place +=
                if above.kind == TokenKind::Glued && civil_unit(above.text(text)).is_some() { 2 } else { 1 };
        }
        if matches!(token.kind, TokenKind::Comment | TokenKind::Doc) {
            out.push((place, token.text(text).trim_end().to_owned()));
        }
    }
    out
}

/// A picture of the tree without spans.
fn tree(file: &ast::File) -> String {
    let text = format!("{file:?}");
    let mut pieces = text.split("Span { file: ");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        out.push_str(piece.split_once('}').map_or(piece, |(_, rest)| rest));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::parse;
    use crate::text::FileId;

    fn compare(before: &str, after: &str) -> Result<(), Difference> {
        let (old, new) = (parse(FileId(0), before), parse(FileId(0), after));
        same((before, &old), (after, &new))
    }

    #[test]
    fn what_may_change() {
        let before = "tag a of b { keep 2d }\nimport x { a,b }";
        assert_eq!(compare(before, "tag a of b {\n  keep 2 days;\n}\nimport x { a, b, }"), Ok(()));
        assert_eq!(compare("tag a of b { keep 2d } // c", "tag a of b { keep 2 days } // c"), Ok(()));
        assert_eq!(compare("metric a of b = 10000", "metric a of b =\n  10_000"), Ok(()));
    }

    #[test]
    fn what_may_not() {
        let before = "// one\ntag a of b { keep 2 days } // two";
        let cases = [
            ("// one\ntag a of b { keep 3 days } // two", Difference::Tokens),
            ("// one\ntag a of b { keep 2 weeks } // two", Difference::Tokens),
            ("// one\ntag a of b { keep 2 days }", Difference::Comments),
            ("tag a of b { keep 2 days } // one\n// two", Difference::Comments),
            ("tag a of b { // one\n keep 2 days } // two", Difference::Comments),
        ];
        for (after, difference) in cases {
            assert_eq!(compare(before, after), Err(difference), "{after}");
        }
        let copy = |text: &str| format!("content a {{\n  via sms \"\"\"{text}\"\"\"\n}}");
        assert_eq!(compare(&copy("\n    x\n    "), &copy("\n  x\n  ")), Ok(()));
        assert_eq!(compare(&copy("\n    x\n    "), &copy("\n    x\n  ")), Err(Difference::Tree));
        // `day` is the entity here, and no unit.
        let given = |entity: &str| format!("test \"t\" of j {{ given 2 {entity} }}");
        assert_eq!(compare(&given("day"), &given("days")), Err(Difference::Tree));
    }
}
