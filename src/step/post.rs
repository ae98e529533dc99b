//! What one root asks of another, and the answers: messages and rewards to somebody else, journeys that are started
//! for the members of a group.
//!
//! Whoever gets a message or reward decides in their own row: consent, caps, limits and accounts follow the addressee.
//! The asking row keeps the message (or stands at the step) and hears what became of it. Everything is named by the
//! message key, and what is asked twice is done once.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::actor::{Actor, News};
use super::effect::Effect;
use super::enter::{self, Candidate};
use super::give::{self, Given};
use super::input::{Event, MessageKey, RootKey};
use super::letter;
use super::merge;
use super::run::Run;
use super::scene::{ROOT, Scene};
use super::state::{Instance, MAX_POSTED, Sender, State, SubjectRef};
use super::symbols::Sym;
use super::told;
use super::trace::{Cause, NotEntered};
use super::world::ProgramNo;
use crate::expr::MessageEvent;
use crate::name::Name;
use crate::program::{Giving, NodeId, NodeKind, Outcome};
use crate::value::Value;

/// Something for another row, named by the key of the message, gift or start that it is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Post {
    pub from: RootKey,
    pub to: RootKey,
    pub key: MessageKey,
    pub errand: Errand,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    /// Send this to your subject, if your gate agrees.
    Send(Box<Letter>),
    /// The journey has left: send nothing that has not left yet.
    Cancel,
    /// What became of a message.
    Became(Became),
    /// Give this to your subject, as far as your limits allow.
    Give(Box<Favour>),
    /// What became of a gift: its outcome, and the amount.
    Given { node: NodeId, outcome: Name, amount: Value },
    /// Let your subject enter, if the caller's `where` admits it.
    Start(Box<Invitation>),
    /// This happened to my subject, and it names yours.
    Tell(Box<Event>),
    /// From a subject that is yours: what it leaves you, or what came for it since.
    Parcel { number: u64, parcel: Box<Parcel> },
    /// The parcel of this number is here.
    Taken { number: u64 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Parcel {
    Estate(#[serde(with = "as_row")] Box<State>),
    Event(Box<Event>),
}

/// A state as its row has it, with its version.
mod as_row {
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use crate::step::codec;
    use crate::step::state::State;

    pub(super) fn serialize<S: Serializer>(state: &State, serializer: S) -> Result<S::Ok, S::Error> {
        codec::encode(state).map_err(S::Error::custom)?.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<State>, D::Error> {
        let bytes = Vec::<u8>::deserialize(deserializer)?;
        codec::decode(&bytes).map(Box::new).map_err(D::Error::custom)
    }
}

/// As programs are kept, which leave out what is not there.
mod as_json {
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use crate::program::Giving;

    pub(super) fn serialize<S: Serializer>(giving: &Giving, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::to_string(giving).map_err(S::Error::custom)?.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Giving, D::Error> {
        serde_json::from_str(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Letter {
    pub program: ProgramNo,
    pub node: NodeId,
    pub step: Sym,
    pub channel: Sym,
    /// What `key` says, as in the key.
    pub extra: Arc<str>,
    pub args: Vec<(Sym, Value)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Became {
    /// The addressee's gate agreed; it is in the outbox.
    Accepted,
    Refused(Outcome),
    /// The provider's answer: `Sent` or `Failed`.
    Answered(Outcome),
    Receipt(MessageEvent, Timestamp),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Favour {
    pub program: ProgramNo,
    pub node: NodeId,
    pub step: Name,
    /// With everything in it worked out by the asking row.
    #[serde(with = "as_json")]
    pub giving: Giving,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invitation {
    pub journey: Name,
    /// The caller: its `where` is looked at with what it knows.
    pub program: ProgramNo,
    pub node: NodeId,
    pub entered: Timestamp,
    pub entry_time: Timestamp,
    pub entry: Value,
    pub locals: Vec<(Value, Option<Timestamp>)>,
}

impl Errand {
    /// For identities and people.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Send(_) => "send",
            Self::Cancel => "cancel",
            Self::Became(_) => "became",
            Self::Give(_) => "give",
            Self::Given { .. } => "given",
            Self::Start(_) => "start",
            Self::Tell(_) => "tell",
            Self::Parcel { .. } => "parcel",
            Self::Taken { .. } => "taken",
        }
    }

    /// Whether it asks for something that must be done once.
    fn is_asked(&self) -> bool {
        matches!(self, Self::Send(_) | Self::Give(_) | Self::Start(_) | Self::Tell(_))
    }
}

/// Post has come.
pub(super) fn take(run: &mut Run, post: &Post) {
    if post.errand.is_asked() && !is_new(run, post) {
        return;
    }
    match &post.errand {
        Errand::Send(wanted) => letter::take(run, post, wanted),
        Errand::Cancel => letter::take_cancel(run, &post.key),
        Errand::Became(became) => letter::take_word(run, &post.key, *became),
        Errand::Give(favour) => take_favour(run, post, favour),
        Errand::Given { node, outcome, amount } => take_gift(run, &post.key, *node, *outcome, amount),
        Errand::Start(invitation) => take_invitation(run, post, invitation),
        Errand::Tell(event) => told::take(run, event),
        Errand::Parcel { number, parcel } => {
            let is_new = is_new(run, post);
            merge::take(run, post, *number, parcel, is_new);
        }
        // Of a row that has gone: that one hears it before anything else.
        Errand::Taken { .. } => {}
    }
}

/// Sends `errand` to another row.
pub(super) fn send(run: &mut Run, to: RootKey, key: MessageKey, errand: Errand) {
    let from = run.root.clone();
    run.effect(Effect::Post(Box::new(Post { from, to, key, errand })));
}

/// Notes that it has come, unless it has come before.
fn is_new(run: &mut Run, post: &Post) -> bool {
    let text = format!("{}#{}", post.key, post.errand.word());
    let digest = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let posted = &mut run.state.posted;
    if posted.contains(&digest) {
        return false;
    }
    if posted.len() >= MAX_POSTED {
        posted.remove(0);
    }
    posted.push(digest);
    true
}

pub(super) fn sender(post: &Post) -> Sender {
    Sender { root: post.from.clone(), child: post.key.child.clone() }
}

/// An instance of another row, as far as an expression or a gift asks for it.
fn stand_in(run: &Run, post: &Post, (program, node): (ProgramNo, NodeId)) -> Option<Instance> {
    Some(Instance {
        journey: run.world.index().program(program)?.journey,
        subject: ROOT.clone(),
        key: post.key.entry.clone(),
        program,
        entered: run.now,
        entry_time: run.now,
        entry: Value::Missing,
        locals: Vec::new(),
        node,
        since: run.now,
        due: None,
        deadline: None,
        ladder: None,
        sent: Vec::new(),
        seen: Vec::new(),
        goals: Vec::new(),
        missed: Vec::new(),
        expires: None,
    })
}

fn take_favour(run: &mut Run, post: &Post, favour: &Favour) {
    let place = (favour.program, favour.node);
    let loaded = run.world.index().program(favour.program).cloned();
    let (Some(loaded), Some(mut it)) = (loaded, stand_in(run, post, place)) else {
        return give::report(run, &sender(post), &post.key, favour.node, None);
    };
    // Where the amount is kept that was given.
    it.locals = vec![(Value::Missing, None)];
    let mut actor = Actor::new(run, &loaded, it);
    let giving = Giving { slot: Some(0), ..favour.giving.clone() };
    let given = give::give_as(&mut actor, favour.step, &giving, post.key.clone(), Some(sender(post)));
    let amount = actor.it.locals.first().map_or(Value::Missing, |(amount, _)| amount.clone());
    if let Given::Now(outcome) = given {
        give::report(run, &sender(post), &post.key, favour.node, Some((outcome, amount)));
    }
}

/// The step that gives, here, goes on.
fn take_gift(run: &mut Run, key: &MessageKey, node: NodeId, outcome: Name, amount: &Value) {
    give::paid_for(run, key, outcome);
    let Some(subject) = subject_of(run, key) else { return };
    let Some(journey) = Name::lookup(&key.journey).map(|name| run.sym(name)) else { return };
    let stands = |instance: &Instance| {
        instance.journey == journey
            && instance.key == key.entry
            && instance.subject == subject
            && instance.node == node
    };
    let Some(at) = run.state.instances.iter().position(stands) else { return };
    super::with_actor(run, at, |mut actor| {
        let slot = match actor.node().map(|node| &node.kind) {
            Some(NodeKind::Give { giving, .. }) => giving.slot,
            _ => None,
        };
        let local = slot.and_then(|slot| actor.it.locals.get_mut(usize::from(slot)));
        if let Some(local) = local.filter(|_| !amount.is_missing()) {
            *local = (amount.clone(), None);
        }
        actor.permitted(outcome)
    });
}

fn take_invitation(run: &mut Run, post: &Post, invitation: &Invitation) {
    let Some(target) = run.world.index().journey(invitation.journey).cloned() else { return };
    let caller = Name::lookup(&post.key.journey).map_or(target.journey, |name| run.sym(name));
    let candidate = Candidate {
        subject: ROOT.clone(),
        cause: Cause::Start { journey: caller },
        at: run.now,
        payload: Vec::new(),
        identity: post.key.to_string().into(),
        date: None,
        rule: None,
    };
    if !run.state.known {
        return enter::refuse(run, &target, &candidate, NotEntered::Unknown);
    }
    if is_among(run, post, invitation) {
        enter::consider(run, &target, candidate);
    } else {
        enter::refuse(run, &target, &candidate, NotEntered::NotAmong);
    }
}

/// Whether the caller's `where` admits this row's root.
fn is_among(run: &Run, post: &Post, invitation: &Invitation) -> bool {
    let Some(loaded) = run.world.index().program(invitation.program) else { return false };
    let node = loaded.program.nodes.get(usize::from(invitation.node));
    let Some(NodeKind::Start { each: Some(each), .. }) = node.map(|node| &node.kind) else { return false };
    let Some(it) = stand_in(run, post, (invitation.program, invitation.node)) else { return false };
    let it = Instance {
        entered: invitation.entered,
        entry_time: invitation.entry_time,
        entry: invitation.entry.clone(),
        locals: invitation.locals.clone(),
        ..it
    };
    let scene = Scene { instance: Some(&it), ..run.scene(loaded, &ROOT) };
    scene.admits(each.filter.as_ref())
}

/// The subject that a key of this row is about.
pub(super) fn subject_of(run: &Run, key: &MessageKey) -> Option<SubjectRef> {
    Some(SubjectRef(match &key.child {
        Some((entity, id)) => Some((run.sym(Name::lookup(entity)?), id.clone())),
        None => None,
    }))
}

/// What became of a message, as the row that asked for it hears it.
pub(super) fn news(became: Became) -> News {
    match became {
        Became::Accepted => News::Accepted,
        Became::Refused(outcome) => News::Refused(outcome),
        Became::Answered(Outcome::Failed) | Became::Receipt(MessageEvent::Failed, _) => News::Failed,
        Became::Answered(_) | Became::Receipt(MessageEvent::Sent, _) => News::Sent,
        Became::Receipt(kind, _) => super::receipts::news(kind),
    }
}
