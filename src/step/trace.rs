//! Why: every decision about a subject, also the decision that nothing happens.
//!
//! Compact (symbols, node numbers, values), because there are many; `explain` words it for people with the pinned
//! program at hand. Values of masked data classes never enter.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use super::state::SubjectRef;
use super::symbols::Sym;
use super::world::ProgramNo;
use crate::expr::MessageEvent;
use crate::program::policy::Span;
use crate::program::{NodeId, Outcome, Rate, ShowOutcome};
use crate::value::Value;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    pub at: Timestamp,
    /// `None` for what concerns the subject as a whole (parked, attributes changed).
    pub journey: Option<Sym>,
    pub subject: SubjectRef,
    /// Entry key; `None` where no instance came to be.
    pub entry: Option<Arc<str>>,
    pub program: Option<ProgramNo>,
    pub node: Option<NodeId>,
    pub what: Decision,
}

/// The leaves of a condition that decided it: (leaf number in writing order, value seen).
pub type Because = Vec<(u16, Value)>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Decision {
    Entered {
        by: Cause,
    },
    NotEntered {
        by: Cause,
        why: NotEntered,
    },
    /// It will be looked at again at this instant: `A without B`, or a date.
    Planned {
        by: Cause,
        at: Timestamp,
    },
    Waits {
        until: Option<Timestamp>,
    },
    /// An awaited event ended the wait: the await's number, and when it happened.
    Happened {
        awaited: u16,
        at: Timestamp,
    },
    TimedOut,
    /// `wait until` found its condition true or its moment past.
    AlreadyTrue,
    BecameTrue,
    /// The arm taken (0 = first condition or case, one past the last = else).
    Branched {
        arm: u16,
        because: Because,
    },
    /// The gate agreed; the message is in the outbox.
    Decided {
        step: Sym,
        channel: Sym,
    },
    Refused {
        step: Sym,
        channel: Sym,
        outcome: Outcome,
        rule: Rule,
    },
    /// As rows of old say it, see [`Decision::Leaves`].
    Dispatched {
        step: Sym,
        channel: Sym,
    },
    Answered {
        step: Sym,
        outcome: Outcome,
        detail: Arc<str>,
    },
    Receipt {
        step: Sym,
        kind: MessageEvent,
        at: Timestamp,
    },
    Cancelled {
        step: Sym,
    },
    Tagged {
        tag: Sym,
        until: Option<Timestamp>,
    },
    Untagged {
        tag: Sym,
    },
    Remembered {
        slot: u16,
        value: Value,
    },
    Started {
        journey: Sym,
    },
    Goal {
        goal: u16,
        at: Timestamp,
    },
    Exited {
        end: Sym,
    },
    Ended {
        end: Sym,
    },
    Parked {
        event: Sym,
    },
    /// An event that came too late to count for a wait that was already decided.
    Late {
        awaited: u16,
        at: Timestamp,
    },
    /// A round of a `repeat` begins.
    Round {
        number: i64,
    },
    /// The round is left out: its tick was past.
    RoundMissed {
        number: i64,
        tick: Timestamp,
    },
    /// The arm of an experiment, which is taken now.
    Arm {
        experiment: Sym,
        arm: Sym,
        cell: u16,
    },
    /// The subject takes no part in the experiment.
    NoArm {
        cell: u16,
    },
    /// Held out: the message is not sent, and all else goes on as if it were.
    HeldOut {
        step: Sym,
        channel: Sym,
    },
    /// `until` held before this round.
    RoundsOver {
        number: i64,
    },
    /// Somebody is asked to do a task.
    Assigned {
        step: Sym,
        task: Sym,
        to: Value,
        due: Option<Timestamp>,
    },
    Reminded {
        step: Sym,
        task: Sym,
        to: Value,
    },
    Overdue {
        step: Sym,
        task: Sym,
    },
    Escalated {
        step: Sym,
        task: Sym,
        to: Value,
    },
    TaskDone {
        step: Sym,
        task: Sym,
        result: Sym,
        at: Timestamp,
    },
    /// The instance exited before it was done.
    Withdrawn {
        step: Sym,
        task: Sym,
    },
    /// A result of, or an order for, a task that is not open.
    NoSuchTask {
        task: Sym,
    },
    /// A derived value that a journey follows has changed. Only stages and audiences show their values.
    Changed {
        what: Sym,
        old: Value,
        new: Value,
    },
    /// A reward, points, a chance or a prize was given; the amount is `Missing` where it has none.
    Granted {
        what: Sym,
        amount: Value,
    },
    NotGiven {
        what: Sym,
        outcome: Sym,
    },
    /// It stands in a slot from now on.
    Placed {
        step: Sym,
        slot: Sym,
        until: Option<Timestamp>,
    },
    /// It stands in none of its slots, because of this one.
    NotPlaced {
        step: Sym,
        slot: Sym,
        outcome: ShowOutcome,
        rule: Option<Rule>,
    },
    TakenDown {
        step: Sym,
        slot: Sym,
        why: TakenDown,
    },
    /// A message or gift (without channel) for somebody else, whose own row decides.
    PassedOn {
        step: Sym,
        channel: Option<Sym>,
        to: Value,
    },
    /// What the addressee's row says became of a message.
    Reported {
        step: Sym,
        became: Outcome,
    },
    /// One message of an ordered list has left, and others follow.
    PartSent {
        step: Sym,
        part: u16,
        of: u16,
    },
    /// A journey was started for each of several.
    StartedEach {
        journey: Sym,
        count: u32,
        /// More than are started at once.
        left_out: u32,
    },
    /// Held out: this is not done, and all else goes on as if it were. What is given is named by its step.
    Spared {
        act: Act,
        what: Sym,
    },
    /// Another journey of its lane runs, or goes first: it waits for a turn until this instant.
    Queued {
        by: Cause,
        lane: Sym,
        behind: Sym,
        until: Timestamp,
    },
    /// This subject was found to be the same as that one, and goes into it.
    Merged {
        into: Value,
    },
    /// It cannot go into that one: it is that one, of another kind, or that one went into it.
    NotMerged {
        into: Value,
    },
    /// What that one leaves is here.
    Absorbed {
        from: Value,
    },
    /// An import told of this event, or of attributes: it is known, and nobody acts on it.
    Imported {
        event: Sym,
    },
    /// An attempt may have arrived, and `rule` refused another: it counts as sent.
    Unconfirmed {
        step: Sym,
        channel: Sym,
        rule: Rule,
    },
    /// An event that waited was put aside: the subject did not become known in time.
    NotKnown {
        event: Sym,
    },
    /// The gate says: not yet.
    Held {
        step: Sym,
        channel: Sym,
        until: Timestamp,
        rule: Rule,
    },
    /// Somebody agreed to be written to, or no longer does; `None`: all channels, all purposes.
    Consent {
        channel: Option<Sym>,
        purpose: Option<Sym>,
        given: bool,
        how: Arc<str>,
    },
    /// On a list of those who are not to be written to, or off it.
    Listed {
        list: Arc<str>,
        on: bool,
        until: Option<Timestamp>,
    },
    /// Whatever was known of it is gone.
    Erased,
    /// From now on the subject counts for its arm of an experiment that has a winner.
    Counts {
        experiment: Sym,
        arm: Sym,
    },
    /// It has reached the goal by which the experiment is decided.
    Succeeds {
        experiment: Sym,
        arm: Sym,
    },
    /// Somebody takes on an open task.
    Claimed {
        step: Sym,
        task: Sym,
        by: Value,
    },
    /// Somebody else had taken it on.
    NotClaimed {
        step: Sym,
        task: Sym,
        by: Value,
    },
    /// Somebody else is to do an open task.
    Reassigned {
        step: Sym,
        task: Sym,
        from: Value,
        to: Value,
    },
    /// It was seen as often as may be now: it keeps its place, and is not shown before `until`.
    Rests {
        step: Sym,
        slot: Sym,
        rule: Rule,
        until: Timestamp,
    },
    /// It leaves, as this content and under these policies say: the first eight bytes of their hashes.
    Leaves {
        step: Sym,
        channel: Sym,
        content: u64,
        policy: Option<u64>,
        /// The content is another one than when the message was decided.
        corrected: bool,
    },
}

impl Decision {
    /// The message's step and channel, where it is handed to its provider.
    #[must_use]
    pub fn leaves(&self) -> Option<(Sym, Sym)> {
        match self {
            Self::Leaves { step, channel, .. } | Self::Dispatched { step, channel } => {
                Some((*step, *channel))
            }
            _ => None,
        }
    }
}

/// Why something stands in a slot no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TakenDown {
    /// Its time was over.
    Over,
    /// `hide`.
    Hidden,
    /// The instance exited.
    Exited,
    /// Something of a higher rank took its place.
    Displaced,
    /// The same content was shown there anew.
    Replaced,
    /// The customer closed it.
    Dismissed,
    /// The customer has seen it as often as may be in all.
    Seen,
}

/// What a step would have done to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    Tag,
    Untag,
    Start,
    Assign,
    Give,
    Hide,
}

/// What made the runtime look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Cause {
    Event(Sym),
    Without(Sym),
    Schedule,
    Date,
    Start { journey: Sym },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum NotEntered {
    /// The condition or filter was false.
    Condition(Because),
    /// `first`, but it was not.
    NotFirst,
    /// Older than `stale after` when it arrived.
    Stale { age_ms: i64 },
    /// Already ran with this key, or runs now.
    Again { key: Arc<str> },
    /// `reenter after D`: not before this instant.
    TooSoon { until: Timestamp },
    /// Outside `open`.
    Closed,
    /// `existing skip`: was already true at the first look.
    Existing,
    /// The event that must be absent came.
    Came { at: Timestamp },
    /// Too many instances for one subject.
    TooMany,
    /// Replies: `quiet_for` holds, for these leaves.
    Quiet(Because),
    /// Replies: as much was answered as the `limit` of this number allows.
    Limited { limit: u16 },
    /// Started for the members of a group, and this one's attributes have never arrived.
    Unknown,
    /// Started for those of a group of whom a condition holds, and of this one it does not.
    NotAmong,
    /// This journey has the lane, or waits for it and goes first.
    Taken { lane: Sym, by: Sym },
    /// Its turn in the lane did not come in time.
    NoTurn { lane: Sym },
}

/// Which rule of the gate refused, with the numbers it went by: rules change, decisions stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    KillSwitch,
    Consent,
    NoAddress,
    NoContent,
    ContentClosed,
    UnknownSubject,
    /// The consent was taken back.
    Withdrawn {
        at: Timestamp,
        how: Arc<str>,
    },
    /// Of another purpose than marketing.
    ConsentFor {
        purpose: Sym,
    },
    Listed {
        list: Arc<str>,
        at: Timestamp,
    },
    /// `suppress if …`
    Suppressed {
        policy: Sym,
        condition: Arc<str>,
    },
    /// The product is of this level of risk, and the customer can bear that one.
    Risk {
        product: Sym,
        level: u8,
        own: Option<u8>,
    },
    /// The product is not for this customer.
    Market {
        product: Sym,
        condition: Arc<str>,
    },
    /// It is quiet until then, and the message may wait until `latest`. Without a policy it is the journey that says so.
    Quiet {
        policy: Option<Sym>,
        from: Time,
        to: Time,
        until: Timestamp,
        latest: Option<Timestamp>,
    },
    /// So many of a channel or purpose were sent within this, the last one then; `room`: when there would be room again.
    Cap {
        policy: Option<Sym>,
        name: Sym,
        most: u32,
        within: Span,
        sent: u32,
        last: Timestamp,
        room: Option<Timestamp>,
    },
    /// More messages than a ledger holds.
    LedgerFull,
    /// So many leave at once when a quiet time is over.
    Release {
        rate: Rate,
    },
    /// So often a customer may see it, in all where no time is said, and so often he has.
    Sights {
        most: u32,
        within: Option<Span>,
        seen: u32,
    },
    /// Its content was changed behind an attempt that may have arrived.
    OtherContent {
        was: u64,
        is: u64,
    },
}
