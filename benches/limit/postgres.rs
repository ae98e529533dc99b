//! The rows as the store on a server has them: one connection, packed rows by group of buckets.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};

use super::{BATCH, Crowd, Round, Sizes, batch, identity};

/// Groups of 64 buckets.
const GROUPS: i16 = 64;

const SCHEMA: &str = r#"
CREATE TABLE state (bucket smallint NOT NULL, kind integer NOT NULL, id text COLLATE "C" NOT NULL, version bigint NOT NULL,
                    body bytea NOT NULL, PRIMARY KEY (bucket, kind, id)) WITH (fillfactor = 80);
CREATE TABLE dedup (grp smallint NOT NULL, slot integer NOT NULL, hash bytea NOT NULL, payload integer NOT NULL,
                    PRIMARY KEY (grp, slot, hash));
CREATE TABLE log (grp smallint NOT NULL, batch bigint NOT NULL, body bytea NOT NULL, PRIMARY KEY (grp, batch));
CREATE TABLE outbox (grp smallint NOT NULL, batch bigint NOT NULL, body bytea NOT NULL, PRIMARY KEY (grp, batch));
CREATE TABLE trace (grp smallint NOT NULL, batch bigint NOT NULL, body bytea NOT NULL, PRIMARY KEY (grp, batch));
CREATE TABLE timer (grp smallint NOT NULL, due bigint NOT NULL, batch bigint NOT NULL, body bytea NOT NULL,
                    PRIMARY KEY (grp, due, batch));
ALTER TABLE log ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE trace ALTER COLUMN body SET STORAGE EXTERNAL;
"#;

/// Writes `crowd` into the empty database at `url`; the seconds it took.
pub(crate) async fn write(url: &str, crowd: Crowd, sizes: &Sizes) -> Result<f64, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?.disable_statement_logging();
    // As the store sets its connections.
    let options = options.options([("plan_cache_mode", "force_custom_plan"), ("jit", "off")]).options([
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        ("enable_seqscan", "off"),
    ]);
    let mut db = options.connect().await?;
    sqlx::raw_sql(SCHEMA).execute(&mut db).await?;
    for number in 0..crowd.known() {
        let mut rows: Vec<(i16, String, i64)> =
            batch(number).map(|(bucket, id)| (signed(bucket), id, 0)).collect();
        rows.sort_unstable();
        write_states(&mut db, &rows, crowd.bytes(number, sizes)).await?;
    }
    sqlx::raw_sql("ANALYZE").execute(&mut db).await?;
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures the wall clock")]
    let start = std::time::Instant::now();
    for round in crowd.rounds() {
        one_round(&mut db, &round, sizes).await?;
    }
    let seconds = start.elapsed().as_secs_f64();
    db.close().await?;
    Ok(seconds)
}

async fn one_round(db: &mut PgConnection, round: &Round, sizes: &Sizes) -> Result<(), sqlx::Error> {
    let mut tx = db.begin().await?;
    let mut touched = read(&mut tx, round).await?;
    touched.sort_unstable();
    write_states(&mut tx, &touched, sizes.state).await?;
    write_dedup(&mut tx, round).await?;
    let number = i64::try_from(round.number).unwrap_or(i64::MAX);
    for (table, bytes) in [
        ("log", round.events * sizes.log),
        ("outbox", (BATCH + BATCH / 2) * sizes.entry),
        ("trace", 6 * BATCH * sizes.entry),
    ] {
        let sql = format!(
            "INSERT INTO {table} (grp, batch, body) SELECT grp, $1, body FROM unnest($2::int2[], $3::bytea[]) AS one (grp, body)"
        );
        let (groups, bodies) = packed(bytes);
        sqlx::query(AssertSqlSafe(sql)).bind(number).bind(groups).bind(bodies).execute(&mut *tx).await?;
    }
    let (groups, bodies) = packed(BATCH * 12);
    sqlx::query("INSERT INTO timer (grp, due, batch, body) SELECT grp, $1, $2, body FROM unnest($3::int2[], $4::bytea[]) AS one (grp, body)")
        .bind(number + 2)
        .bind(number)
        .bind(&groups)
        .bind(bodies)
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM timer WHERE grp = ANY ($1) AND due <= $2")
        .bind(groups)
        .bind(number)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// So many bytes, an even part of them for each group.
fn packed(bytes: usize) -> (Vec<i16>, Vec<Vec<u8>>) {
    let part = bytes / usize::from(GROUPS.unsigned_abs());
    (0..GROUPS).map(|group| (group, vec![7; part])).unzip()
}

fn signed(bucket: u16) -> i16 {
    i16::try_from(bucket).unwrap_or(i16::MAX)
}

async fn read(db: &mut PgConnection, round: &Round) -> Result<Vec<(i16, String, i64)>, sqlx::Error> {
    let (buckets, ids): (Vec<i16>, Vec<&str>) =
        round.touched.iter().map(|(bucket, id)| (signed(*bucket), id.as_str())).unzip();
    let rows = sqlx::query(
        "SELECT s.bucket, s.id, s.version, s.body FROM unnest($1::int2[], $2::text[]) AS k (bucket, id)
         JOIN state s ON s.bucket = k.bucket AND s.kind = 0 AND s.id = k.id",
    )
    .bind(buckets)
    .bind(ids)
    .fetch_all(db)
    .await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect())
}

async fn write_states(
    db: &mut PgConnection,
    rows: &[(i16, String, i64)],
    bytes: usize,
) -> Result<(), sqlx::Error> {
    let (mut buckets, mut ids, mut versions) = (Vec::new(), Vec::new(), Vec::new());
    for (bucket, id, version) in rows {
        buckets.push(*bucket);
        ids.push(id.as_str());
        versions.push(version + 1);
    }
    sqlx::query(
        "INSERT INTO state (bucket, kind, id, version, body)
         SELECT bucket, 0, id, version, body FROM unnest($1::int2[], $2::text[], $3::int8[], $4::bytea[])
         AS one (bucket, id, version, body)
         ON CONFLICT (bucket, kind, id) DO UPDATE SET version = excluded.version, body = excluded.body",
    )
    .bind(buckets)
    .bind(ids)
    .bind(versions)
    .bind(vec![vec![7_u8; bytes]; rows.len()])
    .execute(&mut *db)
    .await?;
    Ok(())
}

async fn write_dedup(db: &mut PgConnection, round: &Round) -> Result<(), sqlx::Error> {
    let hashes = (0..round.events).map(|i| identity(round.number, i));
    let (groups, hashes): (Vec<i16>, Vec<Vec<u8>>) =
        hashes.map(|hash| (i16::from(hash.to_be_bytes()[15] & 63), hash.to_be_bytes().to_vec())).unzip();
    sqlx::query(
        "INSERT INTO dedup (grp, slot, hash, payload)
         SELECT grp, 20000, hash, 1 FROM unnest($1::int2[], $2::bytea[]) AS one (grp, hash) ON CONFLICT DO NOTHING",
    )
    .bind(groups)
    .bind(hashes)
    .execute(&mut *db)
    .await?;
    Ok(())
}

/// Makes the empty database `name` on the server of `admin`, the URL of another one there; its URL.
pub(crate) async fn create(admin: &str, name: &str) -> Result<String, sqlx::Error> {
    let mut db = PgConnectOptions::from_str(admin)?.disable_statement_logging().connect().await?;
    let sql = format!("CREATE DATABASE {name} TEMPLATE template0");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await?;
    db.close().await?;
    let (server, options) = admin
        .split_once('?')
        .map_or((admin, String::new()), |(server, options)| (server, format!("?{options}")));
    let server = server.rsplit_once('/').map_or(server, |(server, _)| server);
    Ok(format!("{server}/{name}{options}"))
}

/// Drops the database, whoever is connected to it; the bytes it had.
pub(crate) async fn take_away(admin: &str, name: &str) -> Result<u64, sqlx::Error> {
    let mut db = PgConnectOptions::from_str(admin)?.disable_statement_logging().connect().await?;
    let bytes: i64 = sqlx::query("SELECT pg_database_size($1)").bind(name).fetch_one(&mut db).await?.get(0);
    let sql = format!("DROP DATABASE {name} WITH (FORCE)");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await?;
    db.close().await?;
    Ok(u64::try_from(bytes).unwrap_or_default())
}
