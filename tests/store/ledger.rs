//! The books: what all share is handed out once, what was taken and not given goes back, and entries tell of it all.

use std::time::Duration;

use wayfare::ledger::{Act, Entry, Place as At, Sums};
use wayfare::store::{
    Acted, Block, Commit, EntryQuery, EntryRow, PostgresStore, Quota, Store, StoreError, Want, Wants, Worker,
};

use super::empty;
use crate::support::chance::Chance;
use crate::support::postgres::server as running;
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(
    what_is_shared_is_given_up_to_its_limit,
    a_limit_that_changes_holds_from_then_on,
    entries_are_listed_and_never_doubled,
    a_gift_is_used_or_taken_back_once,
    who_lacks_one_thing_takes_nothing_of_another,
    the_owner_is_told_once,
    what_ends_comes_back_by_itself,
    points_end_as_they_were_spent,
    who_all_take_it_back_at_once_take_it_back_once,
);

const STOCK: &str = "stock/加油券/2026-12-04T02:00:00Z";

/// So many ask for one each; of nobody it is only looked at.
fn want(count: usize) -> Wants {
    want_of(count, 10)
}

fn want_of(count: usize, most: i64) -> Wants {
    let accounts = vec![Want { account: STOCK.to_owned(), most, spent: 0 }];
    Wants { accounts, asks: vec![vec![(0, 1)]; count], at: 1_000 }
}

async fn take(store: &dyn Store, want: Wants) -> Block {
    store.ledger().unwrap().take(&want).await.unwrap().remove(0)
}

async fn quota(store: &dyn Store) -> Quota {
    let quotas = store.ledger().unwrap().quotas().await.unwrap();
    quotas.into_iter().find(|quota| quota.account == STOCK).unwrap()
}

fn gift(group: u16, number: u64, account: &str, amount: i64) -> EntryRow {
    let entry = Entry {
        account: account.to_owned(),
        part: 0,
        act: Act::Grant,
        from: At::Free,
        amount,
        unit: "piece".to_owned(),
    };
    EntryRow {
        group,
        gift: format!("{:03x}{number:04}", group * 64),
        entry,
        holder: format!("customer/客户{number}"),
        key: format!("rush/c{number}/1/grant"),
        at: 1_000 + i64::try_from(number).unwrap(),
        until: Some(5_000),
    }
}

fn spend(batch: u64, amount: i64, entries: Vec<EntryRow>) -> Commit {
    Commit { spent: vec![(STOCK.to_owned(), amount)], entries, ..empty(batch) }
}

async fn what_is_shared_is_given_up_to_its_limit(place: Place) {
    let store = place.open(false).await.unwrap();
    let nothing_known = take(&*store, want(0)).await;
    assert!(!nothing_known.is_empty);
    assert!(take(&*store, want(6)).await.size >= 6);
    store.commit(&spend(1, 6, (1..=6).map(|number| gift(0, number, STOCK, 1)).collect())).await.unwrap();
    assert_eq!((quota(&*store).await.given, quota(&*store).await.gone), (6, None));

    let block = take(&*store, want(9)).await;
    assert_eq!((block.size, block.given), (4, 6));
    assert_eq!(quota(&*store).await.gone, Some(1_000));
    // More than was taken is more than there is: nothing is written.
    let mut over = spend(2, 5, vec![gift(0, 7, STOCK, 1)]);
    over.meta = vec![("seen".to_owned(), "yes".to_owned())];
    assert_eq!(store.commit(&over).await, Err(StoreError::Fenced));
    assert_eq!(store.meta("seen").await.unwrap(), None);
    store.commit(&spend(2, 4, vec![gift(0, 7, STOCK, 4)])).await.unwrap();
    assert_eq!(take(&*store, want(1)).await.size, 0);
    assert!(take(&*store, want(0)).await.is_empty);
    assert_eq!((quota(&*store).await.given, quota(&*store).await.under_way), (10, 0));

    // Another life knows as much.
    drop(store);
    let store = place.open(false).await.unwrap();
    assert_eq!(take(&*store, want(1)).await.size, 0);
    let moved = store.ledger().unwrap().moved().await.unwrap();
    assert_eq!((moved.len(), moved[0].amount, moved[0].count), (1, 10, 7));
}

async fn a_limit_that_changes_holds_from_then_on(place: Place) {
    let store = place.open(false).await.unwrap();
    take(&*store, want(8)).await;
    store.commit(&spend(1, 8, vec![gift(0, 1, STOCK, 8)])).await.unwrap();
    let less = want_of(1, 5);
    assert_eq!(take(&*store, less.clone()).await.size, 0);
    assert_eq!(take(&*store, want_of(12, 20)).await.size, 12);
    // What was taken under the other limit is not given under this one.
    assert_eq!(take(&*store, less).await.size, 0);
    assert_eq!(store.commit(&spend(2, 1, vec![])).await, Err(StoreError::Fenced));
    assert_eq!(quota(&*store).await.given, 8);
}

async fn entries_are_listed_and_never_doubled(place: Place) {
    let store = place.open(false).await.unwrap();
    let ledger = store.ledger().unwrap();
    let rows: Vec<EntryRow> = (1..=7).map(|number| gift(0, number, "reward/a", 1)).collect();
    store.commit(&Commit { entries: rows.clone(), ..empty(1) }).await.unwrap();
    let again = Commit { entries: vec![rows[3].clone(), gift(0, 3, "points/b", 5)], ..empty(2) };
    store.commit(&again).await.unwrap();

    let account = EntryQuery::Account("reward/a".to_owned());
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = ledger.entries(&account, after.as_ref(), 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.place());
        found.extend(page);
    }
    assert_eq!(found, rows);
    let holder = EntryQuery::Holder("customer/客户3".to_owned());
    let accounts: Vec<String> =
        ledger.entries(&holder, None, 9).await.unwrap().into_iter().map(|row| row.entry.account).collect();
    assert_eq!(accounts, ["points/b", "reward/a"]);

    // Pages of whole gifts: the third has two entries.
    let first = ledger.gifts("", 4).await.unwrap();
    assert_eq!(first.len(), 2);
    let rest = ledger.gifts(&first[1].gift, 9).await.unwrap();
    assert_eq!(rest.len(), 6);
}

async fn a_gift_is_used_or_taken_back_once(place: Place) {
    let store = place.open(false).await.unwrap();
    let ledger = store.ledger().unwrap();
    take(&*store, want(10)).await;
    let entries: Vec<EntryRow> =
        (1..=10).flat_map(|number| [gift(0, number, STOCK, 1), gift(0, number, "reward/a", 1)]).collect();
    store.commit(&spend(1, 10, entries)).await.unwrap();
    let id = |number| gift(0, number, "", 0).gift;
    let act = async |number, act, at| ledger.act(0, &id(number), act, at).await.unwrap();

    let Acted::Done(rows) = act(1, Act::Confirm, 2_000).await else { panic!("it is there to be used") };
    assert_eq!(rows.len(), 4);
    assert!(matches!(act(1, Act::Confirm, 2_001).await, Acted::Before(_)));
    assert!(matches!(act(1, Act::Expire, 6_000).await, Acted::Refused(_)));
    assert!(matches!(act(2, Act::Confirm, 5_000).await, Acted::Ended(_)));
    assert!(matches!(act(2, Act::Expire, 5_000).await, Acted::Done(_)));
    assert!(matches!(act(3, Act::ClawBack, 2_000).await, Acted::Done(_)));
    assert!(matches!(act(3, Act::ClawBack, 2_000).await, Acted::Before(_)));
    assert!(matches!(act(99, Act::Confirm, 2_000).await, Acted::Unknown));

    // Two came back, and can be given once more.
    assert_eq!(quota(&*store).await.given, 8);
    assert_eq!(take(&*store, want(5)).await.size, 2);
    let mut sums = Sums::default();
    for moved in ledger.moved().await.unwrap() {
        sums.add(&moved.account, &moved.unit, (moved.from, moved.act), moved.amount);
    }
    let places = At::ALL.map(|place| sums.at(STOCK, place));
    assert_eq!(places, [-8, 0, 7, 1]);
    assert_eq!(sums.by_unit().into_iter().collect::<Vec<_>>(), [("piece", 0)]);
}

async fn who_lacks_one_thing_takes_nothing_of_another(place: Place) {
    let store = place.open(false).await.unwrap();
    let account = |account: &str, most| Want { account: account.to_owned(), most, spent: 0 };
    let accounts = vec![account(STOCK, 2), account("budget/a", 100)];
    let wants = Wants { accounts, asks: vec![vec![(0, 1), (1, 10)]; 5], at: 1_000 };
    let blocks = store.ledger().unwrap().take(&wants).await.unwrap();
    assert!(blocks[0].size == 2 && blocks[0].is_short && !blocks[1].is_short);
    let quotas = store.ledger().unwrap().quotas().await.unwrap();
    let gone: Vec<(&str, bool)> = quotas.iter().map(|it| (&*it.account, it.gone.is_some())).collect();
    assert_eq!(gone, [("budget/a", false), (STOCK, true)]);
    assert!(quotas.iter().all(|quota| quota.under_way <= 20), "{quotas:?}");
}

async fn the_owner_is_told_once(place: Place) {
    let store = place.open(false).await.unwrap();
    take(&*store, want(1)).await;
    let ledger = store.ledger().unwrap();
    assert!(ledger.alert(STOCK, 7).await.unwrap());
    assert!(!ledger.alert(STOCK, 8).await.unwrap());
    assert!(take(&*store, want(1)).await.alerted);
    assert_eq!(quota(&*store).await.alerted, Some(7));
}

async fn open_for(url: &str, name: &str, patience: Duration) -> PostgresStore {
    PostgresStore::open(url, &Worker { patience, ..Worker::named(name) }, false).await.unwrap()
}

async fn open(url: &str, name: &str) -> PostgresStore {
    open_for(url, name, Duration::from_secs(10)).await
}

/// Settles until every worker has its share of the groups.
async fn shared(workers: &[&PostgresStore]) {
    for _ in 0..6 {
        for worker in workers {
            let share = worker.share(&[], false).await.unwrap();
            worker.share(&share.surplus, false).await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_a_dead_worker_took_and_did_not_give_goes_to_others() {
    let Some(server) = running("store::ledger::dead_worker") else { return };
    let url = server.url(&server.database().await);
    let short = Duration::from_secs(2);
    let (one, two) = (open_for(&url, "one", short).await, open_for(&url, "two", short).await);
    shared(&[&one, &two]).await;
    assert_eq!(take(&one, want(7)).await.size, 7);
    one.commit(&spend(one.lease().batch + 1, 3, vec![])).await.unwrap();
    // Four are with a worker that may be about to give them.
    assert_eq!(take(&two, want(9)).await.size, 3);
    two.ledger().unwrap().give_back(&[STOCK.to_owned()]).await.unwrap();
    assert_eq!(quota(&two).await.under_way, 4);

    // The same name again: an earlier life gives nothing any more.
    let again = open_for(&url, "one", short).await;
    assert_eq!(one.commit(&spend(one.lease().batch + 1, 4, vec![])).await, Err(StoreError::Fenced));
    assert_eq!(take(&again, want(5)).await.size, 5);
    assert_eq!(quota(&two).await.under_way, 5);
    drop(one);

    // It dies, others take its groups, and with them what it had.
    drop(again);
    tokio::time::sleep(Duration::from_secs(3)).await;
    shared(&[&two]).await;
    assert_eq!(two.lease().groups.len(), 64);
    assert_eq!(take(&two, want(20)).await.size, 7);
    two.commit(&spend(two.lease().batch + 1, 7, vec![])).await.unwrap();
    let quota = quota(&two).await;
    assert_eq!((quota.given, quota.under_way, quota.gone), (10, 0, Some(1_000)));
}

/// Workers take, give, give back and take back, in any order, and die: never more than there is, and in the end all.
#[tokio::test]
async fn any_interleaving_gives_exactly_what_there_is() {
    let Some(server) = running("store::ledger::interleaving") else { return };
    let url = server.url(&server.database().await);
    let mut chance = Chance::new("WAYFARE_TEST_SEED");
    let mut workers = [open(&url, "a").await, open(&url, "b").await, open(&url, "c").await];
    shared(&workers.iter().collect::<Vec<_>>()).await;
    let mut batches: Vec<u64> = workers.iter().map(|worker| worker.lease().batch).collect();
    let most = 40;
    let (mut number, mut gifts): (u64, Vec<(u16, String)>) = (0, Vec::new());
    for round in 0..120 {
        let which = chance.place(3);
        let worker = &workers[which];
        let group = worker.lease().groups[0].0;
        match chance.below(6) {
            0 if !gifts.is_empty() => {
                let (group, gift) = chance.one(&gifts);
                let act = *chance.one(&[Act::Confirm, Act::Expire, Act::ClawBack]);
                worker.ledger().unwrap().act(*group, gift, act, 2_000).await.unwrap();
            }
            1 => {
                take(worker, want_of(9, most)).await;
                workers[which] = open(&url, ["a", "b", "c"][which]).await;
                batches[which] = workers[which].lease().batch;
            }
            _ => {
                let size = take(worker, want_of(1 + chance.place(5), most)).await.size;
                let given = chance.below(size.unsigned_abs() + 1);
                let entries: Vec<EntryRow> =
                    (0..given).map(|more| gift(group, number + more, STOCK, 1)).collect();
                number += given;
                gifts.extend(entries.iter().map(|row| (group, row.gift.clone())));
                batches[which] += 1;
                let mut commit = spend(batches[which], i64::try_from(given).unwrap(), entries);
                commit.spent.retain(|(_, amount)| *amount > 0);
                worker.commit(&commit).await.unwrap();
            }
        }
        let quota = quota(&workers[0]).await;
        assert!(
            quota.given >= 0 && quota.under_way >= 0 && quota.given + quota.under_way <= most,
            "{quota:?}"
        );
        let moved = workers[0].ledger().unwrap().moved().await.unwrap();
        let mut sums = Sums::default();
        moved.iter().for_each(|it| sums.add(&it.account, &it.unit, (it.from, it.act), it.amount));
        assert_eq!(sums.given(STOCK), quota.given, "round {round}");
    }
}

async fn what_ends_comes_back_by_itself(place: Place) {
    let store = place.open(false).await.unwrap();
    let ledger = store.ledger().unwrap();
    take(&*store, want(10)).await;
    // A gift is its stock, which does not say when it ends, and the reward, which does.
    let both = |number: u64| {
        let stock = EntryRow { until: None, ..gift(0, number, STOCK, 1) };
        [stock, gift(0, number, "reward/加油券", 1)]
    };
    store.commit(&spend(1, 10, (1..=10).flat_map(both).collect())).await.unwrap();
    assert!(matches!(
        ledger.act(0, &gift(0, 3, STOCK, 1).gift, Act::Confirm, 2_000).await,
        Ok(Acted::Done(_))
    ));
    assert_eq!(ledger.expire(4_999, 6_000).await, Ok(false), "not before its end");
    assert_eq!(quota(&*store).await.given, 10);
    assert_eq!(ledger.expire(5_000, 6_000).await, Ok(false));
    assert_eq!(quota(&*store).await.given, 1, "but for the one that was used");
    assert_eq!(ledger.expire(9_000, 9_000).await, Ok(false));
    assert_eq!(quota(&*store).await.given, 1, "once");
    assert!(matches!(
        ledger.act(0, &gift(0, 4, STOCK, 1).gift, Act::Confirm, 2_000).await,
        Ok(Acted::Refused(_))
    ));
    assert_eq!(take(&*store, want(9)).await.size, 9, "others can have them");
    assert_eq!(wayfare::engine::audit::audit(ledger).await.unwrap().faults, [""; 0]);
}

async fn points_end_as_they_were_spent(place: Place) {
    let store = place.open(false).await.unwrap();
    let ledger = store.ledger().unwrap();
    let line = |number: u64, act: Act, (amount, until): (i64, i64)| {
        let mut row = gift(0, number, "points/星点", amount);
        let from = if act == Act::Grant { At::Free } else { At::Held };
        (row.entry.act, row.entry.from, row.entry.unit) = (act, from, "星点".to_owned());
        EntryRow { holder: "customer/李".to_owned(), until: Some(until), ..row }
    };
    let rows = vec![
        line(1, Act::Grant, (10, 2_000)),
        line(2, Act::Grant, (5, 2_000)),
        line(3, Act::Confirm, (12, 2_000)),
        line(4, Act::Grant, (7, 3_000)),
        line(5, Act::Grant, (4, 4_000)),
    ];
    store.commit(&Commit { entries: rows, ..empty(1) }).await.unwrap();
    assert!(matches!(ledger.act(0, &gift(0, 5, "", 0).gift, Act::ClawBack, 1_500).await, Ok(Acted::Done(_))));
    let held = async || {
        let mut sums = Sums::default();
        for moved in ledger.moved().await.unwrap() {
            sums.add(&moved.account, &moved.unit, (moved.from, moved.act), moved.amount);
        }
        assert!(sums.by_unit().values().all(|sum| *sum == 0));
        (sums.at("points/星点", At::Held), sums.at("points/星点", At::Used))
    };
    assert_eq!(held().await, (10, 12));
    for (now, left) in [(1_999, 10), (2_000, 7), (2_500, 7), (3_000, 0), (9_000, 0)] {
        assert_eq!(ledger.expire(now, now + 1).await, Ok(false));
        assert_eq!(held().await, (left, 12), "at {now}");
    }
    assert_eq!(wayfare::engine::audit::audit(ledger).await.unwrap().faults, [""; 0]);
}

async fn who_all_take_it_back_at_once_take_it_back_once(place: Place) {
    let store = place.open(false).await.unwrap();
    let ledger = store.ledger().unwrap();
    take(&*store, want(10)).await;
    store.commit(&spend(1, 10, (1..=10).map(|number| gift(0, number, STOCK, 1)).collect())).await.unwrap();
    let name = gift(0, 1, STOCK, 1).gift;
    let acts = (0..6).map(|_| ledger.act(0, &name, Act::ClawBack, 2_000));
    let done = futures_util::future::join_all(acts).await;
    let first = done.iter().filter(|acted| matches!(acted, Ok(Acted::Done(_)))).count();
    assert_eq!((first, quota(&*store).await.given), (1, 9), "{done:?}");
}
