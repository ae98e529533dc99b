//! Who writes is answered, at once where it is plain and by a person where it is not; who is upset is calmed in time and
//! hears no marketing.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use wayfare::name::Name;
use wayfare::step::{Event, EventKind, RootKey};
use wayfare::value::Value;

use super::desk::{Served, root, state_of, told};
use super::rig::{Rig, until};
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(keywords_are_answered_and_complaints_become_work, who_is_upset_is_calmed_in_time);

fn at(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().unwrap()
}

fn li() -> RootKey {
    root("customer", "li")
}

fn known(now: Timestamp) -> Vec<(RootKey, Event)> {
    let own = vec![("manager", Value::text("s-7")), ("branch", Value::text("shanghai"))];
    let branch = vec![("desk", Value::text("desk-1")), ("head", Value::text("head-1"))];
    let group = vec![
        ("name", Value::text("丰润投教一群")),
        ("kind", Value::Choice(Name::new("investor_education"))),
        ("owner", Value::text("s-1")),
        ("branch", Value::text("shanghai")),
        ("members", Value::List(vec![Value::text("li")])),
    ];
    vec![
        told(li(), EventKind::Attributes, "li", now, own),
        told(root("branch", "shanghai"), EventKind::Attributes, "shanghai", now, branch),
        told(root("group", "fans"), EventKind::Attributes, "fans", now, group),
    ]
}

/// Steps of what left, in order.
fn said(rig: &Rig) -> Vec<String> {
    let keys = rig.push.attempts().into_iter().map(|(_, key)| key);
    keys.map(|key| key.rsplit('/').next().unwrap().to_owned()).collect()
}

async fn open(door: &Served) -> Vec<(String, String)> {
    let list = door.get("/v1/tasks").await;
    let text = |task: &Json, field: &str| task[field].as_str().unwrap().to_owned();
    list["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| (text(task, "task"), text(task, "assignee")))
        .collect()
}

// daemon: chat_replies
async fn keywords_are_answered_and_complaints_become_work(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin(&["model", "groups", "chat_replies"]).await;
    engine.handle.submit(known(rig.now())).await.unwrap();
    let wrote = |id: &str, text: &str, now: Timestamp| {
        told(li(), EventKind::Declared(Name::new("chat_message")), id, now, vec![("text", Value::text(text))])
    };
    engine.handle.submit(vec![wrote("1", "请问我的额度是多少？", rig.now())]).await.unwrap();
    until("the limit", async || said(&rig) == ["limit.reply_limit"]).await;
    let door = Served::of(&engine).await;
    assert_eq!(open(&door).await, []);
    rig.clock.set(rig.now() + SignedDuration::from_mins(1));
    engine.handle.submit(vec![wrote("2", "扣款扣了两次，我要投诉！", rig.now())]).await.unwrap();
    until("an apology", async || said(&rig).len() == 2).await;
    assert_eq!(open(&door).await, [("complaint_case".to_owned(), "s-7".to_owned())]);
    // The same message from the same source is no second complaint.
    engine.handle.submit(vec![wrote("2", "扣款扣了两次，我要投诉！", rig.now())]).await.unwrap();
    assert_eq!(open(&door).await.len(), 1);
    // Four hours, and one more: the head of the branch hears of it.
    rig.clock.set(at("2026-12-01T13:02"));
    until("overdue", async || door.get("/v1/tasks/summary").await["total"]["overdue"] == 1).await;
    rig.clock.set(at("2026-12-01T14:02"));
    until("escalated", async || door.get("/v1/tasks").await["tasks"][0]["escalated_to"] == "head-1").await;
    engine.stop().await;
}

// daemon: upset
async fn who_is_upset_is_calmed_in_time(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin(&["model", "groups", "group_care"]).await;
    engine.handle.submit(known(rig.now())).await.unwrap();
    let mood = |id: &str, mood: &str, now: Timestamp| {
        let fields = vec![("group", Value::text("fans")), ("mood", Value::Choice(Name::new(mood)))];
        told(li(), EventKind::Declared(Name::new("group_message")), id, now, fields)
    };
    engine
        .handle
        .submit(vec![mood("1", "positive", rig.now()), mood("2", "negative", rig.now())])
        .await
        .unwrap();
    let door = Served::of(&engine).await;
    assert_eq!(open(&door).await, [("calm_down".to_owned(), "s-1".to_owned())], "the owner of the group");
    let cooling = engine.handle.world().symbols.sym(Name::new("cooling")).unwrap();
    assert!(state_of(&engine, &li()).await.tags.iter().any(|(tag, _)| *tag == cooling));
    drop(door);
    engine.crash().await;

    let engine = rig.run().await;
    let door = Served::of(&engine).await;
    rig.clock.set(at("2026-12-01T09:31"));
    let both = [("calm_down".to_owned(), "s-1".to_owned()), ("care_case".to_owned(), "s-7".to_owned())];
    until("it is a case", async || open(&door).await == both).await;
    until("and he is told", async || said(&rig) == ["listening"]).await;
    let list = door.get("/v1/tasks?task=care_case").await;
    let path = format!("/v1/tasks/{}/result", list["tasks"][0]["id"].as_str().unwrap());
    assert_eq!(door.post(&path, &json!({"result": "solved", "by": "s-7"})).await.0, 200);
    assert!(state_of(&engine, &li()).await.instances.is_empty());
    engine.stop().await;
}
