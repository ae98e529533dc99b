//! Migrations: forward only, numbered, each in its own transaction with the new number. Workers that start together
//! wait for each other at the row that holds the number.

use sqlx::{AssertSqlSafe, PgPool};

use crate::store::StoreError;

const MIGRATIONS: &[&str] = &[
    include_str!("../../../migrations/postgres/0001_first.sql"),
    include_str!("../../../migrations/postgres/0002_workers.sql"),
    include_str!("../../../migrations/postgres/0003_upkeep.sql"),
    include_str!("../../../migrations/postgres/0004_marks.sql"),
    include_str!("../../../migrations/postgres/0005_tasks.sql"),
    include_str!("../../../migrations/postgres/0006_links.sql"),
    include_str!("../../../migrations/postgres/0007_ledger.sql"),
    include_str!("../../../migrations/postgres/0008_lottery.sql"),
    include_str!("../../../migrations/postgres/0009_ends.sql"),
    include_str!("../../../migrations/postgres/0010_referral.sql"),
    include_str!("../../../migrations/postgres/0011_codes.sql"),
];

const CREATE: &str = "CREATE TABLE IF NOT EXISTS schema_number (
    single boolean PRIMARY KEY DEFAULT true CHECK (single), no integer NOT NULL)";
const BEGIN: &str = "INSERT INTO schema_number (no) VALUES (0) ON CONFLICT DO NOTHING";
const LOCK: &str = "SELECT no FROM schema_number FOR UPDATE";
const SET: &str = "UPDATE schema_number SET no = $1";

/// Two that create the same table at once can both be told that it is not there; the second look sees it.
const TRIES: usize = 3;

/// Brings the schema up to date.
///
/// # Errors
/// [`StoreError::Newer`] for a store that a newer build has migrated.
pub(super) async fn migrate(pool: &PgPool) -> Result<(), StoreError> {
    if number(pool).await?.is_none() {
        create(pool).await?;
    }
    loop {
        let mut tx = pool.begin().await?;
        let found = sqlx::query_scalar(LOCK).fetch_one(&mut *tx).await?;
        let done = known(found)?;
        let Some(migration) = MIGRATIONS.get(done as usize) else { return Ok(()) };
        sqlx::raw_sql(AssertSqlSafe((*migration).to_owned())).execute(&mut *tx).await?;
        sqlx::query(SET).bind(found.saturating_add(1)).execute(&mut *tx).await?;
        tx.commit().await?;
    }
}

/// The schema's number, refused if this build does not know it.
///
/// # Errors
/// [`StoreError::Damaged`] where there is no store.
pub(super) async fn check(pool: &PgPool) -> Result<u32, StoreError> {
    let none = || StoreError::Damaged("this database holds no wayfare store".to_owned());
    known(number(pool).await?.ok_or_else(none)?)
}

async fn create(pool: &PgPool) -> Result<(), StoreError> {
    let mut tries = 1..TRIES;
    while let Err(error) = sqlx::query(CREATE).execute(pool).await {
        if tries.next().is_none() {
            return Err(error.into());
        }
    }
    sqlx::query(BEGIN).execute(pool).await?;
    Ok(())
}

async fn number(pool: &PgPool) -> Result<Option<i32>, StoreError> {
    let there: bool =
        sqlx::query_scalar("SELECT to_regclass('schema_number') IS NOT NULL").fetch_one(pool).await?;
    if !there {
        return Ok(None);
    }
    Ok(sqlx::query_scalar("SELECT no FROM schema_number").fetch_optional(pool).await?)
}

fn known(found: i32) -> Result<u32, StoreError> {
    let found = found.cast_unsigned();
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > known { Err(StoreError::Newer { found, known }) } else { Ok(found) }
}
