//! Two workers on one server: one works, the other stands by and goes on when the first one ends, dies or stands
//! still. Nothing is lost, nothing happens twice, and who was asleep can write nothing.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::client::{event, http, ndjson, send, try_send};
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

async fn stands_by(project: &Project, times: usize) {
    let until = Instant::now() + PATIENCE;
    while project.log_tail().matches("standing by").count() < times {
        assert!(Instant::now() < until, "it does not stand by: {}", project.log_tail());
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn another_worker_goes_on_when_the_first_ends_dies_or_stands_still() {
    let Some(Place::Database(url)) = Place::database("takeover").await else { return };
    let project = || Project::of(JOURNEYS).on(Place::Database(url.clone()));
    let (http, one, other) = (http(), project(), project());
    one.settings("", "");
    other.settings("", "");

    let first = one.start(&http).await;
    assert_eq!(send(&http, &one.url(), &people(0)).await.accepted, 40);
    let second = other.launch();
    stands_by(&other, 1).await;
    let look = http.get(format!("{}/readyz", other.url())).timeout(Duration::from_millis(300));
    assert!(look.send().await.is_err(), "it is not ready while the first one works");
    assert!(first.stop().await.success(), "{}", one.log_tail());
    let ended = Instant::now();
    let second = second.ready(&http).await;
    assert!(ended.elapsed() < Duration::from_secs(8), "the groups were handed over, not waited for");
    assert_eq!(send(&http, &other.url(), &people(0)).await.duplicates, 40);

    let first = one.launch();
    stands_by(&one, 1).await;
    assert_eq!(send(&http, &other.url(), &people(1)).await.accepted, 40);
    second.kill();
    let first = first.ready(&http).await;
    assert_eq!(send(&http, &one.url(), &people(1)).await.duplicates, 40);

    let second = other.launch();
    stands_by(&other, 2).await;
    first.signal("STOP");
    let second = second.ready(&http).await;
    assert_eq!(send(&http, &other.url(), &people(2)).await.accepted, 40);
    first.signal("CONT");
    assert!(try_send(&http, &one.url(), &ndjson(&people(3))).await.is_none(), "it was taken over");
    assert!(!first.ended().await.success(), "{}", one.log_tail());
    assert_eq!(send(&http, &other.url(), &people(3)).await.accepted, 40);
    assert!(second.stop().await.success(), "{}", other.log_tail());

    // `why` reads the same store.
    assert!(one.wayfare(&["why", "C000"]).status().unwrap().success(), "{}", one.log_tail());
    assert!(one.log_tail().contains("notice"), "{}", one.log_tail());
    let books = other.books().await;
    assert_eq!(books.customers.len(), 80);
    for (id, state) in &books.customers {
        assert_eq!(books.entries(state, "notice").len(), 1, "{id}");
    }
    assert_eq!(books.quarantined, []);
}
