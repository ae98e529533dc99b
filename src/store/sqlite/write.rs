//! Writing what is no batch: small values, deployments; and what all transactions have in common.

use futures_util::TryStreamExt;
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Connection as _, Either, Executor as _, Sqlite, SqlitePool, Transaction};

use super::json::Rows;
use crate::store::{Deployment, Lease, StoreError};

pub(super) type Tx<'a> = Transaction<'a, Sqlite>;
pub(super) type Writer = PoolConnection<Sqlite>;

const HELD: &str = "SELECT count(*) FROM lease WHERE grp = 0 AND epoch = ?1";
const SET_META: &str = "INSERT INTO meta (name, value)
    SELECT value->>0, value->>1 FROM json_each(?1) WHERE true
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
const INSERT_SYMBOLS: &str =
    "INSERT OR FAIL INTO symbol (no, name) SELECT value->>0, value->>1 FROM json_each(?1)";
const INSERT_PROGRAMS: &str = "INSERT OR FAIL INTO program (no, hash, journey, body)
    SELECT value->>0, value->>1, value->>2, unhex(value->>3) FROM json_each(?1)";
const INSERT_BUNDLE: &str = "INSERT INTO bundle (hash, body) VALUES (?1, ?2)";

pub(super) async fn set_meta(
    pool: &SqlitePool,
    lease: &Lease,
    values: &[(String, String)],
) -> Result<(), StoreError> {
    let mut writer = pool.acquire().await?;
    let done = write_meta(&mut writer, lease, values).await;
    give_back(writer, done).await
}

async fn write_meta(
    writer: &mut Writer,
    lease: &Lease,
    values: &[(String, String)],
) -> Result<(), StoreError> {
    let mut tx = begin(writer).await?;
    held(&mut tx, lease).await?;
    meta(&mut tx, values).await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn deploy(
    pool: &SqlitePool,
    lease: &Lease,
    deployment: &Deployment,
) -> Result<(), StoreError> {
    let mut writer = pool.acquire().await?;
    let done = write_deployment(&mut writer, lease, deployment).await;
    give_back(writer, done).await
}

async fn write_deployment(
    writer: &mut Writer,
    lease: &Lease,
    deployment: &Deployment,
) -> Result<(), StoreError> {
    let mut tx = begin(writer).await?;
    held(&mut tx, lease).await?;
    let mut rows = Rows::with_capacity(deployment.symbols.len() * 24);
    for (no, name) in &deployment.symbols {
        rows.row(|row| {
            row.int(*no).text(name);
        });
    }
    run(&mut tx, INSERT_SYMBOLS, rows, deployment.symbols.len()).await?;
    let mut rows = Rows::with_capacity(deployment.programs.iter().map(|row| row.body.len() * 2 + 128).sum());
    for program in &deployment.programs {
        rows.row(|row| {
            row.int(program.no).text(&program.hash).text(&program.journey).bytes(&program.body);
        });
    }
    run(&mut tx, INSERT_PROGRAMS, rows, deployment.programs.len()).await?;
    if let Some((hash, body)) = &deployment.bundle {
        sqlx::query(INSERT_BUNDLE).bind(hash).bind(body).execute(&mut *tx).await?;
    }
    meta(&mut tx, &deployment.meta).await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn begin(writer: &mut Writer) -> Result<Tx<'_>, StoreError> {
    Ok(writer.begin_with("BEGIN IMMEDIATE").await?)
}

/// SQLite ends a transaction by itself when the disk is full or fails. The driver would still count it as open and
/// refuse the next one for ever, so that connection is closed.
pub(super) async fn give_back(writer: Writer, done: Result<(), StoreError>) -> Result<(), StoreError> {
    if !matches!(done, Ok(()) | Err(StoreError::Fenced | StoreError::Conflict)) {
        // It has failed already; what closing it says is no news.
        let _ = writer.close().await;
    }
    done
}

/// Of the one group.
pub(super) fn epoch(lease: &Lease) -> i64 {
    lease.groups.first().map_or(0, |(_, epoch)| epoch.cast_signed())
}

pub(super) async fn held(tx: &mut Tx<'_>, lease: &Lease) -> Result<(), StoreError> {
    let query = sqlx::query_scalar(HELD).bind(epoch(lease));
    let held: i64 = query.fetch_one(&mut **tx).await?;
    if held == 1 { Ok(()) } else { Err(StoreError::Fenced) }
}

pub(super) async fn meta(tx: &mut Tx<'_>, values: &[(String, String)]) -> Result<(), StoreError> {
    run(tx, SET_META, meta_rows(values), values.len()).await?;
    Ok(())
}

pub(super) fn meta_rows(values: &[(String, String)]) -> Rows {
    let mut rows = Rows::with_capacity(values.len() * 64);
    for (name, value) in values {
        rows.row(|row| {
            row.text(name).text(value);
        });
    }
    rows
}

/// Runs a text of several statements. `look` hears of each, in order, how many rows it changed, and may refuse that: the rest may have
/// run by then, in vain, since nothing stays of a transaction that failed.
pub(super) async fn run_all(
    tx: &mut Tx<'_>,
    query: Query<'_, Sqlite, SqliteArguments>,
    mut look: impl FnMut(usize, u64) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut done = (&mut **tx).fetch_many(query);
    let mut nth = 0;
    while let Some(result) = done.try_next().await? {
        if let Either::Left(result) = result {
            look(nth, result.rows_affected())?;
            nth += 1;
        }
    }
    Ok(())
}

/// Runs a set-wise statement, or nothing for no rows. Returns how many rows it changed.
pub(super) async fn run(
    tx: &mut Tx<'_>,
    sql: &'static str,
    rows: Rows,
    count: usize,
) -> Result<u64, StoreError> {
    if count == 0 {
        return Ok(0);
    }
    Ok(sqlx::query(sql).bind(rows.finish()).execute(&mut **tx).await?.rows_affected())
}
