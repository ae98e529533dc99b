//! Packs: which rules a project is held to, and on which day.

use std::sync::Arc;

use jiff::civil::Date;

use super::Before;

/// The rules of one jurisdiction; `core` is what holds anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pack {
    Core,
    Cn,
    Us,
    Eu,
    Uk,
    In,
    Sg,
    Hk,
    Au,
}

impl Pack {
    pub const ALL: [Self; 9] =
        [Self::Core, Self::Cn, Self::Us, Self::Eu, Self::Uk, Self::In, Self::Sg, Self::Hk, Self::Au];
    /// What holds where a project says nothing.
    pub const USUAL: [Self; 2] = [Self::Core, Self::Cn];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Cn => "cn",
            Self::Us => "us",
            Self::Eu => "eu",
            Self::Uk => "uk",
            Self::In => "in",
            Self::Sg => "sg",
            Self::Hk => "hk",
            Self::Au => "au",
        }
    }

    /// Where it holds, for people.
    #[must_use]
    pub fn place(self) -> &'static str {
        match self {
            Self::Core => "anywhere",
            Self::Cn => "mainland China",
            Self::Us => "the United States",
            Self::Eu => "the European Union",
            Self::Uk => "the United Kingdom",
            Self::In => "India",
            Self::Sg => "Singapore",
            Self::Hk => "Hong Kong",
            Self::Au => "Australia",
        }
    }

    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|pack| pack.as_str() == text)
    }
}

/// What a project is held to.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    pub packs: Vec<Pack>,
    /// The day whose law counts.
    pub as_of: Date,
    /// Hosts of the bank's own pages, without a leading dot; their subdomains are its own too. Empty: nobody said.
    pub domains: Vec<String>,
    /// The project as it was, for rules about a change; without it nothing is compared.
    pub before: Option<Arc<Before>>,
}

impl Chosen {
    /// [`Pack::USUAL`] on the day `as_of`.
    #[must_use]
    pub fn usual(as_of: Date) -> Self {
        Self { packs: Pack::USUAL.to_vec(), as_of, domains: Vec::new(), before: None }
    }
}
