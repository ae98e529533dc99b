//! The ways out: one trait, one registry, one file per kind of channel.
//!
//! A channel hands a rendered [`Delivery`] to its provider and says what came of it. It keeps no queue, does not
//! retry and holds no rate: those are the engine's, which calls `send` at least once per message and always with the
//! same key ([`Delivery::message`]), the provider's idempotency key.
//!
//! Reading order: [`Channel`], `wire` (what everybody behind HTTP has in common), [`webhook`], `smtp`, `preset` (formats of
//! providers) with `provider` (asking them), `ordered` (several of them, one after the other), `open` (from settings).

pub mod callback;
pub mod console;
pub mod file;
mod open;
mod ordered;
mod payload;
mod preset;
mod provider;
pub mod record;
mod smtp;
pub mod track;
pub mod webhook;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::name::Name;
use crate::program::Rate;
use crate::step::Delivery;

pub use console::Console;
pub use file::File;
pub use open::Means;
pub use record::Record;
pub use webhook::Webhook;

/// What the provider said to one attempt. `detail` is for people (`why` shows it) and holds no personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendResult {
    /// The provider took responsibility for the message.
    Accepted { detail: Arc<str> },
    /// Not taken, but may be taken later. `after`: not before so long, where the provider said so.
    Retry { after: Option<Duration>, detail: Arc<str> },
    /// Not taken and never will be.
    Rejected { detail: Arc<str> },
    /// Nobody knows: the connection broke or timed out after the message was written.
    Ambiguous { detail: Arc<str> },
    /// Not tried: nobody who could take it is in order. No attempt.
    Closed { after: Duration, detail: Arc<str> },
}

/// What came of one attempt, and whom it was made at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub result: SendResult,
    /// `None`: the channel has only one provider.
    pub provider: Option<Arc<str>>,
    /// Whether that one drops a second message with the same key; `None`: as the channel says.
    pub idempotent: Option<bool>,
}

impl From<SendResult> for Attempt {
    fn from(result: SendResult) -> Self {
        Self { result, provider: None, idempotent: None }
    }
}

impl SendResult {
    fn map_detail(self, map: impl FnOnce(Arc<str>) -> Arc<str>) -> Self {
        match self {
            Self::Accepted { detail } => Self::Accepted { detail: map(detail) },
            Self::Retry { after, detail } => Self::Retry { after, detail: map(detail) },
            Self::Rejected { detail } => Self::Rejected { detail: map(detail) },
            Self::Ambiguous { detail } => Self::Ambiguous { detail: map(detail) },
            Self::Closed { after, detail } => Self::Closed { after, detail: map(detail) },
        }
    }
}

/// A way out. Object-safe: a registry holds channels of many kinds.
pub trait Channel: Send + Sync {
    /// Hands `delivery` over once. Never panics on data; whatever goes wrong is a [`SendResult`].
    fn send<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, SendResult>;

    /// The same for a message that may have reached the provider `earlier` ([`Attempt::provider`]): nobody else is asked.
    fn send_again<'a>(&'a self, delivery: &'a Delivery, _earlier: Option<&'a str>) -> BoxFuture<'a, Attempt> {
        self.send(delivery).map(Attempt::from).boxed()
    }

    /// Attempts before a message counts as failed, the first included.
    fn max_attempts(&self) -> u32 {
        8
    }

    /// How many sends may be under way at once.
    fn concurrency(&self) -> usize {
        64
    }

    /// Whether the provider drops a second message with the same key. If not, an ambiguous message that cannot be
    /// cleared up counts as sent, so that no other channel repeats it.
    fn idempotent(&self) -> bool {
        false
    }

    /// Whether a message that may have arrived is sent again to a provider that would not notice.
    fn repeats(&self) -> bool {
        true
    }

    /// What its providers can take, however fast the journeys are.
    fn rate(&self) -> Option<Rate> {
        None
    }

    /// Whether there is no provider at all: the send is complete once the step that decided it is committed, and
    /// [`Channel::send`] is not called.
    fn is_record(&self) -> bool {
        false
    }
}

/// The channels of a deployment by the name that journeys use.
#[derive(Clone, Default)]
pub struct Channels(BTreeMap<Name, Arc<dyn Channel>>);

impl Channels {
    #[must_use]
    pub fn with(mut self, name: Name, channel: Arc<dyn Channel>) -> Self {
        self.insert(name, channel);
        self
    }

    pub fn insert(&mut self, name: Name, channel: Arc<dyn Channel>) {
        self.0.insert(name, channel);
    }

    #[must_use]
    pub fn get(&self, name: Name) -> Option<&Arc<dyn Channel>> {
        self.0.get(&name)
    }

    /// In alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = Name> + '_ {
        self.0.keys().copied()
    }
}
