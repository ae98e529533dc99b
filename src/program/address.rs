//! Whom a step concerns besides its own subject: who gets a message or a reward, for whom a journey is started.

use serde::{Deserialize, Serialize};

use crate::expr::Expr;
use crate::name::Name;
use crate::value::Length;

/// Somebody else than the subject: a root of this kind, whose id the expression gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Addressee {
    pub entity: Name,
    pub id: Expr,
    /// It has a consent of its own, so what goes to it is decided in its own row.
    pub person: bool,
}

/// What a `send` says besides what and through which channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manner {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Addressee>,
    /// Tells two messages of one step apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Expr>,
    /// Between the messages of an ordered list, instead of what the content says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Length>,
}

/// For whom a journey is started: one instance each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Each {
    pub among: Among,
    /// Over the element, which is its subject; what the caller remembers and when it was entered are seen too.
    pub filter: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Among {
    /// Roots of this kind, by a list of ids.
    Roots(Name, Expr),
    /// The subject's own children of this kind.
    Children(Name),
}

impl Manner {
    /// The expressions in it.
    pub fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.to.iter_mut().map(|to| &mut to.id).chain(&mut self.key)
    }
}

impl Each {
    /// The expressions in it.
    pub fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        let list = match &mut self.among {
            Among::Roots(_, list) => Some(list),
            Among::Children(_) => None,
        };
        list.into_iter().chain(&mut self.filter)
    }
}
