//! A daemon in this process: store, channels, engine and door, from settings and a bundle until it is told to stop.
//! `run` starts it as it is; `dev` puts a watcher beside it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use super::settings::Settings;
use super::{Exit, Failure, Output, shelf};
use crate::channel::callback::Callbacks;
use crate::channel::track::Tracks;
use crate::channel::{Channels, Console, Means};
use crate::config::{self, Secret};
use crate::engine::clock::wall;
use crate::engine::{self, EngineError, EngineHandle, Options, Shortener, Upkeep, Watcher};
use crate::http::{self, Door};
use crate::lottery::Seal;
use crate::name::Name;
use crate::program::Bundle;
use crate::step::horizon::Short;

/// How to run.
pub struct Plan {
    pub settings: Settings,
    pub bundle: Bundle,
    pub listen: SocketAddr,
    /// Domain seconds per real second.
    pub speed: u32,
    /// Channels that are given, whatever the settings say of them.
    pub channels: Channels,
    /// Channels without settings print their messages, instead of being an error.
    pub print_unset: bool,
    /// A new store is one for development, which an accelerated clock needs.
    pub development: bool,
    /// Domain time at which the clock of a new development store begins; now where it is not said.
    pub begin: Option<Timestamp>,
    pub watcher: Option<Watcher>,
}

impl Plan {
    /// The daemon as the settings have it.
    #[must_use]
    pub fn new(settings: Settings, bundle: Bundle) -> Self {
        let (listen, speed) = (settings.config.server.listen, settings.config.dev.speed);
        Self {
            settings,
            bundle,
            listen,
            speed,
            channels: Channels::default(),
            print_unset: false,
            development: speed > 1,
            begin: None,
            watcher: None,
        }
    }
}

/// A running daemon.
pub struct Daemon {
    pub engine: EngineHandle,
    /// Where it listens: the port is a real one, whatever was asked for.
    pub address: SocketAddr,
    listener: TcpListener,
    token: Option<Secret>,
    max_body: u64,
    callbacks: Callbacks,
    tracks: Option<Tracks>,
    running: JoinHandle<Result<(), EngineError>>,
}

impl Daemon {
    /// Opens everything and makes the bundle live. Listens already, but serves nobody yet.
    pub async fn start(plan: Plan, output: &Output) -> Result<Self, Failure> {
        let Plan {
            settings,
            bundle,
            listen,
            speed,
            channels: given,
            print_unset,
            development,
            begin,
            watcher,
        } = plan;
        let server = settings.config.server.clone();
        if !listen.ip().is_loopback() && server.token.is_none() {
            let failure =
                Failure::new(format_args!("{listen} is open to the network, and there is no token [E0515]"));
            return Err(
                failure.help("set `token_file` under `[server]` in wayfare.toml, or listen on 127.0.0.1")
            );
        }
        let channels = channels(&given, &settings, &bundle, print_unset, output)?;
        let tracks = settings.config.links.as_ref().map(Tracks::new).transpose();
        let tracks =
            tracks.map_err(|reason| Failure::new(format_args!("`[links]` cannot be used: {reason}")))?;
        let shortener =
            settings.config.links.as_ref().and_then(|links| Shortener::new(links, tracks.as_ref()?));
        let seal = seal(&settings.config)?;
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            Failure::new(format_args!("cannot listen on {listen}: {error}"))
                .help("another daemon may be running there; choose another address with `--listen`")
        })?;
        let address =
            listener.local_addr().map_err(|error| Failure::new(format_args!("cannot listen: {error}")))?;
        let store = shelf::open(&settings, development, address.port()).await?;
        if let Some(begin) = begin {
            engine::begin_clock(&*store, begin, speed).await.map_err(broken)?;
        }
        let clock = engine::open_clock(&*store, Some(speed)).await.map_err(broken)?;
        let config::Upkeep { rows_per_second, keep_days } = settings.config.upkeep;
        let upkeep = Upkeep { rows_per_second, keep_days };
        let park = settings.config.intake.park;
        let options = Options {
            watcher,
            upkeep,
            park,
            shortener,
            seal,
            ..Options::new(channels, settings.config.zone.clone(), clock)
        };
        let (engine, running) = engine::start(store, options).await.map_err(broken)?;
        tokio::spawn(engine::referral::keep_telling(engine.clone()));
        let daemon = Self {
            engine,
            address,
            listener,
            token: server.token,
            max_body: server.max_body,
            callbacks: Callbacks::of(&settings.config),
            tracks,
            running,
        };
        match daemon.engine.deploy(bundle).await {
            Ok(()) => {
                for Short { journey, condition, from } in daemon.engine.stats().short.iter() {
                    output.say(format_args!(
                        "`{condition}` of {journey}: what happened before {from} is not known to it [R0261]"
                    ));
                }
                Ok(daemon)
            }
            Err(error) => {
                daemon.engine.stop().await;
                let _ = daemon.running.await;
                Err(broken(error))
            }
        }
    }

    /// Serves until SIGINT or SIGTERM, then ends requests, batches and sends that are under way.
    pub async fn serve(self) -> Result<Exit, Failure> {
        let Self { engine, address, listener, token, max_body, callbacks, tracks, mut running } = self;
        let stop = stop_signal()?;
        let mut door = Door::new(Arc::new(engine.clone()), token, max_body, address);
        (door.callbacks, door.tracks) = (callbacks, tracks);
        let (stopped, stopping) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(http::serve(listener, http::router(door), async {
            let _ = stopping.await;
        }));
        let ended = tokio::select! {
            () = stop => None,
            ended = &mut running => Some(ended),
        };
        tracing::info!("stopping");
        let _ = stopped.send(());
        let _ = serving.await;
        let ended = if let Some(ended) = ended {
            ended
        } else {
            engine.stop().await;
            running.await
        };
        match ended {
            Ok(Ok(())) => Ok(Exit::Clean),
            Ok(Err(error)) => Err(broken(error)),
            Err(error) => Err(Failure::new(format_args!("the engine broke: {error}"))),
        }
    }
}

/// What seeds of lotteries are sealed under.
fn seal(config: &config::Config) -> Result<Option<Arc<Seal>>, Failure> {
    let Some(secret) = &config.lotteries else { return Ok(None) };
    let unusable = || Failure::new("the secret of `[lotteries]` cannot be used");
    Ok(Some(Arc::new(Seal::new(secret.expose().as_bytes()).ok_or_else(unusable)?)))
}

/// Removes the store of an earlier development run; a store of customers is refused.
pub async fn discard(settings: &Settings) -> Result<(), Failure> {
    let path = shelf::file(settings)?;
    if !path.exists() {
        return Ok(());
    }
    let store = shelf::open(settings, true, 0).await?;
    let made_for = store.meta("made_for").await;
    store.close().await;
    if made_for.ok().flatten().as_deref() != Some("development") {
        let failure = Failure::new(format_args!("`{}` is a store of real customers", path.display()));
        return Err(failure.help("run the demo in another folder"));
    }
    for ending in ["", "-wal", "-shm"] {
        let file = PathBuf::from(format!("{}{ending}", path.display()));
        if file.exists() {
            std::fs::remove_file(&file).map_err(|error| Failure::file("remove", &file, &error))?;
        }
    }
    Ok(())
}

fn channels(
    given: &Channels,
    settings: &Settings,
    bundle: &Bundle,
    print_unset: bool,
    output: &Output,
) -> Result<Channels, Failure> {
    let print = {
        let output = output.clone();
        // A reader that went away is noticed at the next command; a daemon goes on.
        Arc::new(move |line: &str| drop(output.live(line)))
    };
    let means = Means { root: &settings.root, print: print.clone(), wall };
    let mut channels = Channels::open(&settings.config, &means).map_err(|(name, reason)| {
        Failure::new(format_args!("the channel `{name}` cannot be used: {reason}"))
            .help(format_args!("see `[channels.{name}]` in wayfare.toml"))
    })?;
    for name in given.names() {
        if let Some(channel) = given.get(name) {
            channels.insert(name, Arc::clone(channel));
        }
    }
    // Those that a library declares and no journey sends through need no settings.
    let used: BTreeSet<Name> = bundle.programs.values().flat_map(|program| program.body.channels()).collect();
    let unset: Vec<Name> = used.into_iter().filter(|name| channels.get(*name).is_none()).collect();
    for &name in unset.iter().filter(|_| print_unset) {
        channels.insert(name, Arc::new(Console::new(print.clone())));
    }
    match unset.first().filter(|_| !print_unset) {
        None => Ok(channels),
        Some(name) => Err(Failure::new(format_args!("how to send through the channel `{name}` is not set"))
            .help(format_args!("write `[channels.{name}]` with `kind = \"webhook\"`, `\"file\"`, `\"console\"` or `\"record\"` into wayfare.toml"))),
    }
}

/// Resolves at the first SIGINT or SIGTERM.
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let listen =
        |kind| signal(kind).map_err(|error| Failure::new(format_args!("cannot listen for signals: {error}")));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn broken(error: EngineError) -> Failure {
    Failure::new(error)
}
