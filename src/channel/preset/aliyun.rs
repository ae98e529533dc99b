//! Aliyun SMS (`SendSms`, version 2017-05-25), signed as ACS3-HMAC-SHA256 says.
//!
//! It knows no idempotency key: `OutId` only comes back in its receipts. So a timeout is ambiguous, and final.

use super::{Moment, Preset, Verdict, field, template};
use crate::channel::wire::digest::{hmac_sha256, id, sha256_hex};
use crate::channel::wire::encode::query;
use crate::channel::wire::{Reply, Request};
use crate::config::provider::AliyunSms;
use crate::step::Delivery;
use crate::text::hex;

pub(super) const ALGORITHM: &str = "ACS3-HMAC-SHA256";
/// In bytes.
const LONGEST_OUT_ID: usize = 256;
/// Beginnings of codes: what may go better later, or elsewhere. They are about the account or the moment, not the message.
const LATER: [&str; 12] = [
    "Throttling",
    "ServiceUnavailable",
    "InternalError",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "SignatureNonceUsed",
    "InvalidTimeStamp",
    "isp.",
    "isv.BUSINESS_LIMIT_CONTROL",
    "isv.AMOUNT_NOT_ENOUGH",
    "isv.OUT_OF_SERVICE",
    "isv.ACCOUNT_",
];

pub(super) struct Sms(pub(super) AliyunSms);

impl Preset for Sms {
    fn request(&self, delivery: &Delivery, moment: &Moment) -> Result<Request, String> {
        let (template, values) = template(&self.0.templates, delivery)?;
        let params: serde_json::Map<String, serde_json::Value> =
            values.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let (params, out_id) = (serde_json::Value::from(params).to_string(), out_id(delivery));
        // In the order of their names, as the signature wants them.
        let query = query([
            ("OutId", out_id.as_str()),
            ("PhoneNumbers", &delivery.address),
            ("SignName", &self.0.sign_name),
            ("TemplateCode", &template.code),
            ("TemplateParam", &params),
        ]);
        let url = format!("{}/?{query}", self.0.url);
        let host = url::host(&self.0.url);
        let date = moment.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        // Names in order, as the signature wants them. There is no body.
        let signed = [
            ("host", host),
            ("x-acs-action", "SendSms"),
            ("x-acs-content-sha256", &sha256_hex("")),
            ("x-acs-date", &date),
            ("x-acs-signature-nonce", moment.nonce),
            ("x-acs-version", "2017-05-25"),
        ];
        let authorization = authorize(&self.0.key_id, self.0.secret.expose(), &query, &signed);
        let headers = signed.into_iter().filter(|(name, _)| *name != "host");
        let headers = headers.chain([("accept", "application/json"), ("Authorization", &authorization)]);
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Request { method: "POST", url, headers, body: String::new() })
    }

    fn verdict(&self, reply: &Reply) -> Verdict {
        let answer = reply.json();
        let code = answer.as_ref().and_then(|answer| field(answer, "/Code"));
        Verdict::Over(match code {
            Some("OK") => {
                reply.taken(answer.as_ref().and_then(|answer| field(answer, "/BizId")).unwrap_or("OK"))
            }
            Some(code) if LATER.iter().any(|later| code.starts_with(later)) => reply.later(code),
            Some(code) => reply.never(code),
            None => reply.unclear(),
        })
    }
}

/// What comes back with a report: the message's key, if there is room for it.
fn out_id(delivery: &Delivery) -> String {
    let key = delivery.message.to_string();
    if key.len() <= LONGEST_OUT_ID { key } else { id(&delivery.message) }
}

/// The header `Authorization` of a POST to `/` without a body.
pub(super) fn authorize(key_id: &str, secret: &str, query: &str, signed: &[(&str, &str)]) -> String {
    let line = |all: String, (name, value): &(&str, &str)| all + name + ":" + value.trim() + "\n";
    let headers = signed.iter().fold(String::new(), line);
    let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let canonical = format!("POST\n/\n{query}\n{headers}\n{names}\n{}", sha256_hex(""));
    let text = format!("{ALGORITHM}\n{}", sha256_hex(&canonical));
    let signature = hex::of(&hmac_sha256(secret.as_bytes(), &text));
    format!("{ALGORITHM} Credential={key_id},SignedHeaders={names},Signature={signature}")
}

pub(super) mod url {
    /// Host and port of an absolute URL.
    pub(in crate::channel::preset) fn host(url: &str) -> &str {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        rest.split(['/', '?']).next().unwrap_or_default()
    }
}
