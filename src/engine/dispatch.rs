//! Handing messages to providers: all lanes, the sends under way, and what an answer means.
//!
//! A send begins only after the commit that marks it as dispatched; its answer comes back as an input of the engine.
//! At least once, always under the same key.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

use super::clock::Clock;
use super::judge::{Manner, Verdict, judge};
use super::lane::{Lane, Ticket};
use super::pack::Queued;
use super::rate::{KEPT_MS, Window};
use super::release::Release;
use super::switches::{Gatekeeper, Switches};
use crate::channel::{Attempt, Channel, Channels, SendResult};
use crate::name::Name;
use crate::program::Rate;
use crate::step::{Delivery, Kill, MessageKey, Sym, World};
use crate::store::{OutboxRow, RowRef, Store, StoreError};

/// After this long a channel that has not come back counts as ambiguous.
const LONGEST_SEND: Duration = Duration::from_mins(2);

/// What came of one attempt.
#[derive(Clone)]
pub(super) struct Answer {
    pub ticket: Ticket,
    /// `None`: a switch stopped it before it reached the provider, or its group was lost.
    pub attempt: Option<Attempt>,
    tenure: Arc<Tenure>,
}

/// A message, and the row that it left from.
pub(super) type Place = (RowRef, MessageKey);

/// How long a group is ours. What was handed over in it and has not reached its provider when it is over does not leave: the
/// next owner sends it.
#[derive(Debug, Default)]
struct Tenure {
    is_over: AtomicBool,
}

impl Tenure {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }
}

/// A group's sends under way, with their channels.
#[derive(Default)]
struct Sends {
    tenure: Arc<Tenure>,
    open: BTreeSet<(u32, Place)>,
}

fn place(ticket: &Ticket) -> (u32, Place) {
    (ticket.channel, (ticket.row, ticket.queued.message.clone()))
}

impl Answer {
    /// Whether the provider left it open that the message may be taken at another time.
    pub(super) fn is_open(&self) -> bool {
        let result = self.attempt.as_ref().map(|attempt| &attempt.result);
        !matches!(result, Some(SendResult::Accepted { .. } | SendResult::Rejected { .. }))
    }
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
    /// Sends under way, by group; none: not here.
    sends: BTreeMap<u16, Sends>,
    /// Of groups that were lost, those that have not come back, by channel.
    strays: BTreeMap<u32, usize>,
    /// Messages in the memory of each lane.
    most_held: usize,
    switches: Switches,
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
            strays: BTreeMap::new(),
            most_held,
            switches: Switches::default(),
            released,
        };
        (dispatcher, arriving)
    }

    /// Forgets what waits to be sent: the store says what does. What is under way goes on, and its answers are waited for.
    pub(super) fn begin_anew(&mut self) {
        self.lanes.clear();
        self.leaving.clear();
    }

    /// An answer that was taken and not committed.
    pub(super) fn unheard(&mut self, answer: &Answer) {
        if !answer.tenure.is_over() {
            let group = answer.ticket.row.group;
            let sends = self
                .sends
                .entry(group)
                .or_insert_with(|| Sends { tenure: Arc::clone(&answer.tenure), open: BTreeSet::new() });
            sends.open.insert(place(&answer.ticket));
        }
    }

    /// From now on nothing leaves that `kill` stops, also of what has been handed over and waits for its turn.
    pub(super) fn heed(&self, kill: &Kill) {
        self.switches.set(kill);
    }

    /// What was heeded last was so in the store at `looked`; what leaves more than two heartbeats after that waits for the next
    /// look.
    pub(super) fn looked(&self, looked: Instant, beat: Duration) {
        self.switches.looked(looked, beat);
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
            let open = self.sends.values().flat_map(|sends| &sends.open);
            let open = open.filter(|(channel, _)| *channel == sym).map(|(_, place)| place.clone());
            lane.resume(open.collect(), self.strays.get(&sym).copied().unwrap_or_default());
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
        let clock = Arc::clone(&self.clock);
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
                // What others did since is known, but not what counted then.
                let is_late = clock.now().as_millisecond() - now.as_millisecond() > KEPT_MS;
                granted = if is_late { 0 } else { wanted.min(window.room(rate, now)) };
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

    /// Groups that belong to others now. Of what is under way nothing is known any more; the sends of other groups go on.
    pub(super) fn lose(&mut self, groups: &BTreeSet<u16>) {
        self.leaving.retain(|group| !groups.contains(group));
        for sends in groups.iter().filter_map(|group| self.sends.remove(group)) {
            sends.tenure.end();
            for (channel, _) in sends.open {
                *self.strays.entry(channel).or_default() += 1;
            }
        }
        self.lanes.values_mut().for_each(|lane| lane.lose(groups));
    }

    /// Whether nothing of `groups` is being sent.
    pub(super) fn is_quiet(&self, groups: &BTreeSet<u16>) -> bool {
        groups.iter().all(|group| !self.sends.contains_key(group))
    }

    /// An answer has come. False: its group was lost meanwhile, and the message is somebody else's.
    pub(super) fn answered(&mut self, answer: &Answer) -> bool {
        let Ticket { channel, row, .. } = &answer.ticket;
        if answer.tenure.is_over() {
            if let Some(strays) = self.strays.get_mut(channel) {
                *strays = strays.saturating_sub(1);
            }
            if let Some(lane) = self.lanes.get_mut(channel) {
                lane.settle();
            }
            return false;
        }
        if let Some(sends) = self.sends.get_mut(&row.group) {
            sends.open.remove(&place(&answer.ticket));
            if sends.open.is_empty() {
                self.sends.remove(&row.group);
            }
        }
        true
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
        let sends = self.sends.entry(ticket.row.group).or_default();
        sends.open.insert(place(&ticket));
        let tenure = Arc::clone(&sends.tenure);
        let answers = self.answers.clone();
        let channel = self.channels.get(delivery.channel).cloned();
        let gate = self.gates.get(&ticket.channel).cloned();
        let (clock, gatekeeper) = (Arc::clone(&self.clock), self.switches.gatekeeper());
        tokio::spawn(async move {
            let attempt = match channel {
                Some(channel) => {
                    let (queued, tenure) = (&ticket.queued, &*tenure);
                    let sending = Sending { channel: &*channel, delivery: &delivery, queued, tenure };
                    attempt(sending, gate, &*clock, gatekeeper).await
                }
                None => Some(SendResult::Rejected { detail: "the channel has no provider".into() }.into()),
            };
            // The engine is gone only when the process ends; the message stays in the outbox.
            let _ = answers.send(Answer { ticket, attempt, tenure });
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
        judge(&answer.ticket.queued, answer.attempt.as_ref(), manner, now)
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
    tenure: &'a Tenure,
}

async fn attempt(
    sending: Sending<'_>,
    gate: Option<Arc<Gate>>,
    clock: &dyn Clock,
    mut gatekeeper: Gatekeeper,
) -> Option<Attempt> {
    let Sending { channel, delivery, queued, tenure } = sending;
    let _slot = match &gate {
        Some(gate) => gate.slots.acquire().await.ok(),
        None => None,
    };
    let journey = Name::new(&delivery.message.journey);
    loop {
        // Whoever waits for one of these looks at the others again: what took its place under the rate leaves now.
        if gatekeeper.stops(delivery.channel, journey).await || tenure.is_over() {
            return None;
        }
        let now = clock.now();
        match gate.as_ref().and_then(|gate| gate.pace().go(now)) {
            Some(next) => clock.wait_until(next).await,
            None => break,
        }
    }
    let send = AssertUnwindSafe(channel.send_again(delivery, queued.provider.as_deref())).catch_unwind();
    Some(match tokio::time::timeout(LONGEST_SEND, send).await {
        Ok(Ok(attempt)) => attempt,
        Ok(Err(_)) => SendResult::Ambiguous { detail: "the channel stopped unexpectedly".into() }.into(),
        Err(_) => SendResult::Ambiguous { detail: "the channel did not come back".into() }.into(),
    })
}

fn window_name(channel: u32) -> String {
    format!("rate.{channel}")
}

#[cfg(test)]
mod tests {
    use futures_util::future::BoxFuture;
    use tokio::sync::Notify;

    use super::*;
    use crate::engine::clock::WallClock;
    use crate::engine::pack::Queued;
    use crate::step::RootKey;

    /// Takes one message at a time, when it is told to.
    #[derive(Default)]
    struct Slow {
        taken: Mutex<Vec<Arc<str>>>,
        goes_on: Notify,
    }

    impl Channel for Slow {
        fn send<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, SendResult> {
            async move {
                self.taken.lock().unwrap().push(Arc::clone(&delivery.message.root));
                self.goes_on.notified().await;
                SendResult::Accepted { detail: "taken".into() }
            }
            .boxed()
        }

        fn concurrency(&self) -> usize {
            1
        }
    }

    /// A message of a customer named like the group.
    fn message(group: u16) -> (Ticket, Delivery) {
        let id: Arc<str> = format!("c{group}").into();
        let message = MessageKey {
            journey: "j".into(),
            root: Arc::clone(&id),
            child: None,
            entry: "e".into(),
            step: "s".into(),
        };
        let delivery = Delivery {
            message: message.clone(),
            channel: Name::new("push"),
            addressee: RootKey { entity: Name::new("customer"), id: Arc::clone(&id) },
            address: "".into(),
            purpose: Name::new("service"),
            content: Name::new("hello"),
            parts: Vec::new(),
            links: Vec::new(),
            program_hash: "".into(),
            content_hash: "".into(),
            policy_hash: None,
        };
        let queued =
            Queued { kind: 0, id, message, attempts: 0, not_before: 0, ambiguous: false, provider: None };
        (Ticket { channel: 1, row: RowRef { batch: 1, group }, queued }, delivery)
    }

    /// A group that is lost while its messages are on their way: the answers of others count, what has not reached the provider
    /// stays, and what comes back too late is nobody's.
    #[tokio::test]
    async fn who_loses_a_group_sends_no_more_of_it_and_goes_on_with_the_others() {
        let slow = Arc::<Slow>::default();
        let mut channels = Channels::default();
        channels.insert(Name::new("push"), slow.clone());
        let (mut dispatcher, mut answers) = Dispatcher::new(channels, Arc::new(WallClock), 10);
        dispatcher.gates.insert(1, Arc::new(Gate::new(1)));
        for group in [4, 5, 4, 5] {
            let (ticket, delivery) = message(group);
            dispatcher.send(ticket, delivery);
        }
        tokio::task::yield_now().await;
        let lost = BTreeSet::from([5]);
        dispatcher.lose(&lost);
        assert!(dispatcher.is_quiet(&lost));
        assert!(!dispatcher.is_quiet(&BTreeSet::from([4])), "its sends are still under way");
        let mut heard = Vec::new();
        while heard.len() < 4 {
            slow.goes_on.notify_one();
            let answer = answers.recv().await.unwrap();
            let is_ours = dispatcher.answered(&answer);
            heard.push((answer.ticket.row.group, is_ours, answer.attempt.is_some()));
        }
        assert_eq!(heard, [(4, true, true), (5, false, false), (4, true, true), (5, false, false)]);
        assert_eq!(slow.taken.lock().unwrap().len(), 2, "what waited for its turn did not leave");
        assert!(dispatcher.is_quiet(&BTreeSet::from([4])));
    }
}
