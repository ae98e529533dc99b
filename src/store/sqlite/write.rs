//! Writing: one transaction, a fixed handful of statements.

use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, Sqlite, SqlitePool, Transaction};

use super::json::Rows;
use super::{ledger, link, lottery, task};
use crate::step::facets::Mark;
use crate::store::{Commit, Deployment, Lease, Packed, StateRow, StoreError};

pub(super) type Tx<'a> = Transaction<'a, Sqlite>;
pub(super) type Writer = PoolConnection<Sqlite>;

/// Also numbers the batches without a gap, so a commit can be neither lost nor repeated unnoticed.
const FENCE: &str = "UPDATE lease SET batch = ?1 WHERE grp = 0 AND epoch = ?2 AND batch = ?1 - 1";
const HELD: &str = "SELECT count(*) FROM lease WHERE grp = 0 AND epoch = ?1";
// `OR FAIL` where a statement writes many rows: whatever fails takes the whole transaction back, so SQLite need not keep each
// page as it was before the statement. It would write those to a file of its own, as many as go to the log.
const INSERT_STATES: &str = "INSERT OR FAIL INTO state (bucket, kind, id, version, body, layout, facets)
    SELECT value->>0, value->>1, value->>2, 1, unhex(value->>3), value->>4, value->>5 FROM json_each(?1)";
const UPDATE_STATES: &str = "UPDATE OR FAIL state
    SET version = state.version + 1, body = unhex(value->>4), layout = value->>5, facets = value->>6
    FROM json_each(?1)
    WHERE state.bucket = value->>0 AND state.kind = value->>1 AND state.id = value->>2
        AND state.version = value->>3";
const RESIFT: &str = "UPDATE OR FAIL state SET layout = value->>3, facets = value->>4 FROM json_each(?1)
    WHERE state.bucket = value->>0 AND state.kind = value->>1 AND state.id = value->>2";
const INSERT_LOG: &str = "INSERT INTO log (batch, body, made) VALUES (?1, ?2, ?3)";
const INSERT_TRACE: &str = "INSERT INTO trace (batch, body, made) VALUES (?1, ?2, ?3)";
const INSERT_OUTBOX: &str = "INSERT OR FAIL INTO outbox (channel, batch, body)
    SELECT value->>0, value->>1, unhex(value->>2) FROM json_each(?1)";
const DELETE_OUTBOX: &str = "DELETE FROM outbox WHERE (channel, batch) IN
    (SELECT value->>0, value->>1 FROM json_each(?1))";
const INSERT_TIMERS: &str = "INSERT OR FAIL INTO timer (due, batch, body)
    SELECT value->>0, value->>1, unhex(value->>2) FROM json_each(?1)";
const DELETE_TIMERS: &str = "DELETE FROM timer WHERE (due, batch) IN
    (SELECT value->>0, value->>1 FROM json_each(?1))";
const INSERT_DEDUP: &str = "INSERT OR FAIL INTO dedup (slot, hash, payload, made)
    SELECT value->>0, unhex(value->>1), value->>2, ?2 FROM json_each(?1)";
const INSERT_QUARANTINE: &str = "INSERT OR FAIL INTO quarantine (at, code, reason, body)
    SELECT value->>0, value->>1, value->>2, unhex(value->>3) FROM json_each(?1)";
const INSERT_INBOX: &str = "INSERT INTO inbox (batch, at, body) VALUES (?1, ?2, ?3)";
const DELETE_INBOX: &str = "DELETE FROM inbox WHERE batch IN (SELECT value FROM json_each(?1))";
const SET_META: &str = "INSERT INTO meta (name, value)
    SELECT value->>0, value->>1 FROM json_each(?1) WHERE true
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
const INSERT_SYMBOLS: &str =
    "INSERT OR FAIL INTO symbol (no, name) SELECT value->>0, value->>1 FROM json_each(?1)";
const INSERT_PROGRAMS: &str = "INSERT OR FAIL INTO program (no, hash, journey, body)
    SELECT value->>0, value->>1, value->>2, unhex(value->>3) FROM json_each(?1)";
const INSERT_BUNDLE: &str = "INSERT INTO bundle (hash, body) VALUES (?1, ?2)";

pub(super) async fn commit(pool: &SqlitePool, lease: &Lease, commit: &Commit) -> Result<(), StoreError> {
    if let Some(row) = commit.states.iter().find(|row| !lease.covers(row.key.bucket)) {
        return Err(StoreError::OutsideLease(row.key.bucket));
    }
    let mut writer = pool.acquire().await?;
    let done = write(&mut writer, lease, commit).await;
    give_back(writer, done).await
}

async fn write(writer: &mut Writer, lease: &Lease, commit: &Commit) -> Result<(), StoreError> {
    let mut tx = begin(writer).await?;
    fence(&mut tx, lease, commit.batch).await?;
    states(&mut tx, commit).await?;
    packed(&mut tx, INSERT_LOG, &commit.log, commit.made).await?;
    packed(&mut tx, INSERT_TRACE, &commit.trace, commit.made).await?;
    queues(&mut tx, commit).await?;
    records(&mut tx, commit).await?;
    inbox(&mut tx, commit).await?;
    task::write(&mut tx, &commit.tasks, commit.batch).await?;
    link::write(&mut tx, commit).await?;
    ledger::write(&mut tx, commit).await?;
    lottery::write(&mut tx, commit).await?;
    tx.commit().await?;
    Ok(())
}

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

async fn fence(tx: &mut Tx<'_>, lease: &Lease, batch: u64) -> Result<(), StoreError> {
    let query = sqlx::query(FENCE).bind(batch.cast_signed()).bind(epoch(lease));
    let changed = query.execute(&mut **tx).await?.rows_affected();
    if changed == 1 { Ok(()) } else { Err(StoreError::Fenced) }
}

/// Of the one group.
fn epoch(lease: &Lease) -> i64 {
    lease.groups.first().map_or(0, |(_, epoch)| epoch.cast_signed())
}

pub(super) async fn held(tx: &mut Tx<'_>, lease: &Lease) -> Result<(), StoreError> {
    let query = sqlx::query_scalar(HELD).bind(epoch(lease));
    let held: i64 = query.fetch_one(&mut **tx).await?;
    if held == 1 { Ok(()) } else { Err(StoreError::Fenced) }
}

/// In the order of their keys: neighbours share pages.
async fn states(tx: &mut Tx<'_>, commit: &Commit) -> Result<(), StoreError> {
    let states = &commit.states;
    let facets = commit.facets.iter().copied().chain(std::iter::repeat(None));
    let mut sorted: Vec<(&StateRow, Option<Mark>)> = states.iter().zip(facets).collect();
    sorted.sort_unstable_by(|(a, _), (b, _)| a.key.cmp(&b.key));
    let bytes = sorted.iter().map(|(row, _)| row.body.len() * 2 + row.key.id.len() + 60).sum();
    let (mut new, mut old) = (Rows::with_capacity(0), Rows::with_capacity(bytes));
    let mut inserts = 0;
    for (state, facets) in sorted {
        let key = &state.key;
        if state.version == 0 {
            inserts += 1;
            new.row(|row| {
                row.int(key.bucket).int(key.kind).text(&key.id).bytes(&state.body).mark(facets);
            });
        } else {
            old.row(|row| {
                row.int(key.bucket)
                    .int(key.kind)
                    .text(&key.id)
                    .int(state.version)
                    .bytes(&state.body)
                    .mark(facets);
            });
        }
    }
    run(tx, INSERT_STATES, new, inserts).await?;
    let updates = states.len() - inserts;
    let changed = run(tx, UPDATE_STATES, old, updates).await?;
    if changed != updates as u64 {
        return Err(StoreError::Conflict);
    }
    let mut rows = Rows::with_capacity(commit.resifted.len() * 48);
    for (key, facets) in &commit.resifted {
        rows.row(|row| {
            row.int(key.bucket).int(key.kind).text(&key.id).mark(*facets);
        });
    }
    run(tx, RESIFT, rows, commit.resifted.len()).await?;
    Ok(())
}

/// One row, since there is one group.
async fn packed(tx: &mut Tx<'_>, sql: &'static str, rows: &[Packed], made: i64) -> Result<(), StoreError> {
    for row in rows {
        let query = sqlx::query(sql).bind(row.at.batch.cast_signed()).bind(&row.body).bind(made);
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

/// Outbox rows and timer chunks: those used up, then the new ones.
async fn queues(tx: &mut Tx<'_>, commit: &Commit) -> Result<(), StoreError> {
    let mut rows = Rows::with_capacity(commit.outbox_done.len() * 16);
    for (channel, place) in &commit.outbox_done {
        rows.row(|row| {
            row.int(*channel).int(place.batch.cast_signed());
        });
    }
    run(tx, DELETE_OUTBOX, rows, commit.outbox_done.len()).await?;
    let mut rows = Rows::with_capacity(commit.outbox.iter().map(|row| row.body.len() * 2 + 40).sum());
    for outbox in &commit.outbox {
        rows.row(|row| {
            row.int(outbox.channel).int(outbox.at.batch.cast_signed()).bytes(&outbox.body);
        });
    }
    run(tx, INSERT_OUTBOX, rows, commit.outbox.len()).await?;
    let mut rows = Rows::with_capacity(commit.timers_done.len() * 32);
    for (due, place) in &commit.timers_done {
        rows.row(|row| {
            row.int(due.as_millisecond()).int(place.batch.cast_signed());
        });
    }
    run(tx, DELETE_TIMERS, rows, commit.timers_done.len()).await?;
    let mut rows = Rows::with_capacity(commit.timers.iter().map(|row| row.body.len() * 2 + 40).sum());
    for timer in &commit.timers {
        rows.row(|row| {
            row.int(timer.due.as_millisecond()).int(timer.at.batch.cast_signed()).bytes(&timer.body);
        });
    }
    run(tx, INSERT_TIMERS, rows, commit.timers.len()).await?;
    Ok(())
}

async fn records(tx: &mut Tx<'_>, commit: &Commit) -> Result<(), StoreError> {
    let mut sorted: Vec<_> = commit.dedup.iter().collect();
    sorted.sort_unstable();
    let mut rows = Rows::with_capacity(sorted.len() * 56);
    for event in sorted {
        rows.row(|row| {
            row.int(event.slot).bytes(&event.hash).int(event.payload);
        });
    }
    if !commit.dedup.is_empty() {
        let query = sqlx::query(INSERT_DEDUP).bind(rows.finish()).bind(commit.made);
        query.execute(&mut **tx).await?;
    }
    let mut rows = Rows::with_capacity(commit.quarantine.len() * 128);
    for record in &commit.quarantine {
        rows.row(|row| {
            row.int(record.at.as_millisecond()).text(&record.code).text(&record.reason).bytes(&record.body);
        });
    }
    run(tx, INSERT_QUARANTINE, rows, commit.quarantine.len()).await?;
    meta(tx, &commit.meta).await
}

/// What was taken from it, then what is new: one row, since there is one group.
async fn inbox(tx: &mut Tx<'_>, commit: &Commit) -> Result<(), StoreError> {
    if !commit.inbox_done.is_empty() {
        let batches: Vec<String> = commit.inbox_done.iter().map(|at| at.batch.to_string()).collect();
        let query = sqlx::query(DELETE_INBOX).bind(format!("[{}]", batches.join(",")));
        query.execute(&mut **tx).await?;
    }
    for row in &commit.inbox {
        let query = sqlx::query(INSERT_INBOX).bind(commit.batch.cast_signed()).bind(row.at.at);
        query.bind(&row.body).execute(&mut **tx).await?;
    }
    Ok(())
}

pub(super) async fn meta(tx: &mut Tx<'_>, values: &[(String, String)]) -> Result<(), StoreError> {
    let mut rows = Rows::with_capacity(values.len() * 64);
    for (name, value) in values {
        rows.row(|row| {
            row.text(name).text(value);
        });
    }
    run(tx, SET_META, rows, values.len()).await?;
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
