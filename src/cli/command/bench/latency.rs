//! From an event to the first message: the events of W1, an enrolment for each customer and an open for every second one, a request
//! for each, evenly spread over time, whatever the daemon does with those before, and a provider on loopback.

use std::fmt;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::SignedDuration;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::daemon::{Daemon, free_address};
use super::load::{Load, Opens};
use super::place::Place;
use super::run::{JOURNEY, write};
use super::sink;
use crate::cli::client::{Client, block_on};
use crate::cli::{Failure, Output};
use crate::engine::clock::wall;

/// How long the load lasts.
const SECONDS: u32 = 20;
/// Left out: connections are made, plans and caches are cold.
const WARM_UP: u32 = 2;
/// In microseconds after the enrolment: before the journey gives up waiting.
const OPENED_AFTER: i64 = 1_000_000;
/// How long the last message is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Customers arrive in batches.
const BATCH: u32 = 1_000;
/// Of the customer's number in its id.
const DIGITS: usize = 8;

/// Delays in milliseconds.
pub(super) struct Delays {
    rate: u32,
    measured: usize,
    median: f64,
    p99: f64,
    longest: f64,
    /// How late the load itself was with its requests: the 99th of a hundred.
    load_p99: f64,
}

/// What was sent when, in microseconds since 1970.
struct Sent {
    /// When each enrolment was due.
    due: Vec<i64>,
    /// How much later than it was due each request began.
    late: Vec<i64>,
}

impl fmt::Display for Delays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rate, measured, median, p99, longest, load_p99 } = self;
        write!(
            f,
            "event to first message at {rate} events/s, {measured} measured: p50 {median:.1} ms, p99 {p99:.1} ms, longest {longest:.1} ms (of it the load's own: p99 {load_p99:.1} ms)"
        )
    }
}

pub(super) fn run(folder: &Path, admin: Option<&str>, rate: u32, output: &Output) -> Result<Delays, Failure> {
    let customers = rate * SECONDS * 2 / 3;
    let sink = sink::open(customers as usize, DIGITS);
    let (_provider, sink, arrivals) =
        sink.map_err(|error| Failure::new(format_args!("no provider can be started: {error}")))?;
    let place = Place::new(folder, admin, "rate")?;
    let channel = |name: &str| {
        format!("[channels.{name}]\nkind = \"webhook\"\nurl = \"http://{sink}/\"\nallow_private = true\n\n")
    };
    let settings = format!("zone = \"UTC\"\n\n{}{}{}", channel("push"), channel("sms"), place.settings());
    write(folder, JOURNEY, &settings)?;
    let sent = block_on(load_evenly(folder, customers, rate, output));
    place.take_away()?;
    let sent = sent?;
    let first = (rate * WARM_UP * 2 / 3) as usize;
    let mut delays: Vec<i64> = Vec::with_capacity(sent.due.len());
    for (sent, arrival) in sent.due.iter().zip(&*arrivals).skip(first) {
        match arrival.load(Ordering::Relaxed) {
            0 => return Err(Failure::new("a message never came")),
            came => delays.push(came - sent),
        }
    }
    delays.sort_unstable();
    let mut late = sent.late;
    late.sort_unstable();
    Ok(Delays {
        rate,
        measured: delays.len(),
        median: at(&delays, 500),
        p99: at(&delays, 990),
        longest: at(&delays, 1_000),
        load_p99: at(&late, 990),
    })
}

/// So many of a thousand are no longer, in milliseconds. `sorted`: in microseconds.
#[expect(clippy::cast_precision_loss, reason = "microseconds of some seconds")]
fn at(sorted: &[i64], share: usize) -> f64 {
    let place = (sorted.len() * share / 1_000).min(sorted.len().saturating_sub(1));
    sorted.get(place).map_or(0.0, |us| *us as f64 / 1_000.0)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Enrolled(u32),
    Opened(u32),
}

/// What happens when, in order: half of the customers open what they got.
fn events(customers: u32, due: impl Fn(u32) -> i64) -> Vec<(i64, Event)> {
    let enrolled = (0..customers).map(|number| (due(number), Event::Enrolled(number)));
    let opened = (0..customers).step_by(2).map(|number| (due(number) + OPENED_AFTER, Event::Opened(number)));
    let mut events: Vec<_> = enrolled.chain(opened).collect();
    events.sort_unstable();
    events
}

/// A request for each event when it is due, however many are under way.
async fn load_evenly(folder: &Path, customers: u32, rate: u32, output: &Output) -> Result<Sent, Failure> {
    let address = free_address()?;
    let daemon = Daemon::start(folder, &address)?;
    let client = Client::to(&format!("http://{address}"), output)?;
    client.ready(Duration::from_secs(30)).await?;
    let load = Load { client: &client, output, batch: 1, ago: SignedDuration::ZERO };
    Load { batch: BATCH, ..load }.customers(0..customers).await?;
    let start = wall().as_microsecond() + 100_000;
    let due = |number: u32| start + i64::from(number) * 1_500_000 / i64::from(rate);
    let (mut under_way, mut late) = (FuturesUnordered::new(), Vec::new());
    for (at, event) in events(customers, due) {
        // A late request still counts from when it was due: nobody is spared by a daemon that stands still. It does not wait for
        // the timer, which counts whole milliseconds: a load that is behind could never catch up.
        while let Ok(left @ 1..) = u64::try_from(at - wall().as_microsecond()) {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_micros(left)) => {}
                Some(done) = under_way.next(), if !under_way.is_empty() => {
                    let done: Result<(), Failure> = done;
                    done?;
                }
            }
        }
        late.push(wall().as_microsecond() - at);
        under_way.push(async move {
            match event {
                Event::Enrolled(number) => load.journeys(number..number + 1, Opens::None).await,
                Event::Opened(number) => load.open(number).await,
            }
        });
        // Begins it, and lets the connections have their turn.
        while let Some(Some(done)) = under_way.next().now_or_never() {
            done?;
        }
        tokio::task::yield_now().await;
    }
    while let Some(done) = under_way.next().await {
        done?;
    }
    let patience = tokio::time::timeout(PATIENCE, load.finished(None)).await;
    patience.map_err(|_| Failure::new("the daemon did not finish the workload"))??;
    daemon.stop()?;
    Ok(Sent { due: (0..customers).map(due).collect(), late })
}
