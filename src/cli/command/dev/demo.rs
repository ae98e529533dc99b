//! The demo's cast: synthetic customers come in through the daemon's own HTTP door, get messages, and answer them.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::channel::{Channel, SendResult};
use crate::cli::client::Client;
use crate::cli::{Failure, Output};
use crate::demo::agenda::Agenda;
use crate::demo::persona::{Persona, Reaction};
use crate::demo::population;
use crate::engine::clock::Clock;
use crate::step::Delivery;

/// Few enough to read along, enough for every kind of story.
pub(super) const CUSTOMERS: usize = 60;
/// One of each character is shown line by line.
const SHOWN: usize = 6;

/// Names of the customers that are followed on the screen.
pub(super) fn followed() -> BTreeMap<Arc<str>, String> {
    let one = |number| (population::customer_id(number).into(), population::customer_name(number));
    (0..SHOWN).map(one).collect()
}

/// A channel to the cast: shows the message of a followed customer and lets the customer think about it.
pub(super) struct Mailbox {
    pub(super) output: Output,
    pub(super) reactions: mpsc::UnboundedSender<Reaction>,
}

impl Channel for Mailbox {
    fn send<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, SendResult> {
        let customer: &str = &delivery.message.root;
        let number: Option<usize> = customer.trim_start_matches('C').parse().ok();
        let number = number.and_then(|number| number.checked_sub(1));
        if number.is_some_and(|number| number < SHOWN) {
            let parts: Vec<&str> = delivery.parts.iter().map(|(_, text)| &**text).collect();
            let _ = self.output.live(format_args!(
                "        ✉ {} → {customer}  {}",
                delivery.channel,
                parts.join(" | ")
            ));
        }
        let persona = number.map_or(Persona::Silent, Persona::of);
        let (channel, step) = (delivery.channel.as_str(), &*delivery.message.step);
        if let Some(reaction) = persona.reaction(customer, channel, step, &delivery.message.to_string()) {
            // The cast has left only when the demo ends.
            let _ = self.reactions.send(reaction);
        }
        ready(SendResult::Accepted { detail: "demo".into() }).boxed()
    }

    fn idempotent(&self) -> bool {
        true
    }
}

/// Brings the customers in, then plays what they do until the end of the program.
pub(super) async fn play(
    client: &Client,
    output: &Output,
    clock: Arc<dyn Clock>,
    mut reactions: mpsc::UnboundedReceiver<Reaction>,
) -> Result<(), Failure> {
    let start = clock.now();
    let today = start.to_zoned(jiff::tz::TimeZone::UTC).date();
    let mut lines = String::new();
    for event in population::attributes(CUSTOMERS, today) {
        lines.push_str(&event.to_string());
        lines.push('\n');
    }
    post(client, output, lines).await?;
    let mut agenda = Agenda::default();
    for reaction in population::breakpoints(CUSTOMERS, start) {
        agenda.plan(start, reaction);
    }
    loop {
        let next = agenda.next().unwrap_or(Timestamp::MAX);
        tokio::select! {
            Some(reaction) = reactions.recv() => agenda.plan(clock.now(), reaction),
            () = clock.wait_until(next) => post(client, output, agenda.take(clock.now())).await?,
        }
    }
}

async fn post(client: &Client, output: &Output, lines: String) -> Result<(), Failure> {
    if lines.is_empty() {
        return Ok(());
    }
    let answer = client.send_lines(lines, output).await?;
    for refused in answer.rejected {
        output.say(format_args!("the demo's own event was refused: {} [{}]", refused.reason, refused.code));
    }
    Ok(())
}
