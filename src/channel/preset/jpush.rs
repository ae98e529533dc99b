//! `JPush`'s Push API v3: JSON, and HTTP basic authentication.
//!
//! A `cid` of its pool makes a push happen once in a day, however often it is asked for. The one of a message is kept in
//! memory for retries; a restart forgets it, so the provider does not count as idempotent.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Moment, Preset, Token, Verdict, body, field, part};
use crate::channel::wire::digest::id;
use crate::channel::wire::{Reply, Request};
use crate::config::provider;
use crate::step::Delivery;

/// A `cid` holds for a day.
const CID: Duration = Duration::from_hours(24);
/// 1004: not who we say we are; 1020: only over TLS; 1030, 1042: their error; 2002, 2003, 2008: too much at once.
const LATER: [i64; 9] = [1000, 1004, 1020, 1030, 1042, 2002, 2003, 2004, 2008];

pub(super) struct JPush(pub(super) provider::JPush);

impl JPush {
    fn who(&self) -> String {
        let who = STANDARD.encode(format!("{}:{}", self.0.key_id, self.0.secret.expose()));
        format!("Basic {who}")
    }
}

impl Preset for JPush {
    fn request(&self, delivery: &Delivery, moment: &Moment) -> Result<Request, String> {
        let (alert, title) = (body(delivery)?, part(delivery, "title"));
        let mut extras = json!({"message": id(&delivery.message)});
        if let (Some(link), Some(fields)) = (part(delivery, "link"), extras.as_object_mut()) {
            fields.insert("link".to_owned(), link.into());
        }
        let mut android = json!({"alert": alert, "extras": extras});
        let mut ios = json!({"alert": alert, "extras": extras, "sound": "default", "badge": "+1"});
        if let Some(title) = title {
            if let Some(fields) = android.as_object_mut() {
                fields.insert("title".to_owned(), title.into());
            }
            if let Some(fields) = ios.as_object_mut() {
                fields.insert("alert".to_owned(), json!({"title": title, "body": alert}));
            }
        }
        let push = json!({
            "cid": moment.token,
            "platform": "all",
            "audience": {&*self.0.audience: [&*delivery.address]},
            "notification": {"android": android, "ios": ios},
            "options": {"apns_production": self.0.production},
        });
        Ok(Request::post(format!("{}/v3/push", self.0.url), "application/json", push.to_string())
            .with("Authorization", self.who()))
    }

    fn token(&self, delivery: &Delivery, _: Timestamp) -> Result<Option<Token>, String> {
        let url = format!("{}/v3/push/cid?count=1&type=push", self.0.url);
        let headers = vec![("Authorization".to_owned(), self.who())];
        let request = Request { method: "GET", url, headers, body: String::new() };
        Ok(Some(Token { name: id(&delivery.message), request, read: cid }))
    }

    fn verdict(&self, reply: &Reply) -> Verdict {
        let answer = reply.json();
        let code = answer.as_ref().and_then(|answer| answer.pointer("/error/code")).and_then(Value::as_i64);
        let id = answer.as_ref().and_then(|answer| answer.get("msg_id"));
        Verdict::Over(match (id, code) {
            // Text by its documentation, a number by some of its answers.
            (Some(id), None) if reply.status.is_success() => {
                reply.taken(&id.as_str().map_or_else(|| id.to_string(), str::to_owned))
            }
            (_, Some(code)) if LATER.contains(&code) => reply.later(&code.to_string()),
            (_, Some(code)) if reply.status.is_client_error() => reply.never(&code.to_string()),
            _ if matches!(reply.status.as_u16(), 401 | 403) => reply.later("who we are is not accepted"),
            _ => reply.unclear(),
        })
    }
}

fn cid(answer: &Value) -> Option<(String, Duration)> {
    Some((field(answer, "/cidlist/0")?.to_owned(), CID))
}
