//! Health, counts, the schema, the kill switches and the reasons.

use std::sync::Arc;

use axum::Json as Body;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value as Json, json};

use super::Door;
use super::problem::Problem;
use crate::diagnostic::code;
use crate::diagnostic::suggest::nearest;
use crate::intake::envelope::is_json;
use crate::intake::quote;
use crate::name::Name;
use crate::program::Schema;
use crate::step::audience::Audience;
use crate::step::horizon::Short;
use crate::step::world::Kill;

/// The process answers.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// Events would be taken.
pub(super) async fn ready(State(door): State<Arc<Door>>) -> Result<&'static str, Problem> {
    door.engine.submit(Vec::new()).await?;
    Ok("ok\n")
}

pub(super) async fn stats(State(door): State<Arc<Door>>) -> Body<Json> {
    let (stats, world) = (door.engine.stats(), door.engine.world());
    Body(json!({
        "now": door.engine.now().to_string(),
        "bundle": world.bundle.hash,
        "batches": stats.batches,
        "accepted": stats.accepted,
        "duplicates": stats.duplicates,
        "parked": stats.parked,
        "imported": stats.imported,
        "quarantined": stats.quarantined,
        "enqueued": stats.enqueued,
        "sent": stats.sent,
        "dropped": stats.dropped,
        "failed": stats.failed,
        "retries": stats.retries,
        "outbox": stats.outbox,
        "next_due": stats.next_due.map(|due| due.to_string()),
        "filling": stats.filling.map(|filling| json!({
            "bundle": filling.bundle,
            "journeys": filling.journeys,
            "log_from": filling.log_from.map(|from| from.to_string()),
            "done": filling.done,
            "of": filling.of,
        })),
        "short": shorts(&stats.short),
        "groups": stats.groups,
    }))
}

/// How many are in an audience that a live journey asks, condition by condition.
pub(super) async fn audience(
    State(door): State<Arc<Door>>,
    Path(text): Path<String>,
) -> Result<Body<Json>, Problem> {
    let name = Name::lookup(&text);
    let funnel = {
        let _alone = door.counts.lock().await;
        match name {
            Some(name) => door.engine.audience(name).await?,
            None => None,
        }
    };
    let Some(funnel) = funnel else {
        let known = Audience::all(&door.engine.world());
        let near = nearest(&text, known.iter().map(|name| name.as_str()));
        let near = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        let detail = format!("no live journey asks an audience {}{near}", quote(&text));
        return Err(Problem::new(StatusCode::NOT_FOUND, code::NO_SUCH_THING, detail));
    };
    let conditions = funnel.conditions.iter().map(|condition| {
        json!({"condition": condition.text, "alone": condition.alone, "so_far": condition.together})
    });
    Ok(Body(json!({
        "audience": funnel.audience,
        "of": funnel.subject,
        "known": funnel.known,
        "members": funnel.members,
        "conditions": conditions.collect::<Vec<_>>(),
        "unreadable": funnel.unreadable,
        "short": shorts(&funnel.short),
    })))
}

/// How the experiments stand that have a winner, and what became of those that are decided.
pub(super) async fn experiments(State(door): State<Arc<Door>>) -> Result<Body<Json>, Problem> {
    let all = door.engine.experiments().await?;
    let told = all.into_iter().map(|one| {
        let arms = one.arms.iter();
        let arms =
            arms.map(|(arm, tally)| json!({"arm": arm, "counts": tally.counts, "reached": tally.reached}));
        json!({
            "experiment": one.experiment,
            "arms": arms.collect::<Vec<_>>(),
            "opened": one.opened.map(|at| at.to_string()),
            "decides": one.decides.map(|at| at.to_string()),
            "decided": one.decided.map(|what| json!({
                "at": what.at.to_string(),
                "arm": what.arm,
                "told": what.told,
            })),
        })
    });
    Ok(Body(told.collect()))
}

/// Conditions that look further back than anything is known.
fn shorts(short: &[Short]) -> Json {
    let all = short.iter().map(|short| {
        json!({"journey": short.journey, "condition": short.condition, "known_from": short.from.to_string()})
    });
    all.collect()
}

/// What may come in, for clients that prepare records.
pub(super) async fn schema(State(door): State<Arc<Door>>) -> Body<Schema> {
    Body(door.engine.world().bundle.schema.clone())
}

/// The switches as they are.
pub(super) async fn switches(State(door): State<Arc<Door>>) -> Body<Kill> {
    Body(door.engine.world().kill.clone())
}

/// `{"all": true}`, `{"channels": {"push": true}}`, `{"journeys": {"offer": false}}`: what is named changes, the rest
/// stays. The answer is what holds then.
pub(super) async fn switch(
    State(door): State<Arc<Door>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Body<Kill>, Problem> {
    must_be_json(&headers)?;
    let change: Map<String, Json> = serde_json::from_slice(&body)
        .map_err(|error| Problem::bad_request(format!("this is not a JSON object: {error}")))?;
    let _alone = door.switches.lock().await;
    let world = door.engine.world();
    let mut kill = world.kill.clone();
    for (key, value) in &change {
        match (key.as_str(), value) {
            ("all", Json::Bool(on)) => kill.all = *on,
            ("channels", Json::Object(names)) => {
                flip(&mut kill.channels, names, "channel", world.bundle.channels.keys())?;
            }
            ("journeys", Json::Object(names)) => {
                let known: Vec<Name> = world.programs.values().map(|program| program.body.journey).collect();
                flip(&mut kill.journeys, names, "journey", known.iter())?;
            }
            _ => {
                let detail = "expected `all` with true or false, or `channels` or `journeys` with names and true or false";
                return Err(Problem::bad_request(detail));
            }
        }
    }
    door.engine.kill(world.switched, kill.clone()).await?;
    tracing::warn!(all = kill.all, channels = ?kill.channels, journeys = ?kill.journeys, "kill switches were set");
    Ok(Body(kill))
}

/// A form or a text is what any web page can send.
pub(super) fn must_be_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if kind.is_some_and(is_json) {
        return Ok(());
    }
    let detail = "the content type must be application/json";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code::UNKNOWN_MEDIA, detail))
}

/// A mistyped switch would stop nothing, so every name must be known.
fn flip<'a>(
    set: &mut std::collections::BTreeSet<Name>,
    names: &Map<String, Json>,
    what: &str,
    known: impl Iterator<Item = &'a Name> + Clone,
) -> Result<(), Problem> {
    for (text, on) in names {
        let name =
            Name::lookup(text).filter(|name| known.clone().any(|known| known == name) || set.contains(name));
        let Some(name) = name else {
            let near = nearest(text, known.map(|name| name.as_str()));
            let near = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
            let detail = format!("there is no {what} {}{near}", quote(text));
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code::UNKNOWN_SWITCH, detail));
        };
        match on {
            Json::Bool(true) => set.insert(name),
            Json::Bool(false) => set.remove(&name),
            _ => return Err(Problem::bad_request(format!("{} must be true or false", quote(text)))),
        };
    }
    Ok(())
}
