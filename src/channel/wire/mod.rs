//! What every provider behind HTTP has in common: how it is connected to, how much of its answer is read, and what the
//! ways in which a connection fails mean.
//!
//! No redirect is followed, no proxy of the environment is used, and addresses are checked where the connection is made
//! (`address`), so that nothing in an answer leads anywhere. Certificates that are expired, or that nobody vouches for,
//! are no connection.

pub(super) mod address;
pub(super) mod digest;
pub(super) mod encode;

use std::sync::{Arc, Once};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Certificate, Client, Method, Response, StatusCode, Url, redirect};

use super::SendResult;

/// Longest time a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// What is read of an answer: its meaning, and so that its connection can be used again.
const MOST_READ: usize = 64 * 1024;
/// Longest wait that a provider can ask for.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Reads the wall clock, which receivers compare timestamps with.
pub type Wall = fn() -> Timestamp;

/// A request as data, so that what is signed is what is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// A status, and as much of the body as anybody needs.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    after: Option<Duration>,
    body: Vec<u8>,
    /// Whether `body` is all that was sent.
    whole: bool,
}

/// A way to one provider.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    client: Client,
    allow_private: bool,
}

impl Request {
    pub(super) fn post(url: String, content_type: &str, body: String) -> Self {
        Self {
            method: "POST",
            url,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body,
        }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

impl Peer {
    /// `ca`: certificates in PEM that may vouch for the provider, besides the machine's own.
    ///
    /// # Errors
    /// A reason for people.
    pub(super) fn new(timeout: Duration, allow_private: bool, ca: Option<&str>) -> Result<Self, String> {
        install_tls();
        let mut builder = Client::builder()
            .dns_resolver(Arc::new(address::Guard { allow_private }))
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT.min(timeout))
            .timeout(timeout)
            .user_agent(concat!("wayfare/", env!("CARGO_PKG_VERSION")));
        if let Some(ca) = ca {
            let list = Certificate::from_pem_bundle(ca.as_bytes());
            let list = list.map_err(|error| format!("`ca_file` cannot be used: {error}"))?;
            builder = builder.tls_certs_merge(list);
        }
        let client = builder.build().map_err(|error| format!("no connection can be set up: {error}"))?;
        Ok(Self { client, allow_private })
    }

    /// Asks once.
    ///
    /// # Errors
    /// What it means for a message that there is no answer.
    pub(super) async fn ask(&self, request: Request) -> Result<Reply, SendResult> {
        let rejected = |detail: &str| SendResult::Rejected { detail: detail.into() };
        let url = Url::parse(&request.url).map_err(|_| rejected("the URL cannot be used"))?;
        if !self.allow_private && address::is_literal_private(&url) {
            return Err(rejected("the URL leads to a private address"));
        }
        let method = Method::from_bytes(request.method.as_bytes()).unwrap_or(Method::POST);
        let mut asked = self.client.request(method, url);
        for (name, value) in &request.headers {
            asked = asked.header(name, value);
        }
        match asked.body(request.body).send().await {
            Ok(response) => Ok(Reply::read(response).await),
            Err(error) => Err(failure(&error)),
        }
    }
}

impl Reply {
    async fn read(mut response: Response) -> Self {
        let (status, after) = (response.status(), retry_after(response.headers()));
        let (mut body, mut whole) = (Vec::new(), false);
        while body.len() < MOST_READ {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => {
                    whole = true;
                    break;
                }
                // The status stands, whatever becomes of the rest.
                Err(_) => break,
            }
        }
        Self { status, after, body, whole }
    }

    #[cfg(test)]
    pub(super) fn of(status: u16, body: &str) -> Self {
        let status = StatusCode::from_u16(status).unwrap();
        Self { status, after: None, body: body.into(), whole: true }
    }

    /// The body, where it is JSON.
    pub(super) fn json(&self) -> Option<serde_json::Value> {
        if self.whole { serde_json::from_slice(&self.body).ok() } else { None }
    }

    /// What the status alone says. A server that failed in the middle, or a gateway that says so of somebody behind it, may
    /// have taken the message.
    pub(super) fn by_status(&self) -> SendResult {
        let (status, after) = (self.status, self.after);
        let detail = format!("HTTP {}", status.as_u16()).into();
        match status {
            _ if status.is_success() => SendResult::Accepted { detail },
            StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_EARLY
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE => SendResult::Retry { after, detail },
            _ if status.is_server_error() => SendResult::Ambiguous { detail },
            _ => SendResult::Rejected { detail },
        }
    }

    /// Not now: `what` is the provider's own code.
    pub(super) fn later(&self, what: &str) -> SendResult {
        SendResult::Retry { after: self.after, detail: self.said(what) }
    }

    pub(super) fn never(&self, what: &str) -> SendResult {
        SendResult::Rejected { detail: self.said(what) }
    }

    /// Taken, as the provider's `id`.
    pub(super) fn taken(&self, id: &str) -> SendResult {
        SendResult::Accepted { detail: self.said(id) }
    }

    /// A success that says nothing we understand: what became of the message nobody knows.
    pub(super) fn unclear(&self) -> SendResult {
        match self.by_status() {
            SendResult::Accepted { .. } => {
                SendResult::Ambiguous { detail: self.said("the answer cannot be read") }
            }
            other => other,
        }
    }

    /// Codes and ids are a provider's words: short, and without anything that could move a cursor.
    fn said(&self, what: &str) -> Arc<str> {
        let clean: String = what.chars().filter(|c| !c.is_control()).take(100).collect();
        format!("HTTP {}: {clean}", self.status.as_u16()).into()
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
