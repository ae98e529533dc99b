//! The content modes of the CloudEvents HTTP binding, told apart by the content type.

use axum::http::{HeaderMap, StatusCode, header};
use serde_json::Value as Json;

use super::super::problem::Problem;
use crate::diagnostic::code;
use crate::intake::envelope::{is_json, not_json};
use crate::intake::{Envelope, Refusal, quote};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Attributes in `ce-…` headers, data in the body.
    Binary,
    /// The body is one event.
    Structured,
    /// The body is an array of events.
    Batch,
    /// An event per line.
    Lines,
}

impl Mode {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let value = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
        let media =
            value.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media.as_str() {
            "application/cloudevents+json" => Ok(Self::Structured),
            "application/cloudevents-batch+json" => Ok(Self::Batch),
            "application/x-ndjson" | "application/jsonl" => Ok(Self::Lines),
            // Data without an event format would do, but a form or a text is what any web page can send.
            other if headers.contains_key("ce-specversion") && (other.is_empty() || is_json(other)) => {
                Ok(Self::Binary)
            }
            other => {
                let found = if other.is_empty() { "no content type".to_owned() } else { quote(other) };
                let detail = format!(
                    "found {found}; events come as application/cloudevents+json, application/cloudevents-batch+json, \
                     application/x-ndjson, or application/json with `ce-` headers"
                );
                Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code::UNKNOWN_MEDIA, detail))
            }
        }
    }
}

/// The event of a request in binary mode.
pub(super) fn binary(headers: &HeaderMap, body: &[u8]) -> Result<Envelope, Refusal> {
    let data = match body.trim_ascii() {
        [] => Json::Null,
        body => serde_json::from_slice(body).map_err(|error| not_json(&error))?,
    };
    Envelope::new(|name| attribute(headers, name), data)
}

fn attribute(headers: &HeaderMap, name: &'static str) -> Result<Option<String>, Refusal> {
    // The content type is the HTTP header of that name, and has been looked at.
    if name == "datacontenttype" {
        return Ok(None);
    }
    let header = format!("ce-{name}");
    let mut values = headers.get_all(&header).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let refuse = |reason| Refusal::new(code::MALFORMED_EVENT, format!("the header `{header}` {reason}"));
    if values.next().is_some() {
        return Err(refuse("is there twice"));
    }
    decode(value.as_bytes()).map(Some).ok_or_else(|| refuse("is not UTF-8 text"))
}

/// Percent-decoding as the binding asks (3.1.3.2): a quoted value is unquoted first, and what is no escape stays.
fn decode(value: &[u8]) -> Option<String> {
    let value = unquote(value.trim_ascii());
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_slice();
    while let [first, after @ ..] = rest {
        if let Some((byte, after)) = escape(rest) {
            bytes.push(byte);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

fn escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let [b'%', high, low, rest @ ..] = text else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some((digit(*high)? << 4 | digit(*low)?, rest))
}

fn unquote(value: &[u8]) -> Vec<u8> {
    let [b'"', inner @ .., b'"'] = value else { return value.to_vec() };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut escaped = false;
    for &byte in inner {
        if byte == b'\\' && !escaped {
            escaped = true;
        } else {
            bytes.push(byte);
            escaped = false;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_values_are_decoded_as_the_binding_says() {
        let decoded = |text: &str| decode(text.as_bytes());
        assert_eq!(decoded("Euro%20%E2%82%AC%20%F0%9F%98%80").as_deref(), Some("Euro € 😀"));
        assert_eq!(decoded("\"a \\\"b\\\" %41\"").as_deref(), Some("a \"b\" A"));
        assert_eq!(decoded("100% sure %4 %zz").as_deref(), Some("100% sure %4 %zz"));
        assert_eq!(decoded("王芳").as_deref(), Some("王芳"));
        assert_eq!(decoded("%FF"), None);
    }
}
