//! `POST /v1/events`: CloudEvents 1.0 over HTTP, in every content mode, answered once durable.
//!
//! `mode` finds out what a request holds, `stream` reads NDJSON in bounded memory, `batch` submits records and keeps
//! the account that is the answer.

mod batch;
mod mode;
pub(super) mod receipts;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde_json::Value as Json;

use super::Door;
use super::problem::Problem;
use crate::diagnostic::code;
use crate::intake::{Envelope, MAX_EVENT, Refusal};
use batch::Outcome;
pub(super) use batch::{Account, Item, take};
use mode::Mode;

/// How long a body that is read as a whole may take to arrive.
const WHOLE_BODY: Duration = Duration::from_secs(30);
/// Bytes beyond what is taken that are still read, so that the sender gets its answer.
const MOST_DROPPED: usize = 64 << 20;

pub(super) async fn receive(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    match Mode::of(&parts.headers)? {
        Mode::Lines => stream::receive(&door, body).await,
        Mode::Batch => many(&door, &whole(&door, &parts.headers, body).await?).await,
        Mode::Structured => {
            let body = whole(&door, &parts.headers, body).await?;
            one(&door, fits(&body).and_then(|()| Envelope::from_slice(&body))).await
        }
        Mode::Binary => {
            let body = whole(&door, &parts.headers, body).await?;
            one(&door, fits(&body).and_then(|()| mode::binary(&parts.headers, &body))).await
        }
    }
}

/// One record: the answer's status says what became of it.
async fn one(door: &Door, event: Result<Envelope, Refusal>) -> Result<Response, Problem> {
    let mut account = Account::default();
    let item = Item { index: 0, line: None, id: None, event };
    match take(door, vec![item], &mut account).await? {
        Some(Outcome::Refused(refusal)) => Err(refusal.into()),
        Some(Outcome::Duplicate) => Ok((StatusCode::OK, account).into_response()),
        Some(Outcome::Accepted) | None => Ok((StatusCode::ACCEPTED, account).into_response()),
    }
}

/// Events of our own making. What is refused is told to nobody who could mend it: a message that is forgotten, for instance.
pub(super) async fn report(door: &Door, events: Vec<Json>) -> Result<(), Problem> {
    let items = (0..).zip(events).map(|(index, event)| Item::new(index, None, event)).collect();
    take(door, items, &mut Account::default()).await.map(|_| ())
}

async fn many(door: &Door, body: &[u8]) -> Result<Response, Problem> {
    let events: Vec<Json> = serde_json::from_slice(body)
        .map_err(|error| Problem::bad_request(format!("a batch is a JSON array of events: {error}")))?;
    let items = events.into_iter().zip(0..).map(|(event, index)| Item::new(index, None, event)).collect();
    let mut account = Account::default();
    take(door, items, &mut account).await?;
    Ok(account.into_response())
}

fn fits(body: &[u8]) -> Result<(), Refusal> {
    if body.len() <= MAX_EVENT {
        return Ok(());
    }
    let reason = format!("an event has at most {MAX_EVENT} bytes, found {}", body.len());
    Err(Refusal::new(code::EVENT_TOO_LARGE, reason))
}

/// The whole body, if it is not too large and comes in time.
async fn whole(door: &Door, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let asks = headers.contains_key(header::EXPECT);
    if asks && announced.is_some_and(|length: usize| length > door.max_body) {
        return Err(Problem::too_large(door.max_body));
    }
    let _place = door.uploads.try_acquire().map_err(|_| Problem::busy())?;
    match tokio::time::timeout(WHOLE_BODY, collect(body, door.max_body)).await {
        Ok(collected) => collected,
        Err(_) => {
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, code::TOO_SLOW, "the body did not arrive in time"))
        }
    }
}

/// Reads to the end. What is too large is dropped as it comes: a sender that is still writing when its connection
/// is closed never sees why.
async fn collect(body: Body, most: usize) -> Result<Vec<u8>, Problem> {
    let mut pieces = body.into_data_stream();
    let (mut bytes, mut size) = (Vec::new(), 0_usize);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Problem::bad_request("the body ended before it was complete"))?;
        size = size.saturating_add(piece.len());
        if size <= most {
            bytes.extend_from_slice(&piece);
        } else if size <= most.saturating_add(MOST_DROPPED) {
            bytes = Vec::new();
        } else {
            break;
        }
    }
    if size <= most { Ok(bytes) } else { Err(Problem::too_large(most)) }
}
