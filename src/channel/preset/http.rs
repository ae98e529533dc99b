//! A provider in general: the request is copy, the answer is read as the settings say.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Moment, Preset, Verdict, part};
use crate::channel::payload::Payload;
use crate::channel::wire::digest::{hmac_sha256, id};
use crate::channel::wire::encode::{form, percent};
use crate::channel::wire::{Reply, Request};
use crate::config::copy::{Copy, Hole};
use crate::config::provider::{Auth, Body, Http, Json};
use crate::step::Delivery;
use crate::text::hex;

pub(super) struct General {
    settings: Http,
    method: &'static str,
}

impl General {
    pub(super) fn new(settings: &Http) -> Self {
        let known = ["GET", "PUT", "PATCH"].into_iter().find(|known| *known == settings.method);
        Self { settings: settings.clone(), method: known.unwrap_or("POST") }
    }

    fn body(&self, delivery: &Delivery) -> Result<(&'static str, String), String> {
        Ok(match &self.settings.body {
            Body::Message => ("application/json", Payload(delivery).to_json()),
            Body::Json(value) => ("application/json", json(value, delivery)?.to_string()),
            Body::Text(copy) => ("text/plain; charset=utf-8", text(copy, delivery)?),
            Body::Form(fields) => {
                let fields: Vec<(&str, String)> = fields
                    .iter()
                    .map(|(name, copy)| Ok((name.as_str(), text(copy, delivery)?)))
                    .collect::<Result<_, String>>()?;
                let fields = fields.iter().map(|(name, value)| (*name, value.as_str()));
                ("application/x-www-form-urlencoded", form(fields))
            }
        })
    }
}

impl Preset for General {
    fn request(&self, delivery: &Delivery, moment: &Moment) -> Result<Request, String> {
        let encoded = |hole| fact(delivery, hole).map(|text| percent(&text));
        let url = self.settings.url.fill(&encoded).map_err(|hole| missing(delivery, hole))?;
        let (content_type, body) = self.body(delivery)?;
        let mut request = Request { method: self.method, url, headers: Vec::new(), body };
        if self.method == "GET" {
            request.body = String::new();
        } else {
            request = request.with("Content-Type", content_type);
        }
        for (name, copy) in &self.settings.headers {
            request = request.with(name, text(copy, delivery)?);
        }
        Ok(match &self.settings.auth {
            Auth::None => request,
            Auth::Bearer(secret) => request.with("Authorization", format!("Bearer {}", secret.expose())),
            Auth::Basic { user, password } => {
                let who = STANDARD.encode(format!("{user}:{}", password.expose()));
                request.with("Authorization", format!("Basic {who}"))
            }
            Auth::Hmac { secret, header, timestamp } => {
                let now = moment.now.as_second();
                let signed = format!("{now}.{}", request.body);
                let signature = hex::of(&hmac_sha256(secret.expose().as_bytes(), &signed));
                request.with(timestamp, now.to_string()).with(header, signature)
            }
        })
    }

    fn verdict(&self, reply: &Reply) -> Verdict {
        let rules = &self.settings.answer;
        if rules.retry_status.contains(&reply.status.as_u16()) {
            return Verdict::Over(reply.later("later"));
        }
        let answer = reply.json();
        let said = |pointer: &Option<String>| {
            let value = answer.as_ref()?.pointer(pointer.as_ref()?)?;
            Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        let id = said(&rules.id);
        let taken = || reply.taken(id.as_deref().unwrap_or("taken"));
        Verdict::Over(match (&rules.field, said(&rules.field)) {
            (None, _) if reply.status.is_success() => taken(),
            (Some(_), Some(code)) if rules.retry.contains(&code) => reply.later(&code),
            (Some(_), Some(code)) if reply.status.is_success() && rules.accepted.contains(&code) => taken(),
            (Some(_), Some(code)) if reply.status.is_success() => reply.never(&code),
            (Some(_), None) => reply.unclear(),
            _ => reply.by_status(),
        })
    }

    fn idempotent(&self) -> bool {
        self.settings.idempotent
    }
}

fn text(copy: &Copy, delivery: &Delivery) -> Result<String, String> {
    copy.fill(&|hole| fact(delivery, hole)).map_err(|hole| missing(delivery, hole))
}

fn missing(delivery: &Delivery, hole: Hole) -> String {
    format!("content `{}` has no {}", delivery.content, hole.word())
}

fn json(value: &Json, delivery: &Delivery) -> Result<Value, String> {
    Ok(match value {
        Json::Text(copy) => text(copy, delivery)?.into(),
        Json::Plain(plain) => plain.clone(),
        Json::List(items) => {
            items.iter().map(|item| json(item, delivery)).collect::<Result<Vec<_>, _>>()?.into()
        }
        Json::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| Ok((name.clone(), json(value, delivery)?)));
            Value::Object(fields.collect::<Result<_, String>>()?)
        }
    })
}

/// What a hole stands for in this message.
fn fact(delivery: &Delivery, hole: Hole) -> Option<String> {
    Some(match hole {
        Hole::Message => delivery.message.to_string(),
        Hole::Id => id(&delivery.message),
        Hole::Address => delivery.address.to_string(),
        Hole::Channel => delivery.channel.to_string(),
        Hole::Purpose => delivery.purpose.to_string(),
        Hole::Content => delivery.content.to_string(),
        Hole::Addressee => format!("{}/{}", delivery.addressee.entity, delivery.addressee.id),
        Hole::Part(name) => part(delivery, name.as_str())?.to_owned(),
    })
}
