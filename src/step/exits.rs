//! Exits: looked at on every event, before every step, and at dispatch; before anything else the event does to the
//! instance, except that goals are counted first.

use super::actor::Actor;
use super::message;
use super::occurrence::Occurrence;
use super::show;
use super::task;
use super::trace::Decision;
use crate::program::{Exit, ExitOn};

/// Whether the occurrence made the instance exit. What happened before the entry does not.
pub(super) fn hear(actor: &mut Actor, occurrence: &Occurrence) -> bool {
    if actor.has_ended() || occurrence.at < actor.it.entry_time {
        return actor.has_ended();
    }
    let loaded = actor.loaded;
    let exit = loaded.program.exits.iter().find(|exit| match &exit.on {
        ExitOn::Events(patterns) => {
            patterns.iter().any(|pattern| occurrence.matches(pattern, loaded, actor.scene()))
        }
        ExitOn::When(_) => false,
    });
    exit.is_some_and(|exit| take(actor, exit))
}

/// Whether a condition made the instance exit.
pub(super) fn look(actor: &mut Actor) -> bool {
    let loaded = actor.loaded;
    if actor.has_ended() || !loaded.watches_state {
        return actor.has_ended();
    }
    let exit = loaded.program.exits.iter().find(|exit| match &exit.on {
        ExitOn::When(condition) => actor.scene().admits(Some(condition)),
        ExitOn::Events(_) => false,
    });
    exit.is_some_and(|exit| take(actor, exit))
}

fn take(actor: &mut Actor, exit: &Exit) -> bool {
    let end = actor.run.sym(exit.end);
    match exit.block {
        None => actor.exit_as(end),
        Some(block) => {
            actor.trace(Decision::Exited { end });
            message::cancel(actor.run, &actor.it);
            task::withdraw(actor.run, &actor.it);
            show::leave(actor.run, &actor.it);
            actor.leaving = true;
            actor.go(block);
        }
    }
    true
}
