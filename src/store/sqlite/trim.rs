//! Deleting what is old: the oldest first, a bounded number at once, in a transaction of its own.

use sqlx::SqlitePool;

use super::write::{Writer, begin, give_back, held, meta};
use crate::store::{LOG_FROM, Lease, POST_KEYS, StoreError, Trim, Trimmed};

const LOG: &str =
    "DELETE FROM log WHERE batch IN (SELECT batch FROM log ORDER BY batch LIMIT ?2) AND made < ?1";
const TRACE: &str =
    "DELETE FROM trace WHERE batch IN (SELECT batch FROM trace ORDER BY batch LIMIT ?2) AND made < ?1";
const DEDUP: &str = "DELETE FROM dedup WHERE (slot, hash) IN
    (SELECT slot, hash FROM dedup WHERE slot >= 0 AND slot < ?1 ORDER BY slot, hash LIMIT ?2)";
const TASKS: &str = "DELETE FROM task WHERE id IN
    (SELECT id FROM task WHERE status >= 2 AND changed < ?1 ORDER BY batch LIMIT ?2)";
const LINKS: &str =
    "DELETE FROM link WHERE name IN (SELECT name FROM link WHERE made < ?1 ORDER BY made LIMIT ?2)";

const UNTIMED: &str = "DELETE FROM dedup WHERE (slot, hash) IN
    (SELECT slot, hash FROM dedup WHERE slot = -1 AND made < ?1 ORDER BY made LIMIT ?2)";
const KEYS: &str = "DELETE FROM meta
    WHERE name LIKE ?1 || '%' AND CAST(substr(value, instr(value, ' ') + 1) AS INTEGER) < ?2
        AND NOT EXISTS (SELECT 1 FROM inbox WHERE at < ?2 + 86400000)";

pub(super) async fn forget_keys(pool: &SqlitePool, lease: &Lease, before: i64) -> Result<u64, StoreError> {
    let mut writer = pool.acquire().await?;
    let mut went = 0;
    let done = delete_keys(&mut writer, lease, before, &mut went).await;
    give_back(writer, done).await?;
    Ok(went)
}

async fn delete_keys(
    writer: &mut Writer,
    lease: &Lease,
    before: i64,
    went: &mut u64,
) -> Result<(), StoreError> {
    let mut tx = begin(writer).await?;
    held(&mut tx, lease).await?;
    *went = sqlx::query(KEYS).bind(POST_KEYS).bind(before).execute(&mut *tx).await?.rows_affected();
    tx.commit().await?;
    Ok(())
}

pub(super) async fn trim(pool: &SqlitePool, lease: &Lease, trim: Trim) -> Result<Trimmed, StoreError> {
    let mut writer = pool.acquire().await?;
    let mut went = Trimmed::default();
    let done = delete(&mut writer, lease, trim, &mut went).await;
    give_back(writer, done).await?;
    Ok(went)
}

async fn delete(
    writer: &mut Writer,
    lease: &Lease,
    trim: Trim,
    went: &mut Trimmed,
) -> Result<(), StoreError> {
    let most = i64::try_from(trim.most).unwrap_or(i64::MAX);
    let mut tx = begin(writer).await?;
    held(&mut tx, lease).await?;
    let log = sqlx::query(LOG).bind(trim.before).bind(most);
    went.log = log.execute(&mut *tx).await?.rows_affected();
    let trace = sqlx::query(TRACE).bind(trim.before).bind(most);
    went.trace = trace.execute(&mut *tx).await?.rows_affected();
    let dedup = sqlx::query(DEDUP).bind(trim.slot).bind(most);
    went.dedup = dedup.execute(&mut *tx).await?.rows_affected();
    let untimed = sqlx::query(UNTIMED).bind(trim.before).bind(most);
    went.dedup += untimed.execute(&mut *tx).await?.rows_affected();
    let tasks = sqlx::query(TASKS).bind(trim.before).bind(most);
    went.tasks = tasks.execute(&mut *tx).await?.rows_affected();
    let links = sqlx::query(LINKS).bind(trim.before).bind(most);
    went.links = links.execute(&mut *tx).await?.rows_affected();
    if went.log > 0 {
        meta(&mut tx, &[(LOG_FROM.to_owned(), trim.before.to_string())]).await?;
    }
    tx.commit().await?;
    Ok(())
}
