//! One subject's part of a batch: its inputs in order, through the step function, in memory.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use super::book::Booked;
use super::handle::Receipt;
use super::lane::Ticket;
use super::last::Moment;
use super::payload::{Key, new_key};
use super::timers;
use crate::diagnostic::code;
use crate::name::Name;
use crate::program::Rate;
use crate::step::facets::Mark;
use crate::step::post::Errand;
use crate::step::{
    Decision, Delivery, Drawing, Effect, Event, Input, MessageKey, Output, Post, Reserve, RootKey, SetAside,
    Short, State, TaskNews, Trace, World,
};
use crate::store::{Packed, RowKey};

/// The step function, when a state must next be woken, and where the keys of new subjects come from; others only in
/// tests of the engine itself.
#[derive(Clone, Copy, Debug)]
pub struct Steps {
    pub step: fn(&World, &RootKey, &mut State, &Input, Timestamp) -> Output,
    pub next_due: fn(&State) -> Option<Timestamp>,
    pub new_key: fn() -> Option<Key>,
}

impl Steps {
    /// Those that journeys run by, here as in `wayfare test`.
    pub const REAL: Self = Self { step: crate::step::step, next_due: State::next_due, new_key };
}

/// Sends decided and dispatched within one batch for one subject; more go through the outbox.
const MOST_PROMPT: usize = 16;

/// Who wants to know what became of an input.
pub(super) enum Origin {
    /// A submitted event: its place among the receipts of the batch.
    Receipt(usize),
    /// A message of the outbox.
    Ticket(Box<Ticket>),
    Engine,
}

pub(super) struct Item {
    pub input: Input,
    pub origin: Origin,
}

/// A subject that this batch touches.
pub(super) struct Subject {
    pub root: RootKey,
    pub key: RowKey,
    pub items: Vec<Item>,
    /// Where the log has events of it that are lived through once more.
    pub past: Vec<(Arc<Packed>, u32)>,
    /// What its row is sifted by, where a sweep has read it.
    pub sifted: Option<Sifted>,
}

/// What a stored row is sifted by; nothing: it is always looked at.
#[derive(Clone, Copy)]
pub(super) struct Sifted(pub Option<Mark>);

/// What came of a subject's inputs besides its new state.
#[derive(Default)]
pub(super) struct Work<'a> {
    pub trace: Vec<Trace>,
    pub log: Vec<&'a Event>,
    pub receipts: Vec<(usize, Receipt)>,
    /// Events that the step would not keep.
    pub rejected: Vec<(Event, SetAside)>,
    /// Messages of the outbox that go out once this is committed.
    pub sends: Vec<(Ticket, Box<Delivery>)>,
    /// Messages of the outbox that are over.
    pub resolved: Vec<Ticket>,
    /// New messages, for the outbox.
    pub queued: Vec<(MessageKey, Name)>,
    /// Of the new ones, those that older rows of the outbox may still name.
    pub again: Vec<MessageKey>,
    /// New messages that go out once this is committed.
    pub prompt: Vec<Delivery>,
    /// Channels of messages that were admitted and then refused by the gate.
    pub released: Vec<Name>,
    /// For other rows.
    pub posts: Vec<Post>,
    /// For the directory of work.
    pub tasks: Vec<TaskNews>,
    /// For the books.
    pub booked: Vec<Booked>,
    /// For the chains of lotteries.
    pub drawn: Vec<Drawing>,
}

/// What a walk needs besides the subject.
pub(super) struct Cx<'a> {
    pub world: &'a World,
    pub steps: Steps,
    pub now: Timestamp,
    pub doors: &'a mut dyn Doors,
}

/// What is shared by all customers: how fast messages leave, stock and budgets.
pub(super) trait Doors {
    /// Whether a message for this channel may go out at once; it counts as under way if so.
    fn admit(&mut self, channel: Name) -> bool;
    /// When a message that was held over a quiet time may leave; if that is now, it is counted.
    fn pace(&mut self, rate: Rate) -> Timestamp;
    /// What all share is taken for a gift, all of it or nothing; what there is not enough of.
    fn reserve(&mut self, asked: &Reserve) -> Option<Short>;
}

/// Answers first (they happened before), events by their own time, then what is due, then messages to dispatch: the
/// gate sees the newest state.
pub(super) fn sort(items: &mut [Item]) {
    items.sort_by_key(|item| match &item.input {
        Input::Answer { .. } | Input::Permit { .. } | Input::Paced { .. } | Input::Post(_) => {
            (0, Timestamp::MIN)
        }
        Input::Event(event) => (1, event.time),
        Input::Tick { at, .. } => (2, *at),
        Input::Settle => (3, Timestamp::MIN),
        Input::Wake => (4, Timestamp::MIN),
        Input::Dispatch(_) | Input::DispatchAgain(_) => (5, Timestamp::MIN),
    });
}

/// Steps `state` through `items`, which are sorted.
pub(super) fn walk<'a>(cx: &mut Cx<'_>, root: &RootKey, state: &mut State, items: &'a [Item]) -> Work<'a> {
    let mut walk = Walk { cx, root, state, work: Work::default(), decided: VecDeque::new() };
    let mut dispatches = Vec::new();
    for item in items {
        match &item.input {
            Input::Event(event) => walk.event(item, event),
            Input::Dispatch(_) | Input::DispatchAgain(_) => dispatches.push(item),
            // The look at what is due follows for everybody.
            Input::Wake => {}
            input => {
                // What another row tells of has happened to this one too.
                if let Input::Post(post) = input
                    && let Errand::Tell(event) = &post.errand
                {
                    walk.work.log.push(event);
                }
                let output = walk.step(input);
                walk.absorb(output);
                if let Origin::Ticket(ticket) = &item.origin {
                    walk.work.resolved.push(Ticket::clone(ticket));
                }
            }
        }
    }
    walk.wake();
    for item in dispatches {
        walk.dispatch(item);
    }
    walk.dispatch_decided();
    walk.work
}

/// Stable code and reason of what a subject puts aside.
pub(super) fn set_aside(why: SetAside) -> (&'static str, &'static str) {
    match why {
        SetAside::TooMany => {
            (code::SET_ASIDE.as_str(), "the subject is not known and has too many events waiting")
        }
        SetAside::Merged => {
            (code::SET_ASIDE.as_str(), "the subject has gone into another, and has too many events waiting")
        }
        SetAside::Unknown => {
            (code::NEVER_KNOWN.as_str(), "the subject's attributes did not arrive while the event waited")
        }
    }
}

/// For when a timer chunk must hold the subject from now on; `None` if one does already, or none is needed.
pub(super) fn register(steps: Steps, state: &mut State, moment: Moment) -> Option<Timestamp> {
    let slot = timers::slot((steps.next_due)(state)?, moment.now);
    // A chunk that was to fire by the latest instant ever seen has fired, or will soon and find nothing to do.
    if state.wake_at.is_some_and(|at| at > moment.latest && at <= slot) {
        return None;
    }
    state.wake_at = Some(slot);
    Some(slot)
}

struct Walk<'w, 'cx, 'a> {
    cx: &'w mut Cx<'cx>,
    root: &'w RootKey,
    state: &'w mut State,
    work: Work<'a>,
    /// Messages decided by this batch, in order.
    decided: VecDeque<(MessageKey, Name)>,
}

impl<'a> Walk<'_, '_, 'a> {
    fn step(&mut self, input: &Input) -> Output {
        (self.cx.steps.step)(self.cx.world, self.root, self.state, input, self.cx.now)
    }

    fn event(&mut self, item: &'a Item, event: &'a Event) {
        let output = self.step(&item.input);
        let parked = output.trace.iter().any(|trace| matches!(trace.what, Decision::Parked { .. }));
        let rejected = output.effects.iter().any(|effect| matches!(effect, Effect::Quarantine { .. }));
        let receipt = match (rejected, parked) {
            (true, _) => Receipt::Quarantined(Arc::from(set_aside(SetAside::TooMany).1)),
            (false, true) => Receipt::Parked,
            (false, false) if event.kind.is_import() => Receipt::Imported,
            (false, false) => Receipt::Accepted,
        };
        if !rejected {
            self.work.log.push(event);
        }
        if let Origin::Receipt(place) = item.origin {
            self.work.receipts.push((place, receipt));
        }
        self.absorb(output);
    }

    fn wake(&mut self) {
        if (self.cx.steps.next_due)(self.state).is_some_and(|due| due <= self.cx.now) {
            let output = self.step(&Input::Wake);
            self.absorb(output);
        }
    }

    /// A message of the outbox: out once committed, or over.
    fn dispatch(&mut self, item: &Item) {
        let Origin::Ticket(ticket) = &item.origin else { return };
        let mut ticket = Ticket::clone(ticket);
        // Decided once more just now: this row is one that only still names it, and the new one counts.
        if self.work.again.contains(&ticket.queued.message) {
            return self.work.resolved.push(ticket);
        }
        let output = self.step(&item.input);
        let first = output.trace.iter().any(|trace| trace.what.leaves().is_some());
        // Whatever this attempt comes to, an earlier one was not heard of.
        ticket.queued.ambiguous |= matches!(item.input, Input::DispatchAgain(_)) && !first;
        match self.absorb(output) {
            Some(delivery) => self.work.sends.push((ticket, delivery)),
            None => self.work.resolved.push(ticket),
        }
    }

    /// What was decided just now goes out at once where its channel has room. A refusal may decide the next rung.
    fn dispatch_decided(&mut self) {
        for _ in 0..MOST_PROMPT {
            let Some((message, channel)) = self.decided.pop_front() else { return };
            if !self.cx.doors.admit(channel) {
                self.work.queued.push((message, channel));
                continue;
            }
            let output = self.step(&Input::Dispatch(message));
            match self.absorb(output) {
                Some(delivery) => self.work.prompt.push(*delivery),
                None => self.work.released.push(channel),
            }
        }
        self.work.queued.extend(self.decided.drain(..));
    }

    /// Takes up what a step produced; returns the delivery if it answered a dispatch with one.
    fn absorb(&mut self, output: Output) -> Option<Box<Delivery>> {
        self.work.trace.extend(output.trace);
        let mut delivery = None;
        let mut unanswered = Vec::new();
        for effect in output.effects {
            match effect {
                Effect::Enqueue { message, channel, again } => {
                    self.work.again.extend(again.then(|| message.clone()));
                    self.decided.push_back((message, channel));
                }
                Effect::Deliver(deliver) => delivery = Some(deliver),
                // What stands in slots is kept in the row; nobody can ask for it yet.
                Effect::Drop(_) | Effect::Place(_) | Effect::Remove { .. } => {}
                Effect::Quarantine { event, why } => self.work.rejected.push((*event, why)),
                Effect::Book(booking) => self.work.booked.push(Booked::Own(booking)),
                Effect::Draw(drawing) => self.work.drawn.push(*drawing),
                Effect::Task(news) => self.work.tasks.push(*news),
                Effect::Reserve(reserve) => {
                    let short = self.cx.doors.reserve(&reserve);
                    let Reserve { key, lines } = *reserve;
                    if short.is_none() {
                        self.work.booked.push(Booked::Shared(key.clone(), lines));
                    }
                    unanswered.push(Input::Permit { key, short });
                }
                Effect::Pace { message, rate } => {
                    let at = self.cx.doors.pace(rate);
                    unanswered.push(Input::Paced { message, at });
                }
                Effect::Post(post) => self.work.posts.push(*post),
            }
        }
        for answer in unanswered {
            let output = self.step(&answer);
            let later = self.absorb(output);
            delivery = delivery.or(later);
        }
        delivery
    }
}
