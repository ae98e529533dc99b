//! What is the same for every customer during a batch: programs, content, schema, calendars, switches.
//!
//! Immutable while in use; a deployment makes a new one. The store gives every name that appears in state or trace a
//! small number ([`Sym`](super::Sym)), so that rows stay compact.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::index::Index;
use super::references::References;
use super::symbols::Symbols;
use crate::lottery::Seed;
use crate::name::Name;
use crate::program::{Bundle, Hashed, Program};

/// How long events wait for their subject where no setting says otherwise: seven days.
const PARK_MS: i64 = 7 * 86_400_000;

/// A program version as the store numbers it: dense, from 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProgramNo(pub u32);

/// What draws come from: the same seed draws the same.
#[derive(Clone, Debug, Default)]
pub enum Seeds {
    /// Of tests and trials: the same for all.
    #[default]
    Trial,
    /// Of a daemon: those that were bound to at publish, with what was told of them. Of another lottery nobody draws.
    Kept(Arc<BTreeMap<Name, (Seed, Arc<str>)>>),
}

impl Seeds {
    /// Of a lottery that can be drawn.
    #[must_use]
    pub fn of(&self, lottery: Name) -> Option<Seed> {
        match self {
            Self::Trial => Some(Seed::of_trials()),
            Self::Kept(kept) => kept.get(&lottery).map(|(seed, _)| seed.clone()),
        }
    }

    /// What was told of the seed at publish.
    #[must_use]
    pub fn commitment(&self, lottery: Name) -> Option<Arc<str>> {
        match self {
            Self::Trial => None,
            Self::Kept(kept) => kept.get(&lottery).map(|(_, commitment)| Arc::clone(commitment)),
        }
    }
}

/// Made by [`World::new`], which also builds the indexes that a step looks things up in.
#[derive(Clone, Debug)]
pub struct World {
    /// The live deployment: schema, channels, contents, calendars, and the programs new instances enter.
    pub bundle: Arc<Bundle>,
    /// Every version that is live or that somebody may still stand in.
    pub programs: BTreeMap<ProgramNo, Hashed<Program>>,
    /// The version a new instance of a journey enters.
    pub live: BTreeMap<Name, ProgramNo>,
    /// Covers the bundle and every program ([`Symbols::cover`]).
    pub symbols: Symbols,
    /// The bank's zone: schedules, and customers whose own zone is unknown.
    pub zone: TimeZone,
    pub kill: Kill,
    /// Which setting of switches that was, so that nobody takes back what they have not seen.
    pub switched: u64,
    /// Channels without a provider, by configuration: what is decided for them is on record, and that is all.
    pub recorded: BTreeSet<Name>,
    /// How long events of a subject that is not known are kept, in milliseconds.
    pub park_ms: i64,
    /// Fills of history that came to their end, and the one that is under way: see [`super::replay`].
    pub filled: Arc<BTreeSet<u64>>,
    pub filling: Option<u64>,
    /// Conditions of which the past is known only from an instant on, by their id.
    pub since: Arc<BTreeMap<Name, jiff::Timestamp>>,
    /// What subjects of other kinds refer to.
    pub references: Arc<References>,
    /// What draws come from.
    pub seeds: Seeds,
    /// Experiments that are decided: whoever comes new gets this arm.
    pub winners: BTreeMap<Name, Name>,
    index: Arc<Index>,
}

/// Switches that stop sending at once, whatever a journey says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kill {
    pub all: bool,
    pub channels: BTreeSet<Name>,
    pub journeys: BTreeSet<Name>,
}

impl Kill {
    /// Whether nothing of this journey may leave through this channel.
    #[must_use]
    pub fn stops(&self, channel: Name, journey: Name) -> bool {
        self.all || self.channels.contains(&channel) || self.journeys.contains(&journey)
    }
}

impl World {
    /// A world in which nothing is killed and every channel has a provider.
    ///
    /// `symbols` is the store's numbering. Names that it does not hold are numbered behind its last, so a caller that
    /// keeps symbols has them from [`Symbols::cover`] first and stores what that added.
    #[must_use]
    pub fn new(
        bundle: Arc<Bundle>,
        programs: BTreeMap<ProgramNo, Hashed<Program>>,
        live: BTreeMap<Name, ProgramNo>,
        mut symbols: Symbols,
        zone: TimeZone,
    ) -> Self {
        symbols.cover(&bundle, programs.values().map(|program| &*program.body));
        let index = Arc::new(Index::new(&bundle, &programs, &live, &symbols, &zone));
        Self {
            bundle,
            programs,
            live,
            symbols,
            zone,
            kill: Kill::default(),
            switched: 0,
            recorded: BTreeSet::new(),
            park_ms: PARK_MS,
            filled: Arc::default(),
            filling: None,
            since: Arc::default(),
            references: Arc::default(),
            seeds: Seeds::Trial,
            winners: BTreeMap::new(),
            index,
        }
    }

    /// A world that runs one bundle from scratch: its programs are numbered in order of journey name.
    #[must_use]
    pub fn of_bundle(bundle: Arc<Bundle>, zone: TimeZone) -> Self {
        let numbered = || (1..).map(ProgramNo).zip(&bundle.programs);
        let programs = numbered().map(|(no, (_, program))| (no, program.clone())).collect();
        let live = numbered().map(|(no, (journey, _))| (*journey, no)).collect();
        Self::new(bundle, programs, live, Symbols::default(), zone)
    }

    /// The results that a task can have; `None`: nothing that is deployed knows it.
    #[must_use]
    pub fn task_results(&self, task: Name) -> Option<&[Name]> {
        self.index.tasks.get(&task).map(Vec::as_slice)
    }

    /// The same with the numbers of another world, which has all names of this one.
    pub(super) fn renumber(&mut self, symbols: &Symbols) {
        *self = Self::new(
            Arc::clone(&self.bundle),
            std::mem::take(&mut self.programs),
            std::mem::take(&mut self.live),
            symbols.clone(),
            self.zone.clone(),
        );
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }
}
