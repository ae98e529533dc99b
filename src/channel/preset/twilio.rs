//! Twilio's Programmable Messaging (2010-04-01): a form, and HTTP basic authentication.
//!
//! It knows no idempotency key. So a timeout, and an error in the middle, are ambiguous and final.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Moment, Preset, Verdict, body, field, part};
use crate::channel::callback::twilio_url;
use crate::channel::wire::encode::{form, percent};
use crate::channel::wire::{Reply, Request};
use crate::config::provider;
use crate::step::Delivery;

/// 20003 and 20005: who we are is not accepted; 20429, 14107, 30022: too much at once.
const LATER: [i64; 7] = [20003, 20005, 20429, 14107, 30022, 30001, 21611];

pub(super) struct Twilio(pub(super) provider::Twilio);

impl Preset for Twilio {
    fn request(&self, delivery: &Delivery, _: &Moment) -> Result<Request, String> {
        let account = percent(&self.0.account);
        let url = format!("{}/2010-04-01/Accounts/{account}/Messages.json", self.0.url);
        let from = if self.0.from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let mut fields = vec![("To", &*delivery.address), (from, &self.0.from), ("Body", body(delivery)?)];
        fields.extend(part(delivery, "image").map(|image| ("MediaUrl", image)));
        let key = delivery.message.to_string();
        let callback = self.0.callback.as_deref().map(|callback| twilio_url(callback, &key));
        fields.extend(callback.as_deref().map(|callback| ("StatusCallback", callback)));
        let who = STANDARD.encode(format!("{}:{}", self.0.account, self.0.secret.expose()));
        Ok(Request::post(url, "application/x-www-form-urlencoded", form(fields))
            .with("Accept", "application/json")
            .with("Authorization", format!("Basic {who}")))
    }

    fn verdict(&self, reply: &Reply) -> Verdict {
        let answer = reply.json();
        let code = answer.as_ref().and_then(|answer| answer.get("code")).and_then(Value::as_i64);
        let sid = answer.as_ref().and_then(|answer| field(answer, "/sid"));
        Verdict::Over(match (sid, code) {
            (Some(sid), _) if reply.status.is_success() => reply.taken(sid),
            (_, Some(code)) if LATER.contains(&code) => reply.later(&code.to_string()),
            (_, Some(code)) if reply.status.is_client_error() && reply.status.as_u16() != 429 => {
                reply.never(&code.to_string())
            }
            _ if matches!(reply.status.as_u16(), 401 | 403) => reply.later("who we are is not accepted"),
            _ => reply.unclear(),
        })
    }
}
