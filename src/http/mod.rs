//! The daemon's door to the network: events in, health and reasons out.
//!
//! Reading order: [`Door`] and [`router`] (what there is at which address), [`events`] (CloudEvents in four content
//! modes), [`backend`] (what is needed of the engine), `auth` (who may), `problem` (how refusals look), [`serve`]
//! (connections and their limits). Judging records is [`crate::intake`]'s, storing them the engine's.

mod assets;
mod auth;
pub mod backend;
mod codes;
pub mod events;
mod followed;
mod ledger;
mod lottery;
mod ops;
mod problem;
mod referral;
pub mod serve;
mod slots;
mod tasks;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tokio::sync::{Mutex, Semaphore};

pub use backend::Backend;
pub use serve::serve;

use crate::channel::callback::Callbacks;
use crate::channel::track::Tracks;
use crate::config::Secret;
use problem::Problem;

/// Requests whose bodies may be in memory at once.
const UPLOADS: usize = 32;

/// What every request sees.
pub struct Door {
    pub engine: Arc<dyn Backend>,
    /// What requests must bear; without one only loopback is served.
    pub token: Option<Secret>,
    /// Bytes of a body that is read as a whole.
    pub max_body: usize,
    /// Where we listen.
    pub address: SocketAddr,
    /// How providers report.
    pub callbacks: Callbacks,
    /// Where tracked links lead; `None`: there are none.
    pub tracks: Option<Tracks>,
    uploads: Semaphore,
    /// Held while switches are read, changed and set.
    switches: Mutex<()>,
    /// Held while an audience is counted: one at a time.
    counts: Mutex<()>,
}

impl Door {
    #[must_use]
    pub fn new(engine: Arc<dyn Backend>, token: Option<Secret>, max_body: u64, address: SocketAddr) -> Self {
        Self {
            engine,
            token,
            max_body: usize::try_from(max_body).unwrap_or(usize::MAX),
            address,
            callbacks: Callbacks::default(),
            tracks: None,
            uploads: Semaphore::new(UPLOADS),
            switches: Mutex::new(()),
            counts: Mutex::new(()),
        }
    }
}

/// Everything there is, by address.
pub fn router(door: Door) -> Router {
    let door = Arc::new(door);
    let guarded = Router::new()
        .route("/v1/audiences/{name}", get(ops::audience))
        .route("/v1/codes", get(codes::counts))
        .route("/v1/codes/{reward}", get(codes::list).post(codes::import))
        .route("/v1/codes/{reward}/redeem", post(codes::redeem))
        .route("/v1/events", post(events::receive))
        .route("/v1/kill", get(ops::switches).post(ops::switch))
        .route("/v1/experiments", get(ops::experiments))
        .route("/v1/gifts/{gift}/claw-back", post(ledger::claw_back))
        .route("/v1/gifts/{gift}/code", post(codes::show))
        .route("/v1/gifts/{gift}/redeem", post(ledger::redeem))
        .route("/v1/ledger", get(ledger::balances))
        .route("/v1/ledger/entries", get(ledger::entries))
        .route("/v1/lotteries", get(lottery::all))
        .route("/v1/lotteries/{name}/draws", get(lottery::draws))
        .route("/v1/referrals/{name}/codes", post(referral::invite))
        .route("/v1/referrals/{name}/links", get(referral::links).post(referral::follow))
        .route("/v1/schema", get(ops::schema))
        .route("/v1/slots", get(slots::several))
        .route("/v1/slots/reports", post(slots::report))
        .route("/v1/slots/{slot}", get(slots::one))
        .route("/v1/stats", get(ops::stats))
        .route("/v1/tasks", get(tasks::list))
        .route("/v1/tasks/changes", get(tasks::changes))
        .route("/v1/tasks/summary", get(tasks::summary))
        .route("/v1/tasks/{id}", get(tasks::one))
        .route("/v1/tasks/{id}/assignee", post(tasks::reassign))
        .route("/v1/tasks/{id}/claim", post(tasks::claim))
        .route("/v1/tasks/{id}/result", post(tasks::result))
        .layer(from_fn_with_state(Arc::clone(&door), auth::bearer));
    Router::new()
        .route("/livez", get(ops::live))
        .route("/readyz", get(ops::ready))
        .route("/v1/receipts/{name}", post(events::receipts::receive))
        .merge(guarded)
        .fallback(async || Problem::nothing_here())
        .method_not_allowed_fallback(async || Problem::wrong_method())
        .layer(from_fn_with_state(Arc::clone(&door), auth::same_site))
        // Customers come from everywhere, under the bank's own domain.
        .route("/l/{token}", get(followed::link))
        .route("/s/{name}", get(followed::short))
        .route("/o/{token}", get(followed::picture))
        .route("/v1/assets/{hash}", get(assets::one))
        .layer(from_fn(serve::no_store))
        .with_state(door)
}
