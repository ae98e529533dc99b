//! The gate of the daemon on each store: whoever goes first when two journeys want the same customer, what waits for the
//! morning, and what consent and lists stop, whatever commit the daemon stops at.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use wayfare::name::Name;
use wayfare::step::{Event, EventKind, RootKey};
use wayfare::value::Value;

use super::rig::{Rig, Running, compiled, customer, said, until};
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(
    the_last_place_goes_to_whom_the_bank_puts_first,
    a_journey_for_an_audience_goes_by_its_priority,
    what_comes_at_night_leaves_in_the_morning_at_the_rate,
    a_refusal_and_a_list_stop_what_waits_for_the_morning,
    a_corrected_text_reaches_who_waits_and_never_follows_one_that_may_have_arrived,
);

const BANK: &str = r#"
channel push { kind push }
channel sms { kind push }
entity customer { key id : Id; consent : [channel] }
event tapped of customer {}
event paid of customer {}
policy house {
  owner "compliance@bank.example"
  consent marketing per channel
  order first, second
  cap marketing 1 per customer per day
  quiet 20:00..08:30 { release 60 per minute }
}
content news { via push """本周有一场理财讲堂""" }
content offer { via push """缴费有礼，本月有效""" }
journey alpha of customer {
  purpose marketing
  owner "o@bank.example"
  priority second
  enter on tapped
  reenter after 1 day
  send news via push as alpha_word { on capped end too_many; on no_consent end not_agreed; on suppressed end kept_quiet }
  end told
}
journey beta of customer {
  purpose marketing
  owner "o@bank.example"
  priority first
  enter on paid, tapped
  reenter after 1 day
  send offer via push as beta_word { on capped end too_many; on no_consent end not_agreed; on suppressed end kept_quiet }
  end told
}
"#;

fn at(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().unwrap()
}

fn known(id: &str, now: Timestamp) -> (RootKey, Event) {
    let consent = Value::List(vec![Value::Choice(Name::new("push"))]);
    said(EventKind::Attributes, customer(id), 0, now, vec![("consent", consent)])
}

fn happens(name: &str, id: &str, now: Timestamp) -> (RootKey, Event) {
    said(EventKind::Declared(Name::new(name)), customer(id), 1, now, vec![])
}

/// Whom which message went to; after a crash one may go again under its key.
fn got(rig: &Rig) -> BTreeSet<String> {
    let keys = rig.push.attempts().into_iter().map(|(_, key)| key);
    keys.map(|key| {
        let parts: Vec<&str> = key.split('/').collect();
        format!("{} {}", parts[1], parts.last().unwrap())
    })
    .collect()
}

fn only(one: &str) -> BTreeSet<String> {
    BTreeSet::from([one.to_owned()])
}

async fn told(engine: &Running, id: &str) -> Vec<String> {
    let world = engine.handle.world();
    let account =
        wayfare::engine::why::account(&*engine.store, &world, &customer(id)).await.unwrap().unwrap();
    account.trace.iter().map(|trace| wayfare::step::explain::explain(trace, &world).sentence).collect()
}

async fn says(engine: &Running, id: &str, wanted: &str) -> bool {
    told(engine, id).await.iter().any(|sentence| sentence.contains(wanted))
}

async fn the_last_place_goes_to_whom_the_bank_puts_first(place: Place) {
    let mut rig = Rig::on(place);
    rig.clock.set(at("2026-12-01T10:00"));
    let engine = rig.begin_with(compiled(BANK)).await;
    engine.handle.submit(vec![known("li", rig.now()), happens("tapped", "li", rig.now())]).await.unwrap();
    until("one has gone", async || got(&rig) == only("li beta_word")).await;
    until("and the other has not", async || says(&engine, "li", "ended as `too_many`").await).await;
    assert!(
        says(&engine, "li", "policy `house`: cap marketing 1 per day").await,
        "{:#?}",
        told(&engine, "li").await
    );
    engine.crash().await;

    // The place is taken for somebody who comes back after a crash too, until midnight.
    let engine = rig.run().await;
    rig.clock.set(at("2026-12-01T15:00"));
    engine
        .handle
        .submit(vec![said(EventKind::Declared(Name::new("paid")), customer("wang"), 1, rig.now(), vec![])])
        .await
        .unwrap();
    engine.handle.submit(vec![known("wang", rig.now())]).await.unwrap();
    until("wang has it", async || got(&rig).contains("wang beta_word")).await;
    assert_eq!(got(&rig).iter().filter(|one| one.starts_with("li ")).count(), 1);
    engine.stop().await;
}

/// Nobody says a priority but the audiences: who is in both gets what the first of them is for.
async fn a_journey_for_an_audience_goes_by_its_priority(place: Place) {
    let audiences = "audience members of customer = consent has push { priority second }\n\
         audience payroll of customer = consent has push { priority first }\n";
    let text = BANK.replace("  priority second\n", "").replace("  priority first\n", "");
    let text = text.replacen("enter on tapped", "enter on tapped where members", 1);
    let text = text.replace("enter on paid, tapped", "enter on tapped where members and payroll");
    let mut rig = Rig::on(place);
    rig.clock.set(at("2026-12-01T10:00"));
    let engine = rig.begin_with(compiled(&format!("{audiences}{text}"))).await;
    engine.handle.submit(vec![known("li", rig.now()), happens("tapped", "li", rig.now())]).await.unwrap();
    until("the other has no place", async || says(&engine, "li", "ended as `too_many`").await).await;
    until("and it has gone", async || got(&rig) == only("li beta_word")).await;
    engine.stop().await;
}

/// So many wait for the morning, which is five times as many as may leave in a minute. `scripts/backlog` says more.
const BACKLOG: usize = 300;
const ASKED: &str = "WAYFARE_BACKLOG";
/// Customers of one call.
const AT_ONCE: usize = 500;
const STRETCH: SignedDuration = SignedDuration::from_secs(60);

async fn what_comes_at_night_leaves_in_the_morning_at_the_rate(place: Place) {
    let backlog = std::env::var(ASKED).map_or(BACKLOG, |text| text.parse().unwrap());
    let release = backlog / 5;
    let bank = BANK.replace("release 60 per minute", &format!("release {release} per minute"));
    let mut rig = Rig::on(place);
    rig.clock.set(at("2026-12-01T22:00"));
    let engine = rig.begin_with(compiled(&bank)).await;
    let ids: Vec<String> = (0..backlog).map(|n| format!("c{n}")).collect();
    for some in ids.chunks(AT_ONCE) {
        let come = some
            .iter()
            .flat_map(|id| [known(id, at("2026-12-01T22:00")), happens("paid", id, at("2026-12-01T22:00"))]);
        engine.handle.submit(come.collect()).await.unwrap();
    }
    assert!(got(&rig).is_empty());
    engine.crash().await;

    let engine = rig.run().await;
    rig.clock.set(at("2026-12-02T08:29"));
    engine.handle.submit(vec![known("late", rig.now())]).await.unwrap();
    assert!(got(&rig).is_empty());
    rig.clock.set(at("2026-12-02T08:30"));
    let end = at("2026-12-02T08:45");
    while rig.now() < end && rig.push.attempts().len() < backlog {
        still(&rig, &engine).await;
        rig.clock.advance(SignedDuration::from_secs(1));
    }
    let mut left: Vec<Timestamp> = rig.push.attempts().into_iter().map(|(when, _)| when).collect();
    left.sort();
    assert_eq!((got(&rig).len(), left.len()), (backlog, backlog), "each leaves, and once");
    assert!(left[0] >= at("2026-12-02T08:30"), "{}", left[0]);
    for (first, more) in left.iter().zip(&left[release..]) {
        assert!(more.duration_since(*first) >= STRETCH, "more than {release} from {first} to {more}");
    }
    let within = |n: usize| left[n..].partition_point(|at| at.duration_since(left[n]) < STRETCH);
    let most = (0..left.len()).map(within).max().unwrap();
    let (first, last) = (left[0], left[left.len() - 1]);
    println!("{backlog} released from {first} to {last}: at most {most} in any minute, {release} allowed");
    engine.stop().await;
}

/// Until nothing more leaves at this instant.
async fn still(rig: &Rig, engine: &Running) {
    until("nothing is due", async || {
        let before = rig.push.attempts().len();
        for _ in 0..4 {
            engine.handle.quarantine(Vec::new()).await.unwrap();
        }
        let stats = engine.handle.stats();
        stats.outbox == 0
            && stats.next_due.is_none_or(|due| due > rig.now())
            && rig.push.attempts().len() == before
    })
    .await;
}

async fn a_refusal_and_a_list_stop_what_waits_for_the_morning(place: Place) {
    let mut rig = Rig::on(place);
    rig.clock.set(at("2026-12-01T22:00"));
    let engine = rig.begin_with(compiled(BANK)).await;
    for id in ["li", "wang", "zhao"] {
        engine.handle.submit(vec![known(id, rig.now()), happens("paid", id, rig.now())]).await.unwrap();
    }
    rig.clock.set(at("2026-12-01T23:00"));
    let no = EventKind::Consent {
        channel: None,
        purpose: Some(Name::new("marketing")),
        given: false,
        wording: "2026-03".into(),
    };
    let list = EventKind::Listed {
        list: "complaints".into(),
        channel: Some(Name::new("push")),
        purpose: None,
        on: true,
        until: None,
    };
    let stops = vec![
        said(no, customer("li"), 2, rig.now(), vec![]),
        said(list, customer("wang"), 2, rig.now(), vec![]),
    ];
    engine.handle.submit(stops).await.unwrap();
    until("refused at once", async || says(&engine, "li", "ended as `not_agreed`").await).await;
    engine.crash().await;

    let engine = rig.run().await;
    rig.clock.set(at("2026-12-02T09:00"));
    until("who may be written to is", async || !got(&rig).is_empty()).await;
    until("the list is heeded", async || says(&engine, "wang", "complaints").await).await;
    assert_eq!(got(&rig), only("zhao beta_word"));
    engine.stop().await;
}

/// What the messages that left were bound to.
async fn hashes(engine: &Running, id: &str) -> Vec<(String, String)> {
    let world = engine.handle.world();
    let account =
        wayfare::engine::why::account(&*engine.store, &world, &customer(id)).await.unwrap().unwrap();
    let told = account.trace.iter().map(|trace| wayfare::step::explain::explain(trace, &world));
    let bound = told.filter_map(|told| told.hashes);
    bound.map(|hashes| (hashes.content, hashes.policy.expect("the bank has a policy"))).collect()
}

fn first_signs(bundle: &wayfare::program::Bundle) -> (String, String) {
    let content = &bundle.contents[&Name::new("news")].hash;
    (content[..16].to_owned(), bundle.policy.as_ref().unwrap().hash[..16].to_owned())
}

async fn a_corrected_text_reaches_who_waits_and_never_follows_one_that_may_have_arrived(place: Place) {
    let text = BANK.replace("enter on paid, tapped", "enter on paid");
    let saying = |day: &str| compiled(&text.replace("本周有", day));
    let (first, second, third) = (saying("本周有"), saying("本周五有"), saying("本周六有"));
    let mut rig = Rig::on(place);
    rig.clock.set(at("2026-12-01T10:00"));
    let engine = rig.begin_with(first.clone()).await;
    let tapped = |id: &str, now| vec![known(id, now), happens("tapped", id, now)];
    // Nobody knows whether this one arrived.
    rig.push.will(vec![wayfare::channel::SendResult::Ambiguous { detail: "timeout".into() }]);
    engine.handle.submit(tapped("li", rig.now())).await.unwrap();
    until("it was tried", async || rig.push.attempts().len() == 1).await;
    engine.handle.deploy(second.clone()).await.unwrap();
    engine.crash().await;

    let engine = rig.run().await;
    rig.clock.set(at("2026-12-01T10:30"));
    until("it is not tried again", async || says(&engine, "li", "may have arrived").await).await;
    let (was, is) = (first_signs(&first), first_signs(&second));
    assert_ne!(was.0, is.0);
    let why = format!("not tried again: its content was {} then and is {} now", was.0, is.0);
    let li = told(&engine, "li").await;
    assert!(li.iter().any(|sentence| sentence.contains(&why)), "{li:#?}");
    assert!(says(&engine, "li", "ended as `told`").await, "it counts as sent: {li:#?}");

    // Who was not written to yet gets what is said by then.
    rig.clock.set(at("2026-12-01T22:00"));
    engine.handle.submit(tapped("wang", rig.now())).await.unwrap();
    engine.handle.deploy(third.clone()).await.unwrap();
    rig.clock.set(at("2026-12-02T09:00"));
    until("it leaves in the morning", async || says(&engine, "wang", "handed to push").await).await;
    until("it arrives", async || rig.push.texts().len() == 2).await;
    assert_eq!(rig.push.texts(), ["本周有一场理财讲堂", "本周六有一场理财讲堂"]);
    let wang = told(&engine, "wang").await;
    assert!(says(&engine, "wang", "its content corrected since it was decided").await, "{wang:#?}");
    assert_eq!(hashes(&engine, "li").await, [was]);
    assert_eq!(hashes(&engine, "wang").await, [first_signs(&third)]);
    engine.stop().await;
}
