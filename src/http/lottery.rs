//! Lotteries: what was published of each, and its draws, for whoever wants to look at them again.

use std::sync::Arc;

use axum::Json as Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::Door;
use super::problem::Problem;
use crate::diagnostic::code;
use crate::engine::{EngineError, show};
use crate::intake::quote;
use crate::store::{Lotteries, StoreError};

/// Draws of one answer, where nothing is said, and at most.
const PAGE: usize = 1_000;
const MOST: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The number of the last draw of the page before.
    after: Option<i64>,
    limit: Option<usize>,
    /// Whether it is said who drew.
    #[serde(default)]
    holders: bool,
}

/// All that there ever were.
pub(super) async fn all(State(door): State<Arc<Door>>) -> Result<Body<Json>, Problem> {
    let all = kept(&door)?.lotteries().await.map_err(failed)?;
    Ok(Body(json!({ "lotteries": all.iter().map(show::lottery).collect::<Vec<_>>() })))
}

/// A page of the draws of one, in their order.
pub(super) async fn draws(
    State(door): State<Arc<Door>>,
    Path(name): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Body<Json>, Problem> {
    let Query(wanted) =
        wanted.map_err(|rejection| Problem::bad_query(&rejection, &["after", "limit", "holders"]))?;
    let kept = kept(&door)?;
    if !kept.lotteries().await.map_err(failed)?.iter().any(|row| row.name == name) {
        let detail = format!("there is no lottery {}", quote(&name));
        return Err(Problem::new(StatusCode::NOT_FOUND, code::NO_SUCH_THING, detail));
    }
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, MOST);
    let rows = kept.draws(&name, wanted.after.unwrap_or_default(), limit).await.map_err(failed)?;
    let next = rows.last().filter(|_| rows.len() == limit).map(|row| row.record.nth);
    let draws: Vec<Json> = rows.iter().map(|row| show::draw(row, wanted.holders)).collect();
    Ok(Body(json!({ "draws": draws, "next": next })))
}

fn kept(door: &Door) -> Result<&dyn Lotteries, Problem> {
    let none = || Problem::new(StatusCode::NOT_FOUND, code::NO_SUCH_THING, "this store keeps no lotteries");
    door.engine.lotteries().ok_or_else(none)
}

fn failed(error: StoreError) -> Problem {
    EngineError::from(error).into()
}
