//! What a step asks the outside world to do, once the state it belongs to is committed.

use std::sync::Arc;

use jiff::Timestamp;

use super::input::{Event, MessageKey, RootKey};
use super::post::Post;
use super::trace::Trace;
use crate::name::Name;
use crate::program::Rate;

/// What one step produced besides the new state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    pub effects: Vec<Effect>,
    pub trace: Vec<Trace>,
    /// How many audiences were looked at, for whom it may concern what that costs.
    pub looks: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// A send was decided: put its key into the outbox, in the same transaction.
    /// `again`: it may have stood there before, and left without being over.
    Enqueue { message: MessageKey, channel: Name, again: bool },
    /// Answer to `Input::Dispatch`: the gate still agrees; hand this to the provider once committed.
    Deliver(Box<Delivery>),
    /// Answer to `Input::Dispatch`: nothing is to be sent (refused, cancelled, or already answered).
    Drop(MessageKey),
    /// To be put aside with its reason.
    Quarantine { event: Box<Event>, why: SetAside },
    /// Something stands in a slot from now on: what is kept of it elsewhere (a page, a list of advertisers) is to follow.
    Place(Box<Placed>),
    /// It stands there no longer.
    Remove { placement: MessageKey, slot: Name },
    /// Something that all share is asked for; the answer is `Input::Permit`.
    Reserve(Box<Reserve>),
    /// Something was given: the books follow.
    Book(Box<Booking>),
    /// Somebody has drawn: the chain of the lottery follows.
    Draw(Box<Drawing>),
    /// A message that was held over a quiet time may leave, at the rate of all: the answer is `Input::Paced`.
    Pace { message: MessageKey, rate: Rate },
    /// A task was opened or has changed: the directory of work follows.
    Task(Box<TaskNews>),
    /// For another root's inbox: `Input::Post` there, in the order in which it was posted.
    Post(Box<Post>),
}

/// Why an event is put aside by its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetAside {
    /// More events of a subject that is not known than a state keeps.
    TooMany,
    /// Its subject did not become known in time.
    Unknown,
    /// More events of a subject that has gone into another than wait for the other.
    Merged,
}

/// What stands where. Its copy is made when somebody comes to look, so that a corrected text is seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// What reports on it (seen, clicked) name.
    pub placement: MessageKey,
    pub slot: Name,
    pub content: Name,
    pub rank: i64,
    pub until: Option<Timestamp>,
}

/// A task as it is from now on, for the directory of work.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskNews {
    /// Its identity: journey, subject, entry key and step of whoever asked for it.
    pub key: MessageKey,
    pub task: Name,
    /// The child that it is about; the root itself without one.
    pub about: Option<(Arc<str>, Arc<str>)>,
    /// The id of who is asked; empty where nobody is known.
    pub assignee: Arc<str>,
    /// Who has taken it on.
    pub holder: Option<Arc<str>>,
    pub due: Option<Timestamp>,
    /// Whether its due time has passed.
    pub is_overdue: bool,
    pub at: Timestamp,
    pub what: TaskChange,
}

/// What became of a task.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskChange {
    /// `unit`: the branch in whose account it is.
    Opened {
        unit: Option<Arc<str>>,
    },
    Reminded,
    Overdue,
    Escalated {
        to: Arc<str>,
    },
    Claimed,
    Reassigned,
    Done {
        result: Name,
    },
    /// Nobody asks for it any more.
    Withdrawn,
}

/// What a gift is to the customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Booking {
    pub key: MessageKey,
    /// The reward, points or chance; of a prize, also the reward that it is.
    pub what: Vec<Name>,
    /// Of what can be spent: how many.
    pub amount: i64,
    pub can_be_spent: bool,
    /// When it ends if it is not used.
    pub until: Option<Timestamp>,
    /// Points or chances that were taken for it, by when they end.
    pub taken: Option<(Name, Vec<super::account::Lot>)>,
}

/// A draw that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    /// What the ticket is made of.
    pub key: MessageKey,
    pub lottery: Name,
    /// The prize, if one was drawn.
    pub drawn: Option<Name>,
    pub outcome: crate::lottery::Outcome,
}

/// All lines or none, once per key: asked again, the answer is the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Reserve {
    pub key: MessageKey,
    pub lines: Vec<Line>,
}

/// `amount` of an account of which there is `limit` in all.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// `stock/fuel_rush/2026-12-04T02:00:00Z`, `budget/payroll_2026`
    pub account: Arc<str>,
    /// Pieces, or minor units of the budget's currency.
    pub amount: i64,
    pub limit: i64,
    /// `piece`, or the budget's currency.
    pub unit: Arc<str>,
    /// What it means if there is not enough.
    pub short: Short,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Short {
    SoldOut,
    BudgetGone,
    /// Nobody keeps such accounts here.
    NoLedger,
}

/// A rendered message with its provenance.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    pub message: MessageKey,
    pub channel: Name,
    /// Who gets it: the subject of the row, or somebody that the step names.
    pub addressee: RootKey,
    pub address: Arc<str>,
    pub purpose: Name,
    pub content: Name,
    /// `title`, `body`, `link`, … in the order written.
    pub parts: Vec<(Name, Arc<str>)>,
    /// Where the parts lead with `link(…)`, each once.
    pub links: Vec<Arc<str>>,
    pub program_hash: Arc<str>,
    /// Of the content as it is said, which may have been corrected since the message was decided.
    pub content_hash: Arc<str>,
    /// Of the policies that the gate asked; `None`: the bank has none.
    pub policy_hash: Option<Arc<str>>,
}
