//! A provider's side of a webhook as a process of its own: takes signed messages, takes effect once per idempotency
//! key, and, where asked to, fails now and then.
//!
//! The test binary starts itself again with `WAYFARE_TEST_RECEIVER` set to a file into which the receiver writes its
//! address; without that variable the "test" below returns at once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wayfare::channel::webhook::Signer;
use wayfare::engine::clock::wall;

use super::secret;

const ADDRESS_FILE: &str = "WAYFARE_TEST_RECEIVER";
const MANNERS: &str = "WAYFARE_TEST_RECEIVER_MANNERS";

/// How the provider behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manners {
    /// Takes every message at once.
    Steady,
    /// Refuses every 97th request before it took effect, and answers every 101st with an error after it did.
    Moody,
}

/// What took effect under one key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Taken {
    /// How often it was delivered.
    pub(crate) deliveries: u32,
    /// Whether two deliveries said different things.
    pub(crate) conflicting: bool,
    pub(crate) body: String,
}

/// The first delivery under a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Arrival {
    /// The idempotency key.
    pub(crate) id: String,
    /// Milliseconds since 1970.
    pub(crate) at_ms: i64,
    pub(crate) body: String,
}

#[derive(Default)]
struct Book {
    taken: BTreeMap<String, Taken>,
    /// In order.
    arrivals: Vec<Arrival>,
    requests: u64,
    moody: bool,
}

type Shared = Arc<Mutex<Book>>;

/// A running receiver process; killed when dropped.
pub(crate) struct Receiver {
    child: Child,
    pub(crate) url: String,
}

impl Receiver {
    /// `dir` is for the receiver's own files.
    pub(crate) fn start(dir: &Path, manners: Manners) -> Self {
        let file = dir.join("receiver.address");
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "support::receiver::receiver_process", "--nocapture"])
            .env(ADDRESS_FILE, &file)
            .env(MANNERS, format!("{manners:?}"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut receiver = Self { child, url: String::new() };
        for _ in 0..400 {
            if let Ok(address) = std::fs::read_to_string(&file)
                && !address.is_empty()
            {
                receiver.url = format!("http://{address}");
                return receiver;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the receiver did not start");
    }

    /// Where messages go.
    pub(crate) fn messages(&self) -> String {
        format!("{}/message", self.url)
    }

    /// What arrived for the first time, in order, from the `after`-th on.
    pub(crate) async fn arrivals(&self, http: &reqwest::Client, after: usize) -> Vec<Arrival> {
        self.get(http, &format!("arrivals?after={after}")).await
    }

    /// By idempotency key.
    pub(crate) async fn taken(&self, http: &reqwest::Client) -> BTreeMap<String, Taken> {
        self.get(http, "taken").await
    }

    async fn get<T: DeserializeOwned>(&self, http: &reqwest::Client, path: &str) -> T {
        http.get(format!("{}/{path}", self.url)).send().await.unwrap().json().await.unwrap()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Not a test: the body of the receiver process.
#[test]
fn receiver_process() {
    let Some(file) = std::env::var_os(ADDRESS_FILE).map(PathBuf::from) else { return };
    let moody = std::env::var(MANNERS).is_ok_and(|manners| manners == "Moody");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let temporary = file.with_extension("part");
        std::fs::write(&temporary, listener.local_addr().unwrap().to_string()).unwrap();
        std::fs::rename(&temporary, &file).unwrap();
        let router = Router::new()
            .route("/message", post(message))
            .route("/arrivals", get(arrivals))
            .route("/taken", get(taken))
            .with_state(Arc::new(Mutex::new(Book { moody, ..Book::default() })));
        axum::serve(listener, router).await.unwrap();
    });
}

async fn message(State(book): State<Shared>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Some(id) = headers.get("idempotency-key").and_then(|id| id.to_str().ok()) else {
        return StatusCode::BAD_REQUEST;
    };
    let body = String::from_utf8_lossy(&body).into_owned();
    if !is_signed(&headers, id, &body) {
        return StatusCode::UNAUTHORIZED;
    }
    let mut book = book.lock().unwrap();
    book.requests += 1;
    if book.moody && book.requests % 97 == 0 {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    if !book.taken.contains_key(id) {
        let arrival = Arrival { id: id.to_owned(), at_ms: wall().as_millisecond(), body: body.clone() };
        book.arrivals.push(arrival);
    }
    let taken = book.taken.entry(id.to_owned()).or_default();
    taken.deliveries += 1;
    taken.conflicting |= taken.deliveries > 1 && taken.body != body;
    taken.body = body;
    if book.moody && book.requests % 101 == 0 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
}

/// Whether it comes from somebody who knows our secret.
fn is_signed(headers: &HeaderMap, id: &str, body: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Ok(timestamp) = text("webhook-timestamp").parse() else { return false };
    let signature = Signer::new(secret()).unwrap().sign(id, timestamp, body);
    text("webhook-id") == id && text("webhook-signature") == signature
}

#[derive(Deserialize)]
struct After {
    after: usize,
}

async fn arrivals(State(book): State<Shared>, Query(query): Query<After>) -> axum::Json<Vec<Arrival>> {
    axum::Json(book.lock().unwrap().arrivals.iter().skip(query.after).cloned().collect())
}

async fn taken(State(book): State<Shared>) -> axum::Json<BTreeMap<String, Taken>> {
    axum::Json(book.lock().unwrap().taken.clone())
}
