//! Reading: sets of rows by one statement each.
//!
//! `$n::smallint IS NULL OR … = $n` says that all rows are of one bucket (or group): such a statement touches one
//! partition, which the planner sees because plans are made with the values at hand.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};

use super::rows::{Events, Keys, Places, place, small};
use crate::store::{
    Counts, Dedup, Deployed, InboxRef, InboxRow, OutboxRow, Packed, PackedKind, ProgramRow, Quarantined,
    RowKey, RowRef, Sift, Sifted, StateRow, StoreError, TimerChunk, row,
};

const LOAD: &str = "SELECT state.bucket, state.kind, state.id, state.version, state.body
    FROM unnest($1::smallint[], $2::integer[], $3::text[]) AS wanted (bucket, kind, id) JOIN state
    ON state.bucket = wanted.bucket AND state.kind = wanted.kind AND state.id = wanted.id
        AND ($4::smallint IS NULL OR state.bucket = $4)";
const SEEN: &str = "SELECT dedup.grp, dedup.slot, dedup.hash, dedup.payload
    FROM unnest($1::smallint[], $2::integer[], $3::bytea[]) AS asked (grp, slot, hash) JOIN dedup
    ON dedup.grp = asked.grp AND dedup.slot = asked.slot AND dedup.hash = asked.hash
        AND ($4::smallint IS NULL OR dedup.grp = $4)";
// A look into each group's index, from where something may lie: entries of rows that are used up stay before it until the server
// clears them away, and reading past them was the dearest part of a small batch. A long queue is not sorted for its first few rows.
const NEXT_DUE: &str = "SELECT min(first.due) FROM unnest($1::smallint[]) AS held (grp) CROSS JOIN LATERAL
    (SELECT timer.due FROM timer WHERE timer.grp = held.grp AND timer.due > $2
        AND ($3::smallint IS NULL OR timer.grp = $3) ORDER BY timer.due LIMIT 1) AS first";
const DUE: &str = "SELECT first.due, first.grp, first.batch, first.body
    FROM unnest($1::smallint[]) AS held (grp) CROSS JOIN LATERAL
    (SELECT timer.due, timer.grp, timer.batch, timer.body FROM timer
        WHERE timer.grp = held.grp AND timer.due BETWEEN $5 AND $2 AND ($3::smallint IS NULL OR timer.grp = $3)
        ORDER BY timer.due, timer.batch LIMIT $4) AS first
    ORDER BY first.due, first.batch, first.grp LIMIT $4";
const OUTBOX: &str = "SELECT first.channel, first.grp, first.batch, first.body
    FROM unnest($1::smallint[]) AS held (grp) CROSS JOIN LATERAL
    (SELECT outbox.channel, outbox.grp, outbox.batch, outbox.body FROM outbox
        WHERE outbox.grp = held.grp AND outbox.channel = $2
            AND outbox.batch >= $5 AND (outbox.batch > $5 OR outbox.grp > $6)
            AND ($3::smallint IS NULL OR outbox.grp = $3)
        ORDER BY outbox.batch LIMIT $4) AS first
    ORDER BY first.batch, first.grp LIMIT $4";
const OUTBOX_CHANNELS: &str = "SELECT DISTINCT channel FROM outbox ORDER BY channel";
const LOG: &str = "SELECT log.grp, log.batch, log.body
    FROM unnest($1::smallint[], $2::bigint[]) AS wanted (grp, batch) JOIN log
    ON log.grp = wanted.grp AND log.batch = wanted.batch AND ($3::smallint IS NULL OR log.grp = $3)
    ORDER BY log.batch, log.grp";
const TRACE: &str = "SELECT trace.grp, trace.batch, trace.body
    FROM unnest($1::smallint[], $2::bigint[]) AS wanted (grp, batch) JOIN trace
    ON trace.grp = wanted.grp AND trace.batch = wanted.batch AND ($3::smallint IS NULL OR trace.grp = $3)
    ORDER BY trace.batch, trace.grp";
const LOG_AFTER: &str = "SELECT grp, batch, body FROM log
    WHERE (batch, grp) > ($1, $2) ORDER BY batch, grp LIMIT $3";
const TRACE_AFTER: &str = "SELECT grp, batch, body FROM trace
    WHERE (batch, grp) > ($1, $2) ORDER BY batch, grp LIMIT $3";
const SCAN: &str = "SELECT bucket, kind, id, version, body FROM state
    WHERE kind = $1 AND (bucket, kind, id) > ($2, $1, $3) ORDER BY bucket, kind, id LIMIT $4";
const INBOX: &str = "SELECT first.grp, first.at, first.sender, first.batch, first.body
    FROM unnest($1::smallint[]) AS held (grp) CROSS JOIN LATERAL
    (SELECT inbox.grp, inbox.at, inbox.sender, inbox.batch, inbox.body FROM inbox
        WHERE inbox.grp = held.grp AND ($2::smallint IS NULL OR inbox.grp = $2)
        ORDER BY inbox.at, inbox.sender, inbox.batch LIMIT $3) AS first
    ORDER BY first.at, first.sender, first.batch, first.grp LIMIT $3";
const METAS: &str = "SELECT name, value FROM meta WHERE name = ANY ($1)";
/// The last of the next so many: what is looked at in one go has an end, however few are kept.
const LOOK: &str = "SELECT bucket, id FROM state
    WHERE kind = $1 AND (bucket, kind, id) > ($2, $1, $3) ORDER BY bucket, kind, id LIMIT 1 OFFSET $4 - 1";
const SIFT: &str = "SELECT bucket, kind, id, version, body, layout, facets FROM state
    WHERE kind = $1 AND (bucket, kind, id) > ($2, $1, $3) AND (bucket, kind, id) <= ($4, $1, $5)
        AND ($6::bigint IS NULL OR layout IS NULL OR facets IS NULL OR layout <> $6 OR (facets & $7) <> 0)
    ORDER BY bucket, kind, id LIMIT $8";
const META: &str = "SELECT value FROM meta WHERE name = $1";
const SYMBOLS: &str = "SELECT name FROM symbol ORDER BY no";
const PROGRAMS: &str = "SELECT no, hash, journey, body FROM program ORDER BY no";
const BUNDLE: &str = "SELECT body FROM bundle ORDER BY no DESC LIMIT 1";
const QUARANTINED: &str = "SELECT at, code, reason, body FROM quarantine
    ORDER BY at DESC, batch DESC, no DESC LIMIT $1";
const COUNTS: &str = "SELECT (SELECT count(*) FROM state), (SELECT count(*) FROM outbox),
    (SELECT count(*) FROM timer), (SELECT count(*) FROM quarantine)";

pub(super) async fn load(pool: &PgPool, keys: &[RowKey]) -> Result<Vec<StateRow>, StoreError> {
    let keys = Keys::of(keys.iter());
    let query = sqlx::query(LOAD).bind(&keys.buckets).bind(&keys.kinds).bind(&keys.ids).bind(keys.one());
    query.fetch_all(pool).await?.iter().map(state).collect()
}

pub(super) async fn seen(pool: &PgPool, events: &[Dedup]) -> Result<Vec<Dedup>, StoreError> {
    let events = Events::of(events);
    let query = sqlx::query(SEEN).bind(&events.groups).bind(&events.slots).bind(&events.hashes);
    query.bind(events.one()).fetch_all(pool).await?.iter().map(dedup).collect()
}

pub(super) async fn next_due(
    pool: &PgPool,
    groups: &[i16],
    after: Option<Timestamp>,
) -> Result<Option<Timestamp>, StoreError> {
    let after = after.map_or(i64::MIN, Timestamp::as_millisecond);
    let query = sqlx::query_scalar(NEXT_DUE).bind(groups).bind(after).bind(only(groups));
    let due: Option<i64> = query.fetch_one(pool).await?;
    due.map(row::instant).transpose()
}

pub(super) async fn due(
    pool: &PgPool,
    groups: &[i16],
    within: &RangeInclusive<Timestamp>,
    limit: usize,
) -> Result<Vec<TimerChunk>, StoreError> {
    let (from, to) = (within.start().as_millisecond(), within.end().as_millisecond());
    let query = sqlx::query_as(DUE).bind(groups).bind(to).bind(only(groups)).bind(row::signed(limit));
    let found: Vec<(i64, i16, i64, Vec<u8>)> = query.bind(from).fetch_all(pool).await?;
    let chunk = |(due, group, batch, body): (i64, i16, i64, Vec<u8>)| {
        Ok(TimerChunk { due: row::instant(due)?, at: place(batch, group), body })
    };
    found.into_iter().map(chunk).collect()
}

pub(super) async fn outbox(
    pool: &PgPool,
    groups: &[i16],
    channel: u32,
    after: RowRef,
    limit: usize,
) -> Result<Vec<OutboxRow>, StoreError> {
    let query = sqlx::query_as(OUTBOX).bind(groups).bind(channel.cast_signed()).bind(only(groups));
    let query = query.bind(row::signed(limit)).bind(after.batch.cast_signed()).bind(small(after.group));
    let found: Vec<(i32, i16, i64, Vec<u8>)> = query.fetch_all(pool).await?;
    let row = |(channel, group, batch, body): (i32, i16, i64, Vec<u8>)| OutboxRow {
        channel: channel.cast_unsigned(),
        at: place(batch, group),
        body,
    };
    Ok(found.into_iter().map(row).collect())
}

pub(super) async fn inbox(pool: &PgPool, groups: &[i16], limit: usize) -> Result<Vec<InboxRow>, StoreError> {
    let query = sqlx::query_as(INBOX).bind(groups).bind(only(groups)).bind(row::signed(limit));
    let found: Vec<(i16, i64, String, i64, Vec<u8>)> = query.fetch_all(pool).await?;
    let row = |(group, at, sender, batch, body): (i16, i64, String, i64, Vec<u8>)| {
        let at = InboxRef { group: group.cast_unsigned(), at, sender, batch: batch.cast_unsigned() };
        InboxRow { at, body }
    };
    Ok(found.into_iter().map(row).collect())
}

pub(super) async fn metas(pool: &PgPool, names: &[String]) -> Result<Vec<(String, String)>, StoreError> {
    Ok(sqlx::query_as(METAS).bind(names).fetch_all(pool).await?)
}

pub(super) async fn outbox_channels(pool: &PgPool) -> Result<Vec<u32>, StoreError> {
    let channels: Vec<i32> = sqlx::query_scalar(OUTBOX_CHANNELS).fetch_all(pool).await?;
    Ok(channels.into_iter().map(i32::cast_unsigned).collect())
}

pub(super) async fn packed(
    pool: &PgPool,
    kind: PackedKind,
    places: &[RowRef],
) -> Result<Vec<Packed>, StoreError> {
    let sql = match kind {
        PackedKind::Log => LOG,
        PackedKind::Trace => TRACE,
    };
    let mut sorted = places.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut wanted = Places::default();
    sorted.into_iter().for_each(|place| wanted.push(place));
    let query = sqlx::query_as(sql).bind(&wanted.groups).bind(&wanted.batches).bind(wanted.one());
    Ok(query.fetch_all(pool).await?.into_iter().map(pack).collect())
}

pub(super) async fn packed_after(
    pool: &PgPool,
    kind: PackedKind,
    after: RowRef,
    limit: usize,
) -> Result<Vec<Packed>, StoreError> {
    let sql = match kind {
        PackedKind::Log => LOG_AFTER,
        PackedKind::Trace => TRACE_AFTER,
    };
    let query = sqlx::query_as(sql).bind(after.batch.cast_signed()).bind(small(after.group));
    Ok(query.bind(row::signed(limit)).fetch_all(pool).await?.into_iter().map(pack).collect())
}

pub(super) async fn scan(
    pool: &PgPool,
    kind: u32,
    after: Option<&RowKey>,
    limit: usize,
) -> Result<Vec<StateRow>, StoreError> {
    let bucket = after.map_or(-1, |key| small(key.bucket));
    let id = after.map_or("", |key| &key.id);
    let query = sqlx::query(SCAN).bind(kind.cast_signed()).bind(bucket).bind(id).bind(row::signed(limit));
    query.fetch_all(pool).await?.iter().map(state).collect()
}

pub(super) async fn sift(pool: &PgPool, sift: Sift, after: Option<&RowKey>) -> Result<Sifted, StoreError> {
    let (kind, bucket) = (sift.kind.cast_signed(), after.map_or(-1, |key| small(key.bucket)));
    let id = after.map_or("", |key| &key.id);
    let query = sqlx::query_as(LOOK).bind(kind).bind(bucket).bind(id).bind(row::signed(sift.look.max(1)));
    let end: Option<(i16, String)> = query.fetch_optional(pool).await?;
    let (last, until) = end.as_ref().map_or((i16::MAX, ""), |(bucket, id)| (*bucket, id));
    let query = sqlx::query(SIFT).bind(kind).bind(bucket).bind(id).bind(last).bind(until);
    let query =
        query.bind(sift.sieve.map(|sieve| sieve.layout)).bind(sift.sieve.map_or(0, |sieve| sieve.mask));
    let found = query.bind(row::signed(sift.most)).fetch_all(pool).await?;
    let rows = found.iter().map(|row| Ok((state(row)?, row::mark(row.try_get(5)?, row.try_get(6)?))));
    let end = end.map(|(bucket, id)| (bucket.cast_unsigned(), id));
    Ok(row::sifted(rows.collect::<Result<_, StoreError>>()?, sift, end))
}

pub(super) async fn meta(pool: &PgPool, name: &str) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(META).bind(name).fetch_optional(pool).await?)
}

pub(super) async fn deployed(pool: &PgPool) -> Result<Deployed, StoreError> {
    // In one transaction: another worker may deploy meanwhile.
    let mut tx = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let symbols = sqlx::query_scalar(SYMBOLS).fetch_all(&mut *tx).await?;
    let programs: Vec<(i32, String, String, Vec<u8>)> = sqlx::query_as(PROGRAMS).fetch_all(&mut *tx).await?;
    let bundle = sqlx::query_scalar(BUNDLE).fetch_optional(&mut *tx).await?;
    tx.commit().await?;
    let program = |(no, hash, journey, body): (i32, _, _, _)| {
        let no = no.cast_unsigned();
        ProgramRow { no, hash, journey, body }
    };
    Ok(Deployed { symbols, programs: programs.into_iter().map(program).collect(), bundle })
}

pub(super) async fn quarantined(pool: &PgPool, limit: usize) -> Result<Vec<Quarantined>, StoreError> {
    let query = sqlx::query_as(QUARANTINED).bind(row::signed(limit));
    let found: Vec<(i64, String, String, Vec<u8>)> = query.fetch_all(pool).await?;
    found.into_iter().map(row::record).collect()
}

pub(super) async fn counts(pool: &PgPool) -> Result<Counts, StoreError> {
    Ok(row::counts(sqlx::query_as(COUNTS).fetch_one(pool).await?))
}

fn state(row: &PgRow) -> Result<StateRow, StoreError> {
    let (bucket, kind, id): (i16, i32, &str) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let key = RowKey { bucket: bucket.cast_unsigned(), kind: kind.cast_unsigned(), id: id.into() };
    Ok(StateRow { key, version: row.try_get(3)?, body: row.try_get(4)? })
}

fn dedup(row: &PgRow) -> Result<Dedup, StoreError> {
    let (group, slot, hash): (i16, i32, &[u8]) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let payload: i32 = row.try_get(3)?;
    Ok(Dedup { group: group.cast_unsigned(), slot, hash: row::hash(hash)?, payload: payload.cast_unsigned() })
}

fn pack((group, batch, body): (i16, i64, Vec<u8>)) -> Packed {
    Packed { at: place(batch, group), body }
}

/// The one group of those held, if it is one.
fn only(groups: &[i16]) -> Option<i16> {
    if let [only] = groups { Some(*only) } else { None }
}
