//! A message's life: decided, queued, dispatched, answered; or refused, or cancelled.
//!
//! decided  -> `Pending` + `Effect::Enqueue` (a recorded channel has no provider: `Sent` at once, and no effect)
//! dispatch -> the gate and the exits look again -> `Dispatching` + `Effect::Deliver`, or `Effect::Drop`
//! answer   -> `Sent` or `Failed`, once; a dispatch repeated after a crash delivers again with the same key
//!
//! To another person: kept here, decided in the addressee's row ([`super::post`]), whose answers come back.

use std::sync::Arc;

use super::actor::{Actor, News};
use super::cell::cell;
use super::effect::Effect;
use super::gate::{self, Verdict, Wish, caps};
use super::index::{Loaded, Trigger};
use super::input::{MessageKey, RootKey};
use super::occurrence::Occurrence;
use super::post;
use super::run::{Follow, Run};
use super::state::{Instance, MAX_MESSAGES, Message, MessageStatus, More};
use super::symbols;
use super::symbols::Sym;
use super::trace::{Decision, Rule, Trace};
use super::{arbiter, bound, hold, letter, list};
use crate::expr::{MessageEvent, eval};
use crate::name::Name;
use crate::program::{ContentCall, Manner, NodeKind, Outcome};
use crate::value::Value;

/// What a decision to send came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decided {
    Queued,
    OnRecord,
    /// Several messages one behind the other: sent when the last has left.
    List,
    /// Somebody else's row decides.
    Elsewhere,
    /// Not yet, says the gate.
    Held,
    /// Others of this step may want the same room under a cap: who gets it is decided behind all of them.
    Contested,
}

/// Who gets a message.
enum Whom {
    /// The subject of the journey, or its root.
    Own,
    /// Somebody who is asked for no consent: it leaves from here.
    Other(RootKey),
    /// A person with a row of their own, which decides.
    Person(RootKey),
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
    manner: Option<&Manner>,
) -> Result<Decided, Outcome> {
    let (step_sym, channel_sym) = (actor.run.sym(actor.message_of(step)), actor.run.sym(channel));
    let on_record = actor.run.world.recorded.contains(&channel);
    let extra = extra(actor, manner);
    let known =
        actor.run.state.messages.iter().find(|message| {
            is_of(message, &actor.it) && message.step == step_sym && message.extra() == &*extra
        });
    if let Some(known) = known {
        return Ok(match known {
            known if on_record && known.status == MessageStatus::Sent => Decided::OnRecord,
            known if matches!(known.status, MessageStatus::Held(_)) => Decided::Held,
            known if known.is_elsewhere() => Decided::Elsewhere,
            known if known.part().is_some() => Decided::List,
            _ => Decided::Queued,
        });
    }
    if is_held_out(actor) {
        actor.trace(Decision::HeldOut { step: step_sym, channel: channel_sym });
        actor.it.sent.push((step_sym, actor.run.now));
        return Ok(Decided::OnRecord);
    }
    let refused = |actor: &mut Actor, (outcome, rule)| {
        actor.trace(Decision::Refused { step: step_sym, channel: channel_sym, outcome, rule });
        outcome
    };
    let content = said(call, actor);
    let status = if on_record { MessageStatus::Sent } else { MessageStatus::Pending };
    let mut message = new_message(actor, step_sym, channel_sym, call, status);
    if status == MessageStatus::Pending {
        bound::decided(actor.run, &mut message, content);
    }
    if call.chosen.is_some() && status == MessageStatus::Pending {
        message.args.push((actor.run.fixed(symbols::CONTENT), Value::Choice(content)));
    }
    let mut more = More { extra, ..More::default() };
    match whom(actor, manner) {
        None => return Err(refused(actor, (Outcome::Unreachable, Rule::NoAddress))),
        Some(Whom::Own) => {}
        Some(Whom::Other(to)) => more.to = Some(to),
        Some(Whom::Person(to)) => {
            (more.to, more.elsewhere) = (Some(to), true);
            message.more = Some(Box::new(more));
            return Ok(letter::pass_on(actor, message));
        }
    }
    let wish = Wish { program: &actor.loaded.program, channel, content, to: more.to.as_ref() };
    if !actor.leaving
        && !std::mem::take(&mut actor.run.its_turn)
        && caps::may_refuse(actor.run, &actor.scene(), wish)
    {
        arbiter::want(actor, step_sym, content);
        return Ok(Decided::Contested);
    }
    message.more = (more != More::default()).then(|| Box::new(more.clone()));
    let touch = caps::touch(actor.run, actor.loaded, &message);
    let held = match gate::pass(actor.run, &actor.scene(), wish, touch) {
        Ok(Verdict::Pass(pass)) => {
            list::mark(&mut more, pass.variant);
            None
        }
        Ok(Verdict::Hold(pass, hold)) => {
            list::mark(&mut more, pass.variant);
            Some(hold)
        }
        Err(refusal) => return Err(refused(actor, refusal)),
    };
    let decided = match more.of {
        _ if on_record => Decided::OnRecord,
        0 => Decided::Queued,
        _ => Decided::List,
    };
    message.more = (more != More::default()).then(|| Box::new(more));
    if let Some(hold) = held {
        hold::keep(actor.run, message, hold);
        return Ok(Decided::Held);
    }
    actor.trace(Decision::Decided { step: step_sym, channel: channel_sym });
    actor.it.sent.push((step_sym, actor.run.now));
    caps::reserve(actor.run, &message, (channel, actor.loaded.program.purpose), touch);
    write(actor.run, message);
    Ok(decided)
}

/// What the step's `key` says, as the key of the message shows it.
fn extra(actor: &Actor, manner: Option<&Manner>) -> Arc<str> {
    let key = manner.and_then(|manner| manner.key.as_ref());
    key.map(|key| format!("#{}", key_text(&eval(key, &actor.scene())))).unwrap_or_default().into()
}

/// A value in a key: its plain text.
pub(super) fn key_text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        Value::Choice(name) => name.to_string(),
        Value::Int(number) => number.to_string(),
        other => crate::expr::show::value(other),
    }
}

/// Who gets it; `None` where nobody is known.
fn whom(actor: &Actor, manner: Option<&Manner>) -> Option<Whom> {
    let Some(to) = manner.and_then(|manner| manner.to.as_ref()) else { return Some(Whom::Own) };
    let Value::Text(id) = eval(&to.id, &actor.scene()) else { return None };
    if id.is_empty() {
        return None;
    }
    let root = RootKey { entity: to.entity, id };
    Some(match to.person {
        _ if root == *actor.run.root => Whom::Own,
        true => Whom::Person(root),
        false => Whom::Other(root),
    })
}

/// A message that the gate has agreed to: into the outbox, heard of, and kept.
pub(super) fn write(run: &mut Run, message: Message) {
    if message.status == MessageStatus::Pending
        && let Some(channel) = run.world.symbols.name(message.channel)
    {
        let key = key_of(run, &message);
        run.effect(Effect::Enqueue { message: key, channel, again: false });
    }
    announce(run, &message, MessageEvent::Sent);
    add(run, message);
}

/// Whether the journey runs for this root as a shadow, to compare with: it changes nothing but its own instance.
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

/// The provider has answered. The first answer stands.
pub(super) fn answer(run: &mut Run, key: &MessageKey, outcome: Outcome, detail: &Arc<str>) {
    let Some(at) = find(run, key) else { return };
    let Some(message) = run.state.messages.get(at).cloned() else { return };
    if !message.status.is_on_its_way() || !is_next(run, &message, key) {
        return;
    }
    if matches!(outcome, Outcome::Sent | Outcome::Delivered) && list::goes_on(run, at) {
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

/// A message that failed goes into the outbox once more, and the gate looks at it anew. Whoever waited for it has been told that
/// it failed, and goes on from there.
pub(super) fn resend(run: &mut Run, key: &MessageKey) {
    let Some(at) = find(run, key) else { return };
    let Some(message) = run.state.messages.get(at).cloned() else { return };
    let channel = run.world.symbols.name(message.channel);
    let Some(channel) = channel.filter(|_| message.status == MessageStatus::Failed) else { return };
    if message.is_elsewhere() || !is_next(run, &message, key) {
        return;
    }
    set_status(run, at, MessageStatus::Pending);
    trace(run, &message, Decision::Decided { step: message.step, channel: message.channel });
    run.effect(Effect::Enqueue { message: key.clone(), channel, again: true });
}

/// Cancels what an instance has decided and what has not left yet.
pub(super) fn cancel(run: &mut Run, instance: &Instance) {
    let mut cancelled = Vec::new();
    for message in &mut run.state.messages {
        if is_of(message, instance) && message.status.waits() {
            cancelled.push(message.clone());
            settle(message, MessageStatus::Cancelled);
        }
    }
    for message in cancelled {
        caps::settle(run.state, &message, MessageStatus::Cancelled);
        run.trace(instance, Decision::Cancelled { step: message.step });
        letter::take_back(run, &message);
    }
}

/// Tells the instance that decided the message, if it still runs; of another row, through that.
pub(super) fn tell(run: &mut Run, message: &Message, news: News) {
    if message.from().is_some() {
        if news != News::Held {
            letter::tell_sender(run, message, news.became());
        }
        return;
    }
    with_instance(run, message, |actor| actor.told(message.step, news));
}

/// The message of this key among those the state still holds; of a list, the list.
pub(super) fn find(run: &Run, key: &MessageKey) -> Option<usize> {
    let journey = run.world.symbols.sym(Name::lookup(&key.journey)?)?;
    let child = post::subject_of(run, key)?;
    run.state.messages.iter().position(|message| {
        message.journey == journey
            && message.entry == key.entry
            && match message.from() {
                None => key.root == run.root.id && message.subject == child,
                Some(from) => key.root == from.root.id && key.child == from.child,
            }
            && is_step(run, message, key)
    })
}

/// Whether the key's last part is the message's: its step, what its `key` says, and a number of its list.
fn is_step(run: &Run, message: &Message, key: &MessageKey) -> bool {
    let step = run.world.index().text(message.step);
    let rest = key.step.strip_prefix(&*step).and_then(|rest| rest.strip_prefix(message.extra()));
    match (rest, message.part()) {
        (Some(""), _) => true,
        (Some(rest), Some(_)) => {
            rest.strip_prefix('~').is_some_and(|number| number.bytes().all(|digit| digit.is_ascii_digit()))
        }
        _ => false,
    }
}

/// Whether the key is that of the message which is on its way, not of one of its list that has left.
pub(super) fn is_next(run: &Run, message: &Message, key: &MessageKey) -> bool {
    key_of(run, message).step == key.step
}

/// The same, and nothing of its list follows it.
pub(super) fn is_last(run: &Run, message: &Message, key: &MessageKey) -> bool {
    is_next(run, message, key)
        && message.more.as_ref().is_none_or(|more| more.of == 0 || more.left.saturating_add(1) >= more.of)
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

/// Sets the status; what has left, or never will, needs its arguments no more. What failed may be sent again.
pub(super) fn set_status(run: &mut Run, at: usize, status: MessageStatus) {
    if let Some(message) = run.state.messages.get_mut(at) {
        settle(message, status);
        let message = message.clone();
        caps::settle(run.state, &message, status);
    }
}

fn settle(message: &mut Message, status: MessageStatus) {
    message.status = status;
    if !status.is_open() {
        if status != MessageStatus::Failed {
            message.args.clear();
        }
        if let Some(more) = &mut message.more {
            more.next_at = None;
        }
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
        more: None,
    }
}

/// Adds the message, and forgets the oldest that is settled.
pub(super) fn add(run: &mut Run, message: Message) {
    let messages = &mut run.state.messages;
    if messages.len() >= MAX_MESSAGES {
        let settled = messages.iter().position(|message| !message.status.is_open());
        if let Some(at) = settled {
            messages.remove(at);
        }
    }
    messages.push(message);
}

/// Lets everybody hear what became of a message, if anybody listens.
pub(super) fn announce(run: &mut Run, message: &Message, kind: MessageEvent) {
    if run.world.index().is_heard(Trigger::Message(kind)) {
        let identity = format!("{}#{kind}", key_of(run, message), kind = kind.as_str()).into();
        let occurrence = Occurrence::of_message(message, kind, run.now, identity, run);
        run.follow(Follow::Occurrence(occurrence));
    }
}

/// The key of the message that is on its way: of a list, with its number.
pub(super) fn key_of(run: &Run, message: &Message) -> MessageKey {
    let mut key = sender_key(run, message);
    if let Some(part) = message.part() {
        key.step = format!("{}~{part}", key.step).into();
    }
    key
}

/// The key of the whole, as the journey that sends it knows it.
pub(super) fn sender_key(run: &Run, message: &Message) -> MessageKey {
    let text = |sym| run.world.index().text(sym);
    let (root, child) = if let Some(from) = message.from() {
        (from.root.id.clone(), from.child.clone())
    } else {
        let child = message.subject.0.as_ref();
        (run.root.id.clone(), child.map(|(entity, id)| (text(*entity), id.clone())))
    };
    let step = match message.extra() {
        "" => text(message.step),
        extra => format!("{}{extra}", text(message.step)).into(),
    };
    MessageKey { journey: text(message.journey), root, child, entry: message.entry.clone(), step }
}

/// What a message that waits says, and of which program it is.
pub(super) type Told<'r> = (&'r Arc<Loaded>, Name, Name);

pub(super) fn told<'r>(run: &'r Run, message: &Message) -> Result<Told<'r>, gate::Refusal> {
    let gone = || (Outcome::Unreachable, Rule::NoContent);
    let loaded = run.world.index().program(message.program).ok_or_else(gone)?;
    let channel = run.world.symbols.name(message.channel).ok_or_else(gone)?;
    let content = content_of(loaded, message, run).ok_or_else(gone)?;
    Ok((loaded, channel, content))
}

/// The gate's word on a message that is in the state.
pub(super) fn weigh<'a>(run: &Run<'a>, message: &Message) -> Result<Verdict<'a>, gate::Refusal> {
    let (loaded, channel, content) = told(run, message)?;
    let wish = Wish { program: &loaded.program, channel, content, to: message.to() };
    let touch = caps::touch(run, loaded, message);
    gate::pass(run, &run.scene(loaded, &message.subject), wish, touch)
}

/// Refuses at once what waits and may not leave any more.
pub(super) fn stop(run: &mut Run) {
    let waiting =
        run.state.messages.iter().filter(|message| message.status.waits() && !message.is_elsewhere());
    let waiting: Vec<Message> = waiting.cloned().collect();
    for message in waiting {
        let Ok((loaded, channel, content)) = told(run, &message) else { continue };
        let wish = Wish { program: &loaded.program, channel, content, to: message.to() };
        let Err((outcome, rule)) = gate::check(run, &run.scene(loaded, &message.subject), wish) else {
            continue;
        };
        let digest = caps::digest(&message);
        let at = run.state.messages.iter().position(|it| it.status.waits() && caps::digest(it) == digest);
        if let Some(at) = at {
            hold::refuse(run, at, outcome, rule);
        }
    }
}

/// The content that the message says.
pub(super) fn content_of(loaded: &Loaded, message: &Message, run: &Run) -> Option<Name> {
    chosen(message, run).or_else(|| call_of(loaded, message, run).map(|call| call.content))
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

pub(super) fn look_for_exit(run: &mut Run, at: usize) {
    let Some(message) = run.state.messages.get(at).cloned() else { return };
    if message.status.waits() {
        with_instance(run, &message, |actor| actor.look_for_exit());
    }
}

pub(super) fn with_instance(run: &mut Run, message: &Message, act: impl FnOnce(Actor) -> Option<Instance>) {
    let Some(at) = run.state.instances.iter().position(|instance| is_of(message, instance)) else { return };
    super::with_actor(run, at, act);
}

pub(super) fn is_of(message: &Message, instance: &Instance) -> bool {
    message.from().is_none()
        && message.journey == instance.journey
        && message.entry == instance.key
        && message.subject == instance.subject
}
