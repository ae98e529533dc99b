//! The directory of work in a file.

use futures_util::FutureExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row as _, SqlitePool};

use super::SqliteStore;
use super::json::Rows;
use super::write::{Tx, run};
use crate::store::task::{Days, Directory, NEVER, TaskCount, TaskQuery, TaskRow, TaskStatus};
use crate::store::{StoreError, Stored};

/// What a commit takes from the numbers and adds to them; before the rows themselves change.
const COUNT: &str = "INSERT INTO task_count (unit, task, day, status, count)
    SELECT unit, task, day, status, sum(change) FROM (
        SELECT old.unit, old.task, old.day, old.status, -1 AS change
            FROM json_each(?1) CROSS JOIN task AS old ON old.id = value->>0
        UNION ALL
        SELECT coalesce(old.unit, value->>6, ''), value->>4, coalesce(old.day, value->>10), value->>7, 1
            FROM json_each(?1) LEFT JOIN task AS old ON old.id = value->>0)
    GROUP BY 1, 2, 3, 4 HAVING sum(change) <> 0
    ON CONFLICT DO UPDATE SET count = count + excluded.count";
const WRITE: &str = "INSERT INTO task (id, key, entity, about, task, assignee, unit, status, holder, opened, day, due,
        changed, batch, result, reminded, escalated)
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, coalesce(value->>6, ''), value->>7,
        value->>8, value->>9, value->>10, value->>11, value->>12, value->>13, value->>14, value->>15, value->>16
    FROM json_each(?1) WHERE true
    ON CONFLICT (id) DO UPDATE SET assignee = excluded.assignee, holder = excluded.holder, status = excluded.status,
        due = excluded.due, changed = excluded.changed, batch = excluded.batch,
        result = coalesce(excluded.result, result), reminded = coalesce(excluded.reminded, reminded),
        escalated = coalesce(excluded.escalated, escalated)";
const COLUMNS: &str =
    "id, \"key\", entity, about, task, assignee, holder, unit, status, result, opened, day, due, reminded,
    escalated, changed, batch";
const COUNTS: &str = "SELECT unit, task, status, sum(count) FROM task_count WHERE day BETWEEN ?1 AND ?2
    GROUP BY unit, task, status HAVING sum(count) <> 0 ORDER BY unit, task, status";

pub(super) async fn write(tx: &mut Tx<'_>, tasks: &[TaskRow], batch: u64) -> Result<(), StoreError> {
    if tasks.is_empty() {
        return Ok(());
    }
    let rows = || {
        let mut rows = Rows::with_capacity(tasks.len() * 240);
        for task in tasks {
            rows.row(|row| {
                row.text(&task.id).text(&task.key).text(&task.entity).text(&task.about).text(&task.task);
                row.text(&task.assignee).perhaps_text(task.unit.as_deref()).int(task.status.number());
                row.text(&task.holder).int(task.opened).int(task.day).int(task.due.unwrap_or(NEVER));
                row.int(task.changed).int(batch.cast_signed()).perhaps_text(task.result.as_deref());
                row.perhaps(task.reminded).perhaps_text(task.escalated.as_deref());
            });
        }
        rows
    };
    run(tx, COUNT, rows(), tasks.len()).await?;
    run(tx, WRITE, rows(), tasks.len()).await?;
    Ok(())
}

async fn one(pool: &SqlitePool, id: &str) -> Result<Option<TaskRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM task WHERE id = ?1");
    let found = sqlx::query(AssertSqlSafe(sql)).bind(id).fetch_optional(pool).await?;
    found.map(|row| task(&row)).transpose()
}

async fn list(pool: &SqlitePool, query: &TaskQuery) -> Result<Vec<TaskRow>, StoreError> {
    // What an index holds is said in the words of that index.
    let state = if query.is_of_open() { "status < 2" } else { "status >= 2" };
    let whose = match (&query.assignee, &query.units) {
        (Some(_), _) => "assignee = ?1",
        (None, Some(_)) => "unit IN (SELECT value FROM json_each(?2))",
        (None, None) => "true",
    };
    let also = if query.assignee.is_some() && query.units.is_some() {
        "unit IN (SELECT value FROM json_each(?2))"
    } else {
        "true"
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM task WHERE {state} AND {whose} AND {also} AND (?3 IS NULL OR status = ?3)
            AND (?4 IS NULL OR task = ?4) AND (?5 IS NULL OR due < ?5) AND (due, id) > (?6, ?7) ORDER BY due, id LIMIT ?8"
    );
    let units = query.units.as_ref().map(|units| {
        let mut rows = Rows::with_capacity(units.len() * 16);
        units.iter().for_each(|unit| rows.one(unit));
        rows.finish()
    });
    let (due, id) = query.after.as_ref().map_or((i64::MIN, ""), |(due, id)| (*due, id));
    let asked = sqlx::query(AssertSqlSafe(sql)).bind(&query.assignee).bind(units);
    let asked = asked.bind(query.status.map(|status| i64::from(status.number()))).bind(&query.task);
    let asked = asked.bind(query.before).bind(due).bind(id);
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    asked.bind(limit).fetch_all(pool).await?.iter().map(task).collect()
}

async fn counts(pool: &SqlitePool, days: Days) -> Result<Vec<TaskCount>, StoreError> {
    let found = sqlx::query(COUNTS).bind(days.from).bind(days.to).fetch_all(pool).await?;
    let count = |row: &SqliteRow| {
        Ok(TaskCount {
            unit: row.try_get(0)?,
            task: row.try_get(1)?,
            status: status(row.try_get(2)?)?,
            count: row.try_get(3)?,
        })
    };
    found.iter().map(count).collect()
}

async fn changes(pool: &SqlitePool, after: u64, limit: usize) -> Result<Vec<(u64, TaskRow)>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM task WHERE batch > ?1 AND batch <=
            (SELECT max(batch) FROM (SELECT batch FROM task WHERE batch > ?1 ORDER BY batch LIMIT ?2))
        ORDER BY batch, id"
    );
    let limit = i64::try_from(limit.max(1)).unwrap_or(i64::MAX);
    let asked = sqlx::query(AssertSqlSafe(sql)).bind(after.cast_signed()).bind(limit);
    let change = |row: &SqliteRow| Ok((row.try_get::<i64, _>(16)?.cast_unsigned(), task(row)?));
    asked.fetch_all(pool).await?.iter().map(change).collect()
}

fn task(row: &SqliteRow) -> Result<TaskRow, StoreError> {
    let due: i64 = row.try_get(12)?;
    Ok(TaskRow {
        group: 0,
        id: row.try_get(0)?,
        key: row.try_get(1)?,
        entity: row.try_get(2)?,
        about: row.try_get(3)?,
        task: row.try_get(4)?,
        assignee: row.try_get(5)?,
        holder: row.try_get(6)?,
        unit: Some(row.try_get(7)?).filter(|unit: &String| !unit.is_empty()),
        status: status(row.try_get(8)?)?,
        result: row.try_get(9)?,
        opened: row.try_get(10)?,
        day: row.try_get(11)?,
        due: (due != NEVER).then_some(due),
        reminded: row.try_get(13)?,
        escalated: row.try_get(14)?,
        changed: row.try_get(15)?,
    })
}

fn status(number: i64) -> Result<TaskStatus, StoreError> {
    TaskStatus::of(number).ok_or_else(|| StoreError::Damaged(format!("{number} is not a status of a task")))
}

impl Directory for SqliteStore {
    fn task<'a>(&'a self, _: u16, id: &'a str) -> Stored<'a, Option<TaskRow>> {
        one(&self.readers, id).boxed()
    }

    fn tasks<'a>(&'a self, query: &'a TaskQuery) -> Stored<'a, Vec<TaskRow>> {
        list(&self.readers, query).boxed()
    }

    fn task_counts(&self, days: Days) -> Stored<'_, Vec<TaskCount>> {
        counts(&self.readers, days).boxed()
    }

    fn task_changes<'a>(&'a self, after: &'a [(u16, u64)], limit: usize) -> Stored<'a, Vec<(u64, TaskRow)>> {
        let after = after.iter().find(|(group, _)| *group == 0).map_or(0, |(_, batch)| *batch);
        changes(&self.readers, after, limit).boxed()
    }
}
