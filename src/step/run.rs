//! One call of `step`: what it works on, and what it has produced so far.

use std::collections::VecDeque;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::arbiter::Wanted;
use super::effect::{Effect, Output};
use super::enter::{Candidate, Changed};
use super::features;
use super::index::Loaded;
use super::input::RootKey;
use super::occurrence::Occurrence;
use super::scene::{ROOT, Scene};
use super::state::{Instance, State, SubjectRef};
use super::symbols::{self, Sym};
use super::trace::{Decision, Trace};
use super::world::World;
use crate::expr::civil;
use crate::name::Name;
use crate::value::{Length, Value};

/// Things that follow from one input within one step. The compiler refuses journeys that chase each other without
/// time passing, so this bound is only met by a bundle that no compiler of ours made.
const MOST_FOLLOWERS: usize = 256;

pub(super) struct Run<'a> {
    pub world: &'a World,
    pub root: &'a RootKey,
    pub state: &'a mut State,
    pub now: Timestamp,
    pub zone: TimeZone,
    pub out: Output,
    /// Whether attributes changed: conditions and dates must be looked at again.
    pub attributes_changed: bool,
    /// What this input has changed.
    pub changed: Changed,
    /// Whether anything moved since the last look at conditions.
    pub moved: bool,
    /// When the timer that fired last was due.
    pub fired: Option<Timestamp>,
    /// Messages that compete for room under caps, decided when everybody has come to rest.
    pub wanted: Vec<Wanted>,
    /// The next message is decided at once: its turn has come.
    pub its_turn: bool,
    /// Derived values that have changed and that nobody has been told of.
    pub noted: Vec<Occurrence<'static>>,
    follow: VecDeque<Follow>,
    followed: usize,
}

/// What one instance caused and others must hear of, once it has come to rest.
pub(super) enum Follow {
    Occurrence(Occurrence<'static>),
    Start(Box<Candidate>, Name),
}

impl<'a> Run<'a> {
    pub(super) fn new(world: &'a World, root: &'a RootKey, state: &'a mut State, now: Timestamp) -> Self {
        let zone = zone_of(world, state);
        Self {
            world,
            root,
            state,
            now: whole_ms(now),
            zone,
            out: Output::default(),
            attributes_changed: false,
            changed: Changed::default(),
            moved: false,
            fired: None,
            wanted: Vec::new(),
            its_turn: false,
            noted: Vec::new(),
            follow: VecDeque::new(),
            followed: 0,
        }
    }

    pub(super) fn scene<'s>(&'s self, loaded: &'s Loaded, subject: &'s SubjectRef) -> Scene<'s> {
        let row = Scene::of_row(self.world, self.root, self.state, &self.zone, self.now);
        row.seen_by(&loaded.program, subject)
    }

    /// Whether this row is one that instances of `loaded` live in. An event may be heard in rows of several kinds.
    pub(super) fn is_home_of(&self, loaded: &Loaded) -> bool {
        loaded.program.root == self.root.entity
    }

    /// The number of a name. Every name of a program has one ([`symbols::Symbols::cover`]).
    pub(super) fn sym(&self, name: Name) -> Sym {
        self.world.symbols.sym(name).unwrap_or(Sym(u32::MAX))
    }

    pub(super) fn fixed(&self, name: &'static str) -> Sym {
        self.sym(Name::new(name))
    }

    /// `moment` plus `length` in the subject's zone; at the end of time where that does not exist.
    pub(super) fn after(&self, moment: Timestamp, length: Length, scene: &Scene) -> Timestamp {
        use crate::expr::Env;
        let calendar = scene.calendar(None);
        civil::shift_moment(moment, length, false, &self.zone, calendar).map_or(LAST, whole_ms)
    }

    pub(super) fn refresh_zone(&mut self) {
        self.zone = zone_of(self.world, self.state);
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.out.effects.push(effect);
    }

    /// A decision about an instance.
    pub(super) fn trace(&mut self, instance: &Instance, what: Decision) {
        self.out.trace.push(Trace {
            at: self.now,
            journey: Some(instance.journey),
            subject: instance.subject.clone(),
            entry: Some(instance.key.clone()),
            program: Some(instance.program),
            node: Some(instance.node),
            what,
        });
    }

    /// A decision about a journey and a subject, without an instance.
    pub(super) fn trace_entry(&mut self, loaded: &Loaded, subject: &SubjectRef, what: Decision) {
        self.out.trace.push(Trace {
            at: self.now,
            journey: Some(loaded.journey),
            subject: subject.clone(),
            entry: None,
            program: Some(loaded.no),
            node: None,
            what,
        });
    }

    /// A decision about the subject as a whole.
    pub(super) fn trace_root(&mut self, what: Decision) {
        self.trace_about(&ROOT, what);
    }

    /// A decision about the root or a child as a whole.
    pub(super) fn trace_about(&mut self, subject: &SubjectRef, what: Decision) {
        self.out.trace.push(Trace {
            at: self.now,
            journey: None,
            subject: subject.clone(),
            entry: None,
            program: None,
            node: None,
            what,
        });
    }

    /// Others hear of it once whoever caused it has come to rest; that it has happened is known at once, so that
    /// `any sent(nudge) since entered` holds right behind the `send`.
    pub(super) fn follow(&mut self, follow: Follow) {
        if let Follow::Occurrence(occurrence) = &follow {
            features::update(self, occurrence);
        }
        self.tell_later(follow);
    }

    /// The same of what history knows already.
    pub(super) fn tell_later(&mut self, follow: Follow) {
        self.follow.push_back(follow);
    }

    pub(super) fn next_follower(&mut self) -> Option<Follow> {
        if self.followed >= MOST_FOLLOWERS {
            self.follow.clear();
            return None;
        }
        self.followed += 1;
        self.follow.pop_front()
    }
}

/// The end of time: the last whole second, because a count of milliseconds cannot say what is behind it.
pub(super) const LAST: Timestamp = Timestamp::constant(253_402_207_200, 0);

/// State rows hold whole milliseconds, so a step works with nothing finer.
pub(super) fn whole_ms(moment: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(moment.as_nanosecond().div_euclid(1_000_000).try_into().unwrap_or(i64::MAX))
        .unwrap_or(LAST)
}

/// `moment` plus `ms`, at the end of time where that does not exist.
pub(super) fn later(moment: Timestamp, ms: i64) -> Timestamp {
    moment.checked_add(SignedDuration::from_millis(ms)).map_or(LAST, |at| at.min(LAST))
}

/// The zone of the attribute `zone` (an IANA name), else the bank's.
pub(super) fn zone_of(world: &World, state: &State) -> TimeZone {
    let sym = world.symbols.sym(Name::new(symbols::ZONE));
    let named = sym.and_then(|sym| match state.attribute(&ROOT, sym)? {
        Value::Text(name) => TimeZone::get(name).ok(),
        _ => None,
    });
    named.unwrap_or_else(|| world.zone.clone())
}
