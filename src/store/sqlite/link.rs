//! Short names of links in a file, and who is forgotten.

use futures_util::FutureExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqlitePool};

use super::SqliteStore;
use super::json::Rows;
use super::referral;
use super::write::{Tx, run};
use crate::store::{Commit, LinkRow, Links, StoreError, Stored};

/// Through a stage, as the rows of states ([`super::commit`]).
pub(super) const WRITE: &str = "
INSERT INTO staged_link SELECT value->>0, value->>1, unhex(value->>2), value->>3 FROM json_each(?1);
INSERT OR FAIL INTO link (name, whom, body, made) SELECT * FROM staged_link WHERE true ON CONFLICT DO NOTHING;
DELETE FROM staged_link";
const READ: &str = "SELECT name, whom, body FROM link WHERE name IN (SELECT value FROM json_each(?1))";
/// Cells: first and last name, whom, first and last task, entity, root, batch.
const FORGET_LINKS: &str = "DELETE FROM link WHERE name IN
    (SELECT old.name FROM json_each(?1) CROSS JOIN link AS old
        ON old.name >= value->>0 AND old.name < value->>1 AND old.whom = value->>2)";
const FORGET_TASKS: &str = r#"UPDATE task SET "key" = '', about = '', batch = gone.batch FROM
    (SELECT old.id AS id, value->>7 AS batch FROM json_each(?1) CROSS JOIN task AS old
        ON old.id >= value->>3 AND old.id < value->>4 AND old.entity = value->>5
        AND substr(old."key", instr(old."key", '/') + 1, length(value->>6) + 1) = value->>6 || '/') AS gone
    WHERE task.id = gone.id"#;

pub(super) async fn write(tx: &mut Tx<'_>, commit: &Commit) -> Result<(), StoreError> {
    let mut rows = Rows::with_capacity(commit.links.len() * 400);
    for link in &commit.links {
        rows.row(|row| {
            row.text(&link.name).int(link.whom).bytes(&link.body).int(commit.made);
        });
    }
    run(tx, WRITE, rows, commit.links.len()).await?;
    let gone = || {
        let mut rows = Rows::with_capacity(commit.erased.len() * 120);
        for gone in &commit.erased {
            rows.row(|row| {
                row.text(&gone.names.0).text(&gone.names.1).int(gone.whom);
                row.text(&gone.tasks.0).text(&gone.tasks.1).text(&gone.entity).text(&gone.root);
                row.int(commit.batch.cast_signed());
            });
        }
        rows
    };
    run(tx, FORGET_LINKS, gone(), commit.erased.len()).await?;
    run(tx, FORGET_TASKS, gone(), commit.erased.len()).await?;
    referral::forget(tx, commit).await
}

async fn read(pool: &SqlitePool, names: &[(u16, String)]) -> Result<Vec<LinkRow>, StoreError> {
    let mut rows = Rows::with_capacity(names.len() * 12);
    names.iter().for_each(|(_, name)| rows.one(name));
    let found = sqlx::query(READ).bind(rows.finish()).fetch_all(pool).await?;
    let link = |row: &SqliteRow| {
        Ok(LinkRow { group: 0, name: row.try_get(0)?, whom: row.try_get(1)?, body: row.try_get(2)? })
    };
    found.iter().map(link).collect()
}

impl Links for SqliteStore {
    fn links<'a>(&'a self, names: &'a [(u16, String)]) -> Stored<'a, Vec<LinkRow>> {
        read(&self.readers, names).boxed()
    }
}
