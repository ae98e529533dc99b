//! Referrals: a code for who invites, the link that somebody has followed, and who was brought by whom.

use std::sync::Arc;

use axum::Json as Body;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::problem::Problem;
use super::{Door, ops};
use crate::diagnostic::code;
use crate::engine::referral::{Answer, Followed, Marks, reason};
use crate::engine::show;
use crate::intake::{MAX_ID, quote};
use crate::name::Name;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inviting {
    inviter: String,
    device: Option<String>,
    address: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Following {
    code: String,
    invitee: String,
    device: Option<String>,
    address: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    whom: String,
}

/// `{"inviter": "c1"}`: the code by which they invite.
pub(super) async fn invite(
    State(door): State<Arc<Door>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Body<Json>, Problem> {
    let Inviting { inviter, device, address } = read(&headers, &body)?;
    well_formed(&[Some(&inviter), device.as_ref(), address.as_ref()])?;
    let referral = known(&door, &name)?;
    let answer = door.engine.invite(referral, inviter, Marks { device, address }).await?;
    told(&name, answer)
}

/// `{"code": "…", "invitee": "c2"}`: somebody has followed a link.
pub(super) async fn follow(
    State(door): State<Arc<Door>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Body<Json>, Problem> {
    let Following { code, invitee, device, address } = read(&headers, &body)?;
    well_formed(&[Some(&code), Some(&invitee), device.as_ref(), address.as_ref()])?;
    let (referral, marks) = (known(&door, &name)?, Marks { device, address });
    told(&name, door.engine.follow(Followed { referral, code, invitee: invitee.into(), marks }).await?)
}

/// By whom somebody was invited, whom they have brought, and links that did not count.
pub(super) async fn links(
    State(door): State<Arc<Door>>,
    Path(name): Path<String>,
    wanted: Result<Query<Whose>, QueryRejection>,
) -> Result<Body<Json>, Problem> {
    let Query(Whose { whom }) = wanted.map_err(|rejection| Problem::bad_query(&rejection, &["whom"]))?;
    let referral = known(&door, &name)?;
    let world = door.engine.world();
    let declared = world.bundle.values.referrals.get(&referral);
    let entity = declared.map(|declared| declared.subject.to_string()).unwrap_or_default();
    let (edges, refusals) = door.engine.links_of(format!("{entity}/{whom}")).await?;
    let edges = edges.iter().filter(|edge| edge.referral == name).map(show::edge);
    let refusals = refusals.iter().filter(|refusal| refusal.referral == name).map(show::refusal);
    Ok(Body(json!({ "links": edges.collect::<Vec<_>>(), "refused": refusals.collect::<Vec<_>>() })))
}

fn told(name: &str, answer: Answer) -> Result<Body<Json>, Problem> {
    let missing = |detail: String| Problem::new(StatusCode::NOT_FOUND, code::NO_SUCH_THING, detail);
    match answer {
        Answer::Code(code) => Ok(Body(show::code(&code))),
        Answer::Bound { edge, again } => {
            let mut json = show::edge(&edge);
            if let Some(members) = json.as_object_mut() {
                members.insert("repeated".to_owned(), again.into());
            }
            Ok(Body(json))
        }
        Answer::Refused(word) => {
            let detail = format!("this link does not count: {} (`{word}`)", reason(&word));
            Err(Problem::new(StatusCode::CONFLICT, code::LINK_REFUSED, detail))
        }
        Answer::Lacks(word) => {
            let detail = format!("`{word}` is missing: `{name}` refuses `same_{word}`");
            Err(Problem::bad_request(detail))
        }
        Answer::NoReferral => Err(missing(format!("there is no referral {}", quote(name)))),
        Answer::NoCode => Err(missing(format!("no such code of {} was handed out", quote(name)))),
    }
}

fn known(door: &Door, name: &str) -> Result<Name, Problem> {
    let world = door.engine.world();
    let found = Name::lookup(name).filter(|name| world.bundle.values.referrals.contains_key(name));
    found.ok_or_else(|| {
        let detail = format!("there is no referral {}", quote(name));
        Problem::new(StatusCode::NOT_FOUND, code::NO_SUCH_THING, detail)
    })
}

fn read<T: DeserializeOwned>(headers: &HeaderMap, body: &Bytes) -> Result<T, Problem> {
    ops::must_be_json(headers)?;
    serde_json::from_slice(body)
        .map_err(|error| Problem::bad_request(format!("this does not say who: {error}")))
}

fn well_formed(texts: &[Option<&String>]) -> Result<(), Problem> {
    let is_bad =
        |text: &&String| text.is_empty() || text.len() > MAX_ID || text.chars().any(char::is_control);
    if texts.iter().flatten().any(is_bad) {
        return Err(Problem::bad_request(format!(
            "texts have 1 to {MAX_ID} bytes and no control characters"
        )));
    }
    Ok(())
}
