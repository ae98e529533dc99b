//! A message's life: decided, queued, dispatched, answered; or refused, or cancelled.
//!
//! decided  -> `Pending` + `Effect::Enqueue` (a recorded channel has no provider: `Sent` at once, and no effect)
//! dispatch -> the gate and the exits look again -> `Dispatching` + `Effect::Deliver`, or `Effect::Drop`
//! answer   -> `Sent` or `Failed`, once; a dispatch repeated after a crash delivers again with the same key

use std::sync::Arc;

use super::actor::{Actor, News};
use super::cell::cell;
use super::effect::{Delivery, Effect};
use super::gate::{self, Wish};
use super::index::{Loaded, Trigger};
use super::input::MessageKey;
use super::occurrence::Occurrence;
use super::run::{Follow, Run};
use super::scene::Scene;
use super::state::{Instance, MAX_MESSAGES, Message, MessageStatus};
use super::symbols;
use super::symbols::Sym;
use super::trace::{Decision, Trace};
use crate::expr::{MessageEvent, eval};
use crate::name::Name;
use crate::program::{ContentCall, NodeKind, Outcome};
use crate::value::Value;

/// What a decision to send came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decided {
    Queued,
    OnRecord,
}

/// Asks the gate and, if it agrees, writes the message.
///
/// # Errors
/// The outcome of the refusal, which is traced.
pub(super) fn decide(
    actor: &mut Actor,
    step: Name,
    channel: Name,
    call: &ContentCall,
) -> Result<Decided, Outcome> {
    let (step_sym, channel_sym) = (actor.run.sym(actor.message_of(step)), actor.run.sym(channel));
    let on_record = actor.run.world.recorded.contains(&channel);
    let decided = if on_record { Decided::OnRecord } else { Decided::Queued };
    if actor.run.state.messages.iter().any(|message| is_of(message, &actor.it) && message.step == step_sym) {
        return Ok(decided);
    }
    if is_held_out(actor) {
        actor.trace(Decision::HeldOut { step: step_sym, channel: channel_sym });
        actor.it.sent.push((step_sym, actor.run.now));
        return Ok(Decided::OnRecord);
    }
    let content = said(call, actor);
    let wish = Wish { program: &actor.loaded.program, channel, content };
    if let Err((outcome, rule)) = gate::pass(actor.run, &actor.scene(), wish) {
        actor.trace(Decision::Refused { step: step_sym, channel: channel_sym, outcome, rule });
        return Err(outcome);
    }
    let status = if on_record { MessageStatus::Sent } else { MessageStatus::Pending };
    let mut message = new_message(actor, step_sym, channel_sym, call, status);
    if call.chosen.is_some() && status == MessageStatus::Pending {
        message.args.push((actor.run.fixed(symbols::CONTENT), Value::Choice(content)));
    }
    actor.trace(Decision::Decided { step: step_sym, channel: channel_sym });
    actor.it.sent.push((step_sym, actor.run.now));
    if decided == Decided::Queued {
        let message = key_of(actor.run, &message);
        actor.run.effect(Effect::Enqueue { message, channel });
    }
    announce(actor.run, &message, MessageEvent::Sent);
    add(actor.run, message);
    Ok(decided)
}

/// Whether the journey runs for this root without sending anything, to compare with.
pub(super) fn is_held_out(actor: &Actor) -> bool {
    let program = &actor.loaded.program;
    program.holdout > 0 && cell(&format!("holdout/{}", program.journey), &actor.run.root.id) < program.holdout
}

/// The content that is meant: where a table chooses, what it chooses now.
pub(super) fn said(call: &ContentCall, actor: &Actor) -> Name {
    let chosen = call.chosen.as_ref().map(|chosen| eval(&chosen.by, &actor.scene()));
    match chosen {
        Some(Value::Choice(content)) => content,
        _ => call.content,
    }
}

/// The content that was chosen when the message was decided.
fn chosen(message: &Message, run: &Run) -> Option<Name> {
    let sym = run.fixed(symbols::CONTENT);
    message.args.iter().find_map(|(name, value)| match value {
        Value::Choice(content) if *name == sym => Some(*content),
        _ => None,
    })
}

/// The dispatcher has taken the message from the outbox.
pub(super) fn dispatch(run: &mut Run, key: &MessageKey) {
    let Some(at) = find(run, key) else { return run.effect(Effect::Drop(key.clone())) };
    look_for_exit(run, at);
    let Some(message) = run.state.messages.get(at).cloned() else { return };
    if !matches!(message.status, MessageStatus::Pending | MessageStatus::Dispatching) {
        return run.effect(Effect::Drop(key.clone()));
    }
    match delivery(run, key, &message) {
        Ok(delivery) => {
            if message.status == MessageStatus::Pending {
                set_status(run, at, MessageStatus::Dispatching);
                let what = Decision::Dispatched { step: message.step, channel: message.channel };
                trace(run, &message, what);
            }
            run.effect(Effect::Deliver(Box::new(delivery)));
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

/// The provider has answered. The first answer stands.
pub(super) fn answer(run: &mut Run, key: &MessageKey, outcome: Outcome, detail: &Arc<str>) {
    let Some(at) = find(run, key) else { return };
    let Some(message) = run.state.messages.get(at).cloned() else { return };
    if !matches!(message.status, MessageStatus::Pending | MessageStatus::Dispatching) {
        return;
    }
    let (status, news) = match outcome {
        Outcome::Sent | Outcome::Delivered => (MessageStatus::Sent, News::Sent),
        _ => (MessageStatus::Failed, News::Failed),
    };
    set_status(run, at, status);
    trace(run, &message, Decision::Answered { step: message.step, outcome, detail: detail.clone() });
    if news == News::Failed {
        announce(run, &message, MessageEvent::Failed);
    }
    tell(run, &message, news);
}

/// Cancels what an instance has decided and what has not left yet.
pub(super) fn cancel(run: &mut Run, instance: &Instance) {
    let mut cancelled = Vec::new();
    for message in &mut run.state.messages {
        if is_of(message, instance) && message.status == MessageStatus::Pending {
            message.status = MessageStatus::Cancelled;
            message.args.clear();
            cancelled.push(message.step);
        }
    }
    for step in cancelled {
        run.trace(instance, Decision::Cancelled { step });
    }
}

/// Tells the instance that decided the message, if it still runs.
pub(super) fn tell(run: &mut Run, message: &Message, news: News) {
    with_instance(run, message, |actor| actor.told(message.step, news));
}

/// The message of this key among those the state still holds.
pub(super) fn find(run: &Run, key: &MessageKey) -> Option<usize> {
    let sym = |text: &str| run.world.symbols.sym(Name::lookup(text)?);
    let (journey, step) = (sym(&key.journey)?, sym(&key.step)?);
    let child = match &key.child {
        Some((entity, id)) => Some((sym(entity)?, id)),
        None => None,
    };
    if key.root != run.root.id {
        return None;
    }
    run.state.messages.iter().position(|message| {
        message.journey == journey
            && message.step == step
            && message.entry == key.entry
            && message.subject.0.as_ref().map(|(entity, id)| (*entity, id)) == child
    })
}

pub(super) fn trace(run: &mut Run, message: &Message, what: Decision) {
    run.out.trace.push(Trace {
        at: run.now,
        journey: Some(message.journey),
        subject: message.subject.clone(),
        entry: Some(message.entry.clone()),
        program: Some(message.program),
        node: Some(message.node),
        what,
    });
}

/// Sets the status; what has left, or never will, needs its arguments no more.
pub(super) fn set_status(run: &mut Run, at: usize, status: MessageStatus) {
    let Some(message) = run.state.messages.get_mut(at) else { return };
    message.status = status;
    if !matches!(status, MessageStatus::Pending | MessageStatus::Dispatching) {
        message.args.clear();
    }
}

fn new_message(actor: &Actor, step: Sym, channel: Sym, call: &ContentCall, status: MessageStatus) -> Message {
    let scene = actor.scene();
    let args = if status == MessageStatus::Pending { call.args.as_slice() } else { &[] };
    Message {
        journey: actor.it.journey,
        subject: actor.it.subject.clone(),
        entry: actor.it.key.clone(),
        step,
        channel,
        program: actor.it.program,
        node: actor.it.node,
        at: actor.run.now,
        status,
        receipts: Vec::new(),
        args: args.iter().map(|(name, value)| (actor.run.sym(*name), eval(value, &scene))).collect(),
    }
}

/// Adds the message, and forgets the oldest that is settled.
fn add(run: &mut Run, message: Message) {
    let messages = &mut run.state.messages;
    if messages.len() >= MAX_MESSAGES {
        let settled = messages.iter().position(|message| {
            !matches!(message.status, MessageStatus::Pending | MessageStatus::Dispatching)
        });
        if let Some(at) = settled {
            messages.remove(at);
        }
    }
    messages.push(message);
}

/// Lets everybody hear what became of a message, if anybody listens.
fn announce(run: &mut Run, message: &Message, kind: MessageEvent) {
    if run.world.index().is_heard(Trigger::Message(kind)) {
        let identity = format!("{}#{kind}", key_of(run, message), kind = kind.as_str()).into();
        let occurrence = Occurrence::of_message(message, kind, run.now, identity, run);
        run.follow(Follow::Occurrence(occurrence));
    }
}

fn key_of(run: &Run, message: &Message) -> MessageKey {
    let text = |sym| run.world.index().text(sym);
    let child = message.subject.0.as_ref();
    MessageKey {
        journey: text(message.journey),
        root: run.root.id.clone(),
        child: child.map(|(entity, id)| (text(*entity), id.clone())),
        entry: message.entry.clone(),
        step: text(message.step),
    }
}

fn delivery(run: &Run, key: &MessageKey, message: &Message) -> Result<Delivery, gate::Refusal> {
    let gone = (Outcome::Unreachable, super::trace::Rule::NoContent);
    let loaded = run.world.index().program(message.program).ok_or(gone)?;
    let channel = run.world.symbols.name(message.channel).ok_or(gone)?;
    let call = call_of(loaded, message, run).ok_or(gone)?;
    let content = chosen(message, run).unwrap_or(call.content);
    let wish = Wish { program: &loaded.program, channel, content };
    let scene = run.scene(loaded, &message.subject);
    let pass = gate::pass(run, &scene, wish)?;
    let copy = Scene {
        defs: &pass.content.body.defs,
        features: &pass.content.body.features,
        params: &message.args,
        locale: Some(super::content::locale(&scene)),
        ..scene
    };
    Ok(Delivery {
        message: key.clone(),
        channel,
        address: pass.address,
        purpose: loaded.program.purpose,
        content,
        parts: super::content::render(pass.variant, &copy),
        program_hash: loaded.hash.clone(),
        content_hash: pass.content.hash.clone(),
    })
}

/// The content that the message's node, or rung, calls for.
fn call_of<'p>(loaded: &'p Loaded, message: &Message, run: &Run) -> Option<&'p ContentCall> {
    let name = run.world.symbols.name(message.step)?;
    match &loaded.program.nodes.get(usize::from(message.node))?.kind {
        NodeKind::Send { content, .. } => Some(content),
        NodeKind::Reach { rungs, .. } => {
            rungs.iter().find(|rung| loaded.is_step(name, rung.step)).map(|rung| &rung.content)
        }
        _ => None,
    }
}

fn look_for_exit(run: &mut Run, at: usize) {
    let Some(message) = run.state.messages.get(at).cloned() else { return };
    if message.status == MessageStatus::Pending {
        with_instance(run, &message, |actor| actor.look_for_exit());
    }
}

fn with_instance(run: &mut Run, message: &Message, act: impl FnOnce(Actor) -> Option<Instance>) {
    let Some(at) = run.state.instances.iter().position(|instance| is_of(message, instance)) else { return };
    super::with_actor(run, at, act);
}

fn is_of(message: &Message, instance: &Instance) -> bool {
    message.journey == instance.journey
        && message.entry == instance.key
        && message.subject == instance.subject
}
