//! Where a blank stands between two tokens of a line.

use super::comments::Leaf;
use crate::syntax::token::TokenKind;
use crate::syntax::words;

/// Hard words that are operands: what follows them is not one.
const OPERANDS: &[&str] = &["ever", "false", "known", "missing", "true"];

/// Words that are special only in their place, and take an expression: a `(` behind them opens no arguments.
const TAKE_A_VALUE: &[&str] = &["always", "amount", "eventually", "key", "rank"];

/// What was printed last on a line.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about one token")]
pub(super) struct Edge {
    /// What stands behind it is pressed against it.
    tight: bool,
    /// A `(` behind it opens its arguments.
    callee: bool,
    /// An operand must follow: a `-` there is a sign and no subtraction.
    wants_operand: bool,
    /// It is `on`: a `day` behind it takes a value.
    is_on: bool,
    /// What stands behind it is a field.
    is_dot: bool,
}

impl Edge {
    /// Behind `leaf`, which heads its item if `head`, with `before` in front of it.
    pub(super) fn behind(leaf: &Leaf<'_>, head: bool, before: Option<Edge>) -> Self {
        use TokenKind as K;
        let is_name = leaf.kind == K::Name;
        let field = before.is_some_and(|edge| edge.is_dot);
        let day = leaf.is_word("day") && before.is_some_and(|edge| edge.is_on);
        let takes_a_value = is_name && !field && (head || day || TAKE_A_VALUE.contains(&&*leaf.text));
        let hard = is_name && words::is_hard(&leaf.text);
        let sign = leaf.kind == K::Minus && before.is_none_or(|edge| edge.wants_operand);
        let wants_operand = match leaf.kind {
            K::Name => (hard && !OPERANDS.contains(&&*leaf.text)) || head || day,
            kind => takes_operand(kind),
        };
        Self {
            tight: sign || matches!(leaf.kind, K::Dot | K::DotDot),
            callee: matches!(leaf.kind, K::Name | K::QuotedName) && !hard && !takes_a_value,
            wants_operand,
            is_on: leaf.is_word("on"),
            is_dot: leaf.kind == K::Dot,
        }
    }

    /// Whether an operand may end here: a `-` behind it is a subtraction.
    pub(super) fn ends_operand(self) -> bool {
        !self.wants_operand
    }

    /// Whether a blank stands between this and `next`.
    pub(super) fn is_apart_from(self, next: TokenKind) -> bool {
        use TokenKind as K;
        match next {
            K::Comma | K::Dot | K::DotDot | K::Question => false,
            K::LParen => !self.tight && !self.callee,
            _ => !self.tight,
        }
    }
}

fn takes_operand(kind: TokenKind) -> bool {
    use TokenKind as K;
    matches!(
        kind,
        K::Comma
            | K::Colon
            | K::Equals
            | K::FatArrow
            | K::DotDot
            | K::Pipe
            | K::Less
            | K::LessEq
            | K::Greater
            | K::GreaterEq
            | K::Plus
            | K::Minus
            | K::Star
            | K::Slash
    )
}
