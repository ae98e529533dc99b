//! Opening: the lock that keeps a second writer out, the connections, the lease.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Executor as _, SqlitePool};

use super::commit::STAGES;
use super::{SqliteStore, schema};
use crate::store::bucket;
use crate::store::{Lease, StoreError};

const READERS: u32 = 3;
/// Pages of write-ahead log before SQLite copies them into the file (256 MiB). A checkpoint writes each changed page
/// once, however often it changed: at the default of 1,000 pages random writes cost every page twice.
const CHECKPOINT_PAGES: &str = "65536";
/// Page cache of the writer and of each reader, in KiB (negative: SQLite's way to say so).
const WRITER_CACHE: &str = "-65536";
const READER_CACHE: &str = "-16384";

pub(super) async fn for_writing(path: &Path, development: bool) -> Result<SqliteStore, StoreError> {
    let lock = lock(path)?;
    // What SQLite keeps for itself belongs to nobody's folder of temporary files: there are customers in it.
    let options = options(path).create_if_missing(true).pragma("cache_size", WRITER_CACHE);
    let writer = pool(options.pragma("temp_store", "memory"), 1, STAGES).await?;
    let mut connection = writer.acquire().await?;
    schema::migrate(&mut connection).await?;
    let made_for = if development { "development" } else { "production" };
    sqlx::query("INSERT INTO meta (name, value) VALUES ('made_for', ?1) ON CONFLICT DO NOTHING")
        .bind(made_for)
        .execute(&mut *connection)
        .await?;
    let (epoch, batch): (i64, i64) =
        sqlx::query_as("UPDATE lease SET epoch = epoch + 1 WHERE grp = 0 RETURNING epoch, batch")
            .fetch_one(&mut *connection)
            .await?;
    drop(connection);
    let groups = vec![(0, epoch.cast_unsigned())];
    let lease = Lease { span: bucket::COUNT, groups, batch: batch.cast_unsigned() };
    Ok(SqliteStore { writer: Some(writer), readers: readers(path).await?, lease, _lock: Some(lock) })
}

pub(super) async fn for_reading(path: &Path) -> Result<SqliteStore, StoreError> {
    let readers = readers(path).await?;
    let mut connection = readers.acquire().await?;
    if schema::check(&mut connection).await? == 0 {
        return Err(StoreError::Damaged(format!("`{}` is not a wayfare store", path.display())));
    }
    drop(connection);
    let lease = Lease { span: bucket::COUNT, groups: Vec::new(), batch: 0 };
    Ok(SqliteStore { writer: None, readers, lease, _lock: None })
}

/// The operating system's lock on `PATH.lock`: gone with the process, however it ends.
fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = File::options().create(true).truncate(false).write(true).open(PathBuf::from(name));
    let file = file.map_err(|error| StoreError::Disk(error.to_string()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.display().to_string())),
        Err(TryLockError::Error(error)) => Err(StoreError::Disk(error.to_string())),
    }
}

async fn readers(path: &Path) -> Result<SqlitePool, StoreError> {
    let options = options(path).pragma("query_only", "on").pragma("cache_size", READER_CACHE);
    pool(options, READERS, "").await
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(10))
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .row_buffer_size(1_000)
        .disable_statement_logging()
}

/// `begin`: what each connection does first.
async fn pool(
    options: SqliteConnectOptions,
    connections: u32,
    begin: &'static str,
) -> Result<SqlitePool, StoreError> {
    let pool = SqlitePoolOptions::new()
        .after_connect(move |connection, _| {
            Box::pin(async move { connection.execute(begin).await.map(drop) })
        })
        .max_connections(connections)
        .min_connections(connections.min(1))
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await?;
    Ok(pool)
}
