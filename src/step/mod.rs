//! The runtime's heart: one pure function over one root subject's whole state.
//!
//! [`step`]`(world, root, state, input, now) -> effects, trace`. No IO, no clock, no chance: they are arguments. The
//! daemon, `wayfare test` and every simulation call this one function; a behaviour that exists only in the daemon is
//! a defect.
//!
//! Reading order: [`world`] (what is the same for everybody), [`state`] (what is one customer's), [`input`],
//! [`effect`], [`trace`]; then `run` (one call), `occurrence` (what happened), `enter`, `actor` (one instance at
//! work) with `exits`, `goals` and `node`, then `message` and `gate`, `features` for history (with [`replay`]
//! for its past) and `tracked` for derived values that change. [`facets`] is what a
//! database may know of a row, [`audience`] says who is in one.

#![allow(
    clippy::redundant_closure_for_method_calls,
    reason = "a method of an `Actor` is bound to its lifetimes; the closure is not"
)]

mod account;
mod actor;
mod arbiter;
mod attributes;
pub mod audience;
mod because;
mod bound;
mod cell;
pub mod codec;
mod consent;
mod content;
mod dispatch;
mod due;
pub mod effect;
mod enter;
mod erase;
mod exits;
pub mod explain;
pub mod facets;
pub mod features;
mod gate;
mod give;
mod goals;
pub mod history;
mod hold;
pub mod horizon;
mod import;
mod index;
pub mod input;
mod lateness;
mod letter;
mod list;
mod merge;
mod message;
mod node;
mod occurrence;
pub mod opening;
mod park;
pub mod post;
pub mod preview;
mod receipts;
pub mod references;
pub mod replay;
mod rights;
mod rounds;
mod row;
mod run;
mod scene;
mod show;
pub mod sight;
pub mod slots;
pub mod state;
pub mod symbols;
pub mod task;
mod told;
pub mod trace;
mod tracked;
mod trial;
pub mod verdict;
mod wire;
pub mod world;

pub use effect::{
    Booking, Delivery, Drawing, Effect, Line, Output, Placed, Reserve, SetAside, Short, TaskChange, TaskNews,
};
pub use input::{Event, EventKind, Input, MessageKey, RootKey, TaskOrder};
pub use post::Post;
pub use references::References;
pub use state::State;
pub use symbols::{Sym, Symbols};
pub use trace::{Decision, Trace};
pub use world::{Kill, ProgramNo, World};

use std::sync::Arc;

use jiff::Timestamp;

use actor::Actor;
use index::Loaded;
use occurrence::Occurrence;
use run::{Follow, Run};
use state::Instance;

use crate::program::NodeKind;

/// Rounds of looking at conditions that others' changes may have made true.
const MOST_ROUNDS: usize = 8;

/// Takes one input and moves everything that it concerns, as far as it goes without waiting.
///
/// `now` is when this happens for the journeys: waits begin at it. It never runs backwards for one subject. The same
/// arguments give the same result. Instants are whole milliseconds; finer ones are cut off.
#[must_use]
pub fn step(world: &World, root: &RootKey, state: &mut State, input: &Input, now: Timestamp) -> Output {
    let mut run = Run::new(world, root, state, now);
    if merge::divert(&mut run, input) {
        return run.out;
    }
    run.changed = enter::Changed::by(input);
    match input {
        // Conditions are not looked at behind an import, unless it made somebody known whose events had waited.
        Input::Event(event) if event.kind.is_import() => {
            if !import::take(&mut run, event) {
                return run.out;
            }
        }
        Input::Event(event) => take_event(&mut run, event),
        Input::Tick { journey, at } => enter::tick(&mut run, *journey, *at),
        Input::Wake => {
            let until = run.now;
            due::run_until(&mut run, until);
        }
        Input::Settle => {
            park::plan(&mut run);
            enter::plan_date(&mut run);
        }
        Input::Dispatch(key) => dispatch::dispatch(&mut run, key, false),
        Input::DispatchAgain(key) => dispatch::dispatch(&mut run, key, true),
        Input::Answer { message, outcome, detail } => message::answer(&mut run, message, *outcome, detail),
        Input::Permit { key, short } => give::permit(&mut run, key, *short),
        Input::Paced { message, at } => hold::paced(&mut run, message, *at),
        Input::Post(post) => post::take(&mut run, post),
    }
    settle(&mut run, input);
    run.out
}

fn take_event(run: &mut Run, event: &Event) {
    if let EventKind::Declared(name) = event.kind {
        told::pass_on(run, event, name);
    }
    match &event.kind {
        EventKind::Attributes => attributes::merge(run, event),
        EventKind::Message { kind, key } => receipts::take(run, event, *kind, key),
        EventKind::Declared(_) | EventKind::Closed(_) if !run.state.known => park::park(run, event),
        EventKind::Imported(_) | EventKind::ImportedAttributes => _ = import::take(run, event),
        EventKind::Merged { into } => merge::begin(run, event, into),
        EventKind::Resend { key } => message::resend(run, key),
        EventKind::Tasked { key, order } => task::take_order(run, key, order),
        EventKind::Consent { channel, purpose, given, wording } => {
            consent::take(run, event, (*channel, *purpose), *given, wording);
        }
        EventKind::Listed { .. } => consent::list(run, event),
        EventKind::Inbound { channel, text } => consent::hear(run, event, (*channel, None), text),
        EventKind::Erased => erase::take(run),
        EventKind::Closed(attribute) => {
            let occurrence = Occurrence::of_close(event, *attribute, run);
            happen(run, occurrence);
        }
        EventKind::Declared(name) if run.world.index().tasks.contains_key(name) => {
            task::take(run, event, *name);
        }
        EventKind::Declared(name) => {
            let occurrence = Occurrence::of_event(event, *name, run);
            happen(run, occurrence);
        }
    }
}

/// Lets everybody hear of an occurrence: history first, then what runs, then what it may enter.
///
/// Timers that were due before it happened fire before it, whatever came late to this process; timers that were due
/// behind it wait for their `Wake`, so that an event in time wins against a timer that has not fired yet.
fn happen(run: &mut Run, mut occurrence: Occurrence) {
    let until = occurrence.at.min(run.now);
    due::run_until(run, until);
    features::update(run, &occurrence);
    tracked::note(run);
    tell_all(run, &mut occurrence);
    settle_followers(run);
}

/// Lets everybody hear of an occurrence that history knows already.
fn tell_all(run: &mut Run, occurrence: &mut Occurrence) {
    if !run.world.index().is_heard(occurrence.trigger) {
        return;
    }
    occurrence.note_firsts(run);
    enter::absent(run, occurrence);
    goals::hear_ended(run, occurrence);
    each_actor(
        run,
        |_, loaded, instance| loaded.hears(occurrence.trigger) && occurrence.concerns(&instance.subject),
        |actor| actor.hear(occurrence),
    );
    enter::heard(run, occurrence);
}

/// What instances caused: messages that went out, journeys that they started, lanes that they left.
fn settle_followers(run: &mut Run) {
    loop {
        while let Some(follower) = run.next_follower() {
            match follower {
                Follow::Occurrence(mut occurrence) => tell_all(run, &mut occurrence),
                Follow::Start(candidate, journey) => enter::by_start(run, journey, *candidate),
            }
        }
        if !enter::release(run) {
            return;
        }
    }
}

/// Looks at conditions until nothing moves any more.
fn settle(run: &mut Run, input: &Input) {
    settle_followers(run);
    arbiter::decide_all(run);
    for _ in 0..MOST_ROUNDS {
        run.moved = false;
        tracked::notice(run);
        settle_followers(run);
        goals::look_ended(run);
        each_actor(run, looks_at_state, |actor| actor.look());
        watch(run, input);
        settle_followers(run);
        arbiter::decide_all(run);
        if !run.moved {
            break;
        }
    }
    tracked::plan(run);
}

fn looks_at_state(run: &Run, loaded: &Loaded, instance: &Instance) -> bool {
    let node = loaded.program.nodes.get(usize::from(instance.node));
    loaded.watches_state
        || match node.map(|node| &node.kind) {
            Some(NodeKind::UntilState { .. }) => true,
            Some(NodeKind::UntilMoment { .. }) => run.attributes_changed,
            _ => false,
        }
}

/// Lets each instance that `concerned` names act, in order of entry.
fn each_actor(
    run: &mut Run,
    concerned: impl Fn(&Run, &Loaded, &Instance) -> bool,
    act: impl Fn(Actor) -> Option<Instance>,
) {
    let mut at = 0;
    while let Some(instance) = run.state.instances.get(at) {
        let loaded = run.world.index().program(instance.program);
        let before = run.state.instances.len();
        if loaded.is_some_and(|loaded| concerned(run, loaded, instance)) {
            with_actor(run, at, &act);
        }
        if run.state.instances.len() == before {
            at += 1;
        }
    }
}

/// Takes the instance at `at` out of the state, lets it act, and puts it back unless it ended.
fn with_actor(run: &mut Run, at: usize, act: impl FnOnce(Actor) -> Option<Instance>) {
    let Some(no) = run.state.instances.get(at).map(|instance| instance.program) else { return };
    let Some(loaded) = run.world.index().program(no) else { return };
    let instance = run.state.instances.remove(at);
    if let Some(instance) = act(Actor::new(run, loaded, instance)) {
        run.state.instances.insert(at.min(run.state.instances.len()), instance);
    }
}

/// Looks at journeys that are entered when a condition becomes true.
fn watch(run: &mut Run, input: &Input) {
    if run.world.index().watchers().is_empty() {
        return;
    }
    if let Some(identity) = identity_of(run, input) {
        enter::watch(run, &identity);
    }
}

/// What made an input this one and no other, as an entry key. A wake that fired nothing made nothing true.
fn identity_of(run: &Run, input: &Input) -> Option<Arc<str>> {
    Some(match input {
        Input::Event(event) => occurrence::identity(event),
        Input::Tick { at, .. } => at.to_string().into(),
        Input::Dispatch(key) | Input::DispatchAgain(key) => format!("{key}#dispatch").into(),
        Input::Answer { message, outcome, .. } => format!("{message}#{}", outcome.as_str()).into(),
        Input::Permit { key, .. } => format!("{key}#permit").into(),
        Input::Paced { message, .. } => format!("{message}#paced").into(),
        Input::Post(post) => format!("{}#{}", post.key, post.errand.word()).into(),
        Input::Wake => run.fired?.to_string().into(),
        Input::Settle => run.world.bundle.hash.clone(),
    })
}
