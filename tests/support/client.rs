//! A system of the bank that reports events and does not give up before they are acknowledged.

use std::sync::Once;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// How long a daemon may be away, or be killed again before it has kept what it got: a machine with much else to do needs minutes.
const PATIENCE: Duration = Duration::from_mins(5);
const PAUSE: Duration = Duration::from_millis(100);

/// What the daemon says became of the events of one request.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Account {
    pub(crate) accepted: u64,
    pub(crate) duplicates: u64,
    pub(crate) rejected: Vec<Rejected>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Rejected {
    pub(crate) index: u64,
    pub(crate) line: Option<u64>,
    pub(crate) id: Option<String>,
    pub(crate) code: String,
    pub(crate) reason: String,
    #[serde(default)]
    pub(crate) quarantined: bool,
}

/// A client for plain HTTP to this machine.
pub(crate) fn http() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Somebody else's choice of provider is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap()
}

/// An event without `time`: it happens when it arrives.
pub(crate) fn event(id: &str, kind: &str, subject: &str, data: &Value) -> Value {
    json!({
        "specversion": "1.0", "source": "https://core.bank.example/events", "id": id, "type": kind,
        "subject": subject, "data": data,
    })
}

/// Events as NDJSON, once; `None` if the daemon is away or could not keep them.
pub(crate) async fn try_send(http: &reqwest::Client, url: &str, lines: &str) -> Option<Account> {
    let request = http.post(format!("{url}/v1/events")).header("content-type", "application/x-ndjson");
    let answer = request.body(lines.to_owned()).send().await.ok()?;
    let (status, text) = (answer.status(), answer.text().await.ok()?);
    if status.is_server_error() || status.as_u16() == 429 {
        return None;
    }
    assert!(matches!(status.as_u16(), 200 | 207), "{status}: {text}");
    Some(serde_json::from_str(&text).unwrap())
}

/// Events as NDJSON, again and again until the daemon acknowledges them. De-duplication makes that safe.
pub(crate) async fn send(http: &reqwest::Client, url: &str, events: &[Value]) -> Account {
    let lines = ndjson(events);
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(account) = try_send(http, url, &lines).await {
            return account;
        }
        assert!(Instant::now() < until, "nothing was acknowledged in {PATIENCE:?}");
        sleep(PAUSE).await;
    }
}

pub(crate) fn ndjson(events: &[Value]) -> String {
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    lines.join("\n") + "\n"
}
