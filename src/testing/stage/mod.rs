//! Where a test plays: every customer's state, and a clock that jumps from one thing to do to the next.
//!
//! What the engine does with a store, threads and real time stands here in plain memory: events in, ticks of
//! schedules, timers when they are due, dispatches to a provider, its answers back. Order at one instant: what was
//! scheduled from outside, then ticks, then timers; customers in the order given.

mod ledger;
mod provider;
mod ticks;
mod trials;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::Suite;
use super::cast::Actor;
use super::record::{Record, What};
use crate::expr::civil::shift_moment;
use crate::name::Name;
use crate::step::{Effect, Event, EventKind, Input, MessageKey, RootKey, State, World, step};
use crate::value::Type;
use ledger::Ledger;
use ticks::Tick;
use trials::Trials;

/// Steps at one instant after which a test is stuck rather than busy.
const MOST_AT_ONCE: u32 = 1_000_000;

pub(super) struct Stage<'a> {
    pub(super) suite: Suite<'a>,
    pub(super) world: Arc<World>,
    pub(super) now: Timestamp,
    pub(super) rows: Vec<Row>,
    by_key: BTreeMap<RootKey, usize>,
    /// When each row wants to be looked at, soonest first.
    wakes: BTreeSet<(Timestamp, usize)>,
    /// Scheduled from outside, in order of time and then of scheduling.
    later: BTreeMap<(Timestamp, u64), Later>,
    ticks: Vec<Tick>,
    /// Providers that do not answer, and until when.
    outages: BTreeMap<Name, Timestamp>,
    /// Stock and budgets.
    ledger: Ledger,
    serial: u64,
    steps_at_once: u32,
    /// Kinds that some attribute or field refers to.
    referred: BTreeSet<Name>,
    trials: Trials,
}

/// One root subject.
pub(super) struct Row {
    pub(super) key: RootKey,
    pub(super) state: State,
    wake: Option<Timestamp>,
    pub(super) record: Record,
}

enum Later {
    Event {
        row: usize,
        event: Event,
    },
    /// A dispatch that an outage held back.
    Retry {
        row: usize,
        message: MessageKey,
    },
}

/// A row kept asking to be woken at an instant that never passes.
pub(super) struct Stuck;

impl<'a> Stage<'a> {
    /// An empty stage whose clock stands at `now`. A tick due at that very instant is still to come.
    pub(super) fn new(suite: Suite<'a>, world: &Arc<World>, now: Timestamp) -> Self {
        Self {
            suite,
            world: Arc::clone(world),
            now,
            rows: Vec::new(),
            by_key: BTreeMap::new(),
            wakes: BTreeSet::new(),
            later: BTreeMap::new(),
            ticks: ticks::first(suite, now),
            outages: BTreeMap::new(),
            ledger: Ledger::default(),
            serial: 0,
            steps_at_once: 0,
            referred: referred(suite),
            trials: Trials::of(suite),
        }
    }

    /// The row of a root subject, made on first use.
    pub(super) fn row(&mut self, key: RootKey) -> usize {
        if let Some(&row) = self.by_key.get(&key) {
            return row;
        }
        let row = self.rows.len();
        self.by_key.insert(key.clone(), row);
        self.rows.push(Row { key, state: State::default(), wake: None, record: Record::default() });
        row
    }

    /// Lets an event arrive now, or at its own time if that is still to come.
    pub(super) fn happen(&mut self, row: usize, event: Event) {
        if event.time > self.now {
            let key = (event.time, self.next_serial());
            let event = Event { received: event.time, ..event };
            self.later.insert(key, Later::Event { row, event });
        } else {
            self.arrive(row, event);
        }
    }

    /// Sets up date entries and history of journeys, as a deployment does.
    pub(super) fn settle(&mut self, row: usize) {
        self.input(row, &Input::Settle);
    }

    /// Gives `actor` a tag, as if a journey had set it just now. Nothing, where there is no such tag.
    pub(super) fn tag(&mut self, actor: &Actor, tag: Name) {
        let Some(declared) = self.suite.bundle.schema.tags.get(&tag) else { return };
        let until = declared.keep.and_then(|keep| shift_moment(self.now, keep, false, self.suite.zone, None));
        let subject = actor.subject(self);
        let (Some(sym), Some(row)) = (self.world.symbols.sym(tag), self.rows.get_mut(actor.row)) else {
            return;
        };
        let child = subject.0.filter(|_| declared.subject == actor.entity);
        let tags = match child {
            None => Some(&mut row.state.tags),
            Some((entity, id)) => {
                let found =
                    row.state.children.iter_mut().find(|child| child.entity == entity && child.id == id);
                found.map(|child| &mut child.tags)
            }
        };
        if let Some(tags) = tags {
            let at = tags.partition_point(|(known, _)| *known < sym);
            tags.insert(at, (sym, until));
        }
    }

    /// What was taken of stock and budgets, by account.
    pub(super) fn taken(&self) -> BTreeMap<String, i64> {
        self.ledger.taken()
    }

    /// From now on the provider of `channel` does not answer, until `until`.
    pub(super) fn outage(&mut self, channel: Name, until: Timestamp) {
        self.outages.insert(channel, until);
    }

    /// Does the next thing that is due up to `until`, and says which rows it concerned. `None`: nothing is left, and
    /// the clock shows `until`.
    pub(super) fn beat(&mut self, until: Timestamp) -> Result<Option<Vec<usize>>, Stuck> {
        let Some(at) = self.next_instant().filter(|at| *at <= until) else {
            self.set_now(until);
            return Ok(None);
        };
        self.set_now(at);
        self.steps_at_once += 1;
        if self.steps_at_once > MOST_AT_ONCE {
            return Err(Stuck);
        }
        Ok(Some(self.act()))
    }

    /// A number that no event of this stage had before.
    pub(super) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    fn next_instant(&self) -> Option<Timestamp> {
        let later = self.later.keys().next().map(|(at, _)| *at);
        let wake = self.wakes.first().map(|(at, _)| *at);
        let tick = self.ticks.iter().filter_map(|tick| tick.next).min();
        [later, wake, tick, self.trials.next()].into_iter().flatten().min()
    }

    fn set_now(&mut self, at: Timestamp) {
        if at > self.now {
            self.now = at;
            self.steps_at_once = 0;
        }
    }

    fn act(&mut self) -> Vec<usize> {
        if self.later.keys().next().is_some_and(|(at, _)| *at <= self.now)
            && let Some((_, later)) = self.later.pop_first()
        {
            return vec![self.act_later(later)];
        }
        if let Some((experiment, arm, told)) = self.trials.take_due(self.now) {
            if let Some(arm) = arm {
                Arc::make_mut(&mut self.world).winners.insert(experiment, arm);
            }
            for row in 0..self.rows.len() {
                self.note(row, std::iter::once(What::Decided(told.clone())));
            }
            return Vec::new();
        }
        if let Some((journey, root, at)) = ticks::take_due(self.suite, &mut self.ticks, self.now) {
            let rows: Vec<usize> = (0..self.rows.len())
                .filter(|row| self.rows.get(*row).is_some_and(|row| row.key.entity == root))
                .collect();
            for row in &rows {
                self.input(*row, &Input::Tick { journey, at });
            }
            return rows;
        }
        let Some(row) = self.wakes.first().map(|(_, row)| *row) else { return Vec::new() };
        self.input(row, &Input::Wake);
        vec![row]
    }

    fn act_later(&mut self, later: Later) -> usize {
        match later {
            Later::Event { row, event } => {
                self.arrive(row, event);
                row
            }
            Later::Retry { row, message } => {
                self.input(row, &Input::Dispatch(message));
                row
            }
        }
    }

    fn arrive(&mut self, row: usize, event: Event) {
        let (now, serial) = (self.now, self.next_serial());
        if let Some(row) = self.rows.get_mut(row) {
            row.record.add(now, serial, What::Event(event.clone()));
        }
        self.refer(row, &event);
        self.input(row, &Input::Event(event));
    }

    /// What other subjects see of a root of another kind than the customers of the story: its stored attributes.
    fn refer(&mut self, row: usize, event: &Event) {
        let Some(key) = self.rows.get(row).map(|row| row.key.clone()) else { return };
        if self.referred.contains(&key.entity)
            && event.child.is_none()
            && matches!(event.kind, EventKind::Attributes)
        {
            let world = Arc::make_mut(&mut self.world);
            Arc::make_mut(&mut world.references).merge(key.entity, key.id, &event.fields);
        }
    }

    /// One step, and everything that follows from it at once.
    fn input(&mut self, row: usize, input: &Input) {
        let (now, world) = (self.now, Arc::clone(&self.world));
        let Some(target) = self.rows.get_mut(row) else { return };
        let output = step(&world, &target.key, &mut target.state, input, now);
        output.trace.iter().for_each(|trace| self.trials.note(&trace.what, &world, now));
        self.note(row, output.trace.into_iter().map(What::Trace));
        self.reschedule(row);
        for effect in output.effects {
            match effect {
                Effect::Enqueue { message, .. } => self.input(row, &Input::Dispatch(message)),
                Effect::Deliver(delivery) => self.deliver(row, *delivery),
                Effect::Place(placed) => self.note(row, std::iter::once(What::Placed(placed))),
                Effect::Drop(_)
                | Effect::Quarantine { .. }
                | Effect::Remove { .. }
                | Effect::Task(_)
                | Effect::Book(_)
                | Effect::Draw(_) => {}
                Effect::Reserve(reserve) => {
                    let short = self.ledger.reserve(&reserve);
                    self.input(row, &Input::Permit { key: reserve.key, short });
                }
                // A story has few customers: all of them may leave at once.
                Effect::Pace { message, .. } => self.input(row, &Input::Paced { message, at: now }),
                Effect::Post(post) => {
                    let to = self.row(post.to.clone());
                    self.input(to, &Input::Post(post));
                }
            }
        }
    }

    fn note(&mut self, row: usize, what: impl Iterator<Item = What>) {
        let now = self.now;
        for what in what {
            let serial = self.next_serial();
            if let Some(row) = self.rows.get_mut(row) {
                row.record.add(now, serial, what);
            }
        }
    }

    fn reschedule(&mut self, number: usize) {
        let Some(row) = self.rows.get_mut(number) else { return };
        let due = row.state.next_due();
        if row.wake == due {
            return;
        }
        if let Some(before) = row.wake {
            self.wakes.remove(&(before, number));
        }
        row.wake = due;
        if let Some(due) = due {
            self.wakes.insert((due, number));
        }
    }
}

/// The kinds that attributes and event fields refer to.
fn referred(suite: Suite<'_>) -> BTreeSet<Name> {
    let schema = &suite.bundle.schema;
    let fields = schema.entities.values().flat_map(|entity| &entity.fields);
    let fields = fields.chain(schema.events.values().flat_map(|event| &event.fields));
    let kinds = fields.filter_map(|field| match field.ty.known() {
        Type::Entity(entity) => Some(*entity),
        _ => None,
    });
    kinds.collect()
}
