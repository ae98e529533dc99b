//! The engine with a tiny journey in place of the step function: what is acknowledged is durable, a crash between any
//! two commits loses nothing and doubles nothing, and a channel never goes faster than its rate.

mod audience;
mod care;
mod community;
mod desk;
mod experiment;
mod fill;
mod gate;
mod groups;
mod identity;
mod ledger;
mod links;
mod lottery;
mod pages;
pub(crate) mod parity;
mod parked;
mod partner;
mod posts;
mod real;
mod refer;
mod referral;
pub(crate) mod rig;
mod rows;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rig::{Rig, WAIT, bundle, customer, event, key, until};
use wayfare::channel::SendResult;
use wayfare::engine::{EngineError, Receipt, SubmitError, open_clock, why};
use wayfare::name::Name;
use wayfare::program::Rate;
use wayfare::step::RootKey;
use wayfare::step::world::Kill;

use crate::support::stores::{Place, on_both_stores};

on_both_stores!(
    each_event_gets_its_own_answer,
    a_journey_waits_and_falls_back,
    a_poisoned_customer_is_isolated,
    a_crash_between_any_two_commits_loses_and_doubles_nothing,
    a_daemon_that_slept_catches_up_in_order_within_the_rate,
    a_provider_that_was_stuck_is_not_flooded,
    a_provider_that_fails_is_tried_again_under_the_same_key,
    a_full_queue_says_so_and_takes_nothing,
    a_daily_look_comes_once_a_day_to_everybody,
    a_deployment_is_kept_and_settles_everybody,
    after_a_stop_nothing_is_taken,
    time_goes_faster_only_where_nobody_real_waits,
);

fn seconds(n: i64) -> SignedDuration {
    SignedDuration::from_secs(n)
}

fn retry() -> SendResult {
    SendResult::Retry { after: None, detail: "503".into() }
}

async fn each_event_gets_its_own_answer(place: Place) {
    let rig = Rig::on(place);
    let engine = rig.run().await;
    engine.handle.deploy(bundle("1", None, false)).await.unwrap();
    let now = rig.now();
    let mut other = event("opened", "c1", now);
    other.1.id = "enrolled.c1".into();
    let nobody = (RootKey { entity: Name::new("planet"), id: "x".into() }, event("opened", "x", now).1);
    let events = vec![
        event("enrolled", "c1", now),
        event("enrolled", "c1", now),
        other,
        event("enrolled", "c2", now + seconds(301)),
        nobody,
        event("enrolled", "line\nbreak", now),
        event("enrolled", "c3", now - seconds(86_400 * 30)),
    ];
    let quarantined = |reason: &str| Receipt::Quarantined(reason.into());
    let expected = [
        Receipt::Accepted,
        Receipt::Duplicate,
        Receipt::Conflict,
        quarantined("its time `2026-11-21T12:05:01Z` is more than 5 minutes ahead"),
        quarantined("there is no entity `planet`"),
        quarantined("an id has 1 to 512 bytes and no control characters"),
        Receipt::Accepted,
    ];
    assert_eq!(engine.handle.submit(events).await.unwrap(), expected);
    let mut again = event("enrolled", "c3", now - seconds(86_400 * 30));
    again.1.received = now + seconds(9);
    assert_eq!(engine.handle.submit(vec![again]).await.unwrap(), [Receipt::Duplicate]);
    let kept = engine.store.quarantined(9).await.unwrap();
    let codes: Vec<&str> = kept.iter().rev().map(|record| &*record.code).collect();
    assert_eq!(codes, ["R0107", "R0110", "R0103", "R0108"]);
    let (root, again): (RootKey, wayfare::step::Event) = serde_json::from_slice(&kept[3].body).unwrap();
    assert_eq!((root, again), event("enrolled", "c2", now + seconds(301)));
    assert_eq!(engine.handle.submit(vec![]).await.unwrap(), []);
    engine.stop().await;
}

async fn a_journey_waits_and_falls_back(place: Place) {
    let rig = Rig::on(place);
    let engine = rig.run().await;
    engine.handle.deploy(bundle("1", None, false)).await.unwrap();
    let now = rig.now();
    engine.handle.submit(vec![event("enrolled", "a", now), event("enrolled", "b", now)]).await.unwrap();
    until("both pushes are sent", async || engine.handle.stats().sent == 2).await;
    engine.handle.submit(vec![event("opened", "a", now)]).await.unwrap();
    rig.clock.advance(WAIT);
    until("one message follows", async || engine.handle.stats().sent == 3).await;
    assert_eq!(
        (engine.says("a", "sms").await, engine.says("b", "sms").await),
        (String::new(), "sent".into())
    );
    assert_eq!(rig.sms.attempts(), [(now + WAIT, key("b", "sms").to_string())]);
    let counts = engine.store.counts().await.unwrap();
    assert_eq!((counts.outbox_rows, counts.timer_chunks), (0, 0));

    let world = engine.handle.world();
    let account = why::account(&*engine.store, &world, &customer("b")).await.unwrap().unwrap();
    // Enrolled, push dispatched and answered, woken, SMS dispatched and answered.
    assert_eq!((account.trace.len(), account.unreadable), (6, 0));
    assert!(account.trace.is_sorted_by_key(|trace| trace.at));
    engine.stop().await;
}

async fn a_poisoned_customer_is_isolated(place: Place) {
    let rig = Rig::on(place);
    let engine = rig.run().await;
    engine.handle.deploy(bundle("1", None, false)).await.unwrap();
    let now = rig.now();
    let events =
        vec![event("enrolled", "good", now), event("enrolled", "bad", now), event("poison", "bad", now)];
    let receipts = engine.handle.submit(events).await.unwrap();
    assert_eq!(receipts[0], Receipt::Accepted);
    let poisoned = Receipt::Quarantined("the step stopped unexpectedly: a poisoned event".into());
    assert_eq!(receipts[1..], [poisoned.clone(), poisoned]);
    until("the good one is served", async || engine.handle.stats().sent == 1).await;
    assert_eq!(rig.push.attempts().len(), 1);
    assert_eq!(engine.store.quarantined(9).await.unwrap().len(), 2);
    assert_eq!(engine.store.counts().await.unwrap().states, 1);
    engine.stop().await;
}

/// Twenty customers, half of them open; stopped at every commit in turn, before and after it.
async fn a_crash_between_any_two_commits_loses_and_doubles_nothing(place: Place) {
    for (commits, after) in (0..9).flat_map(|n| [(n, false), (n, true)]) {
        let rig = Rig::on(place.another().await);
        let first = rig.run().await;
        first.handle.deploy(bundle("1", Some(Rate { count: 7, per_ms: 1_000 }), false)).await.unwrap();
        first.stop().await;
        let (now, ids) = (rig.now(), (0..20).map(|n| format!("c{n}")));
        let ids: Vec<String> = ids.collect();
        let enrolled: Vec<_> = ids.iter().map(|id| event("enrolled", id, now)).collect();
        let opened: Vec<_> = ids.iter().step_by(2).map(|id| event("opened", id, now)).collect();

        let engine = rig.run_until(commits, after).await;
        let work = async {
            engine.handle.submit(enrolled.clone()).await.unwrap();
            engine.handle.submit(opened.clone()).await.unwrap();
            for _ in 0..20 {
                rig.clock.advance(seconds(1));
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_millis(400), work).await;
        engine.crash().await;

        // The sender was not answered, so it sends again.
        let engine = rig.run().await;
        engine.handle.submit(enrolled).await.unwrap();
        engine.handle.submit(opened).await.unwrap();
        until("all messages are over", async || {
            rig.clock.advance(seconds(1));
            tokio::time::sleep(Duration::from_millis(5)).await;
            let counts = engine.store.counts().await.unwrap();
            counts.outbox_rows == 0 && counts.timer_chunks == 0 && engine.handle.stats().outbox == 0
        })
        .await;
        let keys = |attempts: Vec<(Timestamp, String)>| -> BTreeSet<String> {
            attempts.into_iter().map(|(_, key)| key).collect()
        };
        let all: BTreeSet<String> = ids.iter().map(|id| key(id, "push").to_string()).collect();
        assert_eq!(keys(rig.push.attempts()), all, "crash at {commits}, after: {after}");
        let mut fallbacks = 0;
        for (n, id) in ids.iter().enumerate() {
            assert_eq!(engine.says(id, "push").await, "sent");
            let sms = engine.says(id, "sms").await;
            assert!(sms.is_empty() || sms == "sent", "{id}: {sms}");
            fallbacks += usize::from(sms == "sent");
            assert!(n % 2 == 0 || sms == "sent", "{id} did not open and got no message");
        }
        assert_eq!(keys(rig.sms.attempts()).len(), fallbacks);
        assert_eq!(engine.store.quarantined(9).await.unwrap(), []);
        engine.stop().await;
    }
}

async fn a_daemon_that_slept_catches_up_in_order_within_the_rate(place: Place) {
    let rate = Rate { count: 30, per_ms: 1_000 };
    let one_group = matches!(place, Place::File(_));
    // For the batches that the same instant still needs: its timers are in more and smaller chunks.
    let pause = Duration::from_millis(if one_group { 20 } else { 100 });
    let rig = Rig::on(place);
    let engine = rig.run().await;
    engine.handle.deploy(bundle("1", None, false)).await.unwrap();
    let begun = rig.now();
    let id = |n: i64| format!("c{n:03}");
    // Enrolled in the opposite order of their deadlines.
    for n in (0..200).rev() {
        engine.handle.submit(vec![event("enrolled", &id(n), begun + seconds(n))]).await.unwrap();
    }
    until("all pushes are sent", async || engine.handle.stats().sent == 200).await;
    engine.handle.deploy(bundle("2", Some(rate), false)).await.unwrap();
    engine.stop().await;

    rig.clock.advance(seconds(3_600));
    let woken = rig.now();
    let mut engine = rig.run().await;
    for turn in 0.. {
        until("the engine rests", async || engine.handle.stats().now == Some(rig.now())).await;
        tokio::time::sleep(pause).await;
        if rig.sms.attempts().len() == 200 {
            break;
        }
        assert!(turn < 200);
        rig.clock.advance(SignedDuration::from_millis(130));
        if turn == 9 {
            // A restart begins no new window.
            engine.crash().await;
            engine = rig.run().await;
        }
        engine.handle.submit(vec![event("opened", &format!("other{turn}"), rig.now())]).await.unwrap();
    }
    let attempts = rig.sms.attempts();
    for (n, (at, _)) in attempts.iter().enumerate() {
        let inside = attempts[n..].iter().filter(|(other, _)| other.duration_since(*at) < seconds(1)).count();
        assert!(inside <= 30, "{inside} messages within a second of {at}");
    }
    assert!(rig.now().duration_since(woken) < seconds(12), "slower than the rate allows");
    let mut order: Vec<&str> = attempts.iter().map(|(_, key)| key.as_str()).collect();
    order.dedup();
    let mut seen = BTreeSet::new();
    order.retain(|key| seen.insert(*key));
    let expected: Vec<String> = (0..200).map(|n| key(&id(n), "sms").to_string()).collect();
    if !one_group {
        // The rows of a batch are read again group by group.
        order.sort_unstable();
    }
    assert_eq!(order, expected);
    engine.stop().await;
}

async fn a_provider_that_was_stuck_is_not_flooded(place: Place) {
    let rate = Rate { count: 20, per_ms: 1_000 };
    let rig = Rig::on(place);
    let engine = rig.run().await;
    engine.handle.deploy(bundle("1", Some(rate), false)).await.unwrap();
    rig.push.doors.forget_permits(1_000_000);
    let many = (0..200).map(|n| event("enrolled", &format!("c{n}"), rig.now())).collect();
    engine.handle.submit(many).await.unwrap();
    for _ in 0..10 {
        rig.clock.advance(seconds(1));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(rig.push.attempts(), []);
    rig.push.doors.add_permits(1_000_000);
    until("all are sent", async || {
        rig.clock.advance(SignedDuration::from_millis(100));
        tokio::time::sleep(Duration::from_millis(10)).await;
        rig.push.attempts().len() == 200
    })
    .await;
    let attempts = rig.push.attempts();
    for (at, _) in &attempts {
        let later = attempts.iter().filter(|(other, _)| other >= at);
        let inside = later.filter(|(other, _)| other.duration_since(*at) < seconds(1)).count();
        // The five that were stuck in the provider itself come on top.
        assert!(inside <= 25, "{inside} messages within a second of {at}");
    }
    engine.stop().await;
}

async fn a_provider_that_fails_is_tried_again_under_the_same_key(place: Place) {
    let rig = Rig::on(place);
    let engine = rig.run().await;
    engine.handle.deploy(bundle("1", None, false)).await.unwrap();
    rig.push.will(vec![retry(), retry()]);
    engine.handle.submit(vec![event("enrolled", "a", rig.now())]).await.unwrap();
    until("a first attempt", async || engine.handle.stats().retries == 1).await;
    // The number of attempts outlives the process.
    engine.crash().await;
    let engine = rig.run().await;
    rig.clock.advance(seconds(1));
    until("a second attempt", async || engine.handle.stats().retries == 1).await;
    assert_eq!(engine.says("a", "push").await, "dispatching");
    rig.clock.advance(seconds(2));
    until("it is sent", async || engine.handle.stats().sent >= 1).await;
    let attempts = rig.push.attempts();
    assert_eq!(attempts.iter().map(|(_, key)| key).collect::<BTreeSet<_>>().len(), 1);
    assert_eq!(attempts.len(), 3);
    assert_eq!(engine.says("a", "push").await, "sent");

    rig.push.will(vec![retry(), retry(), retry()]);
    engine.handle.submit(vec![event("enrolled", "b", rig.now())]).await.unwrap();
    until("it is given up", async || {
        rig.clock.advance(seconds(1));
        engine.handle.stats().failed == 1
    })
    .await;
    assert_eq!(engine.says("b", "push").await, "failed");
    rig.push.will(vec![SendResult::Rejected { detail: "no such number".into() }]);
    engine.handle.submit(vec![event("enrolled", "c", rig.now())]).await.unwrap();
    until("it is refused", async || engine.handle.stats().failed == 2).await;
    until("the outbox is empty", async || {
        engine.store.counts().await.unwrap().outbox_rows == 0 || {
            rig.clock.advance(seconds(1));
            false
        }
    })
    .await;
    engine.stop().await;
}

async fn a_full_queue_says_so_and_takes_nothing(place: Place) {
    let rig = Rig::on(place);
    let first = rig.run().await;
    first.handle.deploy(bundle("1", None, false)).await.unwrap();
    first.stop().await;
    let engine = rig.run_until(0, false).await;
    let many = |from: usize| -> Vec<_> {
        (from..from + 10_000).map(|n| event("enrolled", &format!("c{n}"), rig.now())).collect()
    };
    let short = Duration::from_millis(1);
    // A submission that is given up stays in the queue.
    for from in [0, 10_000] {
        assert!(tokio::time::timeout(short, engine.handle.submit(many(from))).await.is_err());
    }
    let more = engine.handle.submit(vec![event("enrolled", "more", rig.now())]);
    assert_eq!(more.await, Err(SubmitError::Busy));
    engine.crash().await;
}

async fn a_daily_look_comes_once_a_day_to_everybody(place: Place) {
    let rig = Rig::on(place);
    let engine = rig.run().await;
    engine.handle.deploy(bundle("1", None, true)).await.unwrap();
    let many: Vec<_> = (0..2_500).map(|n| event("opened", &format!("c{n}"), rig.now())).collect();
    engine.handle.submit(many).await.unwrap();
    let ticks = async |engine: &rig::Running| {
        let mut ticks = BTreeSet::new();
        for n in (0..2_500).step_by(100) {
            ticks.insert(engine.says(&format!("c{n}"), "ticks").await);
        }
        ticks
    };
    engine.stop().await;

    // Three days down: the latest occurrence only, though it is stopped after the first page.
    rig.clock.set("2026-11-24T15:00:00Z".parse().unwrap());
    let engine = rig.run_until(1, true).await;
    until("two pages are swept", async || ticks(&engine).await.len() == 2).await;
    engine.crash().await;
    let engine = rig.run().await;
    let latest = "2026-11-24T09:00:00Z".parse::<Timestamp>().unwrap().as_second();
    until("all are looked at", async || ticks(&engine).await == [format!("{latest} ")].into()).await;
    rig.clock.set("2026-11-25T09:00:00Z".parse().unwrap());
    let both = format!("{latest} {} ", latest + 86_400);
    until("the next day comes", async || ticks(&engine).await == [both.clone()].into()).await;
    engine.stop().await;
}

async fn a_deployment_is_kept_and_settles_everybody(place: Place) {
    let rig = Rig::on(place);
    let engine = rig.run().await;
    engine.handle.deploy(bundle("1", None, false)).await.unwrap();
    engine.handle.submit(vec![event("opened", "a", rig.now())]).await.unwrap();
    assert_eq!(engine.says("a", "settled").await, "");
    engine.handle.deploy(bundle("2", None, true)).await.unwrap();
    until("it is settled", async || engine.says("a", "settled").await == "yes").await;
    let kill = Kill { all: true, ..Kill::default() };
    engine.handle.kill(0, kill.clone()).await.unwrap();
    // An older wish that waited somewhere, of somebody who has not seen this.
    assert!(matches!(engine.handle.kill(0, Kill::default()).await, Err(EngineError::Store(_))));
    let mut wrong = bundle("3", None, false);
    wrong.format = 99;
    assert!(matches!(engine.handle.deploy(wrong).await, Err(EngineError::Refused(_))));
    let before = engine.handle.world();
    engine.stop().await;

    let engine = rig.run().await;
    let world = engine.handle.world();
    assert_eq!((&world.kill, &*world.bundle.hash), (&kill, "2"));
    assert_eq!(world.switched, before.switched);
    assert_eq!(world.symbols.names(), before.symbols.names());
    assert_eq!((world.programs.len(), &world.live), (2, &before.live));
    engine.stop().await;
}

async fn after_a_stop_nothing_is_taken(place: Place) {
    let rig = Rig::on(place);
    let engine = rig.run().await;
    engine.handle.deploy(bundle("1", None, false)).await.unwrap();
    engine.handle.submit(vec![event("enrolled", "a", rig.now())]).await.unwrap();
    let handle = engine.handle.clone();
    engine.stop().await;
    assert_eq!(handle.submit(vec![event("enrolled", "b", rig.now())]).await, Err(SubmitError::Stopped));
    assert_eq!(handle.deploy(bundle("2", None, false)).await, Err(EngineError::Stopped));
    // The send under way was waited for.
    assert_eq!(handle.stats().sent, 1);
}

async fn time_goes_faster_only_where_nobody_real_waits(place: Place) {
    let production = place.open(false).await.unwrap();
    assert!(open_clock(&*production, None).await.is_ok());
    assert!(matches!(open_clock(&*production, Some(60)).await, Err(EngineError::Refused(_))));

    let other = place.another().await;
    let development = other.open(true).await.unwrap();
    let first = open_clock(&*development, Some(1_000_000)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let then = first.now();
    let again = open_clock(&*development, None).await.unwrap();
    assert!(again.now() >= then);
    let slower = open_clock(&*development, Some(2)).await.unwrap();
    assert!(slower.now() >= then);
}
