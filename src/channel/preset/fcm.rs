//! Firebase Cloud Messaging, HTTP v1: JSON under a token that a service account asks for with a signed JWT.
//!
//! It knows no idempotency key, but a second notification of the same message takes the place of the first on the
//! device (`tag`, `apns-collapse-id`).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Moment, Preset, Token, Verdict, body, field, part};
use crate::channel::wire::digest::id;
use crate::channel::wire::encode::{form, percent};
use crate::channel::wire::{Reply, Request};
use crate::config::provider;
use crate::step::Delivery;

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Whom an assertion is for, wherever it is sent.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
const HOUR: i64 = 3_600;

/// What we need of a service account's key file.
#[derive(Deserialize)]
struct Account {
    project_id: String,
    private_key_id: String,
    private_key: String,
    client_email: String,
    token_uri: String,
}

pub(super) struct Fcm {
    url: String,
    account: Account,
    key: RsaKeyPair,
}

impl Fcm {
    pub(super) fn new(settings: &provider::Fcm) -> Result<Self, String> {
        let account: Account = serde_json::from_str(settings.account.expose())
            // What serde says may quote the file.
            .map_err(|_| "the service account's key file is not the JSON that Google gives".to_owned())?;
        let key = key(&account.private_key)?;
        Ok(Self { url: settings.url.clone(), account, key })
    }

    /// Header, claims and signature (RFC 7515).
    fn assertion(&self, now: Timestamp) -> Result<String, String> {
        let header = json!({"typ": "JWT", "alg": "RS256", "kid": self.account.private_key_id});
        let claims = json!({
            "iat": now.as_second(),
            "exp": now.as_second() + HOUR,
            "iss": self.account.client_email,
            "aud": AUDIENCE,
            "scope": SCOPE,
        });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", encode(&header), encode(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| "the service account's key does not sign".to_owned())?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl Preset for Fcm {
    fn request(&self, delivery: &Delivery, moment: &Moment) -> Result<Request, String> {
        let id = id(&delivery.message);
        let mut notification = json!({"body": body(delivery)?});
        for (part_name, field) in [("title", "title"), ("image", "image")] {
            if let (Some(text), Some(fields)) = (part(delivery, part_name), notification.as_object_mut()) {
                fields.insert(field.to_owned(), text.into());
            }
        }
        let mut data = json!({"message": id});
        if let (Some(link), Some(fields)) = (part(delivery, "link"), data.as_object_mut()) {
            fields.insert("link".to_owned(), link.into());
        }
        let message = json!({"message": {
            "token": &*delivery.address,
            "notification": notification,
            "data": data,
            "android": {"notification": {"tag": id}},
            "apns": {"headers": {"apns-collapse-id": id}},
        }});
        let url = format!("{}/v1/projects/{}/messages:send", self.url, percent(&self.account.project_id));
        Ok(Request::post(url, "application/json", message.to_string())
            .with("Authorization", format!("Bearer {}", moment.token)))
    }

    fn token(&self, _: &Delivery, now: Timestamp) -> Result<Option<Token>, String> {
        let assertion = self.assertion(now)?;
        let body = form([("grant_type", GRANT), ("assertion", &*assertion)]);
        let request =
            Request::post(self.account.token_uri.clone(), "application/x-www-form-urlencoded", body);
        Ok(Some(Token { name: String::new(), request, read: access_token }))
    }

    fn verdict(&self, reply: &Reply) -> Verdict {
        let Some(answer) = reply.json() else { return Verdict::Over(reply.unclear()) };
        let code = field(&answer, "/error/details/0/errorCode").or_else(|| field(&answer, "/error/status"));
        Verdict::Over(match (reply.status.as_u16(), code) {
            (200, _) => match field(&answer, "/name") {
                Some(name) => reply.taken(name.rsplit('/').next().unwrap_or(name)),
                None => reply.unclear(),
            },
            (401, _) => return Verdict::Stale(reply.later(code.unwrap_or("the token was refused"))),
            (403 | 429 | 503, code) => reply.later(code.unwrap_or("later")),
            (400..=499, Some(code)) => reply.never(code),
            _ => reply.unclear(),
        })
    }
}

/// As OAuth 2.0 answers.
fn access_token(answer: &Value) -> Option<(String, Duration)> {
    let seconds = answer.get("expires_in").and_then(Value::as_u64)?;
    Some((field(answer, "/access_token")?.to_owned(), Duration::from_secs(seconds)))
}

/// A key in PEM: PKCS #8, as Google writes it.
fn key(pem: &str) -> Result<RsaKeyPair, String> {
    let wrong = || "the service account's private key cannot be read".to_owned();
    let inside: String = pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    let der = STANDARD.decode(inside).map_err(|_| wrong())?;
    RsaKeyPair::from_pkcs8(&der).map_err(|_| wrong())
}
