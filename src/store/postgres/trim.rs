//! Deleting what is old: the oldest first, a bounded number of each group at once, in a transaction of its own.

use sqlx::PgPool;

use super::lease::check_life;
use super::share::Life;
use super::write::{begin, meta};
use crate::store::{LOG_FROM, POST_KEYS, StoreError, Trim, Trimmed};

const LOG: &str = "DELETE FROM log USING unnest($1::smallint[]) AS held (grp) CROSS JOIN LATERAL
    (SELECT old.batch, old.made FROM log AS old WHERE old.grp = held.grp ORDER BY old.batch LIMIT $3) AS first
    WHERE log.grp = held.grp AND log.batch = first.batch AND first.made < $2";
const TRACE: &str = "DELETE FROM trace USING unnest($1::smallint[]) AS held (grp) CROSS JOIN LATERAL
    (SELECT old.batch, old.made FROM trace AS old WHERE old.grp = held.grp ORDER BY old.batch LIMIT $3) AS first
    WHERE trace.grp = held.grp AND trace.batch = first.batch AND first.made < $2";
const DEDUP: &str = "DELETE FROM dedup USING unnest($1::smallint[]) AS held (grp) CROSS JOIN LATERAL
    (SELECT old.slot, old.hash FROM dedup AS old
        WHERE old.grp = held.grp AND old.slot >= 0 AND old.slot < $2 ORDER BY old.slot, old.hash LIMIT $3) AS first
    WHERE dedup.grp = held.grp AND dedup.slot = first.slot AND dedup.hash = first.hash";
const TASKS: &str = "DELETE FROM task USING unnest($1::smallint[]) AS held (grp) CROSS JOIN LATERAL
    (SELECT old.id FROM task AS old WHERE old.grp = held.grp AND old.status >= 2 AND old.changed < $2
        ORDER BY old.batch LIMIT $3) AS first
    WHERE task.grp = held.grp AND task.id = first.id";
const LINKS: &str = "DELETE FROM link USING unnest($1::smallint[]) AS held (grp) CROSS JOIN LATERAL
    (SELECT old.name FROM link AS old WHERE old.grp = held.grp AND old.made < $2 ORDER BY old.made LIMIT $3) AS first
    WHERE link.grp = held.grp AND link.name = first.name";

const UNTIMED: &str = "DELETE FROM dedup USING unnest($1::smallint[]) AS held (grp) CROSS JOIN LATERAL
    (SELECT old.hash FROM dedup AS old
        WHERE old.grp = held.grp AND old.slot = -1 AND old.made < $2 ORDER BY old.made LIMIT $3) AS first
    WHERE dedup.grp = held.grp AND dedup.slot = -1 AND dedup.hash = first.hash";
const KEYS: &str = "DELETE FROM meta
    WHERE name LIKE $1 || '%' AND split_part(value, ' ', 2)::bigint < $2
        AND NOT EXISTS (SELECT 1 FROM inbox WHERE at < $2 + 86400000)";

pub(super) async fn forget_keys(pool: &PgPool, life: &Life, before: i64) -> Result<u64, StoreError> {
    let mut tx = begin(pool).await?;
    check_life(&mut tx, &life.worker.name, life.epoch).await?;
    let went = sqlx::query(KEYS).bind(POST_KEYS).bind(before).execute(&mut *tx).await?.rows_affected();
    tx.commit().await?;
    Ok(went)
}

pub(super) async fn trim(
    pool: &PgPool,
    life: &Life,
    groups: &[i16],
    trim: Trim,
) -> Result<Trimmed, StoreError> {
    let most = i64::try_from(trim.most).unwrap_or(i64::MAX);
    let mut tx = begin(pool).await?;
    check_life(&mut tx, &life.worker.name, life.epoch).await?;
    let log = sqlx::query(LOG).bind(groups).bind(trim.before).bind(most);
    let log = log.execute(&mut *tx).await?.rows_affected();
    let trace = sqlx::query(TRACE).bind(groups).bind(trim.before).bind(most);
    let trace = trace.execute(&mut *tx).await?.rows_affected();
    let dedup = sqlx::query(DEDUP).bind(groups).bind(trim.slot).bind(most);
    let dedup = dedup.execute(&mut *tx).await?.rows_affected();
    let untimed = sqlx::query(UNTIMED).bind(groups).bind(trim.before).bind(most);
    let dedup = dedup + untimed.execute(&mut *tx).await?.rows_affected();
    let tasks = sqlx::query(TASKS).bind(groups).bind(trim.before).bind(most);
    let tasks = tasks.execute(&mut *tx).await?.rows_affected();
    let links = sqlx::query(LINKS).bind(groups).bind(trim.before).bind(most);
    let links = links.execute(&mut *tx).await?.rows_affected();
    if log > 0 {
        meta(&mut tx, &[(LOG_FROM.to_owned(), trim.before.to_string())]).await?;
    }
    tx.commit().await?;
    Ok(Trimmed { log, trace, dedup, tasks, links })
}
