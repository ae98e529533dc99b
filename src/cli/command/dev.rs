//! `wayfare dev`: compile, run on SQLite, watch, and reload on save; with `--demo`, customers come along.
//!
//! A save that does not compile is told and changes nothing: the daemon goes on with what it has.

mod demo;
mod feed;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use self::demo::Mailbox;
use self::feed::{Feed, Followed};
use super::compiled::Open;
use super::{run, why};
use crate::channel::Channels;
use crate::cli::client::Client;
use crate::cli::daemon::{Daemon, Plan, discard};
use crate::cli::settings::Settings;
use crate::cli::watch::Watch;
use crate::cli::{Exit, Failure, Output};
use crate::demo::population;
use crate::engine::EngineHandle;
use crate::engine::clock::{Clock, wall};
use crate::name::Name;
use crate::program::Bundle;

/// A day in twelve seconds.
const DEMO_SPEED: u32 = 7_200;
/// The demo has told its story by then.
const DEMO_LENGTH: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How often the demo looks whether its story is told.
const LOOK: Duration = Duration::from_millis(200);

/// Compile the project, run it on SQLite, and reload it on every save.
///
/// Decisions are shown as they are made. Channels without settings print their messages. The store is one for
/// development: its clock may be accelerated.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of the project, or a file in it [default: the current folder; with --demo, `journeys`].
    #[arg(value_name = "FOLDER")]
    project: Option<PathBuf>,

    /// Let synthetic customers go through the journeys on a new store, at a day in twelve seconds, and tell the
    /// story of one of them.
    #[arg(long)]
    demo: bool,

    /// With --demo: end once the story is told, instead of running on.
    #[arg(long, requires = "demo")]
    once: bool,

    /// Domain seconds per real second [default: `speed` under `[dev]` of wayfare.toml; 7200 with --demo].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    speed: Option<u32>,

    /// Address to listen on [default: `listen` of wayfare.toml, 127.0.0.1:7171].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let folder =
        args.project.clone().unwrap_or_else(|| PathBuf::from(if args.demo { "journeys" } else { "." }));
    let project = Settings::load(&folder, output)?;
    let mut open = Open::new(std::slice::from_ref(&project.root), None)?;
    let bundle = open.sound(output)?;
    run::start_log(run::Log::Text, "warn");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format_args!("cannot start: {error}")))?;
    runtime.block_on(async {
        if args.demo {
            Box::pin(play(args, project, bundle, output)).await
        } else {
            Box::pin(develop(args, project, open, bundle, output)).await
        }
    })
}

async fn develop(
    args: &Args,
    project: Settings,
    mut open: Open,
    bundle: Bundle,
    output: &Output,
) -> Result<Exit, Failure> {
    let feed = Arc::new(Feed::new(output.clone(), Followed::Everybody));
    let speed = args.speed.unwrap_or(project.config.dev.speed);
    let plan = plan(args, project.clone(), bundle, speed, &feed);
    let mut watch = Watch::folder(&project.root)?;
    let daemon = Box::pin(Daemon::start(plan, output)).await?;
    output.say(format_args!(
        "listening on http://{}, {speed} s of domain time per second; watching `{}`",
        daemon.address,
        project.root.display()
    ));
    let engine = daemon.engine.clone();
    tokio::select! {
        exit = daemon.serve() => exit,
        never = reload(&mut watch, &mut open, &engine, output) => never,
    }
}

/// Compiles after every change, and makes live what compiles and is new.
async fn reload(
    watch: &mut Watch,
    open: &mut Open,
    engine: &EngineHandle,
    output: &Output,
) -> Result<Exit, Failure> {
    let mut live = engine.world().bundle.hash.clone();
    loop {
        watch.changed().await;
        let bundle = match open.look() {
            Ok(false) => continue,
            Ok(true) => open.sound(output),
            Err(failure) => Err(failure),
        };
        let bundle = match bundle {
            Ok(bundle) => bundle,
            Err(failure) => {
                failure.tell(output);
                output.say("the version before stays live");
                continue;
            }
        };
        if bundle.hash == live {
            continue;
        }
        let (hash, programs) = (bundle.hash.clone(), bundle.programs.len());
        match engine.deploy(bundle).await {
            Ok(()) => {
                output.say(format_args!(
                    "live: {programs} journey{}, version {}",
                    if programs == 1 { "" } else { "s" },
                    hash.get(..12).unwrap_or(&hash)
                ));
                live = hash;
            }
            Err(error) => output.say(format_args!("not deployed: {error}")),
        }
    }
}

async fn play(args: &Args, project: Settings, bundle: Bundle, output: &Output) -> Result<Exit, Failure> {
    let speed = args.speed.unwrap_or(DEMO_SPEED);
    // The store lies where `wayfare why`, called from the same folder, looks for it.
    let settings = Settings { root: PathBuf::from("."), ..project };
    discard(&settings).await?;
    let feed = Arc::new(Feed::new(output.clone(), Followed::Some(demo::followed())));
    let (reactions, thoughts) = mpsc::unbounded_channel();
    let mut channels = Channels::default();
    for &channel in bundle.channels.keys() {
        channels.insert(channel, Arc::new(Mailbox { output: output.clone(), reactions: reactions.clone() }));
    }
    let mut plan = plan(args, settings.clone(), bundle, speed, &feed);
    plan.channels = channels;
    plan.begin = Some(this_morning(&settings));
    let daemon = Box::pin(Daemon::start(plan, output)).await?;
    let client = Client::to(&format!("http://{}", daemon.address), output)?;
    output.say(format_args!(
        "{} customers, a day in {} seconds; followed line by line: {}",
        demo::CUSTOMERS,
        86_400 / speed.max(1),
        demo::followed().into_iter().map(|(id, name)| format!("{id} {name}")).collect::<Vec<_>>().join(", ")
    ));
    let clock = daemon.engine.clock();
    let (engine, running) = (daemon.engine.clone(), tokio::spawn(daemon.serve()));
    let told = async {
        tokio::select! {
            failed = demo::play(&client, output, Arc::clone(&clock), thoughts) => failed,
            () = told(&feed, &clock) => Ok(()),
        }
    };
    let mut running = running;
    tokio::select! {
        ended = &mut running => return ended.map_err(|error| Failure::new(format_args!("the daemon broke: {error}")))?,
        told = told => told?,
    }
    epilogue(&feed, output).await?;
    if args.once {
        engine.stop().await;
        return Ok(Exit::Clean);
    }
    output.say("still running; Ctrl-C ends it");
    running.await.map_err(|error| Failure::new(format_args!("the daemon broke: {error}")))?
}

/// Until the hero of the demo has gone down the whole ladder and been handed over, or time is up.
async fn told(feed: &Feed, clock: &Arc<dyn Clock>) {
    let end = clock.now().saturating_add(DEMO_LENGTH).unwrap_or(Timestamp::MAX);
    let (hero, last) = (population::customer_id(0), Name::new("first_loan"));
    while clock.now() < end && feed.end(&hero, last).is_none() {
        tokio::time::sleep(LOOK).await;
    }
}

/// The story of the customer nobody could reach.
async fn epilogue(feed: &Feed, output: &Output) -> Result<(), Failure> {
    let hero = population::customer_id(0);
    output.live(format_args!("\n{}", feed.summary()))?;
    output.live(format_args!(
        "\nwhy did {hero} {} get what they got? wayfare why {hero} first_loan\n",
        population::customer_name(0)
    ))?;
    let args = why::Args::of(&hero, "first_loan");
    // A command of its own: it reads the store as any other process would.
    let shown = output.clone();
    let told = tokio::task::spawn_blocking(move || why::run(&args, &shown)).await;
    told.map_err(|error| Failure::new(format_args!("`why` broke: {error}")))??;
    output.live(format_args!("\nany other: cargo run --release -- why {}", population::customer_id(4)))
}

fn plan(args: &Args, settings: Settings, bundle: Bundle, speed: u32, feed: &Arc<Feed>) -> Plan {
    let feed = Arc::clone(feed);
    let mut plan = Plan::new(settings, bundle);
    plan.listen = args.listen.unwrap_or(plan.listen);
    plan.speed = speed;
    plan.print_unset = true;
    plan.development = true;
    plan.watcher = Some(Arc::new(move |world, root, decisions| feed.watch(world, root, decisions)));
    plan
}

/// Four in the morning of today in the bank's zone: everybody is there before the first scheduled look at ten.
fn this_morning(settings: &Settings) -> Timestamp {
    let now = wall().to_zoned(settings.config.zone.clone());
    let early = Time::constant(4, 0, 0, 0);
    now.date()
        .to_datetime(early)
        .to_zoned(settings.config.zone.clone())
        .map_or(now.timestamp(), |at| at.timestamp())
}
