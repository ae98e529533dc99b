//! What is outside of the engine besides the store: the clock and the providers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, oneshot};
use wayfare::channel::{Channel, SendResult};
use wayfare::engine::clock::Clock;
use wayfare::step::{Delivery, MessageKey};

use super::faults::Ground;
use super::flaws::Flaw;

/// Goes where it is told to, backwards as well.
pub(crate) struct SimClock {
    now: Mutex<Timestamp>,
    moved: Notify,
}

impl SimClock {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { now: Mutex::new(now), moved: Notify::new() }
    }

    pub(crate) fn set(&self, at: Timestamp) {
        *self.now.lock().unwrap() = at;
        self.moved.notify_waiters();
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        self.set(self.now() + by);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn wait_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        async move {
            loop {
                let moved = self.moved.notified();
                tokio::pin!(moved);
                moved.as_mut().enable();
                if self.now() >= at {
                    return;
                }
                moved.await;
            }
        }
        .boxed()
    }
}

/// A send that has reached the provider and is not answered.
pub(crate) struct Open {
    pub key: MessageKey,
    pub channel: &'static str,
    answer: oneshot::Sender<SendResult>,
}

impl Open {
    /// Whether anybody heard the answer: a daemon that died, or waited for too long, does not.
    pub(crate) fn answer(self, result: SendResult) -> bool {
        self.answer.send(result).is_ok()
    }
}

/// All providers together: what they took, and what is open.
#[derive(Default)]
pub(crate) struct Providers {
    pub open: Vec<Open>,
    /// Messages that a provider took, with the number of times it did.
    pub taken: BTreeMap<MessageKey, u32>,
}

/// One channel, as one daemon sees it.
pub(crate) struct SimChannel {
    pub name: &'static str,
    /// Which start of the daemon this is.
    pub life: u32,
    pub providers: Arc<Mutex<Providers>>,
    pub ground: Arc<Ground>,
    pub clock: Arc<SimClock>,
}

/// Whether the provider of a channel knows a message again.
pub(crate) fn is_idempotent(channel: &str) -> bool {
    channel != "sms"
}

/// Tells the model what the daemon heard; a send that is given up heard nothing.
struct Heard<'a> {
    channel: &'a SimChannel,
    key: &'a MessageKey,
    tenure: u64,
    result: SendResult,
}

impl Drop for Heard<'_> {
    fn drop(&mut self) {
        self.channel.ground.model().answered(self.tenure, self.key, &self.result);
    }
}

fn gone() -> SendResult {
    SendResult::Ambiguous { detail: "the connection broke".into() }
}

impl Channel for SimChannel {
    fn send<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, SendResult> {
        async move {
            if self.ground.flaw == Some(Flaw::DeliversTwice) {
                self.ground.model().attempted(self.life, delivery, self.clock.now());
            }
            let tenure = self.ground.model().attempted(self.life, delivery, self.clock.now());
            let (answer, answered) = oneshot::channel();
            let key = delivery.message.clone();
            self.providers.lock().unwrap().open.push(Open { key, channel: self.name, answer });
            let mut heard = Heard { channel: self, key: &delivery.message, tenure, result: gone() };
            heard.result = answered.await.unwrap_or_else(|_| gone());
            heard.result.clone()
        }
        .boxed()
    }

    fn max_attempts(&self) -> u32 {
        if self.name == "sms" { 3 } else { 8 }
    }

    fn concurrency(&self) -> usize {
        4
    }

    fn idempotent(&self) -> bool {
        is_idempotent(self.name)
    }

    fn is_record(&self) -> bool {
        self.name == "in_app"
    }
}
