//! Where tracked links lead: on to what the journey wrote, and the message counts as clicked; a picture of one transparent
//! point, and it counts as opened. Whoever clicks is a customer: no token, from any page, and never an error because we are
//! busy.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Door;
use super::events::report;
use super::problem::Problem;
use crate::channel::track::Followed;

/// A GIF of one transparent point.
const POINT: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

pub(super) async fn link(
    State(door): State<Arc<Door>>,
    method: Method,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let read = door.tracks.as_ref().and_then(|tracks| tracks.read(&token));
    lead_on(&door, &method, &token, read).await
}

/// The same for a name that the store keeps.
pub(super) async fn short(
    State(door): State<Arc<Door>>,
    method: Method,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let Some(tracks) = &door.tracks else { return Err(Problem::nothing_here()) };
    let read = door.engine.link(&name).await?.and_then(|body| tracks.opened(body));
    lead_on(&door, &method, &name, read).await
}

async fn lead_on(
    door: &Door,
    method: &Method,
    token: &str,
    read: Option<Followed>,
) -> Result<Response, Problem> {
    let Some(Followed::Link { message, to }) = read else { return Err(Problem::nothing_here()) };
    let location = HeaderValue::from_str(&to).map_err(|_| Problem::nothing_here())?;
    // Scanners ask for the head alone.
    if *method == Method::GET {
        tell(door, "wayfare.clicked", token, &message).await;
    }
    Ok((
        StatusCode::FOUND,
        [(header::LOCATION, location), (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"))],
    )
        .into_response())
}

pub(super) async fn picture(
    State(door): State<Arc<Door>>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let read = door.tracks.as_ref().and_then(|tracks| tracks.read(&token));
    let Some(Followed::Opened { message }) = read else { return Err(Problem::nothing_here()) };
    tell(&door, "wayfare.opened", &token, &message).await;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("image/gif"))], POINT).into_response())
}

/// One event for a token, however often it is followed.
async fn tell(door: &Door, kind: &str, token: &str, message: &str) {
    let event = json!({
        "specversion": "1.0",
        "source": "urn:wayfare:links",
        // The beginning of a token is a digest of all that it says, and so is a short name.
        "id": token.chars().take(64).collect::<String>(),
        "type": kind,
        "data": {"message": message},
    });
    if let Err(problem) = report(door, vec![event]).await {
        tracing::warn!(?problem, "it is not noted that a message was {kind}");
    }
}
