//! The CloudEvents 1.0 context attributes, checked but not yet looked up in any schema.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};

use super::value::described;
use super::{MAX_ID, Refusal, quote};
use crate::diagnostic::code;

/// A `CloudEvent` as it came. `source` with `id` is its identity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Envelope {
    pub source: String,
    pub id: String,
    /// The attribute `type`.
    pub kind: String,
    pub subject: Option<String>,
    pub time: Option<String>,
    /// Extension: the key of the root that a child entity belongs to.
    pub parent: Option<String>,
    /// Extension of `wayfare.attributes`: the entity that the subject is.
    pub entity: Option<String>,
    /// Extension: it is told of the past, and nobody acts on it.
    pub import: bool,
    pub data: Map<String, Json>,
}

impl Envelope {
    /// From the JSON format of one event: structured mode, an element of a batch, a line of NDJSON.
    pub fn from_json(json: Json) -> Result<Self, Refusal> {
        let Json::Object(mut members) = json else {
            return Err(malformed(format!("expected an event (a JSON object), found {}", described(&json))));
        };
        let data = match (members.remove("data"), members.remove("data_base64")) {
            (Some(_), Some(_)) => return Err(malformed("`data` and `data_base64` cannot both be there")),
            (data, None) => data.unwrap_or(Json::Null),
            (None, Some(encoded)) => decoded(&encoded)?,
        };
        Self::new(|name| attribute(&mut members, name), data)
    }

    /// From a line of text that should hold one event.
    pub fn from_slice(text: &[u8]) -> Result<Self, Refusal> {
        let json = serde_json::from_slice(text).map_err(|error| not_json(&error))?;
        Self::from_json(json)
    }

    /// From attributes by name, however they travelled, and the data.
    pub fn new(
        mut attribute: impl FnMut(&'static str) -> Result<Option<String>, Refusal>,
        data: Json,
    ) -> Result<Self, Refusal> {
        let mut required = |name| {
            let value = attribute(name)?;
            value.ok_or_else(|| {
                malformed(format!("the attribute `{name}` is missing, every CloudEvent has one"))
            })
        };
        let version = required("specversion")?;
        if version != "1.0" {
            return Err(malformed(format!("expected `specversion` 1.0, found {}", quote(&version))));
        }
        let (id, source, kind) = (required("id")?, required("source")?, required("type")?);
        json_only(attribute("datacontenttype")?.as_deref())?;
        let envelope = Self {
            source,
            id,
            kind,
            subject: attribute("subject")?,
            time: attribute("time")?,
            parent: attribute("parent")?,
            entity: attribute("entity")?,
            import: flag("import", attribute("import")?.as_deref())?,
            data: object(data)?,
        };
        envelope.bounded()
    }

    /// The event in the JSON format, as [`Envelope::from_json`] reads it.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut members = Map::new();
        let mut put = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                members.insert(name.to_owned(), value.into());
            }
        };
        put("specversion", Some("1.0"));
        put("source", Some(&self.source));
        put("id", Some(&self.id));
        put("type", Some(&self.kind));
        put("subject", self.subject.as_deref());
        put("time", self.time.as_deref());
        put("parent", self.parent.as_deref());
        put("entity", self.entity.as_deref());
        if self.import {
            members.insert("import".to_owned(), true.into());
        }
        members.insert("data".to_owned(), Json::Object(self.data.clone()));
        Json::Object(members)
    }

    fn bounded(self) -> Result<Self, Refusal> {
        let attributes = [
            ("id", Some(&self.id)),
            ("source", Some(&self.source)),
            ("type", Some(&self.kind)),
            ("subject", self.subject.as_ref()),
            ("parent", self.parent.as_ref()),
        ];
        for (name, value) in attributes.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            if value.is_empty() || value.len() > MAX_ID || value.chars().any(char::is_control) {
                let rule = format!("`{name}` has 1 to {MAX_ID} bytes and no control characters");
                return Err(malformed(format!("{rule}, found {}", quote(value))));
            }
        }
        Ok(self)
    }
}

/// What a reader says of text that is not JSON, in our words.
#[must_use]
pub fn not_json(error: &serde_json::Error) -> Refusal {
    malformed(format!("this is not JSON: {error}"))
}

fn malformed(reason: impl std::fmt::Display) -> Refusal {
    Refusal::new(code::MALFORMED_EVENT, reason)
}

/// Attributes are texts; numbers and booleans have a text of their own (CloudEvents 3.1), null is absence.
fn attribute(members: &mut Map<String, Json>, name: &str) -> Result<Option<String>, Refusal> {
    match members.remove(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(other @ (Json::Number(_) | Json::Bool(_))) if !matches!(name, "id" | "source" | "type") => {
            Ok(Some(other.to_string()))
        }
        Some(other) => Err(malformed(format!("`{name}` must be a text, found {}", described(&other)))),
    }
}

/// A boolean as CloudEvents writes it (3.1).
fn flag(name: &str, text: Option<&str>) -> Result<bool, Refusal> {
    match text {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(malformed(format!("`{name}` is `true` or `false`, found {}", quote(other)))),
    }
}

fn json_only(content_type: Option<&str>) -> Result<(), Refusal> {
    match content_type {
        Some(other) if !is_json(other) => {
            Err(malformed(format!("`datacontenttype` must be application/json, found {}", quote(other))))
        }
        _ => Ok(()),
    }
}

/// Whether a media type is JSON: `application/json`, `text/json`, `application/x+json`, with any parameters.
#[must_use]
pub fn is_json(media: &str) -> bool {
    let kind = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.ends_with("/json") || kind.ends_with("+json")
}

fn decoded(encoded: &Json) -> Result<Json, Refusal> {
    let text = encoded.as_str().ok_or_else(|| malformed("`data_base64` must be a text"))?;
    let bytes = STANDARD.decode(text).map_err(|_| malformed("`data_base64` is not base64"))?;
    serde_json::from_slice(&bytes).map_err(|error| not_json(&error))
}

fn object(data: Json) -> Result<Map<String, Json>, Refusal> {
    match data {
        Json::Null => Ok(Map::new()),
        Json::Object(members) => Ok(members),
        other => Err(malformed(format!("`data` must be an object of fields, found {}", described(&other)))),
    }
}
