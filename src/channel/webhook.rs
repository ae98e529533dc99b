//! `webhook`: POSTs each message as JSON to a URL, signed as Standard Webhooks 1.0 says.
//!
//! Headers: `webhook-id` and `Idempotency-Key` (the same at every attempt), `webhook-timestamp`, `webhook-signature`.
//! Answers: 2xx took it; 408, 425, 429 and 5xx may be tried again (`Retry-After` counts); any other answer, a redirect
//! included, is a refusal. No answer after the request was written is ambiguous, and the same provider is asked again
//! under the same key. Proxies of the environment are not used: the address that is checked is the one connected to.

mod address;
mod sign;

use std::sync::{Arc, Once};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url, redirect};

use super::payload::Payload;
use super::{Channel, SendResult};
use crate::config;
use crate::step::Delivery;

pub use sign::{Signer, id};

/// Longest time a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// What is read of an answer, so that its connection can be used again.
const DRAINED: usize = 64 * 1024;
/// Longest wait that a provider can ask for.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Reads the wall clock, which receivers compare the timestamp with.
pub type Wall = fn() -> Timestamp;

#[derive(Debug)]
pub struct Webhook {
    client: Client,
    url: Url,
    signer: Option<Signer>,
    wall: Wall,
}

impl Webhook {
    /// # Errors
    /// A reason for people: a URL or secret that cannot be used.
    pub fn new(settings: &config::Webhook, wall: Wall) -> Result<Self, String> {
        let url = Url::parse(&settings.url).map_err(|error| format!("the URL cannot be used: {error}"))?;
        if !settings.allow_private && address::is_literal_private(&url) {
            return Err("the URL leads to a private address, and `allow_private` is not set".to_owned());
        }
        let signer = settings.secret.as_ref().map(|secret| Signer::new(secret.expose())).transpose()?;
        let client = client(settings).map_err(|error| format!("no connection can be set up: {error}"))?;
        Ok(Self { client, url, signer, wall })
    }

    async fn post(&self, delivery: &Delivery) -> SendResult {
        let id = id(&delivery.message);
        let body = Payload(delivery).to_json();
        let timestamp = (self.wall)().as_second();
        let mut request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        request = request
            .header("webhook-id", &id)
            .header("webhook-timestamp", timestamp)
            .header("Idempotency-Key", &id);
        if let Some(signer) = &self.signer {
            request = request.header("webhook-signature", signer.sign(&id, timestamp, &body));
        }
        match request.body(body).send().await {
            Ok(response) => answer(response).await,
            Err(error) => failure(&error),
        }
    }
}

impl Channel for Webhook {
    fn send<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, SendResult> {
        self.post(delivery).boxed()
    }

    /// The contract of the receiver: a repeated `webhook-id` is one message.
    fn idempotent(&self) -> bool {
        true
    }
}

/// Chooses the cryptography of TLS, once per process. Everything that makes a client calls it first.
pub fn install_tls() {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Somebody else's choice of provider is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn client(settings: &config::Webhook) -> reqwest::Result<Client> {
    install_tls();
    Client::builder()
        .dns_resolver(Arc::new(address::Guard { allow_private: settings.allow_private }))
        .no_proxy()
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT.min(settings.timeout))
        .timeout(settings.timeout)
        .user_agent(concat!("wayfare/", env!("CARGO_PKG_VERSION")))
        .build()
}

async fn answer(mut response: Response) -> SendResult {
    let status = response.status();
    let after = retry_after(response.headers());
    drain(&mut response).await;
    let detail = format!("HTTP {}", status.as_u16()).into();
    match status {
        _ if status.is_success() => SendResult::Accepted { detail },
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            SendResult::Retry { after, detail }
        }
        _ if status.is_server_error() => SendResult::Retry { after, detail },
        _ => SendResult::Rejected { detail },
    }
}

/// The status has decided already; an answer that breaks off or never ends changes nothing.
async fn drain(response: &mut Response) {
    let mut read = 0;
    while read < DRAINED {
        match response.chunk().await {
            Ok(Some(chunk)) => read += chunk.len(),
            Ok(None) | Err(_) => return,
        }
    }
}

/// Seconds only: a date would need a clock that agrees with the provider's.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

fn failure(error: &reqwest::Error) -> SendResult {
    if address::is_forbidden(error) {
        return SendResult::Rejected { detail: "the name leads to a private address".into() };
    }
    if error.is_connect() {
        let detail = if error.is_timeout() { "no connection in time" } else { "no connection" };
        return SendResult::Retry { after: None, detail: detail.into() };
    }
    if error.is_builder() {
        return SendResult::Rejected { detail: "the request cannot be built".into() };
    }
    let detail = if error.is_timeout() { "no answer in time" } else { "the connection broke" };
    SendResult::Ambiguous { detail: detail.into() }
}
