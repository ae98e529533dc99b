//! The loop: gather what there is, make one batch of it, commit, answer. Nothing waits artificially; while a batch
//! commits, the next one's inputs queue up and make it larger.
//!
//! Whatever is not committed is gone with the process, and nothing else is. A store that refuses for a while is waited
//! for, with everybody told; a failure that does not pass stops the engine, and the next start begins from the store.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use super::batch::{Batch, Made, Setting};
use super::carry;
use super::clock::Clock;
use super::close::Closings;
use super::dispatch::{Answer, Dispatcher};
use super::fill::Fills;
use super::gather::{Gathered, Reply, Submission};
use super::handle::{Command, EngineError, Stats, SubmitError};
use super::last::{self, Moment};
use super::patient::{self, Patience, Trouble};
use super::share::{Before, Sharing};
use super::shorten::Shortener;
use super::start::{Upkeep, Watcher};
use super::sweep::Sweeps;
use super::till::{self, Till};
use super::timers::Timers;
use super::trial::Trials;
use super::trim::Trims;
use super::work::Steps;
use super::{deploy, lottery, refer};
use crate::lottery::Seal;
use crate::name::Name;
use crate::program::Bundle;
use crate::step::{Kill, World};
use crate::store::{Commit, Lease, Quarantined, Store, StoreError, Want, Wants};

/// How long a stop waits for sends under way; their messages stay in the outbox.
const LONGEST_STOP: Duration = Duration::from_secs(15);

/// How long a deployment waits before it is tried again.
const RIPE_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Engine {
    /// Its reads are patient.
    pub store: Arc<dyn Store>,
    pub trouble: Trouble,
    pub clock: Arc<dyn Clock>,
    pub steps: Steps,
    pub watcher: Option<Watcher>,
    pub world: Arc<World>,
    pub dispatcher: Dispatcher,
    pub timers: Timers,
    pub sweeps: Sweeps,
    /// Not before this goes the next page of a sweep.
    pub sweep_after: Option<Timestamp>,
    pub upkeep: Upkeep,
    pub park_ms: i64,
    pub fills: Fills,
    pub trials: Trials,
    pub trims: Trims,
    pub closings: Closings,
    pub shortener: Option<Shortener>,
    pub seal: Option<Arc<Seal>>,
    pub commands: mpsc::UnboundedReceiver<Command>,
    pub answers: mpsc::UnboundedReceiver<Answer>,
    pub stats_out: watch::Sender<Stats>,
    pub world_out: watch::Sender<Arc<World>>,
    pub stats: Stats,
    pub moment: Moment,
    /// The answer to a deployment or a switch was lost: memory and store may differ.
    pub doubtful: bool,
    pub lease: Lease,
    pub batch: u64,
    pub before: Before,
    pub inbox: Inbox,
    /// Of what is on its way from row to row.
    pub keys: carry::Keys,
    /// `None`: nobody else ever writes this store.
    pub sharing: Option<Sharing>,
    /// Of the deployment that is live here.
    pub version: u64,
    /// Accounts that the last batch gave of, with their limits.
    pub asked: Vec<(String, i64)>,
}

/// What has arrived and is not in a batch yet.
#[derive(Default)]
pub(super) struct Inbox {
    pub submissions: VecDeque<Submission>,
    pub quarantine: Vec<(Vec<Quarantined>, Reply<(), EngineError>)>,
    pub admin: VecDeque<Command>,
    pub answers: VecDeque<Answer>,
    /// There may be something in the store for our own rows: from the last batch, or an earlier life.
    pub posted: bool,
    pub stopping: bool,
}

impl Engine {
    /// Runs until it is stopped or something fails for good.
    pub(super) async fn run(mut self) -> Result<(), EngineError> {
        self.make_up().await;
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
            self.moment = self.moment.at(self.clock.now());
            self.receive();
            self.administer().await;
            if !self.inbox.stopping {
                self.share().await?;
                self.before_events().await?;
            }
            // Last: nothing may come between a history that is complete and its deployment.
            self.ripen().await;
            self.trim().await;
            if !self.inbox.stopping {
                self.decide().await;
            }
            self.close().await;
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
        let now = self.moment.now;
        let sweeps = self.sweeps.next(now).map(|next| self.sweep_after.map_or(next, |at| at.max(next)));
        let fills = self.fills.next(now).filter(|_| self.lease.is_whole());
        let next = [
            self.timers.next(),
            self.dispatcher.next(now),
            sweeps,
            fills,
            self.trials.next(),
            self.trims.next(),
            self.closings.next(&*self.store),
        ];
        let next = next.into_iter().flatten().min().unwrap_or(Timestamp::MAX);
        // In this order: who looks first must not be chance. Each turn takes all there is, so nobody starves.
        tokio::select! {
            biased;
            command = self.commands.recv() => match command {
                Some(command) => self.inbox.command(command),
                None => self.inbox.stopping = true,
            },
            Some(answer) = self.answers.recv() => self.inbox.answers.push_back(answer),
            () = tick(&mut self.sharing) => {}
            () = self.clock.wait_until(next), if next < Timestamp::MAX => {}
        }
    }

    /// Deployments and switches, at a batch boundary.
    async fn administer(&mut self) {
        while let Some(command) = self.inbox.admin.pop_front() {
            let (done, reply) = match command {
                Command::Deploy { bundle, reply } => (self.deploy(*bundle, &BTreeSet::new()).await, reply),
                Command::Kill { seen, kill, reply } => (self.kill(seen, kill).await, reply),
                _ => continue,
            };
            self.doubtful |= done.is_err();
            // The asker may have gone; what it asked for is done all the same.
            let _ = reply.send(done);
        }
        if let Err(error) = self.catch_up().await {
            tracing::warn!(%error, "what is live cannot be read again yet");
        }
    }

    /// `filled`: conditions whose past is filled in.
    async fn deploy(&mut self, bundle: Bundle, filled: &BTreeSet<Name>) -> Result<(), EngineError> {
        self.catch_up().await?;
        while !(self.fills.awaits(&bundle) && filled.is_empty()) && deploy::is_new(&self.world, &bundle)? {
            let base = self.version;
            let seal = self.seal.as_deref();
            lottery::publish(&*self.store, &self.world, &bundle, (self.moment.now, seal)).await?;
            let plan = self
                .fills
                .plan(&*self.store, &self.world, bundle.clone(), filled, (self.batch, self.moment.now))
                .await?;
            match deploy::deploy(&*self.store, &self.world, base, plan).await {
                Ok(world) => {
                    self.take_up(world, base.saturating_add(1)).await?;
                    self.deployed();
                    return Ok(());
                }
                // Another worker has deployed meanwhile: perhaps the same, perhaps what goes before a history.
                Err(_) if self.refresh().await? => {
                    if !filled.is_empty() && !self.fills.awaits(&bundle) {
                        return Ok(());
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn deployed(&mut self) {
        if let Some(filling) = self.fills.progress(self.batch) {
            let journeys = filling.journeys.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
            tracing::info!(journeys, batches = filling.of, "history is filled in; until then these wait");
        }
        for short in self.stats.short.iter() {
            let (journey, from) = (short.journey.as_str(), short.from);
            tracing::warn!(journey, condition = short.condition, %from, "what happened before is not known to it");
        }
        self.publish();
    }

    /// Makes the deployment live that has waited for its history.
    async fn ripen(&mut self) {
        let Some((bundle, filled)) = self.fills.ripe() else { return };
        tracing::info!(bundle = %bundle.hash, "history is filled in; the deployment goes live");
        if let Err(error) = self.deploy(bundle, &filled).await {
            tracing::warn!(%error, "the deployment that has its history now cannot go live yet");
            self.doubtful = true;
            tokio::time::sleep(RIPE_PAUSE).await;
        }
    }

    /// Not while history is filled in from the log.
    async fn trim(&mut self) {
        if self.inbox.stopping || self.fills.replaying().is_some() {
            return;
        }
        if let Err(error) = self.trims.go(&*self.store, &self.world, self.moment.now).await {
            tracing::warn!(%error, "old records cannot be deleted; it is tried again");
        }
    }

    async fn close(&mut self) {
        if let Err(error) = self.closings.go(&*self.store, self.seal.as_deref(), self.moment.now).await {
            tracing::warn!(%error, "what is over cannot be closed; it is tried again");
        }
    }

    /// The wish may have waited here for long, and others may have set switches since, here or elsewhere: who asked did not see
    /// that, and would take it back.
    async fn kill(&mut self, seen: u64, kill: Kill) -> Result<(), EngineError> {
        self.refresh().await?;
        if self.world.switched != seen {
            let reason = "switches were set by somebody else meanwhile, look at them and try again";
            return Err(EngineError::Store(reason.into()));
        }
        let version = deploy::kill(&*self.store, self.version, &kill).await?;
        self.version = version;
        let mut world = World::clone(&self.world);
        (world.kill, world.switched) = (kill, version);
        self.go_live(world);
        Ok(())
    }

    /// What was said to have failed may have been written: then it is live.
    async fn catch_up(&mut self) -> Result<(), EngineError> {
        if self.doubtful {
            let (world, version) = deploy::load(&*self.store, &self.world.zone).await?;
            self.take_up(world, version).await?;
            self.doubtful = false;
        }
        Ok(())
    }

    pub(super) async fn take_up(&mut self, mut world: World, version: u64) -> Result<(), EngineError> {
        refer::load(&*self.store, &mut world).await?;
        lottery::load(&*self.store, &mut world, self.seal.as_deref()).await?;
        self.fills = Fills::open(&*self.store, &mut world, self.upkeep).await?;
        world.recorded = self.dispatcher.recorded();
        world.park_ms = self.park_ms;
        self.dispatcher.open_lanes(&world, &*self.store).await?;
        self.sweeps = Sweeps::open(&*self.store, &world, self.moment.now).await?;
        self.trials = Trials::open(&*self.store, &world).await?;
        self.version = version;
        self.stats.short = self.fills.short(&world, self.moment.now);
        self.go_live(world);
        self.make_up().await;
        Ok(())
    }

    async fn make_up(&self) {
        if let Err(error) = till::make_up(&*self.store, &self.world, self.moment.now).await {
            tracing::warn!(%error, "budgets cannot be looked at yet");
        }
    }

    pub(super) fn go_live(&mut self, world: World) {
        self.dispatcher.heed(&world.kill);
        self.world = Arc::new(world);
        self.world_out.send_replace(Arc::clone(&self.world));
    }

    async fn process(&mut self, mut gathered: Gathered) -> Result<(), EngineError> {
        let (receipts, rows) = match self.admit_events(&mut gathered).await {
            Ok(admitted) => admitted,
            Err(error) => return Err(gathered.fail(error)),
        };
        let till = match self.till().await {
            Ok(till) => till,
            Err(error) => return Err(gathered.fail(error)),
        };
        let mut commit = std::mem::take(&mut gathered.commit);
        last::mark(&self.lease, &mut commit, self.moment);
        let setting = Setting {
            world: &self.world,
            steps: self.steps,
            moment: self.moment,
            lease: &self.lease,
            watched: self.watcher.is_some(),
            replaying: self.fills.replaying(),
        };
        let mut batch = Batch::new(&setting, &mut self.dispatcher, commit, receipts, till);
        for (ticket, queued) in std::mem::take(&mut gathered.retries) {
            batch.again(&ticket, queued);
        }
        batch.pass_on(std::mem::take(&mut gathered.foreign));
        batch.work(std::mem::take(&mut gathered.subjects), rows);
        match supply(&mut batch, &*self.store, &self.trouble).await {
            Ok(()) => {}
            Err(error @ StoreError::Fenced) if self.sharing.is_some() => {
                gathered.tell(&error);
                return self.begin_anew(gathered.heard).await;
            }
            Err(error) => return Err(gathered.fail(error)),
        }
        let mut made = batch.finish(&mut self.keys).map_err(|reason| EngineError::Refused(reason.into()))?;
        let counted = std::mem::take(&mut made.counted);
        let marked = self.trials.mark(counted, &self.lease, self.moment.now, &mut made.commit.meta);
        if self.sharing.is_some() {
            refer::mark(&self.world, &self.lease, &mut made.commit);
        }
        let shortened = match &self.shortener {
            Some(shortener) => shortener.shorten(&*self.store, &self.world, &self.lease, &mut made).await,
            None => Ok(()),
        };
        if let Err(error) = shortened {
            return Err(gathered.fail(error));
        }
        match self.commit(&made.commit, &mut gathered).await {
            Ok(()) => {}
            Err(error @ StoreError::Fenced) if self.sharing.is_some() => {
                gathered.tell(&error);
                return self.begin_anew(gathered.heard).await;
            }
            Err(error) => return Err(gathered.fail(error)),
        }
        let closed = std::mem::take(&mut made.till);
        self.committed(made, gathered);
        self.trials.committed(marked, &self.world);
        till::settle(&*self.store, &self.world, &closed, self.moment.now).await;
        self.asked = closed.next;
        Ok(())
    }

    /// What the last batch gave of is likely to be asked for again.
    async fn till(&mut self) -> Result<Till, StoreError> {
        let mut till = Till::new(self.store.ledger().is_some());
        let look = |(account, most)| Want { account, most, spent: 0 };
        let accounts = std::mem::take(&mut self.asked).into_iter().map(look).collect();
        let looks = Wants { accounts, ..Wants::default() };
        till.fill(&looks, till::take(&*self.store, &self.trouble, &looks).await?);
        Ok(till)
    }

    /// Commits. A store that refuses is asked again until it agrees, with the submitters told at once.
    async fn commit(&mut self, commit: &Commit, gathered: &mut Gathered) -> Result<(), StoreError> {
        let mut patience = Patience::new();
        let mut tried = false;
        loop {
            let error = match self.store.commit(commit).await {
                Ok(()) => break,
                // The answer to an earlier try was lost, and not what it wrote.
                Err(StoreError::Fenced) if tried && last::is_written(&*self.store, commit).await? => break,
                Err(error) => error,
            };
            tried = true;
            let Some(pause) = patience.pause(&error) else { return Err(error) };
            patient::tell(&self.trouble, Some(&error));
            gathered.tell(&error);
            tokio::time::sleep(pause).await;
            self.receive();
            self.inbox.refuse(&error);
            if self.inbox.stopping {
                return Err(error);
            }
        }
        if tried {
            patient::tell(&self.trouble, None);
        }
        Ok(())
    }

    fn committed(&mut self, made: Made, gathered: Gathered) {
        self.batch = made.commit.batch;
        self.timers.committed(&made.commit.timers);
        for (ticket, delivery) in made.sends {
            self.dispatcher.send(ticket, delivery);
        }
        if let (Some(watcher), Some(decided)) = (&self.watcher, made.decided) {
            for (root, trace) in &decided {
                watcher(&self.world, root, trace);
            }
        }
        if let Some(world) = refer::update(&self.world, &made.commit.states) {
            self.go_live(world);
        }
        self.inbox.posted |= made.commit.inbox.iter().any(|row| self.lease.holds(row.at.group));
        let mut receipts = made.receipts.into_iter();
        for (submission, count) in gathered.submissions.into_iter().zip(gathered.counts) {
            drop(submission.room);
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

    pub(super) fn publish(&mut self) {
        self.stats.now = Some(self.moment.now);
        self.stats.filling = self.fills.progress(self.batch);
        self.stats.outbox = self.dispatcher.outstanding() as u64;
        self.stats.next_due = self.timers.next();
        self.stats.groups = self.lease.groups.len() as u64;
        self.stats_out.send_replace(self.stats.clone());
    }

    /// Waits for the answers to sends under way and commits them; takes nothing new.
    async fn wind_down(&mut self) -> Result<(), EngineError> {
        let end = tokio::time::sleep(LONGEST_STOP);
        tokio::pin!(end);
        while self.dispatcher.under_way() > 0 {
            tokio::select! {
                biased;
                () = &mut end => break,
                Some(answer) = self.answers.recv() => self.inbox.answers.push_back(answer),
                () = tick(&mut self.sharing) => {
                    self.keep_looking().await;
                    continue;
                }
            }
            self.moment = self.moment.at(self.clock.now());
            self.receive();
            let gathered = self.gather().await?;
            self.process(gathered).await?;
        }
        Ok(())
    }
}

/// Takes what the subjects of a batch ask for of what all share, and steps those who waited for it.
async fn supply(batch: &mut Batch<'_>, store: &dyn Store, trouble: &Trouble) -> Result<(), StoreError> {
    loop {
        let wants = batch.wants();
        if wants.asks.is_empty() {
            return Ok(());
        }
        let blocks = till::take(store, trouble, &wants).await?;
        batch.work_on(&wants, blocks);
    }
}

/// Pends for ever where nothing is shared.
async fn tick(sharing: &mut Option<Sharing>) {
    match sharing {
        Some(sharing) => sharing.tick().await,
        None => std::future::pending().await,
    }
}

impl Inbox {
    /// Tells those who wait that nothing can be stored.
    fn refuse(&mut self, error: &StoreError) {
        let reason: Arc<str> = error.to_string().into();
        for submission in self.submissions.drain(..) {
            let _ = submission.reply.send(Err(SubmitError::Store(Arc::clone(&reason))));
        }
        for (_, reply) in self.quarantine.drain(..) {
            let _ = reply.send(Err(EngineError::Store(Arc::clone(&reason))));
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Submit { events, room, reply } => {
                self.submissions.push_back(Submission { events, room, reply });
            }
            Command::Quarantine { records, reply } => self.quarantine.push((records, reply)),
            Command::Stop => self.stopping = true,
            admin => self.admin.push_back(admin),
        }
    }
}
