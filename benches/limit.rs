//! The limit: the rows of workloads W1 and W2 written by a plain loop. No journey logic, no codec, no HTTP.
//!
//! Customers exist before the clock starts. Each round is one durable transaction as an expert would write it by hand:
//! a batch of enrolments, half as many opens, and the timers of a batch enrolled earlier (all of them state rows that are
//! read and rewritten), the identities of the events, and one packed row each for log, outbox, trace and timers. In W1
//! the opens are of the batch before and the timers of the one before that; in W2 the opens are of anybody who waits, and
//! the timers of those who have waited longest. `wayfare bench run` runs it beside the daemon, in the same run, and prints the ratio.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};

/// Customers in a round: the fastest of 1,000 to 10,000 within the daemon's bound on a batch.
const BATCH: usize = 4_000;
/// Bytes of a state row of W1, of a packed log entry, and of a packed outbox or trace entry, as the daemon writes them.
pub(crate) struct Sizes {
    pub(crate) state: usize,
    pub(crate) log: usize,
    pub(crate) entry: usize,
}

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
";

/// Writes `customers` into a new file at `path`, with `waiting` others who wait already (none: W1); the seconds it took.
pub(crate) async fn sqlite(
    path: &Path,
    waiting: usize,
    customers: usize,
    sizes: &Sizes,
) -> Result<f64, sqlx::Error> {
    let mut db = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", "65536")
        .pragma("cache_size", "-65536")
        .connect()
        .await?;
    sqlx::raw_sql(SCHEMA).execute(&mut db).await?;
    let (before, rounds) = (waiting / BATCH, customers / BATCH);
    for round in 0..before + rounds {
        preload(&mut db, round, sizes).await?;
    }
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures the wall clock")]
    let start = std::time::Instant::now();
    // W1: two more rounds drain the opens and timers of the last enrolments.
    let drain = if before == 0 { 2 } else { 0 };
    for round in before..before + rounds + drain {
        let enrolled = before + rounds;
        let touched = Touched {
            enrol: (round < enrolled).then_some(round),
            opens: if before == 0 {
                opens_of(round.checked_sub(1), enrolled)
            } else {
                earlier(round, before)
            },
            timer: round.checked_sub(if before == 0 { 2 } else { before }),
        };
        one_round(&mut db, round, touched, sizes).await?;
    }
    let seconds = start.elapsed().as_secs_f64();
    db.close().await?;
    Ok(seconds)
}

/// What a round reads and writes.
struct Touched {
    /// The batch that is enrolled.
    enrol: Option<usize>,
    /// The numbers of customers who open.
    opens: Vec<usize>,
    /// The batch whose timers are due.
    timer: Option<usize>,
}

/// Every second customer of a batch.
fn opens_of(batch: Option<usize>, enrolled: usize) -> Vec<usize> {
    let batch = batch.filter(|batch| *batch < enrolled);
    batch.map_or_else(Vec::new, |batch| (0..BATCH).step_by(2).map(|i| batch * BATCH + i).collect())
}

/// Half a batch of those who wait before `round`.
fn earlier(round: usize, batches: usize) -> Vec<usize> {
    let span = batches * BATCH;
    let least = (round * BATCH).saturating_sub(span);
    let mixed = |i: usize| (round * BATCH + i).wrapping_mul(0x9E37_79B1) % span;
    (0..BATCH / 2).map(|i| least + mixed(i)).collect()
}

/// The customers of a round, before they are enrolled.
async fn preload(db: &mut SqliteConnection, round: usize, sizes: &Sizes) -> Result<(), sqlx::Error> {
    let mut tx = db.begin_with("BEGIN IMMEDIATE").await?;
    let mut rows: Vec<(u16, String, i64)> =
        (0..BATCH).map(|i| key(round * BATCH + i)).map(|(bucket, id)| (bucket, id, 0)).collect();
    rows.sort_unstable();
    write_states(&mut tx, &rows, sizes.state / 2).await?;
    tx.commit().await
}

async fn one_round(
    db: &mut SqliteConnection,
    round: usize,
    what: Touched,
    sizes: &Sizes,
) -> Result<(), sqlx::Error> {
    let mut tx = db.begin_with("BEGIN IMMEDIATE").await?;
    let of_batch = |batch: usize| (0..BATCH).map(move |i| key(batch * BATCH + i));
    let events = what.enrol.map_or(0, |_| BATCH) + what.opens.len();
    let mut known: Vec<(u16, String)> = what.enrol.into_iter().flat_map(of_batch).collect();
    known.extend(what.opens.iter().map(|number| key(*number)));
    known.extend(what.timer.into_iter().flat_map(of_batch));
    let mut touched = read(&mut tx, &known).await?;
    touched.sort_unstable();
    touched.dedup_by(|a, b| a.1 == b.1);
    write_states(&mut tx, &touched, sizes.state).await?;
    write_dedup(&mut tx, round, events).await?;
    let batch = i64::try_from(round).unwrap_or(i64::MAX);
    for (table, bytes) in [
        ("log", events * sizes.log),
        ("outbox", (BATCH + BATCH / 2) * sizes.entry),
        ("trace", 6 * BATCH * sizes.entry),
    ] {
        let sql = AssertSqlSafe(format!("INSERT INTO {table} (batch, body) VALUES (?, ?)"));
        sqlx::query(sql).bind(batch).bind(vec![7_u8; bytes]).execute(&mut *tx).await?;
    }
    sqlx::query("INSERT INTO timer (due, batch, body) VALUES (?, ?, ?)")
        .bind(batch + 2)
        .bind(batch)
        .bind(vec![7_u8; BATCH * 12])
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM timer WHERE due <= ?").bind(batch).execute(&mut *tx).await?;
    tx.commit().await
}

/// Keys in random order: a multiplicative hash of the sequence number.
fn key(i: usize) -> (u16, String) {
    let mixed = (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (u16::try_from(mixed >> 52).unwrap_or_default(), format!("C{:010}", mixed % 10_000_000_000))
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
    rows: &[(u16, String, i64)],
    bytes: usize,
) -> Result<(), sqlx::Error> {
    let body = "07".repeat(bytes);
    let list: Vec<(u16, u8, &str, i64, &str)> = rows
        .iter()
        .map(|(bucket, id, version)| (*bucket, 0, id.as_str(), version + 1, body.as_str()))
        .collect();
    let json = serde_json::to_string(&list).unwrap_or_default();
    sqlx::query(
        "INSERT INTO state (bucket, kind, id, version, body)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, unhex(value ->> 4) FROM json_each(?) WHERE true
         ON CONFLICT DO UPDATE SET version = excluded.version, body = excluded.body",
    )
    .bind(json)
    .execute(&mut *db)
    .await?;
    Ok(())
}

async fn write_dedup(db: &mut SqliteConnection, round: usize, events: usize) -> Result<(), sqlx::Error> {
    let list: Vec<(i64, String, i64)> = (0..events)
        .map(|i| {
            let mixed = ((round * 10_000 + i) as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            (20_000, format!("{mixed:016x}{:016x}", mixed.rotate_left(32)), 1)
        })
        .collect();
    let json = serde_json::to_string(&list).unwrap_or_default();
    sqlx::query(
        "INSERT OR IGNORE INTO dedup (slot, hash, payload)
         SELECT value ->> 0, unhex(value ->> 1), value ->> 2 FROM json_each(?)",
    )
    .bind(json)
    .execute(&mut *db)
    .await?;
    Ok(())
}
