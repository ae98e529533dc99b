//! What stands in slots for a customer, for the pages of the bank's app, and what the customer did with it.

use std::sync::Arc;

use axum::Json as Body;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::events::{Account, Item, take};
use super::problem::Problem;
use super::{Door, assets, ops};
use crate::diagnostic::code;
use crate::diagnostic::suggest::nearest;
use crate::intake::event::DEFAULT_ENTITY;
use crate::intake::{MAX_ID, quote};
use crate::name::Name;
use crate::step::RootKey;
use crate::step::slots::Standing;

/// Slots of one request, and reports.
const MOST: usize = 32;
const MOST_REPORTS: usize = 1_000;
/// The source of what comes by this door.
const SOURCE: &str = "wayfare.slots";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    subject: String,
    entity: Option<String>,
    slots: Option<String>,
}

impl Asked {
    const KNOWN: [&str; 3] = ["subject", "entity", "slots"];
}

/// What a customer did with what stands in a slot.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    placement: String,
    what: What,
    /// Tells two sights apart: said again with the same one it counts once.
    id: Option<String>,
    time: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum What {
    Shown,
    Clicked,
    Dismissed,
}

/// Several slots of one page, as they are at one moment.
pub(super) async fn several(
    State(door): State<Arc<Door>>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Body<Json>, Problem> {
    let Query(asked) = asked.map_err(|error| Problem::bad_query(&error, &Asked::KNOWN))?;
    let listed = asked.slots.clone().unwrap_or_default();
    let names: Vec<&str> = listed.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.is_empty() || names.len() > MOST {
        return Err(Problem::bad_request(format!("`slots` names 1 to {MOST} slots, such as banner,popup")));
    }
    stands(&door, &asked, &names).await
}

pub(super) async fn one(
    State(door): State<Arc<Door>>,
    Path(slot): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Body<Json>, Problem> {
    let Query(asked) = asked.map_err(|error| Problem::bad_query(&error, &Asked::KNOWN))?;
    stands(&door, &asked, &[&slot]).await
}

async fn stands(door: &Door, asked: &Asked, names: &[&str]) -> Result<Body<Json>, Problem> {
    let world = door.engine.world();
    let slots: Vec<Name> = names.iter().map(|name| known(door, name)).collect::<Result<_, _>>()?;
    let entity = asked.entity.as_deref().unwrap_or(DEFAULT_ENTITY);
    let entity = Name::lookup(entity).filter(|name| world.bundle.schema.entities.contains_key(name));
    let entity =
        entity.ok_or_else(|| Problem::bad_request("`entity` is a kind of subject that is declared"))?;
    if asked.subject.is_empty() || asked.subject.len() > MAX_ID {
        return Err(Problem::bad_request("`subject` is the key of whoever looks at the page"));
    }
    let root = RootKey { entity, id: asked.subject.as_str().into() };
    let found = door.engine.slots(root, slots.clone()).await?;
    let of = |slot: &Name| -> Vec<Json> { found.iter().filter(|one| one.slot == *slot).map(shown).collect() };
    let slots: Map<String, Json> = slots.iter().map(|slot| (slot.to_string(), of(slot).into())).collect();
    Ok(Body(json!({"subject": asked.subject, "slots": slots})))
}

/// A mistyped slot would be an empty one for ever.
fn known(door: &Door, text: &str) -> Result<Name, Problem> {
    let world = door.engine.world();
    let is_slot = |kind: &str| matches!(kind, "slot" | "ads");
    let slots = || world.bundle.channels.iter().filter(|(_, channel)| is_slot(channel.kind.as_str()));
    let found = slots().find(|(name, _)| name.as_str() == text);
    found.map(|(name, _)| *name).ok_or_else(|| {
        let near = nearest(text, slots().map(|(name, _)| name.as_str()));
        let near = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        let detail = format!("there is no slot {}{near}", quote(text));
        Problem::new(StatusCode::NOT_FOUND, code::NO_SUCH_THING, detail)
    })
}

fn shown(one: &Standing) -> Json {
    let parts: Map<String, Json> =
        one.parts.iter().map(|(name, text)| (name.to_string(), (**text).into())).collect();
    let mut told = json!({
        "placement": one.placement.to_string(),
        "content": one.content,
        "rank": one.rank,
        "since": one.since.to_string(),
        "until": one.until.map(|until| until.to_string()),
        "parts": parts,
    });
    if let (false, Json::Object(members)) = (one.pictures.is_empty(), &mut told) {
        let address = |(name, hash): &(Name, Arc<str>)| (name.to_string(), assets::address(hash).into());
        members.insert("assets".to_owned(), Json::Object(one.pictures.iter().map(address).collect()));
    }
    told
}

/// `[{"placement": "…", "what": "shown", "id": "…"}, …]`: each counts once. Without an `id` the first of its kind does.
pub(super) async fn report(
    State(door): State<Arc<Door>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    ops::must_be_json(&headers)?;
    let reports: Vec<Report> = serde_json::from_slice(&body)
        .map_err(|error| Problem::bad_request(format!("this is not a list of reports: {error}")))?;
    if reports.len() > MOST_REPORTS {
        return Err(Problem::bad_request(format!("at most {MOST_REPORTS} reports at once")));
    }
    let items = reports.into_iter().zip(0..).map(|(report, index)| Item::new(index, None, event(report)));
    let mut account = Account::default();
    take(&door, items.collect(), &mut account).await?;
    Ok(account.into_response())
}

/// The report as an event of the usual door.
fn event(report: Report) -> Json {
    let what = match report.what {
        What::Shown => "shown",
        What::Clicked => "clicked",
        What::Dismissed => "dismissed",
    };
    let id = report.id.unwrap_or_else(|| format!("{}#{what}", report.placement));
    let mut event = json!({
        "specversion": "1.0", "source": SOURCE, "id": id, "type": format!("wayfare.{what}"),
        "data": {"message": report.placement},
    });
    if let (Some(time), Json::Object(members)) = (report.time, &mut event) {
        members.insert("time".to_owned(), time.into());
    }
    event
}
