//! Synthetic customers for `wayfare dev --demo`: who they are, what they do, how they answer.
//!
//! Fits the project in `journeys/`. Everything comes in through the same HTTP door as a bank's own systems, as
//! CloudEvents; nothing here reaches into the runtime. Deterministic in its seed: no clock and no other chance.

pub mod agenda;
pub mod persona;
pub mod population;

use serde_json::{Value, json};

/// A `CloudEvent` in structured mode. `subject` is the key of the customer or, with `parent`, of its child.
#[must_use]
pub fn cloud_event(source: &str, id: &str, kind: &str, subject: &str, data: &Value) -> Value {
    json!({
        "specversion": "1.0",
        "source": source,
        "id": id,
        "type": kind,
        "subject": subject,
        "datacontenttype": "application/json",
        "data": data,
    })
}
