//! What must be true, kept apart from the engine: every commit is looked at as it becomes durable, every attempt as it
//! reaches the provider. The model reads rows; it asks the engine nothing.

mod sends;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use wayfare::engine::Receipt;
use wayfare::engine::payload::{Key, Place, open};
use wayfare::name::Name;
use wayfare::step::state::{Instance, Message, MessageStatus, SubjectRef};
use wayfare::step::trace::Cause;
use wayfare::step::{Decision, Event, EventKind, Kill, MessageKey, RootKey, State, Sym, Trace, codec};
use wayfare::store::{Commit, Deployment, PackedKind, RowRef};
use wayfare::value::Value;

use super::bank;
use sends::{Attempt, Newest};

/// The widest slot of a timer, and what catching up may take.
const LATEST: SignedDuration = SignedDuration::from_secs(61);

/// What the state keeps of events that may keep somebody from entering.
const MOST_RECENT: usize = 15;

/// (journey, subject, entry key)
type EntryId = (Sym, SubjectRef, Arc<str>);

#[derive(Default)]
pub(crate) struct Model {
    /// What is wrong, a line each.
    pub broken: Vec<String>,
    /// What came to be, for people: a simulation in which nothing happens proves nothing.
    pub facts: BTreeMap<&'static str, u64>,
    symbols: Vec<String>,
    batch: u64,
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
    /// Events that are durable.
    logged: HashMap<(Arc<str>, Arc<str>), Event>,
    quarantined: u64,
    /// The newest life of the daemon.
    life: u32,
    /// Identities of events that were put aside: they are kept, and sent again they are known.
    aside: BTreeSet<(Arc<str>, Arc<str>)>,
    /// Each life of the daemon knows only of its own.
    attempts: HashMap<(MessageKey, u32), Attempt>,
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
    decided: BTreeSet<MessageKey>,
    consent: Vec<Value>,
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

#[derive(Deserialize)]
struct Sealed {
    kind: u32,
    id: Arc<str>,
    body: Vec<u8>,
}

#[derive(Deserialize)]
struct Due {
    kind: u32,
    id: Arc<str>,
}

#[derive(Deserialize)]
struct Queued {
    kind: u32,
    id: Arc<str>,
    message: MessageKey,
    attempts: u32,
    not_before: i64,
    ambiguous: bool,
    provider: Option<Arc<str>>,
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
        self.symbols.get(sym.0 as usize).map_or("?", String::as_str).into()
    }

    fn key_of(&self, id: &Arc<str>, message: &Message) -> MessageKey {
        let child = message.subject.0.as_ref().map(|(entity, child)| (self.text(*entity), child.clone()));
        let (journey, step) = (self.text(message.journey), self.text(message.step));
        MessageKey { journey, root: id.clone(), child, entry: message.entry.clone(), step }
    }

    pub(crate) fn deployed(&mut self, deployment: &Deployment) {
        self.symbols.extend(deployment.symbols.iter().map(|(_, name)| name.clone()));
    }

    /// A commit has become durable.
    pub(crate) fn committed(&mut self, commit: &Commit) {
        let next = self.batch + 1;
        self.expect(commit.batch == next, || format!("batch {} follows {}", commit.batch, next - 1));
        self.batch = commit.batch;
        let mut logs: BTreeMap<Arc<str>, Vec<Event>> = BTreeMap::new();
        let mut traces: BTreeMap<Arc<str>, Vec<Trace>> = BTreeMap::new();
        let states: Vec<_> = commit.states.iter().map(|row| codec::decode(&row.body)).collect();
        let key = |state: &Result<State, _>| state.as_ref().ok().map(|state| state.payload_key);
        let keys: BTreeMap<Arc<str>, Key> = (commit.states.iter().zip(&states))
            .filter_map(|(row, state)| Some((row.key.id.clone(), key(state)?)))
            .collect();
        for (kind, packed) in [(PackedKind::Log, &commit.log), (PackedKind::Trace, &commit.trace)] {
            for packed in packed {
                let own = packed.at.batch == commit.batch;
                self.expect(own, || "a packed row of another batch".to_owned());
                match kind {
                    PackedKind::Log => self.unpack(kind, packed.at.batch, &packed.body, &keys, &mut logs),
                    PackedKind::Trace => self.unpack(kind, packed.at.batch, &packed.body, &keys, &mut traces),
                }
            }
        }
        let mut touched: BTreeSet<Arc<str>> = BTreeSet::new();
        self.queues(commit, &mut touched);
        for (row, state) in commit.states.iter().zip(states) {
            let id = row.key.id.clone();
            touched.insert(id.clone());
            self.mix(&id, row.version);
            let known = self.customers.get(&id).map_or(0, |customer| customer.version);
            self.expect(known == row.version, || format!("{id}: version {} over {known}", row.version));
            match state {
                Ok(state) => {
                    let log = logs.remove(&id).unwrap_or_default();
                    let trace = traces.remove(&id).unwrap_or_default();
                    self.moved(&id, state, row.version + 1, &log, &trace, commit.batch);
                }
                Err(error) => self.wrong(format!("{id}: {error}")),
            }
        }
        for id in logs.keys().chain(traces.keys()) {
            self.broken.push(format!("{id}: is in the log or the trace, and its state is not saved"));
        }
        self.quarantined += commit.quarantine.len() as u64;
        for record in &commit.quarantine {
            if let Ok((_, event)) = serde_json::from_slice::<(RootKey, Event)>(&record.body) {
                self.aside.insert((event.source, event.id));
            }
            // The events of a customer are put aside together with the one that is to blame.
            let told = record.body.starts_with(b"[");
            if record.code == "step-panicked" && told {
                self.count("poison");
            } else if record.code == "step-panicked"
                || record.code.contains("unreadable")
                || record.code == "state-unwritable"
            {
                self.wrong(format!("isolated: {} {}", record.code, record.reason));
            }
        }
        for id in touched {
            self.covered(&id);
        }
    }

    fn mix(&mut self, id: &str, version: i64) {
        for byte in id.bytes().chain(version.to_le_bytes()) {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn unpack<T: DeserializeOwned>(
        &mut self,
        kind: PackedKind,
        batch: u64,
        body: &[u8],
        keys: &BTreeMap<Arc<str>, Key>,
        out: &mut BTreeMap<Arc<str>, Vec<T>>,
    ) {
        let mut rest = &body[1..];
        while !rest.is_empty() {
            let offset = u32::try_from(body.len() - rest.len()).unwrap();
            let (sealed, left) = postcard::take_from_bytes::<Sealed>(rest).unwrap();
            rest = left;
            let key = keys.get(&sealed.id);
            let plain = key.and_then(|key| open(key, Place { kind, batch, offset }, &sealed.body));
            match plain.and_then(|plain| postcard::from_bytes::<Vec<T>>(&plain).ok()) {
                Some(entries) => out.entry(sealed.id).or_default().extend(entries),
                None => {
                    self.wrong(format!("{}: an entry of {kind:?} cannot be read {}", sealed.id, sealed.kind));
                }
            }
        }
    }

    /// Timers and outbox rows; notes who is concerned by what went.
    fn queues(&mut self, commit: &Commit, touched: &mut BTreeSet<Arc<str>>) {
        for key in &commit.timers_done {
            for id in self.timers.remove(key).unwrap_or_default() {
                if let Some(customer) = self.customers.get_mut(&id) {
                    customer.chunks.remove(key);
                }
                touched.insert(id);
            }
        }
        for chunk in &commit.timers {
            let list: Vec<Due> = postcard::from_bytes(&chunk.body[1..]).unwrap();
            let ids: Vec<Arc<str>> =
                list.into_iter().filter(|due| due.kind != u32::MAX).map(|due| due.id).collect();
            for id in &ids {
                let customer = self.customers.entry(id.clone()).or_default();
                customer.chunks.insert((chunk.due, chunk.at));
            }
            self.timers.insert((chunk.due, chunk.at), ids);
        }
        for key in &commit.outbox_done {
            for message in self.outbox.remove(key).unwrap_or_default() {
                touched.insert(message.root.clone());
                if let Some(count) = self.queued.get_mut(&message) {
                    *count -= 1;
                }
            }
        }
        for row in &commit.outbox {
            let list: Vec<Queued> = postcard::from_bytes(&row.body[1..]).unwrap();
            let mut keys = Vec::new();
            for queued in list {
                let known =
                    (queued.id == queued.message.root, queued.kind, queued.attempts, queued.ambiguous);
                let unsure = queued.provider.is_none() || queued.ambiguous;
                self.expect(known.0 && unsure && queued.not_before >= 0, || {
                    format!("an odd outbox row: {known:?}")
                });
                touched.insert(queued.id);
                let now = Newest { attempts: queued.attempts, not_before: queued.not_before };
                let before = self.newest.insert(queued.message.clone(), now);
                let before = before.map_or(0, |before| before.attempts);
                self.expect((before..=before + 1).contains(&queued.attempts), || {
                    format!("{} has {} attempts after {before}", queued.message, queued.attempts)
                });
                *self.queued.entry(queued.message.clone()).or_default() += 1;
                keys.push(queued.message);
            }
            self.outbox.insert((row.channel, row.at), keys);
        }
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
        self.traces(id, &mut customer, trace);
        self.instances(id, &customer, &state, trace);
        self.messages(id, &customer, &state, trace);
        self.accounts(id, &customer, &state);
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

    fn logged(&mut self, id: &Arc<str>, customer: &mut Customer, event: &Event) {
        let identity = (event.source.clone(), event.id.clone());
        if self.logged.insert(identity, event.clone()).is_some() {
            self.wrong(format!("{id}: the event {} was taken twice", event.id));
        }
        if event.kind == EventKind::Attributes && event.child.is_none() {
            let consent = event.fields.iter().find(|(name, _)| name.as_str() == "consent");
            if let Some((_, Value::List(channels))) = consent {
                customer.consent.clone_from(channels);
            }
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

    fn traces(&mut self, id: &Arc<str>, customer: &mut Customer, trace: &[Trace]) {
        // An exit with a block is told when it begins and when it is over.
        let mut leaving = BTreeSet::new();
        for it in trace {
            let (Some(journey), Some(entry)) = (it.journey, it.entry.clone()) else { continue };
            let run = (journey, it.subject.clone(), entry);
            match &it.what {
                Decision::Entered { by } => {
                    self.count("entry");
                    let name = self.text(journey);
                    if matches!(by, Cause::Without(_)) {
                        self.called_back(id, customer, &run.2, it.at);
                    }
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
                    if !customer.ended.insert(run.clone()) {
                        self.wrong(format!("{id}: left `{name}` twice with the key {}", run.2));
                    }
                }
                Decision::Decided { step, .. } => {
                    let (name, step) = (self.text(journey), self.text(*step));
                    let child = it.subject.0.as_ref();
                    let child = child.map(|(entity, child)| (self.text(*entity), child.clone()));
                    let key = MessageKey { journey: name, root: id.clone(), child, entry: run.2, step };
                    if !customer.decided.insert(key.clone()) {
                        self.wrong(format!("{key} was decided twice"));
                    }
                    customer.sent_to.insert(journey);
                    let held_out = customer.held_out.contains(&journey);
                    self.expect(!held_out, || format!("{key} is for somebody who is held out"));
                    self.count("message");
                }
                Decision::HeldOut { .. } => {
                    customer.held_out.insert(journey);
                    let sent_to = customer.sent_to.contains(&journey);
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
        let (limit, from) = if &*name == "stars" {
            (bank::STARS_PER_DAY, day)
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
            let told = customer.entered.contains(&run) && !customer.ended.contains(&run);
            self.expect(told, || format!("{id}: {run:?} runs, and the trace does not say why"));
            self.expect(now.insert(run.clone()), || format!("{id}: two of {run:?}"));
            let before = customer.state.instances.iter().find(|before| run_of(before) == run);
            let still =
                before.is_none_or(|before| before.node == instance.node && before.since == instance.since);
            let says = || trace.iter().any(|it| it.entry.as_ref() == Some(&run.2));
            let says = still || says();
            self.expect(says, || format!("{id}: {run:?} moved, and the trace does not say so"));
            let waits = instance.due.is_some() || instance.expires.is_some() || asked(state, instance);
            self.expect(waits, || format!("{id}: {run:?} waits for nothing"));
        }
        for run in customer.entered.difference(&customer.ended) {
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
        for message in customer.state.messages.iter().filter(|message| is_open(message.status)) {
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

    /// A daemon has started.
    pub(crate) fn born(&mut self, life: u32) {
        self.life = life;
    }

    /// The receipt that a submitter got, if it is true.
    pub(crate) fn receipted(&mut self, id: &str, event: &Event, receipt: &Receipt) {
        let known = self.logged.get(&(event.source.clone(), event.id.clone()));
        let same = known.map(|known| (&known.kind, &known.fields) == (&event.kind, &event.fields));
        let aside = self.aside.contains(&(event.source.clone(), event.id.clone()));
        let (fact, holds) = match receipt {
            Receipt::Accepted => ("accepted", same == Some(true)),
            Receipt::Parked => ("parked", same == Some(true)),
            Receipt::Imported => ("imported", same == Some(true)),
            Receipt::Duplicate => ("duplicate", same == Some(true) || aside),
            Receipt::Conflict => ("conflict", same == Some(false) || aside),
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
    pub(crate) fn unfinished(&self) -> Vec<String> {
        let mut left = Vec::new();
        for (id, customer) in &self.customers {
            left.extend(customer.state.instances.iter().map(|it| format!("{id}: runs {:?}", run_of(it))));
            let open = customer.state.messages.iter().filter(|message| is_open(message.status));
            left.extend(open.map(|message| format!("{} {:?}", self.key_of(id, message), message.status)));
        }
        let rows =
            self.outbox.iter().flat_map(|(row, keys)| keys.iter().map(move |key| format!("{row:?} {key}")));
        left.extend(rows);
        left
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
    messages.any(|message| is_open(message.status)) || !state.asks.is_empty()
}

fn is_open(status: MessageStatus) -> bool {
    matches!(status, MessageStatus::Pending | MessageStatus::Dispatching)
}

fn due(state: &State) -> Option<Timestamp> {
    let instances = state.instances.iter().flat_map(|it| [it.due, it.expires]).flatten();
    let alarms = state.tasks.iter().flat_map(|task| task.alarms.iter().map(|alarm| alarm.at));
    instances.chain(state.pending.iter().map(|pending| pending.due)).chain(alarms).min()
}
