//! Erasure: the row forgets the subject. What stays says what was decided, when, and by which journey, and nothing of
//! whom: keys are digests, and neither attributes nor contents' arguments are left. The payload key goes as well, so what
//! is sealed under it in log and trace opens no more; whoever runs the step gives the row a new one.
//!
//! The row's own key stays, so that what comes later for the same subject meets its consents; and digests of keys that are
//! known can be worked out again. What the store keeps beside the row (short names of links, rows of tasks) forgets the
//! subject in the same commit: see `engine::shorten`.

use jiff::Timestamp;

use super::gate::caps;
use super::letter;
use super::post::Became;
use super::run::Run;
use super::show;
use super::state::{Entry, Message, MessageStatus, State, SubjectRef};
use super::symbols::{self, Sym};
use super::task;
use super::trace::Decision;
use crate::program::Outcome;

pub(super) fn take(run: &mut Run) {
    let instances = std::mem::take(&mut run.state.instances);
    for instance in &instances {
        super::message::cancel(run, instance);
        show::leave(run, instance);
    }
    for message in run.state.messages.clone() {
        if message.status.waits() && message.from().is_some() {
            letter::tell_sender(run, &message, Became::Refused(Outcome::Unreachable));
        }
    }
    task::forget_all(run);
    let (end, now) = (run.fixed(symbols::ERASED), run.now);
    let old = std::mem::take(run.state);
    *run.state = State {
        entries: old.entries.iter().map(|it| entry(it, (end, now))).collect(),
        messages: old.messages.iter().map(message).collect(),
        posted: old.posted,
        wake_at: old.wake_at,
        agreements: old.agreements,
        listed: old.listed,
        erased: Some(run.now),
        ..State::default()
    };
    run.refresh_zone();
    run.trace_root(Decision::Erased);
}

fn entry(entry: &Entry, now: (Sym, Timestamp)) -> Entry {
    let key = format!("{:016x}", caps::fnv(&entry.key)).into();
    Entry { key, subject: SubjectRef::default(), ended: entry.ended.or(Some(now)), ..*entry }
}

fn message(message: &Message) -> Message {
    let status = if message.status.is_open() { MessageStatus::Cancelled } else { message.status };
    Message {
        entry: format!("{:016x}", caps::fnv(&message.entry)).into(),
        subject: SubjectRef::default(),
        args: Vec::new(),
        more: None,
        status,
        ..message.clone()
    }
}
