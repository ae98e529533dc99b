//! Codes of partners: brought in, counted, shown to whoever has the gift, used at the partner's till.

use std::sync::Arc;

use axum::Json as Body;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::problem::Problem;
use super::{Door, ledger, ops};
use crate::diagnostic::code;
use crate::engine::partner::{Merchant, is_code, masked};
use crate::engine::show::moment;
use crate::intake::{MAX_ID, quote};
use crate::ledger::CODES;
use crate::name::Name;
use crate::program::value::Reward;
use crate::store::{PartnerCode, PartnerCodes, Shown};

/// Codes of one answer, where nothing is said, and at most.
const PAGE: usize = 100;
const MOST: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Importing {
    codes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Using {
    code: String,
    #[serde(default)]
    merchant: Merchant,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    limit: Option<usize>,
    skip: Option<usize>,
}

/// `{"codes": ["…"]}`: more of them. What is known already is left as it is.
pub(super) async fn import(
    State(door): State<Arc<Door>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Body<Json>, Problem> {
    ops::must_be_json(&headers)?;
    let Importing { codes } = serde_json::from_slice(&body)
        .map_err(|error| Problem::bad_request(format!("these are no codes: {error}")))?;
    if let Some(place) = codes.iter().position(|code| !is_code(code)) {
        let detail = format!("number {} is no code: 1 to {MAX_ID} bytes, no spaces", place + 1);
        return Err(Problem::bad_request(detail));
    }
    with_codes(&door, &name)?;
    let imported = kept(&door)?.import(&name, &codes, door.engine.now().as_millisecond()).await;
    let imported = imported.map_err(ledger::failed)?;
    let known = codes.len() as u64 - imported.min(codes.len() as u64);
    Ok(Body(json!({ "reward": name, "imported": imported, "known": known })))
}

/// Every reward that comes with codes: how many there are, and how many went.
pub(super) async fn counts(State(door): State<Arc<Door>>) -> Result<Body<Json>, Problem> {
    let counts = kept(&door)?.counts().await.map_err(ledger::failed)?;
    let quotas = ledger::books(&door)?.quotas().await.map_err(ledger::failed)?;
    let world = door.engine.world();
    let declared = world.bundle.values.rewards.iter();
    let declared = declared.filter_map(|(name, reward)| Some((name, reward.codes.as_ref()?)));
    let one = |(name, partner): (&Name, &Arc<str>)| {
        let count = counts.iter().find(|count| count.reward == name.as_str());
        let account = format!("{CODES}{name}");
        let given = quotas.iter().find(|quota| quota.account == account).map_or(0, |quota| quota.given);
        let imported = count.map_or(0, |count| count.imported);
        json!({
            "reward": name.as_str(), "partner": partner, "imported": imported, "given": given,
            "shown": count.map_or(0, |count| count.shown), "left": imported - given,
        })
    };
    Ok(Body(json!({ "rewards": declared.map(one).collect::<Vec<_>>() })))
}

/// A page of the codes of a reward, with their middle hidden.
pub(super) async fn list(
    State(door): State<Arc<Door>>,
    Path(name): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Body<Json>, Problem> {
    let Query(wanted) = wanted.map_err(|rejection| Problem::bad_query(&rejection, &["limit", "skip"]))?;
    with_codes(&door, &name)?;
    let (skip, limit) = (wanted.skip.unwrap_or_default(), wanted.limit.unwrap_or(PAGE).clamp(1, MOST));
    let codes = kept(&door)?.page(&name, skip, limit).await.map_err(ledger::failed)?;
    let one = |code: &PartnerCode| {
        json!({
            "code": masked(&code.code), "imported": moment(Some(code.made)), "gift": code.gift,
            "shown": moment(code.shown),
        })
    };
    let next = (codes.len() == limit).then_some(skip + limit);
    Ok(Body(json!({ "codes": codes.iter().map(one).collect::<Vec<_>>(), "next": next })))
}

/// The code of a gift, for whoever has it.
pub(super) async fn show(
    State(door): State<Arc<Door>>,
    Path(gift): Path<String>,
) -> Result<Body<Json>, Problem> {
    let missing = |detail: String| Problem::new(StatusCode::NOT_FOUND, code::NO_SUCH_THING, detail);
    match door.engine.code_of(gift.clone()).await?.ok_or_else(none_kept)? {
        Shown::Code { reward, code } => Ok(Body(json!({ "gift": gift, "reward": reward, "code": code }))),
        Shown::Without => Err(missing(format!("the gift {} comes without a code", quote(&gift)))),
        Shown::Unknown => Err(missing(format!("there is no gift {}", quote(&gift)))),
        Shown::Over => {
            let detail = "the time of this gift is over, or it was taken back";
            Err(Problem::new(StatusCode::CONFLICT, code::GIFT_CLOSED, detail))
        }
    }
}

/// `{"code": "…"}`: whoever has this code has used it.
pub(super) async fn redeem(
    State(door): State<Arc<Door>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Body<Json>, Problem> {
    ops::must_be_json(&headers)?;
    let Using { code, merchant } = serde_json::from_slice(&body)
        .map_err(|error| Problem::bad_request(format!("this does not say which code: {error}")))?;
    let found = kept(&door)?.code(&name, &code).await.map_err(ledger::failed)?;
    let Some(found) = found else {
        let detail = format!("there is no such code of {}", quote(&name));
        return Err(Problem::new(StatusCode::NOT_FOUND, code::NO_SUCH_THING, detail));
    };
    let Some(gift) = found.gift else {
        return Err(Problem::new(StatusCode::CONFLICT, code::GIFT_CLOSED, "nobody has been given this code"));
    };
    ledger::used(&door, gift, merchant).await
}

fn kept(door: &Door) -> Result<&dyn PartnerCodes, Problem> {
    door.engine.codes().ok_or_else(none_kept)
}

fn none_kept() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, code::NO_SUCH_THING, "this store keeps no codes")
}

fn with_codes(door: &Door, name: &str) -> Result<(), Problem> {
    let world = door.engine.world();
    let reward = Name::lookup(name).and_then(|name| world.bundle.values.rewards.get(&name));
    if reward.is_some_and(|reward: &Reward| reward.codes.is_some()) {
        return Ok(());
    }
    let detail = format!("there is no reward {} that comes with `codes`", quote(name));
    Err(Problem::new(StatusCode::NOT_FOUND, code::NO_SUCH_THING, detail))
}
