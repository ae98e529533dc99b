//! Declarations and their items.

use super::{Dur, Expr, Ident, Journey, Path, Schedule, TestItem, Text};
use crate::text::Span;
use std::sync::Arc;

/// `word name(params) "label" of subject = value { items }`
#[derive(Clone, Debug, PartialEq)]
pub struct Decl {
    /// The declaring word, for messages.
    pub word: Ident,
    /// Absent only where the parser reported it missing, and for `test`, which has a label instead.
    pub name: Option<Ident>,
    pub params: Vec<Param>,
    pub label: Option<Text>,
    /// `of customer`
    pub subject: Option<Path>,
    /// Lines of `///` above.
    pub doc: Option<Arc<str>>,
    pub kind: DeclKind,
    pub span: Span,
}

/// `zone : zone_kind`
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    pub name: Ident,
    pub ty: TypeRef,
}

#[derive(Clone, Debug, PartialEq)]
pub enum DeclKind {
    Choice(Vec<ChoiceItem>),
    Entity(Vec<EntityItem>),
    /// Adds fields to an entity declared elsewhere; the entity is the declaration's name.
    Extend(Vec<EntityItem>),
    Event(Vec<EntityItem>),
    Tag {
        keep: Option<Dur>,
    },
    Metric(Derived),
    Audience(Derived),
    Calendar(Vec<CalendarItem>),
    Channel(Vec<ChannelItem>),
    Content(Vec<ContentItem>),
    Journey(Box<Journey>),
    Test(Vec<TestItem>),
    Error,
}

/// `name "label"` of a choice.
#[derive(Clone, Debug, PartialEq)]
pub struct ChoiceItem {
    pub name: Ident,
    pub label: Option<Text>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EntityItem {
    /// `aum "管理资产" : Money(CNY) daily class financial = expr`, with `key` in front for the key.
    Field(Field),
    /// `anchor payday "代发日" every month on day pay_day roll back`
    Anchor {
        name: Ident,
        label: Option<Text>,
        schedule: Schedule,
        roll: Option<Roll>,
    },
    Calendar(Path),
    Source(Ident),
    Late(Dur),
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub key: bool,
    pub name: Ident,
    pub label: Option<Text>,
    pub ty: TypeRef,
    pub daily: bool,
    /// Data class: `identity`, `financial`, `protected`, …
    pub class: Option<Path>,
    /// `= expr`: derived from other fields.
    pub value: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roll {
    Back,
    Forward,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TypeRef {
    pub kind: TypeKind,
    pub optional: bool,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// `Money(CNY)`, `Text`, `zone_kind`, `Audience(customer)`
    Named {
        name: Ident,
        args: Vec<Ident>,
    },
    List(Box<TypeRef>),
    /// `one of [positive, neutral, negative]`
    OneOf(Vec<Ident>),
    Error,
}

/// The value and items of an audience or metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Derived {
    pub value: Expr,
    pub items: Vec<DerivedItem>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum DerivedItem {
    Priority(Ident),
    Size(Expr),
    Refresh(Schedule),
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub enum CalendarItem {
    File(Text),
    Covers(Expr),
    Error(Span),
}

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
    /// `receipt within 2 days`
    Receipt(Dur),
    /// Receipt outcomes this channel can report.
    Outcomes(Vec<Ident>),
    /// Attribute that holds the address on the subject.
    Addresses(Path),
    Owner(Text),
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub enum ContentItem {
    Takes(Param),
    Open(Expr),
    Via(Variant),
    Error(Span),
}

/// `via push { title "…"; body """…"""; link "…" }` or `via sms """…"""`
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    pub channel: Ident,
    pub parts: Vec<VariantPart>,
    pub span: Span,
}

/// A piece of a variant. `via sms """…"""` is a single `body`.
#[derive(Clone, Debug, PartialEq)]
pub struct VariantPart {
    /// `title`, `body`, `link`, `image`, `page`, `locale`
    pub word: Ident,
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
