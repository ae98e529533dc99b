//! The books in a file. There is one worker, so an account is one row and nothing has to be handed out.

use futures_util::FutureExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row as _, SqlitePool};

use super::SqliteStore;
use super::json::Rows;
use super::write::{Tx, Writer, begin, give_back, held, run, run_all};
use crate::ledger::{Act, Place};
use crate::store::ledger::{
    Acted, Block, EntryPlace, EntryQuery, EntryRow, LAPSE, LAPSED, Ledger, Lot, Moved, Quota, Want, Wants,
    allot, counted, damaged, decide, entry_of, lapse, returned, whole_gifts,
};
use crate::store::{Commit, Lease, StoreError, Stored, row};

/// Through a stage, as the rows of states ([`super::commit`]): each touches a page of the table and of its indexes.
pub(super) const INSERT_ENTRIES: &str = "
INSERT INTO staged_entry SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6,
    value->>7, value->>8, value->>9, value->>10 FROM json_each(?);
INSERT OR FAIL INTO entry (gift, account, part, act, place, amount, unit, holder, key, at, until)
    SELECT * FROM staged_entry WHERE true ON CONFLICT DO NOTHING;
DELETE FROM staged_entry";
/// Which of them says how many were new.
const NEW_ENTRIES: usize = 1;
const SPEND: &str = "UPDATE quota SET given = quota.given + value->>1 FROM json_each(?1)
    WHERE quota.account = value->>0 AND quota.given + value->>1 <= quota.most";
const COME_BACK: &str = "UPDATE quota SET given = quota.given - value->>1, gone = NULL FROM json_each(?1)
    WHERE quota.account = value->>0";
const LOOK: &str = "SELECT account, most, given, alerted, gone FROM quota
    WHERE account IN (SELECT value FROM json_each(?1))";
const QUOTAS: &str = "SELECT account, most, given, alerted, gone FROM quota ORDER BY account";
const SET: &str = "INSERT INTO quota (account, most, given, gone)
    SELECT value->>0, value->>1, 0, value->>2 FROM json_each(?1) WHERE true
    ON CONFLICT (account) DO UPDATE SET gone = coalesce(quota.gone, excluded.gone),
        most = CASE WHEN quota.account GLOB 'codes/*' THEN quota.most ELSE excluded.most END";
const ALERT: &str = "UPDATE quota SET alerted = ?2 WHERE account = ?1 AND alerted IS NULL";
const LAPSED_TO: &str =
    "SELECT until FROM entry WHERE until > ?1 AND until <= ?2 ORDER BY until LIMIT 1 OFFSET ?3";
/// Free adds to a lot, what was held is taken from it.
const LOTS: &str = "SELECT min(gift), holder, account, unit, until,
        sum(CASE place WHEN 0 THEN amount WHEN 2 THEN -amount ELSE 0 END)
    FROM entry WHERE until > ?1 AND until <= ?2 AND account >= 'points/' AND account < 'points0'
    GROUP BY account, until, holder, unit ORDER BY account, until, holder";
const SET_LAPSED: &str = "INSERT INTO meta (name, value) VALUES (?1, ?2)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
const COLUMNS: &str = "gift, account, part, act, place, amount, unit, holder, \"key\", at, until";
const MOVED: &str = "SELECT account, unit, act, place, sum(amount), count(*) FROM entry
    GROUP BY account, unit, act, place ORDER BY account, unit, act, place";

pub(super) async fn write(tx: &mut Tx<'_>, commit: &Commit) -> Result<(), StoreError> {
    let mut rows = Rows::with_capacity(commit.spent.len() * 64);
    for (account, amount) in &commit.spent {
        rows.row(|row| {
            row.text(account).int(*amount);
        });
    }
    if run(tx, SPEND, rows, commit.spent.len()).await? != commit.spent.len() as u64 {
        return Err(StoreError::Fenced);
    }
    insert(tx, &commit.entries).await
}

async fn insert(tx: &mut Tx<'_>, entries: &[EntryRow]) -> Result<(), StoreError> {
    let mut rows = Rows::with_capacity(entries.len() * 240);
    for EntryRow { gift, entry, holder, key, at, until, .. } in entries {
        rows.row(|row| {
            row.text(gift).text(&entry.account).int(entry.part).int(entry.act.number());
            row.int(entry.from.number()).int(entry.amount).text(&entry.unit).text(holder).text(key);
            row.int(*at).perhaps(*until);
        });
    }
    if !entries.is_empty() {
        let mut written = 0;
        let query = sqlx::query(INSERT_ENTRIES).bind(rows.finish());
        let count = |nth, changed| {
            written += if nth == NEW_ENTRIES { changed } else { 0 };
            Ok(())
        };
        run_all(tx, query, count).await?;
        crate::store::ledger::all_new(written, entries.len());
    }
    Ok(())
}

async fn look(pool: &SqlitePool, wants: &Wants) -> Result<Vec<Quota>, StoreError> {
    let mut names = Rows::with_capacity(wants.accounts.len() * 48);
    wants.accounts.iter().for_each(|want| names.one(&want.account));
    sqlx::query(LOOK).bind(names.finish()).fetch_all(pool).await?.iter().map(quota).collect()
}

async fn take(store: &SqliteStore, wants: &Wants) -> Result<Vec<Block>, StoreError> {
    let found = look(store.hot(), wants).await?;
    let most = |account: &str| found.iter().find(|quota| quota.account == account).map(|quota| quota.most);
    let wants = &counted(wants, most);
    let quota = |want: &Want| found.iter().find(|quota| quota.account == want.account);
    let free: Vec<i64> = wants
        .accounts
        .iter()
        .map(|want| want.most.saturating_sub(quota(want).map_or(0, |quota| quota.given)).max(0))
        .collect();
    let (mut blocks, mut news) = (Vec::new(), Rows::with_capacity(wants.accounts.len() * 64));
    let mut count = 0;
    for ((want, size), (_, is_short)) in wants.accounts.iter().zip(&free).zip(allot(wants, &free)) {
        let quota = quota(want);
        let is_known_gone = quota.is_some_and(|quota| quota.gone.is_some());
        let same = quota.is_some_and(|quota| quota.most == want.most) && (is_known_gone || !is_short);
        if !wants.asks.is_empty() && !same {
            count += 1;
            news.row(|row| {
                row.text(&want.account).int(want.most).perhaps(is_short.then_some(wants.at));
            });
        }
        blocks.push(Block {
            account: want.account.clone(),
            size: *size,
            is_short,
            is_empty: *size == 0,
            given: quota.map_or(0, |quota| quota.given),
            alerted: quota.is_some_and(|quota| quota.alerted.is_some()),
            is_known_gone,
        });
    }
    if count > 0 {
        let mut writer = store.writer()?.acquire().await?;
        let done = set(&mut writer, &store.lease, news, count).await;
        give_back(writer, done).await?;
    }
    Ok(blocks)
}

async fn set(writer: &mut Writer, lease: &Lease, news: Rows, count: usize) -> Result<(), StoreError> {
    let mut tx = begin(writer).await?;
    held(&mut tx, lease).await?;
    run(&mut tx, SET, news, count).await?;
    tx.commit().await?;
    Ok(())
}

async fn alert(store: &SqliteStore, account: &str, at: i64) -> Result<bool, StoreError> {
    let query = sqlx::query(ALERT).bind(account).bind(at);
    Ok(query.execute(store.writer()?).await?.rows_affected() == 1)
}

async fn quotas(pool: &SqlitePool) -> Result<Vec<Quota>, StoreError> {
    sqlx::query(QUOTAS).fetch_all(pool).await?.iter().map(quota).collect()
}

fn quota(row: &SqliteRow) -> Result<Quota, StoreError> {
    Ok(Quota {
        account: row.try_get(0)?,
        most: row.try_get(1)?,
        given: row.try_get(2)?,
        under_way: 0,
        alerted: row.try_get(3)?,
        gone: row.try_get(4)?,
    })
}

async fn entries(
    pool: &SqlitePool,
    query: &EntryQuery,
    after: Option<&EntryPlace>,
    limit: usize,
) -> Result<Vec<EntryRow>, StoreError> {
    let (column, value) = match query {
        EntryQuery::Account(account) => ("account", account),
        EntryQuery::Holder(holder) => ("holder", holder),
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM entry WHERE {column} = ?1 AND (at, gift, account, part, act) > (?2, ?3, ?4, ?5, ?6)
        ORDER BY at, gift, account, part, act LIMIT ?7"
    );
    let first = (i64::MIN, String::new(), String::new(), 0, 0);
    let (at, gift, account, part, act) = after.unwrap_or(&first);
    let asked = sqlx::query(AssertSqlSafe(sql)).bind(value).bind(at).bind(gift).bind(account);
    let asked = asked.bind(i64::from(*part)).bind(i64::from(*act)).bind(row::signed(limit));
    asked.fetch_all(pool).await?.iter().map(entry).collect()
}

async fn moved(pool: &SqlitePool) -> Result<Vec<Moved>, StoreError> {
    let found = sqlx::query(MOVED).fetch_all(pool).await?;
    let moved = |row: &SqliteRow| {
        Ok(Moved {
            account: row.try_get(0)?,
            unit: row.try_get(1)?,
            act: Act::of(row.try_get(2)?).ok_or_else(damaged)?,
            from: Place::of(row.try_get(3)?).ok_or_else(damaged)?,
            amount: row.try_get(4)?,
            count: row.try_get(5)?,
        })
    };
    found.iter().map(moved).collect()
}

async fn gifts(pool: &SqlitePool, after: &str, limit: usize) -> Result<Vec<EntryRow>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM entry WHERE gift > ?1 ORDER BY gift, account, part, act LIMIT ?2");
    let found = sqlx::query(AssertSqlSafe(sql)).bind(after).bind(row::signed(limit)).fetch_all(pool).await?;
    Ok(whole_gifts(found.iter().map(entry).collect::<Result<_, _>>()?, limit))
}

async fn act(store: &SqliteStore, gift: &str, act: Act, at: i64) -> Result<Acted, StoreError> {
    let mut writer = store.writer()?.acquire().await?;
    let mut acted = Acted::Unknown;
    let done = write_act(&mut writer, (gift, act, at), &mut acted).await;
    give_back(writer, done).await?;
    Ok(acted)
}

async fn write_act(
    writer: &mut Writer,
    (gift, act, at): (&str, Act, i64),
    acted: &mut Acted,
) -> Result<(), StoreError> {
    let mut tx = begin(writer).await?;
    let known = of_gift(&mut tx, gift).await?;
    let (came, new) = decide(known, act, at);
    *acted = came;
    insert(&mut tx, &new).await?;
    come_back(&mut tx, &new).await?;
    tx.commit().await?;
    Ok(())
}

/// What the books have of a gift, in the order in which it can have happened.
pub(super) async fn of_gift(tx: &mut Tx<'_>, gift: &str) -> Result<Vec<EntryRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM entry WHERE gift = ?1 ORDER BY act, account, part");
    sqlx::query(AssertSqlSafe(sql)).bind(gift).fetch_all(&mut **tx).await?.iter().map(entry).collect()
}

async fn come_back(tx: &mut Tx<'_>, new: &[EntryRow]) -> Result<(), StoreError> {
    let back = returned(new);
    let mut rows = Rows::with_capacity(back.len() * 64);
    for (account, amount) in &back {
        rows.row(|row| {
            row.text(account).int(*amount);
        });
    }
    run(tx, COME_BACK, rows, back.len()).await?;
    Ok(())
}

async fn expire(store: &SqliteStore, ended: i64, at: i64) -> Result<bool, StoreError> {
    let mut writer = store.writer()?.acquire().await?;
    let mut more = false;
    let done = write_lapse(&mut writer, &store.lease, (ended, at), &mut more).await;
    give_back(writer, done).await?;
    Ok(more)
}

async fn write_lapse(
    writer: &mut Writer,
    lease: &Lease,
    (ended, at): (i64, i64),
    more: &mut bool,
) -> Result<(), StoreError> {
    let mut tx = begin(writer).await?;
    held(&mut tx, lease).await?;
    let kept = sqlx::query_scalar("SELECT value FROM meta WHERE name = ?1").bind(LAPSED);
    let kept: Option<String> = kept.fetch_optional(&mut *tx).await?;
    let from: i64 = kept.and_then(|text| text.parse().ok()).unwrap_or(i64::MIN);
    let asked = sqlx::query_scalar(LAPSED_TO).bind(from).bind(ended).bind(LAPSE);
    let full: Option<i64> = asked.fetch_optional(&mut *tx).await?;
    *more = full.is_some();
    let to = full.unwrap_or(ended);
    let sql = format!(
        "SELECT {COLUMNS} FROM entry WHERE gift IN
            (SELECT gift FROM entry WHERE until > ?1 AND until <= ?2 AND account >= 'reward/' AND account < 'reward0')
        ORDER BY gift, act, account, part"
    );
    let gifts = sqlx::query(AssertSqlSafe(sql)).bind(from).bind(to).fetch_all(&mut *tx).await?;
    let gifts = gifts.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    let lot = |row: &SqliteRow| {
        Ok(Lot {
            group: 0,
            gift: row.try_get(0)?,
            holder: row.try_get(1)?,
            account: row.try_get(2)?,
            unit: row.try_get(3)?,
            until: row.try_get(4)?,
            left: row.try_get(5)?,
        })
    };
    let lots = sqlx::query(LOTS).bind(from).bind(to).fetch_all(&mut *tx).await?;
    let lots = lots.iter().map(lot).collect::<Result<Vec<_>, StoreError>>()?;
    let new = lapse(&gifts, &lots, at);
    insert(&mut tx, &new).await?;
    come_back(&mut tx, &new).await?;
    sqlx::query(SET_LAPSED).bind(LAPSED).bind(to.to_string()).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

fn entry(row: &SqliteRow) -> Result<EntryRow, StoreError> {
    let numbers = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
    let entry = entry_of((row.try_get(1)?, row.try_get(6)?), numbers, row.try_get(5)?)?;
    Ok(EntryRow {
        group: 0,
        gift: row.try_get(0)?,
        entry,
        holder: row.try_get(7)?,
        key: row.try_get(8)?,
        at: row.try_get(9)?,
        until: row.try_get(10)?,
    })
}

impl Ledger for SqliteStore {
    fn take<'a>(&'a self, wants: &'a Wants) -> Stored<'a, Vec<Block>> {
        take(self, wants).boxed()
    }

    fn give_back<'a>(&'a self, _: &'a [String]) -> Stored<'a, ()> {
        async { Ok(()) }.boxed()
    }

    fn alert<'a>(&'a self, account: &'a str, at: i64) -> Stored<'a, bool> {
        alert(self, account, at).boxed()
    }

    fn quotas(&self) -> Stored<'_, Vec<Quota>> {
        quotas(&self.readers).boxed()
    }

    fn entries<'a>(
        &'a self,
        query: &'a EntryQuery,
        after: Option<&'a EntryPlace>,
        limit: usize,
    ) -> Stored<'a, Vec<EntryRow>> {
        entries(&self.readers, query, after, limit).boxed()
    }

    fn moved(&self) -> Stored<'_, Vec<Moved>> {
        moved(&self.readers).boxed()
    }

    fn gifts<'a>(&'a self, after: &'a str, limit: usize) -> Stored<'a, Vec<EntryRow>> {
        gifts(&self.readers, after, limit).boxed()
    }

    fn expire(&self, ended: i64, at: i64) -> Stored<'_, bool> {
        expire(self, ended, at).boxed()
    }

    fn gift<'a>(&'a self, _: u16, gift: &'a str) -> Stored<'a, Vec<EntryRow>> {
        let sql = format!("SELECT {COLUMNS} FROM entry WHERE gift = ?1 ORDER BY act, account, part");
        async move {
            let found = sqlx::query(AssertSqlSafe(sql)).bind(gift).fetch_all(&self.readers).await?;
            found.iter().map(entry).collect()
        }
        .boxed()
    }

    fn act<'a>(&'a self, _: u16, gift: &'a str, what: Act, at: i64) -> Stored<'a, Acted> {
        act(self, gift, what, at).boxed()
    }
}
