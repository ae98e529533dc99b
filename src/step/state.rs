//! Everything that runs for one root subject, in one value: the unit of storage and of consistency.
//!
//! Sorted small vectors instead of maps: a row has few of each, is read and written whole, and must encode the same
//! bytes for the same content. The codec (version byte, then postcard) is in [`super::codec`]; instants are whole
//! milliseconds there. New fields go at the end of a new version. Everything is bounded; the bounds stand at their
//! fields.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use super::account::{Account, Entry as AccountEntry, Lot};
pub use super::history::{Feature, Tally, Vote};
use super::input::{Event, RootKey};
pub use super::replay::Replay;
pub use super::rights::{Agreement, HeldBy, Listed, Mark};
use super::symbols::Sym;
use super::trace::Cause;
use super::wire;
use super::world::ProgramNo;
use crate::expr::MessageEvent;
use crate::name::Name;
use crate::program::{NodeId, Outcome};
use crate::text::shared;
use crate::value::Value;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Whether its attributes have ever arrived. Events of an unknown subject are parked.
    pub known: bool,
    /// Encrypts this subject's payloads in packed rows: erasing the row erases them. Given at creation.
    pub payload_key: [u8; 32],
    /// By symbol.
    pub attributes: Vec<(Sym, Value)>,
    /// By entity and id.
    pub children: Vec<Child>,
    /// By symbol; with the instant it ends.
    #[serde(with = "wire")]
    pub tags: Vec<(Sym, Option<Timestamp>)>,
    /// In order of entry. At most [`MAX_INSTANCES`].
    pub instances: Vec<Instance>,
    /// Who entered what, and how it ended: outlives instances and versions. Of `reenter after D` and `restart` only
    /// the newest of each subject are kept; of all others the newest [`MAX_ENTRIES`], `never` always.
    pub entries: Vec<Entry>,
    /// What each `enter when` saw last, by journey and child.
    pub audiences: Vec<AudienceMemory>,
    /// `A without B within D` that are waiting for their D, date entries that are waiting for their date, and whoever
    /// waits for a turn in a lane (at most [`MAX_WAITING`]).
    pub pending: Vec<Pending>,
    /// History conditions, by feature symbol and subject.
    pub features: Vec<History>,
    /// Patterns with `first` that have been met: their digest, whose, when.
    pub firsts: Vec<First>,
    /// Events that may keep somebody from entering through `A without B`: the newest [`MAX_RECENT`] of each pattern.
    pub recent: Vec<Recent>,
    /// Goals of ended instances, until a week behind their window; the newest [`MAX_WATCHES`].
    pub watches: Vec<Watch>,
    /// Messages by time of decision; the newest [`MAX_MESSAGES`], undispatched ones always kept.
    pub messages: Vec<Message>,
    /// Events that came before the subject was known. At most [`MAX_PARKED`]; more are quarantined.
    pub parked: Vec<Event>,
    /// Where the newest trace of this subject lies: (batch, offset). At most [`MAX_TRACE_REFS`].
    pub trace_refs: Vec<(u64, u32)>,
    /// The earliest instant for which a timer chunk holds this subject. Kept by the engine.
    #[serde(with = "wire")]
    pub wake_at: Option<Timestamp>,
    /// What people of the bank are asked to do about this subject and have not done; the newest [`MAX_TASKS`].
    pub tasks: Vec<Task>,
    /// What it was given, by symbol.
    pub accounts: Vec<Account>,
    /// Gifts that the ledger has not answered yet.
    pub asks: Vec<Ask>,
    /// What stands in slots for it, or stood there, by time; at most [`MAX_PLACEMENTS`], those that stand always kept.
    pub placements: Vec<Placement>,
    /// Digests of what other roots asked of this one: what comes again changes nothing. The newest [`MAX_POSTED`].
    pub posted: Vec<u64>,
    /// The past of conditions that are new, while it is filled in.
    pub replay: Option<Box<Replay>>,
    /// Where this subject has gone, once it was found to be the same as another.
    pub merged: Option<Box<Merged>>,
    /// Who was found to be the same as this one; the newest [`MAX_ABSORBED`].
    pub absorbed: Vec<RootKey>,
    /// What caps count, as far as any looks back; at most [`MAX_MARKS`].
    pub marks: Vec<Mark>,
    /// What was said of consent in so many words: the newest of each channel and purpose, at most [`MAX_AGREEMENTS`].
    pub agreements: Vec<Agreement>,
    /// Lists on which it stands that forbid to write to it; at most [`MAX_LISTED`].
    pub listed: Vec<Listed>,
    /// When it was erased: what is left says what was decided, and nothing of whom.
    #[serde(with = "wire")]
    pub erased: Option<Timestamp>,
    /// Which open tasks somebody has taken on.
    pub claims: Vec<Claim>,
}

pub const MAX_INSTANCES: usize = 256;
pub const MAX_ENTRIES: usize = 512;
pub const MAX_RECENT: usize = 16;
/// `A without B` waiting at once, per journey and subject.
pub const MAX_PENDING: usize = 16;
/// Waiting for a turn in a lane at once.
pub const MAX_WAITING: usize = 32;
pub const MAX_WATCHES: usize = 64;
pub const MAX_MESSAGES: usize = 64;
pub const MAX_PARKED: usize = 100;
pub const MAX_TASKS: usize = 64;
pub const MAX_PLACEMENTS: usize = 64;
pub const MAX_TRACE_REFS: usize = 32;
pub const MAX_POSTED: usize = 512;
pub const MAX_ABSORBED: usize = 64;
pub const MAX_MARKS: usize = 1_024;
pub const MAX_AGREEMENTS: usize = 128;
pub const MAX_LISTED: usize = 64;
/// Events that a merged subject keeps until the other has them; more are quarantined.
pub const MAX_PASSED: usize = 256;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Child {
    pub entity: Sym,
    #[serde(deserialize_with = "shared::text")]
    pub id: Arc<str>,
    pub attributes: Vec<(Sym, Value)>,
    #[serde(with = "wire")]
    pub tags: Vec<(Sym, Option<Timestamp>)>,
}

/// The way of a subject into another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Merged {
    pub into: RootKey,
    /// The identity of the event that said so.
    #[serde(deserialize_with = "shared::text")]
    pub key: Arc<str>,
    /// Of the parcel that the other is to get next: 0 is the estate, behind it each event of `queue`.
    pub number: u64,
    /// Whether the estate is complete: it does not change any more.
    pub is_sealed: bool,
    /// What came since and the other does not have yet, oldest first; at most [`MAX_PASSED`].
    pub queue: Vec<Event>,
    #[serde(with = "wire")]
    pub retry_at: Option<Timestamp>,
}

/// What is kept for one history condition of one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    pub id: Sym,
    pub subject: SubjectRef,
    pub feature: Feature,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct First {
    pub digest: u64,
    pub subject: SubjectRef,
    #[serde(with = "wire")]
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recent {
    /// Of the pattern that it may match; its filter is tested when the trigger is known.
    pub digest: u64,
    pub subject: SubjectRef,
    #[serde(with = "wire")]
    pub at: Timestamp,
    pub fields: Vec<(Name, Value)>,
}

/// A goal that an instance had not reached when it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    pub journey: Sym,
    pub subject: SubjectRef,
    #[serde(deserialize_with = "shared::text")]
    pub key: Arc<str>,
    pub program: ProgramNo,
    pub goal: u16,
    /// It counts if it happens from here on …
    #[serde(with = "wire")]
    pub from: Timestamp,
    /// … and before this.
    #[serde(with = "wire")]
    pub until: Timestamp,
}

/// Which subject of the row: the root itself, or one of its children.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SubjectRef(#[serde(with = "wire")] pub Option<(Sym, Arc<str>)>);

/// One run of a journey for one subject. Identity: (journey, subject, entry key).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    pub journey: Sym,
    pub subject: SubjectRef,
    #[serde(deserialize_with = "shared::text")]
    pub key: Arc<str>,
    /// The version it entered with.
    pub program: ProgramNo,
    #[serde(with = "wire")]
    pub entered: Timestamp,
    /// When the entry event happened; `entered` where there was none.
    #[serde(with = "wire")]
    pub entry_time: Timestamp,
    /// The payload of the entry event (a record), or the arguments of `start`.
    pub entry: Value,
    /// By slot; `Missing` where not yet set. With the instant for named events.
    #[serde(with = "wire")]
    pub locals: Vec<(Value, Option<Timestamp>)>,
    /// Where it stands, and since when.
    pub node: NodeId,
    #[serde(with = "wire")]
    pub since: Timestamp,
    /// When the node's timer fires (with lateness); `None`: it waits for the gate or a provider only.
    #[serde(with = "wire")]
    pub due: Option<Timestamp>,
    /// The deadline itself: an event counts if it happened before.
    #[serde(with = "wire")]
    pub deadline: Option<Timestamp>,
    pub ladder: Option<Ladder>,
    /// Sends of this instance: (step, instant of dispatch commit), for anchors.
    #[serde(with = "wire")]
    pub sent: Vec<(Sym, Timestamp)>,
    /// Look-back: the earliest match of an await that is not yet waited for: (await, happened, payload).
    #[serde(with = "wire")]
    pub seen: Vec<(u16, Timestamp, Value)>,
    /// Goals reached, by number, and when.
    #[serde(with = "wire")]
    pub goals: Vec<(u16, Timestamp)>,
    /// Awaits that timed out: (await, from, deadline). What still comes for them is late.
    #[serde(with = "wire")]
    pub missed: Vec<(u16, Timestamp, Timestamp)>,
    /// When `lasts` ends it.
    #[serde(with = "wire")]
    pub expires: Option<Timestamp>,
}

/// A gift that waits for the ledger. The customer's side of it is held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    pub journey: Sym,
    pub subject: SubjectRef,
    /// Entry key of the instance.
    #[serde(deserialize_with = "shared::text")]
    pub entry: Arc<str>,
    pub step: Sym,
    /// The last part of its key: the step, and what tells two of it apart.
    #[serde(deserialize_with = "shared::text")]
    pub key: Arc<str>,
    pub program: ProgramNo,
    pub node: NodeId,
    pub gift: Gift,
    /// Another root's journey that gives it, and whom it is about.
    pub from: Option<Sender>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gift {
    pub what: Sym,
    /// What it will have come to: `granted`, or the name of a prize.
    pub outcome: Sym,
    /// As the account counts it.
    pub entry: AccountEntry,
    /// The amount as journeys see it.
    pub value: Value,
    /// Points or a chance that were taken for it.
    #[serde(with = "wire")]
    pub taken: Option<(Sym, Vec<Lot>)>,
    /// Points and chances can be spent, until they end.
    pub spendable: bool,
    #[serde(with = "wire")]
    pub until: Option<Timestamp>,
    pub slot: Option<u16>,
    /// The reward that a prize is.
    pub also: Option<Sym>,
}

impl Gift {
    /// What is given by it: a prize, and the reward that it is.
    pub fn names(&self) -> impl Iterator<Item = Sym> + use<> {
        [Some(self.what), self.also].into_iter().flatten()
    }
}

/// Where a `reach` stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ladder {
    /// Rungs in the order of this customer.
    pub order: Vec<u8>,
    /// Index into `order` of the rung that is being tried.
    pub at: u8,
    /// How many rungs the gate let through and no provider refused.
    pub sent: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub journey: Sym,
    pub subject: SubjectRef,
    #[serde(deserialize_with = "shared::text")]
    pub key: Arc<str>,
    #[serde(with = "wire")]
    pub at: Timestamp,
    /// End state and when; `None` while it runs.
    #[serde(with = "wire")]
    pub ended: Option<(Sym, Timestamp)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AudienceMemory {
    pub journey: Sym,
    pub subject: SubjectRef,
    pub was: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    pub journey: Sym,
    pub subject: SubjectRef,
    #[serde(with = "wire")]
    pub due: Timestamp,
    pub why: PendingWhy,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PendingWhy {
    /// The trigger of `A without B` happened; B cancels it.
    Without(Box<Awaited>),
    /// A date entry. The date makes the key: the one the journey names, before it is shifted.
    Date(Date),
    /// The daily look at derived values that time alone can change. Of no journey.
    Look,
    /// Another journey of its lane runs; at `due` it gives up.
    Lane(Box<Waiting>),
    /// Events wait for the subject to become known. Of no journey.
    Parked,
}

/// Somebody who would have entered, had the lane been free.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    pub lane: Sym,
    /// The entry key that it will have.
    #[serde(deserialize_with = "shared::text")]
    pub key: Arc<str>,
    pub cause: Cause,
    /// When what enters happened.
    #[serde(with = "wire")]
    pub at: Timestamp,
    pub payload: Vec<(Name, Value)>,
    #[serde(deserialize_with = "shared::text")]
    pub identity: Arc<str>,
    pub date: Option<Date>,
    pub rule: Option<Name>,
}

/// A trigger that waits for the other not to come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Awaited {
    /// Name of the event.
    pub event: Sym,
    /// Its (source, id) as an entry key.
    #[serde(deserialize_with = "shared::text")]
    pub identity: Arc<str>,
    #[serde(with = "wire")]
    pub at: Timestamp,
    #[serde(with = "wire")]
    pub received: Timestamp,
    pub fields: Vec<(Name, Value)>,
}

/// A task that is open, also behind its due time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    pub journey: Sym,
    /// Of the instance that asked for it.
    pub subject: SubjectRef,
    #[serde(deserialize_with = "shared::text")]
    pub entry: Arc<str>,
    pub step: Sym,
    pub task: Sym,
    pub program: ProgramNo,
    pub node: NodeId,
    /// Whom it is about: the instance's subject, or its root.
    pub about: SubjectRef,
    /// The id of who does it.
    pub assignee: Value,
    #[serde(with = "wire")]
    pub due: Option<Timestamp>,
    /// What is still to happen by itself, and when, soonest first.
    pub alarms: Vec<Alarm>,
}

/// Somebody has taken on an open task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The task's key as a text.
    #[serde(deserialize_with = "shared::text")]
    pub task: Arc<str>,
    #[serde(deserialize_with = "shared::text")]
    pub by: Arc<str>,
}

/// What a task does by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    #[serde(with = "wire")]
    pub at: Timestamp,
    pub what: AlarmKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AlarmKind {
    Remind,
    Overdue,
    Escalate,
}

/// A message this subject got, or nearly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub journey: Sym,
    pub subject: SubjectRef,
    /// Entry key of the instance.
    #[serde(deserialize_with = "shared::text")]
    pub entry: Arc<str>,
    pub step: Sym,
    pub channel: Sym,
    pub program: ProgramNo,
    pub node: NodeId,
    /// When the send was decided, which is when its dispatch was committed to the outbox.
    #[serde(with = "wire")]
    pub at: Timestamp,
    pub status: MessageStatus,
    /// Receipts so far.
    #[serde(with = "wire")]
    pub receipts: Vec<(MessageEvent, Timestamp)>,
    /// Arguments of the content; dropped once dispatched.
    pub args: Vec<(Sym, Value)>,
    /// What most messages have nothing of.
    pub more: Option<Box<More>>,
}

/// What makes a message more than one to the subject that its step sends once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct More {
    /// What `key` says, behind the step in the message's key: `#2026-12-01`. Empty: nothing.
    #[serde(deserialize_with = "shared::text")]
    pub extra: Arc<str>,
    /// Of an ordered list: how many there are, and how many of them have left.
    pub of: u16,
    pub left: u16,
    /// When the next of the list leaves, or the gate looks again at one that is held.
    #[serde(with = "wire")]
    pub next_at: Option<Timestamp>,
    /// Who gets it, if not the subject.
    pub to: Option<RootKey>,
    /// The row of the addressee has it, and decides.
    pub elsewhere: bool,
    /// Another root's journey that sends it.
    pub from: Option<Sender>,
}

/// An instance of another row: its root, and the child that it is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sender {
    pub root: RootKey,
    pub child: Option<(Arc<str>, Arc<str>)>,
}

impl Message {
    #[must_use]
    pub fn extra(&self) -> &str {
        self.more.as_ref().map_or("", |more| &more.extra)
    }

    /// Who gets it, if not the subject.
    #[must_use]
    pub fn to(&self) -> Option<&RootKey> {
        self.more.as_ref()?.to.as_ref()
    }

    /// Whether another row has it.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.elsewhere)
    }

    /// Whose journey sends it, if not one of this row.
    #[must_use]
    pub fn from(&self) -> Option<&Sender> {
        self.more.as_ref()?.from.as_ref()
    }

    /// Of an ordered list: the number of the message that is on its way, from 1.
    #[must_use]
    pub fn part(&self) -> Option<u16> {
        self.more.as_ref().filter(|more| more.of > 1).map(|more| (more.left + 1).min(more.of))
    }

    /// When the next message of its list leaves, or the gate looks again.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        self.more.as_ref()?.next_at
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageStatus {
    /// In the outbox; the gate looks again before it leaves.
    Pending,
    /// Handed to the provider; the answer is not known. Sent again, with the same key, after a crash.
    Dispatching,
    /// The provider took it; of a `record` channel: it is on record, which is all there is to do.
    Sent,
    /// The provider refused for good.
    Failed,
    /// The gate refused, at the decision or at dispatch.
    Refused(Outcome),
    /// The instance exited before it left.
    Cancelled,
    /// Not yet: the gate looks again when its time has come.
    Held(HeldBy),
}

impl MessageStatus {
    /// Whether it may still leave, or be answered.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Dispatching | Self::Held(_))
    }

    /// Whether it is to leave, or has left and no answer is known.
    #[must_use]
    pub fn is_on_its_way(self) -> bool {
        matches!(self, Self::Pending | Self::Dispatching)
    }

    /// Whether nothing of it has left and it can be taken back.
    #[must_use]
    pub fn waits(self) -> bool {
        matches!(self, Self::Pending | Self::Held(_))
    }
}

/// A content in a slot, for this subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    pub journey: Sym,
    pub subject: SubjectRef,
    /// Entry key of the instance.
    #[serde(deserialize_with = "shared::text")]
    pub entry: Arc<str>,
    /// Of this slot, in its round: `spring.popup`.
    pub step: Sym,
    /// The channel.
    pub slot: Sym,
    pub content: Sym,
    pub program: ProgramNo,
    pub node: NodeId,
    pub rank: i64,
    #[serde(with = "wire")]
    pub at: Timestamp,
    /// When its time is over by itself.
    #[serde(with = "wire")]
    pub until: Option<Timestamp>,
    /// When it was taken down; `None` while it stands.
    #[serde(with = "wire")]
    pub gone: Option<Timestamp>,
    /// When it was first seen, and first clicked.
    #[serde(with = "wire")]
    pub receipts: Vec<(MessageEvent, Timestamp)>,
    /// Arguments of the content; dropped once it is taken down.
    pub args: Vec<(Sym, Value)>,
}

impl Placement {
    #[must_use]
    pub fn stands(&self) -> bool {
        self.gone.is_none()
    }
}
