//! Several workers on one store: which groups are ours, handing them over, and what others left for us.
//!
//! At each heartbeat the store says who holds what. A group that is given back is first left alone: its messages stay in
//! the outbox, and the sends under way are waited for, so that the next owner sends nothing a second time; its events
//! and timers go on here until then. What others left is taken before what comes by our own door when a group is new
//! here, so that nothing overtakes. Of a group that is lost everything is forgotten, also what waits for its turn at a channel;
//! the others go on. A commit that is refused means that we stood still for too long: the store says what is true, and memory keeps
//! only the sends under way of groups that are still ours, with the answers that have come.
//!
//! While history is filled in from the log, one worker holds all groups, because what was replayed is behind nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::carry::Carried;
use super::dispatch::Answer;
use super::fill::Fills;
use super::gather::Gathered;
use super::handle::EngineError;
use super::patient::Patience;
use super::run::Engine;
use super::sweep::Sweeps;
use super::timers::Timers;
use super::trial::Trials;
use super::{deploy, last, refer};
use crate::step::World;
use crate::store::{Lease, Quarantined, RowRef, Share, StoreError};

/// Between two looks at what others left.
const LOOK: Duration = Duration::from_millis(50);
/// Rows read at once.
const MOST_LEFT: usize = 256;
/// How long sends under way keep a group that is to be given back. After this they are sent again by its next owner,
/// under the same keys.
const LONGEST_LEAVE: Duration = Duration::from_secs(10);

/// Where several workers may share a store.
pub(super) struct Sharing {
    beat: Interval,
    poll: Interval,
    /// Alive, this one included.
    workers: usize,
    /// To be settled; to be looked at.
    due: bool,
    look: bool,
    /// Groups are new here, and not everything that was left for them has been taken.
    behind: bool,
    /// Groups to be given back, and since when they are left alone.
    leaving: BTreeSet<u16>,
    since: Instant,
    /// What others have written of rows that journeys look at.
    references: BTreeSet<(String, String)>,
}

impl Sharing {
    pub(super) fn every(beat: Duration) -> Self {
        let every = |period| {
            let mut ticks = interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        };
        Self {
            beat: every(beat),
            poll: every(LOOK),
            workers: 1,
            due: true,
            look: true,
            behind: true,
            leaving: BTreeSet::new(),
            since: Instant::now(),
            references: BTreeSet::new(),
        }
    }

    /// Waits until there is something to settle or to look at.
    pub(super) async fn tick(&mut self) {
        tokio::select! {
            _ = self.beat.tick() => (self.due, self.look) = (true, true),
            _ = self.poll.tick(), if self.workers > 1 => self.look = true,
        }
    }

    /// The same, without waiting.
    fn notice(&mut self) {
        while self.tick().now_or_never().is_some() {}
    }
}

impl Engine {
    /// Settles who holds what, at a batch boundary.
    pub(super) async fn share(&mut self) -> Result<(), EngineError> {
        let Some(sharing) = &mut self.sharing else { return Ok(()) };
        sharing.notice();
        let leaving = &sharing.leaving;
        // Answers that are there are written first, however long we stood still: the next owner would ask once more.
        let answered = self.inbox.answers.iter().any(|answer| leaving.contains(&answer.ticket.row.group));
        let waited = sharing.since.elapsed() > LONGEST_LEAVE && !answered;
        let gives = !leaving.is_empty() && (self.dispatcher.is_quiet(leaving) || waited);
        if !sharing.due && !gives {
            return Ok(());
        }
        sharing.due = false;
        let given: Vec<u16> = sharing.leaving.iter().copied().filter(|_| gives).collect();
        let share = match self.store.share(&given, self.fills.is_open()).await {
            Ok(share) => share,
            Err(error @ StoreError::Fenced) => return Err(error.into()),
            Err(error) => {
                tracing::warn!(%error, "who holds which groups cannot be settled yet");
                Share { lease: self.store.lease(), surplus: Vec::new(), workers: sharing.workers }
            }
        };
        self.settle(share, false).await?;
        self.look_around().await
    }

    /// Takes up what was settled. `anew`: memory may be wrong, also of groups that are still ours.
    async fn settle(&mut self, share: Share, anew: bool) -> Result<(), EngineError> {
        let Share { lease, surplus, workers } = share;
        let before = std::mem::replace(&mut self.lease, lease);
        self.batch = self.lease.batch;
        let Some(sharing) = &mut self.sharing else { return Ok(()) };
        if sharing.workers != workers {
            tracing::info!(workers, groups = self.lease.groups.len(), "workers share the store");
            sharing.workers = workers;
            self.dispatcher.share(workers);
        }
        let (lost, gained) = (missing(&before, &self.lease), missing(&self.lease, &before));
        let taken_away = !lost.is_subset(&sharing.leaving);
        sharing.leaving.retain(|group| !lost.contains(group));
        let leaves = sharing.leaving.is_empty() && !surplus.is_empty();
        if leaves {
            sharing.leaving = surplus.into_iter().collect();
            sharing.since = Instant::now();
        }
        if !gained.is_empty() {
            (sharing.behind, sharing.look) = (true, true);
        }
        let leaving = sharing.leaving.clone();
        if taken_away || anew {
            tracing::warn!(?lost, "groups were taken over; going on with what the store says");
        }
        if anew {
            self.dispatcher.lose(&lost);
            self.dispatcher.begin_anew();
            self.dispatcher.open_lanes(&self.world, &*self.store).await?;
        } else {
            self.dispatcher.lose(&lost);
            if !gained.is_empty() {
                self.dispatcher.gain(&gained, self.batch);
            }
        }
        if leaves || anew {
            self.dispatcher.leave(&leaving);
        }
        if anew {
            self.before = Before::all(self.batch);
        }
        self.before.gain(&gained, self.batch);
        if !(lost.is_empty() && gained.is_empty()) {
            tracing::info!(?gained, ?lost, "groups changed hands");
            self.take_over().await?;
        }
        Ok(())
    }

    /// What the groups bring with them.
    async fn take_over(&mut self) -> Result<(), EngineError> {
        self.moment = self.moment.after(last::of_all(&*self.store).await?);
        if self.fills.is_open() {
            // Another worker may have replayed more of the log.
            let mut world = World::clone(&self.world);
            self.fills = Fills::open(&*self.store, &mut world, self.upkeep).await?;
            self.go_live(world);
        }
        self.timers = Timers::open(&*self.store).await?;
        self.sweeps = Sweeps::open(&*self.store, &self.world, self.moment.now).await?;
        self.trials = Trials::open(&*self.store, &self.world).await?;
        self.publish();
        Ok(())
    }

    /// A commit failed because groups are not ours any more. Whatever memory holds may be wrong, but for the sends that are
    /// under way from groups that are still ours: `heard`, the answers in the commit, are to be taken once more.
    pub(super) async fn begin_anew(&mut self, heard: Vec<Answer>) -> Result<(), EngineError> {
        for answer in heard.into_iter().rev() {
            self.dispatcher.unheard(&answer);
            self.inbox.answers.push_front(answer);
        }
        let mut patience = Patience::new();
        let share = loop {
            match self.store.share(&[], self.fills.is_open()).await {
                Ok(share) => break share,
                Err(error) => {
                    let Some(pause) = patience.pause(&error) else { return Err(error.into()) };
                    tokio::time::sleep(pause).await;
                }
            }
        };
        self.settle(share, true).await?;
        self.take_over().await
    }

    /// Notices what other workers have deployed, and what they have written of rows that journeys look at.
    async fn look_around(&mut self) -> Result<(), EngineError> {
        self.refresh().await?;
        if self.world.references.kinds().is_empty() {
            return Ok(());
        }
        let names: Vec<String> = (0..64).map(refer::mark_name).collect();
        let found: BTreeSet<(String, String)> = self.store.metas(&names).await?.into_iter().collect();
        let own = self.lease.groups.first().map(|(group, _)| refer::mark_name(*group));
        let Some(sharing) = &mut self.sharing else { return Ok(()) };
        let news = found.difference(&sharing.references).any(|(name, _)| Some(name) != own.as_ref());
        sharing.references = found;
        if news {
            let mut world = World::clone(&self.world);
            refer::load(&*self.store, &mut world).await?;
            self.go_live(world);
        }
        Ok(())
    }

    /// Takes up what another worker has deployed or switched.
    pub(super) async fn refresh(&mut self) -> Result<bool, EngineError> {
        let Some(beat) = self.sharing.as_ref().map(|sharing| sharing.beat.period()) else { return Ok(false) };
        let looked = Instant::now();
        let is_new = deploy::version(&*self.store).await? != self.version;
        if is_new {
            tracing::info!("taking up what another worker has deployed");
            let (world, version) = deploy::load(&*self.store, &self.world.zone).await?;
            self.take_up(world, version).await?;
        }
        self.dispatcher.looked(looked, beat);
        Ok(is_new)
    }

    /// While nothing new is taken: what is under way still leaves only by what was seen of the switches not long ago.
    pub(super) async fn keep_looking(&mut self) {
        let is_due = self.sharing.as_mut().is_some_and(|sharing| std::mem::take(&mut sharing.due));
        if is_due && let Err(error) = self.refresh().await {
            tracing::warn!(%error, "what is live cannot be read yet");
        }
    }

    /// What was accepted after a deployment is not stepped before it.
    pub(super) async fn before_events(&mut self) -> Result<(), EngineError> {
        let shares = self.sharing.as_ref().is_some_and(|sharing| sharing.workers > 1);
        if shares && !self.inbox.submissions.is_empty() {
            self.refresh().await?;
        }
        Ok(())
    }

    /// Takes what our own rows and other workers left for our groups. True if what comes by our own door has to wait:
    /// there may be more, and it came first.
    pub(super) async fn gather_left(&mut self, gathered: &mut Gathered) -> Result<bool, StoreError> {
        let own = std::mem::take(&mut self.inbox.posted);
        let looks = self.sharing.as_mut().is_some_and(|sharing| std::mem::take(&mut sharing.look));
        let behind = self.sharing.as_ref().is_some_and(|sharing| sharing.behind);
        if !(own || looks) {
            return Ok(behind);
        }
        let rows = self.store.inbox(MOST_LEFT).await?;
        let full = rows.len() == MOST_LEFT;
        if let Some(sharing) = &mut self.sharing {
            sharing.behind &= full;
        }
        if rows.is_empty() {
            return Ok(false);
        }
        if let Some(sharing) = &mut self.sharing {
            // They may have been accepted under a deployment that we do not know.
            if deploy::version(&*self.store).await? != self.version {
                (sharing.due, sharing.look) = (true, true);
                return Ok(true);
            }
        }
        self.inbox.posted = full;
        gathered.anything = true;
        for row in rows {
            match self.keys.open(&*self.store, &row).await? {
                Ok(list) => self.take_left(gathered, list),
                Err(reason) => gathered.commit.quarantine.push(Quarantined {
                    at: self.moment.now,
                    code: "inbox-unreadable".to_owned(),
                    reason,
                    body: row.body,
                }),
            }
            gathered.commit.inbox_done.push(row.at);
        }
        Ok(self.sharing.as_ref().is_some_and(|sharing| sharing.behind))
    }

    fn take_left(&self, gathered: &mut Gathered, list: Vec<Carried>) {
        for carried in list {
            match carried {
                Carried::Event(root, event) => gathered.left.push((root, *event)),
                Carried::Post(post) => gathered.post(&self.world, post, self.moment.now),
            }
        }
    }
}

/// The last batches that somebody else may have written, or an earlier life: of what they sent not everything is known.
#[derive(Debug, Default)]
pub(super) struct Before {
    all: u64,
    /// Of groups that came later.
    groups: BTreeMap<u16, u64>,
}

impl Before {
    pub(super) fn all(batch: u64) -> Self {
        Self { all: batch, groups: BTreeMap::new() }
    }

    fn gain(&mut self, groups: &BTreeSet<u16>, batch: u64) {
        self.groups.extend(groups.iter().map(|group| (*group, batch)));
    }

    pub(super) fn covers(&self, row: RowRef) -> bool {
        let own = self.groups.get(&row.group).copied().unwrap_or_default();
        row.batch <= own.max(self.all)
    }
}

/// The groups of one lease that the other does not have, or has with another epoch.
fn missing(of: &Lease, from: &Lease) -> BTreeSet<u16> {
    of.groups.iter().filter(|held| !from.groups.contains(held)).map(|(group, _)| *group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_came_back_with_another_epoch_was_lost_and_gained() {
        let lease = |groups: &[(u16, u64)]| Lease { span: 64, groups: groups.to_vec(), batch: 0 };
        let (before, after) = (lease(&[(0, 1), (1, 1), (2, 1)]), lease(&[(0, 1), (2, 3), (4, 1)]));
        assert_eq!(missing(&before, &after), BTreeSet::from([1, 2]));
        assert_eq!(missing(&after, &before), BTreeSet::from([2, 4]));
    }
}
