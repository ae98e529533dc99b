//! The books themselves: what can follow what, and what holds whatever is tried.

use proptest::prelude::*;
use wayfare::ledger::{Act, Entry, Gift, Place, Sums, ending};

fn entry(account: &str, act: Act, from: Place, amount: i64) -> Entry {
    Entry { account: account.into(), part: 0, act, from, amount, unit: "CNY".into() }
}

fn granted(accounts: &[&str], amount: i64) -> Gift {
    let mut gift = Gift::default();
    for account in accounts {
        assert_eq!(gift.post(&entry(account, Act::Grant, Place::Free, amount)), Ok(true));
    }
    gift
}

fn done(gift: &mut Gift, act: Act) -> usize {
    let entries = gift.act(act).unwrap();
    entries.iter().for_each(|entry| assert_eq!(gift.post(entry), Ok(true)));
    entries.len()
}

#[test]
fn a_coupon_that_was_used_does_not_expire_and_can_be_taken_back_once() {
    let mut gift = granted(&["budget/a", "stock/b"], 20);
    assert_eq!(done(&mut gift, Act::Confirm), 2);
    assert_eq!(done(&mut gift, Act::Confirm), 0, "the same again is the same");
    assert!(gift.act(Act::Expire).is_err());
    assert_eq!(done(&mut gift, Act::ClawBack), 2);
    assert_eq!(done(&mut gift, Act::ClawBack), 0);
    assert!(gift.act(Act::Release).is_err());
}

#[test]
fn a_coupon_that_expired_cannot_be_used() {
    let mut gift = granted(&["reward/a"], 1);
    assert_eq!(done(&mut gift, Act::Expire), 1);
    assert!(gift.act(Act::Confirm).is_err() && gift.act(Act::ClawBack).is_err());
}

#[test]
fn entries_that_contradict_each_other_are_found() {
    let mut gift = granted(&["a"], 5);
    assert_eq!(gift.post(&entry("a", Act::Grant, Place::Free, 5)), Ok(false));
    let faults = [
        entry("a", Act::Grant, Place::Free, 6),
        entry("a", Act::Release, Place::Reserved, 5),
        entry("a", Act::ClawBack, Place::Used, 5),
        entry("b", Act::Expire, Place::Held, 5),
        entry("b", Act::Grant, Place::Free, 0),
    ];
    for wrong in faults {
        assert!(gift.clone().post(&wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn points_that_are_spent_leave_the_customer() {
    let mut sums = Sums::default();
    for entry in [
        entry("points/stars", Act::Grant, Place::Free, 10),
        entry("points/stars", Act::Confirm, Place::Held, 4),
    ] {
        Gift::default().post(&entry).unwrap();
        sums.post(&entry);
    }
    assert_eq!((sums.at("points/stars", Place::Held), sums.given("points/stars")), (6, 10));
}

const LIMITS: [(&str, i64); 2] = [("budget/a", 100), ("stock/b", 3)];

proptest! {
    /// Whatever is tried in whatever order: nothing is given beyond its limit, no place is below nothing but the
    /// bank's own, and the sum of each unit is zero.
    #[test]
    fn every_interleaving_keeps_the_books(tries in prop::collection::vec((0usize..8, 0usize..6, 1i64..40), 0..120)) {
        let mut gifts = vec![Gift::default(); 8];
        let (mut sums, mut entries) = (Sums::default(), Vec::new());
        for (number, act, amount) in tries {
            let (gift, act) = (&mut gifts[number], Act::ALL[act]);
            let begins = *gift == Gift::default();
            let wanted = if begins && matches!(act, Act::Reserve | Act::Grant) {
                let amounts = [amount, 1];
                let fits = LIMITS.iter().zip(amounts).all(|((account, limit), amount)| {
                    sums.given(account) + amount <= *limit
                });
                let lines = LIMITS.iter().zip(amounts).map(|((account, _), amount)| {
                    let unit = account.split('/').next().unwrap().to_owned();
                    Entry { unit, ..entry(account, act, Place::Free, amount) }
                });
                if fits { lines.collect() } else { Vec::new() }
            } else {
                gift.act(act).unwrap_or_default()
            };
            for entry in wanted {
                if gift.post(&entry).unwrap() {
                    sums.post(&entry);
                }
                // Replayed, it changes nothing.
                prop_assert_eq!(gift.post(&entry), Ok(false));
                entries.push((number, entry));
            }
            for (account, limit) in LIMITS {
                prop_assert!((0..=limit).contains(&sums.given(account)));
                for place in [Place::Reserved, Place::Held, Place::Used] {
                    prop_assert!(sums.at(account, place) >= 0);
                }
            }
            prop_assert!(sums.by_unit().values().all(|sum| *sum == 0));
        }
        // What the entries say is what was.
        let mut again = vec![Gift::default(); 8];
        for (number, entry) in &entries {
            prop_assert_eq!(again[*number].post(entry), Ok(true));
        }
        prop_assert_eq!(again, gifts);
    }

    /// Points of a few customers, some of whom are found to be one: whatever is earned, spent and ends in whatever order,
    /// what ends is what was left, nobody loses more than they have, and nothing is below nothing.
    #[test]
    fn what_ends_of_points_is_what_was_left(tries in prop::collection::vec((0usize..3, 0usize..4, 0usize..4, 1i64..30), 0..80)) {
        let mut sums = Sums::default();
        // Of each lot, by when it ends: what each customer has earned of it and not spent.
        let mut lots = [[0i64; 4]; 4];
        let (mut entries, mut used) = (Vec::new(), 0);
        let points = |act, from, amount| Entry { unit: "stars".to_owned(), ..entry("points/stars", act, from, amount) };
        for (what, until, who, amount) in tries {
            match what {
                0 => {
                    entries.push(points(Act::Grant, Place::Free, amount));
                    lots[until][who] += amount;
                }
                // Spent by whoever, as if all were one customer: of the lot there must be as much.
                1 if lots[until].iter().sum::<i64>() >= amount => {
                    entries.push(points(Act::Confirm, Place::Held, amount));
                    (lots[until][who], used) = (lots[until][who] - amount, used + amount);
                }
                2 => {
                    let left: i64 = lots[until].iter().sum();
                    let ends = ending(&lots[until]);
                    prop_assert_eq!(ends.iter().sum::<i64>(), left);
                    for (has, ends) in lots[until].iter().zip(&ends) {
                        prop_assert!((0..=(*has).max(0)).contains(ends));
                    }
                    entries.extend(ends.into_iter().filter(|it| *it > 0).map(|it| points(Act::Expire, Place::Held, it)));
                    lots[until] = [0; 4];
                }
                _ => {}
            }
        }
        for entry in &entries {
            prop_assert_eq!(Gift::default().post(entry), Ok(true));
            sums.post(entry);
        }
        let left: i64 = lots.iter().flatten().sum();
        prop_assert_eq!((sums.at("points/stars", Place::Held), sums.at("points/stars", Place::Used)), (left, used));
        prop_assert!(sums.by_unit().values().all(|sum| *sum == 0));
    }
}
