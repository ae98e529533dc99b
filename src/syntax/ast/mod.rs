//! The syntax tree: what was written, with the span of everything, and no meaning yet.
//!
//! The shape follows `docs/language.md` section by section. Every enum that stands for a place in the grammar has
//! an `Error` arm: the parser has already reported what is wrong there, and later phases stay quiet about it.
//! Names are [`Ident`]s; nothing here is resolved.

mod decl;
mod expr;
mod journey;
mod outreach;
mod step;
mod test;
mod time;
mod value;
mod world;

pub use decl::*;
pub use expr::*;
pub use journey::*;
pub use outreach::*;
pub use step::*;
pub use test::*;
pub use time::*;
pub use value::*;
pub use world::*;

use crate::name::Name;
use crate::text::Span;
use std::sync::Arc;

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    pub imports: Vec<Import>,
    pub decls: Vec<Decl>,
}

/// `import std.cn.bank { push, sms } as b`
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    pub path: Path,
    /// Empty: the package itself is imported under its last part or under `alias`.
    pub names: Vec<Ident>,
    pub alias: Option<Ident>,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ident {
    pub name: Name,
    pub span: Span,
}

/// `customer.employer.payday`; never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    pub parts: Vec<Ident>,
    pub span: Span,
}

impl Path {
    /// The path as written, parts joined by dots.
    #[must_use]
    pub fn text(&self) -> String {
        let parts: Vec<&str> = self.parts.iter().map(|part| part.name.as_str()).collect();
        parts.join(".")
    }
}

/// A `"…"` literal, escapes already resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    pub value: Arc<str>,
    pub span: Span,
}
