//! Ordered messages to groups: one behind the other through crashes, and a person does by hand what a machine could not.

use jiff::{SignedDuration, Timestamp};
use wayfare::channel::SendResult;
use wayfare::expr::MessageEvent;
use wayfare::name::Name;
use wayfare::step::{Event, EventKind, RootKey};
use wayfare::value::Value;

use super::desk::{Served, root, state_of, told};
use super::rig::{Rig, until};
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(
    messages_of_a_list_leave_in_order_through_crashes,
    what_cannot_be_posted_is_posted_by_hand,
    what_a_manager_does_not_send_by_hand_the_bank_says_itself,
);

fn at(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().unwrap()
}

fn group(id: &str, now: Timestamp) -> (RootKey, Event) {
    let fields = vec![
        ("name", Value::text("丰润投教一群")),
        ("kind", Value::Choice(Name::new("managed"))),
        ("owner", Value::text("s-1")),
        ("branch", Value::text("shanghai")),
        ("members", Value::List(vec![])),
    ];
    told(root("group", id), EventKind::Attributes, &format!("known-{id}"), now, fields)
}

/// What each group was sent, in order: the last part of the keys.
fn posted(rig: &Rig, id: &str) -> Vec<String> {
    let own = |key: &String| key.split('/').nth(1) == Some(id);
    let keys = rig.push.attempts().into_iter().map(|(_, key)| key).filter(own);
    keys.map(|key| key.rsplit('/').next().unwrap().to_owned()).collect()
}

// daemon: morning_broadcast
async fn messages_of_a_list_leave_in_order_through_crashes(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin(&["model", "groups", "morning_broadcast"]).await;
    let groups: Vec<String> = (0..20).map(|n| format!("g{n}")).collect();
    let known = groups.iter().map(|id| group(id, rig.now())).collect();
    engine.handle.submit(known).await.unwrap();
    rig.clock.set(at("2026-12-02T08:30"));
    let all = |rig: &Rig, count: usize| groups.iter().all(|id| posted(rig, id).len() == count);
    until("the first message", async || all(&rig, 1)).await;
    engine.crash().await;

    // The clock goes on; twice more the daemon is killed in between.
    let has = |rig: &Rig, part: &str| groups.iter().all(|id| posted(rig, id).iter().any(|step| step == part));
    for part in ["morning_post~2", "morning_post~3"] {
        let engine = rig.run().await;
        until(part, async || {
            rig.clock.set(rig.now() + SignedDuration::from_secs(20));
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            has(&rig, part)
        })
        .await;
        engine.crash().await;
    }
    for id in &groups {
        let mut seen = posted(&rig, id);
        // A crash before the answer was kept sends the same again, under the same key.
        seen.dedup();
        assert_eq!(seen, ["morning_post~1", "morning_post~2", "morning_post~3"], "{id}");
    }
    // No group says that it was read: after the four hours that the channel waits for that, it is over.
    let engine = rig.run().await;
    rig.clock.set(rig.now() + SignedDuration::from_hours(5));
    let sym = |name: &str| engine.handle.world().symbols.sym(Name::new(name)).unwrap();
    let (posted_at, id) = (sym("posted"), root("group", &groups[19]));
    until("the end", async || {
        // If the last answer was not kept, the message left once more, and the four hours have begun anew.
        rig.clock.set(rig.now() + SignedDuration::from_mins(2));
        let state = state_of(&engine, &id).await;
        state.instances.is_empty()
            && state.entries.iter().any(|entry| entry.ended.is_some_and(|(end, _)| end == posted_at))
    })
    .await;
    assert!(all(&rig, 3) || posted(&rig, &groups[0]).len() >= 3, "nothing left once more");
    engine.stop().await;
}

async fn what_cannot_be_posted_is_posted_by_hand(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin(&["model", "groups", "morning_broadcast"]).await;
    engine.handle.submit(vec![group("g1", rig.now())]).await.unwrap();
    let taken = SendResult::Accepted { detail: "ok".into() };
    rig.push.will(vec![taken, SendResult::Rejected { detail: "群已解散".into() }]);
    rig.clock.set(at("2026-12-02T08:30"));
    until("the first message", async || posted(&rig, "g1").len() == 1).await;
    // The gap begins when it is known that it has left.
    until("it is known", async || engine.handle.stats().outbox == 0).await;
    rig.clock.set(rig.now() + SignedDuration::from_secs(20));
    let door = Served::of(&engine).await;
    let mut tasks = door.get("/v1/tasks?assignee=s-1").await;
    until("its owner is asked", async || {
        tasks = door.get("/v1/tasks?assignee=s-1").await;
        tasks["tasks"].as_array().unwrap().len() == 1
    })
    .await;
    let all = ["morning_post~1", "morning_post~2", "post_by_hand"];
    until("he is told, and the third never leaves", async || posted(&rig, "g1") == all).await;
    let task = &tasks["tasks"][0];
    assert_eq!((&task["unit"], &task["task"]), (&"shanghai".into(), &"post_morning".into()), "{task}");
    let path = format!("/v1/tasks/{}/result", task["id"].as_str().unwrap());
    assert_eq!(door.post(&path, &serde_json::json!({"by": "s-1"})).await.0, 200);
    assert!(state_of(&engine, &root("group", "g1")).await.instances.is_empty());
    engine.stop().await;
}

fn happened(name: &str, id: &str, now: Timestamp, fields: Vec<(&str, Value)>) -> (RootKey, Event) {
    told(root("customer", id), EventKind::Declared(Name::new(name)), &format!("{name}-{id}"), now, fields)
}

/// Who has a manager, and a branch.
fn customer(id: &str, now: Timestamp) -> (RootKey, Event) {
    let fields = vec![("manager", Value::text("s-7")), ("branch", Value::text("shanghai"))];
    told(root("customer", id), EventKind::Attributes, &format!("known-{id}"), now, fields)
}

// daemon: anniversary_word
async fn what_a_manager_does_not_send_by_hand_the_bank_says_itself(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin(&["model", "groups", "off_app"]).await;
    let all = ["sent", "declined", "forgotten"];
    let now = rig.now();
    engine.handle.submit(all.map(|id| customer(id, now)).to_vec()).await.unwrap();
    let year = all.map(|id| happened("account_anniversary", id, now, vec![]));
    engine.handle.submit(year.to_vec()).await.unwrap();
    until("all are prepared", async || rig.push.attempts().len() == 3).await;
    engine.crash().await;

    let engine = rig.run().await;
    rig.clock.set(at("2026-12-01T11:00"));
    let said = |id: &str, kind| {
        let own = rig.push.attempts().into_iter().find(|(_, key)| key.split('/').nth(1) == Some(id));
        let key = wayfare::step::MessageKey::parse(&own.unwrap().1).unwrap();
        told(root("customer", id), EventKind::Message { kind, key }, &format!("said-{id}"), rig.now(), vec![])
    };
    let reports = vec![said("sent", MessageEvent::Confirmed), said("declined", MessageEvent::Refused)];
    engine.handle.submit(reports).await.unwrap();
    let texts = |rig: &Rig| -> Vec<String> {
        let keys = rig.sms.attempts().into_iter().map(|(_, key)| key);
        keys.map(|key| key.split('/').nth(1).unwrap().to_owned()).collect()
    };
    until("a text for who was declined", async || texts(&rig) == ["declined"]).await;
    assert!(state_of(&engine, &root("customer", "sent")).await.instances.is_empty());
    rig.clock.set(at("2026-12-02T09:01"));
    until("and for who was forgotten", async || texts(&rig) == ["declined", "forgotten"]).await;
    let door = Served::of(&engine).await;
    let calls = door.get("/v1/tasks?task=care_call&unit=east").await;
    assert_eq!(calls["tasks"].as_array().unwrap().len(), 2, "{calls}");
    engine.stop().await;
}
