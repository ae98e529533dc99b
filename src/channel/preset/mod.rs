//! Providers whose wire formats we know: one small file each. A preset makes a request of a message, as data, and says
//! what an answer means; connections, tokens and timeouts are [`super::provider`]'s.

mod aliyun;
mod fcm;
mod http;
mod jpush;
mod tencent;
#[cfg(test)]
mod tests;
mod twilio;
mod wechat;
mod wecom;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::SendResult;
use super::wire::{Reply, Request};
use crate::config::provider::{Kind, Template, Templates};
use crate::step::Delivery;

/// What a request is made of besides settings and message.
#[derive(Clone, Copy)]
pub(super) struct Moment<'a> {
    pub(super) now: Timestamp,
    /// Another one in every request.
    pub(super) nonce: &'a str,
    /// What [`Preset::token`] asked for.
    pub(super) token: &'a str,
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Over(SendResult),
    /// The token was refused, and the message with it: it is worth another try with a new one.
    Stale(SendResult),
}

/// How a token is had that requests must bear.
pub(super) struct Token {
    /// Tokens of the same name are kept.
    pub(super) name: String,
    pub(super) request: Request,
    /// The token and how long it holds, from the answer.
    pub(super) read: fn(&Value) -> Option<(String, Duration)>,
}

pub(super) trait Preset: Send + Sync {
    /// # Errors
    /// Why this message cannot be sent here, ever.
    fn request(&self, delivery: &Delivery, moment: &Moment) -> Result<Request, String>;

    fn verdict(&self, reply: &Reply) -> Verdict;

    /// # Errors
    /// Why none can be asked for.
    fn token(&self, _delivery: &Delivery, _now: Timestamp) -> Result<Option<Token>, String> {
        Ok(None)
    }

    /// Whether the same message is taken only once, however often it is sent.
    fn idempotent(&self) -> bool {
        false
    }
}

/// The preset for settings; `None` for what is no HTTP.
///
/// # Errors
/// A reason for people.
pub(super) fn preset(kind: &Kind) -> Result<Option<Box<dyn Preset>>, String> {
    Ok(Some(match kind {
        Kind::Smtp(_) => return Ok(None),
        Kind::Http(settings) => Box::new(http::General::new(settings)),
        Kind::AliyunSms(settings) => Box::new(aliyun::Sms(settings.clone())),
        Kind::TencentSms(settings) => Box::new(tencent::Sms(settings.clone())),
        Kind::Twilio(settings) => Box::new(twilio::Twilio(settings.clone())),
        Kind::Fcm(settings) => Box::new(fcm::Fcm::new(settings)?),
        Kind::JPush(settings) => Box::new(jpush::JPush(settings.clone())),
        Kind::WechatTemplate(settings) => Box::new(wechat::Template(settings.clone())),
        Kind::WecomRobot(settings) => Box::new(wecom::Robot(settings.clone())),
        Kind::WecomCustomer(settings) => Box::new(wecom::Customer(settings.clone())),
    }))
}

/// A part of the content, by its name.
fn part<'a>(delivery: &'a Delivery, name: &str) -> Option<&'a str> {
    delivery.parts.iter().find(|(part, _)| part.as_str() == name).map(|(_, text)| &**text)
}

/// What is said: `body`, else `message`.
fn body(delivery: &Delivery) -> Result<&str, String> {
    part(delivery, "body")
        .or_else(|| part(delivery, "message"))
        .ok_or_else(|| format!("content `{}` has neither a body nor a message", delivery.content))
}

/// Of a template, by the names of its variables.
type Values<'a> = Vec<(&'a str, &'a str)>;

/// The registered template of a message's content, and the values that make it say what the copy says.
fn template<'a>(
    templates: &'a Templates,
    delivery: &'a Delivery,
) -> Result<(&'a Template, Values<'a>), String> {
    let content = delivery.content;
    let template = templates
        .get(&content)
        .ok_or_else(|| format!("no template is registered for content `{content}`"))?;
    let values = template.text.values(body(delivery)?);
    let values =
        values.ok_or_else(|| format!("the copy of `{content}` does not fit its registered template"))?;
    Ok((template, values))
}

/// A field of an answer, as text.
fn field<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}
