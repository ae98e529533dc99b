//! Codes of partners in a file: there is one writer, so that whoever asks is alone.

use futures_util::FutureExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqlitePool};

use super::SqliteStore;
use super::json::Rows;
use super::ledger::of_gift;
use super::write::{Writer, begin, give_back, held};
use crate::ledger::CODES;
use crate::store::code::{coded, none_left, reads, sorted, sql};
use crate::store::{CodeCount, Lease, PartnerCode, PartnerCodes, Shown, StoreError, Stored, row};

const IMPORT: &str = "INSERT INTO partner_code (reward, code, made)
    SELECT ?1, value, ?3 FROM json_each(?2) WHERE true ON CONFLICT DO NOTHING";
const RAISE: &str = "INSERT INTO quota (account, most, given) VALUES (?1, ?2, 0)
    ON CONFLICT (account) DO UPDATE SET most = quota.most + excluded.most, gone = NULL";
const GIVE: &str = "UPDATE partner_code SET gift = ?2, shown = ?3 WHERE reward = ?1 AND code =
        (SELECT code FROM partner_code WHERE reward = ?1 AND gift IS NULL ORDER BY made, code LIMIT 1)
    RETURNING code";

reads!(SqliteRow, SqlitePool);

async fn import(store: &SqliteStore, reward: &str, codes: &[String], at: i64) -> Result<u64, StoreError> {
    let mut writer = store.writer()?.acquire().await?;
    let mut count = 0;
    let done = write_import(&mut writer, &store.lease, (reward, codes, at), &mut count).await;
    give_back(writer, done).await?;
    Ok(count)
}

async fn write_import(
    writer: &mut Writer,
    lease: &Lease,
    (reward, codes, at): (&str, &[String], i64),
    count: &mut u64,
) -> Result<(), StoreError> {
    let mut tx = begin(writer).await?;
    held(&mut tx, lease).await?;
    let mut rows = Rows::with_capacity(codes.len() * 24);
    sorted(codes).into_iter().for_each(|code| rows.one(code));
    let query = sqlx::query(IMPORT).bind(reward).bind(rows.finish()).bind(at);
    *count = query.execute(&mut *tx).await?.rows_affected();
    let query = sqlx::query(RAISE).bind(format!("{CODES}{reward}")).bind(count.cast_signed());
    query.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

async fn show(store: &SqliteStore, gift: &str, at: i64) -> Result<Shown, StoreError> {
    let mut writer = store.writer()?.acquire().await?;
    let mut shown = Shown::Unknown;
    let done = write_shown(&mut writer, (gift, at), &mut shown).await;
    give_back(writer, done).await?;
    Ok(shown)
}

async fn write_shown(
    writer: &mut Writer,
    (gift, at): (&str, i64),
    shown: &mut Shown,
) -> Result<(), StoreError> {
    let mut tx = begin(writer).await?;
    let known = of_gift(&mut tx, gift).await?;
    let reward = match coded(&known, at) {
        Ok(reward) => reward,
        Err(other) => {
            *shown = other;
            return Ok(());
        }
    };
    let before: Option<String> = sqlx::query_scalar(sql::OF_GIFT).bind(gift).fetch_optional(&mut *tx).await?;
    let code = if let Some(code) = before {
        code
    } else {
        let query = sqlx::query_scalar(GIVE).bind(&reward).bind(gift).bind(at);
        query.fetch_optional(&mut *tx).await?.ok_or_else(|| none_left(gift))?
    };
    tx.commit().await?;
    *shown = Shown::Code { reward, code };
    Ok(())
}

impl PartnerCodes for SqliteStore {
    fn import<'a>(&'a self, reward: &'a str, codes: &'a [String], at: i64) -> Stored<'a, u64> {
        import(self, reward, codes, at).boxed()
    }

    fn show<'a>(&'a self, _: u16, gift: &'a str, at: i64) -> Stored<'a, Shown> {
        show(self, gift, at).boxed()
    }

    fn code<'a>(&'a self, reward: &'a str, code: &'a str) -> Stored<'a, Option<PartnerCode>> {
        one(&self.readers, reward, code).boxed()
    }

    fn page<'a>(&'a self, reward: &'a str, skip: usize, limit: usize) -> Stored<'a, Vec<PartnerCode>> {
        page(&self.readers, reward, skip, limit).boxed()
    }

    fn counts(&self) -> Stored<'_, Vec<CodeCount>> {
        counts(&self.readers).boxed()
    }
}
