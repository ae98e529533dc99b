//! A message leaves: the gate and the exits look once more, then it is written out and handed to its provider.
//!
//! What leaves a second time, because nobody knows whether the first try arrived, goes as it went or not at all.

use std::sync::Arc;

use super::actor::News;
use super::effect::{Delivery, Effect};
use super::gate::{self, Hold, Verdict, caps};
use super::input::MessageKey;
use super::message::{answer, find, is_next, look_for_exit, set_status, tell, told, trace, weigh};
use super::run::Run;
use super::scene::Scene;
use super::state::{Message, MessageStatus};
use super::trace::{Decision, Rule};
use super::{bound, content, hold, node};
use crate::program::Outcome;

/// What the gate says of a message of the outbox.
enum Leave {
    Now(Box<Delivery>),
    Later(Hold),
}

/// The dispatcher has taken the message from the outbox; `unheard`: its last attempt may have arrived.
pub(super) fn dispatch(run: &mut Run, key: &MessageKey, unheard: bool) {
    let Some(at) = find(run, key) else { return run.effect(Effect::Drop(key.clone())) };
    look_for_exit(run, at);
    let Some(message) = run.state.messages.get(at).cloned() else { return };
    if !message.status.is_on_its_way() || !is_next(run, &message, key) {
        return run.effect(Effect::Drop(key.clone()));
    }
    if message.status == MessageStatus::Dispatching && !unheard && node::is_overrun(run, &message) {
        answer(run, key, Outcome::Failed, &"not tried again: the time of its rung is over".into());
        return run.effect(Effect::Drop(key.clone()));
    }
    match delivery(run, key, &message) {
        Ok(Leave::Later(hold)) if unheard && message.status == MessageStatus::Dispatching => {
            leave_unconfirmed(run, at, &message, hold.rule);
            run.effect(Effect::Drop(key.clone()));
        }
        Ok(Leave::Later(hold)) => {
            hold::put_back(run, at, hold);
            run.effect(Effect::Drop(key.clone()));
        }
        Ok(Leave::Now(delivery)) => {
            // Whoever asks may not know that there was no attempt at all.
            let is_first = message.status == MessageStatus::Pending;
            if let Some(rule) = bound::other(run, &message, &delivery).filter(|_| unheard && !is_first) {
                leave_unconfirmed(run, at, &message, rule);
                return run.effect(Effect::Drop(key.clone()));
            }
            if is_first {
                set_status(run, at, MessageStatus::Dispatching);
                let what = bound::leaves(run, &message, &delivery);
                trace(run, &message, what);
            }
            bound::tried(run, at, &delivery);
            if is_first || !unheard {
                leaves_now(run, &message);
            }
            run.effect(Effect::Deliver(delivery));
        }
        Err((_, rule)) if unheard && message.status == MessageStatus::Dispatching => {
            leave_unconfirmed(run, at, &message, rule);
            run.effect(Effect::Drop(key.clone()));
        }
        Err((outcome, rule)) => {
            set_status(run, at, MessageStatus::Refused(outcome));
            let (step, channel) = (message.step, message.channel);
            trace(run, &message, Decision::Refused { step, channel, outcome, rule });
            run.effect(Effect::Drop(key.clone()));
            tell(run, &message, News::Refused(outcome));
        }
    }
}

/// It may have arrived, and may not be sent once more to make sure. It counts as sent: who got it must not get the next
/// rung of a ladder as well. The rest of its list stays.
fn leave_unconfirmed(run: &mut Run, at: usize, message: &Message, rule: Rule) {
    set_status(run, at, MessageStatus::Sent);
    let (step, channel) = (message.step, message.channel);
    trace(run, message, Decision::Unconfirmed { step, channel, rule });
    tell(run, message, News::Sent);
}

/// Its place under caps is taken now.
pub(super) fn leaves_now(run: &mut Run, message: &Message) {
    let Ok((loaded, channel, _)) = told(run, message) else { return };
    let (loaded, purpose) = (Arc::clone(loaded), loaded.program.purpose);
    let touch = caps::touch(run, &loaded, message);
    caps::reserve(run, message, (channel, purpose), touch);
}

fn delivery(run: &Run, key: &MessageKey, message: &Message) -> Result<Leave, gate::Refusal> {
    let pass = match weigh(run, message)? {
        Verdict::Pass(pass) => pass,
        Verdict::Hold(_, hold) => return Ok(Leave::Later(hold)),
    };
    let (loaded, channel, content) = told(run, message)?;
    let scene = run.scene(loaded, &message.subject);
    let locale = match message.to() {
        Some(_) => content::default_locale(),
        None => content::locale(&scene),
    };
    let copy = Scene {
        defs: &pass.content.body.defs,
        features: &pass.content.body.features,
        params: &message.args,
        locale: Some(locale),
        ..scene
    };
    let (parts, links) = content::render(pass.variant, message.part(), &copy);
    Ok(Leave::Now(Box::new(Delivery {
        message: key.clone(),
        channel,
        addressee: message.to().unwrap_or(run.root).clone(),
        address: pass.address,
        purpose: loaded.program.purpose,
        content,
        parts,
        links,
        program_hash: loaded.hash.clone(),
        content_hash: pass.content.hash.clone(),
        policy_hash: run.world.bundle.policy.as_ref().map(|policy| policy.hash.clone()),
    })))
}
