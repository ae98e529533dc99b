//! The directory of work on a server.

use futures_util::FutureExt;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Row as _, Transaction};

use super::PostgresStore;
use super::rows::{same, small};
use crate::store::task::{Days, Directory, NEVER, TaskCount, TaskQuery, TaskRow, TaskStatus};
use crate::store::{StoreError, Stored, row};

/// What a commit takes from the numbers and adds to them; before the rows themselves change.
const COUNT: &str = "INSERT INTO task_count (grp, unit, task, day, status, count)
    SELECT grp, unit, task, day, status, sum(change) FROM (
        SELECT old.grp, old.unit, old.task, old.day, old.status, -1 AS change
            FROM unnest($1::smallint[], $2::text[]) AS new (grp, id) JOIN task AS old
            ON old.grp = new.grp AND old.id = new.id AND ($7::smallint IS NULL OR old.grp = $7)
        UNION ALL
        SELECT new.grp, coalesce(old.unit, new.unit, ''), new.task, coalesce(old.day, new.day), new.status, 1
            FROM unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::smallint[])
                AS new (grp, id, unit, task, day, status) LEFT JOIN task AS old
            ON old.grp = new.grp AND old.id = new.id AND ($7::smallint IS NULL OR old.grp = $7)) AS changes
    GROUP BY grp, unit, task, day, status HAVING sum(change) <> 0
    ON CONFLICT (grp, unit, task, day, status) DO UPDATE SET count = task_count.count + excluded.count";
const WRITE: &str = "INSERT INTO task (grp, id, key, entity, about, task, assignee, holder, unit, status, result,
        opened, day, due, reminded, escalated, changed, batch)
    SELECT new.grp, new.id, new.key, new.entity, new.about, new.task, new.assignee, new.holder,
        coalesce(new.unit, ''), new.status, new.result, new.opened, new.day, new.due, new.reminded, new.escalated,
        new.changed, $18
    FROM unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::smallint[], $11::text[], $12::bigint[], $13::integer[], $14::bigint[], $15::bigint[],
            $16::text[], $17::bigint[])
        AS new (grp, id, key, entity, about, task, assignee, holder, unit, status, result, opened, day, due, reminded,
            escalated, changed)
    ON CONFLICT (grp, id) DO UPDATE SET assignee = excluded.assignee, holder = excluded.holder,
        status = excluded.status, due = excluded.due, changed = excluded.changed, batch = excluded.batch,
        result = coalesce(excluded.result, task.result), reminded = coalesce(excluded.reminded, task.reminded),
        escalated = coalesce(excluded.escalated, task.escalated)";
const COLUMNS: &str = "task.grp, task.id, task.key, task.entity, task.about, task.task, task.assignee, task.holder,
    task.unit, task.status, task.result, task.opened, task.day, task.due, task.reminded, task.escalated, task.changed,
    task.batch";
const COUNTS: &str =
    "SELECT unit, task, status, sum(count)::bigint FROM task_count WHERE day BETWEEN $1 AND $2
    GROUP BY unit, task, status HAVING sum(count) <> 0 ORDER BY unit, task, status";
/// Groups of buckets.
const GROUPS: u16 = crate::store::bucket::COUNT / super::lease::SPAN;

pub(super) async fn write(
    tx: &mut Transaction<'static, Postgres>,
    tasks: &[TaskRow],
    batch: u64,
) -> Result<(), StoreError> {
    if tasks.is_empty() {
        return Ok(());
    }
    let groups: Vec<i16> = tasks.iter().map(|task| small(task.group)).collect();
    let texts = |of: fn(&TaskRow) -> &str| tasks.iter().map(of).collect::<Vec<&str>>();
    let perhaps = |of: fn(&TaskRow) -> Option<&str>| tasks.iter().map(of).collect::<Vec<Option<&str>>>();
    let (ids, kinds) = (texts(|task| &task.id), texts(|task| &task.task));
    let units = perhaps(|task| task.unit.as_deref());
    let days: Vec<i32> = tasks.iter().map(|task| task.day).collect();
    let statuses: Vec<i16> = tasks.iter().map(|task| i16::from(task.status.number())).collect();
    let query = sqlx::query(COUNT).bind(&groups).bind(&ids).bind(&units).bind(&kinds).bind(&days);
    query.bind(&statuses).bind(same(&groups)).execute(&mut **tx).await?;
    let numbers = |of: fn(&TaskRow) -> i64| tasks.iter().map(of).collect::<Vec<i64>>();
    let reminded: Vec<Option<i64>> = tasks.iter().map(|task| task.reminded).collect();
    let query = sqlx::query(WRITE).bind(&groups).bind(&ids).bind(texts(|task| &task.key));
    let query = query.bind(texts(|task| &task.entity)).bind(texts(|task| &task.about)).bind(&kinds);
    let query = query.bind(texts(|task| &task.assignee)).bind(texts(|task| &task.holder)).bind(&units);
    let query = query.bind(&statuses).bind(perhaps(|task| task.result.as_deref()));
    let query = query.bind(numbers(|task| task.opened)).bind(&days);
    let query = query.bind(numbers(|task| task.due.unwrap_or(NEVER))).bind(reminded);
    let query = query.bind(perhaps(|task| task.escalated.as_deref())).bind(numbers(|task| task.changed));
    query.bind(batch.cast_signed()).execute(&mut **tx).await?;
    Ok(())
}

async fn one(pool: &PgPool, group: u16, id: &str) -> Result<Option<TaskRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM task WHERE grp = $1 AND id = $2");
    let found = sqlx::query(AssertSqlSafe(sql)).bind(small(group)).bind(id).fetch_optional(pool).await?;
    found.map(|row| task(&row)).transpose()
}

async fn list(pool: &PgPool, query: &TaskQuery) -> Result<Vec<TaskRow>, StoreError> {
    // What an index holds is said in the words of that index.
    let state = if query.is_of_open() { "status < 2" } else { "status >= 2" };
    let assignee = if query.assignee.is_some() { "assignee = $1" } else { "$1::text IS NULL" };
    let unit = if query.units.is_some() { "unit = ANY ($2)" } else { "$2::text[] IS NULL" };
    let sql = format!(
        "SELECT {COLUMNS} FROM task WHERE {state} AND {assignee} AND {unit}
            AND ($3::smallint IS NULL OR status = $3) AND ($4::text IS NULL OR task = $4) AND ($5::bigint IS NULL OR due < $5)
            AND (due, id) > ($6, $7) ORDER BY due, id LIMIT $8"
    );
    let (due, id) = query.after.as_ref().map_or((i64::MIN, ""), |(due, id)| (*due, id));
    let asked = sqlx::query(AssertSqlSafe(sql)).bind(&query.assignee).bind(&query.units);
    let asked = asked.bind(query.status.map(|status| i16::from(status.number()))).bind(&query.task);
    let asked = asked.bind(query.before).bind(due).bind(id);
    asked.bind(row::signed(query.limit)).fetch_all(pool).await?.iter().map(task).collect()
}

async fn counts(pool: &PgPool, days: Days) -> Result<Vec<TaskCount>, StoreError> {
    let found = sqlx::query(COUNTS).bind(days.from).bind(days.to).fetch_all(pool).await?;
    let count = |row: &PgRow| {
        Ok(TaskCount {
            unit: row.try_get(0)?,
            task: row.try_get(1)?,
            status: status(row.try_get(2)?)?,
            count: row.try_get(3)?,
        })
    };
    found.iter().map(count).collect()
}

async fn changes(
    pool: &PgPool,
    after: &[(u16, u64)],
    limit: usize,
) -> Result<Vec<(u64, TaskRow)>, StoreError> {
    let behind = |group| after.iter().find(|(known, _)| *known == group).map_or(0, |(_, batch)| *batch);
    let groups: Vec<i16> = (0..GROUPS).map(small).collect();
    let batches: Vec<i64> = (0..GROUPS).map(|group| behind(group).cast_signed()).collect();
    let sql = format!(
        "SELECT {COLUMNS} FROM unnest($1::smallint[], $2::bigint[]) AS known (grp, batch) CROSS JOIN LATERAL
            (SELECT * FROM task AS new WHERE new.grp = known.grp AND new.batch > known.batch
                ORDER BY new.batch FETCH FIRST $3 ROWS WITH TIES) AS task
        ORDER BY task.grp, task.batch, task.id"
    );
    let each = limit / usize::from(GROUPS) + 1;
    let asked = sqlx::query(AssertSqlSafe(sql)).bind(groups).bind(batches).bind(row::signed(each));
    let change = |row: &PgRow| Ok((row.try_get::<i64, _>(17)?.cast_unsigned(), task(row)?));
    asked.fetch_all(pool).await?.iter().map(change).collect()
}

fn task(row: &PgRow) -> Result<TaskRow, StoreError> {
    let due: i64 = row.try_get(13)?;
    Ok(TaskRow {
        group: row.try_get::<i16, _>(0)?.cast_unsigned(),
        id: row.try_get(1)?,
        key: row.try_get(2)?,
        entity: row.try_get(3)?,
        about: row.try_get(4)?,
        task: row.try_get(5)?,
        assignee: row.try_get(6)?,
        holder: row.try_get(7)?,
        unit: Some(row.try_get(8)?).filter(|unit: &String| !unit.is_empty()),
        status: status(row.try_get(9)?)?,
        result: row.try_get(10)?,
        opened: row.try_get(11)?,
        day: row.try_get(12)?,
        due: (due != NEVER).then_some(due),
        reminded: row.try_get(14)?,
        escalated: row.try_get(15)?,
        changed: row.try_get(16)?,
    })
}

fn status(number: i16) -> Result<TaskStatus, StoreError> {
    TaskStatus::of(number.into())
        .ok_or_else(|| StoreError::Damaged(format!("{number} is not a status of a task")))
}

impl Directory for PostgresStore {
    fn task<'a>(&'a self, group: u16, id: &'a str) -> Stored<'a, Option<TaskRow>> {
        one(&self.pool, group, id).boxed()
    }

    fn tasks<'a>(&'a self, query: &'a TaskQuery) -> Stored<'a, Vec<TaskRow>> {
        list(&self.pool, query).boxed()
    }

    fn task_counts(&self, days: Days) -> Stored<'_, Vec<TaskCount>> {
        counts(&self.pool, days).boxed()
    }

    fn task_changes<'a>(&'a self, after: &'a [(u16, u64)], limit: usize) -> Stored<'a, Vec<(u64, TaskRow)>> {
        changes(&self.pool, after, limit).boxed()
    }
}
