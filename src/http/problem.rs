//! Refusals of whole requests: RFC 9457 `application/problem+json`, with the code that `wayfare explain` explains.

use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value as Json, json};

use crate::diagnostic::{Code, code};
use crate::engine::{EngineError, SubmitError};
use crate::intake::Refusal;

#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: Code,
    detail: String,
    /// Seconds after which another try may do.
    retry_after: Option<u32>,
    /// What was kept before it went wrong.
    progress: Option<Json>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: Code, detail: impl std::fmt::Display) -> Self {
        Self { status, code, detail: detail.to_string(), retry_after: None, progress: None }
    }

    pub(super) fn bad_request(detail: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code::BAD_REQUEST, detail)
    }

    /// A query string that does not say what is wanted: what is wrong, and what may be asked.
    pub(super) fn bad_query(rejection: &QueryRejection, known: &[&str]) -> Self {
        let text = rejection.body_text();
        let reason = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
        // The rest is a list of what is known, in the words of a library.
        let reason = reason
            .split(", expected one of")
            .next()
            .unwrap_or(reason)
            .replace("unknown field", "nothing is asked by");
        Self::bad_request(format!(
            "{reason}; this address takes `{}`, each once, as `?name=value&…`",
            known.join("`, `")
        ))
    }

    pub(super) fn busy() -> Self {
        let problem =
            Self::new(StatusCode::TOO_MANY_REQUESTS, code::BUSY, "too much is waiting, try again soon");
        Self { retry_after: Some(1), ..problem }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.code == code::BUSY
    }

    pub(super) fn too_large(most: usize) -> Self {
        let detail = format!("a body has at most {most} bytes, use NDJSON for more");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, code::BODY_TOO_LARGE, detail)
    }

    pub(super) fn nothing_here() -> Self {
        Self::new(StatusCode::NOT_FOUND, code::NO_SUCH_THING, "there is nothing at this address")
    }

    pub(super) fn wrong_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, code::NO_SUCH_THING, "this address has no such method")
    }

    /// Says what was kept before.
    pub(super) fn after(mut self, progress: Json) -> Self {
        self.progress = Some(progress);
        self
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Busy => Self::busy(),
            SubmitError::Stopped | SubmitError::Store(_) => {
                let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, code::NOT_DURABLE, error);
                Self { retry_after: Some(5), ..problem }
            }
        }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        let status = match error {
            EngineError::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
            EngineError::Stopped | EngineError::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, code::NOT_DURABLE, error)
    }
}

/// The refusal of a request that holds one record only.
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.code {
            code if code == code::MALFORMED_EVENT => StatusCode::BAD_REQUEST,
            code if code == code::CONFLICTING_EVENT => StatusCode::CONFLICT,
            code if code == code::EVENT_TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, refusal.code, refusal.reason)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": format!("urn:wayfare:{}", self.code),
            "title": self.code.title(),
            "status": self.status.as_u16(),
            "code": self.code.as_str(),
            "detail": self.detail,
        });
        if let (Some(Json::Object(progress)), Some(members)) = (self.progress, body.as_object_mut()) {
            members.extend(progress);
        }
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (self.status, [(header::CONTENT_TYPE, kind)], body.to_string()).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
