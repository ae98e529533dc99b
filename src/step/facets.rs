//! What a database may know of a row: one bit for each audience that a clock looks at, whether the row needs the look.
//!
//! The bit is worked out by the one evaluator when the row is written, from the part of the condition that time cannot
//! change: stored attributes and children. A database sifts by it and decides nothing: a row whose bit is not set, of
//! the same layout, is one that the look would leave as it is. All else is kept and looked at.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ring::digest::{SHA256, digest};

use super::enter;
use super::index::Loaded;
use super::input::RootKey;
use super::run::zone_of;
use super::scene::Scene;
use super::state::{State, SubjectRef};
use super::world::World;
use crate::expr::{BinaryOp, Expr, eval};
use crate::name::Name;
use crate::program::{Bundle, Def, Enter};

/// Audiences with a bit; a look at any further one is at every row.
const MOST: usize = 62;

/// The bits of a deployment.
#[derive(Debug, Default)]
pub(super) struct Facets {
    bits: Vec<Bit>,
    layout: i64,
}

#[derive(Debug)]
struct Bit {
    loaded: Arc<Loaded>,
    /// True of everybody of whom the condition is true.
    weak: Expr,
    /// Whether the look also writes down who is out.
    remembers: bool,
}

/// What a row is sifted by: its bits, and the number of what they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    pub layout: i64,
    pub bits: i64,
}

/// How a database sifts rows: keep those that have another layout, or none, or a bit of the mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sieve {
    pub layout: i64,
    pub mask: i64,
}

impl Sieve {
    /// As a database does it.
    #[must_use]
    pub fn keeps(self, mark: Option<Mark>) -> bool {
        mark.is_none_or(|mark| mark.layout != self.layout || mark.bits & self.mask != 0)
    }
}

impl Facets {
    pub(super) fn new<'l>(
        live: impl Iterator<Item = &'l Arc<Loaded>>,
        bundle: &Bundle,
        zone: &TimeZone,
    ) -> Self {
        let derived = derived(bundle);
        let mut programs: Vec<&Arc<Loaded>> = live.collect();
        programs.sort_by_key(|loaded| loaded.program.journey.as_str());
        let bits = programs.into_iter().filter_map(|loaded| bit(loaded, &derived)).take(MOST);
        let bits: Vec<Bit> = bits.collect();
        // The bank's zone is a setting, so it is no part of the bundle.
        let layout = number(&(layout(&bits, bundle), zone.iana_name()));
        Self { bits, layout }
    }
}

/// The facets of a row, as its database has them; `None` where nothing is asked.
#[must_use]
pub fn of(world: &World, root: &RootKey, state: &State) -> Option<Mark> {
    let facets = &world.index().facets;
    if facets.bits.is_empty() {
        return None;
    }
    let zone = zone_of(world, state);
    let set = facets.bits.iter().zip(0_u32..).filter(|(bit, _)| bit.is_set(world, root, state, &zone));
    let bits = set.fold(0, |set, (_, number)| set | 1 << number);
    Some(Mark { layout: facets.layout, bits })
}

/// How rows are sifted for the look of `journey`; `None`: all are looked at.
#[must_use]
pub fn sieve(world: &World, journey: Name) -> Option<Sieve> {
    let facets = &world.index().facets;
    let number = facets.bits.iter().position(|bit| bit.loaded.program.journey == journey)?;
    Some(Sieve { layout: facets.layout, mask: 1 << number })
}

impl Bit {
    fn is_set(&self, world: &World, root: &RootKey, state: &State, zone: &TimeZone) -> bool {
        if !state.known {
            return true;
        }
        let program = &self.loaded.program;
        let subjects = enter::subjects_in(world, root, state, program.subject);
        subjects.iter().any(|subject| {
            self.is_unseen(state, subject) || {
                // No part of what is left of the condition asks for the time.
                let row = Scene::of_row(world, root, state, zone, Timestamp::UNIX_EPOCH);
                let scene = row.seen_by(program, subject);
                eval::holds(&self.weak, &scene)
            }
        })
    }

    /// Whether the look would write down that the subject is out.
    fn is_unseen(&self, state: &State, subject: &SubjectRef) -> bool {
        let own = state
            .audiences
            .iter()
            .find(|memory| memory.journey == self.loaded.journey && memory.subject == *subject);
        self.remembers && own.is_none_or(|memory| memory.was)
    }
}

fn bit(loaded: &Arc<Loaded>, derived: &BTreeMap<Name, Vec<&Expr>>) -> Option<Bit> {
    let program = &loaded.program;
    let (condition, schedule, remembers) = match &program.enter {
        Enter::When { condition, schedule } => (condition, schedule.as_ref()?, true),
        Enter::Every { schedule, filter } => (filter.as_ref()?, schedule, false),
        _ => return None,
    };
    // Those of an attribute are timers of each subject.
    if schedule.attribute().is_some() {
        return None;
    }
    let weak = Asked { defs: &program.defs, derived }.weaker(condition)?;
    Some(Bit { loaded: Arc::clone(loaded), weak, remembers })
}

/// Fields that are worked out, by name, of whatever entity.
pub(super) fn derived(bundle: &Bundle) -> BTreeMap<Name, Vec<&Expr>> {
    let mut derived: BTreeMap<Name, Vec<&Expr>> = BTreeMap::new();
    for field in bundle.schema.entities.values().flat_map(|entity| &entity.fields) {
        if let Some(value) = &field.value {
            derived.entry(field.name).or_default().push(value);
        }
    }
    derived
}

/// What stands behind the names of a condition.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub defs: &'a [Def],
    pub derived: &'a BTreeMap<Name, Vec<&'a Expr>>,
}

impl Asked<'_> {
    /// What is left of a condition without the parts that time, events or others can change: it holds wherever the
    /// condition holds. `None`: nothing is left.
    fn weaker(self, condition: &Expr) -> Option<Expr> {
        match condition {
            Expr::Binary(BinaryOp::And, left, right) => match (self.weaker(left), self.weaker(right)) {
                (Some(left), Some(right)) => Some(both(BinaryOp::And, left, right)),
                (left, right) => left.or(right),
            },
            Expr::Binary(BinaryOp::Or, left, right) => {
                Some(both(BinaryOp::Or, self.weaker(left)?, self.weaker(right)?))
            }
            whole if self.is_stored(whole) => Some(whole.clone()),
            Expr::Def(crate::expr::Owner::Subject, number) => {
                self.weaker(&self.defs.get(usize::from(*number))?.value)
            }
            _ => None,
        }
    }

    /// Whether the row alone makes the value: stored attributes, children and what is worked out from them.
    pub(super) fn is_stored(self, expr: &Expr) -> bool {
        let parts = |expr: &Expr| expr.parts().into_iter().all(|part| self.is_stored(part));
        match expr {
            Expr::Const(_) | Expr::Element => true,
            Expr::Attr(_, name) => {
                self.derived.get(name).is_none_or(|values| values.iter().all(|value| self.is_stored(value)))
            }
            Expr::Def(_, number) => {
                self.defs.get(usize::from(*number)).is_some_and(|def| self.is_stored(&def.value))
            }
            Expr::Aggregate(aggregate) => aggregate.exprs().into_iter().all(|part| self.is_stored(part)),
            Expr::Field(..)
            | Expr::Not(_)
            | Expr::Neg(_)
            | Expr::Binary(..)
            | Expr::Known(..)
            | Expr::Otherwise(..)
            | Expr::List(_)
            | Expr::Range(..)
            | Expr::At(..)
            | Expr::Shift { .. }
            | Expr::SpanOf { .. }
            | Expr::Choose { .. } => parts(expr),
            // Copy is printed in a locale; the others are plain arithmetic.
            Expr::Call(function, _) => {
                use crate::expr::Function::{DateOf, Days, Max, Min, Ratio, Round};
                matches!(function, DateOf | Days | Max | Min | Ratio | Round) && parts(expr)
            }
            Expr::Tag(..)
            | Expr::Local(_)
            | Expr::Param(_)
            | Expr::Entry
            | Expr::Entered
            | Expr::Now
            | Expr::Today
            | Expr::Span { .. }
            | Expr::Reference { .. }
            | Expr::Anchored { .. }
            | Expr::History(_)
            | Expr::Table(_)
            | Expr::Balance(..) => false,
        }
    }
}

fn both(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    Expr::Binary(op, Box::new(left), Box::new(right))
}

/// Of everything that a bit hangs on besides the row: another layout tells nothing.
fn layout(bits: &[Bit], bundle: &Bundle) -> i64 {
    let programs: Vec<(Name, &str)> =
        bits.iter().map(|bit| (bit.loaded.program.journey, &*bit.loaded.hash)).collect();
    number(&(programs, &bundle.schema.choices, &bundle.schema.entities, &bundle.calendars))
}

/// The first 64 bits of SHA-256 over what it says: two that say different things do not have the same.
fn number<T: serde::Serialize>(said: &T) -> i64 {
    let bytes = postcard::to_stdvec(said).unwrap_or_default();
    let hash = digest(&SHA256, &bytes);
    hash.as_ref().first_chunk().copied().map(i64::from_le_bytes).unwrap_or_default()
}
