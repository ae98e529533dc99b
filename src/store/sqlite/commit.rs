//! The transaction of a batch. Each call of the driver costs a change of threads and back, 0.1 to 0.3 ms: that, not the rows,
//! is the time of a small batch. So what nearly every batch writes is one text of several statements, which is handed
//! over once; whatever has no rows in it runs on an empty list. What few batches have (records put aside, tasks, links,
//! books) follows in calls of its own.

use sqlx::SqlitePool;

use super::json::Rows;
use super::write::{Tx, Writer, begin, epoch, give_back, run, run_all};
use super::{ledger, link, lottery, task};
use crate::step::facets::Mark;
use crate::store::{Commit, Lease, Packed, StateRow, StoreError};

/// In the order in which [`write_common`] binds and counts. The first numbers the batches without a gap, so that a commit can be
/// neither lost nor repeated unnoticed.
// SQLite keeps each page as it was before a statement, in a file of its own, if the statement changes many rows and may fail half-way:
// as many pages as go to the log. We do not need them, whatever fails takes the whole transaction back. It leaves that be only
// for `OR FAIL`, and without any call of a function, since those may fail as well. So what touches a page for each row finds its
// rows unpacked in a table of the connection's own (`STAGES`), and calls nothing.
const COMMON: &str = "
UPDATE lease SET batch = batch + 1 WHERE grp = 0 AND epoch = ? AND batch = ?;
INSERT INTO staged_state SELECT value->>0, value->>1, value->>2, value->>3, unhex(value->>4), value->>5, value->>6
    FROM json_each(?);
UPDATE OR FAIL state SET version = state.version + 1, body = staged.body, layout = staged.layout, facets = staged.facets
    FROM staged_state AS staged
    WHERE state.bucket = staged.bucket AND state.kind = staged.kind AND state.id = staged.id
        AND state.version = staged.version;
DELETE FROM staged_state;
INSERT INTO staged_state SELECT value->>0, value->>1, value->>2, 1, unhex(value->>3), value->>4, value->>5
    FROM json_each(?);
INSERT OR FAIL INTO state (bucket, kind, id, version, body, layout, facets) SELECT * FROM staged_state;
DELETE FROM staged_state;
INSERT INTO log (batch, body, made) SELECT * FROM (SELECT ?, ? AS body, ?) WHERE body IS NOT NULL;
INSERT INTO trace (batch, body, made) SELECT * FROM (SELECT ?, ? AS body, ?) WHERE body IS NOT NULL;
DELETE FROM outbox WHERE (channel, batch) IN (SELECT value->>0, value->>1 FROM json_each(?));
INSERT OR FAIL INTO outbox (channel, batch, body)
    SELECT value->>0, value->>1, unhex(value->>2) FROM json_each(?);
DELETE FROM timer WHERE (due, batch) IN (SELECT value->>0, value->>1 FROM json_each(?));
INSERT OR FAIL INTO timer (due, batch, body)
    SELECT value->>0, value->>1, unhex(value->>2) FROM json_each(?);
INSERT INTO staged_dedup SELECT value->>0, unhex(value->>1), value->>2, value->>3 FROM json_each(?);
INSERT OR FAIL INTO dedup (slot, hash, payload, made) SELECT * FROM staged_dedup;
DELETE FROM staged_dedup;
INSERT INTO meta (name, value)
    SELECT value->>0, value->>1 FROM json_each(?) WHERE true
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
const RESIFT: &str = "
INSERT INTO staged_state SELECT value->>0, value->>1, value->>2, NULL, NULL, value->>3, value->>4 FROM json_each(?1);
UPDATE OR FAIL state SET layout = staged.layout, facets = staged.facets FROM staged_state AS staged
    WHERE state.bucket = staged.bucket AND state.kind = staged.kind AND state.id = staged.id;
DELETE FROM staged_state";
/// Which of the common statements changes the states that there were.
const UPDATES: usize = 2;
/// Rows on their way into the tables of the same names; empty outside a transaction. The writer has them in memory.
pub(super) const STAGES: &str = "
CREATE TEMP TABLE staged_state (bucket, kind, id, version, body, layout, facets);
CREATE TEMP TABLE staged_dedup (slot, hash, payload, made);
CREATE TEMP TABLE staged_entry (gift, account, part, act, place, amount, unit, holder, key, at, until);
CREATE TEMP TABLE staged_link (name, whom, body, made)";
const INSERT_QUARANTINE: &str = "INSERT OR FAIL INTO quarantine (at, code, reason, body)
    SELECT value->>0, value->>1, value->>2, unhex(value->>3) FROM json_each(?1)";
const INSERT_INBOX: &str = "INSERT INTO inbox (batch, at, body) VALUES (?1, ?2, ?3)";
const DELETE_INBOX: &str = "DELETE FROM inbox WHERE batch IN (SELECT value FROM json_each(?1))";

pub(super) async fn commit(pool: &SqlitePool, lease: &Lease, commit: &Commit) -> Result<(), StoreError> {
    if let Some(row) = commit.states.iter().find(|row| !lease.covers(row.key.bucket)) {
        return Err(StoreError::OutsideLease(row.key.bucket));
    }
    // Before the connection is asked for: the text is the longer part of the work here.
    let rows = Common::of(commit);
    let mut writer = pool.acquire().await?;
    let done = write(&mut writer, lease, commit, rows).await;
    give_back(writer, done).await
}

async fn write(writer: &mut Writer, lease: &Lease, commit: &Commit, rows: Common) -> Result<(), StoreError> {
    let mut tx = begin(writer).await?;
    write_common(&mut tx, lease, commit, rows).await?;
    resift(&mut tx, commit).await?;
    quarantine(&mut tx, commit).await?;
    inbox(&mut tx, commit).await?;
    task::write(&mut tx, &commit.tasks, commit.batch).await?;
    link::write(&mut tx, commit).await?;
    ledger::write(&mut tx, commit).await?;
    lottery::write(&mut tx, commit).await?;
    tx.commit().await?;
    Ok(())
}

/// The rows of the common statements.
struct Common {
    old_states: String,
    /// How many are in `old_states`.
    updates: u64,
    new_states: String,
    outbox_done: String,
    outbox: String,
    timers_done: String,
    timers: String,
    dedup: String,
    meta: String,
}

impl Common {
    fn of(commit: &Commit) -> Self {
        let (old_states, updates, new_states) = states(commit);
        Self {
            old_states,
            updates,
            new_states,
            outbox_done: outbox_done(commit),
            outbox: outbox(commit),
            timers_done: timers_done(commit),
            timers: timers(commit),
            dedup: dedup(commit),
            meta: super::write::meta_rows(&commit.meta).finish(),
        }
    }
}

async fn write_common(
    tx: &mut Tx<'_>,
    lease: &Lease,
    commit: &Commit,
    rows: Common,
) -> Result<(), StoreError> {
    let (batch, updates) = (commit.batch.cast_signed(), rows.updates);
    let (log, trace) = (body(&commit.log), body(&commit.trace));
    let query = sqlx::query(COMMON).bind(epoch(lease)).bind(batch - 1);
    let query = query.bind(rows.old_states).bind(rows.new_states);
    let query = query.bind(batch).bind(log).bind(commit.made).bind(batch).bind(trace).bind(commit.made);
    let query = query.bind(rows.outbox_done).bind(rows.outbox).bind(rows.timers_done).bind(rows.timers);
    let query = query.bind(rows.dedup).bind(rows.meta);
    run_all(tx, query, |nth, changed| match nth {
        0 if changed != 1 => Err(StoreError::Fenced),
        UPDATES if changed != updates => Err(StoreError::Conflict),
        _ => Ok(()),
    })
    .await
}

/// Of the one row, since there is one group.
fn body(rows: &[Packed]) -> Option<&[u8]> {
    rows.first().map(|row| &*row.body)
}

/// Those that are changed, how many, and those that are new; in the order of their keys: neighbours share pages.
fn states(commit: &Commit) -> (String, u64, String) {
    let facets = commit.facets.iter().copied().chain(std::iter::repeat(None));
    let mut sorted: Vec<(&StateRow, Option<Mark>)> = commit.states.iter().zip(facets).collect();
    sorted.sort_unstable_by(|(a, _), (b, _)| a.key.cmp(&b.key));
    let bytes = |of: fn(&StateRow) -> bool| {
        let rows = commit.states.iter().filter(|row| of(row));
        rows.map(|row| row.body.len() * 2 + row.key.id.len() + 60).sum()
    };
    let mut new = Rows::with_capacity(bytes(|row| row.version == 0));
    let mut old = Rows::with_capacity(bytes(|row| row.version != 0));
    let mut updates = 0;
    for (state, facets) in sorted {
        let key = &state.key;
        if state.version == 0 {
            new.row(|row| {
                row.int(key.bucket).int(key.kind).text(&key.id).bytes(&state.body).mark(facets);
            });
        } else {
            updates += 1;
            old.row(|row| {
                row.int(key.bucket)
                    .int(key.kind)
                    .text(&key.id)
                    .int(state.version)
                    .bytes(&state.body)
                    .mark(facets);
            });
        }
    }
    (old.finish(), updates, new.finish())
}

fn outbox_done(commit: &Commit) -> String {
    let mut rows = Rows::with_capacity(commit.outbox_done.len() * 16);
    for (channel, place) in &commit.outbox_done {
        rows.row(|row| {
            row.int(*channel).int(place.batch.cast_signed());
        });
    }
    rows.finish()
}

fn outbox(commit: &Commit) -> String {
    let mut rows = Rows::with_capacity(commit.outbox.iter().map(|row| row.body.len() * 2 + 40).sum());
    for outbox in &commit.outbox {
        rows.row(|row| {
            row.int(outbox.channel).int(outbox.at.batch.cast_signed()).bytes(&outbox.body);
        });
    }
    rows.finish()
}

fn timers_done(commit: &Commit) -> String {
    let mut rows = Rows::with_capacity(commit.timers_done.len() * 32);
    for (due, place) in &commit.timers_done {
        rows.row(|row| {
            row.int(due.as_millisecond()).int(place.batch.cast_signed());
        });
    }
    rows.finish()
}

fn timers(commit: &Commit) -> String {
    let mut rows = Rows::with_capacity(commit.timers.iter().map(|row| row.body.len() * 2 + 40).sum());
    for timer in &commit.timers {
        rows.row(|row| {
            row.int(timer.due.as_millisecond()).int(timer.at.batch.cast_signed()).bytes(&timer.body);
        });
    }
    rows.finish()
}

/// When an identity was stored is asked only of those whose slot does not say it: a nought takes no room.
fn dedup(commit: &Commit) -> String {
    let mut sorted: Vec<_> = commit.dedup.iter().collect();
    sorted.sort_unstable();
    let mut rows = Rows::with_capacity(sorted.len() * 56);
    for event in sorted {
        let made = if event.slot < 0 { commit.made } else { 0 };
        rows.row(|row| {
            row.int(event.slot).bytes(&event.hash).int(event.payload).int(made);
        });
    }
    rows.finish()
}

async fn resift(tx: &mut Tx<'_>, commit: &Commit) -> Result<(), StoreError> {
    let mut rows = Rows::with_capacity(commit.resifted.len() * 48);
    for (key, facets) in &commit.resifted {
        rows.row(|row| {
            row.int(key.bucket).int(key.kind).text(&key.id).mark(*facets);
        });
    }
    run(tx, RESIFT, rows, commit.resifted.len()).await?;
    Ok(())
}

async fn quarantine(tx: &mut Tx<'_>, commit: &Commit) -> Result<(), StoreError> {
    let mut rows = Rows::with_capacity(commit.quarantine.len() * 128);
    for record in &commit.quarantine {
        rows.row(|row| {
            row.int(record.at.as_millisecond()).text(&record.code).text(&record.reason).bytes(&record.body);
        });
    }
    run(tx, INSERT_QUARANTINE, rows, commit.quarantine.len()).await?;
    Ok(())
}

/// What was taken from it, then what is new: one row, since there is one group.
async fn inbox(tx: &mut Tx<'_>, commit: &Commit) -> Result<(), StoreError> {
    if !commit.inbox_done.is_empty() {
        let batches: Vec<String> = commit.inbox_done.iter().map(|at| at.batch.to_string()).collect();
        let query = sqlx::query(DELETE_INBOX).bind(format!("[{}]", batches.join(",")));
        query.execute(&mut **tx).await?;
    }
    for row in &commit.inbox {
        let query = sqlx::query(INSERT_INBOX).bind(commit.batch.cast_signed()).bind(row.at.at);
        query.bind(&row.body).execute(&mut **tx).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, Row as _, SqliteConnection};

    use super::*;
    use crate::store::sqlite::schema;

    async fn explained(connection: &mut SqliteConnection, how: &str, statement: &str) -> Vec<String> {
        let sql = AssertSqlSafe(format!("{how} {statement}"));
        let rows = sqlx::raw_sql(sql).fetch_all(connection).await.unwrap();
        let column = if how == "EXPLAIN" { "opcode" } else { "detail" };
        rows.iter().map(|row| row.get(column)).collect()
    }

    /// What touches a page for each row may not fail half-way, as SQLite sees it, and looks each row up by its key.
    #[tokio::test]
    async fn what_changes_many_pages_keeps_none_of_them_twice() {
        let mut connection = SqliteConnectOptions::new().in_memory(true).connect().await.unwrap();
        schema::migrate(&mut connection).await.unwrap();
        connection.execute(STAGES).await.unwrap();
        let statements = || COMMON.split(';').chain(RESIFT.split(';')).map(str::trim);
        let hot: Vec<&str> = statements()
            .filter(|sql| {
                sql.starts_with("UPDATE OR FAIL")
                    || sql.contains("INTO state ")
                    || sql.contains("INTO dedup ")
            })
            .collect();
        assert_eq!(hot.len(), 4, "{hot:#?}");
        for sql in hot {
            assert!(sql.contains(" OR FAIL "), "{sql}");
            let opcodes = explained(&mut connection, "EXPLAIN", sql).await;
            assert!(!opcodes.iter().any(|code| code.ends_with("Function")), "{sql}\n{opcodes:?}");
            let plan = explained(&mut connection, "EXPLAIN QUERY PLAN", sql).await;
            assert!(plan.iter().any(|step| step.starts_with("SCAN staged")), "{sql}\n{plan:?}");
            assert!(!plan.iter().any(|step| step.starts_with("SCAN state")), "{sql}\n{plan:?}");
            if sql.starts_with("UPDATE") {
                assert!(
                    plan.iter().any(|step| step.starts_with("SEARCH state USING PRIMARY KEY")),
                    "{plan:?}"
                );
            }
        }
        // The test would see it.
        let called = "UPDATE OR FAIL state SET body = unhex(value->>3) FROM json_each('[]') WHERE state.bucket = value->>0";
        let opcodes = explained(&mut connection, "EXPLAIN", called).await;
        assert!(opcodes.iter().any(|code| code.ends_with("Function")), "{opcodes:?}");
    }

    #[test]
    fn the_statement_that_changes_states_is_where_it_is_counted() {
        assert!(COMMON.split(';').nth(UPDATES).unwrap().trim().starts_with("UPDATE OR FAIL state"));
    }
}
