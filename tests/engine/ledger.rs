//! Stock and budgets in the daemon: exactly as much is given as there is, whatever commit it stops at, everybody else is
//! told, and the books say so.

use jiff::{SignedDuration, Timestamp};
use wayfare::compile::{File, Input, compile};
use wayfare::engine::{Steps, audit};
use wayfare::ledger::{Act, Place as At, Sums};
use wayfare::name::Name;
use wayfare::program::Bundle;
use wayfare::step::{Event, EventKind, RootKey};
use wayfare::store::{EntryQuery, Quota, Store};
use wayfare::value::{Currency, Money, Value};

use super::rig::{Rig, Running, customer, until};
use crate::support::examples;
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(
    a_rush_gives_what_there_is_whatever_commit_the_daemon_stops_at,
    a_budget_that_is_gone_stops_what_it_pays,
    points_and_what_they_are_exchanged_for_are_in_the_books,
    what_the_zones_give,
);

const BANK: &str = r#"
channel push { kind push }
entity customer { key id : Id; consent : [channel] }
event tapped of customer {}
event walked of customer {}
budget autumn { total 100 CNY; owner "o@bank.example"; alert 80% }
budget spring { total 10 CNY; owner "o@bank.example" }
reward fuel "加油券" { kind coupon; value 4 CNY; stock 20; limit 1 per customer ever; keep 30 days; budget autumn }
reward coffee "咖啡券" { kind coupon; value 3 CNY; stock 100; budget spring }
points stars of customer { keep 12 months; limit 20 per customer per day }
content yours { via push """加油券已到账""" }
content sorry { via push """加油券已抢完""" }
journey rush of customer {
  purpose service
  owner "o@bank.example"
  enter on tapped
  reenter never
  grant fuel {
    on sold_out { send sorry via push; end late }
  } else end refused
  send yours via push
  end given
}
journey walk of customer {
  purpose service
  owner "o@bank.example"
  enter on walked
  reenter never
  grant stars amount 12 else end no_stars
  exchange 10 stars for coffee {
    on budget_gone { send sorry via push; end budget_gone }
  } else end no_coffee
  send yours via push
  end had_coffee
}
"#;

const TAKERS: usize = 50;

fn bank() -> Bundle {
    let file = File { path: "bank.journey".into(), package: "".into(), text: BANK.into() };
    let compilation = compile(&Input { files: vec![file], ..Input::default() });
    compilation.bundle.unwrap_or_else(|| panic!("{:#?}", compilation.diagnostics))
}

fn told(kind: EventKind, id: &str, time: Timestamp, fields: Vec<(Name, Value)>) -> (RootKey, Event) {
    let event = Event {
        source: "bank".into(),
        id: format!("{id}-{kind:?}").into(),
        kind,
        child: None,
        time,
        received: time,
        fields,
    };
    (customer(id), event)
}

fn everybody(count: usize, now: Timestamp) -> Vec<(RootKey, Event)> {
    let push = || vec![(Name::new("consent"), Value::List(vec![Value::Choice(Name::new("push"))]))];
    (0..count).map(|n| told(EventKind::Attributes, &format!("c{n}"), now, push())).collect()
}

fn all_do(what: &str, count: usize, now: Timestamp) -> Vec<(RootKey, Event)> {
    let kind = || EventKind::Declared(Name::new(what));
    (0..count).map(|n| told(kind(), &format!("c{n}"), now, vec![])).collect()
}

/// How many were sent each message, whatever was sent twice under its key.
fn sent(rig: &Rig, step: &str) -> usize {
    let keys = rig.push.attempts().into_iter().map(|(_, key)| key).filter(|key| key.ends_with(step));
    keys.collect::<std::collections::BTreeSet<_>>().len()
}

async fn quota(store: &dyn Store, account: &str) -> Quota {
    let quotas = store.ledger().unwrap().quotas().await.unwrap();
    quotas.into_iter().find(|quota| quota.account == account).unwrap()
}

async fn sums(store: &dyn Store) -> Sums {
    let mut sums = Sums::default();
    for moved in store.ledger().unwrap().moved().await.unwrap() {
        sums.add(&moved.account, &moved.unit, (moved.from, moved.act), moved.amount);
    }
    sums
}

async fn begun(rig: &mut Rig) -> Running {
    rig.steps = Steps::REAL;
    let engine = rig.run().await;
    engine.handle.deploy(bank()).await.unwrap();
    engine
}

async fn a_rush_gives_what_there_is_whatever_commit_the_daemon_stops_at(place: Place) {
    for (stop, after) in [(0, false), (0, true), (1, false), (1, true), (2, true)] {
        let mut rig = Rig::on(place.another().await);
        let engine = begun(&mut rig).await;
        let now = rig.now();
        engine.handle.submit(everybody(TAKERS, now)).await.unwrap();
        engine.stop().await;

        let engine = rig.run_until(stop, after).await;
        let pause = std::time::Duration::from_millis(300);
        for some in all_do("tapped", TAKERS, now).chunks(17) {
            let _ = tokio::time::timeout(pause, engine.handle.submit(some.to_vec())).await;
        }
        engine.crash().await;

        let engine = rig.run().await;
        engine.handle.submit(all_do("tapped", TAKERS, now)).await.unwrap();
        until("everybody was told", async || sent(&rig, "yours") + sent(&rig, "sorry") == TAKERS).await;
        assert_eq!((sent(&rig, "yours"), sent(&rig, "sorry")), (20, 30), "stopped at {stop} {after}");
        let store = &*engine.store;
        let (stock, budget) = (quota(store, "stock/fuel").await, quota(store, "budget/autumn").await);
        assert_eq!((stock.given, stock.under_way), (20, 0));
        assert_eq!((budget.given, budget.under_way), (8_000, 0));
        assert!(stock.gone.is_some() && budget.gone.is_none(), "{stock:?} {budget:?}");
        until("the owner is told at 80 %", async || quota(store, "budget/autumn").await.alerted.is_some())
            .await;
        let sums = sums(store).await;
        assert_eq!(sums.at("stock/fuel", At::Held), 20);
        assert_eq!(sums.at("budget/autumn", At::Held), 8_000);
        assert_eq!(sums.at("reward/fuel", At::Held), 20);
        assert!(sums.by_unit().values().all(|sum| *sum == 0));
        engine.stop().await;
    }
}

async fn a_budget_that_is_gone_stops_what_it_pays(place: Place) {
    let mut rig = Rig::on(place);
    let engine = begun(&mut rig).await;
    let now = rig.now();
    engine.handle.submit(everybody(8, now)).await.unwrap();
    for some in all_do("walked", 8, now).chunks(2) {
        engine.handle.submit(some.to_vec()).await.unwrap();
    }
    until("everybody was told", async || sent(&rig, "yours") + sent(&rig, "sorry") == 8).await;
    assert_eq!(sent(&rig, "yours"), 3, "ten pay three times three");
    let store = &*engine.store;
    let (stock, budget) = (quota(store, "stock/coffee").await, quota(store, "budget/spring").await);
    assert_eq!((stock.given, stock.under_way), (3, 0), "what stock was taken in vain went back");
    assert_eq!((budget.given, budget.gone.is_some()), (900, true));

    // The bank pays more from now on: the next one gets it.
    let more = BANK.replace("total 10 CNY", "total 13 CNY");
    let file = File { path: "bank.journey".into(), package: "".into(), text: more.into() };
    engine
        .handle
        .deploy(compile(&Input { files: vec![file], ..Input::default() }).bundle.unwrap())
        .await
        .unwrap();
    engine.handle.submit(everybody(10, now).split_off(8)).await.unwrap();
    engine.handle.submit(all_do("walked", 10, now).split_off(8)).await.unwrap();
    until("they were told", async || sent(&rig, "yours") + sent(&rig, "sorry") == 10).await;
    assert_eq!(sent(&rig, "yours"), 4);
    assert_eq!(quota(store, "budget/spring").await.given, 1_200);
    engine.stop().await;
}

async fn points_and_what_they_are_exchanged_for_are_in_the_books(place: Place) {
    let mut rig = Rig::on(place);
    let engine = begun(&mut rig).await;
    let now = rig.now();
    engine.handle.submit(everybody(1, now)).await.unwrap();
    engine.handle.submit(all_do("walked", 1, now)).await.unwrap();
    until("the coffee is there", async || sent(&rig, "yours") == 1).await;
    let ledger = engine.store.ledger().unwrap();
    let rows = ledger.entries(&EntryQuery::Holder("customer/c0".to_owned()), None, 99).await.unwrap();
    let mut shown: Vec<String> = rows
        .iter()
        .map(|row| {
            let entry = &row.entry;
            let from = entry.from.as_str();
            format!("{} {from} {} {} {}", entry.account, entry.act, entry.amount, entry.unit)
        })
        .collect();
    shown.sort();
    assert_eq!(
        shown,
        [
            "budget/spring free grant 300 CNY",
            "points/stars free grant 12 stars",
            "points/stars held confirm 10 stars",
            "reward/coffee free grant 1 piece",
            "stock/coffee free grant 1 piece",
        ]
    );
    let sums = sums(&*engine.store).await;
    assert_eq!(sums.at("points/stars", At::Held), 2);
    let ends: Vec<Option<i64>> =
        rows.iter().filter(|row| row.entry.account == "points/stars").map(|row| row.until).collect();
    assert!(ends[0].is_some() && ends[0] == ends[1], "what is spent ends when it was to end");

    // Taken back: stock and budget can be given once more.
    let coffee = rows.iter().find(|row| row.entry.account == "reward/coffee").unwrap();
    let at = (now + SignedDuration::from_hours(1)).as_millisecond();
    ledger.act(coffee.group, &coffee.gift, Act::ClawBack, at).await.unwrap();
    assert_eq!(quota(&*engine.store, "budget/spring").await.given, 0);
    engine.stop().await;
}

fn yuan(amount: i64) -> Value {
    Value::Money(Money { minor: amount * 100, currency: Currency::parse("CNY").unwrap() })
}

/// Something that a customer does for the `serial`th time.
fn does(what: &str, id: &str, serial: u32, time: Timestamp, fields: Vec<(&str, Value)>) -> (RootKey, Event) {
    let fields = fields.into_iter().map(|(name, value)| (Name::new(name), value)).collect();
    let (root, event) = told(EventKind::Declared(Name::new(what)), id, time, fields);
    (root, Event { id: format!("{id}-{what}-{serial}").into(), ..event })
}

// daemon: verified_gift, fuel_friday, paid_abroad, daily_star, star_latte, birthday, instalment_back
async fn what_the_zones_give(place: Place) {
    let mut rig = Rig::on(place);
    rig.steps = Steps::REAL;
    rig.clock.set("2026-12-04T10:00:00Z".parse().unwrap());
    let engine = rig.run().await;
    let compilation = compile(&examples::of(&["model", "segments", "benefits", "birthday"]));
    let bundle = compilation.bundle.unwrap_or_else(|| panic!("{:#?}", compilation.diagnostics));
    engine.handle.deploy(bundle).await.unwrap();
    let now = rig.now();
    let channels = ["push", "in_app", "wechat"].map(|name| Value::Choice(Name::new(name)));
    let known = (0..60).map(|n| {
        let consent = (Name::new("consent"), Value::List(channels.to_vec()));
        let birthday =
            (Name::new("birthday"), Value::Date(jiff::civil::date(1990, 12, if n == 0 { 6 } else { 20 })));
        told(EventKind::Attributes, &format!("c{n}"), now, vec![consent, birthday])
    });
    engine.handle.submit(known.collect()).await.unwrap();

    let fuel = || vec![("reward", Value::Choice(Name::new("fuel_50")))];
    let claims = (0..60).map(|n| does("claim_tapped", &format!("c{n}"), 0, now, fuel()));
    engine.handle.submit(claims.collect()).await.unwrap();
    let paid = |n: u32| {
        does(
            "abroad_paid",
            "c0",
            n,
            now,
            vec![("txn", Value::text(&format!("t{n}"))), ("amount", yuan(1_800))],
        )
    };
    let split = vec![("txn", Value::text("i1")), ("amount", yuan(1_200)), ("months", Value::Int(12))];
    let all = vec![
        paid(0),
        paid(1),
        paid(2),
        does("instalment_booked", "c1", 0, now, split),
        does("identity_verified", "c2", 0, now, vec![]),
        does("identity_verified", "c2", 1, now, vec![]),
    ];
    engine.handle.submit(all).await.unwrap();
    until("the rush is over", async || sent(&rig, "/fuel_won") + sent(&rig, "/fuel_gone") == 60).await;
    assert_eq!((sent(&rig, "/fuel_won"), sent(&rig, "/fuel_gone")), (50, 10));
    until("the rest is told", async || sent(&rig, "/cashback_paid") + sent(&rig, "/verify_gift_ready") == 2)
        .await;
    until("what is left of the month", async || sent(&rig, "/abroad_back_paid") == 2).await;

    for day in 0..3 {
        rig.clock.set(now + SignedDuration::from_hours(24 * i64::from(day)));
        engine.handle.submit(vec![does("stamped_in", "c3", day, rig.now(), vec![])]).await.unwrap();
    }
    let latte = |n: u32| does("swap_tapped", "c3", n, rig.now(), vec![("item", Value::text("latte"))]);
    engine.handle.submit(vec![latte(0), latte(1)]).await.unwrap();
    until("birthday and latte", async || sent(&rig, "/birthday_card") + sent(&rig, "/latte_ready") == 2)
        .await;

    let ledger = engine.store.ledger().unwrap();
    let balances = audit::balances(ledger).await.unwrap();
    let shown: Vec<String> = balances
        .iter()
        .map(|it| {
            format!("{} {} {}", it.account, it.given, it.left.map_or("-".to_owned(), |left| left.to_string()))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "budget/birthdays_2026 3000 2997000",
            "budget/instalments_2026 1200 49998800",
            "budget/zones_2026 263830 199736170",
            "points/star 30 -",
            "reward/abroad_back 2 -",
            "reward/birthday_coupon 1 -",
            "reward/fuel_50 50 -",
            "reward/instalment_cashback 1 -",
            "reward/latte 1 -",
            "reward/verify_gift 1 -",
            "stock/birthday_coupon 1 999",
            "stock/fuel_50/2026-12-04T10:00:00Z 50 0",
            "stock/latte/2026-12-01 1 999",
            "stock/verify_gift 1 49999",
        ]
    );
    assert_eq!(audit::audit(ledger).await.unwrap().faults, [""; 0]);
    engine.stop().await;
}
