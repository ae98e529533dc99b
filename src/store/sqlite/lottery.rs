//! Lotteries and their draws in a file.

use std::collections::BTreeMap;

use futures_util::FutureExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row as _, SqlitePool};

use super::SqliteStore;
use super::json::Rows;
use super::write::{Tx, Writer, begin, give_back, held, run};
use crate::store::lottery::{append, drawn_of, names, row_of, won};
use crate::store::{
    Commit, Drawn, Lease, Lotteries, LotteryRow, Publication, Revealed, StoreError, Stored, row,
};

const COLUMNS: &str = "name, terms, commitment, seed, head, made, draws, ends, revealed, won";
const PUBLISH: &str = "INSERT INTO lottery (name, terms, commitment, seed, head, made, draws, ends, won)
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, 0, value->>6, '{}'
    FROM json_each(?1) WHERE true
    ON CONFLICT (name) DO UPDATE SET terms = excluded.terms, commitment = excluded.commitment,
        seed = excluded.seed, head = excluded.head, made = excluded.made, ends = excluded.ends, revealed = NULL
    WHERE lottery.draws = 0 AND lottery.terms <> excluded.terms";
const ENDS: &str = "UPDATE lottery SET ends = value->>1 FROM json_each(?1)
    WHERE lottery.name = value->>0 AND lottery.revealed IS NULL";
const REVEAL: &str = "UPDATE lottery SET revealed = ?3, seed = value->>2 FROM json_each(?1)
    WHERE lottery.name = value->>0 AND lottery.commitment = value->>1 AND lottery.revealed IS NULL
        AND lottery.ends <= ?2";
const INSERT_DRAWS: &str =
    "INSERT OR FAIL INTO draw (lottery, nth, ticket, drawn, outcome, \"left\", at, link, \"key\", holder)
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8,
        value->>9
    FROM json_each(?1)";
const MOVE: &str =
    "UPDATE lottery SET draws = value->>1, head = value->>2, won = value->>3 FROM json_each(?1)
    WHERE lottery.name = value->>0";
const DRAWS: &str = "SELECT ticket, outcome, link, \"key\", holder, nth, at, drawn, \"left\" FROM draw
    WHERE lottery = ?1 AND nth > ?2 ORDER BY nth LIMIT ?3";

pub(super) async fn write(tx: &mut Tx<'_>, commit: &Commit) -> Result<(), StoreError> {
    if commit.draws.is_empty() {
        return Ok(());
    }
    let mut wanted = Rows::with_capacity(64);
    names(&commit.draws).into_iter().for_each(|name| wanted.one(name));
    let sql = format!("SELECT {COLUMNS} FROM lottery WHERE name IN (SELECT value FROM json_each(?1))");
    let found = sqlx::query(AssertSqlSafe(sql)).bind(wanted.finish()).fetch_all(&mut **tx).await?;
    let mut found: BTreeMap<String, LotteryRow> = found
        .iter()
        .map(|row| lottery(row).map(|row| (row.name.clone(), row)))
        .collect::<Result<_, StoreError>>()?;
    let records = append(&mut found, &commit.draws)?;
    let mut rows = Rows::with_capacity(records.len() * 320);
    for (of, record) in &records {
        rows.row(|row| {
            row.text(&of.lottery).int(record.nth).text(&record.draw.ticket);
            row.perhaps_text(record.draw.drawn.as_deref()).text(record.draw.outcome.as_str());
            row.perhaps(record.left).int(record.draw.at).text(&record.link).text(&of.key).text(&of.holder);
        });
    }
    run(tx, INSERT_DRAWS, rows, records.len()).await?;
    let mut rows = Rows::with_capacity(found.len() * 160);
    for (name, lottery) in &found {
        rows.row(|row| {
            row.text(name).int(lottery.head.draws).text(&lottery.head.link).text(&won(&lottery.head));
        });
    }
    run(tx, MOVE, rows, found.len()).await?;
    Ok(())
}

async fn publish(store: &SqliteStore, publication: &Publication) -> Result<(), StoreError> {
    let mut writer = store.writer()?.acquire().await?;
    let done = write_publication(&mut writer, &store.lease, publication).await;
    give_back(writer, done).await
}

async fn write_publication(
    writer: &mut Writer,
    lease: &Lease,
    publication: &Publication,
) -> Result<(), StoreError> {
    let mut tx = begin(writer).await?;
    held(&mut tx, lease).await?;
    let mut rows = Rows::with_capacity(publication.new.len() * 1_000);
    for new in &publication.new {
        rows.row(|row| {
            row.text(&new.name).text(&new.terms).text(&new.commitment).text(&new.secret.as_text());
            row.text(&new.head.link).int(new.made).perhaps(new.ends);
        });
    }
    run(&mut tx, PUBLISH, rows, publication.new.len()).await?;
    let mut rows = Rows::with_capacity(publication.ends.len() * 40);
    for (name, ends) in &publication.ends {
        rows.row(|row| {
            row.text(name).perhaps(*ends);
        });
    }
    run(&mut tx, ENDS, rows, publication.ends.len()).await?;
    tx.commit().await?;
    Ok(())
}

async fn lotteries(pool: &SqlitePool) -> Result<Vec<LotteryRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM lottery ORDER BY name");
    sqlx::query(AssertSqlSafe(sql)).fetch_all(pool).await?.iter().map(lottery).collect()
}

fn lottery(row: &SqliteRow) -> Result<LotteryRow, StoreError> {
    let texts = [row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?];
    let won: String = row.try_get(9)?;
    row_of(texts, (row.try_get(5)?, row.try_get(6)?), (row.try_get(7)?, row.try_get(8)?), &won)
}

async fn draws(pool: &SqlitePool, lottery: &str, after: i64, limit: usize) -> Result<Vec<Drawn>, StoreError> {
    let found = sqlx::query(DRAWS).bind(lottery).bind(after).bind(row::signed(limit)).fetch_all(pool).await?;
    let drawn = |row: &SqliteRow| {
        let texts = [row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?];
        drawn_of(texts, (row.try_get(5)?, row.try_get(6)?), row.try_get(7)?, row.try_get(8)?)
    };
    found.iter().map(drawn).collect()
}

async fn reveal(store: &SqliteStore, seeds: &[Revealed], ended: i64, at: i64) -> Result<u64, StoreError> {
    let mut rows = Rows::with_capacity(seeds.len() * 200);
    for Revealed { lottery, commitment, seed } in seeds {
        rows.row(|row| {
            row.text(lottery).text(commitment).text(&seed.reveal());
        });
    }
    let query = sqlx::query(REVEAL).bind(rows.finish()).bind(ended).bind(at);
    Ok(query.execute(store.writer()?).await?.rows_affected())
}

impl Lotteries for SqliteStore {
    fn publish<'a>(&'a self, publication: &'a Publication) -> Stored<'a, ()> {
        publish(self, publication).boxed()
    }

    fn lotteries(&self) -> Stored<'_, Vec<LotteryRow>> {
        lotteries(&self.readers).boxed()
    }

    fn draws<'a>(&'a self, lottery: &'a str, after: i64, limit: usize) -> Stored<'a, Vec<Drawn>> {
        draws(&self.readers, lottery, after, limit).boxed()
    }

    fn reveal<'a>(&'a self, seeds: &'a [Revealed], ended: i64, at: i64) -> Stored<'a, u64> {
        reveal(self, seeds, ended, at).boxed()
    }
}
