//! Types.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Currency;
use crate::name::Name;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Type {
    Bool,
    Int,
    Decimal,
    Percent,
    Money(Currency),
    Text,
    Id,
    Date,
    Time,
    Moment,
    /// Stopwatch time.
    Duration,
    /// Calendar time.
    Period,
    /// A declared `choice`.
    Choice(Name),
    /// `one of [a, b]`, written in place.
    OneOf(Vec<Name>),
    /// A reference to an entity of another root, or a child entity.
    Entity(Name),
    /// A channel name; the elements of `consent`.
    Channel,
    /// A declared content.
    Content,
    /// A yes/no audience of an entity.
    Audience(Name),
    /// An event that has happened: `event`, a named awaited event.
    Event(Name),
    /// A calendar span or any `a..b`.
    Range(Box<Type>),
    List(Box<Type>),
    /// `T?`
    Optional(Box<Type>),
    /// Something is wrong and has been reported: agrees with everything.
    Error,
    /// A declared reward.
    Reward,
    /// Whatever happens: the event that a flow or template is given.
    Occurrence,
    /// `Text(20)`: a text of so many [`signs`] at most.
    ShortText(u16),
}

/// The length of a text as text messages count it: an emoji is two signs.
#[must_use]
pub fn signs(text: &str) -> usize {
    text.encode_utf16().count()
}

impl Type {
    #[must_use]
    pub fn optional(self) -> Self {
        match self {
            Self::Optional(_) | Self::Error => self,
            other => Self::Optional(Box::new(other)),
        }
    }

    /// The type without its `?`.
    #[must_use]
    pub fn known(&self) -> &Self {
        match self {
            Self::Optional(inner) => inner,
            other => other,
        }
    }

    #[must_use]
    pub fn is_optional(&self) -> bool {
        matches!(self, Self::Optional(_))
    }

    /// What a value of this type may be compared with: a text of any length, where this is a short one.
    #[must_use]
    pub fn unbounded(self) -> Self {
        if matches!(self, Self::ShortText(_)) { Self::Text } else { self }
    }
}

impl fmt::Display for Type {
    /// As it is written in a declaration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("Bool"),
            Self::Int => f.write_str("Int"),
            Self::Decimal => f.write_str("Decimal"),
            Self::Percent => f.write_str("Percent"),
            Self::Money(currency) => write!(f, "Money({currency})"),
            Self::Text => f.write_str("Text"),
            Self::Id => f.write_str("Id"),
            Self::Date => f.write_str("Date"),
            Self::Time => f.write_str("Time"),
            Self::Moment => f.write_str("Moment"),
            Self::Duration => f.write_str("Duration"),
            Self::Period => f.write_str("Period"),
            Self::Choice(name) | Self::Entity(name) => write!(f, "{name}"),
            Self::OneOf(cases) => {
                let cases: Vec<&str> = cases.iter().map(|case| case.as_str()).collect();
                write!(f, "one of [{}]", cases.join(", "))
            }
            Self::Channel => f.write_str("channel"),
            Self::Content => f.write_str("Content"),
            Self::Audience(entity) => write!(f, "Audience({entity})"),
            Self::Event(name) => write!(f, "event {name}"),
            Self::Range(inner) => write!(f, "{inner}..{inner}"),
            Self::List(inner) => write!(f, "[{inner}]"),
            Self::Optional(inner) => write!(f, "{inner}?"),
            Self::Error => f.write_str("?"),
            Self::Reward => f.write_str("Reward"),
            Self::Occurrence => f.write_str("Event"),
            Self::ShortText(most) => write!(f, "Text({most})"),
        }
    }
}
