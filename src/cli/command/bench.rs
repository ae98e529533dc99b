//! `wayfare bench`: what the product does per second, beside the limit of the machine, in one run.

mod check;
#[path = "../../../benches/limit.rs"]
mod limit;
mod load;
mod peer;
mod project;
mod python;
mod verify;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use jiff::Timestamp;

use crate::cli::client::{Client, block_on};
use crate::cli::{Exit, Failure, Output};
use crate::engine::clock::wall;

/// Measure, and compare with the limit measured in the same run.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Workload W1 through the daemon on SQLite: enrol, push, wait 2 s, open or fall back to SMS, tag, end.
    ///
    /// Events come in over HTTP in batches, sends are recorded; beside it the same rows written by a plain loop.
    Run(RunArgs),
    /// The compiler on a generated project: lines per second, memory, and the time of a one-file edit. One core.
    Check(check::Args),
}

#[derive(Debug, clap::Args)]
struct RunArgs {
    /// Customers that go through the journey.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    customers: u32,

    /// Events in one request.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(100..=50_000))]
    batch: u32,

    /// How often each side is measured, in turn; the best of each counts, and all are shown.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
}

const JOURNEY: &str = include_str!("../../../benches/w1/w1.journey");
const SETTINGS: &str = include_str!("../../../benches/w1/wayfare.toml");

/// One measured run of the product.
struct Measured {
    seconds: f64,
    daemon: Usage,
    bytes: u64,
    verified: verify::Verified,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    match &args.what {
        What::Run(args) => rounds(args, output),
        What::Check(args) => check::run(args, output),
    }
}

fn rounds(args: &RunArgs, output: &Output) -> Result<Exit, Failure> {
    let (mut product, mut limit) = (0.0_f64, 0.0_f64);
    for round in 1..=args.rounds {
        let folder = std::env::temp_dir().join(format!("wayfare-bench-{}-{round}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| Failure::file("make", &folder, &error))?;
        let result = one_round(args, round, &folder, output);
        let _ = std::fs::remove_dir_all(&folder);
        let (ours, theirs) = result?;
        product = product.max(ours);
        limit = limit.max(theirs);
    }
    output.data(format_args!("\nW1 on SQLite, {} customers, best of {}:", args.customers, args.rounds))?;
    output.data(format_args!(
        "  product  {product:>9.0} customers/s  (HTTP in, gate, trace, recorded sends)"
    ))?;
    output
        .data(format_args!("  limit    {limit:>9.0} customers/s  (the same rows written by a plain loop)"))?;
    output.data(format_args!("  ratio    {:>9.2}", product / limit))?;
    Ok(Exit::Clean)
}

fn one_round(args: &RunArgs, round: u32, folder: &Path, output: &Output) -> Result<(f64, f64), Failure> {
    let measured = block_on(product(args, folder, output))?;
    let customers = f64::from(args.customers);
    let ours = customers / measured.seconds;
    output.data(format_args!(
        "round {round}: product {ours:.0} customers/s ({:.0} events/s), {:.2} CPU s per 1,000 customers, {} MiB resident, {} bytes per customer on disk, {} per state row, {} opens came too late",
        1.5 * ours,
        measured.daemon.cpu_seconds / customers * 1_000.0,
        measured.daemon.resident_mib,
        measured.bytes / u64::from(args.customers),
        measured.verified.state,
        measured.verified.late,
    ))?;
    let sizes = limit::Sizes { state: measured.verified.state, log: 60, entry: 20 };
    let seconds = block_on(async {
        let seconds = limit::w1_sqlite(&folder.join("limit.db"), args.customers as usize, &sizes).await;
        seconds.map_err(|error| Failure::new(format_args!("the limit loop failed: {error}")))
    })?;
    let theirs = customers / seconds;
    output.data(format_args!("round {round}: limit   {theirs:.0} customers/s"))?;
    Ok((ours, theirs))
}

async fn product(args: &RunArgs, folder: &Path, output: &Output) -> Result<Measured, Failure> {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| Failure::file("write", &path, &error))
    };
    write("w1.journey", JOURNEY)?;
    write("wayfare.toml", SETTINGS)?;
    let address = free_address()?;
    let daemon = Daemon::start(folder, &address)?;
    let client = Client::to(&format!("http://{address}"), output)?;
    client.ready(Duration::from_secs(30)).await?;
    load::customers(&client, output, args).await?;
    let start = wall();
    load::journeys(&client, output, args).await?;
    load::finished(&client).await?;
    let seconds = since(start);
    let usage = daemon.usage();
    daemon.stop()?;
    let store = folder.join(".wayfare/wayfare.db");
    let verified = verify::everybody_went_through(&store, args.customers as usize).await?;
    let bytes = std::fs::metadata(&store).map(|file| file.len()).unwrap_or_default();
    Ok(Measured { seconds, daemon: usage, bytes, verified })
}

fn since(start: Timestamp) -> f64 {
    wall().duration_since(start).as_secs_f64()
}

/// A port of loopback that was free a moment ago.
fn free_address() -> Result<String, Failure> {
    let bound = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    bound
        .map(|address| address.to_string())
        .map_err(|error| Failure::new(format_args!("no free port: {error}")))
}

/// A daemon of this very binary; killed if it is dropped before it was stopped.
struct Daemon {
    child: Child,
}

struct Usage {
    cpu_seconds: f64,
    resident_mib: u64,
}

impl Daemon {
    fn start(folder: &Path, address: &str) -> Result<Self, Failure> {
        let failed =
            |error: std::io::Error| Failure::new(format_args!("the daemon cannot be started: {error}"));
        let this = std::env::current_exe().map_err(failed)?;
        let log = std::fs::File::create(folder.join("daemon.log")).map_err(failed)?;
        let child = Command::new(this)
            .args(["run", "--listen", address])
            .current_dir(folder)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(failed)?;
        Ok(Self { child })
    }

    /// From `/proc`; zeros where there is none.
    fn usage(&self) -> Usage {
        let read = |file: &str| {
            std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap_or_default()
        };
        // Fields 14 and 15, counted behind the name in brackets, in hundredths of a second.
        let stat = read("stat");
        let ticks = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
        let ticks: f64 = ticks.filter_map(|field| field.parse::<f64>().ok()).sum();
        let status = read("status");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = resident.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        Usage { cpu_seconds: ticks / 100.0, resident_mib: kib.unwrap_or_default() / 1024 }
    }

    /// Ends it as an operator would, so that the store is closed.
    fn stop(mut self) -> Result<(), Failure> {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status();
        let ended = killed.and_then(|_| self.child.wait());
        ended.map(drop).map_err(|error| Failure::new(format_args!("the daemon cannot be stopped: {error}")))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
