//! `wayfare bench run`: the workloads W1 and W2 through the daemon, and the limit loop of the same rows beside them.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::daemon::{Daemon, Usage, free_address};
use super::limit::{Crowd, Sizes};
use super::load::{self, Load, Opens};
use super::place::Place;
use super::{latency, restate, verify};
use crate::cli::client::{Client, block_on};
use crate::cli::{Exit, Failure, Output};
use crate::engine::clock::wall;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What is done.
    #[arg(long, value_enum, default_value_t = Workload::W1)]
    workload: Workload,

    /// Customers that enter the journey while it is measured.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(4_000..=10_000_000))]
    customers: u32,

    /// W2: customers that wait already when the measurement begins.
    #[arg(long, default_value_t = 300_000, value_parser = clap::value_parser!(u32).range(10_000..=50_000_000))]
    waiting: u32,

    /// W2: enrolments per second of those who wait, and with it how many are due per second and how long they wait.
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    fill: u32,

    /// Events in one request; 1: a request for every event, as systems that do not batch send them.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    batch: u32,

    /// On PostgreSQL: the URL of a database whose user may make others; each round makes one and drops it. Without it
    /// on SQLite. `scripts/bench-run` starts a server for it.
    #[arg(long, value_name = "URL")]
    database: Option<String>,

    /// W1 on another product as well: `restate` installs its server from npm below target/ and builds
    /// benches/restate with cargo.
    #[arg(long, value_enum)]
    peer: Option<Peer>,

    /// Customers of the peer, which takes longer.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    peer_customers: u32,

    /// Measures delays as well: so many events of W1 per second, a request for each, sends to an HTTP server on loopback.
    #[arg(long, value_name = "PER_SECOND", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    rate: Option<u32>,

    /// How often each side is measured, in turn; the best of each counts, and all are shown.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Workload {
    /// Everybody waits 2 s.
    W1,
    /// Many wait for long.
    W2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Peer {
    Restate,
}

pub(super) const JOURNEY: &str = include_str!("../../../../benches/w1/w1.journey");
const SETTINGS: &str = include_str!("../../../../benches/w1/wayfare.toml");

/// What the journey waits in W1, as its text says.
const WAIT: &str = "within 2s";
const WAIT_SECONDS: i64 = 2;
/// A flow of less than this says little.
const LEAST_FLOW_SECONDS: f64 = 2.0;
const LEAST_WAIT_SECONDS: u32 = 10;
/// The days over which those who wait in W2 say that they enrolled.
const FILL_DAYS: i64 = 30;

/// One measured run of the product.
struct Measured {
    seconds: f64,
    /// W1: customers per second once as many have waited as enter; `None` where they were too few for that.
    flow: Option<f64>,
    daemon: Usage,
    /// Who waited when it began.
    waiting: u32,
    verified: verify::Verified,
}

impl Args {
    /// Who waits before the measurement, and everybody.
    fn numbers(&self) -> (u32, u32) {
        let before = if self.workload == Workload::W2 { self.waiting } else { 0 };
        (before, before.saturating_add(self.customers))
    }

    /// How long W2 waits: about as long as enrolling all who wait takes.
    fn wait_seconds(&self) -> u32 {
        (self.waiting / self.fill).max(LEAST_WAIT_SECONDS)
    }
}

pub(super) fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let (mut product, mut flow, mut limit) = (0.0_f64, 0.0_f64, 0.0_f64);
    for round in 1..=args.rounds {
        let (ours, flowing, theirs) =
            in_folder(&round.to_string(), |folder| one_round(args, round, folder, output))?;
        product = product.max(ours);
        flow = flow.max(flowing.unwrap_or_default());
        limit = limit.max(theirs);
    }
    let what = match args.workload {
        Workload::W1 => "W1".to_owned(),
        Workload::W2 => format!("W2, {} waiting", args.waiting),
    };
    let store = if args.database.is_some() { "PostgreSQL" } else { "SQLite" };
    output.data(format_args!(
        "\n{what} on {store}, {} customers, {} events in a request, best of {}:",
        args.customers, args.batch, args.rounds
    ))?;
    output.data(format_args!(
        "  product  {product:>9.0} customers/s  (HTTP in, gate, trace, recorded sends)"
    ))?;
    output
        .data(format_args!("  limit    {limit:>9.0} customers/s  (the same rows written by a plain loop)"))?;
    output.data(format_args!("  ratio    {:>9.2}", product / limit))?;
    if flow > 0.0 {
        output.data(format_args!(
            "  flow     {flow:>9.0} customers/s  ({:.2} of the limit, without the two seconds in which nobody is due and the two in which nobody enters)",
            flow / limit
        ))?;
    }
    if args.peer == Some(Peer::Restate) {
        let restate = in_folder("restate", |folder| restate::run(folder, args.peer_customers, output))?;
        output.data(format_args!(
            "  restate  {restate:>9.0} customers/s  (W1, {} customers)",
            args.peer_customers
        ))?;
        output.data(format_args!("  product / restate {:>5.1}", product / restate))?;
    }
    if let Some(rate) = args.rate {
        let delays =
            in_folder("rate", |folder| latency::run(folder, args.database.as_deref(), rate, output))?;
        output.data(delays)?;
    }
    Ok(Exit::Clean)
}

/// Does it in a folder of its own, which is gone afterwards.
fn in_folder<T>(name: &str, work: impl FnOnce(&Path) -> Result<T, Failure>) -> Result<T, Failure> {
    let folder = std::env::temp_dir().join(format!("wayfare-bench-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| Failure::file("make", &folder, &error))?;
    let result = work(&folder);
    let _ = std::fs::remove_dir_all(&folder);
    result
}

/// Customers per second of the product, the same in its flow, and of the limit.
fn one_round(
    args: &Args,
    round: u32,
    folder: &Path,
    output: &Output,
) -> Result<(f64, Option<f64>, f64), Failure> {
    let place = Place::new(folder, args.database.as_deref(), &format!("product{round}"))?;
    let measured = block_on(product(args, folder, &place, output));
    let bytes = place.take_away();
    let (measured, bytes) = (measured?, bytes?);
    let (before, all) = args.numbers();
    let ours = f64::from(args.customers) / measured.seconds;
    output.data(format_args!(
        "round {round}: product {ours:.0} customers/s ({:.0} events/s), {} waited at its beginning and {} were due, {:.2} CPU s per 1,000 customers in all, {} MiB resident, {} bytes per customer on disk, {} per state row at its end and {} while it waits, {} opens came too late",
        1.5 * ours,
        measured.waiting,
        measured.verified.due,
        measured.daemon.cpu_seconds / f64::from(all) * 1_000.0,
        measured.daemon.resident_mib,
        bytes / u64::from(all),
        measured.verified.state,
        measured.verified.waiting,
        measured.verified.late,
    ))?;
    let verify::Verified { state, waiting, due, .. } = measured.verified;
    let sizes = Sizes { state, waiting, log: 60, entry: 20 };
    // Of those who enter it writes whole batches.
    let mut crowd = Crowd { waiting: before as usize, due, customers: args.customers as usize };
    crowd.due = due * crowd.written() / crowd.customers;
    let place = Place::new(folder, args.database.as_deref(), &format!("limit{round}"))?;
    let seconds = block_on(place.limit(crowd, &sizes));
    place.take_away()?;
    let seconds = seconds?;
    let written = u32::try_from(crowd.written()).unwrap_or(u32::MAX);
    let theirs = f64::from(written) / seconds;
    output.data(format_args!("round {round}: limit   {theirs:.0} customers/s"))?;
    Ok((ours, measured.flow, theirs))
}

async fn product(args: &Args, folder: &Path, place: &Place, output: &Output) -> Result<Measured, Failure> {
    prepare(args, folder, place)?;
    let address = free_address()?;
    let daemon = Daemon::start(folder, &address)?;
    let client = Client::to(&format!("http://{address}"), output)?;
    client.ready(Duration::from_secs(30)).await?;
    let (before, all) = args.numbers();
    let load = Load { client: &client, output, batch: args.batch, ago: SignedDuration::ZERO };
    load.customers(0..all).await?;
    let began = wall();
    let warm = async {
        if before == 0 {
            return Ok(());
        }
        // What is written later is in memory still.
        until(began, args.wait_seconds() / 10 * 9).await;
        place.warm().await
    };
    tokio::try_join!(fill(load, before, args.fill, began), warm)?;
    let waiting = still_waiting(args, before, began);
    let opens = match args.workload {
        Workload::W1 => Opens::EverySecond,
        Workload::W2 => Opens::Earlier { waiting },
    };
    if before > 0 {
        // From here on as many are due as were enrolled then.
        until(began, args.wait_seconds()).await;
    }
    let start = wall();
    let from = start.checked_add(SignedDuration::from_secs(WAIT_SECONDS)).unwrap_or(start);
    let entered = load.flow(before..all, opens, from).await?;
    // Nobody who is due is waited for: in the flow at least as many are due as enter.
    let stopped = wall();
    load.finished(Some(stopped)).await?;
    let (caught_up, flowed) = (since(start), since(from));
    let (seconds, flow, due) = match args.workload {
        Workload::W1 => {
            load.finished(None).await?;
            let flow = (flowed >= LEAST_FLOW_SECONDS).then(|| f64::from(entered) / flowed);
            (since(start), flow, Timestamp::MAX)
        }
        // Whoever is due later goes on waiting: at ten million that would take longer than everything else.
        Workload::W2 => {
            let wait = SignedDuration::from_secs(i64::from(args.wait_seconds()));
            (caught_up, None, stopped.checked_sub(wait).unwrap_or(Timestamp::MIN))
        }
    };
    let usage = daemon.usage();
    daemon.stop()?;
    let opened = load::opened(before..all, args.batch, opens);
    let verified = verify::nobody_was_left(&*place.open().await?, all as usize, opened, due).await?;
    Ok(Measured { seconds, flow, daemon: usage, waiting, verified })
}

fn prepare(args: &Args, folder: &Path, place: &Place) -> Result<(), Failure> {
    let journey = match args.workload {
        Workload::W1 => JOURNEY.to_owned(),
        Workload::W2 => JOURNEY.replace(WAIT, &format!("within {}s", args.wait_seconds())),
    };
    write(folder, &journey, &format!("{SETTINGS}{}", place.settings()))
}

/// The project that the daemon runs.
pub(super) fn write(folder: &Path, journey: &str, settings: &str) -> Result<(), Failure> {
    for (name, text) in [("w1.journey", journey), ("wayfare.toml", settings)] {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| Failure::file("write", &path, &error))?;
    }
    Ok(())
}

/// Enrols `before` evenly over the time that they wait, so that later as many are due in each second. Their events say that it
/// took days: what is known of events lies by the day, and those who wait came on others than those who enter.
async fn fill(load: Load<'_>, before: u32, speed: u32, began: Timestamp) -> Result<(), Failure> {
    let whole = SignedDuration::from_hours(24 * FILL_DAYS).as_secs();
    for (second, first) in (1..).zip((0..before).step_by(speed as usize)) {
        let left = i64::from(before - first) * whole / i64::from(before);
        let load = Load { ago: SignedDuration::from_secs(left), ..load };
        load.journeys(first..before.min(first.saturating_add(speed)), Opens::None).await?;
        until(began, second).await;
    }
    Ok(())
}

/// Of `before` enrolled evenly since `began`, those whose wait is not over: all, unless the machine was slow.
fn still_waiting(args: &Args, before: u32, began: Timestamp) -> u32 {
    let share = (f64::from(args.wait_seconds()) / since(began)).min(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a u32")]
    let waiting = (f64::from(before) * share) as u32;
    waiting
}

/// Sleeps until `seconds` after `began`.
async fn until(began: Timestamp, seconds: u32) {
    let left = f64::from(seconds) - since(began);
    if left > 0.0 {
        tokio::time::sleep(Duration::from_secs_f64(left)).await;
    }
}

fn since(start: Timestamp) -> f64 {
    wall().duration_since(start).as_secs_f64()
}
