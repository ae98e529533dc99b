//! Items of what speaks to people: channels and contents.

use super::{Dur, Expr, Ident, Param, Path, Text};
use crate::text::Span;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
pub enum ChannelItem {
    Kind(Ident),
    Surface(Ident),
    Party(Ident),
    Cost(Expr),
    /// `rate 500 per second`
    Rate {
        count: Expr,
        unit: Ident,
    },
    /// How many parts one text message may take.
    Segments(Expr),
    /// How many placements a slot shows at the same time.
    Capacity(Expr),
    /// `receipt within 2 days`
    Receipt(Dur),
    /// Receipt outcomes this channel can report.
    Outcomes(Vec<Ident>),
    /// Attribute that holds the address on the subject.
    Addresses(Path),
    /// `port marketing`: for which purposes the carrier has opened it.
    Port(Ident),
    /// `opt_out within 1 day by reply, link`
    OptOut {
        within: Dur,
        by: Vec<Ident>,
    },
    /// `do_not_call within 21 days`: how old the answer of the register may be.
    DoNotCall(Dur),
    /// `region sg under "…"`: where it keeps what it is given, and on which ground that may leave the country.
    Region {
        place: Ident,
        under: Option<Text>,
    },
    Owner(Text),
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub enum ContentItem {
    Takes(Param),
    Open(Expr),
    /// The product it speaks of.
    Product(Path),
    /// The product that whoever follows its link signs for.
    Commits(Path),
    /// `approved by "compliance:li.wei" on 2026-11-01 binds "sha256:…"`
    Approved {
        by: Text,
        on: Box<Expr>,
        /// A digest of what was approved.
        binds: Option<Text>,
        span: Span,
    },
    /// The reward it promises.
    Offers(Path),
    /// `part greeting of copy_test.greeting { warm """…"""; plain "…" }`: one copy per level of a factor.
    Part {
        name: Ident,
        factor: Path,
        levels: Vec<(Ident, Copy)>,
    },
    Via(Variant),
    Error(Span),
}

/// `via push { title "…"; body """…"""; link "…" }` or `via sms """…"""`
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    pub channel: Ident,
    pub parts: Vec<VariantPart>,
    /// Between the messages of an ordered list.
    pub gap: Option<Dur>,
    /// How a popup is closed.
    pub close: Option<Ident>,
    pub span: Span,
}

/// A piece of a variant. `via sms """…"""` is a single `body`.
#[derive(Clone, Debug, PartialEq)]
pub struct VariantPart {
    /// `title`, `body`, `link`, `image`, `page`, `locale`, `message`
    pub word: Ident,
    /// `message file "files/morning.png"`: the copy is the path of a file.
    pub file: bool,
    /// `locale zh """…"""`: the locale.
    pub locale: Option<Ident>,
    pub copy: Copy,
}

/// Text with `{{ expr }}` holes. A `"…"` text has none.
#[derive(Clone, Debug, PartialEq)]
pub struct Copy {
    pub pieces: Vec<CopyPiece>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum CopyPiece {
    Text(Arc<str>),
    Hole(Expr),
}
