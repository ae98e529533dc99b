//! The provider: takes every message at once, unless there is an outage.

use super::{Later, Stage};
use crate::program::Outcome;
use crate::step::{Delivery, Input};
use crate::testing::record::What;

impl Stage<'_> {
    /// Hands a message to the provider. During an outage nothing is taken; the dispatcher tries again when it is over,
    /// as the daemon does, and the gate looks again.
    pub(super) fn deliver(&mut self, row: usize, delivery: Delivery) {
        let message = delivery.message.clone();
        if let Some(&until) = self.outages.get(&delivery.channel).filter(|until| **until > self.now) {
            let key = (until, self.next_serial());
            self.later.insert(key, Later::Retry { row, message });
            return;
        }
        self.note(row, std::iter::once(What::Delivered(Box::new(delivery))));
        let answer = Input::Answer { message, outcome: Outcome::Sent, detail: "accepted".into() };
        self.input(row, &answer);
    }
}
