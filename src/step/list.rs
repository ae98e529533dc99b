//! Ordered lists: several messages that one step sends one behind the other. The next leaves once the provider has
//! taken the one before and the gap has passed, so the order holds; a refusal or failure ends the list.

use super::effect::Effect;
use super::hold;
use super::index::Loaded;
use super::message;
use super::run::Run;
use super::state::{Message, MessageStatus, More};
use super::trace::Decision;
use crate::program::{NodeKind, Variant};
use crate::value::Length;

/// More messages in one list than anybody reads.
const MOST: usize = 64;

/// How many messages the variant is; one, unless it is a list.
pub(super) fn length(variant: &Variant) -> u16 {
    u16::try_from(variant.messages.len().clamp(1, MOST)).unwrap_or(1)
}

/// The provider has taken one message. Whether another of its list follows.
pub(super) fn goes_on(run: &mut Run, at: usize) -> bool {
    let gap = gap(run, at);
    let Some(message) = run.state.messages.get(at) else { return false };
    let Some(left) = message.part() else { return false };
    let (step, of) = (message.step, message.more.as_ref().map_or(1, |more| more.of));
    if left >= of {
        return false;
    }
    let next_at = match gap {
        Some(gap) => {
            let Some(loaded) = run.world.index().program(message.program) else { return false };
            Some(run.after(run.now, gap, &run.scene(loaded, &message.subject)))
        }
        None => None,
    };
    let Some(message) = run.state.messages.get_mut(at) else { return false };
    message.status = MessageStatus::Pending;
    if let Some(more) = &mut message.more {
        (more.left, more.next_at) = (left, next_at);
    }
    let told = message.clone();
    message::trace(run, &told, Decision::PartSent { step, part: left, of });
    if next_at.is_none() {
        enqueue(run, &told);
    }
    true
}

/// The next message of the list at `at` is due.
pub(super) fn due(run: &mut Run, at: usize) {
    let Some(message) = run.state.messages.get_mut(at) else { return };
    if matches!(message.status, MessageStatus::Held(_)) {
        return hold::due(run);
    }
    if let Some(more) = &mut message.more {
        more.next_at = None;
    }
    let message = message.clone();
    if message.status == MessageStatus::Pending {
        enqueue(run, &message);
    }
}

fn enqueue(run: &mut Run, message: &Message) {
    let Some(channel) = run.world.symbols.name(message.channel) else { return };
    let message = message::key_of(run, message);
    run.effect(Effect::Enqueue { message, channel, again: false });
}

/// What the step says, else what the content says.
fn gap(run: &Run, at: usize) -> Option<Length> {
    let message = run.state.messages.get(at)?;
    let loaded = run.world.index().program(message.program)?;
    own_gap(loaded, message).or_else(|| {
        let channel = run.world.symbols.name(message.channel)?;
        let content = message::content_of(loaded, message, run)?;
        let content = run.world.index().contents.get(&content)?;
        content.body.variants.iter().find(|variant| variant.channel == channel)?.gap
    })
}

fn own_gap(loaded: &Loaded, message: &Message) -> Option<Length> {
    match &loaded.program.nodes.get(usize::from(message.node))?.kind {
        NodeKind::Send { manner: Some(manner), .. } => manner.gap,
        _ => None,
    }
}

/// What a message of this many parts keeps of it.
pub(super) fn mark(more: &mut More, variant: &Variant) {
    more.of = match length(variant) {
        1 => 0,
        of => of,
    };
}
