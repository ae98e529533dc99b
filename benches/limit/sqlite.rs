//! The rows as the store in a file has them.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};

use super::{BATCH, Crowd, Round, Sizes, batch, identity};

const SCHEMA: &str = "
CREATE TABLE state (bucket INTEGER NOT NULL, kind INTEGER NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
                    body BLOB NOT NULL, PRIMARY KEY (bucket, kind, id)) WITHOUT ROWID;
CREATE TABLE dedup (slot INTEGER NOT NULL, hash BLOB NOT NULL, payload INTEGER NOT NULL,
                    PRIMARY KEY (slot, hash)) WITHOUT ROWID;
CREATE TABLE log (batch INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE outbox (batch INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE trace (batch INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE timer (due INTEGER NOT NULL, batch INTEGER NOT NULL, body BLOB NOT NULL,
                    PRIMARY KEY (due, batch)) WITHOUT ROWID;
CREATE TEMP TABLE staged_state (bucket, kind, id, version, body);
CREATE TEMP TABLE staged_dedup (slot, hash, payload);
";
/// By way of a table in memory, as the store has it: SQLite keeps every page as it was before a statement that calls a function.
const WRITE_STATES: &str = "
INSERT INTO staged_state SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, unhex(value ->> 4) FROM json_each(?);
UPDATE OR FAIL state SET version = staged.version, body = staged.body FROM staged_state AS staged
    WHERE state.bucket = staged.bucket AND state.kind = staged.kind AND state.id = staged.id;
DELETE FROM staged_state";
const NEW_STATES: &str = "
INSERT INTO staged_state SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, unhex(value ->> 4) FROM json_each(?);
INSERT OR FAIL INTO state (bucket, kind, id, version, body) SELECT * FROM staged_state;
DELETE FROM staged_state";
const WRITE_DEDUP: &str = "
INSERT INTO staged_dedup SELECT value ->> 0, unhex(value ->> 1), value ->> 2 FROM json_each(?);
INSERT OR FAIL INTO dedup (slot, hash, payload) SELECT * FROM staged_dedup;
DELETE FROM staged_dedup";

/// Writes `crowd` into a new file at `path`; the seconds it took.
pub(crate) async fn write(path: &Path, crowd: Crowd, sizes: &Sizes) -> Result<f64, sqlx::Error> {
    let mut db = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", "65536")
        .pragma("cache_size", "-65536")
        .pragma("temp_store", "memory")
        .connect()
        .await?;
    sqlx::raw_sql(SCHEMA).execute(&mut db).await?;
    for number in 0..crowd.known() {
        let mut tx = db.begin_with("BEGIN IMMEDIATE").await?;
        let mut rows: Vec<(u16, String, i64)> = batch(number).map(|(bucket, id)| (bucket, id, 0)).collect();
        rows.sort_unstable();
        write_states(&mut tx, NEW_STATES, &rows, crowd.bytes(number, sizes)).await?;
        tx.commit().await?;
    }
    // As the daemon's: in memory when the clock starts.
    sqlx::query("SELECT sum(length(body)) FROM state").execute(&mut db).await?;
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures the wall clock")]
    let start = std::time::Instant::now();
    for round in crowd.rounds() {
        one_round(&mut db, &round, sizes).await?;
    }
    let seconds = start.elapsed().as_secs_f64();
    db.close().await?;
    Ok(seconds)
}

async fn one_round(db: &mut SqliteConnection, round: &Round, sizes: &Sizes) -> Result<(), sqlx::Error> {
    let mut tx = db.begin_with("BEGIN IMMEDIATE").await?;
    let mut touched = read(&mut tx, &round.touched).await?;
    touched.sort_unstable();
    write_states(&mut tx, WRITE_STATES, &touched, sizes.state).await?;
    write_dedup(&mut tx, round).await?;
    let number = i64::try_from(round.number).unwrap_or(i64::MAX);
    for (table, bytes) in [
        ("log", round.events * sizes.log),
        ("outbox", (BATCH + BATCH / 2) * sizes.entry),
        ("trace", 6 * BATCH * sizes.entry),
    ] {
        let sql = AssertSqlSafe(format!("INSERT INTO {table} (batch, body) VALUES (?, ?)"));
        sqlx::query(sql).bind(number).bind(vec![7_u8; bytes]).execute(&mut *tx).await?;
    }
    sqlx::query("INSERT INTO timer (due, batch, body) VALUES (?, ?, ?)")
        .bind(number + 2)
        .bind(number)
        .bind(vec![7_u8; BATCH * 12])
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM timer WHERE due <= ?").bind(number).execute(&mut *tx).await?;
    tx.commit().await
}

async fn read(
    db: &mut SqliteConnection,
    keys: &[(u16, String)],
) -> Result<Vec<(u16, String, i64)>, sqlx::Error> {
    let list: Vec<(u16, u8, &str)> = keys.iter().map(|(bucket, id)| (*bucket, 0, id.as_str())).collect();
    let json = serde_json::to_string(&list).unwrap_or_default();
    let rows = sqlx::query(
        "SELECT s.bucket, s.id, s.version, s.body FROM json_each(?) k CROSS JOIN state s
         ON s.bucket = k.value ->> 0 AND s.kind = k.value ->> 1 AND s.id = k.value ->> 2",
    )
    .bind(json)
    .fetch_all(db)
    .await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect())
}

async fn write_states(
    db: &mut SqliteConnection,
    sql: &'static str,
    rows: &[(u16, String, i64)],
    bytes: usize,
) -> Result<(), sqlx::Error> {
    let body = "07".repeat(bytes);
    let list: Vec<(u16, u8, &str, i64, &str)> = rows
        .iter()
        .map(|(bucket, id, version)| (*bucket, 0, id.as_str(), version + 1, body.as_str()))
        .collect();
    let json = serde_json::to_string(&list).unwrap_or_default();
    sqlx::query(sql).bind(json).execute(&mut *db).await?;
    Ok(())
}

async fn write_dedup(db: &mut SqliteConnection, round: &Round) -> Result<(), sqlx::Error> {
    let one = |i| (20_000, format!("{:032x}", identity(round.number, i)), 1);
    let list: Vec<(i64, String, i64)> = (0..round.events).map(one).collect();
    let json = serde_json::to_string(&list).unwrap_or_default();
    sqlx::query(WRITE_DEDUP).bind(json).execute(&mut *db).await?;
    Ok(())
}
