//! Who may come in.
//!
//! With a token, everything but health needs it. Without one we listen on loopback only, where every program is
//! trusted but a browser is not: a page of another site could send requests here, or resolve its own name to this
//! machine. So a request must name us in `Host`, and one that a browser marks as another site's is refused.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use ring::{digest, hmac};

use super::Door;
use super::problem::Problem;
use crate::diagnostic::code;

/// Refuses requests without the token, if there is one.
pub(super) async fn bearer(
    State(door): State<Arc<Door>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if let Some(token) = &door.token
        && !sent(request.headers()).is_some_and(|sent| same(sent, token.expose()))
    {
        let detail = "this needs `Authorization: Bearer TOKEN` with the daemon's token";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, code::NO_TOKEN, detail));
    }
    Ok(next.run(request).await)
}

/// Refuses what a browser sends for another site, and names that only lead to us by somebody else's DNS.
pub(super) async fn same_site(
    State(door): State<Arc<Door>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if is_foreign(request.headers()) || (door.token.is_none() && !names_us(&door, request.headers())) {
        let detail = "requests of web pages, and under names that are not ours, are not served";
        return Err(Problem::new(StatusCode::FORBIDDEN, code::FOREIGN_ORIGIN, detail));
    }
    Ok(next.run(request).await)
}

fn sent(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Compares digests under a key that nobody knows, so that the time it takes says nothing.
fn same(sent: &str, token: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    let expected = hmac::sign(&key, token.as_bytes());
    hmac::verify(&key, sent.as_bytes(), expected.as_ref()).is_ok()
}

fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let origin = text("origin").is_some_and(|origin| {
        let host = text("host").unwrap_or("");
        origin.split_once("://").is_none_or(|(_, authority)| !authority.eq_ignore_ascii_case(host))
    });
    site || origin
}

fn names_us(door: &Door, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let Some(authority) = host.to_str().ok().and_then(|text| text.parse::<Authority>().ok()) else {
        return false;
    };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    let address = name.parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|address| address.is_loopback() || address == door.address.ip())
}
