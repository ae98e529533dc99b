//! What is old goes, and rows are sifted: the store's part of both.

use wayfare::step::facets::{Mark, Sieve};
use wayfare::store::{
    Commit, Dedup, InboxRef, InboxRow, LOG_FROM, POST_KEYS, Packed, PackedKind, RowKey, RowRef, Sift,
    StateRow, Store, Trim, Trimmed,
};

use super::{empty, key};
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(
    keys_go_once_nothing_waits_that_they_open,
    old_records_go_and_newer_ones_stay,
    rows_are_sifted_by_what_they_say,
);

const DAY: i64 = 86_400_000;

async fn keys_go_once_nothing_waits_that_they_open(place: Place) {
    let store = place.open(false).await.unwrap();
    let kept = |name: &str, day: i64| (format!("{POST_KEYS}{name}"), format!("00ff {}", day * DAY));
    let meta = vec![kept("1", 1), kept("3", 3), ("post.keys".to_owned(), "other".to_owned())];
    let left = InboxRow { at: InboxRef { at: DAY + 1, ..InboxRef::default() }, body: vec![1] };
    store.commit(&Commit { batch: 1, meta, inbox: vec![left], ..Commit::default() }).await.unwrap();
    assert_eq!(store.forget_keys(2 * DAY).await.unwrap(), 0, "something waits from the first day");
    let inbox_done = vec![store.inbox(1).await.unwrap().remove(0).at];
    store.commit(&Commit { batch: 2, inbox_done, ..Commit::default() }).await.unwrap();
    assert_eq!(store.forget_keys(2 * DAY).await.unwrap(), 1);
    for (name, there) in [("post.key.1", false), ("post.key.3", true), ("post.keys", true)] {
        assert_eq!(store.meta(name).await.unwrap().is_some(), there, "{name}");
    }
}

async fn old_records_go_and_newer_ones_stay(place: Place) {
    let store = place.open(false).await.unwrap();
    let group = store.lease().group(key("c1").bucket);
    for day in 1..=10_u64 {
        let row = |text: &str| vec![Packed { at: RowRef { batch: day, group }, body: text.into() }];
        let (made, hash) = (i64::try_from(day).unwrap() * DAY, [u8::try_from(day).unwrap(); 16]);
        let slot = i32::try_from(day).unwrap();
        let dedup =
            vec![Dedup { group, slot, hash, payload: 0 }, Dedup { group, slot: -1, hash, payload: 0 }];
        let commit =
            Commit { batch: day, made, log: row("log"), trace: row("trace"), dedup, ..Commit::default() };
        store.commit(&commit).await.unwrap();
    }
    let trim = Trim { before: 7 * DAY, slot: 7, most: 4 };
    // Few at a time, the oldest first.
    assert_eq!(store.trim(trim).await.unwrap(), Trimmed { log: 4, trace: 4, dedup: 8, tasks: 0, links: 0 });
    let left = store.packed_after(PackedKind::Log, RowRef::default(), 99).await.unwrap();
    assert_eq!(left.first().unwrap().at.batch, 5);
    assert_eq!(store.meta(LOG_FROM).await.unwrap(), Some((7 * DAY).to_string()));
    assert_eq!(store.trim(trim).await.unwrap(), Trimmed { log: 2, trace: 2, dedup: 4, tasks: 0, links: 0 });
    assert_eq!(store.trim(trim).await.unwrap(), Trimmed::default());
    for kind in [PackedKind::Log, PackedKind::Trace] {
        let left = store.packed_after(kind, RowRef::default(), 99).await.unwrap();
        assert_eq!(left.iter().map(|row| row.at.batch).collect::<Vec<_>>(), [7, 8, 9, 10]);
    }
    let events: Vec<Dedup> = (1..=10)
        .flat_map(|day: u8| {
            [i32::from(day), -1].map(|slot| Dedup { group, slot, hash: [day; 16], payload: 0 })
        })
        .collect();
    let known = store.seen(&events).await.unwrap();
    assert_eq!(known.iter().filter(|event| event.slot >= 0).count(), 4);
    assert_eq!(known.iter().filter(|event| event.slot < 0).count(), 4, "their time is that of their arrival");
    store.commit(&empty(11)).await.unwrap();
}

async fn rows_are_sifted_by_what_they_say(place: Place) {
    let store = place.open(false).await.unwrap();
    let facets = |layout: i64, bits: i64| Some(Mark { layout, bits });
    let all = [None, facets(5, 0b00), facets(5, 0b01), facets(5, 0b10), facets(6, 0b00), facets(5, 0b11)];
    let ids: Vec<String> = (0..60).map(|n| format!("c{n}")).collect();
    let states = ids.iter().map(|id| StateRow { key: key(id), version: 0, body: vec![1] }).collect();
    let facets: Vec<_> = all.iter().copied().cycle().take(60).collect();
    store.commit(&Commit { batch: 1, states, facets, ..Commit::default() }).await.unwrap();
    let ours = Sieve { layout: 5, mask: 0b10 };
    let sieve = Some(ours);
    let found = every(&*store, Sift { kind: 0, sieve, look: 7, most: 3 }).await;
    let mut wanted: Vec<(RowKey, Option<Mark>)> = ids
        .iter()
        .zip(all.iter().cycle())
        .filter(|(_, facets)| ours.keeps(**facets))
        .map(|(id, facets)| (key(id), *facets))
        .collect();
    wanted.sort();
    assert_eq!(wanted.len(), 40, "those of bit 0 alone, or of no bit, are left out");
    assert_eq!(found, wanted);
    assert_eq!(every(&*store, Sift { kind: 0, sieve: None, look: 100, most: 100 }).await.len(), 60);
    assert_eq!(every(&*store, Sift { kind: 1, sieve: None, look: 5, most: 5 }).await, []);

    // Facets change with a row, and without it.
    let resifted = vec![(key("c1"), Some(Mark { layout: 5, bits: 0b10 })), (key("c3"), None)];
    let states = vec![StateRow { key: key("c5"), version: 1, body: vec![2] }];
    let commit = Commit {
        batch: 2,
        states,
        facets: vec![Some(Mark { layout: 5, bits: 0 })],
        resifted,
        ..Commit::default()
    };
    store.commit(&commit).await.unwrap();
    let found = every(&*store, Sift { kind: 0, sieve, look: 9, most: 9 }).await;
    assert_eq!(found.len(), 40);
    assert!(found.iter().any(|(found, _)| *found == key("c1")));
    assert!(!found.iter().any(|(found, _)| *found == key("c5")));
    assert_eq!(store.load(&[key("c1")]).await.unwrap()[0].version, 1, "the row itself is as it was");
}

/// All that is kept, page by page.
pub(super) async fn every(store: &dyn Store, sift: Sift) -> Vec<(RowKey, Option<Mark>)> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let sifted = store.sift(sift, after.as_ref()).await.unwrap();
        assert!(sifted.rows.len() <= sift.most);
        found.extend(sifted.rows.into_iter().map(|(row, facets)| (row.key, facets)));
        after = sifted.next;
        if after.is_none() {
            return found;
        }
    }
}
