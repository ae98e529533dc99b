//! From an event to the first message: a request for each enrolment, evenly spread over time, whatever the daemon does with
//! those before, and a provider on loopback.

use std::fmt;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

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
}

impl fmt::Display for Delays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rate, measured, median, p99, longest } = self;
        write!(
            f,
            "event to first message at {rate} events/s, {measured} measured: p50 {median:.1} ms, p99 {p99:.1} ms, longest {longest:.1} ms"
        )
    }
}

pub(super) fn run(folder: &Path, admin: Option<&str>, rate: u32, output: &Output) -> Result<Delays, Failure> {
    let customers = rate * SECONDS;
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
    let first = (rate * WARM_UP) as usize;
    let mut delays: Vec<i64> = Vec::with_capacity(sent.len());
    for (sent, arrival) in sent.iter().zip(&*arrivals).skip(first) {
        match arrival.load(Ordering::Relaxed) {
            0 => return Err(Failure::new("a message never came")),
            came => delays.push(came - sent),
        }
    }
    delays.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "microseconds of some seconds")]
    let at = |share: usize| {
        delays
            .get((delays.len() * share / 1_000).min(delays.len() - 1))
            .map_or(0.0, |us| *us as f64 / 1_000.0)
    };
    Ok(Delays { rate, measured: delays.len(), median: at(500), p99: at(990), longest: at(1_000) })
}

/// When each enrolment was due to be sent, in microseconds since 1970.
async fn load_evenly(folder: &Path, customers: u32, rate: u32, output: &Output) -> Result<Vec<i64>, Failure> {
    let address = free_address()?;
    let daemon = Daemon::start(folder, &address)?;
    let client = Client::to(&format!("http://{address}"), output)?;
    client.ready(Duration::from_secs(30)).await?;
    Load { client: &client, output, batch: BATCH }.customers(0..customers).await?;
    let load = Load { client: &client, output, batch: 1 };
    let start = wall().as_microsecond() + 100_000;
    let due = |number: u32| start + i64::from(number) * 1_000_000 / i64::from(rate);
    let mut under_way = FuturesUnordered::new();
    for number in 0..customers {
        // A late request still counts from when it was due: nobody is spared by a daemon that stands still.
        let left = u64::try_from(due(number) - wall().as_microsecond()).unwrap_or(0);
        let pause = tokio::time::sleep(Duration::from_micros(left));
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                Some(done) = under_way.next(), if !under_way.is_empty() => {
                    let done: Result<(), Failure> = done;
                    done?;
                }
            }
        }
        under_way.push(load.journeys(number..number + 1, Opens::None));
    }
    while let Some(done) = under_way.next().await {
        done?;
    }
    let patience = tokio::time::timeout(PATIENCE, load.finished(None)).await;
    patience.map_err(|_| Failure::new("the daemon did not finish the workload"))??;
    daemon.stop()?;
    Ok((0..customers).map(due).collect())
}
