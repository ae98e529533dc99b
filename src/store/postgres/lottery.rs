//! Lotteries and their draws on a server. The row of a lottery is locked from the first draw of a commit to its end.

use std::collections::BTreeMap;

use futures_util::FutureExt;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Row as _, Transaction};

use super::PostgresStore;
use super::lease::check_life;
use super::share::Life;
use super::write::begin;
use crate::store::lottery::{append, drawn_of, names, row_of, won};
use crate::store::{Commit, Drawn, Lotteries, LotteryRow, Publication, Revealed, StoreError, Stored, row};

type Tx = Transaction<'static, Postgres>;

const COLUMNS: &str = "name, terms, commitment, seed, head, made, draws, ends, revealed, won";
const PUBLISH: &str = "INSERT INTO lottery (name, terms, commitment, seed, head, made, draws, ends, won)
    VALUES ($1, $2, $3, $4, $5, $6, 0, $7, '{}')
    ON CONFLICT (name) DO UPDATE SET terms = excluded.terms, commitment = excluded.commitment,
        seed = excluded.seed, head = excluded.head, made = excluded.made, ends = excluded.ends, revealed = NULL
    WHERE lottery.draws = 0 AND lottery.terms <> excluded.terms";
const ENDS: &str = "UPDATE lottery SET ends = $2 WHERE name = $1 AND revealed IS NULL";
const REVEAL: &str = "UPDATE lottery SET revealed = $5, seed = given.seed
    FROM unnest($1::text[], $2::text[], $3::text[]) AS given (name, commitment, seed)
    WHERE lottery.name = given.name AND lottery.commitment = given.commitment AND lottery.revealed IS NULL
        AND lottery.ends <= $4";
const INSERT_DRAWS: &str =
    "INSERT INTO draw (lottery, nth, ticket, drawn, outcome, \"left\", at, link, key, holder)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
        $8::text[], $9::text[], $10::text[])";
const MOVE: &str = "UPDATE lottery SET draws = $2, head = $3, won = $4 WHERE name = $1";
const DRAWS: &str = "SELECT ticket, outcome, link, key, holder, nth, at, drawn, \"left\" FROM draw
    WHERE lottery = $1 AND nth > $2 ORDER BY nth LIMIT $3";

pub(super) async fn write(tx: &mut Tx, commit: &Commit) -> Result<(), StoreError> {
    if commit.draws.is_empty() {
        return Ok(());
    }
    let sql = format!("SELECT {COLUMNS} FROM lottery WHERE name = ANY ($1) ORDER BY name FOR UPDATE");
    let found = sqlx::query(AssertSqlSafe(sql)).bind(names(&commit.draws)).fetch_all(&mut **tx).await?;
    let mut found: BTreeMap<String, LotteryRow> = found
        .iter()
        .map(|row| lottery(row).map(|row| (row.name.clone(), row)))
        .collect::<Result<_, StoreError>>()?;
    let records = append(&mut found, &commit.draws)?;
    let lotteries: Vec<&str> = records.iter().map(|(of, _)| &*of.lottery).collect();
    let nth: Vec<i64> = records.iter().map(|(_, record)| record.nth).collect();
    let tickets: Vec<&str> = records.iter().map(|(_, record)| &*record.draw.ticket).collect();
    let drawn: Vec<Option<&str>> = records.iter().map(|(_, record)| record.draw.drawn.as_deref()).collect();
    let outcomes: Vec<&str> = records.iter().map(|(_, record)| record.draw.outcome.as_str()).collect();
    let left: Vec<Option<i64>> = records.iter().map(|(_, record)| record.left).collect();
    let at: Vec<i64> = records.iter().map(|(_, record)| record.draw.at).collect();
    let links: Vec<&str> = records.iter().map(|(_, record)| &*record.link).collect();
    let keys: Vec<&str> = records.iter().map(|(of, _)| &*of.key).collect();
    let holders: Vec<&str> = records.iter().map(|(of, _)| &*of.holder).collect();
    let query = sqlx::query(INSERT_DRAWS).bind(lotteries).bind(nth).bind(tickets).bind(drawn).bind(outcomes);
    let query = query.bind(left).bind(at).bind(links).bind(keys).bind(holders);
    query.execute(&mut **tx).await?;
    for (name, lottery) in &found {
        let query = sqlx::query(MOVE).bind(name).bind(lottery.head.draws).bind(&lottery.head.link);
        query.bind(won(&lottery.head)).execute(&mut **tx).await?;
    }
    Ok(())
}

async fn publish(pool: &PgPool, life: &Life, publication: &Publication) -> Result<(), StoreError> {
    let mut tx = begin(pool).await?;
    check_life(&mut tx, &life.worker.name, life.epoch).await?;
    for new in &publication.new {
        let query = sqlx::query(PUBLISH).bind(&new.name).bind(&new.terms).bind(&new.commitment);
        let query = query.bind(new.secret.as_text()).bind(&new.head.link).bind(new.made).bind(new.ends);
        query.execute(&mut *tx).await?;
    }
    for (name, ends) in &publication.ends {
        sqlx::query(ENDS).bind(name).bind(ends).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn lotteries(pool: &PgPool) -> Result<Vec<LotteryRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM lottery ORDER BY name");
    sqlx::query(AssertSqlSafe(sql)).fetch_all(pool).await?.iter().map(lottery).collect()
}

fn lottery(row: &PgRow) -> Result<LotteryRow, StoreError> {
    let texts = [row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?];
    let won: String = row.try_get(9)?;
    row_of(texts, (row.try_get(5)?, row.try_get(6)?), (row.try_get(7)?, row.try_get(8)?), &won)
}

async fn draws(pool: &PgPool, lottery: &str, after: i64, limit: usize) -> Result<Vec<Drawn>, StoreError> {
    let found = sqlx::query(DRAWS).bind(lottery).bind(after).bind(row::signed(limit)).fetch_all(pool).await?;
    let drawn = |row: &PgRow| {
        let texts = [row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?];
        drawn_of(texts, (row.try_get(5)?, row.try_get(6)?), row.try_get(7)?, row.try_get(8)?)
    };
    found.iter().map(drawn).collect()
}

async fn reveal(
    pool: &PgPool,
    life: &Life,
    seeds: &[Revealed],
    (ended, at): (i64, i64),
) -> Result<u64, StoreError> {
    let lotteries: Vec<&str> = seeds.iter().map(|of| &*of.lottery).collect();
    let commitments: Vec<&str> = seeds.iter().map(|of| &*of.commitment).collect();
    let seeds: Vec<String> = seeds.iter().map(|of| of.seed.reveal()).collect();
    let mut tx = begin(pool).await?;
    check_life(&mut tx, &life.worker.name, life.epoch).await?;
    let query = sqlx::query(REVEAL).bind(lotteries).bind(commitments).bind(seeds).bind(ended).bind(at);
    let revealed = query.execute(&mut *tx).await?.rows_affected();
    tx.commit().await?;
    Ok(revealed)
}

impl Lotteries for PostgresStore {
    fn publish<'a>(&'a self, publication: &'a Publication) -> Stored<'a, ()> {
        async move { publish(&self.pool, self.hold().await?.0, publication).await }.boxed()
    }

    fn lotteries(&self) -> Stored<'_, Vec<LotteryRow>> {
        lotteries(&self.pool).boxed()
    }

    fn draws<'a>(&'a self, lottery: &'a str, after: i64, limit: usize) -> Stored<'a, Vec<Drawn>> {
        draws(&self.pool, lottery, after, limit).boxed()
    }

    fn reveal<'a>(&'a self, seeds: &'a [Revealed], ended: i64, at: i64) -> Stored<'a, u64> {
        async move { reveal(&self.pool, self.hold().await?.0, seeds, (ended, at)).await }.boxed()
    }
}
