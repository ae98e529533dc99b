//! Links in text messages: short, the same at every attempt and through a crash, followed once; and nothing of who was
//! forgotten is left where links and tasks are kept.

use jiff::SignedDuration;
use serde_json::Value as Json;
use wayfare::channel::SendResult;
use wayfare::channel::track::Tracks;
use wayfare::config::{Links, Secret};
use wayfare::engine::Shortener;
use wayfare::name::Name;
use wayfare::step::EventKind;
use wayfare::value::Value;

use super::desk::Served;
use super::rig::{Rig, compiled, customer, said, until};
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(a_short_link_is_followed_once_and_forgotten_with_its_customer);

const BANK: &str = r#"
channel sms { kind push }
entity staff { key id : Id }
entity customer { key id : Id; consent : [channel]; manager : staff }
event due of customer {}
task ring of customer { result rung }
content reminder { via sms """【示例银行】您的产品将到期，详见 {{ link("https://bank.example/h?from=sms&step=1") }} ，或 {{ link("https://bank.example/h") }}""" }
journey remind of customer {
  purpose service
  owner "o@bank.example"
  enter on due
  reenter never
  send reminder via sms
  assign ring to manager due 2 days
  wait for clicked(reminder) within 3 days else end ignored
  end read
}
"#;

fn links() -> Links {
    Links {
        url: "https://go.bank.example".into(),
        secret: Secret::new("a secret of sixteen"),
        channels: vec![],
        short: vec![Name::new("sms")],
    }
}

/// The paths of the links in a text.
fn paths(text: &str) -> Vec<String> {
    let found = text.split("https://go.bank.example").skip(1);
    found.map(|rest| rest.split([' ', '，']).next().unwrap().to_owned()).collect()
}

async fn a_short_link_is_followed_once_and_forgotten_with_its_customer(place: Place) {
    let tracks = Tracks::new(&links()).unwrap();
    let mut rig = Rig::on(place);
    rig.shortener = Shortener::new(&links(), &tracks);
    let engine = rig.begin_with(compiled(BANK)).await;
    let sms = || {
        let consent = Value::List(vec![Value::Choice(Name::new("sms"))]);
        vec![("consent", consent), ("manager", Value::text("s-1"))]
    };
    let now = rig.now();
    let due = || EventKind::Declared(Name::new("due"));
    rig.sms.will(vec![SendResult::Retry { after: None, detail: "HTTP 503".into() }]);
    let li = vec![
        said(EventKind::Attributes, customer("li"), 0, now, sms()),
        said(due(), customer("li"), 1, now, vec![]),
    ];
    engine.handle.submit(li).await.unwrap();
    until("it was tried", async || rig.sms.attempts().len() == 1).await;
    engine.crash().await;

    let engine = rig.run().await;
    until("again", async || {
        rig.clock.advance(SignedDuration::from_secs(1));
        rig.sms.attempts().len() == 2
    })
    .await;
    let wu = vec![
        said(EventKind::Attributes, customer("wu"), 0, now, sms()),
        said(due(), customer("wu"), 1, now, vec![]),
    ];
    engine.handle.submit(wu).await.unwrap();
    until("the other one", async || rig.sms.attempts().len() == 3).await;
    let texts = rig.sms.texts();
    assert_eq!(texts[0], texts[1], "the same at every attempt");
    let (of_li, of_wu) = (paths(&texts[0]), paths(&texts[2]));
    assert_eq!((of_li.len(), of_wu.len()), (2, 2), "{texts:?}");
    for path in of_li.iter().chain(&of_wu) {
        assert_eq!((&path[..3], path.len()), ("/s/", 11), "{texts:?}");
    }
    assert!(of_li.iter().all(|path| !of_wu.contains(path)), "nobody has the links of another: {texts:?}");

    let door = Served::with(&engine, Some(tracks)).await;
    for (path, to) in of_li.iter().zip(["https://bank.example/h?from=sms&step=1", "https://bank.example/h"]) {
        assert_eq!(door.leads(path).await.as_deref(), Some(to));
    }
    let ended = async |id: &str| {
        let (state, world) = (engine.state(id).await, engine.handle.world());
        let ended = state.entries.iter().find_map(|entry| entry.ended);
        ended.and_then(|(end, _)| world.symbols.name(end)).map(|name| name.as_str().to_owned())
    };
    until("it counts as read", async || ended("li").await.as_deref() == Some("read")).await;
    assert_eq!(ended("wu").await, None);

    // Li is forgotten: the link leads nowhere, and the task no longer says whom it was about.
    engine.handle.submit(vec![said(EventKind::Erased, customer("li"), 2, rig.now(), vec![])]).await.unwrap();
    assert_eq!(door.leads(&of_li[0]).await, None);
    assert!(door.leads(&of_wu[0]).await.is_some());
    let subjects = async |status: &str| {
        let list = door.get(&format!("/v1/tasks?status={status}")).await;
        list["tasks"].as_array().unwrap().iter().map(|task| task["subject"].clone()).collect::<Vec<Json>>()
    };
    assert_eq!(subjects("withdrawn").await, [Json::Null]);
    assert_eq!(subjects("open").await, [Json::from("wu")]);
    engine.stop().await;
}
