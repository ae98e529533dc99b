use super::*;
use TokenKind as K;

fn kinds(text: &str) -> Vec<TokenKind> {
    lex(text, 0..text.len()).into_iter().map(|token| token.kind).filter(|kind| !kind.is_trivia()).collect()
}

fn joined(text: &str) -> String {
    lex(text, 0..text.len()).into_iter().map(|token| token.text(text)).collect()
}

#[test]
fn numbers_and_their_units_are_one_token_each() {
    assert_eq!(kinds("50_000 0.5 5% 0.1%"), [K::Int, K::Decimal, K::Percent, K::Percent]);
    assert_eq!(kinds("48h 10min 20s 2d 3m"), [K::Glued; 5]);
    assert_eq!(kinds("2026-12-01 10:00"), [K::Date, K::Time]);
    assert_eq!(kinds("1..4"), [K::Int, K::DotDot, K::Int]);
    assert_eq!(kinds("10:00..12:00"), [K::Time, K::DotDot, K::Time]);
    assert_eq!(kinds("2026-12-01..2027-02-28"), [K::Date, K::DotDot, K::Date]);
}

#[test]
fn names_are_of_any_script() {
    assert_eq!(kinds("first_loan 首贷福利 _ x1"), [K::Name; 4]);
    assert_eq!(kinds("`from`"), [K::QuotedName]);
}

#[test]
fn texts_and_copies() {
    assert_eq!(kinds(r#""a \" b" "" "首贷""#), [K::Text; 3]);
    assert_eq!(kinds("\"never closed\nx"), [K::OpenText, K::Name]);
    assert_eq!(kinds("\"\"\"two\n\"lines\" \"\"\" x"), [K::Copy, K::Name]);
    assert_eq!(kinds("\"\"\"open\n  x\n}\n"), [K::OpenCopy, K::RBrace]);
    assert_eq!(kinds("“弯引号”"), [K::CurlyText]);
}

#[test]
fn full_width_signs_stand_for_their_ascii_twins() {
    assert_eq!(
        kinds("（a，b）：；"),
        [K::LParen, K::Name, K::Comma, K::Name, K::RParen, K::Colon, K::Semicolon]
    );
}

#[test]
fn comments_are_trivia_and_doc_comments_are_kept_apart() {
    let text = "/// doc\r\n// plain\nx";
    let tokens: Vec<TokenKind> = lex(text, 0..text.len()).into_iter().map(|token| token.kind).collect();
    assert_eq!(tokens, [K::Doc, K::Newline, K::Comment, K::Newline, K::Name]);
}

#[test]
fn every_byte_is_covered() {
    for text in ["\u{FEFF}tag x\r\n", "@@§ \"", "a\u{0}b", "\"\"\"", "“", "`", "“x", "３ ｘ", "\"\\", "—…"]
    {
        assert_eq!(joined(text), text);
    }
}
