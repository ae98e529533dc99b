//! Linear time, counted and not clocked: how often the grammar looked at a token, against how many there are.

use wayfare::syntax::Parsed;
use wayfare::syntax::token::TokenKind;

/// Looks for each token, at most. Whole files need about a third of it.
const PER_TOKEN: usize = 100;
/// What an empty file may cost.
const AT_ALL: usize = 200;

/// Stops where the parser looked at tokens more often than a constant times their number.
pub(crate) fn are_few(parsed: &Parsed, text: &str, of: impl Fn() -> String) {
    let (looks, size) = (parsed.looks, size(parsed, text));
    assert!(looks <= PER_TOKEN * size + AT_ALL, "{}: {looks} looks at {size} tokens", of());
}

/// Tokens; a copy counts by its bytes, since any of them may be a token of a hole.
pub(crate) fn size(parsed: &Parsed, text: &str) -> usize {
    let size = |kind: TokenKind, text: &str| match kind {
        TokenKind::Copy | TokenKind::OpenCopy => text.len(),
        kind => usize::from(!kind.is_trivia()),
    };
    parsed.tokens.iter().map(|token| size(token.kind, token.text(text))).sum()
}
