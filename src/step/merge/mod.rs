//! Two subjects turn out to be one (`wayfare.merged`): the row of the one that goes hands all it has to the row of the
//! one that stays, and passes on whatever still comes for it.
//!
//! What is handed over is a [`Parcel`], one at a time: the estate first, then each event that came since. The row that
//! goes keeps a parcel until the other says that it has it, and sends it again after a while, so a crash between the
//! two loses nothing; the row that stays takes each once, so it doubles nothing. The estate is sealed when no provider
//! is being asked for a message of the row: until then answers are still taken here. [`fold`] says what becomes of it.

pub(in crate::step) mod features;
mod fold;

use std::sync::Arc;

use super::effect::{Effect, SetAside};
use super::input::{Event, EventKind, Input, MessageKey, RootKey};
use super::post::{self, Errand, Parcel, Post};
use super::run::{Run, later};
use super::state::{MAX_PASSED, Merged, MessageStatus, State};
use super::trace::Decision;
use super::{dispatch, give, message, show};
use crate::value::Value;

/// The type that says so; the first part of a parcel's key.
pub(super) const MERGED: &str = "wayfare.merged";
/// How long the other row may be silent before a parcel is sent again.
const PATIENCE_MS: i64 = 60_000;

/// The subject of this row is `into`.
pub(super) fn begin(run: &mut Run, event: &Event, into: &RootKey) {
    let is_possible =
        into != run.root && into.entity == run.root.entity && !run.state.absorbed.contains(into);
    if !is_possible {
        return run.trace_root(Decision::NotMerged { into: Value::Text(into.id.clone()) });
    }
    run.state.merged = Some(Box::new(Merged {
        into: into.clone(),
        key: super::occurrence::identity(event),
        number: 0,
        is_sealed: false,
        queue: Vec::new(),
        retry_at: None,
    }));
    run.trace_root(Decision::Merged { into: Value::Text(into.id.clone()) });
    hand_over(run);
}

/// What comes for a row that has gone. `false`: it has not, or comes back to life by this.
pub(super) fn divert(run: &mut Run, input: &Input) -> bool {
    let Some(merged) = run.state.merged.as_deref() else { return false };
    match input {
        Input::Event(event) => pass_on(run, event),
        Input::Wake => {
            if merged.retry_at.is_some_and(|at| at <= run.now) {
                send(run);
            }
        }
        Input::Dispatch(key) | Input::DispatchAgain(key) => {
            let unheard = matches!(input, Input::DispatchAgain(_));
            let asked = message::find(run, key).and_then(|at| run.state.messages.get(at));
            if asked.is_some_and(|message| message.status == MessageStatus::Dispatching) {
                dispatch::dispatch(run, key, unheard);
                // It need not leave: the gate may refuse it now, and then nobody else will say that it is over.
                super::settle_followers(run);
                hand_over(run);
            } else {
                run.effect(Effect::Drop(key.clone()));
            }
        }
        Input::Answer { message, outcome, detail } => {
            message::answer(run, message, *outcome, detail);
            super::settle_followers(run);
            hand_over(run);
        }
        Input::Permit { key, short } => {
            give::permit(run, key, *short);
            super::settle_followers(run);
            hand_over(run);
        }
        Input::Tick { .. } | Input::Settle | Input::Paced { .. } => {}
        Input::Post(post) => return post_came(run, post),
    }
    true
}

/// The other row has the parcel of this number: what is behind it follows.
pub(super) fn taken(run: &mut Run, number: u64) {
    let Some(merged) = run.state.merged.as_deref_mut().filter(|merged| merged.number == number) else {
        return;
    };
    merged.number += 1;
    if number > 0 && !merged.queue.is_empty() {
        merged.queue.remove(0);
    }
    merged.retry_at = None;
    if number == 0 {
        super::task::forget_all(run);
        forget(run.state);
    }
    if run.state.merged.as_deref().is_some_and(|merged| !merged.queue.is_empty()) {
        send(run);
    }
}

/// A parcel of a row that has gone. That it is there is said each time, and it is opened once.
pub(super) fn take(run: &mut Run, post: &Post, number: u64, parcel: &Parcel, is_new: bool) {
    // Its own, come round a ring of which it is the one that stays.
    if post.from == *run.root {
        return;
    }
    if is_new {
        match parcel {
            Parcel::Estate(estate) => fold::fold(run, &post.from, State::clone(estate)),
            Parcel::Event(event) if event.kind.is_import() => _ = super::import::take(run, event),
            Parcel::Event(event) => super::take_event(run, event),
        }
    }
    post::send(run, post.from.clone(), post.key.clone(), Errand::Taken { number });
}

fn post_came(run: &mut Run, post: &Post) -> bool {
    let Some(merged) = run.state.merged.as_deref() else { return false };
    let into = merged.into.clone();
    match &post.errand {
        Errand::Taken { number } => taken(run, *number),
        // Each was told to go into the other: the one whose key is less stays.
        Errand::Parcel { .. } if post.from == into && merged.number == 0 && run.root.id < post.from.id => {
            return_to_life(run);
            return false;
        }
        // It came round a ring of several. A parcel gets so far only if no key on the way is less: that one stays.
        Errand::Parcel { .. } if post.from == *run.root => {
            if merged.number == 0 && merged.is_sealed {
                return_to_life(run);
                super::settle_followers(run);
            }
        }
        // Whether this row goes or stays is not decided while it has its estate; the other says it again.
        Errand::Parcel { .. } if merged.number == 0 && (!merged.is_sealed || run.root.id < post.from.id) => {}
        // What it asked of others is still here: the one that stays does not know of it yet.
        Errand::Became(_) | Errand::Given { .. } if merged.number == 0 && !merged.is_sealed => {
            post::take(run, post);
            super::settle_followers(run);
            hand_over(run);
        }
        Errand::Became(_) | Errand::Given { .. } => {
            let key = key_there(&post.key, run.root, &into);
            run.effect(Effect::Post(Box::new(Post { to: into, key, ..post.clone() })));
        }
        _ => run.effect(Effect::Post(Box::new(Post { to: into, ..post.clone() }))),
    }
    true
}

/// What this row had asked for, as the one that stays calls it.
fn key_there(key: &MessageKey, gone: &RootKey, into: &RootKey) -> MessageKey {
    if key.root != gone.id {
        return key.clone();
    }
    let entry = rekeyed(&key.entry, &gone.id, &into.id);
    MessageKey { root: into.id.clone(), entry, ..key.clone() }
}

/// Takes back that it has gone. What came since has happened now.
fn return_to_life(run: &mut Run) {
    let Some(merged) = run.state.merged.take() else { return };
    for event in &merged.queue {
        if event.kind.is_import() {
            super::import::take(run, event);
        } else {
            super::take_event(run, event);
        }
    }
}

/// Seals the estate, once nothing of it is under way, and sends it.
fn hand_over(run: &mut Run) {
    let asked = run.state.messages.iter().any(|message| message.status == MessageStatus::Dispatching);
    let is_busy = asked || !run.state.asks.is_empty();
    let Some(merged) = run.state.merged.as_deref_mut().filter(|merged| !merged.is_sealed && !is_busy) else {
        return;
    };
    merged.is_sealed = true;
    show::clear(run);
    send(run);
}

/// Sends the parcel whose turn it is.
fn send(run: &mut Run) {
    let retry_at = later(run.now, PATIENCE_MS);
    let root = run.root.id.clone();
    let Some(merged) = run.state.merged.as_deref_mut().filter(|merged| merged.is_sealed) else { return };
    let parcel = match (merged.number, merged.queue.first()) {
        (0, _) => None,
        (_, Some(event)) => Some(Parcel::Event(Box::new(event.clone()))),
        (_, None) => return,
    };
    merged.retry_at = Some(retry_at);
    let (to, number) = (merged.into.clone(), merged.number);
    let key = MessageKey {
        journey: MERGED.into(),
        root,
        child: None,
        entry: merged.key.clone(),
        step: number.to_string().into(),
    };
    let parcel = parcel.unwrap_or_else(|| Parcel::Estate(Box::new(estate(run.state))));
    post::send(run, to, key, Errand::Parcel { number, parcel: Box::new(parcel) });
}

/// What the one that stays gets.
fn estate(state: &State) -> State {
    State {
        merged: None,
        replay: None,
        posted: Vec::new(),
        trace_refs: Vec::new(),
        wake_at: None,
        ..state.clone()
    }
}

/// Behind the estate only where it went, and what is still to be passed on.
fn forget(state: &mut State) {
    let gone = std::mem::take(state);
    *state = State {
        payload_key: gone.payload_key,
        trace_refs: gone.trace_refs,
        wake_at: gone.wake_at,
        posted: gone.posted,
        merged: gone.merged,
        ..State::default()
    };
}

/// An event for the one that stays. Reports name a message by the key that it has there now.
fn pass_on(run: &mut Run, event: &Event) {
    let from = run.root.id.clone();
    let mut event = event.clone();
    let Some(merged) = run.state.merged.as_deref_mut() else { return };
    if merged.queue.len() >= MAX_PASSED {
        return run.effect(Effect::Quarantine { event: Box::new(event), why: SetAside::Merged });
    }
    if let EventKind::Merged { into } = &event.kind
        && *into == merged.into
    {
        return;
    }
    if let EventKind::Message { key, .. } | EventKind::Resend { key } | EventKind::Tasked { key, .. } =
        &mut event.kind
    {
        key.root = merged.into.id.clone();
        key.entry = rekeyed(&key.entry, &from, &merged.into.id);
    }
    let is_idle = merged.number > 0 && merged.queue.is_empty();
    merged.queue.push(event);
    if is_idle {
        send(run);
    }
}

/// What a message of this row was called by those who have gone into it.
pub(super) fn former_keys(run: &Run, key: &MessageKey) -> Vec<MessageKey> {
    let absorbed = run.state.absorbed.iter().filter(|root| root.entity == run.root.entity);
    absorbed
        .map(|gone| MessageKey {
            root: gone.id.clone(),
            entry: rekeyed(&key.entry, &run.root.id, &gone.id),
            ..key.clone()
        })
        .collect()
}

/// The entry key of `reenter never` is the subject's own id, which is another now.
fn rekeyed(key: &Arc<str>, from: &str, into: &Arc<str>) -> Arc<str> {
    if **key == *from { into.clone() } else { key.clone() }
}
