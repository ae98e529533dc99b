//! What became of a message, reported from outside: it is kept with the message, told to whoever waits for it, and
//! then heard like any other event.

use super::actor::News;
use super::consent;
use super::gate::caps;
use super::input::{Event, MessageKey};
use super::letter;
use super::message;
use super::occurrence::{Occurrence, identity};
use super::post::Became;
use super::run::{Run, whole_ms};
use super::show;
use super::state::MessageStatus;
use super::trace::Decision;
use crate::expr::MessageEvent;
use crate::value::Value;

/// A report on a message that the state no longer holds, or never held, changes nothing.
pub(super) fn take(run: &mut Run, event: &Event, kind: MessageEvent, key: &MessageKey) {
    let Some(at) = message::find(run, key) else { return show::report(run, event, kind, key) };
    let happened = whole_ms(event.time);
    let is_next = run.state.messages.get(at).is_some_and(|message| message::is_last(run, message, key));
    let Some(message) = run.state.messages.get_mut(at) else { return };
    let is_new = message.receipts.iter().all(|(known, _)| *known != kind);
    if is_new {
        message.receipts.push((kind, happened));
    }
    // An earlier one of a list says nothing of the rest, unless it failed.
    if is_next || kind == MessageEvent::Failed {
        settle(message, kind);
    }
    let message = message.clone();
    caps::settle(run.state, &message, message.status);
    if is_new && kind == MessageEvent::Confirmed {
        caps::confirm(run, &message, happened);
    }
    message::trace(run, &message, Decision::Receipt { step: message.step, kind, at: happened });
    let occurrence = Occurrence::of_message(&message, kind, happened, identity(event), run);
    super::happen(run, occurrence);
    heed(run, event, &message);
    if !is_new {
        return;
    }
    if message.from().is_some() {
        letter::tell_sender(run, &message, Became::Receipt(kind, happened));
    } else if is_next || kind == MessageEvent::Failed {
        message::tell(run, &message, news(kind));
    }
}

/// What somebody answered may be that no more is wanted: of this channel, and for this purpose.
fn heed(run: &mut Run, event: &Event, message: &super::state::Message) {
    let text = event.fields.iter().find_map(|(name, value)| match value {
        Value::Text(text) if name.as_str() == "text" => Some(text),
        _ => None,
    });
    let (Some(text), Some(channel)) = (text, run.world.symbols.name(message.channel)) else { return };
    let purpose = run.world.index().program(message.program).map(|loaded| loaded.program.purpose);
    consent::hear(run, event, (channel, purpose), text);
}

/// A receipt is also an answer, if none came before.
fn settle(message: &mut super::state::Message, kind: MessageEvent) {
    let is_open = message.status.is_open();
    match kind {
        MessageEvent::Failed | MessageEvent::Refused if is_open || message.status == MessageStatus::Sent => {
            message.status = MessageStatus::Failed;
        }
        _ if is_open => {
            message.status = MessageStatus::Sent;
            message.args.clear();
        }
        _ => {}
    }
}

/// Whoever opened a message got it.
pub(super) fn news(kind: MessageEvent) -> News {
    match kind {
        MessageEvent::Sent => News::Sent,
        MessageEvent::Failed => News::Failed,
        MessageEvent::Confirmed => News::Confirmed,
        MessageEvent::Refused => News::Declined,
        MessageEvent::Delivered
        | MessageEvent::Opened
        | MessageEvent::Clicked
        | MessageEvent::Replied
        | MessageEvent::Shown
        | MessageEvent::Dismissed => News::Delivered,
    }
}
