//! `console`: one line per message, for people who watch.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use super::{Channel, SendResult};
use crate::step::Delivery;

/// Where lines go: whoever owns the terminal.
pub type Print = Arc<dyn Fn(&str) + Send + Sync>;

#[derive(Clone)]
pub struct Console {
    print: Print,
}

impl Console {
    #[must_use]
    pub fn new(print: Print) -> Self {
        Self { print }
    }
}

impl Channel for Console {
    fn send<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, SendResult> {
        (self.print)(&line(delivery));
        ready(SendResult::Accepted { detail: "printed".into() }).boxed()
    }

    /// Printing again does no harm.
    fn idempotent(&self) -> bool {
        true
    }
}

/// `push → C-17  年终好礼 | 点击查看  (offer.push)`
fn line(delivery: &Delivery) -> String {
    let parts: Vec<String> = delivery.parts.iter().map(|(_, text)| one_line(text)).collect();
    let (channel, address, step) = (delivery.channel, one_line(&delivery.address), &delivery.message.step);
    format!("{channel} → {address}  {}  ({})", parts.join(" | "), one_line(step))
}

/// Text from data must not move the cursor or colour the terminal.
fn one_line(text: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(visible).collect::<String>().trim().to_owned()
}
