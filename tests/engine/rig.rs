//! A rig for the engine: a tiny journey in place of the step function, a channel that remembers, a store that stops
//! where it is told to, and a clock that a test moves.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::civil::time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinHandle;
use wayfare::channel::{Channel, Channels, SendResult};
use wayfare::compile::{self, File, compile};
use wayfare::engine::clock::{Clock, ManualClock};
use wayfare::engine::{EngineError, EngineHandle, Options, Shortener, Steps, Upkeep, start};
use wayfare::lottery::Seal;
use wayfare::name::Name;
use wayfare::program::{self, Bundle, Enter, Every, Hashed, Program, Rate, Reenter, Schedule, Schema};
use wayfare::step::state::SubjectRef;
use wayfare::step::{
    Decision, Delivery, Effect, Event, EventKind, Input, MessageKey, Output, RootKey, State, Sym, Trace,
    World,
};
use wayfare::store::{
    Commit, Counts, Dedup, Deployed, Deployment, InboxRow, Lease, OutboxRow, Packed, PackedKind, Quarantined,
    RowKey, RowRef, Sift, Sifted, StateRow, Store, StoreError, Stored, TimerChunk, Trim, Trimmed,
};
use wayfare::value::Value;

use crate::support::examples;
use crate::support::stores::Place;

pub(crate) const STEPS: Steps = Steps { step, next_due, new_key: wayfare::engine::payload::new_key };
pub(crate) const WAIT: SignedDuration = SignedDuration::from_secs(2);
pub(crate) const START: &str = "2026-11-21T12:00:00Z";

/// `enrolled` sends a push and waits two seconds; unless `opened` comes, an SMS follows. `poison` panics. A tick
/// counts, a settle marks.
fn step(world: &World, root: &RootKey, state: &mut State, input: &Input, now: Timestamp) -> Output {
    let mut output = Output::default();
    let what = match input {
        Input::Event(event) => on_event(world, root, state, event, &mut output),
        // No journey of these tests says anything to another row.
        Input::Post(_) => return output,
        Input::Wake => {
            state.tags.clear();
            send(world, root, state, "sms", &mut output)
        }
        Input::Dispatch(message) | Input::DispatchAgain(message) => {
            let open = matches!(&*get(world, state, &message.step), "pending" | "dispatching");
            output.effects.push(if open {
                set(world, state, &message.step, "dispatching");
                deliver(message, &root.id)
            } else {
                Effect::Drop(message.clone())
            });
            Decision::TimedOut
        }
        Input::Answer { message, outcome, .. } => {
            set(world, state, &message.step, outcome.as_str());
            Decision::TimedOut
        }
        Input::Tick { at, .. } => {
            let ticks = format!("{}{} ", get(world, state, "ticks"), at.as_second());
            set(world, state, "ticks", &ticks);
            Decision::TimedOut
        }
        Input::Permit { .. } | Input::Paced { .. } => Decision::TimedOut,
        Input::Settle => {
            set(world, state, "settled", "yes");
            Decision::TimedOut
        }
    };
    let journey = world.symbols.sym(Name::new("ladder"));
    let subject = SubjectRef::default();
    output.trace.push(Trace { at: now, journey, subject, entry: None, program: None, node: None, what });
    output
}

fn on_event(
    world: &World,
    root: &RootKey,
    state: &mut State,
    event: &Event,
    output: &mut Output,
) -> Decision {
    state.known = true;
    match &event.kind {
        EventKind::Declared(name) if name.as_str() == "enrolled" => {
            if !get(world, state, "push").is_empty() {
                return Decision::AlreadyTrue;
            }
            state.tags.push((sym(world, "push"), Some(event.time + WAIT)));
            send(world, root, state, "push", output)
        }
        EventKind::Declared(name) if name.as_str() == "opened" => {
            state.tags.clear();
            Decision::BecameTrue
        }
        EventKind::Declared(name) if name.as_str() == "poison" => panic!("a poisoned event"),
        _ => Decision::AlreadyTrue,
    }
}

fn send(
    world: &World,
    root: &RootKey,
    state: &mut State,
    step: &'static str,
    output: &mut Output,
) -> Decision {
    set(world, state, step, "pending");
    let message = key(&root.id, step);
    output.effects.push(Effect::Enqueue { message, channel: Name::new(step), again: false });
    Decision::BecameTrue
}

fn deliver(message: &MessageKey, address: &Arc<str>) -> Effect {
    Effect::Deliver(Box::new(Delivery {
        message: message.clone(),
        channel: Name::new(&message.step),
        addressee: RootKey { entity: Name::new("customer"), id: Arc::clone(&message.root) },
        address: Arc::clone(address),
        purpose: Name::new("service"),
        content: Name::new("offer"),
        parts: vec![(Name::new("body"), "你好".into())],
        links: vec![],
        program_hash: "p".into(),
        content_hash: "c".into(),
        policy_hash: None,
    }))
}

fn next_due(state: &State) -> Option<Timestamp> {
    state.tags.iter().filter_map(|(_, until)| *until).min()
}

fn sym(world: &World, name: &str) -> Sym {
    world.symbols.sym(Name::new(name)).unwrap()
}

fn set(world: &World, state: &mut State, name: &str, value: &str) {
    let sym = sym(world, name);
    state.attributes.retain(|(other, _)| *other != sym);
    state.attributes.push((sym, Value::text(value)));
    state.attributes.sort_by_key(|(sym, _)| *sym);
}

pub(crate) fn get(world: &World, state: &State, name: &str) -> String {
    let found = state.attributes.iter().find(|(other, _)| *other == sym(world, name));
    match found {
        Some((_, Value::Text(text))) => text.to_string(),
        _ => String::new(),
    }
}

pub(crate) fn key(root: &str, step: &str) -> MessageKey {
    let (journey, entry) = ("ladder".into(), "1".into());
    MessageKey { journey, root: root.into(), child: None, entry, step: step.into() }
}

pub(crate) fn customer(id: &str) -> RootKey {
    RootKey { entity: Name::new("customer"), id: id.into() }
}

/// With the identity (`test`, `NAME.ROOT`).
pub(crate) fn event(name: &str, root: &str, time: Timestamp) -> (RootKey, Event) {
    let event = Event {
        source: "test".into(),
        id: format!("{name}.{root}").into(),
        kind: EventKind::Declared(Name::new(name)),
        child: None,
        time,
        received: time + SignedDuration::from_millis(1),
        fields: vec![],
    };
    (customer(root), event)
}

/// Two channels, one journey; with a rate on both channels and a schedule where given.
pub(crate) fn bundle(hash: &str, rate: Option<Rate>, daily: bool) -> Bundle {
    let channel = |name: &str| {
        let kind = Name::new(name);
        let channel = program::Channel {
            label: None,
            kind,
            rate,
            receipt: None,
            outcomes: vec![],
            address: None,
            surface: None,
            capacity: None,
            party: None,
        };
        (Name::new(name), channel)
    };
    let schedule = Schedule { every: Every::Day, at: vec![time(9, 0, 0, 0)], during: None, calendar: None };
    let enter = if daily { Enter::Every { schedule, filter: None } } else { Enter::Start };
    let mut names: BTreeMap<Name, program::Tag> = BTreeMap::new();
    for name in ["ticks", "settled"] {
        names.insert(Name::new(name), program::Tag { subject: Name::new("customer"), keep: None });
    }
    Bundle {
        format: program::FORMAT,
        hash: hash.into(),
        schema: Schema { tags: names, ..Schema::default() },
        channels: ["push", "sms"].into_iter().map(channel).collect(),
        contents: BTreeMap::new(),
        calendars: BTreeMap::new(),
        values: program::Values::default(),
        lanes: BTreeMap::new(),
        policy: None,
        units: BTreeMap::new(),
        pictures: BTreeMap::new(),
        programs: [(
            Name::new("ladder"),
            Hashed { hash: format!("p{hash}").into(), body: Arc::new(journey(enter)) },
        )]
        .into_iter()
        .collect(),
    }
}

fn journey(enter: Enter) -> Program {
    Program {
        journey: Name::new("ladder"),
        label: None,
        subject: Name::new("customer"),
        root: Name::new("customer"),
        purpose: Name::new("service"),
        owner: "crm".into(),
        open: None,
        enter,
        existing: None,
        stale: None,
        reenter: Reenter::Never,
        exits: vec![],
        goals: vec![],
        lasts: None,
        params: vec![],
        holdout: 0,
        locals: vec![],
        defs: vec![],
        features: vec![],
        tracked: Vec::new(),
        awaits: vec![],
        nodes: vec![program::Node {
            step: Name::new("end"),
            kind: program::NodeKind::End { name: Name::new("done") },
            rounds: vec![],
        }],
        origin: None,
        lines: vec![],
        rung_lines: Vec::new(),
        rules: None,
        stamped: false,
    }
}

/// Remembers every attempt; answers as told, and accepts when nothing was told.
pub(crate) struct Provider {
    clock: Arc<ManualClock>,
    attempts: Mutex<Vec<(Timestamp, String)>>,
    texts: Mutex<Vec<String>>,
    answers: Mutex<Vec<SendResult>>,
    /// Messages that the provider lets in; further ones are stuck until there are more.
    pub doors: tokio::sync::Semaphore,
    pub most: u32,
}

impl Provider {
    pub(crate) fn attempts(&self) -> Vec<(Timestamp, String)> {
        self.attempts.lock().unwrap().clone()
    }

    /// The first part of each message, as often as it was tried.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.texts.lock().unwrap().clone()
    }

    /// The next attempts are answered so.
    pub(crate) fn will(&self, mut answers: Vec<SendResult>) {
        answers.reverse();
        *self.answers.lock().unwrap() = answers;
    }
}

impl Channel for Provider {
    fn send<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, SendResult> {
        async move {
            self.doors.acquire().await.unwrap().forget();
            self.attempts.lock().unwrap().push((self.clock.now(), delivery.message.to_string()));
            let text = delivery.parts.first().map(|(_, text)| text.to_string());
            self.texts.lock().unwrap().push(text.unwrap_or_default());
            tokio::task::yield_now().await;
            let answer = self.answers.lock().unwrap().pop();
            answer.unwrap_or(SendResult::Accepted { detail: "ok".into() })
        }
        .boxed()
    }

    fn max_attempts(&self) -> u32 {
        self.most
    }

    fn concurrency(&self) -> usize {
        5
    }
}

/// Never returns from the n-th call that commits: before the commit happened, or after.
pub(crate) struct Stopping {
    inner: Arc<dyn Store>,
    left: AtomicI64,
    after: bool,
}

impl Stopping {
    async fn stop(&self) {
        std::future::pending::<()>().await;
    }
}

impl Store for Stopping {
    fn lease(&self) -> Lease {
        self.inner.lease()
    }
    fn load<'a>(&'a self, keys: &'a [RowKey]) -> Stored<'a, Vec<StateRow>> {
        self.inner.load(keys)
    }
    fn seen<'a>(&'a self, events: &'a [Dedup]) -> Stored<'a, Vec<Dedup>> {
        self.inner.seen(events)
    }
    fn commit<'a>(&'a self, commit: &'a Commit) -> Stored<'a, ()> {
        async move {
            let left = self.left.fetch_sub(1, Ordering::SeqCst);
            if left == 0 && !self.after || left < 0 {
                self.stop().await;
            }
            let done = self.inner.commit(commit).await;
            if left == 0 {
                self.stop().await;
            }
            done
        }
        .boxed()
    }
    fn next_due(&self, after: Option<Timestamp>) -> Stored<'_, Option<Timestamp>> {
        self.inner.next_due(after)
    }
    fn due(&self, within: RangeInclusive<Timestamp>, limit: usize) -> Stored<'_, Vec<TimerChunk>> {
        self.inner.due(within, limit)
    }
    fn outbox(&self, channel: u32, after: RowRef, limit: usize) -> Stored<'_, Vec<OutboxRow>> {
        self.inner.outbox(channel, after, limit)
    }
    fn outbox_channels(&self) -> Stored<'_, Vec<u32>> {
        self.inner.outbox_channels()
    }
    fn packed<'a>(&'a self, kind: PackedKind, places: &'a [RowRef]) -> Stored<'a, Vec<Packed>> {
        self.inner.packed(kind, places)
    }
    fn packed_after(&self, kind: PackedKind, after: RowRef, limit: usize) -> Stored<'_, Vec<Packed>> {
        self.inner.packed_after(kind, after, limit)
    }
    fn scan<'a>(&'a self, kind: u32, after: Option<&'a RowKey>, limit: usize) -> Stored<'a, Vec<StateRow>> {
        self.inner.scan(kind, after, limit)
    }
    fn sift<'a>(&'a self, sift: Sift, after: Option<&'a RowKey>) -> Stored<'a, Sifted> {
        self.inner.sift(sift, after)
    }
    fn trim(&self, trim: Trim) -> Stored<'_, Trimmed> {
        self.inner.trim(trim)
    }
    fn forget_keys(&self, before: i64) -> Stored<'_, u64> {
        self.inner.forget_keys(before)
    }
    fn directory(&self) -> Option<&dyn wayfare::store::Directory> {
        self.inner.directory()
    }
    fn links(&self) -> Option<&dyn wayfare::store::Links> {
        self.inner.links()
    }
    fn ledger(&self) -> Option<&dyn wayfare::store::Ledger> {
        self.inner.ledger()
    }
    fn codes(&self) -> Option<&dyn wayfare::store::PartnerCodes> {
        self.inner.codes()
    }
    fn referrals(&self) -> Option<&dyn wayfare::store::Referrals> {
        self.inner.referrals()
    }
    fn meta<'a>(&'a self, name: &'a str) -> Stored<'a, Option<String>> {
        self.inner.meta(name)
    }
    fn set_meta<'a>(&'a self, values: &'a [(String, String)]) -> Stored<'a, ()> {
        self.inner.set_meta(values)
    }
    fn deploy<'a>(&'a self, deployment: &'a Deployment) -> Stored<'a, ()> {
        self.inner.deploy(deployment)
    }
    fn deployed(&self) -> Stored<'_, Deployed> {
        self.inner.deployed()
    }
    fn quarantined(&self, limit: usize) -> Stored<'_, Vec<Quarantined>> {
        self.inner.quarantined(limit)
    }
    fn counts(&self) -> Stored<'_, Counts> {
        self.inner.counts()
    }
    fn inbox(&self, limit: usize) -> Stored<'_, Vec<InboxRow>> {
        self.inner.inbox(limit)
    }
    fn close(&self) -> BoxFuture<'_, ()> {
        self.inner.close()
    }
}

/// A place for a store, a clock and providers that outlive the engines run on them.
pub(crate) struct Rig {
    place: Place,
    pub clock: Arc<ManualClock>,
    pub push: Arc<Provider>,
    pub sms: Arc<Provider>,
    pub steps: Steps,
    pub upkeep: Upkeep,
    pub park: SignedDuration,
    pub shortener: Option<Shortener>,
    pub seal: Option<Arc<Seal>>,
}

/// An engine at work.
pub(crate) struct Running {
    pub handle: EngineHandle,
    pub store: Arc<dyn Store>,
    task: JoinHandle<Result<(), EngineError>>,
}

impl Rig {
    pub(crate) fn on(place: Place) -> Self {
        let clock = Arc::new(ManualClock::new(START.parse().unwrap()));
        let provider = || {
            let (attempts, texts, answers) = (Mutex::default(), Mutex::default(), Mutex::default());
            let doors = tokio::sync::Semaphore::new(1_000_000);
            Arc::new(Provider { clock: Arc::clone(&clock), attempts, texts, answers, doors, most: 3 })
        };
        Self {
            place,
            push: provider(),
            sms: provider(),
            clock,
            steps: STEPS,
            upkeep: Upkeep::default(),
            park: SignedDuration::from_hours(7 * 24),
            shortener: None,
            seal: None,
        }
    }

    /// With the real steps, on the first of December 2026 at nine, and these files of `journeys/` live.
    pub(crate) async fn begin(&mut self, files: &[&str]) -> Running {
        self.begin_at("2026-12-01T09:00:00Z".parse().unwrap(), files).await
    }

    pub(crate) async fn begin_at(&mut self, now: Timestamp, files: &[&str]) -> Running {
        self.clock.set(now);
        let compilation = compile(&examples::of(files));
        self.begin_with(compilation.bundle.unwrap_or_else(|| panic!("{:#?}", compilation.diagnostics))).await
    }

    /// With the real steps, and this live.
    pub(crate) async fn begin_with(&mut self, bundle: Bundle) -> Running {
        self.steps = Steps::REAL;
        // On the heap: whoever awaits this awaits it in a test that is large enough.
        let engine = Box::pin(self.run()).await;
        Box::pin(engine.handle.deploy(bundle)).await.unwrap();
        engine
    }

    pub(crate) async fn run(&self) -> Running {
        let store = self.open().await;
        self.run_on(store).await
    }

    /// Stops at the commit number `commits` from now, before or after it.
    pub(crate) async fn run_until(&self, commits: i64, after: bool) -> Running {
        let inner = self.open().await;
        self.run_on(Arc::new(Stopping { inner, left: AtomicI64::new(commits), after })).await
    }

    async fn open(&self) -> Arc<dyn Store> {
        for _ in 0..500 {
            match self.place.open(true).await {
                Ok(store) => return store,
                // The engine that was dropped lets go of the file when its last call has returned.
                Err(StoreError::InUse(_)) => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(error) => panic!("{error}"),
            }
        }
        panic!("the store stays locked")
    }

    async fn run_on(&self, store: Arc<dyn Store>) -> Running {
        let (handle, task) = start(Arc::clone(&store), self.options()).await.unwrap();
        Running { handle, store, task }
    }

    /// Why an engine does not start.
    pub(crate) async fn refusal(&self) -> EngineError {
        let store = self.open().await;
        let refused = start(Arc::clone(&store), self.options()).await.err().expect("it is refused");
        store.close().await;
        refused
    }

    fn options(&self) -> Options {
        let (push, sms): (Arc<dyn Channel>, Arc<dyn Channel>) = (self.push.clone(), self.sms.clone());
        let channels =
            Channels::default().with(Name::new("push"), Arc::clone(&push)).with(Name::new("sms"), sms);
        // What people and groups are told by leaves where pushes do.
        let others = [
            "group_chat",
            "work_note",
            "wechat",
            "wecom_chat",
            "wecom_broadcast",
            "in_app",
            "voice_robot",
            "remote_banking",
        ];
        let others = others.into_iter();
        let channels = others.fold(channels, |all, name| all.with(Name::new(name), Arc::clone(&push)));
        let (steps, upkeep, park) = (self.steps, self.upkeep, self.park);
        let (shortener, seal) = (self.shortener.clone(), self.seal.clone());
        Options {
            steps,
            upkeep,
            park,
            shortener,
            seal,
            ..Options::new(channels, TimeZone::UTC, self.clock.clone())
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl Running {
    /// As a crash: nothing is finished, nothing is closed.
    pub(crate) async fn crash(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    pub(crate) async fn stop(self) {
        self.handle.stop().await;
        self.task.await.unwrap().unwrap();
    }

    pub(crate) async fn state(&self, id: &str) -> State {
        let world = self.handle.world();
        let account = wayfare::engine::why::account(&*self.store, &world, &customer(id)).await.unwrap();
        account.unwrap().state
    }

    /// What a state says of `name`, such as the status of a message.
    pub(crate) async fn says(&self, id: &str, name: &str) -> String {
        get(&self.handle.world(), &self.state(id).await, name)
    }
}

/// A bank in one file.
pub(crate) fn compiled(text: &str) -> Bundle {
    let file = File { path: "bank.journey".into(), package: "".into(), text: text.into() };
    let compilation = compile(&compile::Input { files: vec![file], ..compile::Input::default() });
    compilation.bundle.unwrap_or_else(|| panic!("{:#?}", compilation.diagnostics))
}

/// What the bank says of a root, as its event number `serial`.
pub(crate) fn said(
    kind: EventKind,
    root: RootKey,
    serial: u32,
    time: Timestamp,
    fields: Vec<(&str, Value)>,
) -> (RootKey, Event) {
    let fields = fields.into_iter().map(|(name, value)| (Name::new(name), value)).collect();
    let id = format!("{}-{serial}", root.id).into();
    let event = Event { source: "bank".into(), id, kind, child: None, time, received: time, fields };
    (root, event)
}

/// Waits until `done` holds; a test fails after twenty seconds.
pub(crate) async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    for _ in 0..4_000 {
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never happened: {what}");
}
