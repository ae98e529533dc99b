//! The books on a server, which several workers write.
//!
//! Lock order: accounts in their order, then blocks. A commit locks only blocks of its own worker.

use std::collections::BTreeMap;

use futures_util::FutureExt;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Row as _, Transaction};

use super::PostgresStore;
use super::lease::check_life;
use super::rows::small;
use super::share::Life;
use super::write::begin;
use crate::ledger::{Act, Place};
use crate::store::ledger::{
    Acted, Block, EntryPlace, EntryQuery, EntryRow, LAPSE, LAPSED, Ledger, Lot, Moved, Quota, Want, Wants,
    all_new, allot, counted, damaged, decide, entry_of, lapse, returned, whole_gifts,
};
use crate::store::{Commit, StoreError, Stored, row};

type Tx = Transaction<'static, Postgres>;

const INSERT_ENTRIES: &str =
    "INSERT INTO entry (grp, gift, account, part, act, place, amount, unit, holder, key, at, until)
    SELECT new.grp, new.gift, new.account, new.part, new.act, new.place, new.amount, new.unit, new.holder, new.key,
        new.at, new.until
    FROM unnest($1::smallint[], $2::text[], $3::text[], $4::smallint[], $5::smallint[], $6::smallint[], $7::bigint[],
            $8::text[], $9::text[], $10::text[], $11::bigint[], $12::bigint[])
        AS new (grp, gift, account, part, act, place, amount, unit, holder, key, at, until)
    ON CONFLICT DO NOTHING";
/// A block that another one has taken for that of a dead worker is smaller now, or gone.
const SPEND: &str = "UPDATE block SET spent = block.spent + new.amount
    FROM unnest($1::text[], $2::bigint[]) AS new (account, amount)
    WHERE block.account = new.account AND block.holder = $3 AND block.life = $4
        AND block.spent + new.amount <= block.size";
/// A life is over when another one has begun under its name, or no group is its own: both wait for its commits, and
/// none of them succeeds afterwards.
const OVER: &str =
    "block.holder <> '' AND NOT EXISTS (SELECT 1 FROM worker JOIN lease ON lease.owner = worker.name
    WHERE worker.name = block.holder AND worker.epoch = block.life)";
const ADD: &str = "INSERT INTO quota (account, most, handed)
    SELECT new.account, new.most, 0 FROM unnest($1::text[], $2::bigint[]) AS new (account, most) ORDER BY 1
    ON CONFLICT DO NOTHING";
const LOCK: &str = "SELECT account, handed FROM quota WHERE account = ANY ($1) ORDER BY account FOR UPDATE";
const EMPTY_OWN: &str = "WITH old AS (SELECT account, size - spent AS rest FROM block
        WHERE account = ANY ($1) AND holder = $2 AND life = $3 AND size > spent FOR UPDATE)
    UPDATE block SET size = block.spent FROM old
    WHERE block.account = old.account AND block.holder = $2 AND block.life = $3 RETURNING block.account, old.rest";
const SETTLE: &str = "INSERT INTO block (account, holder, life, size, spent)
    SELECT new.account, '', 0, new.amount, new.amount FROM unnest($1::text[], $2::bigint[]) AS new (account, amount)
    ON CONFLICT (account, holder, life) DO UPDATE
    SET size = block.size + excluded.size, spent = block.spent + excluded.spent";
const HAND_OUT: &str = "UPDATE quota SET handed = new.handed, gone = coalesce(quota.gone, new.gone),
        most = CASE WHEN starts_with(quota.account, 'codes/') THEN quota.most ELSE new.most END
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS new (account, handed, most, gone)
    WHERE quota.account = new.account";
const ENLARGE: &str = "INSERT INTO block (account, holder, life, size, spent)
    SELECT new.account, $3, $4, new.size, 0 FROM unnest($1::text[], $2::bigint[]) AS new (account, size)
    WHERE new.size > 0
    ON CONFLICT (account, holder, life) DO UPDATE SET size = block.size + excluded.size";
const COME_BACK: &str = "UPDATE quota SET handed = quota.handed - new.amount, gone = NULL
    FROM unnest($1::text[], $2::bigint[]) AS new (account, amount)
    WHERE quota.account = new.account RETURNING quota.account, new.amount";
const ALERT: &str = "UPDATE quota SET alerted = $2 WHERE account = $1 AND alerted IS NULL";
const QUOTAS: &str = "SELECT quota.account, most, coalesce(sum(spent), 0)::bigint, handed, alerted, gone
    FROM quota LEFT JOIN block ON block.account = quota.account GROUP BY quota.account ORDER BY quota.account";
const FIRST_LAPSED: &str = "INSERT INTO meta (name, value) VALUES ($1, '') ON CONFLICT DO NOTHING";
const LAPSED_TO: &str =
    "SELECT until FROM entry WHERE until > $1 AND until <= $2 ORDER BY until LIMIT 1 OFFSET $3";
/// Gifts of which something ends.
const ENDING: &str = "(grp, gift) IN (SELECT grp, gift FROM entry
    WHERE until > $1 AND until <= $2 AND account >= 'reward/' AND account < 'reward0')";
/// Free adds to a lot, what was held is taken from it.
const LOTS: &str = "SELECT min(grp), min(gift), holder, account, unit, until,
        sum(CASE place WHEN 0 THEN amount WHEN 2 THEN -amount ELSE 0 END)::bigint
    FROM entry WHERE until > $1 AND until <= $2 AND account >= 'points/' AND account < 'points0'
    GROUP BY account, until, holder, unit ORDER BY account, until, holder";
const COLUMNS: &str = "grp, gift, account, part, act, place, amount, unit, holder, key, at, until";
const MOVED: &str = "SELECT account, unit, act, place, sum(amount)::bigint, count(*) FROM entry
    GROUP BY account, unit, act, place ORDER BY account, unit, act, place";

pub(super) async fn write(tx: &mut Tx, life: &Life, commit: &Commit) -> Result<(), StoreError> {
    if !commit.spent.is_empty() {
        let (accounts, amounts) = columns(&commit.spent);
        let query = sqlx::query(SPEND).bind(accounts).bind(amounts).bind(&life.worker.name).bind(life.epoch);
        if query.execute(&mut **tx).await?.rows_affected() != commit.spent.len() as u64 {
            return Err(StoreError::Fenced);
        }
    }
    insert(tx, &commit.entries).await
}

async fn insert(tx: &mut Tx, entries: &[EntryRow]) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let texts = |of: fn(&EntryRow) -> &str| entries.iter().map(of).collect::<Vec<&str>>();
    let smalls = |of: fn(&EntryRow) -> u16| entries.iter().map(|row| small(of(row))).collect::<Vec<i16>>();
    let numbers = |of: fn(&EntryRow) -> i64| entries.iter().map(of).collect::<Vec<i64>>();
    let until: Vec<Option<i64>> = entries.iter().map(|row| row.until).collect();
    let query = sqlx::query(INSERT_ENTRIES).bind(smalls(|row| row.group)).bind(texts(|row| &row.gift));
    let query = query.bind(texts(|row| &row.entry.account)).bind(smalls(|row| row.entry.part));
    let query = query.bind(smalls(|row| row.entry.act.number().into()));
    let query =
        query.bind(smalls(|row| row.entry.from.number().into())).bind(numbers(|row| row.entry.amount));
    let query = query.bind(texts(|row| &row.entry.unit)).bind(texts(|row| &row.holder));
    let query = query.bind(texts(|row| &row.key)).bind(numbers(|row| row.at)).bind(until);
    all_new(query.execute(&mut **tx).await?.rows_affected(), entries.len());
    Ok(())
}

fn columns(pairs: &[(String, i64)]) -> (Vec<&str>, Vec<i64>) {
    pairs.iter().map(|(account, amount)| (account.as_str(), *amount)).unzip()
}

/// An account as it is found, before anything is locked.
struct Found {
    account: String,
    most: i64,
    handed: i64,
    alerted: bool,
    gone: bool,
    given: i64,
    /// What lives that are over took and did not give, and the own one.
    rest: i64,
    /// Blocks of lives that are over.
    over: i64,
}

async fn look(pool: &PgPool, life: &Life, wants: &Wants) -> Result<Vec<Found>, StoreError> {
    let sql = format!(
        "SELECT quota.account, most, handed, alerted IS NOT NULL, gone IS NOT NULL, coalesce(sum(spent), 0)::bigint,
            coalesce(sum(size - spent) FILTER (WHERE {OVER} OR holder = $2 AND life = $3), 0)::bigint,
            count(holder) FILTER (WHERE {OVER})
        FROM quota LEFT JOIN block ON block.account = quota.account
        WHERE quota.account = ANY ($1) GROUP BY quota.account"
    );
    let accounts: Vec<&str> = wants.accounts.iter().map(|want| &*want.account).collect();
    let query = sqlx::query(AssertSqlSafe(sql)).bind(accounts).bind(&life.worker.name).bind(life.epoch);
    let found = |row: &PgRow| {
        Ok(Found {
            account: row.try_get(0)?,
            most: row.try_get(1)?,
            handed: row.try_get(2)?,
            alerted: row.try_get(3)?,
            gone: row.try_get(4)?,
            given: row.try_get(5)?,
            rest: row.try_get(6)?,
            over: row.try_get(7)?,
        })
    };
    query.fetch_all(pool).await?.iter().map(found).collect()
}

async fn take(pool: &PgPool, life: &Life, wants: &Wants) -> Result<Vec<Block>, StoreError> {
    let found = look(pool, life, wants).await?;
    let most = |account: &str| found.iter().find(|found| found.account == account).map(|found| found.most);
    let wants = &counted(wants, most);
    let of = |want: &Want| found.iter().find(|found| found.account == want.account);
    let free = |want: &Want| of(want).map_or(want.most, |found| want.most - found.handed + found.rest).max(0);
    // Nothing to be had, and noted as such: the many who come too late change nothing.
    let looked: Vec<i64> = wants.accounts.iter().map(free).collect();
    let parts = allot(wants, &looked);
    let is_vain = wants.accounts.iter().zip(&parts).all(|(want, (part, is_short))| {
        *part == 0 && (!is_short || of(want).is_some_and(|found| found.gone && found.most == want.most))
    });
    let parts = if wants.asks.is_empty() || is_vain {
        parts.into_iter().zip(looked).map(|((_, is_short), free)| (0, is_short, free)).collect()
    } else {
        let is_over = found.iter().any(|found| found.over > 0);
        hand_out(pool, life, wants, is_over).await?
    };
    let block = |(want, (size, is_short, free)): (&Want, (i64, bool, i64))| Block {
        account: want.account.clone(),
        size,
        is_short,
        is_empty: size + free <= 0,
        given: of(want).map_or(0, |found| found.given),
        alerted: of(want).is_some_and(|found| found.alerted),
        is_known_gone: of(want).is_some_and(|found| found.gone),
    };
    Ok(wants.accounts.iter().zip(parts).map(block).collect())
}

/// What each account's block is, whether it is short, and what is left of it.
async fn hand_out(
    pool: &PgPool,
    life: &Life,
    wants: &Wants,
    is_over: bool,
) -> Result<Vec<(i64, bool, i64)>, StoreError> {
    let accounts: Vec<&str> = wants.accounts.iter().map(|want| &*want.account).collect();
    let most: Vec<i64> = wants.accounts.iter().map(|want| want.most).collect();
    let mut tx = begin(pool).await?;
    check_life(&mut tx, &life.worker.name, life.epoch).await?;
    sqlx::query(ADD).bind(&accounts).bind(&most).execute(&mut *tx).await?;
    let handed = settle(&mut tx, life, &accounts, is_over).await?;
    let handed = |account: &str| handed.get(account).copied().unwrap_or_default();
    let free: Vec<i64> =
        wants.accounts.iter().map(|want| (want.most - handed(&want.account)).max(0)).collect();
    let parts: Vec<(i64, bool, i64)> = allot(wants, &free)
        .into_iter()
        .zip(free)
        .map(|((part, is_short), free)| (part.min(free), is_short, free - part.min(free)))
        .collect();
    let sizes: Vec<i64> = parts.iter().map(|(size, ..)| *size).collect();
    let after: Vec<i64> = accounts.iter().zip(&sizes).map(|(account, size)| handed(account) + size).collect();
    let gone: Vec<Option<i64>> = parts.iter().map(|(_, is_short, _)| is_short.then_some(wants.at)).collect();
    let query = sqlx::query(HAND_OUT).bind(&accounts).bind(after).bind(most).bind(gone);
    query.execute(&mut *tx).await?;
    let query = sqlx::query(ENLARGE).bind(&accounts).bind(sizes).bind(&life.worker.name).bind(life.epoch);
    query.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(parts)
}

/// Locks the accounts and takes back what this worker, and lives that are over, have not given. Returns how much is
/// handed out then; what the caller changes of it, it writes.
async fn settle(
    tx: &mut Tx,
    life: &Life,
    accounts: &[&str],
    is_over: bool,
) -> Result<BTreeMap<String, i64>, StoreError> {
    let locked: Vec<(String, i64)> = sqlx::query_as(LOCK).bind(accounts).fetch_all(&mut **tx).await?;
    let mut handed: BTreeMap<String, i64> = locked.into_iter().collect();
    let mut back = |account: &str, rest: i64| {
        if let Some(handed) = handed.get_mut(account) {
            *handed -= rest;
        }
    };
    let query = sqlx::query_as(EMPTY_OWN).bind(accounts).bind(&life.worker.name).bind(life.epoch);
    let own: Vec<(String, i64)> = query.fetch_all(&mut **tx).await?;
    own.iter().for_each(|(account, rest)| back(account, *rest));
    if is_over {
        let sql =
            format!("DELETE FROM block WHERE account = ANY ($1) AND {OVER} RETURNING account, size, spent");
        let query = sqlx::query_as(AssertSqlSafe(sql)).bind(accounts);
        let over: Vec<(String, i64, i64)> = query.fetch_all(&mut **tx).await?;
        let mut spent: BTreeMap<String, i64> = BTreeMap::new();
        for (account, size, given) in over {
            back(&account, size - given);
            *spent.entry(account).or_default() += given;
        }
        let spent: Vec<(String, i64)> = spent.into_iter().collect();
        let (accounts, amounts) = columns(&spent);
        sqlx::query(SETTLE).bind(accounts).bind(amounts).execute(&mut **tx).await?;
    }
    Ok(handed)
}

async fn give_back(pool: &PgPool, life: &Life, accounts: &[String]) -> Result<(), StoreError> {
    let accounts: Vec<&str> = accounts.iter().map(String::as_str).collect();
    let mut tx = begin(pool).await?;
    check_life(&mut tx, &life.worker.name, life.epoch).await?;
    let handed = settle(&mut tx, life, &accounts, false).await?;
    let (accounts, handed): (Vec<String>, Vec<i64>) = handed.into_iter().unzip();
    let sql =
        "UPDATE quota SET handed = new.handed FROM unnest($1::text[], $2::bigint[]) AS new (account, handed)
        WHERE quota.account = new.account";
    sqlx::query(sql).bind(accounts).bind(handed).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

async fn alert(pool: &PgPool, account: &str, at: i64) -> Result<bool, StoreError> {
    Ok(sqlx::query(ALERT).bind(account).bind(at).execute(pool).await?.rows_affected() == 1)
}

async fn quotas(pool: &PgPool) -> Result<Vec<Quota>, StoreError> {
    let quota = |row: &PgRow| {
        let (given, handed): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
        Ok(Quota {
            account: row.try_get(0)?,
            most: row.try_get(1)?,
            given,
            under_way: handed - given,
            alerted: row.try_get(4)?,
            gone: row.try_get(5)?,
        })
    };
    sqlx::query(QUOTAS).fetch_all(pool).await?.iter().map(quota).collect()
}

async fn entries(
    pool: &PgPool,
    query: &EntryQuery,
    after: Option<&EntryPlace>,
    limit: usize,
) -> Result<Vec<EntryRow>, StoreError> {
    let (column, value) = match query {
        EntryQuery::Account(account) => ("account", account),
        EntryQuery::Holder(holder) => ("holder", holder),
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM entry WHERE {column} = $1 AND (at, gift, account, part, act) > ($2, $3, $4, $5, $6)
        ORDER BY at, gift, account, part, act LIMIT $7"
    );
    let first = (i64::MIN, String::new(), String::new(), 0, 0);
    let (at, gift, account, part, act) = after.unwrap_or(&first);
    let asked = sqlx::query(AssertSqlSafe(sql)).bind(value).bind(at).bind(gift).bind(account);
    let asked = asked.bind(small(*part)).bind(i16::from(*act)).bind(row::signed(limit));
    asked.fetch_all(pool).await?.iter().map(entry).collect()
}

async fn moved(pool: &PgPool) -> Result<Vec<Moved>, StoreError> {
    let moved = |row: &PgRow| {
        let (act, place): (i16, i16) = (row.try_get(2)?, row.try_get(3)?);
        Ok(Moved {
            account: row.try_get(0)?,
            unit: row.try_get(1)?,
            act: Act::of(act.into()).ok_or_else(damaged)?,
            from: Place::of(place.into()).ok_or_else(damaged)?,
            amount: row.try_get(4)?,
            count: row.try_get(5)?,
        })
    };
    sqlx::query(MOVED).fetch_all(pool).await?.iter().map(moved).collect()
}

async fn gifts(pool: &PgPool, after: &str, limit: usize) -> Result<Vec<EntryRow>, StoreError> {
    let group = after.get(..3).and_then(|bucket| u16::from_str_radix(bucket, 16).ok());
    let group = group.map_or(-1, |bucket| small(bucket / super::lease::SPAN));
    let sql = format!(
        "SELECT {COLUMNS} FROM entry WHERE (grp, gift) > ($1, $2) ORDER BY grp, gift, account, part, act LIMIT $3"
    );
    let asked = sqlx::query(AssertSqlSafe(sql)).bind(group).bind(after).bind(row::signed(limit));
    let found = asked.fetch_all(pool).await?;
    Ok(whole_gifts(found.iter().map(entry).collect::<Result<_, _>>()?, limit))
}

async fn act(pool: &PgPool, (group, gift): (u16, &str), act: Act, at: i64) -> Result<Acted, StoreError> {
    let mut tx = begin(pool).await?;
    let known = of_gift(&mut tx, (group, gift)).await?;
    let (acted, new) = decide(known, act, at);
    insert(&mut tx, &new).await?;
    come_back(&mut tx, &new).await?;
    tx.commit().await?;
    Ok(acted)
}

/// What the books have of a gift, in the order in which it can have happened. Nobody else does anything to it meanwhile.
pub(super) async fn of_gift(tx: &mut Tx, (group, gift): (u16, &str)) -> Result<Vec<EntryRow>, StoreError> {
    // Locked first and read then: who has waited for another sees what that one did.
    sqlx::query("SELECT FROM entry WHERE grp = $1 AND gift = $2 FOR UPDATE")
        .bind(small(group))
        .bind(gift)
        .execute(&mut **tx)
        .await?;
    let sql = format!("SELECT {COLUMNS} FROM entry WHERE grp = $1 AND gift = $2 ORDER BY act, account, part");
    let asked = sqlx::query(AssertSqlSafe(sql)).bind(small(group)).bind(gift);
    asked.fetch_all(&mut **tx).await?.iter().map(entry).collect()
}

async fn come_back(tx: &mut Tx, new: &[EntryRow]) -> Result<(), StoreError> {
    let back = returned(new);
    if back.is_empty() {
        return Ok(());
    }
    let (accounts, amounts) = columns(&back);
    sqlx::query(LOCK).bind(&accounts).fetch_all(&mut **tx).await?;
    let query = sqlx::query_as(COME_BACK).bind(accounts).bind(amounts);
    let shared: Vec<(String, i64)> = query.fetch_all(&mut **tx).await?;
    let less: Vec<(String, i64)> = shared.into_iter().map(|(account, amount)| (account, -amount)).collect();
    let (accounts, amounts) = columns(&less);
    sqlx::query(SETTLE).bind(accounts).bind(amounts).execute(&mut **tx).await?;
    Ok(())
}

/// Of several workers one at a time: the others wait at where the last one came to, and go on from there.
async fn expire(pool: &PgPool, life: &Life, ended: i64, at: i64) -> Result<bool, StoreError> {
    let mut tx = begin(pool).await?;
    check_life(&mut tx, &life.worker.name, life.epoch).await?;
    sqlx::query(FIRST_LAPSED).bind(LAPSED).execute(&mut *tx).await?;
    let kept = sqlx::query_scalar("SELECT value FROM meta WHERE name = $1 FOR UPDATE").bind(LAPSED);
    let kept: String = kept.fetch_one(&mut *tx).await?;
    let from: i64 = kept.parse().unwrap_or(i64::MIN);
    let asked = sqlx::query_scalar(LAPSED_TO).bind(from).bind(ended).bind(LAPSE);
    let full: Option<i64> = asked.fetch_optional(&mut *tx).await?;
    let to = full.unwrap_or(ended);
    sqlx::query(AssertSqlSafe(format!("SELECT FROM entry WHERE {ENDING} FOR UPDATE")))
        .bind(from)
        .bind(to)
        .execute(&mut *tx)
        .await?;
    let sql = format!("SELECT {COLUMNS} FROM entry WHERE {ENDING} ORDER BY grp, gift, act, account, part");
    let gifts = sqlx::query(AssertSqlSafe(sql)).bind(from).bind(to).fetch_all(&mut *tx).await?;
    let gifts = gifts.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    let lot = |row: &PgRow| {
        let group: i16 = row.try_get(0)?;
        Ok(Lot {
            group: group.cast_unsigned(),
            gift: row.try_get(1)?,
            holder: row.try_get(2)?,
            account: row.try_get(3)?,
            unit: row.try_get(4)?,
            until: row.try_get(5)?,
            left: row.try_get(6)?,
        })
    };
    let lots = sqlx::query(LOTS).bind(from).bind(to).fetch_all(&mut *tx).await?;
    let lots = lots.iter().map(lot).collect::<Result<Vec<_>, StoreError>>()?;
    let new = lapse(&gifts, &lots, at);
    insert(&mut tx, &new).await?;
    come_back(&mut tx, &new).await?;
    let query = sqlx::query("UPDATE meta SET value = $2 WHERE name = $1").bind(LAPSED).bind(to.to_string());
    query.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(full.is_some())
}

fn entry(row: &PgRow) -> Result<EntryRow, StoreError> {
    let (group, part): (i16, i16) = (row.try_get(0)?, row.try_get(3)?);
    let (act, place): (i16, i16) = (row.try_get(4)?, row.try_get(5)?);
    let numbers = (part.into(), act.into(), place.into());
    let entry = entry_of((row.try_get(2)?, row.try_get(7)?), numbers, row.try_get(6)?)?;
    Ok(EntryRow {
        group: group.cast_unsigned(),
        gift: row.try_get(1)?,
        entry,
        holder: row.try_get(8)?,
        key: row.try_get(9)?,
        at: row.try_get(10)?,
        until: row.try_get(11)?,
    })
}

impl Ledger for PostgresStore {
    fn take<'a>(&'a self, wants: &'a Wants) -> Stored<'a, Vec<Block>> {
        async move { take(&self.pool, self.hold().await?.0, wants).await }.boxed()
    }

    fn give_back<'a>(&'a self, accounts: &'a [String]) -> Stored<'a, ()> {
        async move { give_back(&self.pool, self.hold().await?.0, accounts).await }.boxed()
    }

    fn alert<'a>(&'a self, account: &'a str, at: i64) -> Stored<'a, bool> {
        alert(&self.pool, account, at).boxed()
    }

    fn quotas(&self) -> Stored<'_, Vec<Quota>> {
        quotas(&self.pool).boxed()
    }

    fn entries<'a>(
        &'a self,
        query: &'a EntryQuery,
        after: Option<&'a EntryPlace>,
        limit: usize,
    ) -> Stored<'a, Vec<EntryRow>> {
        entries(&self.pool, query, after, limit).boxed()
    }

    fn moved(&self) -> Stored<'_, Vec<Moved>> {
        moved(&self.pool).boxed()
    }

    fn gifts<'a>(&'a self, after: &'a str, limit: usize) -> Stored<'a, Vec<EntryRow>> {
        gifts(&self.pool, after, limit).boxed()
    }

    fn expire(&self, ended: i64, at: i64) -> Stored<'_, bool> {
        async move { expire(&self.pool, self.hold().await?.0, ended, at).await }.boxed()
    }

    fn gift<'a>(&'a self, group: u16, gift: &'a str) -> Stored<'a, Vec<EntryRow>> {
        let sql =
            format!("SELECT {COLUMNS} FROM entry WHERE grp = $1 AND gift = $2 ORDER BY act, account, part");
        async move {
            let asked = sqlx::query(AssertSqlSafe(sql)).bind(small(group)).bind(gift);
            asked.fetch_all(&self.pool).await?.iter().map(entry).collect()
        }
        .boxed()
    }

    fn act<'a>(&'a self, group: u16, gift: &'a str, what: Act, at: i64) -> Stored<'a, Acted> {
        act(&self.pool, (group, gift), what, at).boxed()
    }
}
