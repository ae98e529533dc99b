//! Work for people: what a journey asks of whom is in the directory, is taken on, handed over and reported through the
//! door, once each, and nothing of it is lost in a crash.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use wayfare::channel::track::Tracks;
use wayfare::http::{self, Door};
use wayfare::name::Name;
use wayfare::step::{Event, EventKind, RootKey, State};
use wayfare::value::Value;

use super::rig::{Rig, Running, until};
use crate::support::client;
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(
    a_task_goes_through_many_hands,
    what_nobody_does_is_seen,
    a_result_is_taken_once_whatever_crashes
);

/// The door of an engine, as the daemon opens it.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) http: reqwest::Client,
    task: tokio::task::JoinHandle<()>,
}

impl Served {
    pub(crate) async fn of(engine: &Running) -> Self {
        Self::with(engine, None).await
    }

    pub(crate) async fn with(engine: &Running, tracks: Option<Tracks>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut door = Door::new(Arc::new(engine.handle.clone()), None, 1 << 20, address);
        door.tracks = tracks;
        let task = tokio::spawn(http::serve(listener, http::router(door), std::future::pending()));
        Self { address, http: client::http(), task }
    }

    pub(crate) async fn get(&self, path: &str) -> Json {
        let answer = self.http.get(format!("http://{}{path}", self.address)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// Where an address leads; `None`: nowhere.
    pub(crate) async fn leads(&self, path: &str) -> Option<String> {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let answer = http.get(format!("http://{}{path}", self.address)).send().await.unwrap();
        let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        assert_eq!(answer.status().as_u16(), if to.is_some() { 302 } else { 404 }, "{path}");
        to
    }

    /// Whatever is answered.
    pub(crate) async fn status(&self, path: &str) -> (u16, Json) {
        let answer = self.http.get(format!("http://{}{path}", self.address)).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub(crate) async fn post(&self, path: &str, body: &Json) -> (u16, Json) {
        let request = self.http.post(format!("http://{}{path}", self.address)).json(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn root(entity: &str, id: &str) -> RootKey {
    RootKey { entity: Name::new(entity), id: id.into() }
}

pub(crate) fn told(
    root: RootKey,
    kind: EventKind,
    id: &str,
    time: Timestamp,
    fields: Vec<(&str, Value)>,
) -> (RootKey, Event) {
    let fields = fields.into_iter().map(|(name, value)| (Name::new(name), value)).collect();
    let event =
        Event { source: "bank".into(), id: id.into(), kind, child: None, time, received: time, fields };
    (root, event)
}

pub(crate) async fn state_of(engine: &Running, root: &RootKey) -> State {
    let world = engine.handle.world();
    wayfare::engine::why::account(&*engine.store, &world, root).await.unwrap().unwrap().state
}

fn at(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().unwrap()
}

fn known(branch: &str, now: Timestamp) -> (RootKey, Event) {
    let people = vec![
        ("desk", Value::text(&format!("{branch}-desk"))),
        ("head", Value::text(&format!("{branch}-head"))),
    ];
    told(root("branch", branch), EventKind::Attributes, &format!("known-{branch}"), now, people)
}

fn inspected(branch: &str, id: &str, now: Timestamp) -> (RootKey, Event) {
    let kind = EventKind::Declared(Name::new("branch_inspected"));
    told(root("branch", branch), kind, id, now, vec![("score", Value::Int(70))])
}

/// The ids of a list, in its order.
async fn listed(door: &Served, query: &str) -> Vec<String> {
    let list = door.get(&format!("/v1/tasks?{query}")).await;
    let ids = list["tasks"].as_array().unwrap().iter().map(|task| task["id"].as_str().unwrap().to_owned());
    ids.collect()
}

// daemon: branch_inspection
async fn a_task_goes_through_many_hands(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin(&["model", "groups", "branch_watch"]).await;
    let now = rig.now();
    let events = ["shanghai", "hangzhou", "shenzhen"].map(|branch| known(branch, now));
    engine.handle.submit(events.to_vec()).await.unwrap();
    let events = ["shanghai", "shenzhen"].map(|branch| inspected(branch, &format!("i-{branch}"), now));
    engine.handle.submit(events.to_vec()).await.unwrap();

    let door = Served::of(&engine).await;
    assert_eq!(listed(&door, "status=open").await.len(), 2);
    assert_eq!(listed(&door, "unit=hangzhou").await.len(), 0);
    let east = listed(&door, "unit=east&task=branch_visit").await;
    assert_eq!(east, listed(&door, "assignee=shanghai-desk").await);
    let [id] = east.as_slice() else { panic!("{east:?}") };
    let task = door.get(&format!("/v1/tasks/{id}")).await;
    assert_eq!(task["subject"], "shanghai", "{task}");
    assert_eq!((&task["unit"], &task["journey"]), (&json!("shanghai"), &json!("branch_inspection")));
    assert_eq!(
        (&task["opened"], &task["due"]),
        (&json!("2026-12-01T09:00:00Z"), &json!("2026-12-04T09:00:00Z"))
    );

    let claim = format!("/v1/tasks/{id}/claim");
    assert_eq!(door.post(&claim, &json!({"by": "s-1"})).await.0, 200);
    assert_eq!(door.post(&claim, &json!({"by": "s-1"})).await.0, 200, "it is hers already");
    let (status, problem) = door.post(&claim, &json!({"by": "s-2"})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("R0252")), "{problem}");
    let (status, moved) = door.post(&format!("/v1/tasks/{id}/assignee"), &json!({"to": "s-3"})).await;
    assert_eq!((status, &moved["assignee"], &moved["holder"]), (200, &json!("s-3"), &Json::Null), "{moved}");
    assert_eq!(listed(&door, "assignee=s-3").await, east);
    assert_eq!(door.post(&claim, &json!({"by": "s-2"})).await.0, 200, "free again");

    let result = format!("/v1/tasks/{id}/result");
    let (status, problem) = door.post(&result, &json!({"result": "finished"})).await;
    assert_eq!((status, &problem["code"]), (422, &json!("R0251")), "{problem}");
    let (status, done) = door.post(&result, &json!({"result": "done", "by": "s-2"})).await;
    assert_eq!((status, &done["status"], &done["result"]), (200, &json!("done"), &json!("done")), "{done}");
    assert_eq!(door.post(&result, &json!({"result": "done", "by": "s-2"})).await.0, 200);
    let (status, problem) = door.post(&result, &json!({"result": "nobody_there"})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("R0250")), "{problem}");
    assert_eq!(door.post(&claim, &json!({"by": "s-9"})).await.0, 409);

    let state = state_of(&engine, &root("branch", "shanghai")).await;
    assert!(state.instances.is_empty() && state.tasks.is_empty() && state.claims.is_empty());
    let summary = door.get("/v1/tasks/summary?unit=east").await;
    assert_eq!(summary["total"], json!({"open": 0, "overdue": 0, "done": 1, "withdrawn": 0}), "{summary}");
    let units: Vec<&str> =
        summary["units"].as_array().unwrap().iter().map(|row| row["unit"].as_str().unwrap()).collect();
    assert_eq!(units, ["east", "shanghai"], "what is below a unit counts for it");
    let all = door.get("/v1/tasks/summary?from=2026-12-01&to=2026-12-01&task=branch_visit").await;
    assert_eq!(all["total"], json!({"open": 1, "overdue": 0, "done": 1, "withdrawn": 0}), "{all}");
    assert_eq!(door.get("/v1/tasks/summary?from=2026-12-02").await["total"]["done"], 0);
    engine.stop().await;
}

// daemon: branch_watch
async fn what_nobody_does_is_seen(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin(&["model", "groups", "branch_watch"]).await;
    let now = rig.now();
    engine.handle.submit(vec![known("shanghai", now), inspected("shanghai", "i-1", now)]).await.unwrap();
    let door = Served::of(&engine).await;
    let first = door.get("/v1/tasks/changes").await;
    assert_eq!(first["tasks"][0]["status"], "open", "{first}");
    let next = first["next"].as_str().unwrap().to_owned();
    assert_eq!(door.get(&format!("/v1/tasks/changes?after={next}")).await["tasks"], json!([]));

    // Three workdays later it is overdue, and on Friday afternoon the branch is asked why.
    rig.clock.set(at("2026-12-04T09:01"));
    until("it is overdue", async || listed(&door, "status=overdue").await.len() == 1).await;
    let since = door.get(&format!("/v1/tasks/changes?after={next}")).await;
    assert_eq!(since["tasks"][0]["status"], "overdue", "{since}");
    assert_eq!(door.get("/v1/tasks/summary").await["total"]["overdue"], 1);
    rig.clock.set(at("2026-12-04T16:01"));
    until("it is asked why", async || listed(&door, "assignee=shanghai-head").await.len() == 1).await;
    let since = door.get(&format!("/v1/tasks/changes?after={}", since["next"].as_str().unwrap())).await;
    assert_eq!(since["tasks"][0]["task"], "explain_low_rate", "{since}");
    let why = listed(&door, "assignee=shanghai-head").await.remove(0);
    let (status, done) = door.post(&format!("/v1/tasks/{why}/result"), &json!({})).await;
    assert_eq!((status, &done["result"]), (200, &json!("explained")), "the only one that there is");

    // Too late, and still done.
    let visit = listed(&door, "status=overdue").await.remove(0);
    let (status, done) = door.post(&format!("/v1/tasks/{visit}/result"), &json!({"result": "done"})).await;
    assert_eq!((status, &done["status"]), (200, &json!("done")), "{done}");
    let total = door.get("/v1/tasks/summary").await["total"].clone();
    assert_eq!(total, json!({"open": 0, "overdue": 0, "done": 2, "withdrawn": 0}));
    engine.stop().await;
}

async fn a_result_is_taken_once_whatever_crashes(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin(&["model", "groups", "branch_watch"]).await;
    let now = rig.now();
    engine.handle.submit(vec![known("shanghai", now), inspected("shanghai", "i-1", now)]).await.unwrap();
    // A second one, an hour later: the older is not taken for it.
    rig.clock.set(now + SignedDuration::from_hours(1));
    engine.handle.submit(vec![inspected("shanghai", "i-2", rig.now())]).await.unwrap();
    let door = Served::of(&engine).await;
    let ids = listed(&door, "assignee=shanghai-desk").await;
    assert_eq!(ids.len(), 2);
    drop(door);
    engine.crash().await;

    let path = format!("/v1/tasks/{}/result", ids[1]);
    for after in [false, true] {
        let engine = rig.run_until(0, after).await;
        let door = Served::of(&engine).await;
        let body = json!({"result": "nobody_there", "by": "s-1"});
        let said = door.post(&path, &body);
        let heard = tokio::time::timeout(std::time::Duration::from_millis(300), said).await;
        assert!(heard.is_err(), "nothing is answered that is not durable");
        drop(door);
        engine.crash().await;
    }
    let engine = rig.run().await;
    let door = Served::of(&engine).await;
    let (status, done) = door.post(&path, &json!({"result": "nobody_there", "by": "s-1"})).await;
    assert_eq!((status, &done["result"]), (200, &json!("nobody_there")), "{done}");
    assert_eq!(listed(&door, "status=open").await, ids[..1]);
    assert_eq!(door.get("/v1/tasks/summary").await["total"]["done"], 1);
    let state = state_of(&engine, &root("branch", "shanghai")).await;
    assert_eq!((state.tasks.len(), state.instances.len()), (1, 1));
    engine.stop().await;
}
