//! Two workers on one server share the customers. One goes on alone when the other ends, dies or stands still. Nothing
//! is lost, nothing happens twice, and who was asleep can write nothing that is not its own any more.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::client::{event, http, send};
use crate::support::daemon::Project;
use crate::support::stores::Place;

const JOURNEYS: &str = r#"
entity customer "客户" {
  key id : Id
  consent "同意接收的渠道" : [channel]
}

event knocked "来访" of customer { }

tag seen "来过" of customer { keep 30 days }

journey notice "记录" of customer {
  purpose service
  owner "service@bank.example"
  enter on knocked
  reenter never
  tag seen
  end noticed
}
"#;

const PATIENCE: Duration = Duration::from_secs(30);

/// Twenty customers, who become known and knock.
fn people(wave: usize) -> Vec<Value> {
    let ids = (0..20).map(|n| format!("C{wave}{n:02}"));
    let both = |id: String| {
        let known = json!({ "consent": [] });
        [
            event(&format!("known:{id}"), "wayfare.attributes", &id, &known),
            event(&format!("knock:{id}"), "knocked", &id, &json!({})),
        ]
    };
    ids.flat_map(both).collect()
}

async fn holds(http: &reqwest::Client, project: &Project, groups: u64) {
    let until = Instant::now() + PATIENCE;
    loop {
        let stats = http.get(format!("{}/v1/stats", project.url())).send().await;
        let found = match stats {
            Ok(stats) => stats.json::<Value>().await.ok().and_then(|stats| stats["groups"].as_u64()),
            Err(_) => None,
        };
        if found == Some(groups) {
            return;
        }
        assert!(Instant::now() < until, "it holds {found:?} and not {groups}: {}", project.log_tail());
        sleep(Duration::from_millis(50)).await;
    }
}

/// Sends a wave to one door and then to the other: whoever holds a customer, nothing is taken twice.
async fn twice(http: &reqwest::Client, one: &Project, other: &Project, wave: usize) {
    assert_eq!(send(http, &one.url(), &people(wave)).await.accepted, 40);
    let again = send(http, &other.url(), &people(wave)).await;
    assert_eq!((again.accepted + again.duplicates, again.rejected.len()), (40, 0));
}

#[tokio::test]
async fn another_worker_goes_on_when_the_first_ends_dies_or_stands_still() {
    let Some(Place::Database(url)) = Place::database("takeover").await else { return };
    let project = || Project::of(JOURNEYS).on(Place::Database(url.clone()));
    let (http, one, other) = (http(), project(), project());
    one.settings("", "");
    other.settings("", "");

    let first = one.start(&http).await;
    holds(&http, &one, 64).await;
    let second = other.start(&http).await;
    holds(&http, &one, 32).await;
    holds(&http, &other, 32).await;
    twice(&http, &one, &other, 0).await;
    assert!(first.stop().await.success(), "{}", one.log_tail());
    let ended = Instant::now();
    holds(&http, &other, 64).await;
    assert!(ended.elapsed() < Duration::from_secs(5), "the groups were handed over, not waited for");
    assert_eq!(send(&http, &other.url(), &people(0)).await.duplicates, 40);

    let first = one.start(&http).await;
    holds(&http, &one, 32).await;
    second.kill();
    assert_eq!(send(&http, &one.url(), &people(1)).await.accepted, 40);
    holds(&http, &one, 64).await;
    assert_eq!(send(&http, &one.url(), &people(1)).await.duplicates, 40);

    let second = other.start(&http).await;
    holds(&http, &other, 32).await;
    first.signal("STOP");
    holds(&http, &other, 64).await;
    assert_eq!(send(&http, &other.url(), &people(2)).await.accepted, 40);
    first.signal("CONT");
    // It finds that it was taken over, and gets its share again.
    holds(&http, &one, 32).await;
    twice(&http, &one, &other, 3).await;
    assert!(first.stop().await.success(), "{}", one.log_tail());
    holds(&http, &other, 64).await;
    let again = send(&http, &other.url(), &people(3)).await;
    assert_eq!(again.accepted + again.duplicates, 40);

    // `why` reads the same store.
    assert!(one.wayfare(&["why", "C000"]).status().unwrap().success(), "{}", one.log_tail());
    assert!(one.log_tail().contains("notice"), "{}", one.log_tail());
    assert!(second.stop().await.success(), "{}", other.log_tail());
    let books = other.books().await;
    assert_eq!(books.customers.len(), 80);
    for (id, state) in &books.customers {
        assert_eq!(books.entries(state, "notice").len(), 1, "{id}");
    }
    assert_eq!(books.quarantined, []);
}
