//! Reading: sets of rows by one statement each.

use futures_util::TryStreamExt;
use std::ops::RangeInclusive;

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Either, Executor as _, Row as _, SqlitePool};

use super::json::Rows;
use crate::store::{
    Counts, Dedup, Deployed, InboxRef, InboxRow, Looked, OutboxRow, Packed, PackedKind, ProgramRow,
    Quarantined, RowKey, RowRef, Sift, Sifted, StateRow, StoreError, TimerChunk, row,
};

// `CROSS JOIN` keeps the order: first the keys asked for, then one look-up each. The driver copies each cell of an answer on its
// own, so a row names the key by its place among those asked for.
const LOAD: &str = "SELECT json_each.key, state.version, state.body
    FROM json_each(?) CROSS JOIN state
    ON state.bucket = value->>0 AND state.kind = value->>1 AND state.id = value->>2";
const SEEN: &str = "SELECT dedup.slot, dedup.hash, dedup.payload
    FROM json_each(?) CROSS JOIN dedup
    ON dedup.slot IN (value->>1, value->>2) AND dedup.hash = unhex(value->>0)";
/// [`SEEN`], then [`LOAD`].
const LOOK_BOTH: &str = "SELECT dedup.slot, dedup.hash, dedup.payload
    FROM json_each(?) CROSS JOIN dedup
    ON dedup.slot IN (value->>1, value->>2) AND dedup.hash = unhex(value->>0);
    SELECT json_each.key, state.version, state.body
    FROM json_each(?) CROSS JOIN state
    ON state.bucket = value->>0 AND state.kind = value->>1 AND state.id = value->>2";
const NEXT_DUE: &str = "SELECT min(due) FROM timer WHERE due > ?1";
const DUE: &str =
    "SELECT due, batch, body FROM timer WHERE due BETWEEN ?1 AND ?2 ORDER BY due, batch LIMIT ?3";
const OUTBOX: &str = "SELECT channel, batch, body FROM outbox
    WHERE channel = ?1 AND batch > ?2 ORDER BY batch LIMIT ?3";
const OUTBOX_CHANNELS: &str = "SELECT DISTINCT channel FROM outbox ORDER BY channel";
const INBOX: &str = "SELECT batch, at, body FROM inbox ORDER BY batch LIMIT ?1";
const LOG: &str = "SELECT log.batch, log.body FROM json_each(?1) CROSS JOIN log ON log.batch = value";
const TRACE: &str =
    "SELECT trace.batch, trace.body FROM json_each(?1) CROSS JOIN trace ON trace.batch = value";
const LOG_AFTER: &str = "SELECT batch, body FROM log WHERE batch > ?1 ORDER BY batch LIMIT ?2";
const TRACE_AFTER: &str = "SELECT batch, body FROM trace WHERE batch > ?1 ORDER BY batch LIMIT ?2";
const SCAN: &str = "SELECT bucket, kind, id, version, body FROM state
    WHERE kind = ?1 AND (bucket, kind, id) > (?2, ?1, ?3) ORDER BY bucket, kind, id LIMIT ?4";
/// The last of the next so many: what is looked at in one go has an end, however few are kept.
const LOOK: &str = "SELECT bucket, id FROM state
    WHERE kind = ?1 AND (bucket, kind, id) > (?2, ?1, ?3) ORDER BY bucket, kind, id LIMIT 1 OFFSET ?4 - 1";
const SIFT: &str = "SELECT bucket, kind, id, version, body, layout, facets FROM state
    WHERE kind = ?1 AND (bucket, kind, id) > (?2, ?1, ?3) AND (bucket, kind, id) <= (?4, ?1, ?5)
        AND (?6 IS NULL OR layout IS NULL OR facets IS NULL OR layout <> ?6 OR (facets & ?7) <> 0)
    ORDER BY bucket, kind, id LIMIT ?8";
const META: &str = "SELECT value FROM meta WHERE name = ?1";
const SYMBOLS: &str = "SELECT name FROM symbol ORDER BY no";
const PROGRAMS: &str = "SELECT no, hash, journey, body FROM program ORDER BY no";
const BUNDLE: &str = "SELECT body FROM bundle ORDER BY no DESC LIMIT 1";
const QUARANTINED: &str = "SELECT at, code, reason, body FROM quarantine ORDER BY no DESC LIMIT ?1";
const COUNTS: &str = "SELECT (SELECT count(*) FROM state), (SELECT count(*) FROM outbox),
    (SELECT count(*) FROM timer), (SELECT count(*) FROM quarantine)";

pub(super) async fn load(pool: &SqlitePool, keys: &[RowKey]) -> Result<Vec<StateRow>, StoreError> {
    let sorted = sorted(keys);
    let found = sqlx::query(LOAD).bind(keys_asked(&sorted)).fetch_all(pool).await?;
    found.iter().map(|row| state_of(row, &sorted)).collect()
}

pub(super) async fn seen(pool: &SqlitePool, events: &[Dedup]) -> Result<Vec<Dedup>, StoreError> {
    let found = sqlx::query(SEEN).bind(events_asked(events)).fetch_all(pool).await?;
    found.iter().map(dedup).collect()
}

/// Both in one call of the driver: the rows of the first statement, then those of the second.
pub(super) async fn look(pool: &SqlitePool, events: &[Dedup], keys: &[RowKey]) -> Result<Looked, StoreError> {
    let sorted = sorted(keys);
    let query = sqlx::query(LOOK_BOTH).bind(events_asked(events)).bind(keys_asked(&sorted));
    let (mut looked, mut first) = (Looked::default(), true);
    let mut found = pool.fetch_many(query);
    while let Some(part) = found.try_next().await? {
        match part {
            Either::Left(_) => first = false,
            Either::Right(row) if first => looked.seen.push(dedup(&row)?),
            Either::Right(row) => looked.rows.push(state_of(&row, &sorted)?),
        }
    }
    Ok(looked)
}

/// Neighbours share pages.
fn sorted(keys: &[RowKey]) -> Vec<&RowKey> {
    let mut sorted: Vec<&RowKey> = keys.iter().collect();
    sorted.sort_unstable();
    sorted
}

fn keys_asked(sorted: &[&RowKey]) -> String {
    let mut rows = Rows::with_capacity(sorted.len() * 32);
    for key in sorted {
        rows.row(|row| {
            row.int(key.bucket).int(key.kind).text(&key.id);
        });
    }
    rows.finish()
}

/// One event is often asked for in two slots, one behind the other.
fn events_asked(events: &[Dedup]) -> String {
    let mut rows = Rows::with_capacity(events.len() * 28);
    let mut rest = events;
    while let [first, behind @ ..] = rest {
        let mut second = first;
        rest = behind;
        if let [next, behind @ ..] = rest
            && next.hash == first.hash
        {
            second = next;
            rest = behind;
        }
        rows.row(|row| {
            row.bytes(&first.hash).int(first.slot).int(second.slot);
        });
    }
    rows.finish()
}

fn state_of(row: &SqliteRow, sorted: &[&RowKey]) -> Result<StateRow, StoreError> {
    let place = usize::try_from(row.try_get::<i64, _>(0)?).ok();
    let key = place.and_then(|place| sorted.get(place));
    let key = key.ok_or_else(|| StoreError::Damaged("a row that was not asked for".to_owned()))?;
    Ok(StateRow { key: RowKey::clone(key), version: row.try_get(1)?, body: row.try_get(2)? })
}

pub(super) async fn next_due(
    pool: &SqlitePool,
    after: Option<Timestamp>,
) -> Result<Option<Timestamp>, StoreError> {
    let after = after.map_or(i64::MIN, Timestamp::as_millisecond);
    let due: Option<i64> = sqlx::query_scalar(NEXT_DUE).bind(after).fetch_one(pool).await?;
    due.map(row::instant).transpose()
}

pub(super) async fn due(
    pool: &SqlitePool,
    within: RangeInclusive<Timestamp>,
    limit: usize,
) -> Result<Vec<TimerChunk>, StoreError> {
    let (from, to) = (within.start().as_millisecond(), within.end().as_millisecond());
    let query = sqlx::query_as(DUE).bind(from).bind(to).bind(row::signed(limit));
    let found: Vec<(i64, i64, Vec<u8>)> = query.fetch_all(pool).await?;
    let chunk = |(due, batch, body): (i64, i64, Vec<u8>)| {
        Ok(TimerChunk { due: row::instant(due)?, at: place(batch), body })
    };
    found.into_iter().map(chunk).collect()
}

pub(super) async fn outbox(
    pool: &SqlitePool,
    channel: u32,
    after: RowRef,
    limit: usize,
) -> Result<Vec<OutboxRow>, StoreError> {
    let query = sqlx::query_as(OUTBOX).bind(channel).bind(after.batch.cast_signed()).bind(row::signed(limit));
    let found: Vec<(u32, i64, Vec<u8>)> = query.fetch_all(pool).await?;
    let row = |(channel, batch, body): (u32, i64, Vec<u8>)| OutboxRow { channel, at: place(batch), body };
    Ok(found.into_iter().map(row).collect())
}

pub(super) async fn inbox(pool: &SqlitePool, limit: usize) -> Result<Vec<InboxRow>, StoreError> {
    let found: Vec<(i64, i64, Vec<u8>)> =
        sqlx::query_as(INBOX).bind(row::signed(limit)).fetch_all(pool).await?;
    let row = |(batch, at, body): (i64, i64, Vec<u8>)| {
        let at = InboxRef { at, batch: batch.cast_unsigned(), ..InboxRef::default() };
        InboxRow { at, body }
    };
    Ok(found.into_iter().map(row).collect())
}

pub(super) async fn outbox_channels(pool: &SqlitePool) -> Result<Vec<u32>, StoreError> {
    Ok(sqlx::query_scalar(OUTBOX_CHANNELS).fetch_all(pool).await?)
}

pub(super) async fn packed(
    pool: &SqlitePool,
    kind: PackedKind,
    places: &[RowRef],
) -> Result<Vec<Packed>, StoreError> {
    let sql = match kind {
        PackedKind::Log => LOG,
        PackedKind::Trace => TRACE,
    };
    let mut sorted: Vec<u64> = places.iter().map(|place| place.batch).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let list: Vec<String> = sorted.iter().map(u64::to_string).collect();
    let query = sqlx::query_as(sql).bind(format!("[{}]", list.join(",")));
    Ok(query.fetch_all(pool).await?.into_iter().map(pack).collect())
}

pub(super) async fn packed_after(
    pool: &SqlitePool,
    kind: PackedKind,
    after: RowRef,
    limit: usize,
) -> Result<Vec<Packed>, StoreError> {
    let sql = match kind {
        PackedKind::Log => LOG_AFTER,
        PackedKind::Trace => TRACE_AFTER,
    };
    let query = sqlx::query_as(sql).bind(after.batch.cast_signed()).bind(row::signed(limit));
    Ok(query.fetch_all(pool).await?.into_iter().map(pack).collect())
}

pub(super) async fn scan(
    pool: &SqlitePool,
    kind: u32,
    after: Option<&RowKey>,
    limit: usize,
) -> Result<Vec<StateRow>, StoreError> {
    let bucket = after.map_or(-1, |key| i64::from(key.bucket));
    let id = after.map_or("", |key| &key.id);
    let query = sqlx::query(SCAN).bind(kind).bind(bucket).bind(id).bind(row::signed(limit));
    query.fetch_all(pool).await?.iter().map(state).collect()
}

pub(super) async fn sift(
    pool: &SqlitePool,
    sift: Sift,
    after: Option<&RowKey>,
) -> Result<Sifted, StoreError> {
    let bucket = after.map_or(-1, |key| i64::from(key.bucket));
    let id = after.map_or("", |key| &key.id);
    let query =
        sqlx::query_as(LOOK).bind(sift.kind).bind(bucket).bind(id).bind(row::signed(sift.look.max(1)));
    let end: Option<(u16, String)> = query.fetch_optional(pool).await?;
    let (last, until) = end.as_ref().map_or((i64::MAX, ""), |(bucket, id)| (i64::from(*bucket), id));
    let query = sqlx::query(SIFT).bind(sift.kind).bind(bucket).bind(id).bind(last).bind(until);
    let query =
        query.bind(sift.sieve.map(|sieve| sieve.layout)).bind(sift.sieve.map_or(0, |sieve| sieve.mask));
    let found = query.bind(row::signed(sift.most)).fetch_all(pool).await?;
    let rows = found.iter().map(|row| Ok((state(row)?, row::mark(row.try_get(5)?, row.try_get(6)?))));
    Ok(row::sifted(rows.collect::<Result<_, StoreError>>()?, sift, end))
}

pub(super) async fn meta(pool: &SqlitePool, name: &str) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(META).bind(name).fetch_optional(pool).await?)
}

pub(super) async fn deployed(pool: &SqlitePool) -> Result<Deployed, StoreError> {
    let mut connection = pool.acquire().await?;
    let symbols = sqlx::query_scalar(SYMBOLS).fetch_all(&mut *connection).await?;
    let programs: Vec<(u32, String, String, Vec<u8>)> =
        sqlx::query_as(PROGRAMS).fetch_all(&mut *connection).await?;
    let bundle = sqlx::query_scalar(BUNDLE).fetch_optional(&mut *connection).await?;
    let program = |(no, hash, journey, body)| ProgramRow { no, hash, journey, body };
    Ok(Deployed { symbols, programs: programs.into_iter().map(program).collect(), bundle })
}

pub(super) async fn quarantined(pool: &SqlitePool, limit: usize) -> Result<Vec<Quarantined>, StoreError> {
    let query = sqlx::query_as(QUARANTINED).bind(row::signed(limit));
    let found: Vec<(i64, String, String, Vec<u8>)> = query.fetch_all(pool).await?;
    found.into_iter().map(row::record).collect()
}

pub(super) async fn counts(pool: &SqlitePool) -> Result<Counts, StoreError> {
    Ok(row::counts(sqlx::query_as(COUNTS).fetch_one(pool).await?))
}

fn state(row: &SqliteRow) -> Result<StateRow, StoreError> {
    let id: &str = row.try_get(2)?;
    let key = RowKey { bucket: row.try_get(0)?, kind: row.try_get(1)?, id: id.into() };
    Ok(StateRow { key, version: row.try_get(3)?, body: row.try_get(4)? })
}

fn dedup(row: &SqliteRow) -> Result<Dedup, StoreError> {
    let hash: &[u8] = row.try_get(1)?;
    Ok(Dedup { group: 0, slot: row.try_get(0)?, hash: row::hash(hash)?, payload: row.try_get(2)? })
}

fn pack((batch, body): (i64, Vec<u8>)) -> Packed {
    Packed { at: place(batch), body }
}

/// There is one group, so its number is not stored.
fn place(batch: i64) -> RowRef {
    RowRef { batch: batch.cast_unsigned(), group: 0 }
}
