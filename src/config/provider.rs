//! Providers as they are set: whom a channel hands its messages to, and what it needs for that.

use std::collections::BTreeMap;
use std::time::Duration;

use super::copy::Copy;
use super::pattern::Pattern;
use super::secret::Secret;
use crate::name::Name;

/// One provider.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Of `[providers.NAME]`, or of the channel that it is set for.
    pub name: String,
    pub line: Line,
    pub kind: Kind,
    /// Whether it has a section `[providers.NAME]`, which other channels may name as well.
    pub shared: bool,
}

/// What holds for providers of every kind.
#[derive(Clone, Debug)]
pub struct Line {
    /// From the request's start to its answer's end.
    pub timeout: Duration,
    /// Whether it may be at a private address, or be spoken to in clear.
    pub allow_private: bool,
    /// Certificates, in PEM, of those who may vouch for it besides the machine's own list.
    pub ca: Option<String>,
    /// Never more than so many sends at it.
    pub rate: Option<Rate>,
    /// Sends under way at once.
    pub sends: usize,
}

/// So many in any window of so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub count: u32,
    pub per_ms: u32,
}

/// A template registered with the provider, for one content.
#[derive(Clone, Debug)]
pub struct Template {
    pub code: String,
    pub text: Pattern,
}

/// By the content's name.
pub type Templates = BTreeMap<Name, Template>;

#[derive(Clone, Debug)]
pub enum Kind {
    Smtp(Smtp),
    Http(Box<Http>),
    AliyunSms(AliyunSms),
    TencentSms(TencentSms),
    Twilio(Twilio),
    Fcm(Fcm),
    JPush(JPush),
    WechatTemplate(Wechat),
    WecomRobot(WecomRobot),
    WecomCustomer(WecomCustomer),
}

/// How a mail server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// In clear to begin with, encrypted before anything is said.
    StartTls,
    /// Encrypted from the first byte.
    Implicit,
    /// In clear: only where `allow_private`.
    Off,
}

#[derive(Clone, Debug)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    /// Name and password.
    pub user: Option<(String, Secret)>,
    /// `NAME <ADDRESS>`
    pub from: String,
    pub reply_to: Option<String>,
    /// Whether bodies are HTML.
    pub html: bool,
}

/// What a body is made of.
#[derive(Clone, Debug)]
pub enum Body {
    /// JSON whose texts are copy.
    Json(Json),
    Form(Vec<(String, Copy)>),
    Text(Copy),
    /// The message as `webhook` posts it.
    Message,
}

/// A JSON value whose texts have holes.
#[derive(Clone, Debug)]
pub enum Json {
    Text(Copy),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
    /// Numbers, yes and no, nothing: as written.
    Plain(serde_json::Value),
}

#[derive(Clone, Debug)]
pub enum Auth {
    None,
    Bearer(Secret),
    Basic {
        user: String,
        password: Secret,
    },
    /// HMAC-SHA-256 of `TIMESTAMP.BODY`, in hexadecimal.
    Hmac {
        secret: Secret,
        header: String,
        timestamp: String,
    },
}

/// A provider in general.
#[derive(Clone, Debug)]
pub struct Http {
    pub method: String,
    pub url: Copy,
    pub headers: Vec<(String, Copy)>,
    pub body: Body,
    pub auth: Auth,
    pub answer: Answer,
    /// Whether it takes the same request (the same `{{ id }}`) only once.
    pub idempotent: bool,
}

/// What an answer means, beyond its status.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// JSON pointer to the provider's id of the message.
    pub id: Option<String>,
    /// JSON pointer to the field that says what became of it.
    pub field: Option<String>,
    /// Values of `field` that mean that it was taken.
    pub accepted: Vec<String>,
    /// Values of `field` that mean that it may be tried again.
    pub retry: Vec<String>,
    /// Statuses that mean so, besides 408, 425, 429 and 5xx.
    pub retry_status: Vec<u16>,
}

#[derive(Clone, Debug)]
pub struct AliyunSms {
    pub url: String,
    pub key_id: String,
    pub secret: Secret,
    pub sign_name: String,
    pub templates: Templates,
    /// What Aliyun's reports must bear.
    pub callback: Option<Secret>,
}

#[derive(Clone, Debug)]
pub struct TencentSms {
    pub url: String,
    pub key_id: String,
    pub secret: Secret,
    pub app_id: String,
    pub sign_name: String,
    pub region: String,
    pub templates: Templates,
}

#[derive(Clone, Debug)]
pub struct Twilio {
    pub url: String,
    pub account: String,
    pub secret: Secret,
    /// A number or a sender id, or a messaging service (`MG…`).
    pub from: String,
    /// Where Twilio reports what became of it.
    pub callback: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Fcm {
    pub url: String,
    /// The key file of a service account, as Google gives it.
    pub account: Secret,
}

#[derive(Clone, Debug)]
pub struct JPush {
    pub url: String,
    pub key_id: String,
    pub secret: Secret,
    /// `registration_id` or `alias`: what addresses are.
    pub audience: String,
    /// Whether iOS devices get it through Apple's production service.
    pub production: bool,
}

#[derive(Clone, Debug)]
pub struct Wechat {
    pub url: String,
    pub app_id: String,
    pub secret: Secret,
    pub templates: Templates,
}

#[derive(Clone, Debug)]
pub struct WecomRobot {
    pub url: String,
    pub key: Secret,
    pub markdown: bool,
}

#[derive(Clone, Debug)]
pub struct WecomCustomer {
    pub url: String,
    pub corp_id: String,
    pub secret: Secret,
    /// The user id of the member of staff who confirms and sends.
    pub sender: Option<String>,
}
