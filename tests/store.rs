//! What every store must do: one suite, run on each implementation.

mod codes;
mod ledger;
mod links;
mod migrations;
mod partitions;
mod referrals;
mod sieve;
mod tasks;
mod upkeep;
mod workers;

use std::path::Path;

use jiff::Timestamp;
use wayfare::store::{
    Commit, Dedup, Deployment, InboxRef, InboxRow, OutboxRow, Packed, PackedKind, ProgramRow, Quarantined,
    RowKey, RowRef, SqliteStore, StateRow, Store, StoreError, TimerChunk,
};

use crate::support::stores::{Place, on_both_stores};

fn key(id: &str) -> RowKey {
    RowKey::new(0, "customer", id.into())
}

fn state(id: &str, version: i64, body: &[u8]) -> StateRow {
    StateRow { key: key(id), version, body: body.to_vec() }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn event(slot: i32, hash: u8, payload: u32) -> Dedup {
    Dedup { group: 0, slot, hash: [hash; 16], payload }
}

fn row(batch: u64) -> RowRef {
    RowRef { batch, group: 0 }
}

fn full_commit() -> Commit {
    let packed = |text: &str| vec![Packed { at: row(1), body: text.as_bytes().to_vec() }];
    let message = |channel| OutboxRow { channel, at: row(1), body: vec![7, 0, 255] };
    let chunk = |second| TimerChunk { due: at(second), at: row(1), body: vec![1, 2] };
    Commit {
        batch: 1,
        states: vec![state("客户\"1\\", 0, b"one"), state("c2", 0, &[0, 255]), state("c3", 0, b"")],
        log: packed("log"),
        trace: packed("trace"),
        outbox: vec![message(3), message(4)],
        timers: vec![chunk(100), chunk(50), chunk(200)],
        dedup: vec![event(1, 1, u32::MAX), event(-1, 2, 0)],
        quarantine: vec![quarantined("坏\n")],
        meta: vec![("cursor".to_owned(), "a".to_owned())],
        ..Commit::default()
    }
}

fn quarantined(reason: &str) -> Quarantined {
    Quarantined { at: at(9), code: "E1".to_owned(), reason: reason.to_owned(), body: vec![9] }
}

fn empty(batch: u64) -> Commit {
    Commit { batch, ..Commit::default() }
}

async fn what_is_committed_is_read(store: &dyn Store) {
    store.commit(&full_commit()).await.unwrap();
    let mut loaded = store.load(&[key("c2"), key("客户\"1\\"), key("nobody")]).await.unwrap();
    loaded.sort_by(|a, b| a.body.cmp(&b.body));
    assert_eq!(loaded, [state("c2", 1, &[0, 255]), state("客户\"1\\", 1, b"one")]);

    let mut seen = store.seen(&[event(1, 1, 5), event(-1, 2, 5), event(2, 1, 5)]).await.unwrap();
    seen.sort_unstable();
    assert_eq!(seen, [event(-1, 2, 0), event(1, 1, u32::MAX)]);

    assert_eq!(store.next_due(None).await.unwrap(), Some(at(50)));
    assert_eq!(store.next_due(Some(at(50))).await.unwrap(), Some(at(100)));
    assert_eq!(store.next_due(Some(at(200))).await.unwrap(), None);
    let due = store.due(at(0)..=at(100), 10).await.unwrap();
    assert_eq!(due.iter().map(|chunk| chunk.due).collect::<Vec<_>>(), [at(50), at(100)]);
    assert_eq!(store.due(at(0)..=at(300), 1).await.unwrap().len(), 1);
    let due = store.due(at(100)..=at(300), 10).await.unwrap();
    assert_eq!(due.iter().map(|chunk| chunk.due).collect::<Vec<_>>(), [at(100), at(200)]);

    assert_eq!(store.outbox(3, row(0), 10).await.unwrap(), full_commit().outbox[..1]);
    assert_eq!(store.outbox(3, row(1), 10).await.unwrap(), []);
    assert_eq!(store.outbox_channels().await.unwrap(), [3, 4]);
    assert_eq!(store.packed(PackedKind::Log, &[row(1), row(2)]).await.unwrap(), full_commit().log);
    assert_eq!(store.packed_after(PackedKind::Trace, row(0), 9).await.unwrap().len(), 1);
    assert_eq!(store.quarantined(9).await.unwrap(), full_commit().quarantine);
    assert_eq!(store.meta("cursor").await.unwrap().as_deref(), Some("a"));
    assert_eq!(store.meta("none").await.unwrap(), None);
    assert_eq!(store.counts().await.unwrap().states, 3);
}

async fn used_up_rows_go(store: &dyn Store) {
    let mut commit = empty(2);
    commit.outbox_done = vec![(3, row(1))];
    commit.timers_done = vec![(at(50), row(1)), (at(200), row(1))];
    commit.meta = vec![("cursor".to_owned(), "b".to_owned())];
    store.commit(&commit).await.unwrap();
    assert_eq!(store.outbox(3, row(0), 10).await.unwrap(), []);
    assert_eq!(store.outbox(4, row(0), 10).await.unwrap().len(), 1);
    assert_eq!(store.next_due(None).await.unwrap(), Some(at(100)));
    assert_eq!(store.meta("cursor").await.unwrap().as_deref(), Some("b"));
}

async fn a_stale_version_changes_nothing(store: &dyn Store) {
    let mut commit = empty(3);
    commit.states = vec![state("c3", 1, b"new"), state("c2", 7, b"stale")];
    commit.meta = vec![("cursor".to_owned(), "lost".to_owned())];
    assert_eq!(store.commit(&commit).await, Err(StoreError::Conflict));
    commit.states = vec![state("c3", 1, b"new"), state("gone", 1, b"stale")];
    assert_eq!(store.commit(&commit).await, Err(StoreError::Conflict));
    commit.states = vec![state("c3", 1, b"new"), state("c2", 0, b"twice")];
    assert_eq!(store.commit(&commit).await, Err(StoreError::Conflict));
    assert_eq!(store.load(&[key("c3")]).await.unwrap(), [state("c3", 1, b"")]);
    assert_eq!(store.meta("cursor").await.unwrap().as_deref(), Some("b"));

    commit.states = vec![state("c3", 1, b"new"), state("c2", 1, b"newer")];
    store.commit(&commit).await.unwrap();
    assert_eq!(store.load(&[key("c3")]).await.unwrap(), [state("c3", 2, b"new")]);
}

async fn batches_are_numbered_without_gaps(store: &dyn Store) {
    for wrong in [3, 5] {
        assert_eq!(store.commit(&empty(wrong)).await, Err(StoreError::Fenced));
    }
    store.commit(&empty(4)).await.unwrap();
}

async fn identities_are_unique(store: &dyn Store) {
    let mut commit = empty(5);
    commit.dedup = vec![event(1, 1, 9)];
    assert_eq!(store.commit(&commit).await, Err(StoreError::Conflict));
}

async fn a_scan_goes_through_a_kind_in_order(store: &dyn Store) {
    let mut commit = empty(5);
    let other = |id: &str| StateRow { key: RowKey::new(1, "branch", id.into()), version: 0, body: vec![1] };
    commit.states = (0..50).map(|n| other(&format!("b{n}"))).collect();
    store.commit(&commit).await.unwrap();
    let (mut keys, mut after): (Vec<RowKey>, Option<RowKey>) = (Vec::new(), None);
    loop {
        let page = store.scan(1, after.as_ref(), 7).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        keys.extend(page.into_iter().map(|row| row.key));
    }
    assert_eq!(keys.len(), 50);
    assert!(keys.is_sorted());
    assert_eq!(store.scan(0, None, 100).await.unwrap().len(), 3);
}

async fn deployments_add_up(store: &dyn Store) {
    assert_eq!(store.deployed().await.unwrap().bundle, None);
    let program = |no, hash: &str| ProgramRow {
        no,
        hash: hash.to_owned(),
        journey: "card.ladder".to_owned(),
        body: vec![1],
    };
    let first = Deployment {
        symbols: vec![(0, "customer".to_owned()), (1, "卡".to_owned())],
        programs: vec![program(0, "aa")],
        bundle: Some(("h1".to_owned(), b"{}".to_vec())),
        meta: vec![("settle".to_owned(), "due".to_owned())],
        base: None,
    };
    store.deploy(&first).await.unwrap();
    let bundle = Some(("h2".to_owned(), b"{2}".to_vec()));
    let second = Deployment { programs: vec![program(1, "bb")], bundle, ..Deployment::default() };
    store.deploy(&second).await.unwrap();
    let third = Deployment { symbols: vec![(2, "later".to_owned())], ..Deployment::default() };
    store.deploy(&third).await.unwrap();
    let deployed = store.deployed().await.unwrap();
    assert_eq!(store.meta("settle").await.unwrap().as_deref(), Some("due"));
    assert_eq!(deployed.symbols, ["customer", "卡", "later"]);
    assert_eq!(deployed.programs, [program(0, "aa"), program(1, "bb")]);
    assert_eq!(deployed.bundle.as_deref(), Some(b"{2}".as_slice()));
}

async fn what_is_left_for_a_row_waits_until_it_is_taken(store: &dyn Store) {
    let mut commit = empty(6);
    let left = |at: i64| InboxRow { at: InboxRef { at, ..InboxRef::default() }, body: vec![0, 255] };
    commit.inbox = vec![left(70)];
    store.commit(&commit).await.unwrap();
    commit.batch = 7;
    store.commit(&commit).await.unwrap();
    let found = store.inbox(9).await.unwrap();
    let seen: Vec<_> = found.iter().map(|row| (row.at.group, row.at.at, row.at.batch, &*row.body)).collect();
    assert_eq!(seen, [(0, 70, 6, &[0, 255][..]), (0, 70, 7, &[0, 255])]);
    assert_eq!(store.inbox(1).await.unwrap(), found[..1]);
    let mut taken = empty(8);
    taken.inbox_done = vec![found[0].at.clone()];
    taken.inbox = vec![left(71)];
    store.commit(&taken).await.unwrap();
    let left: Vec<u64> = store.inbox(9).await.unwrap().iter().map(|row| row.at.batch).collect();
    assert_eq!(left, [7, 8]);
}

async fn large_batches_are_one_commit(store: &dyn Store) {
    let mut commit = empty(9);
    commit.states = (0..10_000).map(|n| state(&format!("many{n}"), 0, &[7; 100])).collect();
    store.commit(&commit).await.unwrap();
    let keys: Vec<RowKey> = commit.states.iter().map(|row| row.key.clone()).collect();
    let mut rows = store.load(&keys).await.unwrap();
    assert_eq!(rows.len(), 10_000);
    let mut again = empty(10);
    for row in &mut rows {
        row.body = vec![8; 100];
    }
    again.states = rows;
    store.commit(&again).await.unwrap();
    assert!(store.load(&keys).await.unwrap().iter().all(|row| row.version == 2 && row.body == [8; 100]));
}

async fn nothing_is_written_outside_the_lease(store: &dyn Store) {
    let mut commit = empty(11);
    let outside = store.lease().groups.last().map_or(0, |(group, _)| group + 1) * store.lease().span;
    commit.states =
        vec![StateRow { key: RowKey { bucket: outside, ..key("far") }, version: 0, body: vec![] }];
    assert_eq!(store.commit(&commit).await, Err(StoreError::OutsideLease(outside)));
}

/// In one story: each part goes on where the one before ended.
async fn conforms(store: &dyn Store) {
    what_is_committed_is_read(store).await;
    used_up_rows_go(store).await;
    a_stale_version_changes_nothing(store).await;
    batches_are_numbered_without_gaps(store).await;
    identities_are_unique(store).await;
    a_scan_goes_through_a_kind_in_order(store).await;
    deployments_add_up(store).await;
    what_is_left_for_a_row_waits_until_it_is_taken(store).await;
    large_batches_are_one_commit(store).await;
    nothing_is_written_outside_the_lease(store).await;
}

on_both_stores!(
    a_store_conforms,
    a_store_keeps_its_rows_and_its_place,
    a_reader_reads_beside_a_writer,
    a_store_remembers_what_it_was_made_for,
);

async fn a_store_conforms(place: Place) {
    conforms(&*place.open(false).await.unwrap()).await;
}

async fn a_store_keeps_its_rows_and_its_place(place: Place) {
    let store = place.open(false).await.unwrap();
    store.commit(&full_commit()).await.unwrap();
    let first = store.lease();
    // No `close`: as after a crash.
    drop(store);
    let store = place.open(false).await.unwrap();
    let second = store.lease();
    assert_eq!(second.batch, 1);
    assert_eq!(second.groups.len(), first.groups.len());
    for ((group, epoch), (same, before)) in second.groups.into_iter().zip(first.groups) {
        assert_eq!((group, epoch), (same, before + 1));
    }
    assert_eq!(store.counts().await.unwrap().states, 3);
    store.commit(&empty(2)).await.unwrap();
}

async fn a_reader_reads_beside_a_writer(place: Place) {
    let store = place.open(false).await.unwrap();
    store.commit(&full_commit()).await.unwrap();
    let reader = place.reader().await.unwrap();
    assert_eq!(reader.counts().await.unwrap().states, 3);
    assert_eq!(reader.lease().span, store.lease().span);
    assert_eq!(reader.commit(&empty(2)).await, Err(StoreError::ReadOnly));
    store.commit(&empty(2)).await.unwrap();
    store.close().await;
    assert_eq!(reader.load(&[key("c2")]).await.unwrap(), [state("c2", 1, &[0, 255])]);
}

async fn a_store_remembers_what_it_was_made_for(place: Place) {
    drop(place.open(true).await.unwrap());
    let store = place.open(false).await.unwrap();
    assert_eq!(store.meta("made_for").await.unwrap().as_deref(), Some("development"));
}

#[tokio::test]
async fn sqlite_refuses_a_second_writer() {
    let place = Place::file();
    let store = place.open(false).await.unwrap();
    let refused = place.open(false).await.err().unwrap();
    assert!(matches!(&refused, StoreError::InUse(path) if path.ends_with("wayfare.db")), "{refused}");
    drop(store);
    place.open(false).await.unwrap();
}

#[tokio::test]
async fn sqlite_says_what_is_wrong_with_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wayfare.db");
    let missing = SqliteStore::open_reader(&path).await.err().unwrap();
    assert!(matches!(missing, StoreError::Disk(_)), "{missing:?}");
    std::fs::write(&path, "this is a letter, not a database, and it is long enough to be read as one")
        .unwrap();
    let damaged = SqliteStore::open(&path, false).await.err().unwrap();
    assert!(matches!(damaged, StoreError::Damaged(_)), "{damaged:?}");
    let nowhere = SqliteStore::open(Path::new("/nowhere/wayfare.db"), false).await.err().unwrap();
    assert!(matches!(nowhere, StoreError::Disk(_)), "{nowhere:?}");
}
