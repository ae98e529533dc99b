//! A store of any earlier schema, with rows in it, is brought up to date and reads as before.

use std::fs;
use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use wayfare::store::{PostgresStore, SqliteStore, Store, Worker};

use super::{at, empty, key, row, state};
use crate::support::postgres::{self, run};

/// The scripts of `kind`, in their order.
pub(super) fn scripts(kind: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(kind);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// The table that counts the scripts, as the store makes it.
pub(super) fn counted(count: usize) -> String {
    format!(
        "CREATE TABLE schema_number (single boolean PRIMARY KEY DEFAULT true CHECK (single), no integer NOT NULL);
         INSERT INTO schema_number (no) VALUES ({count});"
    )
}

/// Rows as a worker of that time wrote them.
const ROWS: &str = "
    UPDATE lease SET epoch = 3, batch = 1;
    INSERT INTO meta VALUES ('made_for', 'production'), ('cursor', 'a');
    INSERT INTO symbol VALUES (0, 'customer');
    INSERT INTO program VALUES (0, 'aa', 'card.ladder', '\\x01');
    INSERT INTO bundle VALUES (1, 'h1', '\\x7b7d');
    INSERT INTO state SELECT bucket, 0, 'c2', 1, '\\x00ff' FROM (VALUES (BUCKET)) AS one (bucket);
    INSERT INTO log VALUES (0, 1, 'log');
    INSERT INTO trace VALUES (0, 1, 'trace');
    INSERT INTO outbox VALUES (0, 3, 1, '\\x07');
    INSERT INTO timer VALUES (0, 50000, 1, '\\x01');
    INSERT INTO dedup (grp, slot, hash, payload) VALUES (0, 1, decode(repeat('01', 16), 'hex'), -1);
    INSERT INTO quarantine VALUES (0, 1, 0, 9000, 'E1', 'why', '\\x09');";

/// The same, in a file.
const ROWS_OF_A_FILE: &str = "
    UPDATE lease SET epoch = 3, batch = 1;
    INSERT INTO meta VALUES ('made_for', 'production'), ('cursor', 'a');
    INSERT INTO symbol VALUES (0, 'customer');
    INSERT INTO program VALUES (0, 'aa', 'card.ladder', x'01');
    INSERT INTO bundle VALUES (1, 'h1', x'7b7d');
    INSERT INTO state (bucket, kind, id, version, body) VALUES (BUCKET, 0, 'c2', 1, x'00ff');
    INSERT INTO log (batch, body) VALUES (1, x'01');
    INSERT INTO trace (batch, body) VALUES (1, x'01');
    INSERT INTO outbox VALUES (3, 1, x'07');
    INSERT INTO timer VALUES (50000, 1, x'01');
    INSERT INTO dedup (slot, hash, payload) VALUES (1, x'01010101010101010101010101010101', 4294967295);
    INSERT INTO quarantine VALUES (1, 9000, 'E1', 'why', x'09');";

/// What [`ROWS`] and [`ROWS_OF_A_FILE`] say, and a next commit.
async fn reads_as_before(store: &dyn Store) {
    assert_eq!(store.lease().batch, 1);
    assert!(store.lease().groups.iter().all(|(_, epoch)| *epoch == 4));
    assert_eq!(store.load(&[key("c2")]).await.unwrap(), [state("c2", 1, &[0, 255])]);
    assert_eq!(store.seen(&[super::event(1, 1, 0)]).await.unwrap(), [super::event(1, 1, u32::MAX)]);
    assert_eq!(store.next_due(None).await.unwrap(), Some(at(50)));
    assert_eq!(store.outbox(3, row(0), 9).await.unwrap().len(), 1);
    assert_eq!(store.quarantined(9).await.unwrap()[0].reason, "why");
    assert_eq!(store.deployed().await.unwrap().bundle.as_deref(), Some(b"{}".as_slice()));
    assert_eq!(store.meta("cursor").await.unwrap().as_deref(), Some("a"));
    store.commit(&empty(2)).await.unwrap();
}

#[tokio::test]
async fn every_earlier_file_is_brought_up_to_date_with_its_rows() {
    let scripts = scripts("sqlite");
    for count in 1..=scripts.len() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wayfare.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut file: SqliteConnection = options.connect().await.unwrap();
        let rows = ROWS_OF_A_FILE.replace("BUCKET", &key("c2").bucket.to_string());
        let text = format!("{}{rows}PRAGMA user_version = {count};", scripts[..count].join("\n"));
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut file).await.unwrap();
        file.close().await.unwrap();

        let store = SqliteStore::open(&path, false).await.unwrap();
        reads_as_before(&store).await;
    }
}

#[tokio::test]
async fn every_earlier_schema_is_brought_up_to_date_with_its_rows() {
    let Some(server) = postgres::server("store::migrations") else { return };
    let scripts = scripts("postgres");
    for count in 1..=scripts.len() {
        let url = server.url(&server.database().await);
        let rows = ROWS.replace("BUCKET", &key("c2").bucket.to_string());
        run(&url, &format!("{}{}{rows}", counted(count), scripts[..count].join("\n"))).await;

        let store = PostgresStore::open(&url, &Worker::named("test"), false).await.unwrap();
        reads_as_before(&store).await;
        store.close().await;
    }
}

#[tokio::test]
async fn workers_that_start_together_migrate_once() {
    let Some(server) = postgres::server("store::migrations::together") else { return };
    let url = server.url(&server.database().await);
    let worker = Worker::named("test");
    let open = || PostgresStore::open(&url, &worker, false);
    let (one, two, three) = tokio::join!(open(), open(), open());
    let mut epochs: Vec<u64> =
        [one, two, three].into_iter().map(|store| store.unwrap().lease().groups[0].1).collect();
    epochs.sort_unstable();
    assert_eq!(epochs, [1, 2, 3]);
}
