//! Messages to persons with rows of their own: passed on by the journey's row, decided by the addressee's, and what
//! became of them said back.

use super::actor::Actor;
use super::dispatch;
use super::gate::{self, Verdict, Wish, caps};
use super::hold;
use super::input::MessageKey;
use super::list;
use super::merge;
use super::message::{self, Decided};
use super::occurrence::Occurrence;
use super::post::{self, Became, Errand, Letter, Post};
use super::run::Run;
use super::scene::ROOT;
use super::state::{Message, MessageStatus, More};
use super::trace::{Decision, Rule};
use crate::expr::MessageEvent;
use crate::program::Outcome;
use crate::value::Value;

/// Hands the message to the addressee's row. It is kept here until that says what became of it.
pub(super) fn pass_on(actor: &mut Actor, mut message: Message) -> Decided {
    let Some(to) = message.to().cloned() else { return Decided::Elsewhere };
    message.status = MessageStatus::Pending;
    let letter = Letter {
        program: message.program,
        node: message.node,
        step: message.step,
        channel: message.channel,
        extra: message.extra().into(),
        args: std::mem::take(&mut message.args),
    };
    let (step, channel) = (message.step, message.channel);
    actor.trace(Decision::PassedOn { step, channel: Some(channel), to: Value::Text(to.id.clone()) });
    let key = message::key_of(actor.run, &message);
    message::add(actor.run, message);
    post::send(actor.run, to, key, Errand::Send(Box::new(letter)));
    Decided::Elsewhere
}

/// Another row's journey sends this to the root of this one.
pub(super) fn take(run: &mut Run, post: &Post, letter: &Letter) {
    let world = run.world;
    let channel = world.symbols.name(letter.channel);
    let on_record = channel.is_some_and(|channel| world.recorded.contains(&channel));
    let Some(loaded) = world.index().program(letter.program) else {
        let refused = Errand::Became(Became::Refused(Outcome::Unreachable));
        return post::send(run, post.from.clone(), post.key.clone(), refused);
    };
    let mut more = More { extra: letter.extra.clone(), from: Some(post::sender(post)), ..More::default() };
    let mut message = Message {
        journey: loaded.journey,
        subject: ROOT.clone(),
        entry: post.key.entry.clone(),
        step: letter.step,
        channel: letter.channel,
        program: letter.program,
        node: letter.node,
        at: run.now,
        status: if on_record { MessageStatus::Sent } else { MessageStatus::Pending },
        receipts: Vec::new(),
        args: letter.args.clone(),
        more: Some(Box::new(more.clone())),
    };
    let gone = (Outcome::Unreachable, Rule::NoContent);
    let passed = match (channel, message::content_of(loaded, &message, run)) {
        (Some(channel), Some(content)) => {
            let wish = Wish { program: &loaded.program, channel, content, to: None };
            let touch = caps::touch(run, loaded, &message);
            gate::pass(run, &run.scene(loaded, &ROOT), wish, touch)
        }
        _ => Err(gone),
    };
    let passed = passed.map(|verdict| match verdict {
        Verdict::Pass(pass) => {
            list::mark(&mut more, pass.variant);
            None
        }
        Verdict::Hold(pass, hold) => {
            list::mark(&mut more, pass.variant);
            Some(hold)
        }
    });
    message.more = Some(Box::new(more));
    let (step, channel) = (message.step, message.channel);
    match passed {
        // Whoever sent it hears of it when it may leave.
        Ok(Some(hold)) => hold::keep(run, message, hold),
        Ok(None) => {
            dispatch::leaves_now(run, &message);
            message::trace(run, &message, Decision::Decided { step, channel });
            tell_sender(run, &message, Became::Accepted);
            if on_record {
                tell_sender(run, &message, Became::Answered(Outcome::Sent));
            }
            message::write(run, message);
        }
        Err((outcome, rule)) => {
            message::trace(run, &message, Decision::Refused { step, channel, outcome, rule });
            tell_sender(run, &message, Became::Refused(outcome));
        }
    }
}

/// The journey has left: whoever was asked for the message is to send it no more. They know it by the name of who asked,
/// which may be one that has gone into this row since.
pub(super) fn take_back(run: &mut Run, message: &Message) {
    let Some(to) = message.to().filter(|_| message.is_elsewhere()).cloned() else { return };
    let key = message::key_of(run, message);
    let mut names = merge::former_keys(run, &key);
    names.push(key);
    for key in names {
        post::send(run, to.clone(), key, Errand::Cancel);
    }
}

/// The row that asked for it no longer wants it to leave.
pub(super) fn take_cancel(run: &mut Run, key: &MessageKey) {
    let Some(at) = message::find(run, key) else { return };
    let Some(message) = run.state.messages.get(at).cloned() else { return };
    if message.status.waits() {
        message::set_status(run, at, MessageStatus::Cancelled);
        message::trace(run, &message, Decision::Cancelled { step: message.step });
    }
}

/// The addressee's row says what became of a message of this one.
pub(super) fn take_word(run: &mut Run, key: &MessageKey, became: Became) {
    let Some(at) = message::find(run, key) else { return };
    let Some(message) = run.state.messages.get(at).cloned() else { return };
    // A receipt may have come here before the answer: the first one stands.
    let is_late =
        message.status == MessageStatus::Failed && matches!(became, Became::Refused(_) | Became::Answered(_));
    if message.status == MessageStatus::Cancelled || is_late {
        return;
    }
    match became {
        Became::Accepted => {
            let now = run.now;
            message::announce(run, &message, MessageEvent::Sent);
            message::with_instance(run, &message, |mut actor| {
                actor.it.sent.push((message.step, now));
                actor.stay()
            });
        }
        Became::Refused(outcome) => message::set_status(run, at, MessageStatus::Refused(outcome)),
        Became::Answered(Outcome::Failed) => {
            message::set_status(run, at, MessageStatus::Failed);
            message::announce(run, &message, MessageEvent::Failed);
        }
        Became::Answered(_) => message::set_status(run, at, MessageStatus::Sent),
        Became::Receipt(kind, happened) => {
            if let Some(message) = run.state.messages.get_mut(at) {
                message.receipts.push((kind, happened));
            }
            let identity = format!("{key}#{}", kind.as_str()).into();
            let occurrence = Occurrence::of_message(&message, kind, happened, identity, run);
            super::happen(run, occurrence);
        }
    }
    if became != Became::Accepted {
        let became = post::news(became).outcome();
        message::trace(run, &message, Decision::Reported { step: message.step, became });
    }
    message::tell(run, &message, post::news(became));
}

/// Says to the row that asked for the message what became of it.
pub(super) fn tell_sender(run: &mut Run, message: &Message, became: Became) {
    let Some(to) = message.from().map(|from| from.root.clone()) else { return };
    let key = message::sender_key(run, message);
    post::send(run, to, key, Errand::Became(became));
}
