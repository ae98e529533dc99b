//! Short names of links on a server, and who is forgotten.

use futures_util::FutureExt;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Postgres, Row as _, Transaction};

use super::rows::{same, small};
use super::{PostgresStore, again, referral};
use crate::store::{Commit, Erased, LinkRow, Links, StoreError, Stored};

const WRITE: &str = "INSERT INTO link (grp, name, whom, body, made)
    SELECT new.grp, new.name, new.whom, new.body, $5
    FROM unnest($1::smallint[], $2::text[], $3::bigint[], $4::bytea[]) AS new (grp, name, whom, body)
    ON CONFLICT DO NOTHING";
const READ: &str = "SELECT link.grp, link.name, link.whom, link.body
    FROM unnest($1::smallint[], $2::text[]) AS wanted (grp, name)
    JOIN link ON link.grp = wanted.grp AND link.name = wanted.name AND ($3::smallint IS NULL OR link.grp = $3)";
const FORGET_LINKS: &str = "DELETE FROM link
    USING unnest($1::smallint[], $2::text[], $3::text[], $4::bigint[]) AS gone (grp, first, last, whom)
    WHERE link.grp = gone.grp AND link.name >= gone.first AND link.name < gone.last AND link.whom = gone.whom
        AND ($5::smallint IS NULL OR link.grp = $5)";
const FORGET_TASKS: &str = "UPDATE task SET key = '', about = '', batch = $6
    FROM unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[])
        AS gone (grp, first, last, entity, root)
    WHERE task.grp = gone.grp AND task.id >= gone.first AND task.id < gone.last AND task.entity = gone.entity
        AND split_part(task.key, '/', 2) = gone.root AND ($7::smallint IS NULL OR task.grp = $7)";

pub(super) async fn write(
    tx: &mut Transaction<'static, Postgres>,
    commit: &Commit,
) -> Result<(), StoreError> {
    if !commit.links.is_empty() {
        let groups: Vec<i16> = commit.links.iter().map(|link| small(link.group)).collect();
        let names: Vec<&str> = commit.links.iter().map(|link| &*link.name).collect();
        let whom: Vec<i64> = commit.links.iter().map(|link| link.whom).collect();
        let bodies: Vec<&[u8]> = commit.links.iter().map(|link| &*link.body).collect();
        let query = sqlx::query(WRITE).bind(groups).bind(names).bind(whom).bind(bodies);
        query.bind(commit.made).execute(&mut **tx).await?;
    }
    if !commit.erased.is_empty() {
        forget(tx, &commit.erased, commit.batch).await?;
        referral::forget(tx, commit).await?;
    }
    Ok(())
}

async fn forget(
    tx: &mut Transaction<'static, Postgres>,
    erased: &[Erased],
    batch: u64,
) -> Result<(), StoreError> {
    let groups: Vec<i16> = erased.iter().map(|gone| small(gone.group)).collect();
    let texts = |of: fn(&Erased) -> &str| erased.iter().map(of).collect::<Vec<&str>>();
    let whom: Vec<i64> = erased.iter().map(|gone| gone.whom).collect();
    let query = sqlx::query(FORGET_LINKS).bind(&groups).bind(texts(|gone| &gone.names.0));
    let query = query.bind(texts(|gone| &gone.names.1)).bind(whom).bind(same(&groups));
    query.execute(&mut **tx).await?;
    let query = sqlx::query(FORGET_TASKS).bind(&groups).bind(texts(|gone| &gone.tasks.0));
    let query = query.bind(texts(|gone| &gone.tasks.1)).bind(texts(|gone| &gone.entity));
    let query = query.bind(texts(|gone| &gone.root)).bind(batch.cast_signed()).bind(same(&groups));
    query.execute(&mut **tx).await?;
    Ok(())
}

async fn read(pool: &PgPool, names: &[(u16, String)]) -> Result<Vec<LinkRow>, StoreError> {
    let groups: Vec<i16> = names.iter().map(|(group, _)| small(*group)).collect();
    let wanted: Vec<&str> = names.iter().map(|(_, name)| &**name).collect();
    let query = sqlx::query(READ).bind(&groups).bind(wanted).bind(same(&groups));
    let link = |row: &PgRow| {
        Ok(LinkRow {
            group: row.try_get::<i16, _>(0)?.cast_unsigned(),
            name: row.try_get(1)?,
            whom: row.try_get(2)?,
            body: row.try_get(3)?,
        })
    };
    query.fetch_all(pool).await?.iter().map(link).collect()
}

impl Links for PostgresStore {
    fn links<'a>(&'a self, names: &'a [(u16, String)]) -> Stored<'a, Vec<LinkRow>> {
        again(move || read(&self.pool, names).boxed()).boxed()
    }
}
