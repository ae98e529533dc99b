//! What must be true of messages: of their status in each commit, and of each attempt as it reaches the provider.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use wayfare::channel::SendResult;
use wayfare::expr::MessageEvent;
use wayfare::name::Name;
use wayfare::step::state::{Message, MessageStatus};
use wayfare::step::{Decision, Delivery, Kill, MessageKey, State, Trace};

use super::{Customer, Model};
use crate::sim::{bank, world};

pub(super) struct Attempt {
    /// `None`: under way.
    pub answer: Option<SendResult>,
    /// This one or an earlier one of this life may have arrived, and the daemon cannot know.
    pub unheard: bool,
}

/// What the newest outbox row of a message says.
pub(super) struct Newest {
    pub attempts: u32,
    /// An attempt may have arrived.
    pub ambiguous: bool,
    pub not_before: i64,
}

impl Model {
    pub(super) fn messages(
        &mut self,
        id: &Arc<str>,
        customer: &mut Customer,
        state: &State,
        trace: &[Trace],
        is_absorbing: bool,
    ) {
        let old = |(at, message): (usize, &Message)| same(&customer.state, at, message).map(|it| it.status);
        let old: Vec<Option<MessageStatus>> = state.messages.iter().enumerate().map(old).collect();
        // Who fails makes room for others in the same step.
        for (message, old) in state.messages.iter().zip(&old) {
            use MessageStatus::{Cancelled, Failed, Held, Refused};
            let is_over = matches!(message.status, Failed | Refused(_) | Cancelled | Held(_));
            if is_over && *old != Some(message.status) {
                customer.rights.came_to_nothing(message);
            }
        }
        for (message, old) in state.messages.iter().zip(old) {
            if old == Some(message.status) && !message.status.waits() {
                continue;
            }
            let run = (message.journey, message.subject.clone(), message.entry.clone());
            if message.status.waits() && customer.exited.contains(&run) {
                let key = self.key_of(id, message);
                self.wrong(format!("{key} is still to be sent, and its journey was left"));
            }
            if old == Some(message.status) {
                continue;
            }
            let key = self.key_of(id, message);
            let told = told(message, trace) || is_absorbing;
            self.expect(told, || {
                format!("{key} became {:?}, and the trace does not say why", message.status)
            });
            // Put back, and its journey was left meanwhile.
            let taken_back = message.status == MessageStatus::Cancelled && customer.exited.contains(&run);
            let legal = is_absorbing
                || is_legal(old, message.status)
                || taken_back && old == Some(MessageStatus::Dispatching);
            self.expect(legal, || format!("{key} became {:?} from {old:?}", message.status));
            // What another row has is held against that row.
            if message.is_elsewhere() {
                continue;
            }
            if matches!(message.status, MessageStatus::Refused(_)) && self.is_unheard(&key) {
                self.wrong(format!("{key} is called refused, and an attempt may have arrived"));
            }
            if message.status == MessageStatus::Failed && self.is_given_up(&key, message) {
                self.wrong(format!("{key} is called failed, and an attempt may have arrived"));
            }
            if message.status == MessageStatus::Dispatching {
                self.count("dispatch");
                self.expect(state.known, || format!("{key} left for somebody unknown"));
                if let Some(at) = dispatched(message, trace) {
                    self.leaves(&key, customer, state, message, at);
                }
            }
            if let MessageStatus::Held(_) = message.status {
                self.count("held");
                // Whatever is decided later is another matter.
                self.newest.remove(&key);
                if customer.decided.contains(&key) {
                    customer.put_back.insert(key);
                }
            }
        }
        for (at, before) in customer.state.messages.iter().enumerate() {
            if before.status.is_open() && same(state, at, before).is_none() {
                let key = self.key_of(id, before);
                self.wrong(format!("{key} is forgotten before it is over"));
            }
        }
    }

    /// An operator asks for these switches; until the answer comes, nobody knows.
    pub(crate) fn switching(&mut self) {
        self.switches = None;
    }

    /// These switches are in force.
    pub(crate) fn switched(&mut self, kill: Kill) {
        self.switches = Some(kill);
    }

    /// A provider is asked to take a message. Returns the tenure that the attempt is of.
    pub(crate) fn attempted(&mut self, life: u32, delivery: &Delivery, now: Timestamp) -> u64 {
        self.count("attempt");
        let key = &delivery.message;
        let row = self.holder(key);
        let (tenure, is_owner) = self.tenures.held(life, &row);
        let believes = self.tenures.believes(life, &row);
        self.expect(believes, || {
            format!("{key} is sent by life {life}, which knows that it has lost the row")
        });
        if is_owner {
            self.permitted(life, key, delivery.channel);
        }
        self.paced(life, delivery.channel, now);
        self.under_one_name(key);
        let status = self.status(&row, key);
        let left = self.customers.get(&row).is_some_and(|customer| customer.decided.contains(key));
        let marked = !matches!(
            status,
            Some(MessageStatus::Pending | MessageStatus::Cancelled | MessageStatus::Refused(_))
        );
        // An owner that was replaced may still have had it on its way.
        let marked = marked || !is_owner;
        self.expect(left && marked, || format!("{key} is sent, and the state says {status:?}"));
        let before = self.attempts.get(key).and_then(|all| all.last()).filter(|(own, _)| *own == tenure);
        let before = before.map(|(_, before)| (before.answer.clone(), before.unheard));
        let unheard = before.as_ref().is_some_and(|(_, unheard)| *unheard);
        if let Some((answer, _)) = before {
            let asked = matches!(answer, Some(SendResult::Retry { .. } | SendResult::Ambiguous { .. }));
            self.expect(asked, || format!("{key} is sent again, and the answer was {answer:?}"));
            self.count("attempt again");
        }
        let attempt = Attempt { answer: None, unheard };
        let all = self.attempts.entry(key.clone()).or_default();
        all.retain(|(own, _)| *own != tenure);
        all.push((tenure, attempt));
        tenure
    }

    /// Whether a message may leave now: no switch is in its way, and its time has come.
    fn permitted(&mut self, life: u32, key: &MessageKey, channel: Name) {
        let stopped = self.switches.as_ref().is_some_and(|kill| kill.stops(channel, Name::new(&key.journey)));
        self.expect(!stopped, || format!("{key} is sent by life {life}, and {channel} is switched off"));
        let not_before = self.newest.get(key).map_or(0, |newest| newest.not_before);
        let early = self.now.as_millisecond() + 1 < not_before;
        self.expect(!early, || format!("{key} is sent before its time, which is {not_before}"));
    }

    /// Never more in any window than the channel's rate.
    fn paced(&mut self, life: u32, channel: Name, now: Timestamp) {
        let Some((_, count, per)) = bank::RATES.iter().find(|(name, ..)| *name == channel.as_str()) else {
            return;
        };
        let per = SignedDuration::from_secs(*per);
        let times = self.paced.entry((life, channel)).or_default();
        times.retain(|at| at.duration_since(now).abs() < per);
        times.push_back(now);
        let sent = times.len();
        self.expect(sent <= *count, || format!("{sent} messages left by {channel} within {per}"));
    }

    /// No more leave by a channel in any stretch of time than its rate, whoever decides it.
    pub(super) fn departs(&mut self, channel: Name, at: Timestamp) {
        let Some((_, most, per)) = bank::RATES.iter().find(|(name, ..)| *name == channel.as_str()) else {
            return;
        };
        let (at, per) = (at.as_millisecond(), per * 1_000);
        let times = self.departed.entry(channel).or_default();
        let place = times.partition_point(|time| *time <= at);
        times.insert(place, at);
        let first = times.partition_point(|time| *time <= at - per);
        let count = place + 1 - first;
        let old = times.partition_point(|time| *time < at - 100 * per);
        times.drain(..old);
        self.expect(count <= *most, || {
            format!("{count} messages are decided to leave by {channel} within {per} ms")
        });
    }

    /// Whether an attempt at the message may have arrived, and nobody heard.
    fn is_unheard(&self, key: &MessageKey) -> bool {
        let open = |(_, attempt): &(u64, Attempt)| attempt.answer.is_none() || attempt.unheard;
        self.attempts.get(key).is_some_and(|attempts| attempts.iter().any(open))
    }

    /// Whether the daemon gave up although an attempt may have arrived, at a provider that does not know a message again.
    fn is_given_up(&self, key: &MessageKey, message: &Message) -> bool {
        let now = self.tenures.now(&self.holder(key));
        // Of several workers it is not known for certain what each has forgotten.
        let shares = self.tenures.shares;
        let rejected = |(tenure, attempt): &(u64, Attempt)| {
            (*tenure == now || shares) && matches!(attempt.answer, Some(SendResult::Rejected { .. }))
        };
        let rejected = self.attempts.get(key).is_some_and(|attempts| attempts.iter().any(rejected));
        let reported = message.receipts.iter().any(|(kind, _)| *kind == MessageEvent::Failed);
        let idempotent = world::is_idempotent(&self.text(message.channel));
        !rejected && !reported && !idempotent && self.is_unheard(key)
    }

    /// The daemon has heard this.
    pub(crate) fn answered(&mut self, tenure: u64, key: &MessageKey, result: &SendResult) {
        let attempts = self.attempts.get_mut(key).into_iter().flatten();
        for (_, attempt) in attempts.filter(|(own, _)| *own == tenure) {
            attempt.unheard |= matches!(result, SendResult::Ambiguous { .. });
            attempt.answer = Some(result.clone());
        }
    }

    fn status(&self, row: &Arc<str>, key: &MessageKey) -> Option<MessageStatus> {
        let customer = self.customers.get(row)?;
        let found = customer.state.messages.iter().find(|message| self.key_of(row, message) == *key);
        found.map(|message| message.status)
    }
}

/// Whether this status may follow that one.
fn is_legal(old: Option<MessageStatus>, new: MessageStatus) -> bool {
    use MessageStatus::{Cancelled, Dispatching, Failed, Pending, Sent};
    match old {
        None => true,
        Some(Pending) => new != Pending,
        Some(Dispatching) => !matches!(new, Pending | Cancelled),
        Some(MessageStatus::Held(_)) => matches!(
            new,
            Pending | Dispatching | Sent | Cancelled | MessageStatus::Held(_) | MessageStatus::Refused(_)
        ),
        Some(Sent) => new == Failed,
        Some(Failed | Cancelled | MessageStatus::Refused(_)) => false,
    }
}

/// The message of another state that is this one; most stand where they stood, or a place from there.
fn same<'s>(state: &'s State, at: usize, message: &Message) -> Option<&'s Message> {
    let same = |other: &&Message| {
        (other.journey, other.step, &other.entry, &other.subject)
            == (message.journey, message.step, &message.entry, &message.subject)
    };
    let near =
        [at, at + 1, at.wrapping_sub(1)].into_iter().filter_map(|at| state.messages.get(at)).find(same);
    near.or_else(|| state.messages.iter().find(same))
}

/// When the gate let a message go.
pub(super) fn dispatched(message: &Message, trace: &[Trace]) -> Option<Timestamp> {
    let own = trace.iter().rev().find(|it| {
        let step = it.what.leaves().map(|(step, _)| step);
        let run = it.journey == Some(message.journey) && it.entry.as_ref() == Some(&message.entry);
        run && it.subject == message.subject && step == Some(message.step)
    });
    own.map(|it| it.at)
}

/// Whether the trace says why a message has its new status.
fn told(message: &Message, trace: &[Trace]) -> bool {
    trace.iter().any(|it| {
        let own = it.journey == Some(message.journey) && it.entry.as_ref() == Some(&message.entry);
        own && it.subject == message.subject
            && match (&it.what, message.status) {
                (Decision::Decided { step, .. }, MessageStatus::Pending | MessageStatus::Sent)
                | (Decision::PassedOn { step, .. }, MessageStatus::Pending)
                | (Decision::Leaves { step, .. }, MessageStatus::Dispatching)
                | (Decision::Refused { step, .. }, MessageStatus::Refused(_))
                | (Decision::Cancelled { step }, MessageStatus::Cancelled)
                | (Decision::Held { step, .. }, MessageStatus::Held(_))
                | (
                    Decision::Answered { step, .. } | Decision::Receipt { step, .. },
                    MessageStatus::Sent | MessageStatus::Failed,
                )
                | (
                    Decision::Reported { step, .. },
                    MessageStatus::Sent | MessageStatus::Failed | MessageStatus::Refused(_),
                )
                | (Decision::Unconfirmed { step, .. }, MessageStatus::Sent) => *step == message.step,
                _ => false,
            }
    })
}
