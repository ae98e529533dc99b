//! Settings of a provider in general: method, URL, headers and body as copy, how it is told who asks, and what its
//! answers mean.

use super::super::Set;
use super::{Entry, Inputs, KEY_LENGTH, Section, Value, check_url, required, sealed};
use crate::config::copy::{Copy, Hole};
use crate::config::provider::{Answer, Auth, Body, Http, Json};

const METHODS: [&str; 4] = ["POST", "PUT", "PATCH", "GET"];

pub(super) fn http(section: &mut Section, inputs: &Inputs, private: bool) -> Option<Http> {
    let url = required(section, "url", "url = \"https://example.com/messages\"");
    let url = url.and_then(|url| url_copy(section, &url, private));
    let method = section.parsed("method", "`POST`, `PUT`, `PATCH` or `GET`", |method| {
        METHODS.contains(&method).then(|| method.to_owned())
    });
    let body = body(section);
    let headers = copies(section, "headers");
    let (auth, answer) = (auth(section, inputs), answer(section));
    let idempotent = section.flag("idempotent").unwrap_or(false);
    Some(Http {
        method: method.map_or_else(|| "POST".to_owned(), |method| method.value),
        url: url?,
        headers: headers?,
        body: body?,
        auth: auth?,
        answer,
        idempotent,
    })
}

/// A task for a call centre: what is to be said to whom, taken once per key.
pub(super) fn outbound_call(section: &mut Section, inputs: &Inputs, private: bool) -> Option<Http> {
    let url = required(section, "url", "url = \"https://calls.bank.example/tasks\"");
    let url = url.and_then(|url| url_copy(section, &url, private));
    let hole = |hole| Json::Text(Copy::of(hole));
    let task = [
        ("task_id", Hole::Id),
        ("phone", Hole::Address),
        ("customer", Hole::Addressee),
        ("purpose", Hole::Purpose),
        ("content", Hole::Content),
        ("script", Hole::Part(crate::name::Name::new("body"))),
    ];
    let (auth, answer) = (auth(section, inputs), answer(section));
    Some(Http {
        method: "POST".to_owned(),
        url: url?,
        headers: vec![("Idempotency-Key".to_owned(), Copy::of(Hole::Id))],
        body: Body::Json(Json::Object(task.map(|(name, what)| (name.to_owned(), hole(what))).into())),
        auth: auth?,
        answer,
        idempotent: true,
    })
}

/// The host of a URL is written out; what comes after it may have holes.
fn url_copy(section: &mut Section, url: &Set<String>, private: bool) -> Option<Copy> {
    let copy = match Copy::parse(&url.value) {
        Ok(copy) => copy,
        Err(reason) => return section.bad_value("url", url.span, &format!("a URL: {reason}")),
    };
    let opening = copy.opening().to_owned();
    let host_ends = opening.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    if opening != url.value && !host_ends {
        return section.bad_value("url", url.span, "a URL with holes only after the host and a `/`");
    }
    check_url(section, Set { value: opening, span: url.span }, private).map(|_| copy)
}

fn body(section: &mut Section) -> Option<Body> {
    if section.has("form") {
        return copies(section, "form").map(Body::Form);
    }
    let format = section.parsed("format", "`json` or `text`", |format| {
        matches!(format, "json" | "text").then(|| format.to_owned())
    });
    let Some(body) = section.text("body") else { return Some(Body::Message) };
    if format.is_some_and(|format| format.value == "text") {
        return match Copy::parse(&body.value) {
            Ok(copy) => Some(Body::Text(copy)),
            Err(reason) => section.bad_value("body", body.span, &format!("copy: {reason}")),
        };
    }
    let value: Result<serde_json::Value, _> = serde_json::from_str(&body.value);
    match value.map_err(|error| error.to_string()).and_then(json) {
        Ok(json) => Some(Body::Json(json)),
        Err(reason) => {
            section.bad_value("body", body.span, &format!("JSON with copy in its texts: {reason}"))
        }
    }
}

fn json(value: serde_json::Value) -> Result<Json, String> {
    use serde_json::Value;
    Ok(match value {
        Value::String(text) => Json::Text(Copy::parse(&text)?),
        Value::Array(items) => Json::List(items.into_iter().map(json).collect::<Result<_, _>>()?),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| Ok((name, json(value)?)));
            Json::Object(fields.collect::<Result<_, String>>()?)
        }
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => Json::Plain(plain),
    })
}

/// A section of copy: headers, or fields of a form.
fn copies(section: &mut Section, key: &'static str) -> Option<Vec<(String, Copy)>> {
    let before = section.findings.len();
    let mut inner = section.section(key);
    let mut copies = Vec::new();
    for (name, Entry { value, span, .. }) in inner.entries() {
        let (Value::Text(text) | Value::Raw(text)) = value else {
            inner.bad_value::<()>(&name, span, "text in quotes");
            continue;
        };
        match Copy::parse(&text) {
            Ok(copy) => copies.push((name, copy)),
            Err(reason) => {
                inner.bad_value::<()>(&name, span, &format!("copy: {reason}"));
            }
        }
    }
    inner.finish();
    (section.findings.len() == before).then_some(copies)
}

fn auth(section: &mut Section, inputs: &Inputs) -> Option<Auth> {
    let kinds = "`none`, `bearer`, `basic` or `hmac`";
    let kind = section.parsed("auth", kinds, |auth| {
        matches!(auth, "none" | "bearer" | "basic" | "hmac").then(|| auth.to_owned())
    });
    let kind = kind.map_or_else(|| "none".to_owned(), |kind| kind.value);
    let secret = ["secret", "secret_file"];
    match kind.as_str() {
        "bearer" => sealed(section, secret, KEY_LENGTH, inputs).map(Auth::Bearer),
        "basic" => {
            let user = required(section, "user", "user = \"wayfare\"");
            let password = sealed(section, secret, KEY_LENGTH, inputs);
            Some(Auth::Basic { user: user?.value, password: password? })
        }
        "hmac" => {
            let header = section.text("signature_header");
            let timestamp = section.text("timestamp_header");
            Some(Auth::Hmac {
                secret: sealed(section, secret, KEY_LENGTH, inputs)?,
                header: header.map_or_else(|| "X-Signature".to_owned(), |header| header.value),
                timestamp: timestamp.map_or_else(|| "X-Timestamp".to_owned(), |header| header.value),
            })
        }
        _ => Some(Auth::None),
    }
}

/// `[channels.NAME.answer]`
fn answer(section: &mut Section) -> Answer {
    let mut inner = section.section("answer");
    let pointer = |text: &str| text.starts_with('/').then(|| text.to_owned());
    let id = inner.parsed("id", "a JSON pointer, such as `/data/id`", pointer);
    let field = inner.parsed("field", "a JSON pointer, such as `/code`", pointer);
    let list = |text: &str| Some(text.split(',').map(|item| item.trim().to_owned()).collect::<Vec<_>>());
    let accepted = inner.parsed("accepted", "values, separated by commas", list);
    let retry = inner.parsed("retry", "values, separated by commas", list);
    let statuses = inner.parsed("retry_status", "statuses, separated by commas", |text| {
        text.split(',').map(|item| item.trim().parse().ok()).collect::<Option<Vec<u16>>>()
    });
    inner.finish();
    Answer {
        id: id.map(|id| id.value),
        field: field.map(|field| field.value),
        accepted: accepted.map(|list| list.value).unwrap_or_default(),
        retry: retry.map(|list| list.value).unwrap_or_default(),
        retry_status: statuses.map(|list| list.value).unwrap_or_default(),
    }
}
