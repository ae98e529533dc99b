//! Reports of providers, each proved in the provider's own way: they become the events `wayfare.delivered` and
//! `wayfare.failed`. No token of ours is needed, because a provider has none.

use std::sync::Arc;

use axum::Json as Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value as Json, json};

use super::super::Door;
use super::super::problem::Problem;
use super::report;
use crate::channel::callback::{Call, Refused, Report};
use crate::diagnostic::code;
use crate::intake::quote;

pub(in crate::http) async fn receive(
    State(door): State<Arc<Door>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: String,
) -> Result<Body<Json>, Problem> {
    let call = Call {
        query: query.as_deref().unwrap_or_default(),
        signature: headers.get("x-twilio-signature").and_then(|value| value.to_str().ok()),
        body: &body,
    };
    let reports = match door.callbacks.read(&name, call) {
        None => {
            let detail = format!("no provider {} reports here", quote(&name));
            return Err(Problem::new(StatusCode::NOT_FOUND, code::NO_SUCH_THING, detail));
        }
        Some(Err(Refused::Unsigned)) => {
            let detail = "the report does not prove that it comes from the provider";
            return Err(Problem::new(StatusCode::FORBIDDEN, code::UNSIGNED_REPORT, detail));
        }
        Some(Err(Refused::Unreadable)) => {
            return Err(Problem::bad_request("the report cannot be read"));
        }
        Some(Ok(reports)) => reports,
    };
    report(&door, reports.iter().map(|report| event(&name, report)).collect()).await?;
    // As Aliyun wants it; Twilio looks at the status alone.
    Ok(Body(json!({"code": 0, "msg": "ok"})))
}

fn event(provider: &str, report: &Report) -> Json {
    let kind = if report.delivered { "wayfare.delivered" } else { "wayfare.failed" };
    json!({
        "specversion": "1.0",
        "source": format!("urn:wayfare:provider:{provider}"),
        "id": format!("{}/{}", report.id, report.message),
        "type": kind,
        "data": {"message": report.message},
    })
}
