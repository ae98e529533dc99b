//! What providers report by calling us: who may, and what it says of which message.
//!
//! Each by the provider's own proof: Twilio signs; Aliyun does not, so its URL holds a secret of ours. The key of the message
//! comes back with the report, so nothing is looked up.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::Value;

use super::wire::digest::sha256_hex;
use super::wire::encode::{decode, percent};
use crate::config::provider::{AliyunSms, Kind, Twilio};
use crate::config::{self, Config, Secret};

/// A provider's report on a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The key of the message, as text.
    pub message: String,
    /// The same report has the same id.
    pub id: String,
    pub delivered: bool,
}

/// A request as it came.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// What follows the `?`, as it was sent.
    pub query: &'a str,
    /// The header `X-Twilio-Signature`.
    pub signature: Option<&'a str>,
    pub body: &'a str,
}

/// Why nothing was taken of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It does not come from the provider.
    Unsigned,
    Unreadable,
}

/// One provider's way of reporting.
#[derive(Clone, Debug)]
enum Callback {
    Twilio { url: String, secret: Secret },
    Aliyun { secret: Secret },
}

/// By the provider's name.
#[derive(Clone, Debug, Default)]
pub struct Callbacks(BTreeMap<String, Callback>);

impl Callbacks {
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let providers = config.channels.values().flat_map(|channel| match channel {
            config::Channel::Providers(list) => list.as_slice(),
            _ => &[],
        });
        let reporting =
            providers.filter_map(|provider| Some((provider.name.clone(), callback(&provider.kind)?)));
        Self(reporting.collect())
    }

    /// What `call` says; `None` where no provider of this name reports.
    #[must_use]
    pub fn read(&self, name: &str, call: Call) -> Option<Result<Vec<Report>, Refused>> {
        Some(match self.0.get(name)? {
            Callback::Twilio { url, secret } => twilio(url, secret, call),
            Callback::Aliyun { secret } => aliyun(secret, call),
        })
    }
}

fn callback(kind: &Kind) -> Option<Callback> {
    match kind {
        Kind::Twilio(Twilio { callback: Some(url), secret, .. }) => {
            Some(Callback::Twilio { url: url.clone(), secret: secret.clone() })
        }
        Kind::AliyunSms(AliyunSms { callback: Some(secret), .. }) => {
            Some(Callback::Aliyun { secret: secret.clone() })
        }
        _ => None,
    }
}

/// Where Twilio is to report on a message: its key is in the URL, which Twilio signs.
pub(super) fn twilio_url(callback: &str, message: &str) -> String {
    format!("{callback}?message={}", percent(message))
}

/// HMAC-SHA-1 of the URL and the sorted fields of the form, in base64.
fn twilio(url: &str, secret: &Secret, call: Call) -> Result<Vec<Report>, Refused> {
    let fields = fields(call.body);
    let mut signed = format!("{url}?{}", call.query);
    for (name, value) in &fields {
        signed.push_str(name);
        signed.push_str(value);
    }
    let signature = call.signature.and_then(|text| STANDARD.decode(text).ok()).ok_or(Refused::Unsigned)?;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.expose().as_bytes());
    hmac::verify(&key, signed.as_bytes(), &signature).map_err(|_| Refused::Unsigned)?;
    let said = |name: &str| fields.get(name).ok_or(Refused::Unreadable);
    let (sid, status) = (said("MessageSid")?, said("MessageStatus")?);
    let message = self::fields(call.query).remove("message").ok_or(Refused::Unreadable)?;
    let delivered = match status.as_str() {
        "delivered" | "read" => true,
        "failed" | "undelivered" => false,
        // On its way.
        _ => return Ok(Vec::new()),
    };
    Ok(vec![Report { message, id: format!("{sid}/{status}"), delivered }])
}

/// `SmsReport`: a list of objects, each with the `out_id` that we gave.
fn aliyun(secret: &Secret, call: Call) -> Result<Vec<Report>, Refused> {
    let given = fields(call.query).remove("secret").unwrap_or_default();
    // Digests are compared, so that the time it takes says nothing.
    if sha256_hex(&given) != sha256_hex(secret.expose()) {
        return Err(Refused::Unsigned);
    }
    let list: Vec<Value> = serde_json::from_str(call.body).map_err(|_| Refused::Unreadable)?;
    let report = |value: &Value| {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let delivered = value.get("success").and_then(Value::as_bool).ok_or(Refused::Unreadable)?;
        let (Some(message), Some(id)) = (text("out_id"), text("biz_id")) else {
            return Err(Refused::Unreadable);
        };
        Ok(Report { message, id, delivered })
    };
    list.iter().map(report).collect()
}

/// A form or a query, in the order of its names.
fn fields(text: &str) -> BTreeMap<String, String> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        Some((decode(name)?, decode(value)?))
    };
    text.split('&').filter_map(pair).collect()
}
