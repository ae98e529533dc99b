//! Journeys of the repository in the daemon: a lane through a crash, versions while people are in flight, two steps to a
//! card, and traffic that is none.

use jiff::{SignedDuration, Timestamp};
use wayfare::compile::{Input, compile};
use wayfare::engine::Steps;
use wayfare::name::Name;
use wayfare::program::Bundle;
use wayfare::step::state::PendingWhy;
use wayfare::step::{Event, EventKind, RootKey};
use wayfare::value::Value;

use crate::support::examples;
use crate::support::stores::{Place, on_both_stores};

use super::rig::{Rig, Running, until};

on_both_stores!(
    one_duty_at_a_time_through_a_crash,
    who_is_in_flight_keeps_his_version,
    parking_first_and_the_card_second,
);

fn bundle(input: &Input) -> Bundle {
    let compilation = compile(input);
    compilation.bundle.unwrap_or_else(|| panic!("{:#?}", compilation.diagnostics))
}

/// An event or attributes, with an id of its own.
fn told(kind: EventKind, id: &str, time: Timestamp, fields: Vec<(&str, Value)>) -> (RootKey, Event) {
    let root = super::rig::customer(id);
    let name = match &kind {
        EventKind::Declared(name) => name.to_string(),
        _ => "attributes".to_owned(),
    };
    let fields = fields.into_iter().map(|(name, value)| (Name::new(name), value)).collect();
    let event = Event {
        source: "bank".into(),
        id: format!("{name}-{id}-{time}").into(),
        kind,
        child: None,
        time,
        received: time,
        fields,
    };
    (root, event)
}

fn happened(name: &str, id: &str, time: Timestamp, fields: Vec<(&str, Value)>) -> (RootKey, Event) {
    told(EventKind::Declared(Name::new(name)), id, time, fields)
}

fn known(id: &str, time: Timestamp, more: Vec<(&str, Value)>) -> (RootKey, Event) {
    let channels = ["push", "sms", "in_app"].map(|channel| Value::Choice(Name::new(channel)));
    let mut fields = vec![("consent", Value::List(channels.to_vec()))];
    fields.extend(more);
    told(EventKind::Attributes, id, time, fields)
}

fn at(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().unwrap()
}

/// Steps of the messages that were handed to the push provider, in order.
fn pushed(rig: &Rig) -> Vec<String> {
    let step = |key: String| key.rsplit('/').next().unwrap_or_default().to_owned();
    rig.push.attempts().into_iter().map(|(_, key)| step(key)).collect()
}

async fn waits_for_a_turn(engine: &Running, id: &str) -> bool {
    engine.state(id).await.pending.iter().any(|one| matches!(one.why, PendingWhy::Lane(_)))
}

// daemon: video_certification, risk_assessment
async fn one_duty_at_a_time_through_a_crash(place: Place) {
    let mut rig = Rig::on(place);
    rig.steps = Steps::REAL;
    rig.clock.set(at("2026-12-01T12:00"));
    let engine = rig.run().await;
    engine.handle.deploy(bundle(&examples::of(&["model", "certification"]))).await.unwrap();
    let until_day = vec![("risk_until", Value::Date(jiff::civil::date(2026, 12, 9)))];
    engine.handle.submit(vec![known("li", rig.now(), until_day)]).await.unwrap();
    let asked = vec![("id", Value::text("v1")), ("product", Value::text("私募基金"))];
    engine.handle.submit(vec![happened("video_asked", "li", rig.now(), asked)]).await.unwrap();
    until("the video is asked for", async || pushed(&rig) == ["video_invite"]).await;
    rig.clock.set(at("2026-12-02T10:00"));
    until("the assessment waits", async || waits_for_a_turn(&engine, "li").await).await;
    engine.crash().await;

    let engine = rig.run().await;
    rig.clock.set(at("2026-12-02T11:00"));
    assert!(waits_for_a_turn(&engine, "li").await, "read back from the store");
    assert_eq!(pushed(&rig), ["video_invite"]);
    engine.handle.submit(vec![happened("video_done", "li", rig.now(), vec![])]).await.unwrap();
    until("its turn has come", async || pushed(&rig) == ["video_invite", "assessment_due"]).await;
    let world = engine.handle.world();
    let root = super::rig::customer("li");
    let account = wayfare::engine::why::account(&*engine.store, &world, &root).await.unwrap().unwrap();
    let told: Vec<String> =
        account.trace.iter().map(|trace| wayfare::step::explain::explain(trace, &world).sentence).collect();
    let waited = "waits for its turn in lane `duty` until 2026-12-05 10:00:00, because `video_certification` goes first";
    assert!(told.iter().any(|sentence| sentence.starts_with(waited)), "{told:#?}");
    engine.stop().await;
}

/// The same journey with four weekly tasks instead of six.
fn shorter() -> Input {
    let mut input = examples::of(&["model", "hundred_days"]);
    for file in &mut input.files {
        if file.path.ends_with("hundred_days.journey") {
            let text = file.text.replace("week in 1..6", "week in 1..4");
            assert!(text != *file.text, "the text has six weeks");
            file.text = text.as_str().into();
        }
    }
    input
}

// daemon: hundred_days
async fn who_is_in_flight_keeps_his_version(place: Place) {
    let mut rig = Rig::on(place);
    rig.steps = Steps::REAL;
    rig.clock.set(at("2026-12-01T09:00"));
    let engine = rig.run().await;
    engine.handle.deploy(bundle(&examples::of(&["model", "hundred_days"]))).await.unwrap();
    let opened = |id: &str, now| vec![known(id, now, vec![]), happened("account_opened", id, now, vec![])];
    engine.handle.submit(opened("li", rig.now())).await.unwrap();
    engine.handle.submit(vec![happened("login", "li", rig.now(), vec![])]).await.unwrap();
    rig.clock.set(at("2026-12-02T09:30"));
    until("the first words", async || pushed(&rig).contains(&"activation.hundred_bind".to_owned())).await;
    engine.crash().await;

    let engine = rig.run().await;
    engine.handle.deploy(bundle(&shorter())).await.unwrap();
    rig.clock.set(at("2026-12-02T10:00"));
    engine.handle.submit(opened("wang", rig.now())).await.unwrap();
    engine.handle.submit(vec![happened("login", "wang", rig.now(), vec![])]).await.unwrap();
    let program = async |id: &str| engine.state(id).await.instances.first().map(|it| it.program);
    let (old, new) = (program("li").await, program("wang").await);
    assert!(old.is_some() && new.is_some() && old != new, "{old:?} {new:?}");
    // Day after day; the one has six tasks, the other four.
    for day in 0..60 {
        rig.clock.set(at("2026-12-03T10:00") + SignedDuration::from_hours(24 * day));
        until("nothing is due", async || {
            let now = rig.now();
            let next = async |id: &str| engine.state(id).await.next_due().is_none_or(|due| due > now);
            next("li").await && next("wang").await
        })
        .await;
    }
    let tasks = |id: &str| {
        let own = |key: &String| key.contains(&format!("/{id}/")) && key.contains("habit.task");
        rig.push.attempts().iter().filter(|(_, key)| own(key)).count()
    };
    assert_eq!((tasks("li"), tasks("wang")), (6, 4), "{:#?}", rig.push.attempts());
    engine.stop().await;
}

// daemon: free_parking_etc, power_bank_pay, ad_newcomer, water_watch
async fn parking_first_and_the_card_second(place: Place) {
    let mut rig = Rig::on(place);
    rig.steps = Steps::REAL;
    rig.clock.set(at("2026-12-01T09:00"));
    let engine = rig.run().await;
    engine.handle.deploy(bundle(&examples::of(&["model", "scenes", "clean_traffic"]))).await.unwrap();
    engine
        .handle
        .submit(vec![known("li", rig.now(), vec![]), known("farm", rig.now(), vec![])])
        .await
        .unwrap();
    let parked = vec![
        ("partner", Value::text("示例地图")),
        ("scene", Value::Choice(Name::new("parking"))),
        ("city", Value::text("上海")),
    ];
    engine.handle.submit(vec![happened("scene_used", "li", rig.now(), parked)]).await.unwrap();
    until("free parking", async || pushed(&rig) == ["parking.parking_gift"]).await;
    rig.clock.set(at("2026-12-01T10:00"));
    engine.handle.submit(vec![happened("parking_claimed", "li", rig.now(), vec![])]).await.unwrap();
    // One push a day: for a day the journey listens, then it speaks of the card.
    rig.clock.set(at("2026-12-02T10:30"));
    until("and then the card", async || pushed(&rig).len() == 2).await;
    assert_eq!(pushed(&rig), ["parking.parking_gift", "etc.etc_card_offer"]);

    // Three power banks a day later are a habit, and no message: another was sent within two days.
    rig.clock.set(at("2026-12-02T12:00"));
    for minute in 0..3 {
        let now = rig.now() + SignedDuration::from_mins(minute);
        rig.clock.set(now);
        let used =
            vec![("partner", Value::text("示例充电")), ("scene", Value::Choice(Name::new("power_bank")))];
        engine.handle.submit(vec![happened("scene_used", "li", now, used)]).await.unwrap();
    }

    // A farm binds a card, is found out within the hour and gets no coupon; a person gets one.
    let landed = |id: &str, now| {
        vec![
            happened("ad_landed", id, now, vec![("code", Value::text("SP-0312"))]),
            happened("card_bound", id, now + SignedDuration::from_secs(1), vec![]),
        ]
    };
    rig.clock.set(at("2026-12-03T10:00"));
    let both = [landed("li", rig.now()), landed("farm", rig.now())].concat();
    engine.handle.submit(both).await.unwrap();
    rig.clock.set(at("2026-12-03T10:30"));
    let flag = vec![("kind", Value::Choice(Name::new("device_farm"))), ("score", Value::Int(95))];
    engine.handle.submit(vec![happened("traffic_flagged", "farm", rig.now(), flag)]).await.unwrap();
    rig.clock.set(at("2026-12-03T12:00"));
    until("the grant", async || engine.state("li").await.accounts.len() == 1).await;
    rig.clock.set(at("2026-12-04T13:00"));
    until("the coupon", async || pushed(&rig).contains(&"coupon_there".to_owned())).await;
    assert_eq!(engine.state("farm").await.accounts, []);
    assert_eq!(engine.state("li").await.accounts.len(), 1);
    assert!(!pushed(&rig).contains(&"opener".to_owned()), "{:?}", pushed(&rig));
    engine.stop().await;
}
