//! Starting: from a store to a running engine.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::clock::{Accelerated, Clock, WallClock, wall};
use super::close::Closings;
use super::dispatch::Dispatcher;
use super::fill::Fills;
use super::handle::{EngineError, EngineHandle, QUEUE, Stats};
use super::lane::MOST_HELD;
use super::last::{self, Moment};
use super::patient::Patient;
use super::run::{Engine, Inbox};
use super::share::{Before, Sharing};
use super::shorten::Shortener;
use super::sweep::Sweeps;
use super::timers::Timers;
use super::trial::Trials;
use super::trim::Trims;
use super::work::Steps;
use super::{carry, deploy, lottery, refer};
use crate::channel::Channels;
use crate::lottery::Seal;
use crate::step::{RootKey, Trace, World};
use crate::store::Store;

const CLOCK: &str = "clock";

/// What an engine runs with.
pub struct Options {
    pub channels: Channels,
    /// The bank's zone.
    pub zone: TimeZone,
    pub clock: Arc<dyn Clock>,
    pub steps: Steps,
    pub watcher: Option<Watcher>,
    pub upkeep: Upkeep,
    /// How long events of a subject that is not known wait for it.
    pub park: SignedDuration,
    /// Waiting messages of one channel that memory holds; more stay in the store until there is room.
    pub most_held: usize,
    /// For channels whose links are short; `None`: there are none.
    pub shortener: Option<Shortener>,
    /// What the seeds of lotteries are sealed under; `None`: the store keeps them in clear.
    pub seal: Option<Arc<Seal>>,
}

/// How fast work in the background may go, and how long records are kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Upkeep {
    /// States swept and entries of the log replayed in a second of the engine's clock; `None`: as fast as it goes.
    pub rows_per_second: Option<u32>,
    /// For how many days records are kept at least; `None`: for ever.
    pub keep_days: Option<u32>,
}

impl Options {
    /// With the real steps and nobody watching.
    #[must_use]
    pub fn new(channels: Channels, zone: TimeZone, clock: Arc<dyn Clock>) -> Self {
        let upkeep = Upkeep::default();
        let park = SignedDuration::from_hours(7 * 24);
        Self {
            channels,
            zone,
            clock,
            steps: Steps::REAL,
            watcher: None,
            upkeep,
            park,
            most_held: MOST_HELD,
            shortener: None,
            seal: None,
        }
    }
}

impl Upkeep {
    /// When more may be done after so many rows.
    pub(super) fn after(self, rows: usize, now: Timestamp) -> Option<Timestamp> {
        let rate = i64::from(self.rows_per_second?.max(1));
        let pause = i64::try_from(rows).unwrap_or(i64::MAX).saturating_mul(1_000) / rate;
        now.checked_add(SignedDuration::from_millis(pause)).ok()
    }
}

/// Is shown every decision once it is durable, subject by subject. Called between batches: it must be quick.
pub type Watcher = Arc<dyn Fn(&World, &RootKey, &[Trace]) + Send + Sync>;

fn park_ms(park: SignedDuration) -> i64 {
    i64::try_from(park.as_millis()).unwrap_or(i64::MAX).max(0)
}

/// Starts an engine on `store`, which it closes at its end. The task ends after [`EngineHandle::stop`], or with what
/// went wrong for good.
///
/// # Errors
/// If the store cannot be read.
pub async fn start(
    store: Arc<dyn Store>,
    options: Options,
) -> Result<(EngineHandle, JoinHandle<Result<(), EngineError>>), EngineError> {
    let Options { channels, zone, clock, steps, watcher, upkeep, park, most_held, shortener, seal } = options;
    let looked = Instant::now();
    let moment = Moment::open(&*store, clock.now()).await?;
    let (mut dispatcher, answers) = Dispatcher::new(channels, Arc::clone(&clock), most_held);
    let (mut world, version) = deploy::load(&*store, &zone).await?;
    refer::load(&*store, &mut world).await?;
    lottery::load(&*store, &mut world, seal.as_deref()).await?;
    let fills = Fills::open(&*store, &mut world, upkeep).await?;
    world.recorded = dispatcher.recorded();
    world.park_ms = park_ms(park);
    let beat = store.beat();
    if let Some(beat) = beat {
        dispatcher.share(1);
        dispatcher.looked(looked, beat);
    }
    dispatcher.open_lanes(&world, &*store).await?;
    dispatcher.heed(&world.kill);
    let moment = moment.after(last::of_all(&*store).await?);
    let timers = Timers::open(&*store).await?;
    let sweeps = Sweeps::open(&*store, &world, moment.now).await?;
    let trials = Trials::open(&*store, &world).await?;
    let world = Arc::new(world);
    let (commands, arriving) = mpsc::unbounded_channel();
    let known = Stats { short: fills.short(&world, moment.now), ..Stats::default() };
    let (stats_out, stats) = watch::channel(known.clone());
    let (world_out, seen_world) = watch::channel(Arc::clone(&world));
    let lease = store.lease();
    let (trouble, seen_trouble) = watch::channel(None);
    let store: Arc<dyn Store> = Arc::new(Patient::new(store, trouble.clone()));
    let engine = Engine {
        store: Arc::clone(&store),
        trouble,
        clock: Arc::clone(&clock),
        steps,
        watcher,
        world,
        dispatcher,
        timers,
        sweeps,
        sweep_after: None,
        upkeep,
        park_ms: park_ms(park),
        fills,
        trials,
        trims: Trims::new(upkeep, moment.now),
        closings: Closings::new(moment.now),
        shortener,
        seal,
        commands: arriving,
        answers,
        stats_out,
        world_out,
        stats: known,
        moment,
        doubtful: false,
        batch: lease.batch,
        before: Before::all(lease.batch),
        lease,
        inbox: Inbox { posted: true, ..Inbox::default() },
        keys: carry::Keys::default(),
        sharing: beat.map(Sharing::every),
        version,
        asked: Vec::new(),
    };
    let task = tokio::spawn(engine.run());
    let room = Arc::new(Semaphore::new(QUEUE));
    let handle =
        EngineHandle { commands, room, stats, world: seen_world, clock, trouble: seen_trouble, store };
    Ok((handle, task))
}

/// Lets the accelerated clock of a new development store begin at `begin`, before it is opened.
///
/// # Errors
/// If the store cannot be written.
pub async fn begin_clock(store: &dyn Store, begin: Timestamp, speed: u32) -> Result<(), EngineError> {
    let clock = Accelerated { origin: begin, start: wall(), speed: speed.max(1) };
    store.set_meta(&[(CLOCK.to_owned(), clock.to_text())]).await?;
    Ok(())
}

/// The clock of a store: the wall's, or the accelerated one it has had since its first run. `speed`: domain seconds
/// per real second; another speed goes on from the present domain time.
///
/// # Errors
/// [`EngineError::Refused`] for an accelerated clock on a store that was not created for development.
pub async fn open_clock(store: &dyn Store, speed: Option<u32>) -> Result<Arc<dyn Clock>, EngineError> {
    let kept = store.meta(CLOCK).await?.and_then(|text| Accelerated::parse(&text));
    let clock = match (kept, speed) {
        (None, None | Some(1)) => return Ok(Arc::new(WallClock)),
        (Some(kept), None) => kept,
        (Some(kept), Some(speed)) if kept.speed == speed => kept,
        (Some(kept), Some(speed)) => {
            let start = wall();
            Accelerated { origin: kept.at(start), start, speed: speed.max(1) }
        }
        (None, Some(speed)) => Accelerated::from_now(speed),
    };
    if store.meta("made_for").await?.as_deref() != Some("development") {
        let reason = "an accelerated clock needs a store that was created for development";
        return Err(EngineError::Refused(reason.into()));
    }
    if kept != Some(clock) {
        store.set_meta(&[(CLOCK.to_owned(), clock.to_text())]).await?;
    }
    Ok(Arc::new(clock))
}
