//! Writing: one transaction, a fixed handful of statements.

use futures_util::FutureExt;
use sqlx::{PgPool, Postgres, Transaction};

use super::again;
use super::lease::{Hold, check_life};
use super::rows::{Events, Keys, Places, States, same, small, storable};
use super::share::Life;
use super::{ledger, link, lottery, task};
use crate::step::facets::Mark;
use crate::store::{Commit, Deployment, Packed, RowKey, StateRow, StoreError};

type Tx = Transaction<'static, Postgres>;

const INSERT_STATES: &str = "INSERT INTO state (bucket, kind, id, version, body, layout, facets)
    SELECT new.bucket, new.kind, new.id, 1, new.body, new.layout, new.facets
    FROM unnest($1::smallint[], $2::integer[], $3::text[], $4::bytea[], $5::bigint[], $6::bigint[])
        AS new (bucket, kind, id, body, layout, facets)";
const UPDATE_STATES: &str =
    "UPDATE state SET version = state.version + 1, body = new.body,
        layout = new.layout, facets = new.facets
    FROM unnest($1::smallint[], $2::integer[], $3::text[], $4::bigint[], $5::bytea[], $7::bigint[], $8::bigint[])
        AS new (bucket, kind, id, version, body, layout, facets)
    WHERE state.bucket = new.bucket AND state.kind = new.kind AND state.id = new.id
        AND state.version = new.version AND ($6::smallint IS NULL OR state.bucket = $6)";
const RESIFT: &str = "UPDATE state SET layout = new.layout, facets = new.facets
    FROM unnest($1::smallint[], $2::integer[], $3::text[], $4::bigint[], $6::bigint[])
        AS new (bucket, kind, id, layout, facets)
    WHERE state.bucket = new.bucket AND state.kind = new.kind AND state.id = new.id
        AND ($5::smallint IS NULL OR state.bucket = $5)";
const INSERT_LOG: &str = "INSERT INTO log (grp, batch, body, made)
    SELECT new.grp, new.batch, new.body, $4
    FROM unnest($1::smallint[], $2::bigint[], $3::bytea[]) AS new (grp, batch, body)";
const INSERT_TRACE: &str = "INSERT INTO trace (grp, batch, body, made)
    SELECT new.grp, new.batch, new.body, $4
    FROM unnest($1::smallint[], $2::bigint[], $3::bytea[]) AS new (grp, batch, body)";
const INSERT_OUTBOX: &str = "INSERT INTO outbox (grp, channel, batch, body)
    SELECT new.grp, new.channel, new.batch, new.body
    FROM unnest($1::smallint[], $2::integer[], $3::bigint[], $4::bytea[]) AS new (grp, channel, batch, body)";
const DELETE_OUTBOX: &str = "DELETE FROM outbox
    USING unnest($1::smallint[], $2::integer[], $3::bigint[]) AS done (grp, channel, batch)
    WHERE outbox.grp = done.grp AND outbox.channel = done.channel AND outbox.batch = done.batch
        AND ($4::smallint IS NULL OR outbox.grp = $4)";
const INSERT_TIMERS: &str = "INSERT INTO timer (grp, due, batch, body)
    SELECT new.grp, new.due, new.batch, new.body
    FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bytea[]) AS new (grp, due, batch, body)";
const DELETE_TIMERS: &str = "DELETE FROM timer
    USING unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS done (grp, due, batch)
    WHERE timer.grp = done.grp AND timer.due = done.due AND timer.batch = done.batch
        AND ($4::smallint IS NULL OR timer.grp = $4)";
const INSERT_DEDUP: &str = "INSERT INTO dedup (grp, slot, hash, payload, made)
    SELECT new.grp, new.slot, new.hash, new.payload, $5
    FROM unnest($1::smallint[], $2::integer[], $3::bytea[], $4::integer[]) AS new (grp, slot, hash, payload)";
/// What a worker without groups writes may have been written before: nothing numbers its commits.
const INSERT_QUARANTINE: &str = "INSERT INTO quarantine (grp, batch, no, at, code, reason, body, sender)
    SELECT $1, $2, new.no, new.at, new.code, new.reason, new.body, $8
    FROM unnest($3::integer[], $4::bigint[], $5::text[], $6::text[], $7::bytea[])
        AS new (no, at, code, reason, body) ON CONFLICT DO NOTHING";
const INSERT_INBOX: &str = "INSERT INTO inbox (grp, at, sender, batch, body)
    SELECT new.grp, new.at, $1, $2, new.body
    FROM unnest($3::smallint[], $4::bigint[], $5::bytea[]) AS new (grp, at, body) ON CONFLICT DO NOTHING";
const DELETE_INBOX: &str = "DELETE FROM inbox
    USING unnest($1::smallint[], $2::bigint[], $3::text[], $4::bigint[]) AS done (grp, at, sender, batch)
    WHERE inbox.grp = done.grp AND inbox.at = done.at AND inbox.sender = done.sender
        AND inbox.batch = done.batch AND ($5::smallint IS NULL OR inbox.grp = $5)";
const SET_META: &str = "INSERT INTO meta (name, value)
    SELECT new.name, new.value FROM unnest($1::text[], $2::text[]) AS new (name, value)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
const SWAP_NEW: &str = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const SWAP: &str = "UPDATE meta SET value = $2 WHERE name = $1 AND value = $3";
const FIRST_VERSION: &str = "INSERT INTO meta (name, value) VALUES ('version', '0') ON CONFLICT DO NOTHING";
const VERSION: &str = "SELECT value FROM meta WHERE name = 'version' FOR UPDATE";
const INSERT_SYMBOLS: &str = "INSERT INTO symbol (no, name)
    SELECT new.no, new.name FROM unnest($1::integer[], $2::text[]) AS new (no, name)";
const INSERT_PROGRAMS: &str = "INSERT INTO program (no, hash, journey, body)
    SELECT new.no, new.hash, new.journey, new.body
    FROM unnest($1::integer[], $2::text[], $3::text[], $4::bytea[]) AS new (no, hash, journey, body)";
const INSERT_BUNDLE: &str = "INSERT INTO bundle (no, hash, body)
    SELECT coalesce(max(no), 0) + 1, $1, $2 FROM bundle";

pub(super) async fn commit(
    pool: &PgPool,
    life: &Life,
    hold: &mut Hold,
    commit: &Commit,
) -> Result<(), StoreError> {
    let touched = hold.touched(commit)?;
    if hold.is_written(pool, commit.batch).await? {
        hold.advance(commit.batch, &touched);
        return Ok(());
    }
    let mut tx = begin(pool).await?;
    if touched.is_empty() {
        check_life(&mut tx, &life.worker.name, life.epoch).await?;
    } else {
        hold.fence(&mut tx, commit.batch, &touched).await?;
    }
    states(&mut tx, commit).await?;
    resift(&mut tx, &commit.resifted).await?;
    packed(&mut tx, INSERT_LOG, &commit.log, commit.made).await?;
    packed(&mut tx, INSERT_TRACE, &commit.trace, commit.made).await?;
    outbox(&mut tx, commit).await?;
    timers(&mut tx, commit).await?;
    records(&mut tx, hold.home(), life, commit).await?;
    inbox(&mut tx, life, commit).await?;
    task::write(&mut tx, &commit.tasks, commit.batch).await?;
    link::write(&mut tx, commit).await?;
    ledger::write(&mut tx, life, commit).await?;
    meta(&mut tx, &commit.meta).await?;
    // Last: others wait for the end of a chain no longer than this transaction takes to be over.
    lottery::write(&mut tx, commit).await?;
    hold.in_doubt();
    tx.commit().await?;
    hold.advance(commit.batch, &touched);
    Ok(())
}

pub(super) async fn set_meta(
    pool: &PgPool,
    life: &Life,
    values: &[(String, String)],
) -> Result<(), StoreError> {
    let mut tx = begin(pool).await?;
    check_life(&mut tx, &life.worker.name, life.epoch).await?;
    meta(&mut tx, values).await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn swap(
    pool: &PgPool,
    life: &Life,
    name: &str,
    old: &str,
    new: &str,
) -> Result<bool, StoreError> {
    let mut tx = begin(pool).await?;
    check_life(&mut tx, &life.worker.name, life.epoch).await?;
    let query = if old.is_empty() {
        sqlx::query(SWAP_NEW).bind(name).bind(new)
    } else {
        sqlx::query(SWAP).bind(name).bind(new).bind(old)
    };
    let changed = query.execute(&mut *tx).await?.rows_affected();
    tx.commit().await?;
    Ok(changed == 1)
}

pub(super) async fn deploy(pool: &PgPool, life: &Life, deployment: &Deployment) -> Result<(), StoreError> {
    let mut tx = begin(pool).await?;
    check_life(&mut tx, &life.worker.name, life.epoch).await?;
    // One after the other: numbers of symbols and programs follow those that are stored.
    sqlx::query(FIRST_VERSION).execute(&mut *tx).await?;
    let version: String = sqlx::query_scalar(VERSION).fetch_one(&mut *tx).await?;
    if deployment.base.is_some_and(|base| base.to_string() != version) {
        return Err(StoreError::Conflict);
    }
    if !deployment.symbols.is_empty() {
        let numbers: Vec<i32> = deployment.symbols.iter().map(|(no, _)| no.cast_signed()).collect();
        let names: Vec<&str> = deployment.symbols.iter().map(|(_, name)| &**name).collect();
        sqlx::query(INSERT_SYMBOLS).bind(numbers).bind(names).execute(&mut *tx).await?;
    }
    if !deployment.programs.is_empty() {
        let programs = &deployment.programs;
        let numbers: Vec<i32> = programs.iter().map(|row| row.no.cast_signed()).collect();
        let hashes: Vec<&str> = programs.iter().map(|row| &*row.hash).collect();
        let journeys: Vec<&str> = programs.iter().map(|row| &*row.journey).collect();
        let bodies: Vec<&[u8]> = programs.iter().map(|row| &*row.body).collect();
        let query = sqlx::query(INSERT_PROGRAMS).bind(numbers).bind(hashes).bind(journeys).bind(bodies);
        query.execute(&mut *tx).await?;
    }
    if let Some((hash, body)) = &deployment.bundle {
        sqlx::query(INSERT_BUNDLE).bind(hash).bind(body).execute(&mut *tx).await?;
    }
    meta(&mut tx, &deployment.meta).await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn begin(pool: &PgPool) -> Result<Tx, StoreError> {
    let begin = || async { Ok(pool.begin().await?) }.boxed();
    again(begin).await
}

async fn states(tx: &mut Tx, commit: &Commit) -> Result<(), StoreError> {
    let facets = commit.facets.iter().copied().chain(std::iter::repeat(None));
    let mut sorted: Vec<(&StateRow, Option<Mark>)> = commit.states.iter().zip(facets).collect();
    sorted.sort_unstable_by(|(a, _), (b, _)| a.key.cmp(&b.key));
    let (mut new, mut old) = (States::default(), States::default());
    for (state, facets) in sorted {
        if state.version == 0 { new.push(state, facets) } else { old.push(state, facets) }
    }
    if new.len() > 0 {
        let query = sqlx::query(INSERT_STATES).bind(&new.keys.buckets).bind(&new.keys.kinds);
        query
            .bind(&new.keys.ids)
            .bind(&new.bodies)
            .bind(&new.layouts)
            .bind(&new.facets)
            .execute(&mut **tx)
            .await?;
    }
    if old.len() == 0 {
        return Ok(());
    }
    let query = sqlx::query(UPDATE_STATES).bind(&old.keys.buckets).bind(&old.keys.kinds);
    let query = query.bind(&old.keys.ids).bind(&old.versions).bind(&old.bodies).bind(old.keys.one());
    let changed = query.bind(&old.layouts).bind(&old.facets).execute(&mut **tx).await?.rows_affected();
    if changed == old.len() as u64 { Ok(()) } else { Err(StoreError::Conflict) }
}

async fn resift(tx: &mut Tx, rows: &[(RowKey, Option<Mark>)]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut sorted: Vec<&(RowKey, Option<Mark>)> = rows.iter().collect();
    sorted.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let keys = Keys::of(sorted.iter().map(|(key, _)| key));
    let layouts: Vec<Option<i64>> = sorted.iter().map(|(_, mark)| mark.map(|mark| mark.layout)).collect();
    let facets: Vec<Option<i64>> = sorted.iter().map(|(_, mark)| mark.map(|mark| mark.bits)).collect();
    let query = sqlx::query(RESIFT).bind(&keys.buckets).bind(&keys.kinds).bind(&keys.ids).bind(layouts);
    query.bind(keys.one()).bind(facets).execute(&mut **tx).await?;
    Ok(())
}

async fn packed(tx: &mut Tx, sql: &'static str, rows: &[Packed], made: i64) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut places = Places::default();
    rows.iter().for_each(|row| places.push(row.at));
    let bodies: Vec<&[u8]> = rows.iter().map(|row| &*row.body).collect();
    let query = sqlx::query(sql).bind(&places.groups).bind(&places.batches).bind(&bodies);
    query.bind(made).execute(&mut **tx).await?;
    Ok(())
}

/// Rows that are used up, then the new ones.
async fn outbox(tx: &mut Tx, commit: &Commit) -> Result<(), StoreError> {
    if !commit.outbox_done.is_empty() {
        let channels: Vec<i32> =
            commit.outbox_done.iter().map(|(channel, _)| channel.cast_signed()).collect();
        let mut places = Places::default();
        commit.outbox_done.iter().for_each(|(_, at)| places.push(*at));
        let query = sqlx::query(DELETE_OUTBOX).bind(&places.groups).bind(channels);
        query.bind(&places.batches).bind(places.one()).execute(&mut **tx).await?;
    }
    if !commit.outbox.is_empty() {
        let channels: Vec<i32> = commit.outbox.iter().map(|row| row.channel.cast_signed()).collect();
        let mut places = Places::default();
        commit.outbox.iter().for_each(|row| places.push(row.at));
        let bodies: Vec<&[u8]> = commit.outbox.iter().map(|row| &*row.body).collect();
        let query = sqlx::query(INSERT_OUTBOX).bind(&places.groups).bind(channels);
        query.bind(&places.batches).bind(bodies).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Chunks that are used up, then the new ones.
async fn timers(tx: &mut Tx, commit: &Commit) -> Result<(), StoreError> {
    if !commit.timers_done.is_empty() {
        let due: Vec<i64> = commit.timers_done.iter().map(|(due, _)| due.as_millisecond()).collect();
        let mut places = Places::default();
        commit.timers_done.iter().for_each(|(_, at)| places.push(*at));
        let query = sqlx::query(DELETE_TIMERS).bind(&places.groups).bind(due);
        query.bind(&places.batches).bind(places.one()).execute(&mut **tx).await?;
    }
    if !commit.timers.is_empty() {
        let due: Vec<i64> = commit.timers.iter().map(|chunk| chunk.due.as_millisecond()).collect();
        let mut places = Places::default();
        commit.timers.iter().for_each(|chunk| places.push(chunk.at));
        let bodies: Vec<&[u8]> = commit.timers.iter().map(|chunk| &*chunk.body).collect();
        let query = sqlx::query(INSERT_TIMERS).bind(&places.groups).bind(due);
        query.bind(&places.batches).bind(bodies).execute(&mut **tx).await?;
    }
    Ok(())
}

async fn records(tx: &mut Tx, home: Option<u16>, life: &Life, commit: &Commit) -> Result<(), StoreError> {
    if !commit.dedup.is_empty() {
        let events = Events::of(&commit.dedup);
        let query = sqlx::query(INSERT_DEDUP).bind(&events.groups).bind(&events.slots);
        query.bind(&events.hashes).bind(&events.payloads).bind(commit.made).execute(&mut **tx).await?;
    }
    let records = &commit.quarantine;
    if !records.is_empty() {
        let numbers: Vec<i32> = (0..).take(records.len()).collect();
        let at: Vec<i64> = records.iter().map(|record| record.at.as_millisecond()).collect();
        let codes: Vec<String> = records.iter().map(|record| storable(&record.code)).collect();
        let reasons: Vec<String> = records.iter().map(|record| storable(&record.reason)).collect();
        let bodies: Vec<&[u8]> = records.iter().map(|record| &*record.body).collect();
        let sender = if home.is_some() { String::new() } else { life.sender() };
        let home = small(home.unwrap_or_default());
        let query = sqlx::query(INSERT_QUARANTINE).bind(home).bind(commit.batch.cast_signed());
        let query = query.bind(numbers).bind(at).bind(codes).bind(reasons).bind(bodies).bind(sender);
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

/// What was taken from it, and what is left for others.
async fn inbox(tx: &mut Tx, life: &Life, commit: &Commit) -> Result<(), StoreError> {
    let done = &commit.inbox_done;
    if !done.is_empty() {
        let groups: Vec<i16> = done.iter().map(|at| small(at.group)).collect();
        let at: Vec<i64> = done.iter().map(|at| at.at).collect();
        let senders: Vec<&str> = done.iter().map(|at| &*at.sender).collect();
        let batches: Vec<i64> = done.iter().map(|at| at.batch.cast_signed()).collect();
        let query = sqlx::query(DELETE_INBOX).bind(&groups).bind(at).bind(senders).bind(batches);
        query.bind(same(&groups)).execute(&mut **tx).await?;
    }
    if !commit.inbox.is_empty() {
        let groups: Vec<i16> = commit.inbox.iter().map(|row| small(row.at.group)).collect();
        let at: Vec<i64> = commit.inbox.iter().map(|row| row.at.at).collect();
        let bodies: Vec<&[u8]> = commit.inbox.iter().map(|row| &*row.body).collect();
        let query = sqlx::query(INSERT_INBOX).bind(life.sender()).bind(commit.batch.cast_signed());
        query.bind(groups).bind(at).bind(bodies).execute(&mut **tx).await?;
    }
    Ok(())
}

/// The last value of each name; a statement may not set the same row twice.
pub(super) async fn meta(tx: &mut Tx, values: &[(String, String)]) -> Result<(), StoreError> {
    if values.is_empty() {
        return Ok(());
    }
    let last: std::collections::BTreeMap<&str, &str> =
        values.iter().map(|(name, value)| (&**name, &**value)).collect();
    let (names, values): (Vec<&str>, Vec<&str>) = last.into_iter().unzip();
    sqlx::query(SET_META).bind(names).bind(values).execute(&mut **tx).await?;
    Ok(())
}
