//! The books: balances, entries, and what partners and staff do with a gift: use it, take it back.

use std::sync::Arc;

use axum::Json as Body;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::problem::Problem;
use super::{Door, ops};
use crate::diagnostic::code;
use crate::engine::partner::{Merchant, Redeemed};
use crate::engine::{EngineError, audit, show};
use crate::intake::quote;
use crate::ledger::Act;
use crate::store::{Acted, EntryPlace, EntryQuery, Ledger, StoreError};

/// Entries of one answer, where nothing is said, and at most.
const PAGE: usize = 100;
const MOST: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    account: Option<String>,
    /// `customer/c1`
    holder: Option<String>,
    limit: Option<usize>,
    after: Option<String>,
}

/// All accounts.
pub(super) async fn balances(State(door): State<Arc<Door>>) -> Result<Body<Json>, Problem> {
    let all = audit::balances(books(&door)?).await.map_err(failed)?;
    Ok(Body(json!({ "accounts": all.iter().map(show::balance).collect::<Vec<_>>() })))
}

/// A page of the entries of an account or a holder, oldest first.
pub(super) async fn entries(
    State(door): State<Arc<Door>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Body<Json>, Problem> {
    let Query(wanted) = wanted.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    let query = EntryQuery::of(wanted.account, wanted.holder)
        .ok_or_else(|| Problem::bad_request("expected `account` or `holder`, and not both"))?;
    let after = wanted.after.as_deref().map(place).transpose()?;
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, MOST);
    let rows = books(&door)?.entries(&query, after.as_ref(), limit).await.map_err(failed)?;
    let next = rows.last().filter(|_| rows.len() == limit).map(|row| {
        let (at, gift, account, part, act) = row.place();
        format!("{at}.{gift}.{part}.{act}.{account}")
    });
    Ok(Body(json!({ "entries": rows.iter().map(show::entry).collect::<Vec<_>>(), "next": next })))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Using {
    #[serde(default)]
    merchant: Merchant,
}

/// The customer has used it: `{"merchant": {"mcc": "5541"}}`, or nothing where it can be used anywhere.
pub(super) async fn redeem(
    State(door): State<Arc<Door>>,
    Path(gift): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Body<Json>, Problem> {
    let using = if body.is_empty() {
        Using::default()
    } else {
        ops::must_be_json(&headers)?;
        serde_json::from_slice(&body)
            .map_err(|error| Problem::bad_request(format!("this does not say where: {error}")))?
    };
    used(&door, gift, using.merchant).await
}

/// A gift is used, and the customer's journeys hear of it.
pub(super) async fn used(door: &Door, gift: String, merchant: Merchant) -> Result<Body<Json>, Problem> {
    match door.engine.redeem(gift.clone(), merchant).await?.ok_or_else(no_books)? {
        Redeemed::Acted(acted) => told(&gift, acted),
        Redeemed::Elsewhere => {
            let detail = "it cannot be used at this merchant, or it is not said which one that is";
            Err(Problem::new(StatusCode::CONFLICT, code::GIFT_CLOSED, detail))
        }
    }
}

/// The bank takes it back.
pub(super) async fn claw_back(
    State(door): State<Arc<Door>>,
    Path(gift): Path<String>,
) -> Result<Body<Json>, Problem> {
    let acted = door.engine.act(gift.clone(), Act::ClawBack).await?.ok_or_else(no_books)?;
    told(&gift, acted)
}

fn told(gift: &str, acted: Acted) -> Result<Body<Json>, Problem> {
    let conflict = |detail: &str| Problem::new(StatusCode::CONFLICT, code::GIFT_CLOSED, detail);
    let (rows, again) = match acted {
        Acted::Done(rows) => (rows, false),
        Acted::Before(rows) => (rows, true),
        Acted::Refused(_) => return Err(conflict("what has become of this gift does not allow it")),
        Acted::Ended(_) => return Err(conflict("the time of this gift is over")),
        Acted::Unknown => {
            let detail = format!("there is no gift {}", quote(gift));
            return Err(Problem::new(StatusCode::NOT_FOUND, code::NO_SUCH_THING, detail));
        }
    };
    Ok(Body(
        json!({ "gift": gift, "repeated": again, "entries": rows.iter().map(show::entry).collect::<Vec<_>>() }),
    ))
}

pub(super) fn books(door: &Door) -> Result<&dyn Ledger, Problem> {
    door.engine.ledger().ok_or_else(no_books)
}

fn no_books() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, code::NO_SUCH_THING, "this store keeps no books")
}

pub(super) fn failed(error: StoreError) -> Problem {
    EngineError::from(error).into()
}

/// Where a page ended.
fn place(text: &str) -> Result<EntryPlace, Problem> {
    let place = || {
        let mut parts = text.splitn(5, '.');
        let mut next = || parts.next();
        let (at, gift) = (next()?.parse().ok()?, next()?.to_owned());
        let (part, act) = (next()?.parse().ok()?, next()?.parse().ok()?);
        Some((at, gift, next()?.to_owned(), part, act))
    };
    place().ok_or_else(|| Problem::bad_request("`after` is the `next` of the page before"))
}
