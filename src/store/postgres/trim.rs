//! Deleting what is old: the oldest first, a bounded number of each group at once, in a transaction of its own.

use sqlx::PgPool;

use super::lease::check_life;
use super::share::Life;
use super::write::{begin, meta};
use crate::store::{LOG_FROM, StoreError, Trim, Trimmed};

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
    if log > 0 {
        meta(&mut tx, &[(LOG_FROM.to_owned(), trim.before.to_string())]).await?;
    }
    tx.commit().await?;
    Ok(Trimmed { log, trace, dedup })
}
