//! Who may come in: loopback by default, the network only with a token, and changes only with the token.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;

use crate::support::client::{event, http, ndjson};
use crate::support::daemon::Project;

const TOKEN: &str = "a-token-of-more-than-sixteen";

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

#[test]
fn without_a_token_the_network_is_refused() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let project = Project::of(JOURNEYS);
        project.settings_on(address, "", "");
        let status = project.wayfare(&["run"]).status().unwrap();
        assert_eq!(status.code(), Some(2), "{}", project.log_tail());
        assert!(project.log_tail().contains("E0515"), "{}", project.log_tail());
        assert!(!project.store().exists(), "nothing was begun");
    }
}

#[test]
fn the_command_line_opens_no_door_either() {
    let project = Project::of(JOURNEYS);
    project.settings("", "");
    let status = project.wayfare(&["run", "--listen", "0.0.0.0:0"]).status().unwrap();
    assert_eq!(status.code(), Some(2), "{}", project.log_tail());
    assert!(project.log_tail().contains("E0515"), "{}", project.log_tail());
    assert!(!project.store().exists(), "nothing was begun");
}

#[test]
fn what_is_not_set_listens_on_loopback_only() {
    let config = wayfare::config::Config::default();
    assert!(config.server.listen.ip().is_loopback() && config.server.token.is_none());
}

#[tokio::test]
async fn with_a_token_nothing_changes_without_it() {
    let http = http();
    let project = Project::of(JOURNEYS);
    let listen = project.url().replace("http://127.0.0.1", "0.0.0.0");
    project.settings_on(&listen, &format!("token = \"{TOKEN}\""), "");
    let daemon = project.start(&http).await;

    let events = ndjson(&[event("1", "knocked", "C1", &json!({}))]);
    let posts =
        [("events", "application/x-ndjson", events.as_str()), ("kill", "application/json", "{\"all\":true}")];
    for (path, kind, body) in posts {
        for header in [None, Some("Bearer wrong-token-of-this-length"), Some("Bearer "), Some(TOKEN)] {
            let mut request = http.post(format!("{}/v1/{path}", project.url())).header("content-type", kind);
            if let Some(header) = header {
                request = request.header("authorization", header);
            }
            let answer = request.body(body.to_owned()).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path} with {header:?}");
        }
    }
    assert_eq!(stats(&http, &project).await["accepted"], 0, "refused requests changed nothing");

    let request = http.post(format!("{}/v1/events", project.url())).bearer_auth(TOKEN);
    let answer = request.header("content-type", "application/x-ndjson").body(events).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let after = stats(&http, &project).await;
    assert_eq!(after["parked"], 1, "{after}");
    assert!(daemon.stop().await.success(), "{}", project.log_tail());
}

async fn stats(http: &reqwest::Client, project: &Project) -> serde_json::Value {
    let request = http.get(format!("{}/v1/stats", project.url())).bearer_auth(TOKEN);
    request.timeout(Duration::from_secs(5)).send().await.unwrap().json().await.unwrap()
}
