//! What stands in slots, as the pages of the bank's app ask for it: at once in all of them, in the order of rank, gone
//! together, the same after a crash; and what customers do with it, once each.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;
use serde_json::{Value as Json, json};
use wayfare::compile::compile;
use wayfare::name::Name;
use wayfare::program::Bundle;
use wayfare::project;
use wayfare::step::world::Kill;
use wayfare::step::{Event, EventKind, RootKey};
use wayfare::value::Value;

use super::desk::{Served, root, state_of, told};
use super::rig::{Rig, compiled, until};
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(
    a_campaign_stands_everywhere_and_goes_at_once,
    what_is_shown_and_clicked_counts_once,
    a_popup_is_shown_as_often_as_may_be,
    a_picture_is_served_as_it_was_deployed,
);

fn at(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().unwrap()
}

const FILES: [&str; 6] = ["model", "spring", "near_gold", "life_cycle", "payday", "groups"];

fn li() -> RootKey {
    root("customer", "li")
}

fn event(name: &str, id: &str, now: Timestamp, fields: Vec<(&str, Value)>) -> (RootKey, Event) {
    told(li(), EventKind::Declared(Name::new(name)), id, now, fields)
}

/// The contents that stand in a slot, in their order.
fn contents(page: &Json, slot: &str) -> Vec<String> {
    let standing = page["slots"][slot].as_array().unwrap().iter();
    standing.map(|one| one["content"].as_str().unwrap().to_owned()).collect()
}

fn placement(page: &Json, slot: &str) -> String {
    page["slots"][slot][0]["placement"].as_str().unwrap().to_owned()
}

const SPRING: &str = "/v1/slots?subject=li&slots=landing,home_banner,small_banner,popup";

fn is_empty(page: &Json) -> bool {
    page["slots"].as_object().unwrap().values().all(|slot| *slot == json!([]))
}

// daemon: spring
async fn a_campaign_stands_everywhere_and_goes_at_once(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin_at(at("2027-01-10T01:00"), &FILES).await;
    let now = rig.now();
    let consent = vec![("consent", Value::List(vec![Value::Choice(Name::new("push"))]))];
    let salary =
        wayfare::value::Money { minor: 800_000, currency: wayfare::value::Currency::parse("CNY").unwrap() };
    let paid = event("salary_received", "s-1", now, vec![("amount", Value::Money(salary))]);
    engine.handle.submit(vec![told(li(), EventKind::Attributes, "k", now, consent), paid]).await.unwrap();
    let door = Served::of(&engine).await;
    assert!(is_empty(&door.get(SPRING).await));
    assert!(is_empty(&door.get("/v1/slots/popup?subject=nobody").await), "a stranger sees what all see");
    rig.clock.set(at("2027-01-20T10:00"));
    until("it stands", async || !is_empty(&door.get(SPRING).await)).await;
    drop(door);
    engine.crash().await;

    let engine = rig.run().await;
    let door = Served::of(&engine).await;
    let page = door.get(SPRING).await;
    for slot in ["landing", "home_banner", "small_banner", "popup"] {
        assert_eq!(contents(&page, slot), ["spring_festival"], "{page}");
    }
    let popup = &page["slots"]["popup"][0];
    assert_eq!(popup["parts"]["title"], "新春红包", "{popup}");
    assert_eq!(popup["parts"]["body"], "尊敬的客户，您有一次新春抽奖机会。");
    assert_eq!((&popup["rank"], &popup["until"]), (&json!(20), &json!("2027-02-20T23:59:00Z")));

    // Closed, the popup is gone and the rest stays.
    let report = json!([{"placement": placement(&page, "popup"), "what": "dismissed"}]);
    let (status, account) = door.post("/v1/slots/reports", &report).await;
    assert_eq!((status, &account["accepted"]), (200, &json!(1)), "{account}");
    let page = door.get(SPRING).await;
    assert_eq!((contents(&page, "popup").len(), contents(&page, "landing").len()), (0, 1), "{page}");

    // A switch hides what it stops, for as long as it is on.
    let off = Kill { channels: [Name::new("home_banner")].into(), ..Kill::default() };
    engine.handle.kill(0, off).await.unwrap();
    assert_eq!(contents(&door.get(SPRING).await, "home_banner"), [""; 0]);
    engine.handle.kill(engine.handle.world().switched, Kill::default()).await.unwrap();
    assert_eq!(contents(&door.get(SPRING).await, "home_banner").len(), 1);

    // A complaint takes all of it down in one moment.
    engine.handle.submit(vec![event("complained", "c-1", rig.now(), vec![])]).await.unwrap();
    assert!(is_empty(&door.get(SPRING).await));
    assert!(state_of(&engine, &li()).await.instances.iter().all(|it| it.goals.is_empty()));
    rig.clock.set(at("2027-01-24T10:00"));
    until("nothing is due", async || {
        let due = state_of(&engine, &li()).await.next_due();
        due.is_none_or(|due| due > rig.now())
    })
    .await;
    let sent = rig.sms.attempts();
    assert!(!sent.iter().any(|(_, key)| key.ends_with("/reminder")), "no reminder follows: {sent:?}");
    engine.stop().await;
}

// daemon: weekly_picks
async fn what_is_shown_and_clicked_counts_once(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin_at(at("2027-03-06T01:00"), &FILES).await;
    let now = rig.now();
    engine.handle.submit(vec![told(li(), EventKind::Attributes, "k", now, vec![])]).await.unwrap();
    engine.handle.submit(vec![event("login", "l-1", now, vec![])]).await.unwrap();
    rig.clock.set(at("2027-03-08T08:00"));
    let door = Served::of(&engine).await;
    let lists = "/v1/slots?subject=li&slots=promotion_list,picks_list,zone_carousel";
    until("the picks are in the lists", async || !is_empty(&door.get(lists).await)).await;
    let page = door.get(lists).await;
    assert_eq!(contents(&page, "promotion_list"), ["dining_picks"]);
    let key = placement(&page, "picks_list");
    let seen = |id: &str| json!({"placement": key, "what": "shown", "id": id});
    let report = json!([seen("v-1"), seen("v-2"), seen("v-1"), {"placement": "x/y", "what": "shown"}]);
    let (status, account) = door.post("/v1/slots/reports", &report).await;
    assert_eq!(status, 207, "{account}");
    assert_eq!((&account["accepted"], &account["duplicates"]), (&json!(2), &json!(1)), "{account}");
    assert_eq!(account["rejected"][0]["code"], "R0109", "{account}");
    let click = json!([{"placement": key, "what": "clicked"}]);
    for told in ["accepted", "duplicates"] {
        assert_eq!(door.post("/v1/slots/reports", &click).await.1[told], 1);
    }
    let state = state_of(&engine, &li()).await;
    let world = engine.handle.world();
    let ended = |state: &wayfare::step::State| {
        let picks = world.symbols.sym(Name::new("weekly_picks"));
        let entry = state.entries.iter().find(|entry| Some(entry.journey) == picks);
        entry.and_then(|entry| world.symbols.name(entry.ended?.0)).map(|name| name.to_string())
    };
    assert_eq!(ended(&state).as_deref(), Some("clicked"));
    assert_eq!(contents(&door.get(lists).await, "picks_list").len(), 1, "it stands to its own end");
    rig.clock.set(at("2027-03-15T07:59"));
    assert_eq!(contents(&door.get(lists).await, "picks_list").len(), 1);
    rig.clock.set(rig.now() + SignedDuration::from_mins(1));
    assert!(!contents(&door.get(lists).await, "picks_list").contains(&key), "the week is over");
    let (status, problem) =
        (door.status("/v1/slots/picks_lst?subject=li").await, "did you mean `picks_list`");
    assert_eq!(status.0, 404);
    assert!(status.1["detail"].as_str().unwrap().contains(problem), "{}", status.1);
    engine.stop().await;
}

const OFTEN: &str = r#"
channel popup { kind slot; surface owned }
entity customer { key id : Id; consent : [channel] }
event login of customer {}
content festival { via popup { title "新春红包"; close visible } }
journey j of customer {
  purpose service
  owner "o@bank.example"
  enter on login
  reenter never
  show festival via popup keep 30 days cap 2 per day cap 3 ever
  end done
}
"#;

async fn a_popup_is_shown_as_often_as_may_be(place: Place) {
    let mut rig = Rig::on(place);
    rig.clock.set(at("2026-12-01T09:00"));
    let engine = rig.begin_with(compiled(OFTEN)).await;
    let known = told(li(), EventKind::Attributes, "k", rig.now(), vec![]);
    engine.handle.submit(vec![known, event("login", "l-1", rig.now(), vec![])]).await.unwrap();
    let door = Served::of(&engine).await;
    let popup = "/v1/slots/popup?subject=li";
    let page = door.get(popup).await;
    assert_eq!(contents(&page, "popup"), ["festival"], "{page}");
    let key = placement(&page, "popup");
    let sees = async |door: &Served, id: &str| {
        let report = json!([{"placement": key, "what": "shown", "id": id}]);
        assert_eq!(door.post("/v1/slots/reports", &report).await.0, 200);
    };
    sees(&door, "v-1").await;
    sees(&door, "v-1").await;
    assert_eq!(contents(&door.get(popup).await, "popup").len(), 1, "the same sight twice is one");
    sees(&door, "v-2").await;
    assert!(is_empty(&door.get(popup).await), "twice today");
    drop(door);
    engine.crash().await;

    let engine = rig.run().await;
    let door = Served::of(&engine).await;
    assert!(is_empty(&door.get(popup).await), "after a crash as well");
    rig.clock.set(at("2026-12-02T00:00"));
    assert_eq!(contents(&door.get(popup).await, "popup").len(), 1, "a new day");
    sees(&door, "v-3").await;
    assert!(is_empty(&door.get(popup).await), "three times in all");
    assert!(state_of(&engine, &li()).await.placements.iter().all(|one| !one.stands()));
    let world = engine.handle.world();
    let account = wayfare::engine::why::account(&*engine.store, &world, &li()).await.unwrap().unwrap();
    let told = account.trace.iter().map(|trace| wayfare::step::explain::explain(trace, &world).sentence);
    let told: Vec<String> = told.collect();
    for wanted in
        ["rests in popup until 2026-12-02 00:00:00: cap 2 per day; seen 2 times", "seen as often as may be"]
    {
        assert!(told.iter().any(|sentence| sentence.contains(wanted)), "{wanted}: {told:#?}");
    }
    engine.stop().await;
}

/// The project in a folder, compiled as the commands do.
fn built(folder: &Path) -> Bundle {
    let project = project::load(&[folder.to_owned()]).unwrap();
    let mut bundle = compile(&project.input).bundle.unwrap();
    project.pictures.add_to(&mut bundle);
    bundle
}

async fn fetched(door: &Served, address: &str) -> (Vec<u8>, HeaderMap) {
    let answer = door.http.get(format!("http://{}{address}", door.address)).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{address}");
    let headers = answer.headers().clone();
    (answer.bytes().await.unwrap().to_vec(), headers)
}

/// From the store, not from the folder: it is gone. The first one is there as long as anybody knows its address.
async fn a_picture_is_served_as_it_was_deployed(place: Place) {
    let folder = tempfile::tempdir().unwrap();
    let text = OFTEN.replace("title ", "image \"img/red.gif\"; title ");
    std::fs::write(folder.path().join("bank.journey"), text).unwrap();
    std::fs::create_dir(folder.path().join("img")).unwrap();
    let red = folder.path().join("img/red.gif");
    let pictures = [&b"GIF89a of the first kind"[..], b"\x89PNG\r\n\x1a\nwhatever it is called"];
    std::fs::write(&red, pictures[0]).unwrap();
    let first = built(folder.path());
    std::fs::write(&red, pictures[1]).unwrap();
    let second = built(folder.path());
    drop(folder);

    let mut rig = Rig::on(place);
    rig.clock.set(at("2026-12-01T09:00"));
    let engine = rig.begin_with(first).await;
    assert!(engine.handle.world().bundle.pictures.is_empty(), "they lie in the store only");
    let known = told(li(), EventKind::Attributes, "k", rig.now(), vec![]);
    engine.handle.submit(vec![known, event("login", "l-1", rig.now(), vec![])]).await.unwrap();
    let door = Served::of(&engine).await;
    let address = async |door: &Served| {
        let page = door.get("/v1/slots/popup?subject=li").await;
        assert_eq!(page["slots"]["popup"][0]["parts"]["image"], "img/red.gif", "{page}");
        page["slots"]["popup"][0]["assets"]["image"].as_str().unwrap().to_owned()
    };
    let was = address(&door).await;
    let (bytes, headers) = fetched(&door, &was).await;
    assert_eq!(bytes, pictures[0]);
    for (name, value) in [
        ("content-type", "image/gif"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "public, max-age=31536000, immutable"),
    ] {
        assert_eq!(headers[name], value, "{name}");
    }
    engine.handle.deploy(second).await.unwrap();
    drop(door);
    engine.crash().await;

    let engine = rig.run().await;
    let door = Served::of(&engine).await;
    let is = address(&door).await;
    assert_ne!(is, was);
    let (bytes, headers) = fetched(&door, &is).await;
    assert_eq!((&*bytes, headers["content-type"].to_str().unwrap()), (pictures[1], "image/png"));
    assert_eq!(fetched(&door, &was).await.0, pictures[0]);
    let digits = is.strip_prefix("/v1/assets/").unwrap();
    for other in
        [digits.replace(&digits[..1], "g"), "0".repeat(64), digits[1..].to_owned(), "..%2fversion".into()]
    {
        assert_eq!(door.status(&format!("/v1/assets/{other}")).await.0, 404, "{other}");
    }
    engine.stop().await;
}
