//! What becomes of an estate: everything is known of the one that stays, nothing is done twice.
//!
//! Attributes: its own stand, what it lacks comes from the other; `consent` is what both agreed to. Entries, history,
//! tags, accounts are put together, so limits count both. Of two instances that may not run beside each other the older
//! goes on. A message that both have is one; what had not left yet and is not there leaves under the new key.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::features;
use super::rekeyed;
use crate::name::Name;
use crate::program::Reenter;
use crate::step::account::Account;
use crate::step::actor::{Actor, News};
use crate::step::effect::Effect;
use crate::step::gate::caps;
use crate::step::input::RootKey;
use crate::step::run::Run;
use crate::step::scene::ROOT;
use crate::step::state::{
    Entry, Instance, MAX_ABSORBED, MAX_AGREEMENTS, MAX_LISTED, MAX_PARKED, MAX_WATCHES, Message,
    MessageStatus, Pending, PendingWhy, State,
};
use crate::step::symbols::{self, Sym};
use crate::step::trace::Decision;
use crate::step::{enter, message, park, task, tracked};
use crate::value::Value;

pub(super) fn fold(run: &mut Run, from: &RootKey, mut gone: State) {
    let was_known = run.state.known;
    run.trace_root(Decision::Absorbed { from: Value::Text(from.id.clone()) });
    let before: Vec<u64> = gone.messages.iter().map(caps::digest).collect();
    rekey(run, from, &mut gone);
    rights(run, &mut gone, &before);
    attributes(run, &mut gone);
    memories(run, &mut gone);
    features::fold(run, std::mem::take(&mut gone.features));
    entries(run.state, std::mem::take(&mut gone.entries));
    accounts(run, std::mem::take(&mut gone.accounts));
    let settled = messages(run, std::mem::take(&mut gone.messages));
    for theirs in std::mem::take(&mut gone.tasks) {
        task::add(run, theirs);
    }
    run.state.instances.append(&mut gone.instances);
    run.state.instances.sort_by_key(|it| it.entered);
    part(run);
    for message in settled {
        message::tell(
            run,
            &message,
            if message.status == MessageStatus::Sent { News::Sent } else { News::Failed },
        );
    }
    absorbed(run.state, from, gone.absorbed);
    run.attributes_changed = true;
    run.moved = true;
    run.refresh_zone();
    tracked::see(run);
    enter::plan_date(run);
    run.state.parked.append(&mut gone.parked);
    run.state.parked.truncate(MAX_PARKED);
    if run.state.known && (!was_known || !run.state.parked.is_empty()) {
        park::release(run);
    }
    park::plan(run);
}

/// What hangs on the id of the one that goes hangs on that of the one that stays.
fn rekey(run: &Run, from: &RootKey, gone: &mut State) {
    let (from, into) = (&*from.id, &run.root.id);
    let keys = gone.entries.iter_mut().map(|it| &mut it.key);
    let keys = keys.chain(gone.instances.iter_mut().map(|it| &mut it.key));
    let keys = keys.chain(gone.watches.iter_mut().map(|it| &mut it.key));
    let keys = keys.chain(gone.messages.iter_mut().map(|it| &mut it.entry));
    for key in keys.chain(gone.tasks.iter_mut().map(|it| &mut it.entry)) {
        *key = rekeyed(key, from, into);
    }
}

/// What caps count is counted together; of what was said of consent the newest counts; lists are those of both.
/// `before`: digests of the other's messages by their old keys.
fn rights(run: &mut Run, gone: &mut State, before: &[u64]) {
    for mut mark in std::mem::take(&mut gone.marks) {
        let own = before.iter().position(|digest| *digest == mark.message);
        if let Some(message) = own.and_then(|at| gone.messages.get(at)) {
            mark.message = caps::digest(message);
        }
        if run.state.marks.iter().all(|known| known.message != mark.message) {
            run.state.marks.push(mark);
        }
    }
    run.state.agreements.append(&mut gone.agreements);
    run.state.agreements.sort_by_key(|said| said.at);
    cut(&mut run.state.agreements, MAX_AGREEMENTS);
    run.state.listed.append(&mut gone.listed);
    cut(&mut run.state.listed, MAX_LISTED);
}

fn attributes(run: &mut Run, gone: &mut State) {
    let consent = run.fixed(symbols::CONSENT);
    let said = |state: &State| state.attribute(&ROOT, consent).cloned();
    let agreed = match (said(run.state), said(gone)) {
        (Some(Value::List(own)), Some(Value::List(theirs))) => {
            Some(Value::List(own.into_iter().filter(|channel| theirs.contains(channel)).collect()))
        }
        _ => None,
    };
    for (name, value) in std::mem::take(&mut gone.attributes) {
        if run.state.attribute(&ROOT, name).is_none_or(Value::is_missing) {
            run.state.set_attribute(&ROOT, name, value);
        }
    }
    if let Some(agreed) = agreed {
        run.state.set_attribute(&ROOT, consent, agreed);
    }
    run.state.known |= gone.known;
    for child in std::mem::take(&mut gone.children) {
        if run.state.child(child.entity, &child.id).is_none() {
            run.state.children.push(child);
        }
    }
    run.state.children.sort_by(|one, other| (one.entity, &one.id).cmp(&(other.entity, &other.id)));
    for (tag, until) in std::mem::take(&mut gone.tags) {
        match run.state.tags.iter_mut().find(|(known, _)| *known == tag) {
            // Without an end is the latest.
            Some((_, known)) if known.is_some() && (until.is_none() || until > *known) => *known = until,
            Some(_) => {}
            None => run.state.tags.push((tag, until)),
        }
    }
    run.state.tags.sort_by_key(|(tag, _)| *tag);
}

/// What was seen, met and waited for.
fn memories(run: &mut Run, gone: &mut State) {
    for memory in std::mem::take(&mut gone.audiences) {
        let own = |known: &&mut crate::step::state::AudienceMemory| {
            known.journey == memory.journey && known.subject == memory.subject
        };
        match run.state.audiences.iter_mut().find(own) {
            Some(known) => known.was |= memory.was,
            None => run.state.audiences.push(memory),
        }
    }
    for first in std::mem::take(&mut gone.firsts) {
        let own = |known: &&mut crate::step::state::First| {
            known.digest == first.digest && known.subject == first.subject
        };
        match run.state.firsts.iter_mut().find(own) {
            Some(known) => known.at = known.at.min(first.at),
            None => run.state.firsts.push(first),
        }
    }
    run.state.recent.append(&mut gone.recent);
    run.state.watches.append(&mut gone.watches);
    cut(&mut run.state.watches, MAX_WATCHES);
    // Dates are planned anew, and the look at derived values has its own.
    let is_waiting = |it: &Pending| matches!(it.why, PendingWhy::Without(_) | PendingWhy::Lane(_));
    for pending in gone.pending.drain(..).filter(is_waiting) {
        let is_same = |known: &Pending| known.journey == pending.journey && known.why == pending.why;
        if !run.state.pending.iter().any(is_same) {
            run.state.pending.push(pending);
        }
    }
}

/// The ledger of entries: one line for each key.
fn entries(state: &mut State, gone: Vec<Entry>) {
    for entry in gone {
        let own = |known: &&mut Entry| {
            known.journey == entry.journey && known.subject == entry.subject && known.key == entry.key
        };
        match state.entries.iter_mut().find(own) {
            Some(known) => {
                known.at = known.at.min(entry.at);
                known.ended = match (known.ended, entry.ended) {
                    (Some(one), Some(other)) => Some(if one.1 < other.1 { other } else { one }),
                    _ => None,
                };
            }
            None => state.entries.push(entry),
        }
    }
    state.entries.sort_by_key(|entry| entry.at);
}

fn accounts(run: &mut Run, gone: Vec<Account>) {
    for account in gone {
        match run.state.accounts.iter_mut().find(|known| known.what == account.what) {
            Some(known) => known.fold(account, run.now),
            None => run.state.accounts.push(account),
        }
    }
    run.state.accounts.sort_by_key(|account| account.what);
}

/// Messages of both. Returns those of this row that the other had sent already: whoever waits for them is told.
fn messages(run: &mut Run, gone: Vec<Message>) -> Vec<Message> {
    let mut settled = Vec::new();
    for theirs in gone {
        let is_same = |own: &Message| {
            own.journey == theirs.journey
                && own.subject == theirs.subject
                && own.entry == theirs.entry
                && own.step == theirs.step
                && own.extra() == theirs.extra()
        };
        let Some(at) = run.state.messages.iter().position(is_same) else {
            add(run, theirs);
            continue;
        };
        let own = run.state.messages.get(at).map(|own| own.status);
        let own_waits = own.is_some_and(MessageStatus::waits);
        // A try may be under way, and nothing calls it back; another does not follow it.
        let own_leaves = own == Some(MessageStatus::Dispatching);
        match theirs.status {
            MessageStatus::Pending | MessageStatus::Held(_) => {
                message::trace(run, &theirs, Decision::Cancelled { step: theirs.step });
            }
            MessageStatus::Sent | MessageStatus::Failed
                if own_waits || own_leaves && theirs.status == MessageStatus::Sent =>
            {
                message::trace(run, &theirs, Decision::Cancelled { step: theirs.step });
                if let Some(own) = run.state.messages.get_mut(at) {
                    *own = theirs.clone();
                }
                settled.push(theirs);
            }
            _ => {}
        }
    }
    settled
}

/// What has not left yet leaves from here.
fn add(run: &mut Run, message: Message) {
    let is_own = !message.is_elsewhere();
    if let Some(channel) = run.world.symbols.name(message.channel)
        && message.status == MessageStatus::Pending
        && is_own
    {
        let key = message::key_of(run, &message);
        run.effect(Effect::Enqueue { message: key, channel, again: false });
    }
    message::add(run, message);
}

/// Ends what may not run beside an older one: of the same key, of a journey that runs once at a time, of one lane.
fn part(run: &mut Run) {
    let mut at = 1;
    while at < run.state.instances.len() {
        let Some(younger) = run.state.instances.get(at) else { return };
        let older = run.state.instances.iter().take(at).find(|older| excludes(run, older, younger));
        let Some(kept) = older.map(|older| (older.journey, older.subject.clone(), older.key.clone())) else {
            at += 1;
            continue;
        };
        let instance = run.state.instances.remove(at);
        end(run, instance);
        // The line of the ledger is that of the one that goes on.
        let own =
            |entry: &&mut Entry| (entry.journey, &entry.subject, &entry.key) == (kept.0, &kept.1, &kept.2);
        if let Some(entry) = run.state.entries.iter_mut().find(own) {
            entry.ended = None;
        }
    }
}

fn end(run: &mut Run, instance: Instance) {
    let Some(loaded) = run.world.index().program(instance.program) else { return };
    let end = run.fixed(symbols::MERGED_END);
    Actor::new(run, loaded, instance).leave(end);
}

fn excludes(run: &Run, older: &Instance, younger: &Instance) -> bool {
    let name = |sym: Sym| run.world.symbols.name(sym);
    let lane = |it: &Instance| {
        name(it.journey).and_then(|name: Name| run.world.index().berth(name)).map(|it| it.lane)
    };
    if lane(older).is_some() && lane(older) == lane(younger) {
        return true;
    }
    if older.journey != younger.journey || older.subject != younger.subject {
        return false;
    }
    let live = name(older.journey).and_then(|name| run.world.index().journey(name));
    let once = |loaded: &Arc<crate::step::index::Loaded>| {
        matches!(loaded.program.reenter, Reenter::Never | Reenter::After(_) | Reenter::Restart)
    };
    older.key == younger.key || live.is_some_and(once)
}

fn absorbed(state: &mut State, from: &RootKey, theirs: Vec<RootKey>) {
    let known: BTreeSet<RootKey> = state.absorbed.iter().cloned().collect();
    let new = std::iter::once(from.clone()).chain(theirs).filter(|root| !known.contains(root));
    state.absorbed.extend(new.collect::<Vec<_>>());
    cut(&mut state.absorbed, MAX_ABSORBED);
}

/// Keeps the newest, which stand behind.
fn cut<T>(all: &mut Vec<T>, most: usize) {
    let over = all.len().saturating_sub(most);
    all.drain(..over);
}
