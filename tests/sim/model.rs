//! What must be true, kept apart from the engine: every commit is looked at as it becomes durable, every attempt as it
//! reaches the provider. The model reads rows; it asks the engine nothing.

mod draws;
mod gate;
mod merge;
mod posts;
mod rows;
mod sends;
mod tenure;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, OnceLock};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use wayfare::engine::Receipt;
use wayfare::name::Name;
use wayfare::step::state::{Instance, Message, MessageStatus, SubjectRef};
use wayfare::step::trace::Cause;
use wayfare::step::{Decision, Event, EventKind, Kill, MessageKey, State, Sym, Trace};
use wayfare::store::{Deployment, RowRef};
use wayfare::value::Value;

use super::bank;
use gate::Rights;
use posts::{Gifts, Posts};
use sends::{Attempt, Newest};
use tenure::Tenures;

/// The widest slot of a timer, and what catching up may take.
const LATEST: SignedDuration = SignedDuration::from_secs(61);

/// What the state keeps of events that may keep somebody from entering.
const MOST_RECENT: usize = 15;

/// (row, source, id)
type EventId = (Arc<str>, Arc<str>, Arc<str>);

/// (journey, subject, entry key)
type EntryId = (Sym, SubjectRef, Arc<str>);

#[derive(Default)]
pub(crate) struct Model {
    /// What is wrong, a line each.
    pub broken: Vec<String>,
    /// What came to be, for people: a simulation in which nothing happens proves nothing.
    pub facts: BTreeMap<&'static str, u64>,
    symbols: Vec<Arc<str>>,
    tenures: Tenures,
    /// The store keeps books of what all share.
    pub has_books: bool,
    posts: Posts,
    draws: draws::Draws,
    /// Who was found to be the same as somebody.
    absorbed: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    /// What had left before it was known that two are one.
    on_the_way: BTreeSet<MessageKey>,
    customers: BTreeMap<Arc<str>, Customer>,
    timers: BTreeMap<(Timestamp, RowRef), Vec<Arc<str>>>,
    outbox: BTreeMap<(u32, RowRef), Vec<MessageKey>>,
    /// How many outbox rows hold a message.
    queued: HashMap<MessageKey, u32>,
    /// What the newest of them says.
    newest: HashMap<MessageKey, Newest>,
    /// What operators have switched off, and know to be off; `None`: they have asked and not heard.
    switches: Option<Kill>,
    /// When each life handed something to a channel, as long as the channel's rate looks back.
    paced: HashMap<(u32, Name), VecDeque<Timestamp>>,
    /// When anybody decided to, for all workers together.
    departed: HashMap<Name, Vec<i64>>,
    /// Events that are durable.
    logged: HashMap<EventId, Event>,
    quarantined: u64,
    /// Events that were acknowledged at a door of another worker than their row's.
    promised: BTreeSet<EventId>,
    /// Identities of events that were put aside: they are kept, and sent again they are known.
    aside: BTreeSet<(Arc<str>, Arc<str>)>,
    /// With the tenure that each was of: each life of the daemon knows only of its own.
    attempts: HashMap<MessageKey, Vec<(u64, Attempt)>>,
    /// The rows that messages lie in, where those are not their senders'.
    holders: HashMap<MessageKey, Arc<str>>,
    /// Whom each subject waits for, soonest first.
    dues: BTreeSet<(Timestamp, Arc<str>)>,
    /// The latest domain time that any daemon may have seen.
    now: Timestamp,
    /// The digest of all commits, to compare runs.
    pub digest: u64,
}

#[derive(Default)]
struct Customer {
    state: State,
    version: i64,
    due: Option<Timestamp>,
    chunks: BTreeSet<(Timestamp, RowRef)>,
    entered: BTreeSet<EntryId>,
    ended: BTreeSet<EntryId>,
    /// Entered and not ended.
    running: BTreeSet<EntryId>,
    decided: BTreeSet<MessageKey>,
    /// Of those, the messages that were put back and are decided once more.
    put_back: BTreeSet<MessageKey>,
    rights: Rights,
    gifts: Gifts,
    chances: draws::Chances,
    /// Went into another; took in another.
    has_gone: bool,
    has_joined: bool,
    exited: BTreeSet<EntryId>,
    /// Journeys that must not send to this customer, and those that have decided to.
    held_out: BTreeSet<Sym>,
    sent_to: BTreeSet<Sym>,
    /// When something was tapped, in which transaction, and when a card was bound.
    taps: Vec<(Timestamp, Value)>,
    binds: Vec<Timestamp>,
    granted: BTreeMap<(Sym, Date), i64>,
    pieces: BTreeMap<(Sym, Date), i64>,
}

impl Model {
    fn wrong(&mut self, what: String) {
        if self.broken.len() < 50 {
            self.broken.push(what);
        }
    }

    fn expect(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            let what = what();
            self.wrong(what);
        }
    }

    fn count(&mut self, fact: &'static str) {
        *self.facts.entry(fact).or_default() += 1;
    }

    fn text(&self, sym: Sym) -> Arc<str> {
        self.symbols.get(sym.0 as usize).cloned().unwrap_or_else(|| "?".into())
    }

    fn key_of(&self, id: &Arc<str>, message: &Message) -> MessageKey {
        let (journey, entry) = (self.text(message.journey), message.entry.clone());
        let part = message.part().map(|part| format!("~{part}")).unwrap_or_default();
        let step = match (message.extra(), &*part) {
            ("", "") => self.text(message.step),
            (extra, part) => format!("{}{extra}{part}", self.text(message.step)).into(),
        };
        if let Some(from) = message.from() {
            return MessageKey {
                journey,
                root: from.root.id.clone(),
                child: from.child.clone(),
                entry,
                step,
            };
        }
        let child = message.subject.0.as_ref().map(|(entity, child)| (self.text(*entity), child.clone()));
        MessageKey { journey, root: id.clone(), child, entry, step }
    }

    /// The row that a message lies in.
    fn holder(&self, key: &MessageKey) -> Arc<str> {
        self.holders.get(key).unwrap_or(&key.root).clone()
    }

    pub(crate) fn deployed(&mut self, deployment: &Deployment) {
        self.symbols.extend(deployment.symbols.iter().map(|(_, name)| name.as_str().into()));
    }

    /// From one durable state of a customer to the next.
    fn moved(
        &mut self,
        id: &Arc<str>,
        state: State,
        version: i64,
        log: &[Event],
        trace: &[Trace],
        batch: u64,
    ) {
        let mut customer = self.customers.remove(id).unwrap_or_default();
        let traced = state.trace_refs.iter().any(|(at, _)| *at == batch);
        self.expect(traced != trace.is_empty(), || {
            format!("{id}: the trace of batch {batch} cannot be found")
        });
        for event in log {
            self.logged(id, &mut customer, event);
        }
        customer.rights.hear(log, trace);
        let twins = self.absorbs(id, &mut customer, &state, trace);
        let is_absorbing = trace.iter().any(|it| matches!(it.what, Decision::Absorbed { .. }));
        if followed().is_some_and(|who| **id == *who) {
            self.tell(&state, trace, batch);
        }
        self.traces(id, &mut customer, &state, trace);
        Self::parted(&mut customer, &state, twins);
        if !customer.has_gone {
            self.instances(id, &customer, &state, trace);
            self.messages(id, &mut customer, &state, trace, is_absorbing);
            self.accounts(id, &customer, &state);
        }
        if let Some(due) = customer.due {
            self.dues.remove(&(due, id.clone()));
        }
        customer.due = due(&state);
        if let Some(due) = customer.due {
            self.dues.insert((due, id.clone()));
        }
        (customer.state, customer.version) = (state, version);
        self.customers.insert(id.clone(), customer);
    }

    /// For people: what a commit says of somebody.
    fn tell(&self, state: &State, trace: &[Trace], batch: u64) {
        let name = |journey: Option<Sym>| journey.map_or("".into(), |journey| self.text(journey));
        for it in trace {
            println!("{batch} {} {} {:?} {:?}", it.at, name(it.journey), it.entry, it.what);
        }
        for it in state.messages.iter().filter(|message| message.status.is_open()) {
            println!(
                "{batch}   {} {} {}: {:?}",
                self.text(it.journey),
                it.entry,
                self.text(it.step),
                it.status
            );
        }
    }

    fn logged(&mut self, id: &Arc<str>, customer: &mut Customer, event: &Event) {
        let identity = (id.clone(), event.source.clone(), event.id.clone());
        self.promised.remove(&identity);
        self.told(id, event);
        if self.logged.insert(identity, event.clone()).is_some() {
            self.wrong(format!("{id}: the event {} was taken twice", event.id));
        }
        match &event.kind {
            EventKind::Declared(name) if name.as_str() == "tapped" => {
                customer.taps.extend(event.fields.first().map(|(_, txn)| (event.time, txn.clone())));
            }
            EventKind::Declared(name) if name.as_str() == "bound" => customer.binds.push(event.time),
            _ => {}
        }
        self.count("event");
    }

    /// Nobody is called back before the time is over in which a card may be bound, and the one in which that may be
    /// heard; nor who has bound one in time, as far as that is known.
    fn called_back(&mut self, id: &str, customer: &Customer, entry: &str, at: Timestamp) {
        let own = |(_, txn): &&(Timestamp, Value)| matches!(txn, Value::Text(txn) if **txn == *entry);
        let taps: Vec<Timestamp> = customer.taps.iter().filter(own).map(|(at, _)| *at).collect();
        let over = taps.iter().any(|tap| *tap + bank::BOUND_WITHIN + bank::BOUND_LATE <= at);
        self.expect(over, || format!("{id}: is called back at {at} for {taps:?}, too early"));
        let missed = |tap: &Timestamp| {
            let inside = |bound: &&Timestamp| tap < *bound && **bound < *tap + bank::BOUND_WITHIN;
            let Some(bound) = customer.binds.iter().find(inside) else { return true };
            // The state keeps the newest only.
            customer.binds.iter().filter(|other| *other > bound).count() >= MOST_RECENT
        };
        let missed = taps.iter().any(missed);
        self.expect(missed, || format!("{id}: is called back for {entry}, and has bound a card in time"));
        self.count("called back");
    }

    fn traces(&mut self, id: &Arc<str>, customer: &mut Customer, state: &State, trace: &[Trace]) {
        let letters = self.letters(id, state);
        // An exit with a block is told when it begins and when it is over.
        let mut leaving = BTreeSet::new();
        for it in trace {
            self.posted(id, customer, it);
            let (Some(journey), Some(entry)) = (it.journey, it.entry.clone()) else { continue };
            let run = (journey, it.subject.clone(), entry);
            match &it.what {
                Decision::Entered { by } => {
                    self.count("entry");
                    let name = self.text(journey);
                    if matches!(by, Cause::Without(_)) && !customer.has_joined {
                        self.called_back(id, customer, &run.2, it.at);
                    }
                    customer.running.insert(run.clone());
                    if !customer.entered.insert(run.clone()) {
                        self.wrong(format!("{id}: entered `{name}` twice with the key {}", run.2));
                    }
                }
                Decision::Ended { .. } | Decision::Exited { .. } => {
                    if matches!(it.what, Decision::Exited { .. }) {
                        customer.exited.insert(run.clone());
                    }
                    if !leaving.insert(run.clone()) {
                        continue;
                    }
                    self.count("end");
                    let name = self.text(journey);
                    customer.running.remove(&run);
                    if !customer.ended.insert(run.clone()) {
                        self.wrong(format!("{id}: left `{name}` twice with the key {}", run.2));
                    }
                }
                Decision::Decided { step, .. } | Decision::Held { step, .. } => {
                    let letter = letters.iter().find(|(of, own, _)| *of == run && own == step);
                    let (name, step) = (self.text(journey), self.text(*step));
                    let child = it.subject.0.as_ref();
                    let child = child.map(|(entity, child)| (self.text(*entity), child.clone()));
                    let key = MessageKey { journey: name, root: id.clone(), child, entry: run.2, step };
                    let key = letter.map_or(key, |(.., key)| key.clone());
                    if matches!(it.what, Decision::Held { .. }) {
                        // Also if it is decided and held once more in the same commit.
                        if customer.decided.contains(&key) {
                            customer.put_back.insert(key);
                        }
                        continue;
                    }
                    if key.root != *id {
                        self.count("letter");
                        self.holders.insert(key.clone(), id.clone());
                    }
                    if !customer.decided.insert(key.clone()) && !customer.put_back.remove(&key) {
                        self.wrong(format!("{key} was decided twice"));
                    }
                    customer.sent_to.insert(journey);
                    let held_out = customer.held_out.contains(&journey) && !customer.has_joined;
                    self.expect(!held_out, || format!("{key} is for somebody who is held out"));
                    self.count("message");
                }
                Decision::HeldOut { .. } => {
                    customer.held_out.insert(journey);
                    let sent_to = customer.sent_to.contains(&journey) && !customer.has_joined;
                    self.expect(!sent_to, || format!("{id}: is held out, and was sent something before"));
                    self.count("held out");
                }
                Decision::Granted { what, amount } => self.granted(id, customer, *what, amount, it.at),
                Decision::TimedOut => self.count("timer"),
                Decision::Happened { .. } => self.count("wait met"),
                _ => {}
            }
        }
    }

    fn granted(&mut self, id: &str, customer: &mut Customer, what: Sym, amount: &Value, at: Timestamp) {
        let day = at.to_zoned(zone()).date();
        let name = self.text(what);
        if &*name == "wheel.chance" {
            customer.chances.had += 1;
        }
        let (limit, from) = if &*name == "stars" {
            (bank::STARS_PER_DAY, day)
        } else if &*name == "mug" || name.starts_with("wheel.") {
            (i64::MAX, day)
        } else {
            let since = day.weekday().to_monday_zero_offset();
            (bank::COFFEES_PER_WEEK, day.checked_sub(jiff::Span::new().days(since)).unwrap())
        };
        let count = match amount {
            Value::Int(count) => *count,
            _ => 1,
        };
        let sum = customer.granted.entry((what, from)).or_default();
        *sum += if &*name == "stars" { count } else { 1 };
        let sum = *sum;
        *customer.pieces.entry((what, Date::ZERO)).or_default() += 1;
        self.expect(sum <= limit, || format!("{id}: {sum} of `{name}` since {from}, the limit is {limit}"));
        self.count("grant");
    }

    fn accounts(&mut self, id: &str, customer: &Customer, state: &State) {
        for account in &state.accounts {
            let pieces = customer.pieces.get(&(account.what, Date::ZERO)).copied().unwrap_or_default();
            let (counted, what) = (i64::from(account.total.0), account.what);
            self.expect(counted == pieces, || {
                format!("{id}: {pieces} of {what:?} were given, {counted} are counted")
            });
        }
    }

    fn instances(&mut self, id: &str, customer: &Customer, state: &State, trace: &[Trace]) {
        let mut now = BTreeSet::new();
        for instance in &state.instances {
            let run = run_of(instance);
            let told = customer.running.contains(&run);
            self.expect(told, || format!("{id}: {run:?} runs, and the trace does not say why"));
            self.expect(now.insert(run.clone()), || format!("{id}: two of {run:?}"));
            let before = customer.state.instances.iter().find(|before| run_of(before) == run);
            let still =
                before.is_none_or(|before| before.node == instance.node && before.since == instance.since);
            let says = || trace.iter().any(|it| it.entry.as_ref() == Some(&run.2));
            let says = still || says();
            self.expect(says, || format!("{id}: {run:?} moved, and the trace does not say so"));
            let waits = instance.due.is_some() || instance.expires.is_some() || asked(state, instance);
            let waits = waits || customer.gifts.promised.contains(&run);
            self.expect(waits, || format!("{id}: {run:?} waits for nothing"));
        }
        for run in &customer.running {
            if !now.contains(run) {
                self.broken.push(format!("{id}: {run:?} is gone, and the trace does not say why"));
            }
        }
        let (entered, ended) = (customer.entered.len(), customer.ended.len());
        self.expect(entered == ended + now.len(), || format!("{id}: {entered} entered, {ended} left"));
    }

    /// A timer chunk and an outbox row for whatever this customer waits for.
    fn covered(&mut self, id: &Arc<str>) {
        let Some(customer) = self.customers.get(id) else { return };
        let mut wrong = Vec::new();
        if let Some(due) = customer.due {
            let first = customer.chunks.first().map(|(at, _)| *at);
            if first.is_none_or(|first| first > due.max(self.now) + LATEST) {
                wrong.push(format!("{id}: is due at {due}, and the first timer is {first:?}"));
            }
        }
        // A row that has gone takes its messages along.
        let merged = customer.state.merged.is_some();
        for message in customer
            .state
            .messages
            .iter()
            .filter(|message| !merged && is_queued(message.status) && !message.is_elsewhere())
        {
            let key = self.key_of(id, message);
            if self.queued.get(&key).copied().unwrap_or_default() == 0 {
                wrong.push(format!("{key} is {:?}, and not in the outbox", message.status));
            }
        }
        self.broken.extend(wrong);
    }

    /// The clock shows this.
    pub(crate) fn seen(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    /// The receipt that a submitter got, if it is true.
    pub(crate) fn receipted(&mut self, id: &Arc<str>, event: &Event, receipt: &Receipt) {
        let identity = (id.clone(), event.source.clone(), event.id.clone());
        let known = self.logged.get(&identity);
        let same = known.map(|known| (&known.kind, &known.fields) == (&event.kind, &event.fields));
        let aside = self.aside.contains(&(event.source.clone(), event.id.clone()));
        // At another worker's door it is only on its way.
        let on_its_way = self.promised.contains(&identity);
        let is_promised = *receipt == Receipt::Accepted && self.tenures.shares && same.is_none() && !aside;
        if is_promised {
            self.count("left for another worker");
            self.promised.insert(identity);
        }
        let (fact, holds) = match receipt {
            Receipt::Accepted => ("accepted", same == Some(true) || self.tenures.shares),
            Receipt::Parked => ("parked", same == Some(true)),
            Receipt::Imported => ("imported", same == Some(true)),
            Receipt::Duplicate => ("duplicate", same == Some(true) || aside || on_its_way),
            Receipt::Conflict => ("conflict", same == Some(false) || aside || on_its_way),
            Receipt::Quarantined(_) => ("quarantined", self.quarantined > 0),
        };
        self.count(fact);
        self.expect(holds, || format!("{id}: {} got {receipt:?}, and {same:?} is durable", event.id));
    }

    /// With everything in order, what was due long ago has been looked at.
    pub(crate) fn in_time(&mut self, now: Timestamp) {
        self.count("looked for delays");
        let late = self.dues.first().filter(|(due, _)| *due + LATEST < now).cloned();
        if let Some((due, id)) = late {
            self.wrong(format!("{id}: was due at {due}, it is {now}, and nobody looked"));
        }
    }

    /// When something is next due for anybody.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.dues.first().map(|(due, _)| *due)
    }

    /// What has not come to an end.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = String> {
        let customers = self.customers.iter().flat_map(move |(id, customer)| {
            let state = &customer.state;
            let going = state.merged.as_ref().filter(|it| it.number == 0 || !it.queue.is_empty());
            let going = going.map(|_| format!("{id}: is on its way into another"));
            let runs = state.instances.iter().map(move |it| format!("{id}: runs {:?}", run_of(it)));
            let open = state.messages.iter().filter(|message| message.status.is_open());
            let open = open.map(move |message| format!("{} {:?}", self.key_of(id, message), message.status));
            going.into_iter().chain(runs).chain(open)
        });
        let rows =
            self.outbox.iter().flat_map(|(row, keys)| keys.iter().map(move |key| format!("{row:?} {key}")));
        let late = self.promised.iter().map(|(row, source, id)| format!("{row}: {source} {id} never came"));
        customers.chain(rows).chain(late).chain(std::iter::once_with(move || self.lost()).flatten())
    }

    /// How the story of a customer in one journey went: entries with their ends, messages with their status.
    pub(crate) fn outcome(&self, journey: &str) -> BTreeMap<Arc<str>, Vec<String>> {
        let mut outcomes = BTreeMap::new();
        for (id, customer) in &self.customers {
            let entries = customer.state.entries.iter().filter(|it| &*self.text(it.journey) == journey);
            let ended = entries.map(|it| format!("{} {:?}", it.key, it.ended.map(|(end, _)| self.text(end))));
            let messages = customer.state.messages.iter().filter(|it| &*self.text(it.journey) == journey);
            let sent = messages.map(|it| format!("{} {:?}", self.text(it.step), it.status));
            let told: Vec<String> = ended.chain(sent).collect();
            if !told.is_empty() {
                outcomes.insert(id.clone(), told);
            }
        }
        outcomes
    }

    pub(crate) fn ids(&self) -> Vec<Arc<str>> {
        self.customers.keys().cloned().collect()
    }
}

/// Whose commits are shown.
fn followed() -> Option<&'static String> {
    static WHO: OnceLock<Option<String>> = OnceLock::new();
    WHO.get_or_init(|| std::env::var("WAYFARE_SIM_WHO").ok()).as_ref()
}

fn zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

fn run_of(instance: &Instance) -> EntryId {
    (instance.journey, instance.subject.clone(), instance.key.clone())
}

/// Whether the gate, a provider or the ledger owes the instance something.
fn asked(state: &State, instance: &Instance) -> bool {
    let own = |message: &&Message| {
        (message.journey, &message.subject, &message.entry)
            == (instance.journey, &instance.subject, &instance.key)
    };
    let mut messages = state.messages.iter().filter(own);
    messages.any(|message| message.status.is_open()) || !state.asks.is_empty()
}

/// Whether a message is to be in the outbox.
fn is_queued(status: MessageStatus) -> bool {
    matches!(status, MessageStatus::Pending | MessageStatus::Dispatching)
}

fn due(state: &State) -> Option<Timestamp> {
    if let Some(merged) = &state.merged {
        return merged.retry_at;
    }
    let instances = state.instances.iter().flat_map(|it| [it.due, it.expires]).flatten();
    let alarms = state.tasks.iter().flat_map(|task| task.alarms.iter().map(|alarm| alarm.at));
    let held = state.messages.iter().filter_map(Message::next_at);
    instances.chain(held).chain(state.pending.iter().map(|pending| pending.due)).chain(alarms).min()
}
