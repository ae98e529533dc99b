//! Codes of partners: they come in by file, and each goes to one gift.
//!
//! How many of a reward there are is the `most` of its account in the books, raised by the transaction that brings them in:
//! so gifts are given as with any stock, and never more than there are codes. Which code a gift has is settled when somebody
//! first asks for it, in a transaction of its own; there is always one, and it never becomes another gift's.

use super::ledger::EntryRow;
use super::{StoreError, Stored};
use crate::ledger::{CODES, Gift, Place, REWARDS};

/// The codes of one reward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeCount {
    pub reward: String,
    pub imported: i64,
    /// Of those, how many somebody has seen.
    pub shown: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerCode {
    pub code: String,
    /// Milliseconds since 1970.
    pub made: i64,
    /// Whose it is, and since when.
    pub gift: Option<String>,
    pub shown: Option<i64>,
}

/// What comes of asking for the code of a gift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    Code {
        reward: String,
        code: String,
    },
    /// It comes without one.
    Without,
    /// It has ended, or was taken back.
    Over,
    Unknown,
}

/// The codes of a store.
pub trait PartnerCodes: Send + Sync {
    /// Brings codes in; how many were new.
    fn import<'a>(&'a self, reward: &'a str, codes: &'a [String], at: i64) -> Stored<'a, u64>;

    /// The code of a gift: always the same one, whoever asks at the same time.
    fn show<'a>(&'a self, group: u16, gift: &'a str, at: i64) -> Stored<'a, Shown>;

    /// A code as it is.
    fn code<'a>(&'a self, reward: &'a str, code: &'a str) -> Stored<'a, Option<PartnerCode>>;

    /// The first `limit` codes behind `skip` others, oldest first.
    fn page<'a>(&'a self, reward: &'a str, skip: usize, limit: usize) -> Stored<'a, Vec<PartnerCode>>;

    /// In the order of rewards.
    fn counts(&self) -> Stored<'_, Vec<CodeCount>>;
}

/// Of which reward a gift has a code; why it has none.
pub(super) fn coded(known: &[EntryRow], at: i64) -> Result<String, Shown> {
    if known.is_empty() {
        return Err(Shown::Unknown);
    }
    let mut gift = Gift::default();
    let is_sound = known.iter().all(|row| gift.post(&row.entry).is_ok());
    let reward = known.iter().find_map(|row| row.entry.account.strip_prefix(CODES)).ok_or(Shown::Without)?;
    let ended = known.iter().filter_map(|row| row.until).min().is_some_and(|until| until <= at);
    match gift.at(&format!("{REWARDS}{reward}")) {
        Some(Place::Used) if is_sound => Ok(reward.to_owned()),
        Some(Place::Held) if is_sound && !ended => Ok(reward.to_owned()),
        _ => Err(Shown::Over),
    }
}

/// Every import takes them in the same order, so that two of them never wait for each other.
pub(super) fn sorted(codes: &[String]) -> Vec<&str> {
    let mut codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// There are as many codes as gifts that have one, at least.
pub(super) fn none_left(gift: &str) -> StoreError {
    StoreError::Damaged(format!("no code is left for the gift {gift}"))
}

/// What is asked of both stores, in the same words.
pub(super) mod sql {
    pub(in crate::store) const OF_GIFT: &str = "SELECT code FROM partner_code WHERE gift = $1";
    pub(in crate::store) const ONE: &str =
        "SELECT code, made, gift, shown FROM partner_code WHERE reward = $1 AND code = $2";
    pub(in crate::store) const PAGE: &str = "SELECT code, made, gift, shown FROM partner_code
        WHERE reward = $1 ORDER BY made, code LIMIT $2 OFFSET $3";
    pub(in crate::store) const COUNTS: &str =
        "SELECT reward, count(*), count(gift) FROM partner_code GROUP BY reward ORDER BY reward";
}

/// The queries that are the same on both stores.
macro_rules! reads {
    ($row:ty, $pool:ty) => {
        fn code_of(row: &$row) -> Result<PartnerCode, StoreError> {
            Ok(PartnerCode {
                code: row.try_get(0)?,
                made: row.try_get(1)?,
                gift: row.try_get(2)?,
                shown: row.try_get(3)?,
            })
        }

        async fn one(pool: &$pool, reward: &str, code: &str) -> Result<Option<PartnerCode>, StoreError> {
            let found = sqlx::query(sql::ONE).bind(reward).bind(code).fetch_optional(pool).await?;
            found.as_ref().map(code_of).transpose()
        }

        async fn page(
            pool: &$pool,
            reward: &str,
            skip: usize,
            limit: usize,
        ) -> Result<Vec<PartnerCode>, StoreError> {
            let query = sqlx::query(sql::PAGE).bind(reward).bind(row::signed(limit)).bind(row::signed(skip));
            query.fetch_all(pool).await?.iter().map(code_of).collect()
        }

        async fn counts(pool: &$pool) -> Result<Vec<CodeCount>, StoreError> {
            let count = |row: &$row| {
                Ok(CodeCount { reward: row.try_get(0)?, imported: row.try_get(1)?, shown: row.try_get(2)? })
            };
            sqlx::query(sql::COUNTS).fetch_all(pool).await?.iter().map(count).collect()
        }
    };
}
pub(super) use reads;
