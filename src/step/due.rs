//! Timers: what of a row is due, and doing it in the order in which it became due.

use std::sync::Arc;

use jiff::Timestamp;

use super::enter;
use super::park;
use super::run::Run;
use super::show;
use super::state::{Instance, Pending, PendingWhy, State};
use super::{list, task};

/// Timers that fire within one step. Every one of them ends or moves something, so this is met only by a bundle that
/// no compiler of ours made; the rest stays due.
const MOST_TIMERS: usize = 4_096;

impl State {
    /// The earliest instant at which a `Wake` has something to do.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        if let Some(merged) = &self.merged {
            return merged.retry_at;
        }
        let instances = self.instances.iter().filter_map(due_of);
        let tasks = self.tasks.iter().filter_map(|task| task.alarms.first().map(|alarm| alarm.at));
        let placements = self.placements.iter().filter(|one| one.stands()).filter_map(|one| one.until);
        let lists = self.messages.iter().filter_map(|message| message.next_at());
        let own = instances.chain(self.pending.iter().map(|pending| pending.due)).chain(tasks);
        own.chain(placements).chain(lists).min()
    }
}

#[derive(Clone, Copy)]
enum Timer {
    Instance(usize),
    Pending(usize),
    Task(usize),
    Placement(usize),
    /// The next message of an ordered list.
    List(usize),
}

/// Fires everything that became due at or before `until`, earliest first; of equals what entered first.
pub(super) fn run_until(run: &mut Run, until: Timestamp) {
    for _ in 0..MOST_TIMERS {
        let Some((due, timer)) = earliest(run.state, until) else { return };
        run.fired = Some(due);
        match timer {
            Timer::Instance(at) => super::with_actor(run, at, |actor| actor.wake()),
            Timer::Pending(at) => {
                let pending = run.state.pending.remove(at);
                fire(run, pending);
            }
            Timer::Task(at) => task::alarm(run, at),
            Timer::Placement(at) => show::end(run, at),
            Timer::List(at) => list::due(run, at),
        }
        super::settle_followers(run);
    }
}

fn due_of(instance: &Instance) -> Option<Timestamp> {
    match (instance.due, instance.expires) {
        (Some(due), Some(expires)) => Some(due.min(expires)),
        (due, expires) => due.or(expires),
    }
}

fn earliest(state: &State, until: Timestamp) -> Option<(Timestamp, Timer)> {
    let instances = state.instances.iter().enumerate();
    let instances = instances.filter_map(|(at, it)| Some((due_of(it)?, Timer::Instance(at))));
    let pending = state.pending.iter().enumerate().map(|(at, it)| (it.due, Timer::Pending(at)));
    let tasks = state.tasks.iter().enumerate();
    let tasks = tasks.filter_map(|(at, it)| Some((it.alarms.first()?.at, Timer::Task(at))));
    let placements = state.placements.iter().enumerate().filter(|(_, it)| it.stands());
    let placements = placements.filter_map(|(at, it)| Some((it.until?, Timer::Placement(at))));
    let lists = state.messages.iter().enumerate();
    let lists = lists.filter_map(|(at, it)| Some((it.next_at()?, Timer::List(at))));
    let due = instances.chain(pending).chain(tasks).chain(placements).chain(lists);
    let due = due.filter(|(due, _)| *due <= until);
    due.min_by_key(|(due, _)| *due)
}

/// A pending entry of a journey that is no longer deployed is forgotten.
fn fire(run: &mut Run, pending: Pending) {
    // Every step ends with a look at derived values; dates may hang on other roots, which change unheard.
    if matches!(pending.why, PendingWhy::Look) {
        return enter::plan_date(run);
    }
    if matches!(pending.why, PendingWhy::Parked) {
        return park::give_up(run);
    }
    let journey = run.world.symbols.name(pending.journey);
    let Some(loaded) = journey.and_then(|journey| run.world.index().journey(journey)).map(Arc::clone) else {
        return;
    };
    match pending.why {
        PendingWhy::Without(awaited) => {
            enter::fire_without(run, &loaded, pending.subject, *awaited, pending.due);
        }
        PendingWhy::Date(date) => enter::fire_date(run, &loaded, pending.subject, pending.due, date),
        PendingWhy::Lane(waiting) => enter::no_turn(run, &loaded, pending.subject, *waiting),
        PendingWhy::Look | PendingWhy::Parked => {}
    }
}
