//! Three workers on one server share the customers. They are killed one by one, with the server, and all at once, while
//! events come in at every door: each event that was accepted has its effect once, and soon everybody has a share again.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::chance::Chance;
use crate::support::client::{event, http, ndjson, send, try_send};
use crate::support::daemon::{Daemon, Project};
use crate::support::postgres::{self, Server};
use crate::support::receiver::{Arrival, Manners, Receiver};
use crate::support::stores::Place;
use crate::support::{alone, secret};

/// After this long without a sign of life others have taken a worker's groups.
const LEASE: Duration = Duration::from_secs(10);
/// For a process to start, on a machine that does other things.
const START: Duration = Duration::from_secs(20);
const CHUNK: usize = 10;
/// As declared below, per second.
const RATE: usize = 30;
/// As in `catch_up`.
const JITTER_MS: i64 = 300;

const JOURNEYS: &str = r#"
entity customer "客户" {
  key id : Id
  consent "同意接收的渠道" : [channel]
}

event knocked "来访" of customer { }
event rang "按铃" of customer { }

channel bell "门铃" { kind push; surface owned; owner "bell@bank.example" }
channel slow "慢铃" { kind push; surface owned; rate 30 per second; owner "bell@bank.example" }

journey answer "回访" of customer {
  purpose service
  owner "service@bank.example"
  enter on knocked
  reenter never
  wait 1s
  send hello via bell
  end answered
}

journey echo "回铃" of customer {
  purpose service
  owner "service@bank.example"
  enter on rang
  reenter never
  send hello via slow
  end answered
}

content hello "问候" {
  via bell """您好，我们来了。"""
  via slow """您好，我们来了。"""
}
"#;

/// Asks for what states do not keep before it is deployed.
const FREQUENT: &str = r#"
journey frequent "常客" of customer {
  purpose service
  owner "service@bank.example"
  enter on rang where count(rang during last 30 days) >= 2
  reenter never
  send hello via bell
  end answered
}
"#;

/// Two a day by the bell, however often somebody rings.
const CAPPED: &str = r#"
policy house "统一规则" {
  owner "compliance@bank.example"
  cap bell 2 per customer per rolling 24h { over skip }
}
journey every_ring "逐次回应" of customer {
  purpose service
  owner "service@bank.example"
  enter on rang
  reenter per event.id
  send hello via bell { on capped end too_many } else end not_sent
  end told
}
"#;

fn settings(receiver: &Receiver) -> String {
    let channel = |name: &str| {
        let (url, secret) = (receiver.messages(), secret());
        format!(
            "[channels.{name}]\nkind = \"webhook\"\nurl = \"{url}\"\nsecret = \"{secret}\"\nallow_private = true\n"
        )
    };
    channel("bell") + &channel("slow")
}

/// Three folders with the same journeys, on the same database.
fn bank(url: &str, receiver: &Receiver) -> [Project; 3] {
    bank_of(JOURNEYS, url, receiver)
}

fn bank_of(journeys: &str, url: &str, receiver: &Receiver) -> [Project; 3] {
    [(); 3].map(|()| {
        let project = Project::of(journeys).on(Place::Database(url.to_owned()));
        project.settings("", &settings(receiver));
        project
    })
}

async fn groups(http: &reqwest::Client, project: &Project) -> Option<u64> {
    let stats = http.get(format!("{}/v1/stats", project.url())).timeout(Duration::from_secs(2));
    stats.send().await.ok()?.json::<Value>().await.ok()?["groups"].as_u64()
}

/// Waits until the workers hold as many groups as they should; returns how long it took.
async fn spread(http: &reqwest::Client, workers: &[(&Project, u64)], within: Duration) -> Duration {
    let begun = Instant::now();
    loop {
        let mut found = Vec::new();
        for (project, _) in workers {
            found.push(groups(http, project).await);
        }
        let mut even = found.iter().flatten().copied().collect::<Vec<_>>();
        let mut wanted: Vec<u64> = workers.iter().map(|(_, groups)| *groups).collect();
        even.sort_unstable();
        wanted.sort_unstable();
        if even == wanted {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < within, "after {within:?} they hold {found:?} and not {wanted:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

fn even(projects: &[Project; 3]) -> [(&Project, u64); 3] {
    let [one, two, three] = projects;
    [(one, 22), (two, 21), (three, 21)]
}

/// A customer who becomes known, and does something.
fn comes(id: &str, what: &str) -> [Value; 2] {
    let known = json!({ "consent": ["bell", "slow"] });
    [
        event(&format!("known:{id}"), "wayfare.attributes", id, &known),
        event(&format!("{what}:{id}"), what, id, &json!({})),
    ]
}

/// Sends customers to all doors in turn until `done`; what a door does not acknowledge is sent to the next one. Returns
/// who was acknowledged.
async fn feed(http: &reqwest::Client, projects: &[Project; 3], done: &Cell<bool>) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let mut doors = projects.iter().cycle();
    for chunk in 0.. {
        if done.get() {
            break;
        }
        let ids: Vec<String> = (0..CHUNK).map(|n| format!("C{:05}", chunk * CHUNK + n)).collect();
        let events: Vec<Value> = ids.iter().flat_map(|id| comes(id, "knocked")).collect();
        let lines = ndjson(&events);
        let until = Instant::now() + Duration::from_mins(1);
        for door in doors.by_ref() {
            let url = door.url();
            let sent = tokio::time::timeout(Duration::from_secs(3), try_send(http, &url, &lines));
            if let Ok(Some(account)) = sent.await {
                assert!(account.rejected.is_empty(), "{:?}", account.rejected);
                assert_eq!(account.accepted + account.duplicates, events.len() as u64);
                break;
            }
            assert!(Instant::now() < until, "nobody takes anything");
            sleep(Duration::from_millis(50)).await;
        }
        acknowledged.extend(ids);
        sleep(Duration::from_millis(20)).await;
    }
    acknowledged
}

async fn ready<'a>(http: &reqwest::Client, projects: &'a [Project; 3]) -> [Daemon<'a>; 3] {
    let [one, two, three] = projects.each_ref().map(Project::launch);
    [one.ready(http).await, two.ready(http).await, three.ready(http).await]
}

/// How often everybody is killed: once, unless it is asked for more.
fn rounds() -> usize {
    std::env::var("WAYFARE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1)
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_whoever_is_killed() {
    let Some(server) = Server::own("workers::nothing_is_lost") else { return };
    let _alone = alone().await;
    let (http, url) = (http(), server.url(&server.database().await));
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(folder.path(), Manners::Steady);
    let projects = bank(&url, &receiver);
    let done = Cell::new(false);
    let times = RefCell::new(BTreeMap::new());
    // The longest of each.
    let note = |what: &'static str, time: Duration| {
        let mut times = times.borrow_mut();
        let longest = times.entry(what).or_insert(time);
        *longest = time.max(*longest);
    };
    let mut chance = Chance::new("WAYFARE_TEST_SEED");
    let story = async {
        let [one, two, three] = ready(&http, &projects).await;
        note("three begin", spread(&http, &even(&projects), LEASE).await);
        let (mut one, mut two, mut three) = (one, two, three);
        for _ in 0..rounds() {
            sleep(Duration::from_millis(chance.below(1_000))).await;
            two.kill();
            let [first, _, third] = &projects;
            let others = [(first, 32), (third, 32)];
            note("one is killed", spread(&http, &others, LEASE).await);
            two = projects[1].start(&http).await;
            note("it comes back", spread(&http, &even(&projects), LEASE).await);

            sleep(Duration::from_millis(chance.below(1_000))).await;
            two.kill();
            server.kill();
            note("one and the server are killed", spread(&http, &others, LEASE).await);
            two = projects[1].start(&http).await;
            spread(&http, &even(&projects), LEASE).await;

            sleep(Duration::from_millis(chance.below(1_000))).await;
            server.kill();
            let begun = Instant::now();
            sleep(Duration::from_millis(100)).await;
            three = three.ready(&http).await;
            two = two.ready(&http).await;
            one = one.ready(&http).await;
            spread(&http, &even(&projects), LEASE).await;
            note("the server is killed", begun.elapsed());
            assert!(begun.elapsed() < START, "{:?}", begun.elapsed());

            sleep(Duration::from_millis(chance.below(1_000))).await;
            one.kill();
            two.kill();
            three.kill();
            server.kill();
            let begun = Instant::now();
            [one, two, three] = ready(&http, &projects).await;
            spread(&http, &even(&projects), LEASE).await;
            note("all are killed", begun.elapsed());
        }
        sleep(Duration::from_millis(500)).await;

        assert!(one.stop().await.success(), "{}", projects[0].log_tail());
        let others = [(&projects[1], 32), (&projects[2], 32)];
        note("one ends", spread(&http, &others, Duration::from_secs(5)).await);
        done.set(true);
        (two, three)
    };
    let (acknowledged, (two, three)) = tokio::join!(feed(&http, &projects, &done), story);
    settle(&projects[0], &acknowledged).await;
    assert!(two.stop().await.success() && three.stop().await.success());
    println!("{} customers; {:?}", acknowledged.len(), times.borrow());
    verify(&http, &projects[0], &receiver, &acknowledged).await;
}

async fn settle(project: &Project, acknowledged: &[String]) {
    let until = Instant::now() + START;
    loop {
        let books = project.books().await;
        let left = books.unsettled("answer", acknowledged.len());
        if left == 0 {
            return;
        }
        assert!(Instant::now() < until, "{left} are not settled: {:#?}", books.standings());
        sleep(Duration::from_millis(200)).await;
    }
}

/// Everybody entered once, was written to once, and the provider knows it under one key.
async fn verify(http: &reqwest::Client, project: &Project, receiver: &Receiver, acknowledged: &[String]) {
    let books = project.books().await;
    let taken = receiver.taken(http).await;
    let known: Vec<&str> = books.customers.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(known.len(), acknowledged.len());
    let mut keys = Vec::new();
    for (id, state) in &books.customers {
        assert_eq!(books.entries(state, "answer").len(), 1, "{id}");
        let sent = books.sent(state, "answer");
        assert_eq!(sent.len(), 1, "{id}");
        keys.push(wayfare::channel::webhook::id(&books.key(id, sent[0])));
    }
    keys.sort_unstable();
    assert_eq!(taken.keys().cloned().collect::<Vec<_>>(), keys, "what arrived is what was sent");
    assert!(taken.values().all(|taken| !taken.conflicting));
    assert_eq!(books.quarantined, []);
    assert_eq!(books.counts.outbox_rows, 0);
}

#[tokio::test]
async fn workers_share_a_channels_rate_and_what_is_deployed() {
    let Some(server) = postgres::server("workers::share_a_rate") else { return };
    let _alone = alone().await;
    let (http, url) = (http(), server.url(&server.database().await));
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(folder.path(), Manners::Steady);
    let projects = bank(&url, &receiver);
    let (one, two) = (projects[0].start(&http).await, projects[1].start(&http).await);
    spread(&http, &[(&projects[0], 32), (&projects[1], 32)], LEASE).await;

    let ids: Vec<String> = (0..RATE * 5).map(|n| format!("C{n:04}")).collect();
    for (chunk, project) in ids.chunks(30).zip(projects[..2].iter().cycle()) {
        let events: Vec<Value> = chunk.iter().flat_map(|id| comes(id, "rang")).collect();
        assert_eq!(send(&http, &project.url(), &events).await.accepted, 60);
    }
    // A third one gets its share in the middle of it.
    let three = projects[2].start(&http).await;
    spread(&http, &even(&projects), LEASE).await;
    let mut at: Vec<i64> = arrived(&http, &receiver, ids.len()).await.iter().map(|it| it.at_ms).collect();
    at.sort_unstable();
    for (n, first) in at.iter().enumerate() {
        let inside = at[n..].iter().take_while(|at| **at < first + 1_000 - JITTER_MS).count();
        assert!(inside <= RATE, "{inside} messages within a second");
    }
    let lasted = at.last().unwrap() - at[0];
    assert!(lasted < 15_000, "slower than the rate allows: {lasted} ms");

    all_are_switched(&http, &projects, &projects[2], true).await;
    assert!(one.stop().await.success());
    let one = all_learn_what_one_deploys(&http, &projects).await;
    spread(&http, &even(&projects), LEASE).await;
    all_are_switched(&http, &projects, &projects[1], false).await;
    // Everybody rang once before: the second time is the second time, at whichever door.
    for (chunk, project) in ids.chunks(30).zip(projects.iter().rev().cycle()) {
        let again = |id: &String| event(&format!("again:{id}"), "rang", id, &json!({}));
        let events: Vec<Value> = chunk.iter().map(again).collect();
        assert_eq!(send(&http, &project.url(), &events).await.accepted, 30);
    }
    arrived(&http, &receiver, 2 * ids.len()).await;
    for daemon in [one, two, three] {
        assert!(daemon.stop().await.success());
    }
    let twice = receiver.taken(&http).await.into_values().filter(|taken| taken.deliveries > 1).count();
    assert_eq!(twice, 0, "nobody was killed, so nothing was sent twice, whoever gave what to whom");
}

/// Whoever is asked, whoever dies: each customer hears two bells of six rings.
#[tokio::test]
async fn three_workers_together_keep_a_customers_cap() {
    let Some(server) = postgres::server("workers::keep_a_cap") else { return };
    let _alone = alone().await;
    let (http, url) = (http(), server.url(&server.database().await));
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(folder.path(), Manners::Steady);
    let projects = bank_of(&format!("{JOURNEYS}{CAPPED}"), &url, &receiver);
    let [one, two, three] = ready(&http, &projects).await;
    spread(&http, &even(&projects), START).await;
    let ids: Vec<String> = (0..40).map(|n| format!("C{n:04}")).collect();
    let known: Vec<Value> = ids.iter().flat_map(|id| comes(id, "noticed").into_iter().take(1)).collect();
    send(&http, &projects[0].url(), &known).await;
    // Every customer rings at all three doors at once.
    let rings = |round: usize, door: usize| -> Vec<Value> {
        let ring = |id: &String| event(&format!("ring:{round}:{door}:{id}"), "rang", id, &json!({}));
        ids.iter().map(ring).collect()
    };
    let [first, second, third] = projects.each_ref().map(Project::url);
    let (a, b, c) = (rings(1, 1), rings(1, 2), rings(1, 3));
    let at_once = tokio::join!(send(&http, &first, &a), send(&http, &second, &b), send(&http, &third, &c));
    assert_eq!([at_once.0.accepted, at_once.1.accepted, at_once.2.accepted], [40; 3]);
    // One of them is gone; its customers ring at the others.
    three.kill();
    spread(&http, &[(&projects[0], 32), (&projects[1], 32)], 3 * LEASE).await;
    let (a, b) = (rings(2, 1), rings(2, 2));
    let again = tokio::join!(send(&http, &first, &a), send(&http, &second, &b));
    assert_eq!([again.0.accepted, again.1.accepted], [40; 2]);
    let told = async || {
        let mut told: BTreeMap<String, usize> = BTreeMap::new();
        for taken in receiver.taken(&http).await.into_values() {
            let said: Value = serde_json::from_str(&taken.body).unwrap();
            let key = said["message"].as_str().unwrap();
            if !key.starts_with("every_ring/") {
                continue;
            }
            *told.entry(key.split('/').nth(1).unwrap_or_default().to_owned()).or_default() += 1;
        }
        told
    };
    soon("two for each", async || told().await.values().sum::<usize>() >= 2 * ids.len()).await;
    for daemon in [one, two] {
        assert!(daemon.stop().await.success());
    }
    assert_eq!(told().await, ids.iter().map(|id| (id.clone(), 2)).collect());
}

async fn arrived(http: &reqwest::Client, receiver: &Receiver, count: usize) -> Vec<Arrival> {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let arrivals = receiver.arrivals(http, 0).await;
        if arrivals.len() == count {
            return arrivals;
        }
        assert!(Instant::now() < until, "{} arrived", arrivals.len());
        sleep(Duration::from_millis(50)).await;
    }
}

/// A switch that is set at one door holds at the others.
async fn all_are_switched(http: &reqwest::Client, projects: &[Project; 3], at: &Project, on: bool) {
    let switch = http.post(format!("{}/v1/kill", at.url())).json(&json!({ "all": on }));
    assert!(switch.send().await.unwrap().status().is_success());
    for project in projects {
        let sees = async || {
            let kill = http.get(format!("{}/v1/kill", project.url())).send().await.unwrap();
            kill.json::<Value>().await.unwrap()["all"] == json!(on)
        };
        soon("the switch is seen", sees).await;
    }
}

/// Starts the first worker with a journey that asks for the past, which one worker fills in while it holds all
/// customers.
async fn all_learn_what_one_deploys<'a>(http: &reqwest::Client, projects: &'a [Project; 3]) -> Daemon<'a> {
    let live = async |project: &Project| {
        let stats = http.get(format!("{}/v1/stats", project.url())).send().await.unwrap();
        stats.json::<Value>().await.unwrap()["bundle"].as_str().unwrap().to_owned()
    };
    let before = live(&projects[2]).await;
    let later = format!("{}{FREQUENT}", JOURNEYS.replace("wait 1s", "wait 2s"));
    std::fs::write(projects[0].path().join("main.journey"), later).unwrap();
    let one = projects[0].start(http).await;
    soon("the history is filled in", async || {
        let after = live(&projects[0]).await;
        after != before && !after.ends_with('~')
    })
    .await;
    let after = live(&projects[0]).await;
    for project in projects {
        soon("the deployment is seen", async || live(project).await == after).await;
    }
    one
}

/// Within a few heartbeats and what they bring about.
async fn soon(what: &str, holds: impl AsyncFn() -> bool) {
    let until = Instant::now() + LEASE;
    while !holds().await {
        assert!(Instant::now() < until, "not so: {what}");
        sleep(Duration::from_millis(50)).await;
    }
}
