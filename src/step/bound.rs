//! What a message says is bound to the content that was live when it was decided, or last tried.
//!
//! A corrected text reaches whoever still waits, and `why` says that it was corrected. But once an attempt may have
//! arrived, another text does not follow it under the same key: nobody could say which of the two was read.

use super::effect::Delivery;
use super::run::Run;
use super::state::Message;
use super::symbols::{self, Sym};
use super::trace::{Decision, Rule};
use crate::name::Name;
use crate::value::Value;

/// The first eight bytes of a hash: enough to tell two contents apart, and short enough to be kept with each message.
fn mark(hash: &str) -> u64 {
    hash.get(..16).and_then(|first| u64::from_str_radix(first, 16).ok()).unwrap_or_default()
}

/// Decided on the content as it is now.
pub(super) fn decided(run: &Run, message: &mut Message, content: Name) {
    if let Some(content) = run.world.bundle.contents.get(&content) {
        keep(message, run.fixed(symbols::CONTENT), mark(&content.hash));
    }
}

/// An attempt says what is said now.
pub(super) fn tried(run: &mut Run, at: usize, delivery: &Delivery) {
    let sym = run.fixed(symbols::CONTENT);
    if let Some(message) = run.state.messages.get_mut(at) {
        keep(message, sym, mark(&delivery.content_hash));
    }
}

/// Beside the content that a table chose: of the two arguments of this name one is a choice, and the other a number.
fn keep(message: &mut Message, sym: Sym, mark: u64) {
    let kept = message.args.iter_mut().find(|(name, value)| *name == sym && matches!(value, Value::Int(_)));
    let mark = Value::Int(mark.cast_signed());
    match kept {
        Some((_, kept)) => *kept = mark,
        None => message.args.push((sym, mark)),
    }
}

/// Whether it would say something else than it was decided, or last tried, with.
pub(super) fn other(run: &Run, message: &Message, delivery: &Delivery) -> Option<Rule> {
    let sym = run.fixed(symbols::CONTENT);
    let was = message.args.iter().find_map(|(name, value)| match value {
        Value::Int(mark) if *name == sym => Some(mark.cast_unsigned()),
        _ => None,
    })?;
    let is = mark(&delivery.content_hash);
    (was != is).then_some(Rule::OtherContent { was, is })
}

pub(super) fn leaves(run: &Run, message: &Message, delivery: &Delivery) -> Decision {
    Decision::Leaves {
        step: message.step,
        channel: message.channel,
        content: mark(&delivery.content_hash),
        policy: delivery.policy_hash.as_deref().map(mark),
        corrected: other(run, message, delivery).is_some(),
    }
}
