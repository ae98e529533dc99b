//! Handing messages to providers: all lanes, the sends under way, and what an answer means.
//!
//! A send begins only after the commit that marks it as dispatched; its answer comes back as an input of the engine.
//! At least once, always under the same key.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};

use super::clock::Clock;
use super::lane::{Lane, Ticket};
use super::pack::Queued;
use super::rate::Window;
use super::release::Release;
use crate::channel::{Attempt, Channel, Channels, SendResult};
use crate::name::Name;
use crate::program::{Outcome, Rate};
use crate::step::{Delivery, Kill, Sym, World};
use crate::store::{OutboxRow, RowRef, Store, StoreError};

/// After this long a channel that has not come back counts as ambiguous.
const LONGEST_SEND: Duration = Duration::from_mins(2);
const FIRST_RETRY_MS: i64 = 1_000;
const LONGEST_RETRY_MS: i64 = 600_000;

/// What came of one attempt.
pub(super) struct Answer {
    pub ticket: Ticket,
    /// `None`: a switch stopped it before it reached the provider.
    pub attempt: Option<Attempt>,
}

impl Answer {
    /// Whether the provider left it open that the message may be taken at another time.
    pub(super) fn is_open(&self) -> bool {
        let result = self.attempt.as_ref().map(|attempt| &attempt.result);
        !matches!(result, Some(SendResult::Accepted { .. } | SendResult::Rejected { .. }))
    }
}

/// What the answer to an attempt makes of its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Over(Outcome, Arc<str>),
    Again(Queued),
}

pub(super) struct Dispatcher {
    channels: Channels,
    lanes: BTreeMap<u32, Lane>,
    gates: BTreeMap<u32, Arc<Gate>>,
    clock: Arc<dyn Clock>,
    answers: mpsc::UnboundedSender<Answer>,
    /// How many workers share the channels; `None`: nobody else ever does.
    workers: Option<usize>,
    /// Groups that are about to be given back.
    leaving: BTreeSet<u16>,
    /// Sends under way, by group.
    sends: BTreeMap<u16, usize>,
    /// Messages in the memory of each lane.
    most_held: usize,
    switches: Arc<Mutex<Kill>>,
    released: Release,
}

impl Dispatcher {
    /// The dispatcher, and where the answers arrive.
    pub(super) fn new(
        channels: Channels,
        clock: Arc<dyn Clock>,
        most_held: usize,
    ) -> (Self, mpsc::UnboundedReceiver<Answer>) {
        let (answers, arriving) = mpsc::unbounded_channel();
        let released = Release::new(1, clock.now());
        let dispatcher = Self {
            channels,
            lanes: BTreeMap::new(),
            gates: BTreeMap::new(),
            clock,
            answers,
            workers: None,
            leaving: BTreeSet::new(),
            sends: BTreeMap::new(),
            most_held,
            switches: Arc::default(),
            released,
        };
        (dispatcher, arriving)
    }

    /// Forgets everything, sends under way included: their answers do not arrive any more.
    pub(super) fn begin_anew(&mut self) -> mpsc::UnboundedReceiver<Answer> {
        let (channels, clock) = (std::mem::take(&mut self.channels), Arc::clone(&self.clock));
        let (mut new, arriving) = Self::new(channels, clock, self.most_held);
        (new.workers, new.switches) = (self.workers, Arc::clone(&self.switches));
        new.released.share(self.workers.unwrap_or(1), self.clock.now());
        // What it lets through stays bounded, whoever sends.
        new.gates = std::mem::take(&mut self.gates);
        *self = new;
        arriving
    }

    /// From now on nothing leaves that `kill` stops, also of what has been handed over and waits for its turn.
    pub(super) fn heed(&self, kill: &Kill) {
        self.switches.lock().unwrap_or_else(PoisonError::into_inner).clone_from(kill);
    }

    /// A lane for every channel of any program and every channel with messages, at the rates of `world`.
    pub(super) async fn open_lanes(&mut self, world: &World, store: &dyn Store) -> Result<(), StoreError> {
        let of_programs = world.programs.values().flat_map(|program| program.body.channels());
        let names: BTreeSet<Name> = world.bundle.channels.keys().copied().chain(of_programs).collect();
        let mut channels: BTreeSet<u32> = store.outbox_channels().await?.into_iter().collect();
        channels.extend(names.into_iter().filter_map(|name| world.symbols.sym(name)).map(|sym| sym.0));
        for sym in channels {
            let name = world.symbols.name(Sym(sym));
            let rate = name.and_then(|name| world.bundle.channels.get(&name)?.rate);
            let limit = name.and_then(|name| self.channels.get(name)?.rate());
            let rate = rate.into_iter().chain(limit).reduce(Rate::tighter);
            if let Some(lane) = self.lanes.get_mut(&sym) {
                lane.rate = rate;
                continue;
            }
            let window = store.meta(&window_name(sym)).await?;
            let window = window.map(|text| Window::parse(&text)).unwrap_or_default();
            let mut lane = Lane::new(sym, rate, window, self.most_held, store.lease().batch);
            lane.leave(&self.leaving);
            self.lanes.insert(sym, lane);
            let channel = name.and_then(|name| self.channels.get(name));
            let sends = channel.map_or(1, |channel| channel.concurrency().max(1));
            self.gates.entry(sym).or_insert_with(|| Arc::new(Gate::new(sends)));
        }
        self.pace();
        Ok(())
    }

    /// So many workers are alive, and share rates.
    pub(super) fn share(&mut self, workers: usize) {
        self.released.share(workers, self.clock.now());
        self.workers = Some(workers);
        self.pace();
    }

    /// When a message that was held over a quiet time may leave; if that is now, it is counted.
    pub(super) fn release(&mut self, rate: Rate, now: Timestamp) -> Timestamp {
        self.released.next(rate, now)
    }

    /// Tells lanes and gates how fast they may be.
    fn pace(&mut self) {
        for (sym, lane) in &mut self.lanes {
            let mut rate = lane.rate;
            if let Some(workers) = self.workers {
                lane.share(workers);
                rate = rate.map(|rate| rate.part(workers));
            }
            if let Some(gate) = self.gates.get(sym) {
                gate.pace().rate = rate;
            }
        }
    }

    /// Asks for what may go out on channels whose rate is shared: counted in the store, before it is taken.
    pub(super) async fn ask(&mut self, store: &dyn Store, now: Timestamp) -> Result<(), StoreError> {
        if self.workers.is_none() {
            return Ok(());
        }
        for (sym, lane) in &mut self.lanes {
            let (Some(rate), wanted) = (lane.rate, lane.wanted(now)) else { continue };
            let name = window_name(*sym);
            let mut granted = 0;
            let window = loop {
                if wanted == 0 {
                    break None;
                }
                let text = store.meta(&name).await?.unwrap_or_default();
                let mut window = Window::parse(&text);
                granted = wanted.min(window.room(rate, now));
                if granted == 0 {
                    break Some(window);
                }
                window.take(granted, now);
                match store.swap(&name, &text, &window.to_text()).await {
                    Ok(true) => break Some(window),
                    // Another worker was quicker.
                    Ok(false) => {}
                    Err(StoreError::Fenced) => return Err(StoreError::Fenced),
                    // Whether it was counted is not known: nothing goes out.
                    Err(error) => {
                        tracing::warn!(%error, "no share of a channel's rate could be had");
                        lane.refused(now);
                        break None;
                    }
                }
            };
            if let Some(window) = window {
                lane.grant(window, granted);
            }
        }
        Ok(())
    }

    /// Groups that were taken over, at batch `before`: their rows are read.
    pub(super) fn gain(&mut self, groups: &BTreeSet<u16>, before: u64) {
        self.lanes.values_mut().for_each(|lane| lane.gain(groups, before));
    }

    /// Groups to be given back: nothing of theirs begins to be sent any more.
    pub(super) fn leave(&mut self, groups: &BTreeSet<u16>) {
        self.leaving.extend(groups);
        self.lanes.values_mut().for_each(|lane| lane.leave(groups));
    }

    /// Groups that were given back.
    pub(super) fn lose(&mut self, groups: &BTreeSet<u16>) {
        self.leaving.retain(|group| !groups.contains(group));
        self.lanes.values_mut().for_each(|lane| lane.lose(groups));
    }

    /// Whether nothing of `groups` is being sent.
    pub(super) fn is_quiet(&self, groups: &BTreeSet<u16>) -> bool {
        groups.iter().all(|group| !self.sends.contains_key(group))
    }

    /// An answer has been taken.
    pub(super) fn answered(&mut self, group: u16) {
        if let Some(left) = self.sends.get_mut(&group) {
            *left -= 1;
            if *left == 0 {
                self.sends.remove(&group);
            }
        }
    }

    /// Channels without a provider.
    pub(super) fn recorded(&self) -> BTreeSet<Name> {
        let is_record = |name: &Name| self.channels.get(*name).is_some_and(|channel| channel.is_record());
        self.channels.names().filter(is_record).collect()
    }

    /// Reads outbox rows into lanes that have room.
    pub(super) async fn fill(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Vec<(OutboxRow, String)>, StoreError> {
        let mut damaged = Vec::new();
        for lane in self.lanes.values_mut().filter(|lane| lane.wants_rows()) {
            damaged.extend(lane.fill(store, now).await?);
        }
        Ok(damaged)
    }

    /// Rows that hold nothing which newer rows do not hold, with their channels.
    pub(super) fn outdated(&mut self) -> Vec<(u32, RowRef)> {
        let of_lane = |(channel, lane): (&u32, &mut Lane)| {
            let channel = *channel;
            lane.outdated().into_iter().map(move |row| (channel, row)).collect::<Vec<_>>()
        };
        self.lanes.iter_mut().flat_map(of_lane).collect()
    }

    /// The messages that may go out now.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<Ticket> {
        self.lanes.values_mut().flat_map(|lane| lane.take(now)).collect()
    }

    pub(super) fn lane(&mut self, channel: u32) -> Option<&mut Lane> {
        self.lanes.get_mut(&channel)
    }

    /// When there may next be something to take.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        self.lanes.values().filter_map(|lane| lane.next(now)).min()
    }

    pub(super) fn outstanding(&self) -> usize {
        self.lanes.values().map(Lane::outstanding).sum()
    }

    /// Sends whose answer has not been committed.
    pub(super) fn under_way(&self) -> usize {
        self.lanes.values().map(Lane::under_way).sum()
    }

    /// Whether anything may begin to be sent.
    pub(super) fn stop(&mut self) {
        self.lanes.values_mut().for_each(Lane::stop);
    }

    /// What a restart must know of the rates of `channels`.
    pub(super) fn windows(&self, channels: impl Iterator<Item = u32>) -> Vec<(String, String)> {
        let window = |sym: u32| Some((window_name(sym), self.lanes.get(&sym)?.window()?));
        channels.filter_map(window).collect()
    }

    /// Begins a send whose commit is durable.
    pub(super) fn send(&mut self, ticket: Ticket, delivery: Delivery) {
        *self.sends.entry(ticket.row.group).or_default() += 1;
        let answers = self.answers.clone();
        let channel = self.channels.get(delivery.channel).cloned();
        let gate = self.gates.get(&ticket.channel).cloned();
        let (clock, switches) = (Arc::clone(&self.clock), Arc::clone(&self.switches));
        tokio::spawn(async move {
            let attempt = match channel {
                Some(channel) => {
                    let sending = Sending { channel: &*channel, delivery: &delivery, queued: &ticket.queued };
                    attempt(sending, gate, &*clock, &switches).await
                }
                None => Some(SendResult::Rejected { detail: "the channel has no provider".into() }.into()),
            };
            // The engine is gone only when the process ends; the message stays in the outbox.
            let _ = answers.send(Answer { ticket, attempt });
        });
    }

    /// What becomes of the message of `ticket` after `result`.
    pub(super) fn judge(&self, world: &World, answer: &Answer, now: Timestamp) -> Verdict {
        let name = world.symbols.name(Sym(answer.ticket.channel));
        let channel = name.and_then(|name| self.channels.get(name));
        let manner = Manner {
            most: channel.map_or(1, |channel| channel.max_attempts()),
            idempotent: channel.is_some_and(|channel| channel.idempotent()),
            repeats: channel.is_none_or(|channel| channel.repeats()),
        };
        judge(answer, manner, now)
    }
}

/// What a message passes on its way to the provider. The rate was kept when it was dispatched, and is kept again
/// here: a provider that was stuck for a while does not get all at once what was dispatched meanwhile.
struct Gate {
    /// Sends at once.
    slots: Semaphore,
    pace: Mutex<Pace>,
}

struct Pace {
    rate: Option<Rate>,
    window: Window,
}

impl Gate {
    fn new(sends: usize) -> Self {
        let pace = Mutex::new(Pace { rate: None, window: Window::default() });
        Self { slots: Semaphore::new(sends), pace }
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn pass(&self, clock: &dyn Clock) -> Option<SemaphorePermit<'_>> {
        let slot = self.slots.acquire().await.ok();
        loop {
            let now = clock.now();
            let next = self.pace().go(now);
            match next {
                Some(next) => clock.wait_until(next).await,
                None => return slot,
            }
        }
    }
}

impl Pace {
    /// Counts a send that happens now; or when there may be room for it.
    fn go(&mut self, now: Timestamp) -> Option<Timestamp> {
        let rate = self.rate?;
        if self.window.room(rate, now) == 0
            && let Some(next) = self.window.next_room(rate)
        {
            return Some(next);
        }
        self.window.take(1, now);
        None
    }
}

struct Sending<'a> {
    channel: &'a dyn Channel,
    delivery: &'a Delivery,
    queued: &'a Queued,
}

async fn attempt(
    sending: Sending<'_>,
    gate: Option<Arc<Gate>>,
    clock: &dyn Clock,
    switches: &Mutex<Kill>,
) -> Option<Attempt> {
    let Sending { channel, delivery, queued } = sending;
    let _slot = match &gate {
        Some(gate) => gate.pass(clock).await,
        None => None,
    };
    let journey = Name::new(&delivery.message.journey);
    if switches.lock().unwrap_or_else(PoisonError::into_inner).stops(delivery.channel, journey) {
        return None;
    }
    let send = AssertUnwindSafe(channel.send_again(delivery, queued.provider.as_deref())).catch_unwind();
    Some(match tokio::time::timeout(LONGEST_SEND, send).await {
        Ok(Ok(attempt)) => attempt,
        Ok(Err(_)) => SendResult::Ambiguous { detail: "the channel stopped unexpectedly".into() }.into(),
        Err(_) => SendResult::Ambiguous { detail: "the channel did not come back".into() }.into(),
    })
}

/// How a channel deals with attempts that fail.
#[derive(Clone, Copy)]
struct Manner {
    /// Attempts before it is over.
    most: u32,
    idempotent: bool,
    /// Whether what may have arrived is sent again without that.
    repeats: bool,
}

fn judge(answer: &Answer, manner: Manner, now: Timestamp) -> Verdict {
    let mut queued = answer.ticket.queued.clone();
    let Some(Attempt { result, provider, idempotent }) = &answer.attempt else {
        // The gate looks again at once, and says why.
        queued.not_before = now.as_millisecond();
        return Verdict::Again(queued);
    };
    if let SendResult::Closed { after, .. } = result {
        // As many as wait do not come back at once.
        let wait = SignedDuration::try_from(*after).unwrap_or_default() + backoff(&queued);
        queued.not_before = now.saturating_add(wait).unwrap_or(Timestamp::MAX).as_millisecond();
        return Verdict::Again(queued);
    }
    queued.attempts = queued.attempts.saturating_add(1);
    let idempotent = idempotent.unwrap_or(manner.idempotent);
    let (after, detail) = match result {
        SendResult::Accepted { detail } => return Verdict::Over(Outcome::Sent, Arc::clone(detail)),
        SendResult::Rejected { detail } => return Verdict::Over(Outcome::Failed, Arc::clone(detail)),
        SendResult::Retry { after, detail } => (*after, detail),
        SendResult::Ambiguous { detail } => {
            queued.ambiguous = true;
            queued.provider = queued.provider.or_else(|| provider.clone());
            (None, detail)
        }
        SendResult::Closed { after, detail } => (Some(*after), detail),
    };
    let is_unclear = matches!(result, SendResult::Ambiguous { .. });
    // Without a provider to go back to, another one could be asked.
    let is_final = is_unclear && !manner.repeats && (!idempotent || queued.provider.is_none());
    if queued.attempts < manner.most && !is_final {
        let wait = backoff(&queued).max(after.and_then(|after| after.try_into().ok()).unwrap_or_default());
        queued.not_before = now.saturating_add(wait).unwrap_or(Timestamp::MAX).as_millisecond();
        return Verdict::Again(queued);
    }
    let attempts = queued.attempts;
    if queued.ambiguous && (!idempotent || is_final) {
        return Verdict::Over(
            Outcome::Sent,
            format!("unconfirmed after {attempts} attempts: {detail}").into(),
        );
    }
    Verdict::Over(Outcome::Failed, format!("given up after {attempts} attempts: {detail}").into())
}

/// Doubles with each attempt up to ten minutes; spread by half, by the message's own key, so that messages that
/// failed together do not come back together.
fn backoff(queued: &Queued) -> SignedDuration {
    let doubled = FIRST_RETRY_MS << queued.attempts.saturating_sub(1).min(20);
    let longest = doubled.min(LONGEST_RETRY_MS);
    let spread = crate::store::bucket::murmur2(format!("{}#{}", queued.message, queued.attempts).as_bytes());
    SignedDuration::from_millis(longest / 2 + i64::from(spread) % (longest / 2 + 1))
}

fn window_name(channel: u32) -> String {
    format!("rate.{channel}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::MessageKey;

    fn answer(result: SendResult, attempts: u32, ambiguous: bool) -> Answer {
        let message = MessageKey {
            journey: "j".into(),
            root: "c".into(),
            child: None,
            entry: "e".into(),
            step: "s".into(),
        };
        let queued =
            Queued { kind: 0, id: "c".into(), message, attempts, not_before: 0, ambiguous, provider: None };
        let row = RowRef { batch: 1, group: 0 };
        Answer { ticket: Ticket { channel: 0, row, queued }, attempt: Some(result.into()) }
    }

    fn judged(answer: &Answer, most: u32, idempotent: bool, now: Timestamp) -> Verdict {
        judge(answer, Manner { most, idempotent, repeats: true }, now)
    }

    fn retry() -> SendResult {
        SendResult::Retry { after: None, detail: "503".into() }
    }

    #[test]
    fn attempts_grow_apart_and_end() {
        let now = Timestamp::UNIX_EPOCH;
        let mut last = 0;
        for attempts in 0..7 {
            let Verdict::Again(queued) = judged(&answer(retry(), attempts, false), 8, false, now) else {
                panic!("attempt {attempts} is not the last")
            };
            assert_eq!(queued.attempts, attempts + 1);
            let most = 1_000 << attempts;
            assert!((most / 2..=most).contains(&queued.not_before), "{queued:?}");
            assert!(queued.not_before > last / 2);
            last = queued.not_before;
        }
        let over = judged(&answer(retry(), 7, false), 8, false, now);
        assert_eq!(over, Verdict::Over(Outcome::Failed, "given up after 8 attempts: 503".into()));
    }

    #[test]
    fn what_a_switch_stopped_was_no_attempt() {
        let stopped = Answer { attempt: None, ..answer(retry(), 7, true) };
        let now = Timestamp::from_millisecond(5).unwrap();
        let Verdict::Again(queued) = judged(&stopped, 8, false, now) else { panic!("it is not over") };
        assert_eq!((queued.attempts, queued.not_before, queued.ambiguous), (7, 5, true));
        assert!(queued.has_moved());
    }

    #[test]
    fn a_provider_may_ask_for_more_time() {
        let slow = SendResult::Retry { after: Some(Duration::from_mins(1)), detail: "429".into() };
        let Verdict::Again(queued) = judged(&answer(slow, 0, false), 8, false, Timestamp::UNIX_EPOCH) else {
            panic!("it may be tried again")
        };
        assert_eq!(queued.not_before, 60_000);
    }

    #[test]
    fn what_may_have_arrived_is_not_called_failed() {
        let now = Timestamp::UNIX_EPOCH;
        let unclear = || SendResult::Ambiguous { detail: "timeout".into() };
        let over = judged(&answer(unclear(), 1, false), 2, false, now);
        assert_eq!(over, Verdict::Over(Outcome::Sent, "unconfirmed after 2 attempts: timeout".into()));
        let earlier = judged(&answer(retry(), 1, true), 2, false, now);
        assert!(matches!(earlier, Verdict::Over(Outcome::Sent, _)));
        let idempotent = judged(&answer(unclear(), 1, false), 2, true, now);
        assert!(matches!(idempotent, Verdict::Over(Outcome::Failed, _)));
    }

    #[test]
    fn what_may_have_arrived_stays_with_its_provider() {
        let now = Timestamp::UNIX_EPOCH;
        let unclear = |idempotent| Answer {
            attempt: Some(Attempt {
                result: SendResult::Ambiguous { detail: "timeout".into() },
                provider: Some("a".into()),
                idempotent: Some(idempotent),
            }),
            ..answer(retry(), 0, false)
        };
        let manner = Manner { most: 8, idempotent: false, repeats: false };
        let Verdict::Again(queued) = judge(&unclear(true), manner, now) else {
            panic!("it can be cleared up")
        };
        assert_eq!((queued.provider.as_deref(), queued.ambiguous), (Some("a"), true));
        let over = judge(&unclear(false), manner, now);
        assert_eq!(over, Verdict::Over(Outcome::Sent, "unconfirmed after 1 attempts: timeout".into()));
        // Nobody knows at whom: there is no going back to it.
        let lost = Answer {
            attempt: Some(SendResult::Ambiguous { detail: "it did not come back".into() }.into()),
            ..answer(retry(), 0, false)
        };
        let over = judge(&lost, Manner { idempotent: true, ..manner }, now);
        assert!(matches!(over, Verdict::Over(Outcome::Sent, _)));
        // What a crash left open was perhaps never sent: a refusal for now is no end.
        let crashed = judge(&answer(retry(), 0, true), manner, now);
        assert!(matches!(crashed, Verdict::Again(_)));
    }

    #[test]
    fn what_was_not_tried_was_no_attempt() {
        let closed = SendResult::Closed { after: Duration::from_mins(1), detail: "out of order".into() };
        let Verdict::Again(queued) = judged(&answer(closed, 7, false), 8, false, Timestamp::UNIX_EPOCH)
        else {
            panic!("it is not over")
        };
        assert_eq!(queued.attempts, 7);
        assert!(queued.not_before > 60_000 && queued.has_moved());
    }
}
