//! Pictures that contents name, by the hash of what is in them: whoever has the address has been shown it, and it never means
//! anything else. Customers fetch them, as they follow links: no token, from any page.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Door;
use super::problem::Problem;
use crate::diagnostic::code;

const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Digits of a SHA-256.
const DIGITS: usize = 64;

/// Where the picture with this hash is, seen from the daemon.
pub(super) fn address(hash: &str) -> String {
    format!("/v1/assets/{hash}")
}

pub(super) async fn one(
    State(door): State<Arc<Door>>,
    Path(hash): Path<String>,
) -> Result<Response, Problem> {
    let is_hash = hash.len() == DIGITS && hash.bytes().all(|sign| matches!(sign, b'0'..=b'9' | b'a'..=b'f'));
    let found = if is_hash { door.engine.picture(&hash).await? } else { None };
    let nothing = "no picture with this hash was deployed";
    let picture = found.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, code::NO_SUCH_THING, nothing))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(picture.kind().media_type())),
        (header::CACHE_CONTROL, HeaderValue::from_static(FOR_EVER)),
    ];
    Ok((headers, Bytes::copy_from_slice(picture.bytes())).into_response())
}
