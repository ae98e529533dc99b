//! A batch in memory: from loaded rows and inputs to one [`Commit`].
//!
//! Subjects are worked one after the other, in the order of their first input. One that fails (its row cannot be
//! read, its step panics, its state cannot be written) is isolated: its events go to quarantine with the reason, and if
//! it fails without them, all of its inputs do and its row stays as it was. The rest commits.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::Timestamp;

use super::book;
use super::carry::{self, Carried, Leaving};
use super::desk::Desk;
use super::dispatch::Dispatcher;
use super::fill::Replaying;
use super::handle::{Receipt, Stats};
use super::intake;
use super::lane::Ticket;
use super::last::Moment;
use super::pack::{Due, Packers, Queued, pack_outbox, unpack};
use super::payload::Key;
use super::shorten;
use super::till::{Closed, Till};
use super::timers::Chunks;
use super::trial::Counted;
use super::work::{self, Cx, Doors, Item, Origin, Sifted, Steps, Subject, Work, register, sort, walk};
use crate::name::Name;
use crate::program::Rate;
use crate::step::state::MAX_TRACE_REFS;
use crate::step::state::Replay;
use crate::step::{
    Delivery, Event, Input, MessageKey, Reserve, RootKey, Short, State, Trace, World, codec, facets, replay,
};
use crate::store::{
    Block, Commit, Lease, OutboxRow, PackedKind, Quarantined, RowKey, RowRef, StateRow, Wants, bucket,
};

/// Why a subject was isolated: a stable code and the reason.
type Poison = (&'static str, String);

/// Why nothing came of an attempt.
enum Failure {
    Poison(Poison),
    /// It wants something that all share and that is not in the till yet.
    PutOff,
}

impl From<Poison> for Failure {
    fn from(poison: Poison) -> Self {
        Self::Poison(poison)
    }
}

/// What is given for a batch.
pub(super) struct Setting<'a> {
    pub world: &'a World,
    pub steps: Steps,
    pub moment: Moment,
    pub lease: &'a Lease,
    /// Whether decisions are shown to somebody.
    pub watched: bool,
    pub replaying: Option<&'a Replaying>,
}

/// A commit in the making.
pub(super) struct Batch<'a> {
    world: &'a World,
    steps: Steps,
    moment: Moment,
    /// Of `moment`.
    now: Timestamp,
    lease: &'a Lease,
    replaying: Option<&'a Replaying>,
    dispatcher: &'a mut Dispatcher,
    commit: Commit,
    log: Packers,
    trace: Packers,
    timers: Chunks,
    outbox: BTreeMap<u32, OutboxList>,
    receipts: Vec<Receipt>,
    sends: Vec<(Ticket, Delivery)>,
    counts: Stats,
    /// What was decided, for a watcher; `None` where nobody watches.
    decided: Option<Vec<(RootKey, Vec<Trace>)>>,
    /// For other rows.
    leaving: Leaving,
    desk: Desk,
    till: Till,
    /// For experiments.
    counted: Counted,
    /// To be stepped again once the till is filled.
    put_off: Vec<(Subject, Option<StateRow>)>,
}

/// The rows of one channel in the making, each message with its group: what goes out at once, and what waits.
#[derive(Default)]
struct OutboxList {
    prompt: Vec<(u16, Queued, Delivery)>,
    queued: Vec<(u16, Queued)>,
    /// Of these, those that were decided once more: older rows may still name them.
    renewed: HashSet<MessageKey>,
}

/// The ways out, for one subject.
struct Ways<'a> {
    world: &'a World,
    dispatcher: &'a mut Dispatcher,
    group: u16,
    now: Timestamp,
    /// Channels of messages that were let out.
    admitted: &'a mut Vec<Name>,
    till: &'a mut Till,
}

impl Doors for Ways<'_> {
    fn admit(&mut self, channel: Name) -> bool {
        if self.till.is_put_off() {
            return false;
        }
        let lane = self.world.symbols.sym(channel).and_then(|sym| self.dispatcher.lane(sym.0));
        let yes = lane.is_some_and(|lane| lane.admit(self.group, self.now));
        self.admitted.extend(yes.then_some(channel));
        yes
    }

    fn pace(&mut self, rate: Rate) -> Timestamp {
        if self.till.is_put_off() {
            return self.now;
        }
        self.dispatcher.release(rate, self.now)
    }

    fn reserve(&mut self, asked: &Reserve) -> Option<Short> {
        self.till.reserve(asked)
    }
}

/// A batch ready to be committed, and what to do once it is.
pub(super) struct Made {
    pub commit: Commit,
    pub receipts: Vec<Receipt>,
    pub sends: Vec<(Ticket, Delivery)>,
    /// Only the counts.
    pub counts: Stats,
    pub decided: Option<Vec<(RootKey, Vec<Trace>)>>,
    pub till: Closed,
    pub counted: Counted,
}

impl<'a> Batch<'a> {
    /// `commit` holds what was used up while gathering; `receipts` has a place for every submitted event.
    pub(super) fn new(
        setting: &Setting<'a>,
        dispatcher: &'a mut Dispatcher,
        commit: Commit,
        receipts: Vec<Receipt>,
        till: Till,
    ) -> Self {
        let &Setting { world, steps, moment, lease, watched, replaying } = setting;
        let batch = commit.batch;
        Self {
            world,
            steps,
            moment,
            now: moment.now,
            lease,
            replaying,
            dispatcher,
            commit,
            log: Packers::new(PackedKind::Log, batch),
            trace: Packers::new(PackedKind::Trace, batch),
            timers: Chunks::default(),
            outbox: BTreeMap::new(),
            receipts,
            sends: Vec::new(),
            counts: Stats::default(),
            decided: watched.then(Vec::new),
            leaving: Leaving::new(),
            desk: Desk::default(),
            till,
            counted: Counted::default(),
            put_off: Vec::new(),
        }
    }

    /// Works all subjects; `rows` are the stored states of those that have one.
    pub(super) fn work(&mut self, subjects: Vec<Subject>, rows: Vec<StateRow>) {
        let mut rows: HashMap<RowKey, StateRow> =
            rows.into_iter().map(|row| (row.key.clone(), row)).collect();
        for subject in subjects {
            let row = rows.remove(&subject.key);
            self.subject(subject, row);
        }
    }

    /// What subjects that were put off want of what all share; nothing: nobody was.
    pub(super) fn wants(&mut self) -> Wants {
        if self.put_off.is_empty() { Wants::default() } else { self.till.wants(self.now) }
    }

    /// Steps those who were put off, now that this was taken for them.
    pub(super) fn work_on(&mut self, wants: &Wants, blocks: Vec<Block>) {
        self.till.fill(wants, blocks);
        for (subject, row) in std::mem::take(&mut self.put_off) {
            self.subject(subject, row);
        }
    }

    /// A message to be tried again moves to the row of this batch.
    pub(super) fn again(&mut self, ticket: &Ticket, queued: Queued) {
        self.outbox.entry(ticket.channel).or_default().queued.push((ticket.row.group, queued));
        self.resolve(ticket);
        self.counts.retries += 1;
    }

    /// What goes on to other workers as it came.
    pub(super) fn pass_on(&mut self, leaving: Leaving) {
        self.leaving = leaving;
    }

    /// Packs everything into the commit.
    ///
    /// # Errors
    /// If a list cannot be serialised, which no list of ours does, or the system has no randomness.
    pub(super) fn finish(mut self, keys: &mut carry::Keys) -> Result<Made, String> {
        let batch = self.commit.batch;
        for (channel, list) in std::mem::take(&mut self.outbox) {
            self.outbox_rows(batch, channel, list)?;
        }
        let sent = self.sends.iter().map(|(ticket, _)| ticket.channel);
        let channels: std::collections::BTreeSet<u32> = sent.collect();
        self.commit.meta.extend(self.dispatcher.windows(channels.into_iter()));
        keys.leave(self.steps, self.leaving, self.moment.latest, &mut self.commit)?;
        self.commit.timers = self.timers.finish(batch)?;
        self.commit.log = self.log.finish();
        self.commit.trace = self.trace.finish();
        self.commit.tasks = self.desk.finish();
        self.commit.spent = self.till.spent();
        for receipt in &self.receipts {
            match receipt {
                Receipt::Accepted => self.counts.accepted += 1,
                Receipt::Duplicate => self.counts.duplicates += 1,
                Receipt::Parked => self.counts.parked += 1,
                Receipt::Imported => {
                    self.counts.accepted += 1;
                    self.counts.imported += 1;
                }
                Receipt::Conflict | Receipt::Quarantined(_) => {}
            }
        }
        self.counts.quarantined = self.commit.quarantine.len() as u64;
        Ok(Made {
            commit: self.commit,
            receipts: self.receipts,
            sends: self.sends,
            counts: self.counts,
            decided: self.decided,
            till: self.till.close(self.world),
            counted: self.counted,
        })
    }

    fn outbox_rows(&mut self, batch: u64, channel: u32, list: OutboxList) -> Result<(), String> {
        let OutboxList { prompt, queued, renewed } = list;
        let mut rows: BTreeMap<u16, Vec<&Queued>> = BTreeMap::new();
        let all = prompt.iter().map(|(group, queued, _)| (group, queued));
        for (group, queued) in all.chain(queued.iter().map(|(group, queued)| (group, queued))) {
            rows.entry(*group).or_default().push(queued);
        }
        for (group, list) in rows {
            let at = RowRef { batch, group };
            self.commit.outbox.push(OutboxRow { channel, at, body: pack_outbox(&list)? });
        }
        if let Some(lane) = self.dispatcher.lane(channel) {
            lane.renew(renewed, batch);
            let under_way: Vec<RowRef> =
                prompt.iter().map(|(group, ..)| RowRef { batch, group: *group }).collect();
            let queued = queued.into_iter().map(|(group, queued)| (RowRef { batch, group }, queued));
            lane.committed(queued.collect(), &under_way, self.now);
        }
        let ticket = |group, queued| Ticket { channel, row: RowRef { batch, group }, queued };
        let sends = prompt.into_iter().map(|(group, queued, delivery)| (ticket(group, queued), delivery));
        self.sends.extend(sends);
        Ok(())
    }

    /// A subject whose step fails goes without its events, which are put aside: its timers and messages are not theirs
    /// to hold up. If it fails without them as well, it is isolated as a whole.
    fn subject(&mut self, mut subject: Subject, row: Option<StateRow>) {
        sort(&mut subject.items);
        let poison = match self.attempt(&subject, row.as_ref()) {
            Ok(()) => return,
            Err(Failure::PutOff) => return self.put_off.push((subject, row)),
            Err(Failure::Poison(poison)) => poison,
        };
        let is_event = |item: &Item| matches!(item.input, Input::Event(_));
        let items = std::mem::take(&mut subject.items);
        let (events, rest): (Vec<Item>, Vec<Item>) = items.into_iter().partition(is_event);
        if events.is_empty() || rest.is_empty() {
            subject.items = events.into_iter().chain(rest).collect();
            return self.isolate(&subject, &poison);
        }
        subject.items = events;
        self.isolate(&subject, &poison);
        subject.items = rest;
        match self.attempt(&subject, row.as_ref()) {
            Ok(()) => {}
            Err(Failure::PutOff) => self.put_off.push((subject, row)),
            Err(Failure::Poison(poison)) => self.isolate(&subject, &poison),
        }
    }

    /// Nothing is left of an attempt that failed.
    fn attempt(&mut self, subject: &Subject, row: Option<&StateRow>) -> Result<(), Failure> {
        let group = self.lease.group(subject.key.bucket);
        let ends = (self.log.of(group).end(), self.trace.of(group).end());
        let mut admitted = Vec::new();
        self.till.begin();
        let stepped = self.step_subject(subject, row, &mut admitted);
        match stepped {
            Ok(work) => self.settle(subject, work),
            Err(failure) => {
                self.log.of(group).truncate(ends.0);
                self.trace.of(group).truncate(ends.1);
                admitted.into_iter().for_each(|channel| self.let_go(channel));
                self.till.undo();
                return Err(failure);
            }
        }
        Ok(())
    }

    /// Steps a subject and adds its row to the commit. On failure nothing has been added but log and trace entries.
    fn step_subject<'s>(
        &mut self,
        subject: &'s Subject,
        row: Option<&StateRow>,
        admitted: &mut Vec<Name>,
    ) -> Result<Work<'s>, Failure> {
        let mut state = match row {
            Some(row) => codec::decode(&row.body).map_err(|error| ("state-unreadable", error.to_string()))?,
            None => newborn(self.steps)?,
        };
        replay::adopt(self.world, &mut state);
        let items = &subject.items;
        let is_look = |item: &Item| matches!(item.input, Input::Tick { .. } | Input::Settle | Input::Wake);
        let quiet = items.iter().all(is_look);
        let group = self.lease.group(subject.key.bucket);
        let (world, dispatcher, now) = (self.world, &mut *self.dispatcher, self.now);
        let till = &mut self.till;
        let mut ways = Ways { world, dispatcher, group, now, admitted, till };
        let mut cx = Cx { world, steps: self.steps, now, doors: &mut ways };
        let replaying = self.replaying;
        let walked = catch_unwind(AssertUnwindSafe(|| {
            if let Some(replaying) = replaying {
                relive(replaying, subject, &mut state);
            }
            walk(&mut cx, &subject.root, &mut state, items)
        }));
        let work = walked.map_err(|panic| ("step-panicked", panic_text(&*panic)))?;
        if self.till.is_put_off() {
            return Err(Failure::PutOff);
        }
        let is_erased = state.payload_key == Key::default();
        if is_erased {
            // Erased: what was sealed under the old key opens no more.
            state.payload_key = newborn(self.steps)?.payload_key;
        }
        self.save(subject, row, state, &work, quiet)?;
        if is_erased {
            self.commit.erased.push(shorten::forgotten(self.lease, &subject.key, &subject.root));
        }
        Ok(work)
    }

    fn save(
        &mut self,
        subject: &Subject,
        row: Option<&StateRow>,
        mut state: State,
        work: &Work<'_>,
        quiet: bool,
    ) -> Result<(), Poison> {
        let slot = register(self.steps, &mut state, self.moment);
        let unwritable = |error: codec::CodecError| ("state-unwritable", error.to_string());
        if quiet {
            let same = match row {
                Some(row) => codec::encode(&state).map_err(unwritable)? == row.body,
                None => state == State { payload_key: state.payload_key, ..State::default() },
            };
            if same {
                self.resift(subject, &state);
                return Ok(());
            }
        }
        self.record(subject, &mut state, work)?;
        let body = codec::encode(&state).map_err(unwritable)?;
        let version = row.map_or(0, |row| row.version);
        self.commit.states.push(StateRow { key: subject.key.clone(), version, body });
        self.commit.facets.push(facets::of(self.world, &subject.root, &state));
        if let Some(slot) = slot {
            let due = Due { kind: subject.key.kind, id: Arc::clone(&subject.key.id) };
            self.timers.add(slot, self.lease.group(subject.key.bucket), due);
        }
        Ok(())
    }

    /// A row that stays as it is may be sifted by what is no longer asked.
    fn resift(&mut self, subject: &Subject, state: &State) {
        let Some(Sifted(stored)) = subject.sifted else { return };
        let facets = facets::of(self.world, &subject.root, state);
        if facets.is_some() && facets != stored {
            self.commit.resifted.push((subject.key.clone(), facets));
        }
    }

    /// Log and trace of the subject, sealed.
    fn record(&mut self, subject: &Subject, state: &mut State, work: &Work<'_>) -> Result<(), Poison> {
        let unsealed = || ("state-unwritable", "its log or trace cannot be sealed".to_owned());
        let (key, kind, id): (Key, u32, &Arc<str>) = (state.payload_key, subject.key.kind, &subject.key.id);
        let group = self.lease.group(subject.key.bucket);
        if !work.log.is_empty() {
            self.log.of(group).push(&key, kind, id, &work.log).ok_or_else(unsealed)?;
        }
        if !work.trace.is_empty() {
            let offset = self.trace.of(group).push(&key, kind, id, &work.trace).ok_or_else(unsealed)?;
            state.trace_refs.push((self.commit.batch, offset));
            let over = state.trace_refs.len().saturating_sub(MAX_TRACE_REFS);
            state.trace_refs.drain(..over);
        }
        Ok(())
    }

    /// Takes up the effects of a subject whose row is in the commit.
    fn settle(&mut self, subject: &Subject, work: Work<'_>) {
        self.counted.note(self.world, self.lease.group(subject.key.bucket), &work.trace);
        if let Some(decided) = &mut self.decided {
            decided.push((subject.root.clone(), work.trace));
        }
        for post in work.posts {
            let group = self.lease.group(bucket::of(post.to.entity.as_str(), &post.to.id));
            self.leaving.entry(group).or_default().push(Carried::Post(Box::new(post)));
        }
        for news in work.tasks {
            let entity = subject.root.entity.as_str();
            self.desk.add(self.lease, &subject.key, entity, news, &self.world.zone);
        }
        for booked in work.booked {
            let (entity, at) = (subject.root.entity.as_str(), self.now.as_millisecond());
            self.commit.entries.extend(book::entries(self.lease, &subject.key, entity, at, booked));
        }
        for drawing in work.drawn {
            let (entity, at) = (subject.root.entity.as_str(), self.now.as_millisecond());
            self.commit.draws.extend(book::draw(self.world, &subject.key, entity, at, &drawing));
        }
        for (place, receipt) in work.receipts {
            self.receipt(place, receipt);
        }
        for (event, why) in work.rejected {
            let (code, reason) = work::set_aside(why);
            let record = intake::quarantined(&subject.root, &event, code, reason, self.now);
            self.commit.quarantine.push(record);
        }
        work.resolved.iter().for_each(|ticket| self.resolve(ticket));
        self.counts.dropped += work.released.len() as u64;
        work.released.into_iter().for_each(|channel| self.let_go(channel));
        self.sends.extend(work.sends.into_iter().map(|(ticket, delivery)| (ticket, *delivery)));
        let queued = |message: MessageKey| Queued {
            kind: subject.key.kind,
            id: Arc::clone(&subject.key.id),
            // An older row may still name it: whoever reads both after a crash knows by this which counts.
            not_before: if work.again.contains(&message) { self.now.as_millisecond() } else { 0 },
            message,
            attempts: 0,
            ambiguous: false,
            provider: None,
        };
        let group = self.lease.group(subject.key.bucket);
        self.counts.enqueued += (work.queued.len() + work.prompt.len()) as u64;
        let is_renewed = |message: &MessageKey| work.again.contains(message);
        for (message, channel) in work.queued {
            if let Some(sym) = self.world.symbols.sym(channel) {
                let list = self.outbox.entry(sym.0).or_default();
                list.renewed.extend(is_renewed(&message).then(|| message.clone()));
                list.queued.push((group, queued(message)));
            }
        }
        for delivery in work.prompt {
            if let Some(sym) = self.world.symbols.sym(delivery.channel) {
                let message = delivery.message.clone();
                let list = self.outbox.entry(sym.0).or_default();
                list.renewed.extend(is_renewed(&message).then(|| message.clone()));
                list.prompt.push((group, queued(message), delivery));
            }
        }
    }

    fn isolate(&mut self, subject: &Subject, (code, reason): &Poison) {
        tracing::error!(code, reason, kind = subject.key.kind, "a subject was isolated");
        let mut looks = !subject.past.is_empty();
        for item in &subject.items {
            if let Input::Event(event) = &item.input {
                let record = intake::quarantined(&subject.root, event, code, reason, self.now);
                self.commit.quarantine.push(record);
            }
            match &item.origin {
                Origin::Receipt(place) => self.receipt(*place, intake::refused(reason)),
                Origin::Ticket(ticket) => {
                    self.resolve(ticket);
                    self.set_aside(code, reason, ticket.queued.message.to_string().into_bytes());
                }
                Origin::Engine => match &item.input {
                    Input::Event(_) => {}
                    Input::Post(post) => {
                        let body = format!("{} {} of {}", post.errand.word(), post.key, post.from.id);
                        self.set_aside(code, reason, body.into_bytes());
                    }
                    _ => looks = true,
                },
            }
        }
        if looks {
            let body = format!("{} {}", subject.root.entity, subject.root.id).into_bytes();
            self.set_aside(code, reason, body);
        }
    }

    fn set_aside(&mut self, code: &str, reason: &str, body: Vec<u8>) {
        let record = Quarantined { at: self.now, code: code.to_owned(), reason: reason.to_owned(), body };
        self.commit.quarantine.push(record);
    }

    fn receipt(&mut self, place: usize, receipt: Receipt) {
        if let Some(slot) = self.receipts.get_mut(place) {
            *slot = receipt;
        }
    }

    /// The message is over, or has moved: its row may go.
    fn resolve(&mut self, ticket: &Ticket) {
        let Some(lane) = self.dispatcher.lane(ticket.channel) else { return };
        lane.settle();
        lane.arrived(ticket.row, &ticket.queued.message, self.commit.batch);
        if lane.resolve(ticket.row) {
            self.commit.outbox_done.push((ticket.channel, ticket.row));
        }
    }

    /// What was to go out by this channel does not.
    fn let_go(&mut self, channel: Name) {
        if let Some(lane) = self.world.symbols.sym(channel).and_then(|sym| self.dispatcher.lane(sym.0)) {
            lane.settle();
        }
    }
}

/// Lives through what the log says once more, beside the state. Events that cannot be opened any more are left out.
fn relive(replaying: &Replaying, subject: &Subject, state: &mut State) {
    for (row, offset) in &subject.past {
        let events = unpack::<Vec<Event>>(row, PackedKind::Log, *offset, &state.payload_key);
        let Some(events) = events else { continue };
        let mut replay = match state.replay.take() {
            Some(replay) => replay,
            None => Box::new(Replay::begin(replaying.id, state, replaying.whole)),
        };
        replay.feed(&replaying.world, &subject.root, events);
        state.replay = Some(replay);
    }
}

fn newborn(steps: Steps) -> Result<State, Poison> {
    let payload_key =
        (steps.new_key)().ok_or(("no-randomness", "the system has no randomness".to_owned()))?;
    Ok(State { payload_key, ..State::default() })
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the step stopped unexpectedly: {}", text.unwrap_or("no reason given"))
}
