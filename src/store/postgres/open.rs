//! Opening: the connections and what they are set to.

use std::str::FromStr;
use std::sync::RwLock;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::lease::SPAN;
use super::share::{Life, Worker};
use super::{PostgresStore, schema};
use crate::store::{Lease, StoreError};

const CONNECTIONS: u32 = 4;
/// For a connection. The pool asks again at longer and longer intervals, up to a fifth of this: a worker is to be back
/// soon after its server is.
const LONGEST_CONNECT: Duration = Duration::from_millis(2_500);
/// For the first one, a server that is starting up included.
const LONGEST_OPEN: Duration = Duration::from_secs(10);

pub(super) async fn for_writing(
    url: &str,
    worker: &Worker,
    development: bool,
) -> Result<PostgresStore, StoreError> {
    let pool = pool(url, Some(worker)).await?;
    schema::migrate(&pool).await?;
    let made_for = if development { "development" } else { "production" };
    sqlx::query("INSERT INTO meta (name, value) VALUES ('made_for', $1) ON CONFLICT DO NOTHING")
        .bind(made_for)
        .execute(&pool)
        .await?;
    let (life, hold) = Life::begin(&pool, worker).await?;
    let lease = RwLock::new(hold.lease());
    Ok(PostgresStore { pool, lease, writing: Some((life, Mutex::new(hold))) })
}

pub(super) async fn for_reading(url: &str) -> Result<PostgresStore, StoreError> {
    let pool = pool(url, None).await?;
    schema::check(&pool).await?;
    let lease = RwLock::new(Lease { span: SPAN, groups: Vec::new(), batch: 0 });
    Ok(PostgresStore { pool, lease, writing: None })
}

async fn pool(url: &str, worker: Option<&Worker>) -> Result<PgPool, StoreError> {
    let options = PgConnectOptions::from_str(url)?.application_name("wayfare").disable_statement_logging();
    // A plan made for an empty table stays with a prepared statement and is a hundred times slower on a full one; and
    // only with the values at hand does the planner see that one partition is enough. Compiling plans gains nothing.
    let mut options = options.options([("plan_cache_mode", "force_custom_plan"), ("jit", "off")]);
    // Every statement reaches its rows by keys, however much of a young table's statistics says otherwise: the planner takes a
    // batch of thousands of keys for a reason to read the whole table, in every batch (decision 39).
    options =
        options.options([("enable_hashjoin", "off"), ("enable_mergejoin", "off"), ("enable_seqscan", "off")]);
    // What is there already when workers start together is no news.
    options = options.options([("client_min_messages", "warning")]);
    match worker {
        // A worker that stands still in the middle of a transaction has unlocked its groups before it is given up.
        Some(worker) => {
            let patience = (worker.patience / 2).as_millis().max(1);
            options = options.options([("idle_in_transaction_session_timeout", patience.to_string())]);
        }
        None => options = options.options([("default_transaction_read_only", "on")]),
    }
    let pools = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(LONGEST_CONNECT)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None);
    let until = Instant::now() + LONGEST_OPEN;
    loop {
        match pools.clone().connect_with(options.clone()).await {
            Err(sqlx::Error::PoolTimedOut) if Instant::now() < until => {}
            done => return Ok(done?),
        }
    }
}
