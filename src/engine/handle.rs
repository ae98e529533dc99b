//! What the doors hold: a cloneable handle to the running engine.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use super::audience::{self, Funnel};
use super::audit;
use super::desk;
use super::fill::Filling;
use super::gallery;
use super::trial;
use crate::channel::track::short;
use crate::ledger::Act;
use crate::name::Name;
use crate::program::{Bundle, Picture};
use crate::step::horizon::Short;
use crate::step::slots::{self, Standing};
use crate::step::world::Kill;
use crate::step::{Event, RootKey, State, World, codec};
use crate::store::{
    Acted, Directory, Ledger, Lotteries, PartnerCodes, Quarantined, RowKey, Store, StoreError, TaskRow,
};

/// What became of one submitted event. Given only once it is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    Accepted,
    /// The same (source, id) with the same payload is already stored.
    Duplicate,
    /// The same (source, id) with another payload is already stored; this one went to quarantine.
    Conflict,
    /// Kept with its reason, not processed.
    Quarantined(Arc<str>),
    /// Kept in the state of a subject whose attributes have not arrived yet.
    Parked,
    /// Known from an import: nobody acts on it.
    Imported,
}

/// Nothing of the chunk this answers was taken; the caller may submit it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubmitError {
    /// The queue is full: try again in a moment.
    Busy,
    /// The engine is stopping or has stopped.
    Stopped,
    /// The store failed, in words for people.
    Store(Arc<str>),
}

impl fmt::Display for SubmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("the queue is full"),
            Self::Stopped => f.write_str("the engine has stopped"),
            Self::Store(reason) => write!(f, "the store failed: {reason}"),
        }
    }
}

impl std::error::Error for SubmitError {}

/// Why the engine could not start, deploy or go on, in words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineError {
    Stopped,
    Store(Arc<str>),
    /// The deployment is of a format this build does not know, or holds something it cannot run.
    Refused(Arc<str>),
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("the engine has stopped"),
            Self::Store(reason) => write!(f, "the store failed: {reason}"),
            Self::Refused(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for EngineError {}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string().into())
    }
}

/// Counts since the engine started, and what is under way now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Domain time of the last batch.
    pub now: Option<Timestamp>,
    pub batches: u64,
    pub accepted: u64,
    pub duplicates: u64,
    pub parked: u64,
    /// Events and attributes that were told of the past only; among those accepted.
    pub imported: u64,
    pub quarantined: u64,
    /// Messages put into the outbox, taken by providers, refused at dispatch, and failed for good.
    pub enqueued: u64,
    pub sent: u64,
    pub dropped: u64,
    pub failed: u64,
    /// Attempts that were not the first.
    pub retries: u64,
    /// Messages known to be waiting for their dispatch or their answer (those in memory).
    pub outbox: u64,
    /// The earliest timer; behind `now` when the engine is catching up.
    pub next_due: Option<Timestamp>,
    /// The history that a deployment waits for.
    pub filling: Option<Filling>,
    /// Conditions that look further back than anything is known.
    pub short: Arc<[Short]>,
    /// Groups of buckets that this worker holds.
    pub groups: u64,
}

impl Stats {
    /// Adds the counts of `other`.
    pub(super) fn add(&mut self, other: &Self) {
        self.batches += other.batches;
        self.accepted += other.accepted;
        self.duplicates += other.duplicates;
        self.parked += other.parked;
        self.imported += other.imported;
        self.quarantined += other.quarantined;
        self.enqueued += other.enqueued;
        self.sent += other.sent;
        self.dropped += other.dropped;
        self.failed += other.failed;
        self.retries += other.retries;
    }
}

/// Events in the queue before [`SubmitError::Busy`].
pub(super) const QUEUE: usize = 20_000;
/// Events per message to the engine; a longer submission is split.
pub(super) const CHUNK: usize = 1_000;

/// How often somebody was found to be somebody else, one after the other, before a page gives up.
const MOST_MERGES: usize = 8;

type Submitted = oneshot::Receiver<Result<Vec<Receipt>, SubmitError>>;

pub(super) enum Command {
    Submit {
        events: Vec<(RootKey, Event)>,
        /// Gives the queue its room back when the events have been answered.
        room: Option<OwnedSemaphorePermit>,
        reply: oneshot::Sender<Result<Vec<Receipt>, SubmitError>>,
    },
    Quarantine {
        records: Vec<Quarantined>,
        reply: oneshot::Sender<Result<(), EngineError>>,
    },
    Deploy {
        bundle: Box<Bundle>,
        reply: oneshot::Sender<Result<(), EngineError>>,
    },
    Kill {
        seen: u64,
        kill: Kill,
        reply: oneshot::Sender<Result<(), EngineError>>,
    },
    Stop,
}

/// Cheap to clone; the engine runs until [`EngineHandle::stop`].
#[derive(Clone)]
pub struct EngineHandle {
    pub(super) commands: mpsc::UnboundedSender<Command>,
    /// One permit per event in the queue: what bounds it.
    pub(super) room: Arc<Semaphore>,
    pub(super) stats: watch::Receiver<Stats>,
    pub(super) world: watch::Receiver<Arc<World>>,
    pub(super) clock: Arc<dyn super::clock::Clock>,
    /// For reading.
    pub(super) store: Arc<dyn Store>,
    /// Why nothing can be stored at the moment.
    pub(super) trouble: watch::Receiver<Option<Arc<str>>>,
}

impl EngineHandle {
    /// Submits events in order; returns once each is durable, with one receipt per event.
    ///
    /// # Errors
    /// [`SubmitError::Busy`] when the queue has no room for all of them, [`SubmitError::Store`] while the store refuses
    /// to write: the engine goes on when it agrees again. After [`SubmitError::Store`] or [`SubmitError::Stopped`] some may be stored: submit them again, de-duplication makes that safe.
    pub async fn submit(&self, events: Vec<(RootKey, Event)>) -> Result<Vec<Receipt>, SubmitError> {
        let replies = self.enqueue(events)?;
        let mut receipts = Vec::new();
        for reply in replies {
            receipts.extend(reply.await.map_err(|_| SubmitError::Stopped)??);
        }
        Ok(receipts)
    }

    fn enqueue(&self, mut events: Vec<(RootKey, Event)>) -> Result<Vec<Submitted>, SubmitError> {
        if self.room.is_closed() {
            return Err(SubmitError::Stopped);
        }
        if let Some(reason) = &*self.trouble.borrow() {
            return Err(SubmitError::Store(Arc::clone(reason)));
        }
        let count = u32::try_from(events.len().min(QUEUE)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).try_acquire_many_owned(count);
        let mut room = room.map_err(|_| SubmitError::Busy)?;
        let mut replies = Vec::new();
        while !events.is_empty() {
            let rest = events.split_off(events.len().min(CHUNK));
            let (reply, answer) = oneshot::channel();
            let events = std::mem::replace(&mut events, rest);
            let room = room.split(events.len());
            let command = Command::Submit { events, room, reply };
            self.commands.send(command).map_err(|_| SubmitError::Stopped)?;
            replies.push(answer);
        }
        Ok(replies)
    }

    /// Keeps records that a door set aside; they are not processed. Returns once they are durable.
    pub async fn quarantine(&self, records: Vec<Quarantined>) -> Result<(), EngineError> {
        self.ask(|reply| Command::Quarantine { records, reply }).await
    }

    /// Makes `bundle` the live deployment, at the next batch boundary. Returns once it is durable and live. After
    /// [`EngineError::Store`] it may be so all the same: deploy it again.
    pub async fn deploy(&self, mut bundle: Bundle) -> Result<(), EngineError> {
        // Before: whoever is shown a content finds its pictures.
        gallery::keep(&*self.store, std::mem::take(&mut bundle.pictures)).await?;
        self.ask(|reply| Command::Deploy { bundle: Box::new(bundle), reply }).await
    }

    /// Sets the kill switches, at the next batch boundary. `seen`: which setting of them
    /// ([`World::switched`]) whoever asks has looked at.
    ///
    /// # Errors
    /// If somebody has set them since: it would be taken back unseen.
    pub async fn kill(&self, seen: u64, kill: Kill) -> Result<(), EngineError> {
        self.ask(|reply| Command::Kill { seen, kill, reply }).await
    }

    /// Counts an audience over the whole store, beside the work of the engine; `None` if no live journey asks it.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn audience(&self, name: Name) -> Result<Option<Funnel>, EngineError> {
        let world = self.world();
        audience::count(&*self.store, &world, name, self.now()).await
    }

    /// How the experiments stand that have a winner.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn experiments(&self) -> Result<Vec<trial::Standing>, EngineError> {
        trial::standings(&*self.store, &self.world()).await
    }

    /// The directory of work; `None`: the store keeps none.
    #[must_use]
    pub fn directory(&self) -> Option<&dyn Directory> {
        self.store.directory()
    }

    /// The books; `None`: the store keeps none.
    #[must_use]
    pub fn ledger(&self) -> Option<&dyn Ledger> {
        self.store.ledger()
    }

    /// Codes of partners; `None`: the store keeps none.
    #[must_use]
    pub fn codes(&self) -> Option<&dyn PartnerCodes> {
        self.store.codes()
    }

    /// Lotteries and their draws; `None`: the store keeps none.
    #[must_use]
    pub fn lotteries(&self) -> Option<&dyn Lotteries> {
        self.store.lotteries()
    }

    /// What may still happen to a gift happens to it, once; `None`: the store keeps no books.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn act(&self, gift: &str, act: Act) -> Result<Option<Acted>, EngineError> {
        Ok(audit::act(&*self.store, gift, act, self.now()).await?)
    }

    /// The task of this id.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn task(&self, id: &str) -> Result<Option<TaskRow>, EngineError> {
        let (Some(directory), Some(bucket)) = (self.store.directory(), desk::bucket_of(id)) else {
            return Ok(None);
        };
        Ok(directory.task(self.store.lease().group(bucket), id).await?)
    }

    /// What is kept under the short name of a link.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn link(&self, name: &str) -> Result<Option<Vec<u8>>, EngineError> {
        let (Some(links), Some(bucket)) = (self.store.links(), short::bucket_of(name)) else {
            return Ok(None);
        };
        let group = self.store.lease().group(bucket);
        let found = links.links(&[(group, name.to_owned())]).await?;
        Ok(found.into_iter().next().map(|row| row.body))
    }

    /// A picture that was deployed, by the hash of what is in it.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn picture(&self, hash: &str) -> Result<Option<Picture>, EngineError> {
        Ok(gallery::picture(&*self.store, hash).await?)
    }

    /// What stands in these slots for a root: one look at its row, or at that of whoever it was found to be.
    ///
    /// # Errors
    /// If the store cannot be read, or the row is of a format that this build does not know.
    pub async fn slots(&self, root: &RootKey, slots: &[Name]) -> Result<Vec<Standing>, EngineError> {
        let (world, now) = (self.world(), self.now());
        Ok(match self.row_of(root).await? {
            (root, Some(state)) => slots::standing(&world, &root, state, slots, now),
            _ => Vec::new(),
        })
    }

    /// Who `root` was found to be, and their state; `None`: there is none.
    pub(super) async fn row_of(&self, root: &RootKey) -> Result<(RootKey, Option<State>), EngineError> {
        let world = self.world();
        let mut root = root.clone();
        for _ in 0..MOST_MERGES {
            let Some(kind) = world.symbols.sym(root.entity) else { break };
            let key = RowKey::new(kind.0, root.entity.as_str(), Arc::clone(&root.id));
            let Some(row) = self.store.load(&[key]).await?.pop() else { break };
            let state =
                codec::decode(&row.body).map_err(|error| EngineError::Refused(error.to_string().into()))?;
            match &state.merged {
                Some(merged) => root = merged.into.clone(),
                None => return Ok((root, Some(state))),
            }
        }
        Ok((root, None))
    }

    /// What is live now: the schema to validate against, the switches.
    pub fn world(&self) -> Arc<World> {
        Arc::clone(&self.world.borrow())
    }

    /// The clock of this engine.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn super::clock::Clock> {
        Arc::clone(&self.clock)
    }

    /// Domain time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn stats(&self) -> Stats {
        self.stats.borrow().clone()
    }

    /// Stops after the batch under way and the sends under way. Returns when the store may be closed.
    pub async fn stop(&self) {
        self.room.close();
        // A closed channel means that it has stopped already.
        let _ = self.commands.send(Command::Stop);
        self.commands.closed().await;
    }

    async fn ask(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<(), EngineError>>) -> Command,
    ) -> Result<(), EngineError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).map_err(|_| EngineError::Stopped)?;
        answer.await.map_err(|_| EngineError::Stopped)?
    }
}
