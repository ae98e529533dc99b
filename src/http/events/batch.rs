//! Records to the engine, and the account of what became of each.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value as Json;

use super::super::Door;
use super::super::problem::Problem;
use crate::diagnostic::code;
use crate::engine::{Receipt, SubmitError};
use crate::intake::{Envelope, Intake, MAX_EVENT, Refusal};
use crate::step::{Event, RootKey};
use crate::store::Quarantined;

/// Refusals that an answer lists; the rest is counted.
const MOST_LISTED: usize = 1000;

/// A record of a request, read or not.
pub(in crate::http) struct Item {
    /// From 0.
    pub(super) index: u64,
    /// From 1, in NDJSON.
    pub(super) line: Option<u64>,
    /// The event's `id`, where it could be read.
    pub(super) id: Option<String>,
    pub(super) event: Result<Envelope, Refusal>,
}

/// What became of a record.
pub(in crate::http) enum Outcome {
    Accepted,
    Duplicate,
    Refused(Refusal),
}

/// The answer to a request with many records.
#[derive(Debug, Default, Serialize)]
pub(in crate::http) struct Account {
    accepted: u64,
    duplicates: u64,
    rejected: Vec<Rejected>,
    /// Refusals beyond those listed.
    #[serde(skip_serializing_if = "is_zero")]
    rejected_more: u64,
}

#[derive(Debug, Serialize)]
struct Rejected {
    index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    code: &'static str,
    reason: String,
    /// Kept for a person to look at.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    quarantined: bool,
}

/// Where a record stood in its request.
struct Place {
    index: u64,
    line: Option<u64>,
    id: Option<String>,
}

/// Records that have been judged, on their way to the engine.
pub(super) struct Judged {
    events: Vec<(RootKey, Event)>,
    places: Vec<Place>,
    refused: Vec<(Place, Refusal)>,
    set_aside: Vec<Quarantined>,
}

impl Item {
    pub(in crate::http) fn new(index: u64, line: Option<u64>, event: Json) -> Self {
        let id = event.get("id").and_then(Json::as_str).map(str::to_owned);
        let size = event_size(&event);
        let event = if size > MAX_EVENT {
            let reason = format!("an event has at most {MAX_EVENT} bytes, found {size}");
            Err(Refusal::new(code::EVENT_TOO_LARGE, reason))
        } else {
            Envelope::from_json(event)
        };
        Self { index, line, id, event }
    }
}

impl Judged {
    pub(super) fn new(door: &Door, items: Vec<Item>) -> Self {
        let (world, now) = (door.engine.world(), door.engine.now());
        let intake = Intake { world: &world, now };
        let mut judged = Self {
            events: Vec::with_capacity(items.len()),
            places: Vec::new(),
            refused: Vec::new(),
            set_aside: Vec::new(),
        };
        for Item { index, line, id, event } in items {
            let place = |id| Place { index, line, id };
            let event = match event {
                Ok(event) => event,
                Err(refusal) => {
                    judged.refused.push((place(id), refusal));
                    continue;
                }
            };
            let (id, body) = (event.id.clone(), event.time.is_some().then(|| event.clone()));
            match intake.read(event) {
                Ok(event) => {
                    judged.events.push(event);
                    judged.places.push(place(Some(id)));
                }
                Err(refusal) => {
                    if let Some(body) = body.filter(|_| refusal.is_quarantine()) {
                        let (code, reason) = (refusal.code.to_string(), refusal.reason.clone());
                        let body = body.to_json().to_string().into_bytes();
                        judged.set_aside.push(Quarantined { at: now, code, reason, body });
                    }
                    judged.refused.push((place(Some(id)), refusal));
                }
            }
        }
        judged
    }

    /// Hands the good ones over. After an error nothing has been entered into an account, and all of it may be handed
    /// over again.
    pub(super) async fn submit(&self, door: &Door) -> Result<Vec<Receipt>, Problem> {
        let receipts = door.engine.submit(self.events.clone()).await?;
        if receipts.len() != self.events.len() {
            return Err(SubmitError::Store("not every event was answered".into()).into());
        }
        if !self.set_aside.is_empty() {
            door.engine.quarantine(self.set_aside.clone()).await?;
        }
        Ok(receipts)
    }

    /// Enters what became of everything. The outcome is that of the last record.
    pub(super) fn account(self, receipts: Vec<Receipt>, account: &mut Account) -> Option<Outcome> {
        let mut last = None;
        for (place, receipt) in self.places.into_iter().zip(receipts) {
            last = Some(account.enter(place, outcome(receipt)));
        }
        for (place, refusal) in self.refused {
            last = Some(account.enter(place, Outcome::Refused(refusal)));
        }
        account.rejected.sort_by_key(|rejected| rejected.index);
        last
    }
}

/// Judges and submits. The outcome is that of the last record, for requests that have one only.
pub(in crate::http) async fn take(
    door: &Door,
    items: Vec<Item>,
    account: &mut Account,
) -> Result<Option<Outcome>, Problem> {
    let judged = Judged::new(door, items);
    let receipts = judged.submit(door).await?;
    Ok(judged.account(receipts, account))
}

fn outcome(receipt: Receipt) -> Outcome {
    match receipt {
        Receipt::Accepted | Receipt::Parked | Receipt::Imported => Outcome::Accepted,
        Receipt::Duplicate => Outcome::Duplicate,
        Receipt::Conflict => Outcome::Refused(Refusal::new(
            code::CONFLICTING_EVENT,
            "an event with this `source` and `id` was taken before, with other contents",
        )),
        Receipt::Quarantined(reason) => Outcome::Refused(Refusal::new(code::SET_ASIDE, reason)),
    }
}

impl Account {
    fn enter(&mut self, place: Place, outcome: Outcome) -> Outcome {
        match &outcome {
            Outcome::Accepted => self.accepted += 1,
            Outcome::Duplicate => self.duplicates += 1,
            Outcome::Refused(_) if self.rejected.len() >= MOST_LISTED => self.rejected_more += 1,
            Outcome::Refused(refusal) => self.rejected.push(Rejected {
                index: place.index,
                line: place.line,
                id: place.id,
                code: refusal.code.as_str(),
                reason: refusal.reason.clone(),
                quarantined: refusal.is_quarantine(),
            }),
        }
        outcome
    }

    /// As it is in an answer.
    pub(super) fn to_json(&self) -> Json {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl IntoResponse for Account {
    /// 200 where every record was kept or known before, 207 where some were refused.
    fn into_response(self) -> Response {
        let status = if self.rejected.is_empty() { StatusCode::OK } else { StatusCode::MULTI_STATUS };
        (
            status,
            [(header::CONTENT_TYPE, "application/json")],
            serde_json::to_string(&self).unwrap_or_default(),
        )
            .into_response()
    }
}

/// Bytes of an event within a batch, about as it came: what is measured is what the engine would have to keep.
fn event_size(event: &Json) -> usize {
    match event {
        Json::String(text) => text.len() + 2,
        Json::Array(items) => items.iter().map(|item| event_size(item) + 1).sum::<usize>() + 2,
        Json::Object(members) => {
            members.iter().map(|(name, value)| name.len() + event_size(value) + 4).sum::<usize>() + 2
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => 4,
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde wants")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
