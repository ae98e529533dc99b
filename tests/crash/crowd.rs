//! Customers of six characters: who they are, and what they do about the messages they get.

use std::ops::Range;

use serde_json::{Value, json};
use wayfare::demo::persona::Persona;

use crate::support::client::event;
use crate::support::receiver::Arrival;

/// Twenty thousand where the suite runs as CI runs it; a build that is not optimised is too slow for so many on this
/// clock, and gets a tenth.
pub(crate) const CUSTOMERS: usize = if cfg!(debug_assertions) { 2_000 } else { 20_000 };

/// Something a customer will do at an instant, in milliseconds of real time.
pub(crate) struct Plan {
    pub(crate) at_ms: i64,
    pub(crate) event: Value,
}

pub(crate) fn id(number: usize) -> String {
    format!("C{number:05}")
}

pub(crate) fn number(id: &str) -> usize {
    id.trim_start_matches('C').parse().unwrap()
}

/// Every tenth wants to hear nothing, every tenth only texts, every tenth no texts; in every character alike.
pub(crate) fn consent(number: usize) -> &'static [&'static str] {
    match number / 6 % 10 {
        0 => &[],
        1 => &["sms"],
        2 => &["push", "wechat"],
        _ => &["push", "sms", "wechat"],
    }
}

/// Everybody is pre-approved.
pub(crate) fn attributes(numbers: Range<usize>) -> Vec<Value> {
    let attributes = |number| {
        let data = json!({ "name": "王芳", "consent": consent(number), "loan_limit": "50000.00 CNY" });
        event(&format!("customer:{}", id(number)), "wayfare.attributes", &id(number), &data)
    };
    numbers.map(attributes).collect()
}

/// What its customer does about a message, on a clock that is `speed` times faster than ours.
pub(crate) fn plan(arrival: &Arrival, speed: u32) -> Option<Plan> {
    let body: Value = serde_json::from_str(&arrival.body).unwrap();
    let text = |name: &str| body[name].as_str().unwrap();
    let key = text("message");
    let parts: Vec<&str> = key.split('/').collect();
    let (journey, customer, step) = (parts[0], parts[1], parts[3]);
    let (after_s, event) = if journey == "login_activation" {
        login(customer, text("channel"))?
    } else {
        let persona = Persona::of(number(customer));
        let reaction = persona.reaction(customer, text("channel"), step, key)?;
        (reaction.after_s, reaction.event)
    };
    Some(Plan { at_ms: arrival.at_ms + after_s * 1000 / i64::from(speed), event })
}

/// Half of those who can be reminded wait for it.
fn login(customer: &str, channel: &str) -> Option<(i64, Value)> {
    let number = number(customer);
    let waits = number.is_multiple_of(2) && consent(number).contains(&"sms");
    let event = event(&format!("login:{customer}"), "login", customer, &json!({}));
    (channel == "sms" || !waits).then_some((3_600, event))
}
