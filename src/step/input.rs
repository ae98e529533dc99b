//! What can happen to a subject.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::expr::MessageEvent;
use crate::name::Name;
use crate::program::Outcome;
use crate::text::shared;
use crate::value::Value;

/// A root subject: the owner of one state row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RootKey {
    pub entity: Name,
    #[serde(deserialize_with = "shared::text")]
    pub id: Arc<str>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    Event(Event),
    /// A scheduled look of `enter when … every …` or `enter every …`, for the occurrence `at`.
    Tick {
        journey: Name,
        at: Timestamp,
    },
    /// Run whatever is due at `now`.
    Wake,
    /// A new deployment: date entries and features of new journeys are set up.
    Settle,
    /// The dispatcher took the message from the outbox: look at the gate again; deliver or refuse.
    Dispatch(MessageKey),
    /// The same of a message whose last attempt may have arrived: nobody heard the answer.
    DispatchAgain(MessageKey),
    /// The provider's answer to a dispatched message: `Sent` or `Failed`.
    Answer {
        message: MessageKey,
        outcome: Outcome,
        detail: Arc<str>,
    },
    /// The ledger's answer to [`super::Effect::Reserve`]: `short` says what there was not enough of.
    Permit {
        key: MessageKey,
        short: Option<super::Short>,
    },
    /// The answer to [`super::Effect::Pace`]: the message may leave at this instant, or is asked for again then.
    Paced {
        message: MessageKey,
        at: Timestamp,
    },
    /// Another root asks for something, or answers.
    Post(Box<super::Post>),
}

/// An event, validated against the schema: fields are declared, typed, and in declared order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// `CloudEvents` `source` and `id`: its identity.
    #[serde(deserialize_with = "shared::text")]
    pub source: Arc<str>,
    #[serde(deserialize_with = "shared::text")]
    pub id: Arc<str>,
    pub kind: EventKind,
    /// The child entity it is about, if it is not about the root.
    pub child: Option<(Name, Arc<str>)>,
    /// When it happened.
    pub time: Timestamp,
    /// When it arrived.
    pub received: Timestamp,
    pub fields: Vec<(Name, Value)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EventKind {
    Declared(Name),
    /// `wayfare.attributes`: the fields are attributes to set (`Missing` removes); makes the subject known.
    Attributes,
    /// What became of a message, reported from outside.
    Message {
        kind: MessageEvent,
        key: MessageKey,
    },
    /// `wayfare.closed`: the data of this attribute are complete for the period in `fields`.
    Closed(Name),
    /// A declared event that an import tells of: known from now on, and nobody acts on it.
    Imported(Name),
    /// Attributes that an import tells of.
    ImportedAttributes,
    /// `wayfare.merged`: the subject was found to be the same as this one, which stays.
    Merged {
        into: RootKey,
    },
    /// `wayfare.resend`: what kept a failed message from arriving is mended, and it is to be sent once more.
    Resend {
        key: MessageKey,
    },
    /// Whoever distributes work says who does a task. `key` is the task's.
    Tasked {
        key: MessageKey,
        order: TaskOrder,
    },
    /// `wayfare.consent`: the subject agrees to be written to, or no longer does; `None`: all channels, all purposes.
    Consent {
        channel: Option<Name>,
        purpose: Option<Name>,
        given: bool,
        /// The version of the words that were agreed to.
        wording: Arc<str>,
    },
    /// `wayfare.listed`: on a list of those who are not to be written to, or off it.
    Listed {
        list: Arc<str>,
        channel: Option<Name>,
        purpose: Option<Name>,
        on: bool,
        until: Option<Timestamp>,
    },
    /// `wayfare.inbound`: the subject wrote to us, and not in answer to a message that is known.
    Inbound {
        channel: Name,
        text: Arc<str>,
    },
    /// `wayfare.erased`: nothing that tells of the subject may be kept.
    Erased,
}

/// What is said of an open task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskOrder {
    /// This one takes it on, unless somebody else has.
    Claim { by: Arc<str> },
    /// This one does it instead; who had taken it on has not any more.
    Reassign { to: Arc<str> },
}

impl EventKind {
    /// Whether it is told of the past only.
    #[must_use]
    pub fn is_import(&self) -> bool {
        matches!(self, Self::Imported(_) | Self::ImportedAttributes)
    }
}

/// Identity of a message and idempotency key at the provider. No version in it: a new version never re-sends.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MessageKey {
    #[serde(deserialize_with = "shared::text")]
    pub journey: Arc<str>,
    /// Root id, and the child's entity and id where the subject is a child.
    #[serde(deserialize_with = "shared::text")]
    pub root: Arc<str>,
    pub child: Option<(Arc<str>, Arc<str>)>,
    #[serde(deserialize_with = "shared::text")]
    pub entry: Arc<str>,
    #[serde(deserialize_with = "shared::text")]
    pub step: Arc<str>,
}

impl fmt::Display for MessageKey {
    /// `journey/root[/entity:child]/entry/step`, each part percent-encoded where it holds `/`, `:`, `%` or a
    /// control character. [`MessageKey::parse`] is its inverse.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Escaped(&self.journey), Escaped(&self.root))?;
        if let Some((entity, id)) = &self.child {
            write!(f, "/{}:{}", Escaped(entity), Escaped(id))?;
        }
        write!(f, "/{}/{}", Escaped(&self.entry), Escaped(&self.step))
    }
}

impl MessageKey {
    /// The key that prints as `text`; `None` if there is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let (journey, root, child, entry, step) = match parts.as_slice() {
            [journey, root, entry, step] => (journey, root, None, entry, step),
            [journey, root, child, entry, step] => {
                let (entity, id) = child.split_once(':')?;
                (journey, root, Some((unescape(entity)?, unescape(id)?)), entry, step)
            }
            _ => return None,
        };
        Some(Self {
            journey: unescape(journey)?,
            root: unescape(root)?,
            child,
            entry: unescape(entry)?,
            step: unescape(step)?,
        })
    }
}

/// A part of a key as it is printed there.
#[must_use]
pub fn escaped(part: &str) -> String {
    Escaped(part).to_string()
}

struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if c.is_control() || matches!(c, '/' | ':' | '%') {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    write!(f, "%{byte:02X}")?;
                }
            } else {
                write!(f, "{c}")?;
            }
        }
        Ok(())
    }
}

fn unescape(text: &str) -> Option<Arc<str>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().map(Into::into)
}
