//! What the text is made of. Every byte of a file belongs to exactly one token, white space and mistakes included.
//!
//! Signs and operators that other languages use (`==`, `&&`) and the full-width signs of Chinese keyboards are
//! tokens of their own, so that they are named in a message instead of being "unexpected".

use logos::Logos;

use crate::text::{FileId, Span};

/// One piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    /// Byte offsets, half open.
    pub start: u32,
    pub end: u32,
}

#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[logos(utf8 = true)]
pub enum TokenKind {
    // Trivia.
    /// Blanks, the byte order mark and the wide blank of Chinese keyboards.
    #[regex(r"[ \t\r\f\u{FEFF}\u{A0}\u{3000}]+")]
    Space,
    #[regex(r"\r?\n")]
    Newline,
    #[regex(r"//[^\r\n]*", allow_greedy = true)]
    Comment,
    #[regex(r"///[^\r\n]*", priority = 20, allow_greedy = true)]
    Doc,

    // Names and literals.
    #[regex(r"[_\p{XID_Start}]\p{XID_Continue}*")]
    Name,
    /// `` `from` ``: a name spelled like a word of the language.
    #[regex(r"`[^`\r\n]*`")]
    QuotedName,
    #[regex(r#""([^"\\\r\n]|\\[^\r\n])*""#)]
    Text,
    /// A text whose closing quote is not on its line.
    #[regex(r#""([^"\\\r\n]|\\[^\r\n])*\\?"#, priority = 1)]
    OpenText,
    /// `"""…"""`, found by the lexer.
    #[token("\"\"\"", priority = 30)]
    Copy,
    /// A copy that is never closed.
    OpenCopy,
    #[regex(r"[0-9][0-9_]*")]
    Int,
    #[regex(r"[0-9][0-9_]*\.[0-9][0-9_]*")]
    Decimal,
    #[regex(r"[0-9][0-9_]*(\.[0-9][0-9_]*)?[%％]")]
    Percent,
    /// A number with letters glued to it: `48h`, `2d`, and the mistakes `3m`, `3days`.
    #[regex(r"[0-9][0-9_]*\p{XID_Start}\p{XID_Continue}*", priority = 3)]
    Glued,
    #[regex(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")]
    Date,
    #[regex(r"[0-9]{1,2}[:：][0-9]{2}")]
    Time,

    // Signs. The second spelling is the full-width one, which is reported and then stands for the first.
    #[token("(")]
    #[token("（")]
    LParen,
    #[token(")")]
    #[token("）")]
    RParen,
    #[token("[")]
    #[token("［")]
    #[token("【")]
    LBracket,
    #[token("]")]
    #[token("］")]
    #[token("】")]
    RBracket,
    #[token("{")]
    #[token("｛")]
    LBrace,
    #[token("}")]
    #[token("｝")]
    RBrace,
    #[token(",")]
    #[token("，")]
    #[token("、")]
    Comma,
    #[token(":")]
    #[token("：")]
    Colon,
    #[token(";")]
    #[token("；")]
    Semicolon,
    #[token("?")]
    #[token("？")]
    Question,
    #[token(".")]
    #[token("．")]
    Dot,
    #[token("..")]
    DotDot,
    #[token("|")]
    #[token("｜")]
    Pipe,
    #[token("=")]
    #[token("＝")]
    Equals,
    #[token("=>")]
    FatArrow,
    #[token("->")]
    Arrow,
    #[token("<")]
    #[token("＜")]
    Less,
    #[token("<=")]
    #[token("≤")]
    LessEq,
    #[token(">")]
    #[token("＞")]
    Greater,
    #[token(">=")]
    #[token("≥")]
    GreaterEq,
    #[token("+")]
    #[token("＋")]
    Plus,
    #[token("-")]
    #[token("－")]
    Minus,
    #[token("*")]
    #[token("＊")]
    Star,
    #[token("/")]
    #[token("／")]
    Slash,

    // Mistakes with a known meaning.
    #[regex("“[^”\"\r\n]*[”\"]?")]
    CurlyText,
    #[token("==")]
    EqEq,
    #[token("!=")]
    BangEq,
    #[token("&&")]
    AndAnd,
    #[token("||")]
    OrOr,
    #[token("!")]
    #[token("！")]
    Bang,
    /// Text that begins no token.
    Bad,

    // Made by the layout, never by the lexer; no text belongs to them.
    /// The end of an item: a newline that counts.
    Sep,
    Eof,
}

impl Token {
    #[must_use]
    pub fn span(self, file: FileId) -> Span {
        Span { file, start: self.start, end: self.end }
    }

    /// The text of this token within the text it was lexed from.
    #[must_use]
    pub fn text(self, source: &str) -> &str {
        source.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

impl TokenKind {
    /// White space and comments: what the grammar does not see.
    #[must_use]
    pub fn is_trivia(self) -> bool {
        matches!(self, Self::Space | Self::Newline | Self::Comment | Self::Doc)
    }
}
