//! Migrations: forward only, numbered, each in its own transaction with the new number (`user_version`).

use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::store::StoreError;

const MIGRATIONS: &[&str] = &[
    include_str!("../../../migrations/sqlite/0001_first.sql"),
    include_str!("../../../migrations/sqlite/0002_upkeep.sql"),
    include_str!("../../../migrations/sqlite/0003_posts.sql"),
    include_str!("../../../migrations/sqlite/0004_marks.sql"),
    include_str!("../../../migrations/sqlite/0005_tasks.sql"),
    include_str!("../../../migrations/sqlite/0006_links.sql"),
    include_str!("../../../migrations/sqlite/0007_ledger.sql"),
    include_str!("../../../migrations/sqlite/0008_lottery.sql"),
    include_str!("../../../migrations/sqlite/0009_ends.sql"),
    include_str!("../../../migrations/sqlite/0010_referral.sql"),
    include_str!("../../../migrations/sqlite/0011_codes.sql"),
];

/// Brings the schema up to date.
///
/// # Errors
/// [`StoreError::Newer`] for a store that a newer build has migrated.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let version = check(connection).await?;
    for (number, migration) in (1_u32..).zip(MIGRATIONS).skip(version as usize) {
        let script = format!("BEGIN IMMEDIATE; {migration} PRAGMA user_version = {number}; COMMIT;");
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The schema's number, refused if this build does not know it.
pub(super) async fn check(connection: &mut SqliteConnection) -> Result<u32, StoreError> {
    let found: u32 = sqlx::query_scalar("PRAGMA user_version").fetch_one(connection).await?;
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > known { Err(StoreError::Newer { found, known }) } else { Ok(found) }
}
