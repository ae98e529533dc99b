//! Codes of partners on a server: two who ask for one gift wait for each other, two gifts do not.

use futures_util::FutureExt;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};

use super::ledger::of_gift;
use super::write::begin;
use super::{PostgresStore, again};
use crate::ledger::CODES;
use crate::store::code::{coded, none_left, reads, sorted, sql};
use crate::store::{CodeCount, PartnerCode, PartnerCodes, Shown, StoreError, Stored, row};

const IMPORT: &str = "INSERT INTO partner_code (reward, code, made)
    SELECT $1, new.code, $3 FROM unnest($2::text[]) AS new (code) ON CONFLICT DO NOTHING";
const RAISE: &str = "INSERT INTO quota (account, most, handed) VALUES ($1, $2, 0)
    ON CONFLICT (account) DO UPDATE SET most = quota.most + excluded.most, gone = NULL";
/// What another one is about to take is left to them: there is one for each.
const GIVE: &str = "UPDATE partner_code SET gift = $2, shown = $3 WHERE reward = $1 AND code =
        (SELECT code FROM partner_code WHERE reward = $1 AND gift IS NULL ORDER BY made, code LIMIT 1
            FOR UPDATE SKIP LOCKED)
    RETURNING code";

reads!(PgRow, PgPool);

async fn import(pool: &PgPool, reward: &str, codes: &[String], at: i64) -> Result<u64, StoreError> {
    let mut tx = begin(pool).await?;
    let query = sqlx::query(IMPORT).bind(reward).bind(sorted(codes)).bind(at);
    let count = query.execute(&mut *tx).await?.rows_affected();
    let query = sqlx::query(RAISE).bind(format!("{CODES}{reward}")).bind(count.cast_signed());
    query.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(count)
}

async fn show(pool: &PgPool, (group, gift): (u16, &str), at: i64) -> Result<Shown, StoreError> {
    let mut tx = begin(pool).await?;
    let reward = match coded(&of_gift(&mut tx, (group, gift)).await?, at) {
        Ok(reward) => reward,
        Err(other) => return Ok(other),
    };
    let before: Option<String> = sqlx::query_scalar(sql::OF_GIFT).bind(gift).fetch_optional(&mut *tx).await?;
    let code = if let Some(code) = before {
        code
    } else {
        let query = sqlx::query_scalar(GIVE).bind(&reward).bind(gift).bind(at);
        query.fetch_optional(&mut *tx).await?.ok_or_else(|| none_left(gift))?
    };
    tx.commit().await?;
    Ok(Shown::Code { reward, code })
}

impl PartnerCodes for PostgresStore {
    fn import<'a>(&'a self, reward: &'a str, codes: &'a [String], at: i64) -> Stored<'a, u64> {
        import(&self.pool, reward, codes, at).boxed()
    }

    fn show<'a>(&'a self, group: u16, gift: &'a str, at: i64) -> Stored<'a, Shown> {
        show(&self.pool, (group, gift), at).boxed()
    }

    fn code<'a>(&'a self, reward: &'a str, code: &'a str) -> Stored<'a, Option<PartnerCode>> {
        again(move || one(&self.pool, reward, code).boxed()).boxed()
    }

    fn page<'a>(&'a self, reward: &'a str, skip: usize, limit: usize) -> Stored<'a, Vec<PartnerCode>> {
        again(move || page(&self.pool, reward, skip, limit).boxed()).boxed()
    }

    fn counts(&self) -> Stored<'_, Vec<CodeCount>> {
        again(move || counts(&self.pool).boxed()).boxed()
    }
}
