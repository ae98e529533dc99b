//! Template messages of a `WeChat` official account (`message/template/send`), under an access token that is fetched and
//! kept.
//!
//! `client_msg_id` keeps a message from coming twice for about ten minutes and no longer, so the provider does not count
//! as idempotent.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Moment, Preset, Token, Verdict, field, part, template};
use crate::channel::wire::digest::id;
use crate::channel::wire::encode::query;
use crate::channel::wire::{Reply, Request};
use crate::config::provider::Wechat;
use crate::step::Delivery;

/// The longest `client_msg_id`.
const ID: usize = 32;
/// -1: busy; 45009 and 45011: too much; 40013, 40125, 40164, 48001: the account or its settings, not the message.
const LATER: [i64; 7] = [-1, 45009, 45011, 40013, 40125, 40164, 48001];
/// The access token is wrong or has expired.
pub(super) const STALE: [i64; 3] = [40001, 40014, 42001];

pub(super) struct Template(pub(super) Wechat);

impl Preset for Template {
    fn request(&self, delivery: &Delivery, moment: &Moment) -> Result<Request, String> {
        let (template, values) = template(&self.0.templates, delivery)?;
        let data: Map<String, Value> =
            values.into_iter().map(|(name, value)| (name.to_owned(), json!({"value": value}))).collect();
        let id: String = id(&delivery.message).trim_start_matches("msg_").chars().take(ID).collect();
        let mut message = json!({
            "touser": &*delivery.address,
            "template_id": template.code,
            "data": data,
            "client_msg_id": id,
        });
        if let (Some(link), Some(fields)) = (part(delivery, "link"), message.as_object_mut()) {
            fields.insert("url".to_owned(), link.into());
        }
        let query = query([("access_token", moment.token)]);
        let url = format!("{}/cgi-bin/message/template/send?{query}", self.0.url);
        Ok(Request::post(url, "application/json", message.to_string()))
    }

    fn token(&self, _: &Delivery, _: Timestamp) -> Result<Option<Token>, String> {
        let query = query([
            ("grant_type", "client_credential"),
            ("appid", &*self.0.app_id),
            ("secret", self.0.secret.expose()),
        ]);
        let url = format!("{}/cgi-bin/token?{query}", self.0.url);
        let request = Request { method: "GET", url, headers: Vec::new(), body: String::new() };
        Ok(Some(Token { name: String::new(), request, read: access_token }))
    }

    fn verdict(&self, reply: &Reply) -> Verdict {
        verdict(reply, &LATER, "/msgid")
    }
}

/// Tencent's chat platforms answer alike: `{"access_token": …, "expires_in": …}`.
pub(super) fn access_token(answer: &Value) -> Option<(String, Duration)> {
    let seconds = answer.get("expires_in").and_then(Value::as_u64)?;
    Some((field(answer, "/access_token")?.to_owned(), Duration::from_secs(seconds)))
}

/// `{"errcode": …}`, 0 where all is well.
pub(super) fn verdict(reply: &Reply, later: &[i64], id: &str) -> Verdict {
    let answer = reply.json();
    let code = answer.as_ref().and_then(|answer| answer.get("errcode")).and_then(Value::as_i64);
    let id = answer.as_ref().and_then(|answer| answer.pointer(id)).map(Value::to_string);
    Verdict::Over(match code {
        Some(0) => reply.taken(id.as_deref().map_or("ok", |id| id.trim_matches('"'))),
        Some(code) if STALE.contains(&code) => return Verdict::Stale(reply.later(&code.to_string())),
        Some(code) if later.contains(&code) => reply.later(&code.to_string()),
        Some(code) => reply.never(&code.to_string()),
        None => reply.unclear(),
    })
}
