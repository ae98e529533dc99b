//! The loop: gather what there is, make one batch of it, commit, answer. Nothing waits artificially; while a batch
//! commits, the next one's inputs queue up and make it larger.
//!
//! Whatever is not committed is gone with the process, and nothing else is: a failure that does not pass stops the
//! engine, and the next start begins from the store.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use super::batch::{Batch, Made};
use super::clock::Clock;
use super::deploy;
use super::dispatch::{Answer, Dispatcher, Verdict};
use super::handle::{Command, EngineError, Receipt, Stats, SubmitError};
use super::intake;
use super::lane::Ticket;
use super::pack::Queued;
use super::start::Watcher;
use super::sweep::{Page, Sweeps};
use super::timers::Timers;
use super::work::{Item, Origin, Steps, Subject};
use crate::program::Outcome;
use crate::step::{Event, Input, RootKey, Sym, World};
use crate::store::{Commit, Quarantined, RowKey, StateRow, Store, StoreError};

/// Events taken into one batch. A transaction costs about a page per touched row whatever its size, so large ones are
/// cheap; this bounds memory and the time an answer takes.
const MOST_EVENTS: usize = 10_000;
const MOST_ANSWERS: usize = 4_096;
/// How often a commit that the disk refused is tried again, and how long apart.
const COMMIT_TRIES: u32 = 6;
const COMMIT_PAUSE: Duration = Duration::from_millis(200);
/// How long a stop waits for sends under way; their messages stay in the outbox.
const LONGEST_STOP: Duration = Duration::from_secs(15);

type Reply<T, E> = oneshot::Sender<Result<T, E>>;

pub(super) struct Engine {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub steps: Steps,
    pub watcher: Option<Watcher>,
    pub world: Arc<World>,
    pub dispatcher: Dispatcher,
    pub timers: Timers,
    pub sweeps: Sweeps,
    pub commands: mpsc::UnboundedReceiver<Command>,
    pub answers: mpsc::UnboundedReceiver<Answer>,
    pub stats_out: watch::Sender<Stats>,
    pub world_out: watch::Sender<Arc<World>>,
    pub stats: Stats,
    pub now: Timestamp,
    pub batch: u64,
    pub inbox: Inbox,
}

/// What has arrived and is not in a batch yet.
#[derive(Default)]
pub(super) struct Inbox {
    submissions: VecDeque<Submission>,
    quarantine: Vec<(Vec<Quarantined>, Reply<(), EngineError>)>,
    admin: VecDeque<Command>,
    answers: VecDeque<Answer>,
    stopping: bool,
}

struct Submission {
    events: Vec<(RootKey, Event)>,
    /// Held until the events are answered.
    _room: Option<tokio::sync::OwnedSemaphorePermit>,
    reply: Reply<Vec<Receipt>, SubmitError>,
}

/// What one batch is made of.
#[derive(Default)]
struct Gathered {
    commit: Commit,
    submissions: Vec<Submission>,
    /// How many events each submission had.
    counts: Vec<usize>,
    doors: Vec<Reply<(), EngineError>>,
    subjects: Vec<Subject>,
    places: HashMap<RootKey, usize>,
    /// States that a sweep has read already.
    rows: Vec<StateRow>,
    retries: Vec<(Ticket, Queued)>,
    answered: Stats,
    anything: bool,
}

impl Engine {
    /// Runs until it is stopped or something fails for good.
    pub(super) async fn run(mut self) -> Result<(), EngineError> {
        let result = self.turns().await;
        if let Err(error) = &result {
            tracing::error!(%error, "the engine stops");
        }
        self.commands.close();
        self.store.close().await;
        result
    }

    async fn turns(&mut self) -> Result<(), EngineError> {
        loop {
            self.now = self.now.max(self.clock.now());
            self.receive();
            self.administer().await?;
            let gathered = self.gather().await?;
            if gathered.anything {
                self.process(gathered).await?;
            } else if self.inbox.stopping {
                return self.wind_down().await;
            } else {
                self.idle().await;
            }
        }
    }

    /// Takes what has arrived, without waiting.
    fn receive(&mut self) {
        while let Ok(command) = self.commands.try_recv() {
            self.inbox.command(command);
        }
        while let Ok(answer) = self.answers.try_recv() {
            self.inbox.answers.push_back(answer);
        }
    }

    /// Waits until there may be something to do.
    async fn idle(&mut self) {
        let next = [self.timers.next(), self.dispatcher.next(self.now), self.sweeps.next(self.now)];
        let next = next.into_iter().flatten().min().unwrap_or(Timestamp::MAX);
        tokio::select! {
            command = self.commands.recv() => match command {
                Some(command) => self.inbox.command(command),
                None => self.inbox.stopping = true,
            },
            Some(answer) = self.answers.recv() => self.inbox.answers.push_back(answer),
            () = self.clock.wait_until(next), if next < Timestamp::MAX => {}
        }
    }

    /// Deployments and switches, at a batch boundary.
    async fn administer(&mut self) -> Result<(), EngineError> {
        while let Some(command) = self.inbox.admin.pop_front() {
            let (done, reply) = match command {
                Command::Deploy { bundle, reply } => (self.deploy(*bundle).await, reply),
                Command::Kill { kill, reply } => (self.kill(kill).await, reply),
                _ => continue,
            };
            // The asker may have gone; what it asked for is done all the same.
            let _ = reply.send(done);
        }
        Ok(())
    }

    async fn deploy(&mut self, bundle: crate::program::Bundle) -> Result<(), EngineError> {
        let Some(mut world) = deploy::deploy(&*self.store, &self.world, bundle).await? else { return Ok(()) };
        world.recorded = self.dispatcher.recorded();
        self.dispatcher.open_lanes(&world, &*self.store).await?;
        self.sweeps = Sweeps::open(&*self.store, &world, self.now).await?;
        self.go_live(world);
        Ok(())
    }

    async fn kill(&mut self, kill: crate::step::world::Kill) -> Result<(), EngineError> {
        deploy::kill(&*self.store, &kill).await?;
        let mut world = World::clone(&self.world);
        world.kill = kill;
        self.go_live(world);
        Ok(())
    }

    fn go_live(&mut self, world: World) {
        self.world = Arc::new(world);
        self.world_out.send_replace(Arc::clone(&self.world));
    }

    async fn gather(&mut self) -> Result<Gathered, EngineError> {
        if self.inbox.stopping {
            self.dispatcher.stop();
        }
        let mut gathered = Gathered::default();
        gathered.commit.batch = self.batch + 1;
        self.gather_answers(&mut gathered);
        if !self.inbox.stopping {
            self.gather_due(&mut gathered).await?;
            self.gather_outbox(&mut gathered).await?;
            if let Some(page) = self.sweeps.page(&*self.store, &self.world, self.now).await? {
                gathered.page(page);
            }
        }
        let mut events = 0;
        while let Some(next) = self.inbox.submissions.front() {
            events += next.events.len();
            if events > MOST_EVENTS && !gathered.submissions.is_empty() {
                break;
            }
            gathered.submissions.extend(self.inbox.submissions.pop_front());
        }
        for (records, reply) in self.inbox.quarantine.drain(..) {
            gathered.commit.quarantine.extend(records);
            gathered.doors.push(reply);
        }
        gathered.anything |= !gathered.submissions.is_empty() || !gathered.doors.is_empty();
        Ok(gathered)
    }

    fn gather_answers(&mut self, gathered: &mut Gathered) {
        let count = self.inbox.answers.len().min(MOST_ANSWERS);
        for answer in self.inbox.answers.drain(..count) {
            gathered.anything = true;
            match self.dispatcher.judge(&self.world, &answer, self.now) {
                Verdict::Again(queued) => gathered.retries.push((answer.ticket, queued)),
                Verdict::Over(outcome, detail) => {
                    match outcome {
                        Outcome::Sent => gathered.answered.sent += 1,
                        _ => gathered.answered.failed += 1,
                    }
                    let message = answer.ticket.queued.message.clone();
                    let input = Input::Answer { message, outcome, detail };
                    gathered.ticket(&self.world, answer.ticket, input);
                }
            }
        }
    }

    async fn gather_due(&mut self, gathered: &mut Gathered) -> Result<(), StoreError> {
        let fired = self.timers.fire(&*self.store, self.now).await?;
        gathered.anything |= !fired.chunks.is_empty();
        gathered.commit.timers_done = fired.chunks;
        for due in fired.subjects {
            if let Some(root) = root(&self.world, due.kind, &due.id) {
                gathered.add(due.kind, root, Item { input: Input::Wake, origin: Origin::Engine });
            }
        }
        for (chunk, reason) in fired.damaged {
            gathered.commit.quarantine.push(Quarantined {
                at: self.now,
                code: "timer-unreadable".to_owned(),
                reason,
                body: chunk.body,
            });
        }
        Ok(())
    }

    async fn gather_outbox(&mut self, gathered: &mut Gathered) -> Result<(), StoreError> {
        for (row, reason) in self.dispatcher.fill(&*self.store, self.now).await? {
            gathered.anything = true;
            gathered.commit.outbox_done.push((row.channel, row.batch));
            gathered.commit.quarantine.push(Quarantined {
                at: self.now,
                code: "outbox-unreadable".to_owned(),
                reason,
                body: row.body,
            });
        }
        for ticket in self.dispatcher.take(self.now) {
            gathered.anything = true;
            let input = Input::Dispatch(ticket.queued.message.clone());
            gathered.ticket(&self.world, ticket, input);
        }
        Ok(())
    }

    async fn process(&mut self, mut gathered: Gathered) -> Result<(), EngineError> {
        let receipts = match self.admit_events(&mut gathered).await {
            Ok(receipts) => receipts,
            Err(error) => return Err(gathered.fail(error)),
        };
        let rows = match self.load(&mut gathered).await {
            Ok(rows) => rows,
            Err(error) => return Err(gathered.fail(error)),
        };
        let commit = std::mem::take(&mut gathered.commit);
        let watched = self.watcher.is_some();
        let mut batch =
            Batch::new(&self.world, self.steps, self.now, &mut self.dispatcher, commit, receipts, watched);
        for (ticket, queued) in std::mem::take(&mut gathered.retries) {
            batch.again(&ticket, queued);
        }
        batch.work(std::mem::take(&mut gathered.subjects), rows);
        let made = batch.finish().map_err(|reason| EngineError::Refused(reason.into()))?;
        if let Err(error) = self.commit(&made.commit, &mut gathered).await {
            return Err(gathered.fail(error));
        }
        self.committed(made, gathered);
        Ok(())
    }

    /// De-duplicates the submitted events and adds the new ones to the batch.
    async fn admit_events(&self, gathered: &mut Gathered) -> Result<Vec<Receipt>, StoreError> {
        let mut receipts = Vec::new();
        let mut fresh = Vec::new();
        for submission in &mut gathered.submissions {
            gathered.counts.push(submission.events.len());
            for (root, event) in submission.events.drain(..) {
                let refusal = intake::refuse(&self.world, &root, &event, self.now);
                receipts.push(match refusal {
                    Some((code, reason)) => {
                        let record = intake::quarantined(&root, &event, code, &reason, self.now);
                        gathered.commit.quarantine.push(record);
                        intake::refused(&reason)
                    }
                    None => {
                        fresh.push((receipts.len(), intake::identify(root, event)));
                        Receipt::Accepted
                    }
                });
            }
        }
        if fresh.is_empty() {
            return Ok(receipts);
        }
        let places: Vec<_> = fresh.iter().flat_map(|(_, event)| intake::places(event.identity)).collect();
        let mut known = intake::Known::new(&self.store.seen(&places).await?);
        for (place, event) in fresh {
            let repeated = known.repeated(&event.identity);
            if repeated == Some(Receipt::Conflict) {
                let reason = "another event has the same source and id";
                let record = intake::quarantined(&event.root, &event.event, "conflict", reason, self.now);
                gathered.commit.quarantine.push(record);
            }
            match (repeated, receipts.get_mut(place)) {
                (Some(repeated), Some(receipt)) => *receipt = repeated,
                _ => {
                    gathered.commit.dedup.push(event.identity);
                    let Some(Sym(kind)) = self.world.symbols.sym(event.root.entity) else { continue };
                    let item = Item { input: Input::Event(event.event), origin: Origin::Receipt(place) };
                    gathered.add(kind, event.root, item);
                }
            }
        }
        Ok(receipts)
    }

    async fn load(&self, gathered: &mut Gathered) -> Result<Vec<StateRow>, StoreError> {
        let mut rows = std::mem::take(&mut gathered.rows);
        let read: std::collections::HashSet<&RowKey> = rows.iter().map(|row| &row.key).collect();
        let keys = gathered.subjects.iter().map(|subject| &subject.key).filter(|key| !read.contains(key));
        let keys: Vec<RowKey> = keys.cloned().collect();
        if !keys.is_empty() {
            rows.extend(self.store.load(&keys).await?);
        }
        Ok(rows)
    }

    /// Commits; a disk that refuses is tried again for a while, with the submitters told at once.
    async fn commit(&self, commit: &Commit, gathered: &mut Gathered) -> Result<(), StoreError> {
        let mut pause = COMMIT_PAUSE;
        for _ in 1..COMMIT_TRIES {
            match self.store.commit(commit).await {
                Err(error @ (StoreError::Disk(_) | StoreError::Database(_))) => {
                    tracing::warn!(%error, "a commit failed and is tried again");
                    gathered.tell(&error);
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                other => return other,
            }
        }
        self.store.commit(commit).await
    }

    fn committed(&mut self, made: Made, gathered: Gathered) {
        self.batch = made.commit.batch;
        self.timers.committed(&made.commit.timers);
        for (ticket, delivery) in made.sends {
            self.dispatcher.send(ticket, delivery);
        }
        if let (Some(watcher), Some(decided)) = (&self.watcher, made.decided) {
            decided.iter().for_each(|(root, trace)| watcher(&self.world, root, trace));
        }
        let mut receipts = made.receipts.into_iter();
        for (submission, count) in gathered.submissions.into_iter().zip(gathered.counts) {
            // The submitter may have gone; its events are stored all the same.
            let _ = submission.reply.send(Ok(receipts.by_ref().take(count).collect()));
        }
        for reply in gathered.doors {
            let _ = reply.send(Ok(()));
        }
        self.stats.add(&made.counts);
        self.stats.add(&gathered.answered);
        self.stats.batches += 1;
        self.publish();
    }

    fn publish(&mut self) {
        self.stats.now = Some(self.now);
        self.stats.outbox = self.dispatcher.outstanding() as u64;
        self.stats.next_due = self.timers.next();
        self.stats_out.send_replace(self.stats.clone());
    }

    /// Waits for the answers to sends under way and commits them; takes nothing new.
    async fn wind_down(&mut self) -> Result<(), EngineError> {
        let end = tokio::time::sleep(LONGEST_STOP);
        tokio::pin!(end);
        while self.dispatcher.under_way() > 0 {
            tokio::select! {
                () = &mut end => break,
                Some(answer) = self.answers.recv() => self.inbox.answers.push_back(answer),
            }
            self.now = self.now.max(self.clock.now());
            self.receive();
            let gathered = self.gather().await?;
            self.process(gathered).await?;
        }
        Ok(())
    }
}

impl Inbox {
    fn command(&mut self, command: Command) {
        match command {
            Command::Submit { events, room, reply } => {
                self.submissions.push_back(Submission { events, _room: room, reply });
            }
            Command::Quarantine { records, reply } => self.quarantine.push((records, reply)),
            Command::Stop => self.stopping = true,
            admin => self.admin.push_back(admin),
        }
    }
}

impl Gathered {
    fn add(&mut self, kind: u32, root: RootKey, item: Item) {
        if let Some(subject) = self.places.get(&root).and_then(|&place| self.subjects.get_mut(place)) {
            subject.items.push(item);
            return;
        }
        let key = RowKey::new(kind, root.entity.as_str(), Arc::clone(&root.id));
        self.places.insert(root.clone(), self.subjects.len());
        self.subjects.push(Subject { root, key, items: vec![item] });
    }

    fn ticket(&mut self, world: &World, ticket: Ticket, input: Input) {
        let kind = ticket.queued.kind;
        let Some(root) = root(world, kind, &ticket.queued.id) else { return };
        self.add(kind, root, Item { input, origin: Origin::Ticket(Box::new(ticket)) });
    }

    fn page(&mut self, page: Page) {
        self.anything = true;
        self.commit.meta.push(page.meta);
        for row in page.rows {
            let root = RootKey { entity: page.root, id: Arc::clone(&row.key.id) };
            self.add(row.key.kind, root, Item { input: page.input.clone(), origin: Origin::Engine });
            self.rows.push(row);
        }
    }

    /// Tells the submitters that the store failed. What is left of the batch goes on without them.
    fn tell(&mut self, error: &StoreError) {
        let reason: Arc<str> = error.to_string().into();
        for submission in self.submissions.drain(..) {
            let _ = submission.reply.send(Err(SubmitError::Store(Arc::clone(&reason))));
        }
        for reply in self.doors.drain(..) {
            let _ = reply.send(Err(EngineError::Store(Arc::clone(&reason))));
        }
    }

    fn fail(mut self, error: StoreError) -> EngineError {
        self.tell(&error);
        error.into()
    }
}

fn root(world: &World, kind: u32, id: &Arc<str>) -> Option<RootKey> {
    let entity = world.symbols.name(Sym(kind))?;
    Some(RootKey { entity, id: Arc::clone(id) })
}
