//! Tencent Cloud SMS (`SendSms`, version 2021-01-11), signed as TC3-HMAC-SHA256 says.
//!
//! It knows no idempotency key: `SessionContext` only comes back. So a timeout is ambiguous, and final.

use jiff::Timestamp;
use serde_json::json;

use super::aliyun::url::host;
use super::{Moment, Preset, Verdict, field, template};
use crate::channel::wire::digest::{hmac_sha256, id, sha256_hex};
use crate::channel::wire::{Reply, Request};
use crate::config::provider::TencentSms;
use crate::step::Delivery;
use crate::text::hex;

pub(super) const ALGORITHM: &str = "TC3-HMAC-SHA256";
pub(super) const CONTENT_TYPE: &str = "application/json";
/// Beginnings of codes about the account or the moment, not the message.
const LATER: [&str; 7] = [
    "AuthFailure",
    "RequestLimitExceeded",
    "LimitExceeded",
    "InternalError",
    "ResourceUnavailable",
    "FailedOperation.InsufficientBalance",
    "UnauthorizedOperation",
];

pub(super) struct Sms(pub(super) TencentSms);

impl Preset for Sms {
    fn request(&self, delivery: &Delivery, moment: &Moment) -> Result<Request, String> {
        let (template, mut values) = template(&self.0.templates, delivery)?;
        // `{2}` is the second, wherever it stands.
        values.sort_by_key(|(name, _)| name.parse::<u32>().unwrap_or(u32::MAX));
        let params: Vec<&str> = values.into_iter().map(|(_, value)| value).collect();
        let body = json!({
            "PhoneNumberSet": [&*delivery.address],
            "SmsSdkAppId": self.0.app_id,
            "TemplateId": template.code,
            "SignName": self.0.sign_name,
            "TemplateParamSet": params,
            "SessionContext": id(&delivery.message),
        })
        .to_string();
        let host = host(&self.0.url);
        let authorization = authorize(&self.0.key_id, self.0.secret.expose(), host, &body, moment.now);
        Ok(Request::post(format!("{}/", self.0.url), CONTENT_TYPE, body)
            .with("Authorization", authorization)
            .with("X-TC-Action", "SendSms")
            .with("X-TC-Version", "2021-01-11")
            .with("X-TC-Region", &*self.0.region)
            .with("X-TC-Timestamp", moment.now.as_second().to_string()))
    }

    fn verdict(&self, reply: &Reply) -> Verdict {
        let Some(answer) = reply.json() else { return Verdict::Over(reply.unclear()) };
        let error = field(&answer, "/Response/Error/Code");
        let code = error.or_else(|| field(&answer, "/Response/SendStatusSet/0/Code"));
        Verdict::Over(match code {
            Some("Ok") => reply.taken(field(&answer, "/Response/SendStatusSet/0/SerialNo").unwrap_or("Ok")),
            Some(code) if LATER.iter().any(|later| code.starts_with(later)) => reply.later(code),
            Some(code) => reply.never(code),
            None => reply.unclear(),
        })
    }
}

/// The header `Authorization` of a POST of JSON to `/`.
pub(super) fn authorize(key_id: &str, secret: &str, host: &str, body: &str, now: Timestamp) -> String {
    let signed = "content-type;host";
    let headers = format!("content-type:{CONTENT_TYPE}\nhost:{host}\n");
    let canonical = format!("POST\n/\n\n{headers}\n{signed}\n{}", sha256_hex(body));
    let date = now.strftime("%Y-%m-%d").to_string();
    let scope = format!("{date}/sms/tc3_request");
    let text = format!("{ALGORITHM}\n{}\n{scope}\n{}", now.as_second(), sha256_hex(&canonical));
    let mut key = format!("TC3{secret}").into_bytes();
    for step in [date.as_str(), "sms", "tc3_request"] {
        key = hmac_sha256(&key, step);
    }
    let signature = hex::of(&hmac_sha256(&key, &text));
    format!("{ALGORITHM} Credential={key_id}/{scope}, SignedHeaders={signed}, Signature={signature}")
}
