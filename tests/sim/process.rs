//! One life of the daemon: an engine on a runtime of its own. Dropping it is a crash: nothing is finished.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use wayfare::channel::{Channel, Channels};
use wayfare::engine::clock::Clock;
use wayfare::engine::{EngineError, EngineHandle, Options, Receipt, Steps, SubmitError, start};
use wayfare::name::Name;
use wayfare::program::Bundle;
use wayfare::step::{Input, Kill, Output, RootKey, State, World, step};
use wayfare::store::Store;

use super::backing::Opened;
use super::faults::{FaultyStore, Ground, Trouble, Turn};
use super::flaws::Flaw;
use super::memory::MemoryStore;
use super::source::{POISON, Submitted};
use super::world::{Providers, SimChannel, SimClock};

pub(crate) const CHANNELS: [&str; 5] = ["push", "sms", "in_app", "bell", "wecom"];

/// Events under way, and their answer to come.
struct Waiting {
    events: Vec<Submitted>,
    answer: JoinHandle<Result<Vec<Receipt>, SubmitError>>,
}

/// What came of a submission: receipts, or nothing that can be relied on.
pub(crate) type Answered = (Vec<Submitted>, Result<Vec<Receipt>, String>);

/// What an operator's wish came to; if it was one for switches, its number and what was asked for.
pub(crate) type Told = Result<Option<(u32, Kill)>, EngineError>;

pub(crate) struct Process {
    runtime: Runtime,
    pub handle: EngineHandle,
    /// As those see it who ask the engine nothing: `why`.
    pub store: Arc<dyn Store>,
    /// The store itself, where it is in memory.
    pub memory: Option<Arc<MemoryStore>>,
    /// Among several: where it waits for its turn.
    pub turn: Option<Arc<Turn>>,
    /// Of the engine with its store.
    pub trouble: Arc<Trouble>,
    task: JoinHandle<Result<(), EngineError>>,
    waiting: Vec<Waiting>,
    asked: Vec<JoinHandle<Told>>,
    flaw: Option<Flaw>,
}

/// What all lives share.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub ground: Arc<Ground>,
    pub clock: Arc<SimClock>,
    pub providers: Arc<Mutex<Providers>>,
    /// Messages of a channel that memory holds.
    pub most_held: usize,
}

/// The step function, and events on which it panics.
pub(crate) fn poisoned(
    world: &World,
    root: &RootKey,
    state: &mut State,
    input: &Input,
    now: Timestamp,
) -> Output {
    if let Input::Event(event) = input
        && event.id.starts_with(POISON)
    {
        // Without a word on the standard error, which a panic would have.
        std::panic::resume_unwind(Box::new("a poisoned event"));
    }
    step(world, root, state, input, now)
}

impl Process {
    /// # Errors
    /// As the engine says that it cannot start.
    pub(crate) fn start(
        around: &Surroundings,
        opened: Opened,
        (life, shared): (u32, bool),
    ) -> Result<Self, EngineError> {
        let Opened { store: inner, memory } = opened;
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let trouble = Arc::<Trouble>::default();
        let way = |trouble, turn| -> Arc<dyn Store> {
            let (inner, ground) = (Arc::clone(&inner), Arc::clone(&around.ground));
            Arc::new(FaultyStore { inner, ground, trouble, life, turn })
        };
        let store = way(Arc::default(), None);
        let turn = shared.then(Arc::<Turn>::default);
        let mut channels = Channels::default();
        for name in CHANNELS {
            let (ground, providers) = (Arc::clone(&around.ground), Arc::clone(&around.providers));
            let clock = Arc::clone(&around.clock);
            let channel: Arc<dyn Channel> = Arc::new(SimChannel { name, life, providers, ground, clock });
            channels.insert(Name::new(name), channel);
        }
        let clock: Arc<dyn Clock> = around.clock.clone();
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let mut options = Options::new(channels, zone, clock);
        options.most_held = around.most_held;
        options.steps = Steps {
            step: around.ground.flaw.map_or(poisoned, Flaw::step),
            new_key: || Some([7; 32]),
            ..Steps::REAL
        };
        let (handle, task) = runtime.block_on(start(way(Arc::clone(&trouble), turn.clone()), options))?;
        if let Some(turn) = &turn {
            turn.begun.store(true, Ordering::Relaxed);
        }
        let flaw = around.ground.flaw;
        let (waiting, asked) = (Vec::new(), Vec::new());
        Ok(Self { runtime, handle, store, memory, turn, trouble, task, waiting, asked, flaw })
    }

    /// Lets everything run until nothing moves, and `real` time beyond that: pauses end, sends are given up.
    pub(crate) fn run(&self, real: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(real).await });
    }

    /// So long it stood still, and did not notice.
    pub(crate) fn awake(&self, real: Duration) {
        self.runtime.block_on(tokio::time::advance(real));
    }

    /// Whether it waits for others between two words with the store.
    pub(crate) fn waits_its_turn(&self) -> bool {
        self.turn.as_ref().is_some_and(|turn| turn.is_waiting())
    }

    pub(crate) fn go_on(&self) {
        if let Some(turn) = &self.turn {
            turn.go_on();
        }
    }

    pub(crate) fn submit(&mut self, events: Vec<Submitted>) {
        let handle = self.handle.clone();
        let sent = events.clone();
        let answer = self.runtime.spawn(async move { handle.submit(sent).await });
        self.waiting.push(Waiting { events, answer });
    }

    pub(crate) fn deploy(&mut self, bundle: Bundle) {
        let handle = self.handle.clone();
        self.asked.push(self.runtime.spawn(async move { handle.deploy(bundle).await.map(|()| None) }));
    }

    pub(crate) fn kill(&mut self, asked: u32, kill: Kill) {
        let handle = self.handle.clone();
        if self.flaw == Some(Flaw::IgnoresSwitches) {
            return self.asked.push(self.runtime.spawn(async move { Ok(Some((asked, kill))) }));
        }
        let seen = handle.world().switched;
        self.asked.push(
            self.runtime
                .spawn(async move { handle.kill(seen, kill.clone()).await.map(|()| Some((asked, kill))) }),
        );
    }

    pub(crate) fn stop(&mut self) {
        let handle = self.handle.clone();
        self.asked.push(self.runtime.spawn(async move {
            handle.stop().await;
            Ok(None)
        }));
    }

    /// Submissions that have been answered.
    pub(crate) fn answered(&mut self) -> Vec<Answered> {
        let (done, waiting) =
            std::mem::take(&mut self.waiting).into_iter().partition(|it| it.answer.is_finished());
        self.waiting = waiting;
        let done: Vec<Waiting> = done;
        let take = |it: Waiting| {
            let answer = self.runtime.block_on(it.answer).unwrap();
            (it.events, answer.map_err(|error| error.to_string()))
        };
        done.into_iter().map(take).collect()
    }

    /// What deployments and switches came to.
    pub(crate) fn told(&mut self) -> Vec<Told> {
        let (done, asked) = std::mem::take(&mut self.asked).into_iter().partition(JoinHandle::is_finished);
        self.asked = asked;
        let done: Vec<JoinHandle<_>> = done;
        done.into_iter().map(|asked| self.runtime.block_on(asked).unwrap()).collect()
    }

    /// Events whose submission nobody will answer any more.
    pub(crate) fn unanswered(&mut self) -> Vec<Submitted> {
        self.waiting.drain(..).flat_map(|waiting| waiting.events).collect()
    }

    pub(crate) fn has_asked(&self) -> bool {
        !self.asked.is_empty() || !self.waiting.is_empty()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.task.is_finished()
    }

    /// How an engine that is over ended.
    pub(crate) fn end(self) -> Result<(), String> {
        match self.runtime.block_on(self.task) {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(panic) => Err(format!("the engine panicked: {panic}")),
        }
    }

    /// Reads what `why` reads.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}
