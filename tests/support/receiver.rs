//! A provider's side of a webhook as a process of its own: takes messages, takes effect once per idempotency key,
//! fails now and then, and thinks of what the customer does next.
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
use serde::{Deserialize, Serialize};

const ADDRESS_FILE: &str = "WAYFARE_TEST_RECEIVER";

/// What took effect under one key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Taken {
    /// How often it was delivered.
    pub(crate) deliveries: u32,
    /// Whether two deliveries said different things.
    pub(crate) conflicting: bool,
    pub(crate) body: String,
}

#[derive(Default)]
struct Book {
    taken: BTreeMap<String, Taken>,
    /// Keys in the order of their first delivery.
    order: Vec<String>,
    requests: u64,
}

type Shared = Arc<Mutex<Book>>;

/// A running receiver process; killed when dropped.
pub(crate) struct Receiver {
    child: Child,
    pub(crate) url: String,
}

impl Receiver {
    pub(crate) fn start(dir: &Path) -> Self {
        let file = dir.join("receiver.address");
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "support::receiver::receiver_process", "--nocapture"])
            .env(ADDRESS_FILE, &file)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..200 {
            if let Ok(address) = std::fs::read_to_string(&file)
                && !address.is_empty()
            {
                return Self { child, url: format!("http://{address}") };
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the receiver did not start");
    }

    /// Keys in the order in which they first arrived, from the `after`-th on.
    pub(crate) async fn order(&self, http: &reqwest::Client, after: usize) -> Vec<String> {
        let url = format!("{}/order?after={after}", self.url);
        http.get(url).send().await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn taken(&self, http: &reqwest::Client) -> BTreeMap<String, Taken> {
        http.get(format!("{}/taken", self.url)).send().await.unwrap().json().await.unwrap()
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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let temporary = file.with_extension("part");
        std::fs::write(&temporary, listener.local_addr().unwrap().to_string()).unwrap();
        std::fs::rename(&temporary, &file).unwrap();
        let router = Router::new()
            .route("/message", post(message))
            .route("/order", get(order))
            .route("/taken", get(taken))
            .with_state(Shared::default());
        axum::serve(listener, router).await.unwrap();
    });
}

/// Every 97th request is refused before it took effect, every 101st is answered with an error after it did.
async fn message(State(book): State<Shared>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Some(key) = headers.get("idempotency-key").and_then(|key| key.to_str().ok()) else {
        return StatusCode::BAD_REQUEST;
    };
    let mut book = book.lock().unwrap();
    book.requests += 1;
    if book.requests % 97 == 0 {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let text = String::from_utf8_lossy(&body).into_owned();
    if !book.taken.contains_key(key) {
        book.order.push(key.to_owned());
    }
    let taken = book.taken.entry(key.to_owned()).or_default();
    taken.deliveries += 1;
    taken.conflicting |= taken.deliveries > 1 && taken.body != text;
    taken.body = text;
    if book.requests % 101 == 0 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
}

#[derive(Deserialize)]
struct After {
    after: usize,
}

async fn order(State(book): State<Shared>, Query(query): Query<After>) -> axum::Json<Vec<String>> {
    axum::Json(book.lock().unwrap().order.iter().skip(query.after).cloned().collect())
}

async fn taken(State(book): State<Shared>) -> axum::Json<BTreeMap<String, Taken>> {
    axum::Json(book.lock().unwrap().taken.clone())
}
