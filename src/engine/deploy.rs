//! Deployments: from a bundle, and from the store when a daemon starts, to a [`World`].
//!
//! Programs are stored by hash and numbered; every version that is stored is loaded, since somebody may stand in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::fill;
use super::fill::Plan;
use super::handle::EngineError;
use crate::name::Name;
use crate::program::{Bundle, FORMAT, Hashed, Program};
use crate::step::world::Kill;
use crate::step::{ProgramNo, Symbols, World};
use crate::store::{Deployment, ProgramRow, Store, StoreError};

const KILL: &str = "kill";
/// The version at which they were set.
const SWITCHED: &str = "kill.version";
/// Experiments that are decided.
const DECIDED: &str = "decided";
/// Counts deployments and switches, so that workers notice those of others.
const VERSION: &str = "version";

/// What became of an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// What everybody new gets; `None`: the mix stays.
    pub arm: Option<Name>,
    pub at: Timestamp,
    /// With the counts, for people.
    pub told: String,
}

/// Experiments that are decided, by name.
pub(super) async fn decided(store: &dyn Store) -> Result<BTreeMap<Name, Decided>, StoreError> {
    let text = store.meta(DECIDED).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// Keeps what became of an experiment, for all workers and for good.
pub(super) async fn decide(
    store: &dyn Store,
    base: u64,
    experiment: Name,
    what: Decided,
) -> Result<(), EngineError> {
    let mut all = decided(store).await?;
    all.insert(experiment, what);
    let text = serde_json::to_string(&all).map_err(|error| unreadable("decisions", &error))?;
    let deployment = Deployment { meta: vec![(DECIDED.to_owned(), text)], ..Deployment::default() };
    Ok(store.deploy(&following(base, deployment)).await?)
}

/// What is live, as far as this worker knows.
pub(super) async fn version(store: &dyn Store) -> Result<u64, StoreError> {
    number(store, VERSION).await
}

async fn number(store: &dyn Store, name: &str) -> Result<u64, StoreError> {
    Ok(store.meta(name).await?.and_then(|text| text.parse().ok()).unwrap_or_default())
}

/// The world of the last deployment, as a daemon finds it at its start, and its version. Empty before the first one.
pub(super) async fn load(store: &dyn Store, zone: &TimeZone) -> Result<(World, u64), EngineError> {
    loop {
        // Before the rest: what comes in between is then noticed.
        let base = version(store).await?;
        let (world, stored) = read_numbered(store, zone.clone()).await?;
        let symbols = new_symbols(&world.symbols, stored);
        if symbols.is_empty() {
            return Ok((world, base));
        }
        // Names that this build writes and the one before did not.
        match store.deploy(&following(base, Deployment { symbols, ..Deployment::default() })).await {
            Ok(()) => return Ok((world, base.saturating_add(1))),
            // Another worker was quicker.
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// `deployment` as the one after `base`.
fn following(base: u64, mut deployment: Deployment) -> Deployment {
    deployment.base = Some(base);
    deployment.meta.push((VERSION.to_owned(), base.saturating_add(1).to_string()));
    deployment
}

/// The same, from a store that is open for reading.
pub(super) async fn read(store: &dyn Store, zone: TimeZone) -> Result<World, EngineError> {
    let mut world = read_numbered(store, zone).await?.0;
    fill::mark(store, &mut world).await?;
    Ok(world)
}

/// With the number of stored symbols.
async fn read_numbered(store: &dyn Store, zone: TimeZone) -> Result<(World, usize), EngineError> {
    let deployed = store.deployed().await?;
    let bundle = match &deployed.bundle {
        Some(body) => serde_json::from_slice(body).map_err(|error| unreadable("deployment", &error))?,
        None => nothing(),
    };
    let mut programs = BTreeMap::new();
    for row in &deployed.programs {
        programs.insert(ProgramNo(row.no), program(row)?);
    }
    let symbols = Symbols::new(deployed.symbols.iter().map(|name| Name::new(name)));
    let mut world = world(bundle, programs, symbols, zone);
    if let Some(kill) = store.meta(KILL).await? {
        world.kill = serde_json::from_str(&kill).map_err(|error| unreadable("kill switches", &error))?;
    }
    world.switched = number(store, SWITCHED).await?;
    let decided = decided(store).await?.into_iter();
    world.winners = decided.filter_map(|(experiment, what)| Some((experiment, what.arm?))).collect();
    Ok((world, deployed.symbols.len()))
}

/// Whether `bundle` is another than the live one. One that cannot be run is refused.
pub(super) fn is_new(old: &World, bundle: &Bundle) -> Result<bool, EngineError> {
    if bundle.format != FORMAT {
        let (found, known) = (bundle.format, FORMAT);
        return Err(EngineError::Refused(format!("format {found} of the bundle is not {known}").into()));
    }
    Ok(bundle.hash != old.bundle.hash)
}

/// Stores what is live from now on, as the deployment after `base`, and returns its world.
pub(super) async fn deploy(
    store: &dyn Store,
    old: &World,
    base: u64,
    plan: Plan,
) -> Result<World, EngineError> {
    let Plan { live: bundle, target, meta } = plan;
    let body = serde_json::to_vec(&bundle).map_err(|error| unreadable("deployment", &error))?;
    let mut deployment =
        Deployment { bundle: Some((bundle.hash.to_string(), body)), meta, ..Deployment::default() };
    let mut programs = old.programs.clone();
    add_programs(&bundle, &mut programs, &mut deployment)?;
    let mut symbols = old.symbols.clone();
    symbols.cover(&bundle, programs.values().map(|program| &*program.body));
    if let Some(target) = target {
        // What goes live later has its numbers now.
        symbols.cover(&target, std::iter::empty());
    }
    deployment.symbols = new_symbols(&symbols, old.symbols.names().len());
    store.deploy(&following(base, deployment)).await?;
    let mut new = world(bundle, programs, symbols, old.zone.clone());
    new.kill = old.kill.clone();
    new.switched = old.switched;
    new.winners = old.winners.clone();
    Ok(new)
}

/// Keeps the switches, so that a restart does not turn them off. Returns the version at which they were set.
pub(super) async fn kill(store: &dyn Store, base: u64, kill: &Kill) -> Result<u64, EngineError> {
    let text = serde_json::to_string(kill).map_err(|error| unreadable("kill switches", &error))?;
    let version = base.saturating_add(1);
    let meta = vec![(KILL.to_owned(), text), (SWITCHED.to_owned(), version.to_string())];
    store.deploy(&following(base, Deployment { meta, ..Deployment::default() })).await?;
    Ok(version)
}

/// Numbers from `stored` on, which the store does not have yet.
fn new_symbols(symbols: &Symbols, stored: usize) -> Vec<(u32, String)> {
    let numbered = (0_u32..).zip(symbols.names()).skip(stored);
    numbered.map(|(no, name)| (no, name.to_string())).collect()
}

fn add_programs(
    bundle: &Bundle,
    programs: &mut BTreeMap<ProgramNo, Hashed<Program>>,
    deployment: &mut Deployment,
) -> Result<(), EngineError> {
    for (journey, program) in &bundle.programs {
        if programs.values().any(|stored| stored.hash == program.hash) {
            continue;
        }
        let no = programs.keys().next_back().map_or(0, |last| last.0.saturating_add(1));
        let body = serde_json::to_vec(&program.body).map_err(|error| unreadable("program", &error))?;
        let (hash, journey) = (program.hash.to_string(), journey.to_string());
        deployment.programs.push(ProgramRow { no, hash, journey, body });
        programs.insert(ProgramNo(no), program.clone());
    }
    Ok(())
}

fn world(
    bundle: Bundle,
    programs: BTreeMap<ProgramNo, Hashed<Program>>,
    symbols: Symbols,
    zone: TimeZone,
) -> World {
    let of_hash = |hash: &str| programs.iter().find(|(_, stored)| &*stored.hash == hash).map(|(no, _)| *no);
    let live =
        bundle.programs.iter().filter_map(|(journey, program)| Some((*journey, of_hash(&program.hash)?)));
    let live = live.collect();
    World::new(Arc::new(bundle), programs, live, symbols, zone)
}

fn program(row: &ProgramRow) -> Result<Hashed<Program>, EngineError> {
    let body: Program = serde_json::from_slice(&row.body).map_err(|error| unreadable("program", &error))?;
    Ok(Hashed { hash: row.hash.as_str().into(), body: Arc::new(body) })
}

/// Before the first deployment: nothing can come in.
fn nothing() -> Bundle {
    Bundle {
        format: FORMAT,
        hash: "".into(),
        schema: crate::program::Schema::default(),
        channels: BTreeMap::new(),
        contents: BTreeMap::new(),
        calendars: BTreeMap::new(),
        values: crate::program::Values::default(),
        lanes: BTreeMap::new(),
        policy: None,
        units: BTreeMap::new(),
        programs: BTreeMap::new(),
        pictures: BTreeMap::new(),
    }
}

fn unreadable(what: &str, error: &serde_json::Error) -> EngineError {
    EngineError::Refused(format!("the stored {what} cannot be read or written: {error}").into())
}
