//! Messages that wait: for the end of a quiet time, or for room under a cap. The instance stands still meanwhile.
//!
//! When the time has come, everything is looked at again, as if the message were decided then: exits and goals, the
//! whole gate. What was held over a quiet time then leaves at the rate of the policy's `release`, over all customers:
//! the step asks ([`Effect::Pace`]), and whoever runs it says when ([`super::Input::Paced`]).

use jiff::Timestamp;

use super::actor::News;
use super::arbiter::{self, Rank};
use super::dispatch;
use super::effect::Effect;
use super::gate::{Hold, Verdict, caps};
use super::input::MessageKey;
use super::letter;
use super::message;
use super::post::Became;
use super::run::{Run, later};
use super::state::{HeldBy, Message, MessageStatus};
use super::trace::{Decision, Rule};
use crate::expr::MessageEvent;
use crate::program::Outcome;

/// If nobody says when it may leave, it is asked again after this long.
const PATIENCE_MS: i64 = 60_000;

/// A message is decided, and does not leave yet.
pub(super) fn keep(run: &mut Run, mut message: Message, hold: Hold) {
    message.status = MessageStatus::Held(hold.by);
    message.more.get_or_insert_default().next_at = Some(hold.until);
    tell(run, &message, hold.until, hold.rule);
    message::add(run, message);
}

/// A message of the outbox goes back: it is not in the outbox any more. What a journey decided that was left meanwhile does
/// not leave later.
pub(super) fn put_back(run: &mut Run, at: usize, hold: Hold) {
    if let Some(message) = run.state.messages.get(at).filter(|message| was_left(run, message)).cloned() {
        message::set_status(run, at, MessageStatus::Cancelled);
        return message::trace(run, &message, Decision::Cancelled { step: message.step });
    }
    let Some(message) = again(run, at, hold) else { return };
    message::with_instance(run, &message, |mut actor| {
        if let Some(last) = actor.it.sent.iter().rposition(|(step, _)| *step == message.step) {
            actor.it.sent.remove(last);
        }
        actor.stay()
    });
    message::tell(run, &message, News::Held);
}

/// Whether the journey that decided it was left by one of its exits.
fn was_left(run: &Run, message: &Message) -> bool {
    let own = run.state.entries.iter().find(|entry| {
        (entry.journey, &entry.subject, &entry.key) == (message.journey, &message.subject, &message.entry)
    });
    let Some((end, _)) = own.and_then(|entry| entry.ended) else { return false };
    let loaded = run.world.index().program(message.program).filter(|_| message.from().is_none());
    loaded.is_some_and(|loaded| loaded.program.exits.iter().any(|exit| run.sym(exit.end) == end))
}

/// Some time has come: all that are due by then, those who go first before the others.
pub(super) fn due(run: &mut Run) {
    let by = run.fired.unwrap_or(run.now);
    let is_due = |message: &&Message| {
        matches!(message.status, MessageStatus::Held(_)) && message.next_at().is_some_and(|at| at <= by)
    };
    let due = run.state.messages.iter().filter(is_due);
    let mut due: Vec<(Rank, u64)> =
        due.map(|message| (arbiter::rank_of(run, message), caps::digest(message))).collect();
    due.sort_unstable();
    for (_, digest) in due {
        look(run, digest);
    }
}

/// The pace of all: it may leave now, or is looked at again at `at`.
pub(super) fn paced(run: &mut Run, key: &MessageKey, at: Timestamp) {
    let Some(place) = message::find(run, key) else { return };
    let Some(message) = run.state.messages.get(place) else { return };
    let MessageStatus::Held(by) = message.status else { return };
    if at > run.now {
        let rate = run.world.bundle.policy.as_ref().and_then(|policy| policy.body.release());
        if let Some(rate) = rate {
            again(run, place, Hold { until: at, by, rule: Rule::Release { rate } });
        }
        return;
    }
    let message = message.clone();
    match message::weigh(run, &message) {
        Ok(Verdict::Pass(_)) => release(run, place, &message),
        Ok(Verdict::Hold(_, hold)) => drop(again(run, place, hold)),
        Err((outcome, rule)) => refuse(run, place, outcome, rule),
    }
}

/// Its time has come.
fn look(run: &mut Run, digest: u64) {
    let place = |run: &Run| run.state.messages.iter().position(|message| caps::digest(message) == digest);
    let Some(at) = place(run) else { return };
    message::look_for_exit(run, at);
    let Some(at) = place(run) else { return };
    let Some(message) = run.state.messages.get(at).cloned() else { return };
    let MessageStatus::Held(by) = message.status else { return };
    match message::weigh(run, &message) {
        Ok(Verdict::Pass(_)) => {
            let rate = run.world.bundle.policy.as_ref().and_then(|policy| policy.body.release());
            match rate.filter(|_| by == HeldBy::Quiet) {
                Some(rate) => {
                    set_next(run, at, Some(later(run.now, PATIENCE_MS)));
                    let message = message::key_of(run, &message);
                    run.effect(Effect::Pace { message, rate });
                }
                None => release(run, at, &message),
            }
        }
        Ok(Verdict::Hold(_, hold)) => drop(again(run, at, hold)),
        Err((outcome, rule)) => refuse(run, at, outcome, rule),
    }
}

/// It leaves.
fn release(run: &mut Run, at: usize, message: &Message) {
    let on_record =
        run.world.symbols.name(message.channel).is_some_and(|name| run.world.recorded.contains(&name));
    dispatch::leaves_now(run, message);
    set_next(run, at, None);
    let status = if on_record { MessageStatus::Sent } else { MessageStatus::Pending };
    message::set_status(run, at, status);
    let now = run.now;
    let Some(message) = run.state.messages.get_mut(at) else { return };
    message.at = now;
    let message = message.clone();
    let (step, channel) = (message.step, message.channel);
    message::trace(run, &message, Decision::Decided { step, channel });
    if let Some(channel) = run.world.symbols.name(channel).filter(|_| !on_record) {
        let message = message::key_of(run, &message);
        run.effect(Effect::Enqueue { message, channel, again: true });
    }
    message::announce(run, &message, MessageEvent::Sent);
    if message.from().is_some() {
        letter::tell_sender(run, &message, Became::Accepted);
        if on_record {
            letter::tell_sender(run, &message, Became::Answered(Outcome::Sent));
        }
        return;
    }
    message::with_instance(run, &message, |mut actor| {
        actor.it.sent.push((step, now));
        actor.stay()
    });
    // A list has left when its last message has.
    if on_record || message.part().is_none() {
        message::tell(run, &message, if on_record { News::Sent } else { News::Accepted });
    }
}

pub(super) fn refuse(run: &mut Run, at: usize, outcome: Outcome, rule: Rule) {
    let Some(message) = run.state.messages.get(at).cloned() else { return };
    message::set_status(run, at, MessageStatus::Refused(outcome));
    let (step, channel) = (message.step, message.channel);
    message::trace(run, &message, Decision::Refused { step, channel, outcome, rule });
    message::tell(run, &message, News::Refused(outcome));
}

/// Not yet, once more. Returns the message.
fn again(run: &mut Run, at: usize, hold: Hold) -> Option<Message> {
    message::set_status(run, at, MessageStatus::Held(hold.by));
    set_next(run, at, Some(hold.until));
    let message = run.state.messages.get(at).cloned()?;
    tell(run, &message, hold.until, hold.rule);
    Some(message)
}

fn set_next(run: &mut Run, at: usize, next: Option<Timestamp>) {
    if let Some(message) = run.state.messages.get_mut(at) {
        message.more.get_or_insert_default().next_at = next;
    }
}

fn tell(run: &mut Run, message: &Message, until: Timestamp, rule: Rule) {
    let (step, channel) = (message.step, message.channel);
    message::trace(run, message, Decision::Held { step, channel, until, rule });
}
