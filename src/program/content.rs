//! Content: what is said, per channel. Hashed apart from programs and resolved by name at dispatch, so that a
//! corrected text reaches people who are already waiting.

use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::expr::Expr;
use crate::name::Name;
use crate::value::{Length, Type};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Content {
    pub name: Name,
    pub label: Option<Arc<str>>,
    pub takes: Vec<(Name, Type)>,
    /// First and last day it may be used.
    pub open: Option<(Date, Date)>,
    pub variants: Vec<Variant>,
    /// Metrics and audiences for `Expr::Def` in the copy, resolved live.
    pub defs: Vec<super::Def>,
    /// History conditions for `Expr::History` in the copy and in `defs`.
    pub features: Vec<super::Feature>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    pub channel: Name,
    /// `(part, locale, copy)`: `title`, `body`, `link`, `image`, `page`.
    pub parts: Vec<(Name, Option<Name>, Copy)>,
    /// Files of the project that it names, and the SHA-256 of what is in them: another picture is another content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<(Arc<str>, Arc<str>)>,
    /// How what stands in a slot is closed by whoever sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close: Option<Name>,
    /// Sent one behind the other, each as a message of its own. Empty: the parts are one message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Listed>,
    /// Between two of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Length>,
}

/// One message of an ordered list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// The copy is the path of a file.
    pub file: bool,
    pub copy: Copy,
}

impl Variant {
    /// All copy in it.
    pub fn copies(&self) -> impl Iterator<Item = &Copy> {
        self.parts.iter().map(|(_, _, copy)| copy).chain(self.messages.iter().map(|one| &one.copy))
    }

    /// The same, to be changed.
    pub fn copies_mut(&mut self) -> impl Iterator<Item = &mut Copy> {
        self.parts
            .iter_mut()
            .map(|(_, _, copy)| copy)
            .chain(self.messages.iter_mut().map(|one| &mut one.copy))
    }
}

/// Text with typed holes. The holes' types can all be printed and none is optional.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Copy(pub Vec<CopyPiece>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CopyPiece {
    Text(Arc<str>),
    Hole(Expr),
    /// A text for each level of a factor; which one is read follows from the customer's cell.
    Part(Box<Part>),
}

/// One part of a copy, under experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub experiment: Name,
    pub factor: Name,
    /// Cells from this one on take no part: they read the first level.
    pub allocate: u16,
    pub levels: Vec<(Name, Copy)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContentCall {
    pub content: Name,
    /// By parameter name, complete and typed.
    pub args: Vec<(Name, Expr)>,
    /// Where a `table` chooses: the expression whose value is the content, and all it can be. `content` is the first of
    /// them, and none takes anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Box<Chosen>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    pub by: Expr,
    pub among: Vec<Name>,
}

impl ContentCall {
    /// The content's name and those of its parameters.
    pub fn names(&self) -> impl Iterator<Item = Name> + '_ {
        let chosen = self.chosen.iter().flat_map(|chosen| chosen.among.iter().copied());
        std::iter::once(self.content).chain(self.args.iter().map(|(name, _)| *name)).chain(chosen)
    }
}
