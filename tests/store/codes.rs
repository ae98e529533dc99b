//! Codes of partners: as many are given as came in, each to one gift, and never to another.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use wayfare::ledger::{Act, Entry, Place as At};
use wayfare::store::{Acted, CodeCount, Commit, EntryRow, Shown, Store, Want, Wants};

use super::empty;
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(
    of_codes_there_are_as_many_as_came_in,
    each_gift_has_a_code_of_its_own_whoever_asks_at_once,
    what_was_given_stays_given,
    two_imports_at_once_count_each_code_once,
);

const ACCOUNT: &str = "codes/早餐券";

fn codes(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|number| format!("SHOP-{number:05}")).collect()
}

/// So many ask for one each; how many there are nobody says.
async fn take(store: &dyn Store, count: usize) -> i64 {
    let accounts = vec![Want { account: ACCOUNT.to_owned(), most: i64::MAX, spent: 0 }];
    let wants = Wants { accounts, asks: vec![vec![(0, 1)]; count], at: 1_000 };
    store.ledger().unwrap().take(&wants).await.unwrap().remove(0).size
}

fn name(number: u64) -> String {
    format!("000{number:04}")
}

/// What the commit of a grant writes.
fn granted(number: u64) -> Vec<EntryRow> {
    let row = |account: &str, until| EntryRow {
        group: 0,
        gift: name(number),
        entry: Entry {
            account: account.to_owned(),
            part: 0,
            act: Act::Grant,
            from: At::Free,
            amount: 1,
            unit: "piece".to_owned(),
        },
        holder: format!("customer/c{number}"),
        key: format!("perk/c{number}/1/grant"),
        at: 1_000,
        until,
    };
    vec![row(ACCOUNT, None), row("reward/早餐券", Some(5_000))]
}

async fn grant(store: &dyn Store, batch: u64, numbers: std::ops::Range<u64>) {
    let count = numbers.end - numbers.start;
    let spent = vec![(ACCOUNT.to_owned(), count.cast_signed())];
    let entries = numbers.flat_map(granted).collect();
    store.commit(&Commit { spent, entries, ..empty(batch) }).await.unwrap();
}

async fn show(store: &dyn Store, number: u64, at: i64) -> Shown {
    store.codes().unwrap().show(0, &name(number), at).await.unwrap()
}

fn code(shown: Shown) -> String {
    let Shown::Code { reward, code } = shown else { panic!("{shown:?}") };
    assert_eq!(reward, "早餐券");
    code
}

async fn given_and_most(store: &dyn Store) -> (i64, i64) {
    let quotas = store.ledger().unwrap().quotas().await.unwrap();
    let quota = quotas.into_iter().find(|quota| quota.account == ACCOUNT).unwrap();
    (quota.given, quota.most)
}

async fn of_codes_there_are_as_many_as_came_in(place: Place) {
    let store = place.open(false).await.unwrap();
    let kept = store.codes().unwrap();
    assert_eq!(take(&*store, 3).await, 0, "nothing has come in");
    assert_eq!(kept.import("早餐券", &codes(0, 5), 7).await.unwrap(), 5);
    // The same file again, with two more and one line twice.
    let mut again = codes(0, 7);
    again.push("SHOP-00006".to_owned());
    assert_eq!(kept.import("早餐券", &again, 8).await.unwrap(), 2);
    // Of another reward it is another code.
    assert_eq!(kept.import("洗车券", &codes(0, 3), 8).await.unwrap(), 3);
    assert!(take(&*store, 4).await >= 4);
    grant(&*store, 1, 0..4).await;
    assert_eq!(take(&*store, 9).await, 3, "seven came in, four are given");
    grant(&*store, 2, 4..7).await;
    assert_eq!(take(&*store, 1).await, 0);
    assert_eq!(given_and_most(&*store).await, (7, 7));
    assert_eq!(kept.import("早餐券", &codes(7, 9), 9).await.unwrap(), 2);
    assert_eq!(take(&*store, 9).await, 2);
    let counts = kept.counts().await.unwrap();
    let count = |reward: &str, imported| CodeCount { reward: reward.to_owned(), imported, shown: 0 };
    assert_eq!(counts, [count("早餐券", 9), count("洗车券", 3)]);
    let page = kept.page("早餐券", 4, 3).await.unwrap();
    let page: Vec<&str> = page.iter().map(|row| &*row.code).collect();
    assert_eq!(page, ["SHOP-00004", "SHOP-00005", "SHOP-00006"]);
}

async fn each_gift_has_a_code_of_its_own_whoever_asks_at_once(place: Place) {
    let store = place.open(false).await.unwrap();
    store.codes().unwrap().import("早餐券", &codes(0, 20), 7).await.unwrap();
    take(&*store, 20).await;
    grant(&*store, 1, 0..20).await;
    // Each gift three times, all at once, and there is not one code to spare.
    let asked = join_all((0..60).map(|n| show(&*store, n % 20, 2_000))).await;
    let shown: Vec<String> = asked.into_iter().map(code).collect();
    for n in 0..20 {
        assert_eq!(shown[n], shown[n + 20]);
        assert_eq!(shown[n], shown[n + 40]);
    }
    assert_eq!(shown.iter().collect::<BTreeSet<_>>().len(), 20);
    let first = store.codes().unwrap().code("早餐券", &shown[0]).await.unwrap().unwrap();
    assert_eq!((first.gift, first.shown), (Some(name(0)), Some(2_000)));
    assert_eq!(show(&*store, 99, 2_000).await, Shown::Unknown);
}

async fn what_was_given_stays_given(place: Place) {
    let store = place.open(false).await.unwrap();
    store.codes().unwrap().import("早餐券", &codes(0, 3), 7).await.unwrap();
    take(&*store, 3).await;
    grant(&*store, 1, 0..3).await;
    let ledger = store.ledger().unwrap();
    let taken = code(show(&*store, 0, 2_000).await);
    // Taken back, the code is on the customer's paper all the same: nobody else gets it, nor does it count as free.
    assert!(matches!(ledger.act(0, &name(0), Act::ClawBack, 2_100).await.unwrap(), Acted::Done(_)));
    assert_eq!(given_and_most(&*store).await, (3, 3));
    assert_eq!(take(&*store, 1).await, 0);
    assert_eq!(show(&*store, 0, 2_200).await, Shown::Over);
    // Used: it can still be looked at. Over: not any more.
    assert!(matches!(ledger.act(0, &name(1), Act::Confirm, 2_300).await.unwrap(), Acted::Done(_)));
    let used = code(show(&*store, 1, 9_000).await);
    assert_eq!(show(&*store, 2, 5_000).await, Shown::Over);
    assert_ne!(taken, used);
    ledger.expire(6_000, 7_000).await.unwrap();
    assert_eq!(given_and_most(&*store).await, (3, 3));
}

async fn two_imports_at_once_count_each_code_once(place: Place) {
    let store = place.open(false).await.unwrap();
    let kept = store.codes().unwrap();
    let files: Vec<Vec<String>> = (0..6).map(|n| codes(n * 50, n * 50 + 200)).collect();
    let new = join_all(files.iter().map(|file| kept.import("早餐券", file, 7))).await;
    let new: u64 = new.into_iter().map(Result::unwrap).sum();
    assert_eq!(new, 450);
    assert!(take(&*store, 1).await >= 1);
    assert_eq!(given_and_most(&*store).await.1, 450);
}
