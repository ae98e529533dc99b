//! What must be true of messages: of their status in each commit, and of each attempt as it reaches the provider.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use wayfare::channel::SendResult;
use wayfare::expr::MessageEvent;
use wayfare::name::Name;
use wayfare::step::state::{Message, MessageStatus};
use wayfare::step::{Decision, Delivery, Kill, MessageKey, State, Trace};
use wayfare::value::Value;

use super::{Customer, Model, is_open};
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
    pub not_before: i64,
}

impl Model {
    pub(super) fn messages(&mut self, id: &Arc<str>, customer: &Customer, state: &State, trace: &[Trace]) {
        let same = |a: &Message, b: &Message| {
            (a.journey, a.step, &a.entry, &a.subject) == (b.journey, b.step, &b.entry, &b.subject)
        };
        for message in &state.messages {
            let before = customer.state.messages.iter().find(|before| same(before, message));
            let old = before.map(|before| before.status);
            let run = (message.journey, message.subject.clone(), message.entry.clone());
            if message.status == MessageStatus::Pending && customer.exited.contains(&run) {
                let key = self.key_of(id, message);
                self.wrong(format!("{key} is still to be sent, and its journey was left"));
            }
            if old == Some(message.status) {
                continue;
            }
            let key = self.key_of(id, message);
            let told = told(message, trace);
            self.expect(told, || {
                format!("{key} became {:?}, and the trace does not say why", message.status)
            });
            let legal = is_legal(old, message.status);
            self.expect(legal, || format!("{key} became {:?} from {old:?}", message.status));
            if matches!(message.status, MessageStatus::Refused(_)) && self.is_unheard(&key) {
                self.wrong(format!("{key} is called refused, and an attempt may have arrived"));
            }
            if message.status == MessageStatus::Failed && self.is_given_up(&key, message) {
                self.wrong(format!("{key} is called failed, and an attempt may have arrived"));
            }
            if message.status == MessageStatus::Dispatching {
                self.count("dispatch");
                let channel = Value::Choice(Name::new(&self.text(message.channel)));
                let agreed = !bank::MARKETING.contains(&&*key.journey) || customer.consent.contains(&channel);
                self.expect(agreed, || format!("{key} left without consent: {:?}", customer.consent));
                self.expect(state.known, || format!("{key} left for somebody unknown"));
            }
        }
        for before in &customer.state.messages {
            if is_open(before.status) && !state.messages.iter().any(|message| same(before, message)) {
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

    /// A provider is asked to take a message.
    pub(crate) fn attempted(&mut self, life: u32, delivery: &Delivery, now: Timestamp) {
        self.count("attempt");
        let key = &delivery.message;
        if life == self.life {
            self.permitted(key, delivery.channel);
        }
        self.paced(life, delivery.channel, now);
        let status = self.status(key);
        let left = self.customers.get(&key.root).is_some_and(|customer| customer.decided.contains(key));
        let marked = !matches!(
            status,
            Some(MessageStatus::Pending | MessageStatus::Cancelled | MessageStatus::Refused(_))
        );
        // An owner that was replaced may still have had it on its way.
        let marked = marked || life < self.life;
        self.expect(left && marked, || format!("{key} is sent, and the state says {status:?}"));
        if let Some(before) = self.attempts.get(&(key.clone(), life)) {
            let asked =
                matches!(before.answer, Some(SendResult::Retry { .. } | SendResult::Ambiguous { .. }));
            if !asked {
                let answer = format!("{:?}", before.answer);
                self.wrong(format!("{key} is sent again, and the answer was {answer}"));
            }
            self.count("attempt again");
        }
        let unheard = self.attempts.get(&(key.clone(), life)).is_some_and(|before| before.unheard);
        self.attempts.insert((key.clone(), life), Attempt { answer: None, unheard });
    }

    /// Whether a message may leave now: no switch is in its way, and its time has come.
    fn permitted(&mut self, key: &MessageKey, channel: Name) {
        let stopped = self.switches.as_ref().is_some_and(|kill| kill.stops(channel, Name::new(&key.journey)));
        self.expect(!stopped, || format!("{key} is sent, and {channel} is switched off"));
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

    /// Whether an attempt at the message may have arrived, and nobody heard.
    fn is_unheard(&self, key: &MessageKey) -> bool {
        (1..=self.life).any(|life| {
            self.attempts
                .get(&(key.clone(), life))
                .is_some_and(|attempt| attempt.answer.is_none() || attempt.unheard)
        })
    }

    /// Whether the daemon gave up although an attempt may have arrived, at a provider that does not know a message again.
    fn is_given_up(&self, key: &MessageKey, message: &Message) -> bool {
        let rejected = self
            .attempts
            .get(&(key.clone(), self.life))
            .is_some_and(|attempt| matches!(attempt.answer, Some(SendResult::Rejected { .. })));
        let reported = message.receipts.iter().any(|(kind, _)| *kind == MessageEvent::Failed);
        let idempotent = world::is_idempotent(&self.text(message.channel));
        !rejected && !reported && !idempotent && self.is_unheard(key)
    }

    /// The daemon has heard this.
    pub(crate) fn answered(&mut self, life: u32, key: &MessageKey, result: &SendResult) {
        if let Some(attempt) = self.attempts.get_mut(&(key.clone(), life)) {
            attempt.unheard |= matches!(result, SendResult::Ambiguous { .. });
            attempt.answer = Some(result.clone());
        }
    }

    fn status(&self, key: &MessageKey) -> Option<MessageStatus> {
        let customer = self.customers.get(&key.root)?;
        let found = customer.state.messages.iter().find(|message| self.key_of(&key.root, message) == *key);
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

/// Whether the trace says why a message has its new status.
fn told(message: &Message, trace: &[Trace]) -> bool {
    trace.iter().any(|it| {
        let own = it.journey == Some(message.journey) && it.entry.as_ref() == Some(&message.entry);
        own && it.subject == message.subject
            && match (&it.what, message.status) {
                (Decision::Decided { step, .. }, MessageStatus::Pending | MessageStatus::Sent)
                | (Decision::Dispatched { step, .. }, MessageStatus::Dispatching)
                | (Decision::Refused { step, .. }, MessageStatus::Refused(_))
                | (Decision::Cancelled { step }, MessageStatus::Cancelled)
                | (Decision::Held { step, .. }, MessageStatus::Held(_))
                | (
                    Decision::Answered { step, .. } | Decision::Receipt { step, .. },
                    MessageStatus::Sent | MessageStatus::Failed,
                )
                | (Decision::Unconfirmed { step, .. }, MessageStatus::Sent) => *step == message.step,
                _ => false,
            }
    })
}
