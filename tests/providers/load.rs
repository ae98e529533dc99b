//! A load: the engine, two providers in a row, and the first of them fails, stalls, answers twice, breaks off and lies about
//! timeouts. `WAYFARE_LOAD=50000` makes it 100,000 messages (`scripts/provider-load`).

#![expect(clippy::disallowed_methods, reason = "how long a load takes, only the clock tells")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use wayfare::channel::Channels;
use wayfare::engine::{Options, begin_clock, open_clock, start};
use wayfare::name::Name;

use super::channel;
use crate::engine::rig::{STEPS, bundle, event, key};
use crate::support::stores::Place;

/// So much faster than the wall are the pauses between attempts.
const SPEED: u32 = 120;
const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// What a provider did, by idempotency key.
#[derive(Default)]
struct Book {
    requests: BTreeMap<String, u32>,
    effects: BTreeMap<String, u32>,
}

struct Provider {
    url: String,
    book: Arc<Mutex<Book>>,
}

impl Provider {
    /// An idempotent provider; of a hundred requests `bad` go wrong, in all the ways there are.
    async fn start(bad: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let book = Arc::new(Mutex::new(Book::default()));
        let kept = Arc::clone(&book);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(conversation(stream, Arc::clone(&kept), bad));
            }
        });
        Self { url, book }
    }
}

async fn conversation(stream: TcpStream, book: Arc<Mutex<Book>>, bad: u32) {
    let mut stream = BufReader::new(stream);
    while let Some(key) = request(&mut stream).await {
        let attempt = {
            let mut book = book.lock().unwrap();
            let attempt = book.requests.entry(key.clone()).or_default();
            *attempt += 1;
            *attempt
        };
        // The same in every run.
        let dice = crc(&format!("{key}/{attempt}")) % 100;
        let manner = if dice < bad { dice % 9 } else { 9 };
        let takes = !matches!(manner, 0..=2);
        if takes {
            // Its promise: a key that it knows has no second effect.
            book.lock().unwrap().effects.entry(key).or_insert(1);
        }
        let answer: &[u8] = match manner {
            0 => b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
            1 => b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n",
            // Silence: without effect, and with it.
            2 | 3 => {
                tokio::time::sleep(Duration::from_millis(1_500)).await;
                return;
            }
            // Too late.
            4 => {
                tokio::time::sleep(Duration::from_millis(1_200)).await;
                OK
            }
            5 => b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n",
            6 => b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"half",
            7 => b"",
            // Twice.
            8 => {
                b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n"
            }
            _ => OK,
        };
        if stream.write_all(answer).await.is_err() || matches!(manner, 6 | 7) {
            return;
        }
    }
}

/// The idempotency key of the next request.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let (mut key, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
        let line = line.trim_end();
        if line.is_empty() && !key.is_empty() {
            break;
        }
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("idempotency-key") => value.clone_into(&mut key),
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().ok()?;
            }
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(key)
}

fn crc(text: &str) -> u32 {
    text.bytes().fold(2_166_136_261, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619))
}

fn settings(first: &Provider, second: &Provider) -> String {
    let provider = |name: &str, url: &str| {
        format!(
            "[providers.{name}]\nprovider = \"http\"\nurl = \"{url}\"\nallow_private = true\ntimeout = \"1 second\"\n\
             idempotent = true\nsends = 200\n[providers.{name}.headers]\nIdempotency-Key = \"{{{{ id }}}}\"\n\
             [providers.{name}.answer]\nid = \"/id\"\n"
        )
    };
    format!(
        "[channels.it]\nproviders = \"a, b\"\n{}{}",
        provider("a", &first.url),
        provider("b", &second.url)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_takes_effect_once_whatever_the_provider_does() {
    let customers: usize = std::env::var("WAYFARE_LOAD").map_or(300, |count| count.parse().unwrap());
    let (first, second) = (Provider::start(30).await, Provider::start(10).await);
    let both = channel(&settings(&first, &second));
    let channels =
        Channels::default().with(Name::new("push"), Arc::clone(&both)).with(Name::new("sms"), both);
    let place = Place::file();
    let store = place.open(true).await.unwrap();
    begin_clock(&*store, "2026-11-22T02:00:00Z".parse().unwrap(), SPEED).await.unwrap();
    let clock = open_clock(&*store, Some(SPEED)).await.unwrap();
    let options = Options { steps: STEPS, ..Options::new(channels, TimeZone::UTC, clock) };
    let begun = Instant::now();
    let (handle, task) = start(store, options).await.unwrap();
    handle.deploy(bundle("load", None, false)).await.unwrap();
    let ids: Vec<String> = (0..customers).map(|number| format!("c{number}")).collect();
    for some in ids.chunks(1_000) {
        let now: Timestamp = handle.now();
        let events = some.iter().map(|id| event("enrolled", id, now)).collect();
        handle.submit(events).await.unwrap();
    }
    // A push and an SMS for everybody.
    let expected = 2 * customers as u64;
    let patience = Duration::from_secs(60 + customers as u64 / 50);
    while handle.stats().sent + handle.stats().failed < expected {
        assert!(begun.elapsed() < patience, "{:?}", handle.stats());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (stats, took) = (handle.stats(), begun.elapsed());
    handle.stop().await;
    task.await.unwrap().unwrap();
    assert_eq!((stats.sent, stats.failed, stats.outbox), (expected, 0, 0), "{stats:?}");

    let (first, second) = (first.book.lock().unwrap(), second.book.lock().unwrap());
    let requests = first.requests.values().sum::<u32>() + second.requests.values().sum::<u32>();
    println!(
        "{expected} messages, {requests} requests, {} retries, {} at the first, {} at the second, {took:.1?}",
        stats.retries,
        first.effects.len(),
        second.effects.len()
    );
    for id in &ids {
        for step in ["push", "sms"] {
            let key = wayfare::channel::webhook::id(&key(id, step));
            let effects = [first.effects.get(&key), second.effects.get(&key)];
            assert_eq!(effects.iter().flatten().count(), 1, "{id} {step}: {effects:?}");
        }
    }
    // It was as bad as it was meant to be, and the second was needed.
    assert!(u64::from(requests) > expected && !second.effects.is_empty());
}
