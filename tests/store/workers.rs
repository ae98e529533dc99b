//! Leases on a server: one owner at a time, the old one fenced, and commits whose answer is lost.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use wayfare::store::{
    Deployment, InboxRef, InboxRow, PostgresStore, RowRef, Store, StoreError, TimerChunk, Worker,
};

use super::{at, empty, event, full_commit, key, quarantined, state};
use crate::support::postgres::{self, Server, run};

fn worker(name: &str, patience: Duration) -> Worker {
    Worker { patience, ..Worker::named(name) }
}

async fn open(url: &str, name: &str) -> Result<PostgresStore, StoreError> {
    PostgresStore::open(url, &worker(name, Duration::from_millis(600)), false).await
}

async fn url(server: &Server) -> String {
    server.url(&server.database().await)
}

#[tokio::test]
async fn who_is_alive_keeps_its_groups_and_who_leaves_hands_them_back() {
    let Some(server) = postgres::server("store::workers::who_is_alive") else { return };
    let url = url(server).await;
    let one = open(&url, "one").await.unwrap();
    one.commit(&full_commit()).await.unwrap();
    // Longer than its patience: it gives signs of life by itself.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let two = open(&url, "two").await.unwrap();
    assert_eq!(two.lease().groups, []);
    one.commit(&empty(2)).await.unwrap();

    // Half of the groups are asked back, and go when they are given.
    let asked = one.share(&[], false).await.unwrap();
    assert_eq!((asked.lease.groups.len(), asked.workers), (64, 2));
    assert_eq!(asked.surplus, (32..64).collect::<Vec<u16>>());
    assert_eq!(two.share(&[], false).await.unwrap().lease.groups, []);
    assert_eq!(one.share(&asked.surplus, false).await.unwrap().lease.groups.len(), 32);
    let taken = two.share(&[], false).await.unwrap();
    assert_eq!((taken.lease.groups.len(), taken.surplus), (32, vec![]));
    assert_eq!(taken.lease.groups[0], (32, 2));
    two.commit(&empty(taken.lease.batch + 1)).await.unwrap();
    one.commit(&empty(3)).await.unwrap();
    let mut foreign = empty(4);
    foreign.timers = vec![TimerChunk { due: at(1), at: RowRef { batch: 4, group: 40 }, body: vec![1] }];
    assert_eq!(one.commit(&foreign).await, Err(StoreError::OutsideLease(40 * 64)));

    one.close().await;
    assert_eq!(two.share(&[], false).await.unwrap().lease.groups.len(), 64);
    two.commit(&empty(two.lease().batch + 1)).await.unwrap();
}

#[tokio::test]
async fn what_is_left_for_others_is_taken_in_order_and_once() {
    let Some(server) = postgres::server("store::workers::what_is_left") else { return };
    let url = url(server).await;
    let (one, two) = (open(&url, "one").await.unwrap(), open(&url, "two").await.unwrap());
    assert_eq!(two.lease().groups, []);
    let left = |group, at, body: &[u8]| InboxRow {
        at: InboxRef { group, at, ..InboxRef::default() },
        body: body.to_vec(),
    };
    for (batch, row) in [(1, left(7, 20, b"second")), (2, left(7, 10, b"first")), (3, left(9, 15, b"other"))]
    {
        let mut commit = empty(batch);
        commit.inbox = vec![row];
        commit.quarantine = vec![quarantined("left")];
        two.commit(&commit).await.unwrap();
    }
    assert_eq!(two.inbox(9).await.unwrap(), [], "it is not its own");
    let found = one.inbox(9).await.unwrap();
    assert_eq!(found.iter().map(|row| &*row.body).collect::<Vec<_>>(), [&b"first"[..], b"other", b"second"]);
    assert_eq!(one.quarantined(9).await.unwrap().len(), 3);
    let mut taking = empty(1);
    taking.inbox_done = found.iter().take(2).map(|row| row.at.clone()).collect();
    one.commit(&taking).await.unwrap();
    assert_eq!(one.inbox(9).await.unwrap(), found[2..]);
}

#[tokio::test]
async fn what_workers_share_is_compared_before_it_is_set() {
    let Some(server) = postgres::server("store::workers::compared") else { return };
    let url = url(server).await;
    let (one, two) = (open(&url, "one").await.unwrap(), open(&url, "two").await.unwrap());
    assert!(one.swap("rate.1", "", "a").await.unwrap());
    assert!(!two.swap("rate.1", "", "b").await.unwrap());
    assert!(two.swap("rate.1", "a", "b").await.unwrap());
    assert!(!one.swap("rate.1", "a", "c").await.unwrap());
    let following = |base: u64, name: &str| Deployment {
        symbols: vec![(u32::try_from(base).unwrap(), name.to_owned())],
        meta: vec![("version".to_owned(), (base + 1).to_string())],
        base: Some(base),
        ..Deployment::default()
    };
    one.deploy(&following(0, "customer")).await.unwrap();
    assert_eq!(two.deploy(&following(0, "account")).await, Err(StoreError::Conflict));
    two.deploy(&following(1, "account")).await.unwrap();
    assert_eq!(one.deployed().await.unwrap().symbols, ["customer", "account"]);
    let mut found = one.metas(&["version".into(), "none".into(), "rate.1".into()]).await.unwrap();
    found.sort_unstable();
    assert_eq!(found, [("rate.1".into(), "b".into()), ("version".into(), "2".into())]);
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "how long somebody was waited for is the point")]
async fn who_died_is_given_up_after_a_while() {
    let Some(server) = postgres::server("store::workers::who_died") else { return };
    let url = url(server).await;
    let one = open(&url, "one").await.unwrap();
    one.commit(&full_commit()).await.unwrap();
    // No sign of life from now on, and no word of farewell.
    drop(one);
    let begun = std::time::Instant::now();
    let two = open(&url, "two").await.unwrap();
    while two.share(&[], false).await.unwrap().lease.groups.len() < 64 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    assert_eq!(two.counts().await.unwrap().states, 3);
    two.commit(&empty(two.lease().batch + 1)).await.unwrap();
}

#[tokio::test]
async fn who_slept_while_others_took_over_cannot_write() {
    let Some(server) = postgres::server("store::workers::who_slept") else { return };
    let url = url(server).await;
    let sleeper = open(&url, "one").await.unwrap();
    sleeper.commit(&full_commit()).await.unwrap();
    // Another process comes under its name, as after a restart that the first one does not know of.
    let other = open(&url, "one").await.unwrap();
    let mut late = empty(2);
    late.states = vec![state("c3", 1, b"late")];
    assert_eq!(sleeper.commit(&late).await, Err(StoreError::Fenced));
    assert_eq!(sleeper.set_meta(&[("cursor".into(), "late".into())]).await, Err(StoreError::Fenced));
    assert_eq!(sleeper.commit(&empty(2)).await, Err(StoreError::Fenced));
    // Its farewell takes nothing from the other.
    sleeper.close().await;
    assert_eq!(other.load(&[key("c3")]).await.unwrap(), [state("c3", 1, b"")]);
    assert_eq!(other.meta("cursor").await.unwrap().as_deref(), Some("a"));
    other.commit(&late).await.unwrap();
    assert_eq!(open(&url, "two").await.unwrap().lease().groups, []);
}

#[tokio::test]
async fn a_server_that_restarts_is_waited_for() {
    let Some(server) = postgres::server("store::workers::a_server_that_restarts") else { return };
    let database = server.database().await;
    let store = open(&server.url(&database), "one").await.unwrap();
    store.commit(&full_commit()).await.unwrap();
    for batch in 2..5 {
        let kill =
            format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'");
        run(&server.url("postgres"), &kill).await;
        assert_eq!(store.load(&[key("c3")]).await.unwrap(), [state("c3", 1, b"")]);
        run(&server.url("postgres"), &kill).await;
        store.commit(&empty(batch)).await.unwrap();
    }
}

/// What a [`Wire`] does to the next commit.
const NOTHING: u8 = 0;
/// The server writes it; its answer is lost.
const LOSE_ANSWER: u8 = 1;
/// It never arrives.
const LOSE_COMMIT: u8 = 2;
/// It never arrives, and nobody hears of it: as when the worker is stopped just then.
const STAND_STILL: u8 = 3;

/// A wire to the server that can be cut.
struct Wire {
    folder: TempDir,
    plan: Arc<AtomicU8>,
}

impl Wire {
    fn to(socket: &Path) -> Self {
        let (folder, plan) = (tempfile::tempdir().unwrap(), Arc::new(AtomicU8::new(NOTHING)));
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let (socket, shared) = (socket.to_owned(), Arc::clone(&plan));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&socket).await.unwrap();
                tokio::spawn(carry(client, server, Arc::clone(&shared)));
            }
        });
        Self { folder, plan }
    }
}

async fn carry(client: UnixStream, server: UnixStream, plan: Arc<AtomicU8>) {
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let answers = async { drop(tokio::io::copy(&mut from_server, &mut to_client).await) };
    let questions = async {
        let mut buffer = vec![0; 65_536];
        while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
            let commits = buffer[..length].windows(6).any(|window| window == b"COMMIT");
            let cut = if commits { plan.swap(NOTHING, Ordering::SeqCst) } else { NOTHING };
            match cut {
                LOSE_COMMIT => return,
                STAND_STILL => std::future::pending().await,
                _ => {}
            }
            if to_server.write_all(&buffer[..length]).await.is_err() {
                return;
            }
            if cut == LOSE_ANSWER {
                return;
            }
        }
    };
    // With one direction, the other is cut.
    tokio::select! {
        () = questions => {}
        () = answers => {}
    }
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_written_once() {
    let Some(server) = postgres::server("store::workers::a_commit_whose_answer") else { return };
    let database = server.database().await;
    let wire = Wire::to(&server.socket());
    let url = postgres::url(wire.folder.path(), &database);
    let worker = worker("one", Duration::from_mins(1));
    let store = PostgresStore::open(&url, &worker, false).await.unwrap();
    store.commit(&full_commit()).await.unwrap();
    for (batch, plan) in [(2, LOSE_ANSWER), (3, LOSE_COMMIT), (4, LOSE_ANSWER)] {
        let mut commit = empty(batch);
        commit.states = vec![state("c3", i64::try_from(batch).unwrap() - 1, b"new")];
        commit.dedup = vec![event(7, u8::try_from(batch).unwrap(), 0)];
        wire.plan.store(plan, Ordering::SeqCst);
        let lost = store.commit(&commit).await;
        assert!(matches!(lost, Err(StoreError::Unreachable(_))), "{lost:?}");
        assert_eq!(wire.plan.load(Ordering::SeqCst), NOTHING);
        // The engine asks again with the same batch.
        store.commit(&commit).await.unwrap();
        let version = i64::try_from(batch).unwrap();
        assert_eq!(store.load(&[key("c3")]).await.unwrap(), [state("c3", version, b"new")]);
        assert_eq!(store.commit(&commit).await, Err(StoreError::Fenced), "it is known to be written now");
    }
}

#[tokio::test]
async fn who_stands_still_in_a_commit_does_not_hold_up_the_others() {
    let Some(server) = postgres::server("store::workers::who_stands_still") else { return };
    let database = server.database().await;
    let wire = Wire::to(&server.socket());
    let one = open(&postgres::url(wire.folder.path(), &database), "one").await.unwrap();
    one.commit(&full_commit()).await.unwrap();
    wire.plan.store(STAND_STILL, Ordering::SeqCst);
    let mut commit = empty(2);
    commit.states = vec![state("c3", 1, b"late")];
    // Its transaction has locked its groups; the server ends it, since nothing comes from it any more.
    let taken_over = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        open(&server.url(&database), "one").await.unwrap()
    };
    let (stuck, two) = tokio::join!(one.commit(&commit), taken_over);
    assert!(matches!(stuck, Err(StoreError::Unreachable(_))), "{stuck:?}");
    assert_eq!(one.commit(&commit).await, Err(StoreError::Fenced));
    two.commit(&commit).await.unwrap();
}

#[tokio::test]
async fn a_database_says_what_is_wrong_with_it() {
    let Some(server) = postgres::server("store::workers::a_database_says") else { return };
    let url = url(server).await;
    let empty_one = PostgresStore::open_reader(&url).await.err().unwrap();
    assert!(matches!(empty_one, StoreError::Damaged(_)), "{empty_one:?}");
    let missing = PostgresStore::open_reader(&server.url("nowhere")).await.err().unwrap();
    assert!(matches!(&missing, StoreError::Database(reason) if reason.contains("nowhere")), "{missing:?}");
    let gone = PostgresStore::open_reader("postgres://wayfare:hunter2@localhost/x?host=/nowhere").await;
    let gone = gone.err().unwrap();
    assert!(matches!(gone, StoreError::Unreachable(_)) && !gone.to_string().contains("hunter2"), "{gone:?}");
    for wrong in ["postgres://wayfare:hunter2@localhost:port/x", "mysql://wayfare:hunter2@x/y", "hunter2"] {
        let refused = PostgresStore::open_reader(wrong).await.err().unwrap();
        assert!(!refused.to_string().contains("hunter2"), "{refused}");
    }

    let store = open(&url, "one").await.unwrap();
    run(&url, "UPDATE schema_number SET no = 99").await;
    let newer = open(&url, "one").await.err().unwrap();
    assert!(matches!(newer, StoreError::Newer { found: 99, .. }), "{newer:?}");
    assert!(matches!(PostgresStore::open_reader(&url).await.err(), Some(StoreError::Newer { .. })));
    run(&url, "UPDATE schema_number SET no = 2").await;

    let database = url.split(['/', '?']).nth(3).unwrap();
    run(&url, &format!("ALTER DATABASE {database} SET default_transaction_read_only = on")).await;
    store.close().await;
    assert_eq!(open(&url, "one").await.err(), Some(StoreError::ReadOnly));
}
