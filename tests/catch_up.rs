//! A daemon that was away for longer than a wait catches up: all of it, in order, and no faster than the rate.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::client::{event, http, send};
use crate::support::daemon::Project;
use crate::support::receiver::{Arrival, Manners, Receiver};
use crate::support::stores::{Place, on_both_stores};
use crate::support::{alone, secret};

const CUSTOMERS: usize = 400;
/// Customers whose wait began together.
const GROUP: usize = 20;
/// As declared below, per second.
const RATE: usize = 50;
/// Longest time between a dispatch and its arrival: connections, and a machine that does other things. Two messages
/// can therefore be closer at the receiver than they were when they left, by this much and no more.
const JITTER_MS: i64 = 300;

const JOURNEYS: &str = r#"
entity customer "客户" {
  key id : Id
  consent "同意接收的渠道" : [channel]
}

event knocked "来访" of customer { }

channel bell "门铃" {
  kind push
  surface owned
  rate 50 per second
  owner "bell@bank.example"
}

journey answer "回访" of customer {
  purpose service
  owner "service@bank.example"
  enter on knocked
  reenter never

  wait 6s
  send hello via bell
  end answered
}

content hello "问候" {
  via bell """您好，我们来了。"""
}
"#;

/// How the daemon went away.
#[derive(Clone, Copy)]
enum Leaves {
    Stopped,
    Killed,
}

on_both_stores!(
    a_daemon_that_was_stopped_catches_up_in_order_and_within_the_rate,
    a_daemon_that_was_killed_catches_up_in_order_and_within_the_rate,
);

async fn a_daemon_that_was_stopped_catches_up_in_order_and_within_the_rate(place: Place) {
    away_for_longer_than_the_wait(place, Leaves::Stopped).await;
}

async fn a_daemon_that_was_killed_catches_up_in_order_and_within_the_rate(place: Place) {
    away_for_longer_than_the_wait(place, Leaves::Killed).await;
}

async fn away_for_longer_than_the_wait(place: Place, leaves: Leaves) {
    let _alone = alone().await;
    let http = http();
    let project = Project::of(JOURNEYS).on(place);
    let receiver = Receiver::start(project.path(), Manners::Steady);
    project.settings("", &settings(&receiver));
    let daemon = project.start(&http).await;
    knock(&http, &project.url()).await;
    match leaves {
        Leaves::Stopped => assert!(daemon.stop().await.success(), "{}", project.log_tail()),
        Leaves::Killed => daemon.kill(),
    }
    assert_eq!(receiver.arrivals(&http, 0).await, [], "the wait is longer than the story so far");
    sleep(Duration::from_secs(7)).await;

    let daemon = project.start(&http).await;
    let arrivals = all_arrivals(&receiver, &http).await;
    assert!(daemon.stop().await.success(), "{}", project.log_tail());
    in_order(&arrivals);
    within_the_rate(&arrivals);
    let taken = receiver.taken(&http).await;
    assert!(taken.len() == CUSTOMERS && taken.values().all(|taken| !taken.conflicting));
}

fn settings(receiver: &Receiver) -> String {
    let (url, secret) = (receiver.messages(), secret());
    format!(
        "[channels.bell]\nkind = \"webhook\"\nurl = \"{url}\"\nsecret = \"{secret}\"\nallow_private = true\n"
    )
}

fn id(number: usize) -> String {
    format!("C{number:03}")
}

/// Everybody becomes known; then they knock, group after group, within a second and a half.
async fn knock(http: &reqwest::Client, url: &str) {
    let known = |number| {
        let data = json!({ "consent": ["bell"] });
        event(&format!("known:{number}"), "wayfare.attributes", &id(number), &data)
    };
    let knocks = |number| event(&format!("knock:{number}"), "knocked", &id(number), &json!({}));
    let account = send(http, url, &(0..CUSTOMERS).map(known).collect::<Vec<_>>()).await;
    assert_eq!(account.accepted, CUSTOMERS as u64, "{account:?}");
    for group in 0..CUSTOMERS / GROUP {
        let account =
            send(http, url, &(0..GROUP).map(|n| knocks(group * GROUP + n)).collect::<Vec<_>>()).await;
        assert_eq!(account.accepted, GROUP as u64, "{account:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Waits for one message for everybody.
async fn all_arrivals(receiver: &Receiver, http: &reqwest::Client) -> Vec<Arrival> {
    for _ in 0..300 {
        let arrivals = receiver.arrivals(http, 0).await;
        if arrivals.len() >= CUSTOMERS {
            return arrivals;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("only {} of {CUSTOMERS} messages arrived", receiver.arrivals(http, 0).await.len());
}

/// Nobody is served before somebody of an earlier group.
fn in_order(arrivals: &[Arrival]) {
    let mut groups: BTreeMap<usize, (i64, i64)> = BTreeMap::new();
    for arrival in arrivals {
        let body: Value = serde_json::from_str(&arrival.body).unwrap();
        let number: usize =
            body["message"].as_str().unwrap().split('/').nth(1).unwrap()[1..].parse().unwrap();
        let span = groups.entry(number / GROUP).or_insert((arrival.at_ms, arrival.at_ms));
        *span = (span.0.min(arrival.at_ms), span.1.max(arrival.at_ms));
    }
    assert_eq!(groups.len(), CUSTOMERS / GROUP);
    let mut latest = i64::MIN;
    for (group, (first, last)) in groups {
        assert!(
            first + JITTER_MS >= latest,
            "group {group} came {} ms before an earlier one",
            latest - first
        );
        latest = latest.max(last);
    }
}

/// Messages that arrived within a second less the jitter left within one second.
fn within_the_rate(arrivals: &[Arrival]) {
    let times: Vec<i64> = arrivals.iter().map(|arrival| arrival.at_ms).collect();
    assert!(times.is_sorted());
    for (index, first) in times.iter().enumerate() {
        let window = times[index..].iter().take_while(|at| **at < first + 1000 - JITTER_MS).count();
        assert!(window <= RATE, "{window} messages within {} ms", 1000 - JITTER_MS);
    }
    // The whole cannot be quicker than the rate either, whatever the jitter.
    let (first, last) = (times[0], times[times.len() - 1]);
    let seconds = i64::try_from(CUSTOMERS.div_ceil(RATE) - 1).unwrap();
    assert!(last - first >= seconds * 1000 - JITTER_MS, "all came within {} ms", last - first);
}
