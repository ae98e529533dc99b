//! What people of the bank are asked to send on: it has reached nobody before they have, so under caps it counts from then
//! on. While they may still do so its place is kept; nobody hears two of them because both were confirmed late.

use super::caps;
use crate::expr::MessageEvent;
use crate::name::Name;
use crate::step::run::{Run, later};
use crate::step::state::{Mark, Message, MessageStatus};

/// Whether this channel is one.
pub(super) fn is_so(run: &Run, channel: Name) -> bool {
    run.world.bundle.channels.get(&channel).is_some_and(crate::program::Channel::is_by_hand)
}

/// What was asked for and may still be confirmed, as if it had left when it was decided.
pub(super) fn asked(run: &Run) -> Vec<Mark> {
    run.state.messages.iter().filter_map(|message| place(run, message)).collect()
}

fn place(run: &Run, message: &Message) -> Option<Mark> {
    let said = |kind| message.receipts.iter().any(|(known, _)| *known == kind);
    let is_out =
        matches!(message.status, MessageStatus::Pending | MessageStatus::Dispatching | MessageStatus::Sent);
    if !is_out || said(MessageEvent::Confirmed) || said(MessageEvent::Refused) || message.to().is_some() {
        return None;
    }
    let channel = run.world.symbols.name(message.channel)?;
    let declared = run.world.bundle.channels.get(&channel).filter(|channel| channel.is_by_hand())?;
    let patience = declared.receipt.map_or(0, crate::value::Length::at_most_ms);
    if later(message.at, patience) <= run.now {
        return None;
    }
    let loaded = run.world.index().program(message.program)?;
    let touch = caps::touch(run, loaded, message);
    Some(Mark {
        at: message.at,
        channel: message.channel,
        purpose: run.sym(loaded.program.purpose),
        subject: message.subject.clone(),
        family: touch.family,
        message: touch.message,
    })
}
