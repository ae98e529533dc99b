//! `webhook`: POSTs each message as JSON to a URL, signed as Standard Webhooks 1.0 says.
//!
//! Headers: `webhook-id` and `Idempotency-Key` (the same at every attempt), `webhook-timestamp`, `webhook-signature`.
//! Answers: 2xx took it; 408, 425, 429 and 5xx may be tried again (`Retry-After` counts); any other answer, a redirect
//! included, is a refusal. No answer after the request was written is ambiguous, and the same provider is asked again
//! under the same key. Proxies of the environment are not used: the address that is checked is the one connected to.

mod sign;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::Url;

use super::payload::Payload;
use super::wire::{Peer, Request, address};
use super::{Channel, SendResult};
use crate::config;
use crate::step::Delivery;

pub use super::wire::digest::id;
pub use super::wire::{Wall, install_tls};
pub use sign::Signer;

#[derive(Debug)]
pub struct Webhook {
    peer: Peer,
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
        let peer = Peer::new(settings.timeout, settings.allow_private, None)?;
        Ok(Self { peer, url, signer, wall })
    }

    async fn post(&self, delivery: &Delivery) -> SendResult {
        let id = id(&delivery.message);
        let body = Payload(delivery).to_json();
        let timestamp = (self.wall)().as_second();
        let mut request = Request::post(self.url.to_string(), "application/json", body)
            .with("webhook-id", &*id)
            .with("webhook-timestamp", timestamp.to_string())
            .with("Idempotency-Key", &*id);
        if let Some(signer) = &self.signer {
            let signature = signer.sign(&id, timestamp, &request.body);
            request = request.with("webhook-signature", signature);
        }
        match self.peer.ask(request).await {
            Ok(reply) => match reply.by_status() {
                // The receiver drops what it had before, and there is nobody else to ask.
                SendResult::Ambiguous { detail } => SendResult::Retry { after: None, detail },
                other => other,
            },
            Err(result) => result,
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
