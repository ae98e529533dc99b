//! Whatever comes in gets its answer, record by record; the good ones are kept, also when the daemon is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::ToSpan;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use wayfare::engine::clock::wall;

use crate::support::chance::Chance;
use crate::support::client::{Account, event, http, ndjson, send, try_send};
use crate::support::daemon::Project;
use crate::support::receiver::{Manners, Receiver};
use crate::support::stores::{Place, on_both_stores};
use crate::support::{alone, secret};

on_both_stores!(
    every_record_gets_its_answer_and_the_good_ones_outlive_a_kill,
    what_was_acknowledged_before_a_kill_has_its_effect,
);

/// What is done about a visit shows at the receiver at once.
const JOURNEYS: &str = r#"
entity customer "客户" {
  key id : Id
  consent "同意接收的渠道" : [channel]
}

event visited "来访" of customer {
  page "页面" : Text
  minutes "时长" : Int?
}

channel bell "门铃" {
  kind push
  surface owned
  owner "bell@bank.example"
}

journey thanks "感谢来访" of customer {
  purpose service
  owner "service@bank.example"
  enter on visited
  stale after 10min
  reenter never
  send thank_you(event.page) via bell
  end thanked
}

content thank_you "感谢" {
  takes page : Text
  via bell """感谢您访问「{{ page }}」。"""
}
"#;

const PATIENCE: Duration = Duration::from_secs(20);

async fn every_record_gets_its_answer_and_the_good_ones_outlive_a_kill(place: Place) {
    let http = http();
    let project = Project::of(JOURNEYS).on(place);
    let receiver = Receiver::start(project.path(), Manners::Steady);
    project.settings("max_body = 1048576", &settings(&receiver));
    let (daemon, url) = (project.start(&http).await, project.url());

    let account = send(&http, &url, &[known("A"), known("B"), known("D"), known("E"), known("L")]).await;
    assert_eq!((account.accepted, account.rejected.len()), (5, 0));
    let lines = records();
    let account = try_send(&http, &url, &lines).await.unwrap();
    assert_eq!(account.accepted, 4, "A, B, the stranger and the late one: {account:?}");
    assert_eq!(account.duplicates, 1);
    assert_eq!(refusals(&account), expected_refusals());
    for rejected in &account.rejected {
        assert!(!rejected.reason.is_empty() && rejected.line == Some(rejected.index + 1), "{rejected:?}");
        let has_id = !matches!(rejected.index, 1 | 2 | 6);
        assert_eq!(rejected.id.is_some(), has_id, "{rejected:?}");
        assert_eq!(rejected.quarantined, matches!(&*rejected.code, "R0107" | "R0108"), "{rejected:?}");
    }
    one_by_one(&http, &url).await;
    daemon.kill();

    let daemon = project.start(&http).await;
    let four = names(&["A", "B", "D", "E"]);
    assert_eq!(thanked(&receiver, &http, &four).await, four);
    let again = try_send(&http, &url, &lines).await.unwrap();
    assert_eq!(
        (again.accepted, again.duplicates),
        (0, 5),
        "what was kept is known after the kill: {again:?}"
    );
    assert_eq!(refusals(&again), expected_refusals());
    let account = send(&http, &url, &[known("stranger")]).await;
    assert_eq!(account.accepted, 1);
    let five = names(&["A", "B", "D", "E", "stranger"]);
    assert_eq!(thanked(&receiver, &http, &five).await, five);
    assert!(daemon.stop().await.success(), "{}", project.log_tail());

    let quarantined = project.books().await.quarantined;
    let codes: BTreeSet<&str> = quarantined.iter().map(|record| record.code.as_str()).collect();
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), ["R0107", "R0108"], "{quarantined:?}");
    let kept =
        |what: &str| quarantined.iter().any(|record| String::from_utf8_lossy(&record.body).contains(what));
    assert!(kept("from-tomorrow") && kept("contradiction"), "with what came in: {quarantined:?}");
}

async fn what_was_acknowledged_before_a_kill_has_its_effect(place: Place) {
    const BATCHES: usize = 120;
    const SIZE: usize = 20;
    let _alone = alone().await;
    let http = http();
    let mut chance = Chance::new("WAYFARE_TEST_SEED");
    let project = Project::of(JOURNEYS).on(place);
    let receiver = Receiver::start(project.path(), Manners::Moody);
    project.settings("", &settings(&receiver));
    let (mut daemon, url) = (project.start(&http).await, project.url());
    let everybody: Vec<String> = (0..BATCHES * SIZE).map(|number| format!("C{number:04}")).collect();
    let people: Vec<Value> = everybody.iter().map(|id| known(id)).collect();
    assert_eq!(send(&http, &url, &people).await.accepted, people.len() as u64);

    let mut acknowledged = BTreeSet::new();
    let mut next_kill = chance.below(40);
    for (number, ids) in everybody.chunks(SIZE).enumerate() {
        let lines = with_nonsense(ids);
        // Killed while a request is under way, as like as not.
        let request = tokio::spawn({
            let (http, url) = (http.clone(), url.clone());
            async move { try_send(&http, &url, &lines).await }
        });
        if number as u64 == next_kill {
            sleep(Duration::from_millis(chance.below(6))).await;
            daemon.kill();
            daemon = project.start(&http).await;
            next_kill += 1 + chance.below(40);
        }
        if let Some(account) = request.await.unwrap() {
            assert_eq!(refusals(&account), [(SIZE as u64, "R0101".to_owned())], "{account:?}");
            assert_eq!(account.accepted, SIZE as u64);
            acknowledged.extend(ids.iter().cloned());
        }
    }
    assert!(acknowledged.len() > BATCHES * SIZE / 2, "only {} acknowledged", acknowledged.len());
    let seen = thanked(&receiver, &http, &acknowledged).await;
    assert!(acknowledged.is_subset(&seen), "lost: {:?}", acknowledged.difference(&seen));

    let visits: Vec<Value> = everybody.iter().map(|id| visit(id)).collect();
    let account = send(&http, &url, &visits).await;
    assert!(account.duplicates >= acknowledged.len() as u64 && account.rejected.is_empty(), "{account:?}");
    let everybody = everybody.into_iter().collect();
    assert_eq!(thanked(&receiver, &http, &everybody).await, everybody);
    assert!(receiver.taken(&http).await.values().all(|taken| !taken.conflicting));
    assert!(daemon.stop().await.success(), "{}", project.log_tail());
}

fn settings(receiver: &Receiver) -> String {
    let (url, secret) = (receiver.messages(), secret());
    format!(
        "[channels.bell]\nkind = \"webhook\"\nurl = \"{url}\"\nsecret = \"{secret}\"\nallow_private = true\n"
    )
}

fn known(id: &str) -> Value {
    event(&format!("known:{id}"), "wayfare.attributes", id, &json!({ "consent": ["bell"] }))
}

fn visit(id: &str) -> Value {
    event(&format!("visit:{id}"), "visited", id, &json!({ "page": "首页", "minutes": 3 }))
}

fn at(mut event: Value, time: jiff::Timestamp) -> Value {
    event["time"] = json!(time.to_string());
    event
}

/// Of every kind one, in lines.
fn records() -> String {
    let (hour_ago, tomorrow) = (wall() - 1.hour(), wall() + 24.hours());
    let with = |id: &str, data: Value| event(id, "visited", "A", &data);
    let without = |mut event: Value, member: &str| {
        event.as_object_mut().unwrap().remove(member);
        event
    };
    let page = json!({ "page": "首页" });
    let huge = json!({ "page": "页".repeat(100_000) });
    let lines = [
        visit("A").to_string(),
        "{\"specversion\": \"1.0\", oops".to_owned(),
        without(with("no-id", page.clone()), "id").to_string(),
        event("no-such-type", "visitted", "A", &page).to_string(),
        with("wrong-value", json!({ "page": "首页", "minutes": "many" })).to_string(),
        with("missing-field", json!({})).to_string(),
        with("too-large", huge).to_string(),
        visit("B").to_string(),
        at(with("from-tomorrow", page.clone()), tomorrow).to_string(),
        visit("A").to_string(),
        event("visit:A", "visited", "A", &json!({ "page": "contradiction" })).to_string(),
        visit("stranger").to_string(),
        at(visit("L"), hour_ago).to_string(),
        event("odd-report", "wayfare.opened", "A", &json!({ "message": "a/b/c/d" })).to_string(),
        without(with("no-subject", page), "subject").to_string(),
    ];
    lines.map(|line| line + "\n").concat()
}

fn expected_refusals() -> Vec<(u64, String)> {
    let expected = [
        (1, "R0101"),
        (2, "R0101"),
        (3, "R0102"),
        (4, "R0104"),
        (5, "R0105"),
        (6, "R0111"),
        (8, "R0107"),
        (10, "R0108"),
        (13, "R0109"),
        (14, "R0103"),
    ];
    expected.map(|(index, code)| (index, code.to_owned())).to_vec()
}

fn refusals(account: &Account) -> Vec<(u64, String)> {
    account.rejected.iter().map(|rejected| (rejected.index, rejected.code.clone())).collect()
}

/// The other content modes: one event a request, and a batch; and what is wrong with a request as a whole.
async fn one_by_one(http: &reqwest::Client, url: &str) {
    let post = |kind: &str| http.post(format!("{url}/v1/events")).header("content-type", kind);
    let status = |request: reqwest::RequestBuilder| async move { request.send().await.unwrap().status() };
    let structured = |event: Value| post("application/cloudevents+json").body(event.to_string());
    assert_eq!(status(structured(visit("D"))).await, StatusCode::ACCEPTED);
    assert_eq!(status(structured(visit("D"))).await, StatusCode::OK);
    assert_eq!(status(structured(json!({ "id": "1" }))).await, StatusCode::BAD_REQUEST);
    assert_eq!(
        status(structured(event("2", "visitted", "A", &json!({})))).await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let conflict = event("visit:D", "visited", "D", &json!({ "page": "contradiction" }));
    assert_eq!(status(structured(conflict)).await, StatusCode::CONFLICT);
    let binary = post("application/json")
        .header("ce-specversion", "1.0")
        .header("ce-source", "https://core.bank.example/events")
        .header("ce-id", "visit:E")
        .header("ce-type", "visited")
        .header("ce-subject", "E")
        .body(json!({ "page": "首页", "minutes": 3 }).to_string());
    assert_eq!(status(binary).await, StatusCode::ACCEPTED);
    let batch = post("application/cloudevents-batch+json").body(json!([visit("E")]).to_string());
    assert_eq!(status(batch).await, StatusCode::OK);
    let large = post("application/cloudevents-batch+json").body(" ".repeat(1_048_577));
    assert_eq!(status(large).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(status(post("text/plain").body("hello")).await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

/// Good visits, and one line that is none.
fn with_nonsense(ids: &[String]) -> String {
    ndjson(&ids.iter().map(|id| visit(id)).collect::<Vec<_>>()) + "nonsense\n"
}

/// Whom the receiver has had a message for, once `expected` are among them; nobody had two.
async fn thanked(
    receiver: &Receiver,
    http: &reqwest::Client,
    expected: &BTreeSet<String>,
) -> BTreeSet<String> {
    let until = Instant::now() + PATIENCE;
    loop {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for arrival in receiver.arrivals(http, 0).await {
            let body: Value = serde_json::from_str(&arrival.body).unwrap();
            let customer = body["message"].as_str().unwrap().split('/').nth(1).unwrap();
            *seen.entry(customer.to_owned()).or_default() += 1;
        }
        assert!(seen.values().all(|messages| *messages == 1), "{seen:?}");
        if expected.iter().all(|id| seen.contains_key(id)) || Instant::now() > until {
            return seen.into_keys().collect();
        }
        sleep(Duration::from_millis(100)).await;
    }
}

fn names(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}
