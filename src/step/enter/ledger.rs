//! The ledger of entries: who entered what, which outlives instances and versions, and what it allows.

use std::sync::Arc;

use jiff::Timestamp;

use crate::program::Reenter;
use crate::step::actor::Actor;
use crate::step::index::Loaded;
use crate::step::run::Run;
use crate::step::state::{Entry, Instance, MAX_ENTRIES, SubjectRef};
use crate::step::symbols::{self, Sym};
use crate::step::trace::NotEntered;

/// Whether `reenter` lets the subject in again.
pub(super) fn check(run: &Run, loaded: &Loaded, subject: &SubjectRef, key: &str) -> Result<(), NotEntered> {
    let own = || {
        run.state.entries.iter().filter(|entry| entry.journey == loaded.journey && entry.subject == *subject)
    };
    if own().any(|entry| &*entry.key == key) {
        return Err(NotEntered::Again { key: key.into() });
    }
    let Reenter::After(length) = loaded.program.reenter else { return Ok(()) };
    if let Some(running) = own().find(|entry| entry.ended.is_none()) {
        return Err(NotEntered::Again { key: running.key.clone() });
    }
    let Some(ended) = own().filter_map(|entry| entry.ended.map(|(_, at)| at)).max() else { return Ok(()) };
    let scene = run.scene(loaded, subject);
    let until = run.after(ended, length, &scene);
    if run.now < until { Err(NotEntered::TooSoon { until }) } else { Ok(()) }
}

/// Writes the entry, and forgets those that can no longer matter.
pub(super) fn open(run: &mut Run, loaded: &Loaded, subject: &SubjectRef, key: &Arc<str>) {
    super::rules::forget(run, loaded, subject);
    let entries = &mut run.state.entries;
    if matches!(loaded.program.reenter, Reenter::After(_) | Reenter::Restart) {
        entries.retain(|entry| {
            entry.journey != loaded.journey || entry.subject != *subject || entry.ended.is_none()
        });
    }
    let entry = Entry {
        journey: loaded.journey,
        subject: subject.clone(),
        key: key.clone(),
        at: run.now,
        ended: None,
    };
    entries.push(entry);
    while run.state.entries.len() > MAX_ENTRIES {
        let oldest = run.state.entries.iter().position(|entry| may_forget(run, entry));
        match oldest {
            Some(at) => _ = run.state.entries.remove(at),
            None => break,
        }
    }
}

/// Notes how an instance ended.
pub(in crate::step) fn close(run: &mut Run, instance: &Instance, end: Sym, at: Timestamp) {
    let own = |entry: &&mut Entry| {
        entry.journey == instance.journey && entry.subject == instance.subject && entry.key == instance.key
    };
    if let Some(entry) = run.state.entries.iter_mut().find(own) {
        entry.ended = Some((end, at));
    }
}

/// With `reenter restart`, ends the instance that runs.
pub(super) fn replace_running(run: &mut Run, loaded: &Loaded, subject: &SubjectRef) {
    if loaded.program.reenter != Reenter::Restart {
        return;
    }
    let running = run
        .state
        .instances
        .iter()
        .position(|instance| instance.journey == loaded.journey && instance.subject == *subject);
    let Some(at) = running else { return };
    let instance = run.state.instances.remove(at);
    let Some(pinned) = run.world.index().program(instance.program) else { return };
    let end = run.fixed(symbols::RESTARTED);
    Actor::new(run, pinned, instance).leave(end);
}

/// A running entry, and an entry of `reenter never`, is never forgotten.
fn may_forget(run: &Run, entry: &Entry) -> bool {
    let journey = run.world.symbols.name(entry.journey);
    let live = journey.and_then(|journey| run.world.index().journey(journey));
    entry.ended.is_some() && live.is_none_or(|live| live.program.reenter != Reenter::Never)
}
