//! The last commit as the store remembers it: whose it was, which, and how far time had come.
//!
//! It answers two questions that nothing else in the store does: whether a commit whose answer was lost took place, and
//! what the time was before a wall clock was set back.

use jiff::{SignedDuration, Timestamp};

use crate::store::{Commit, Lease, Store, StoreError, bucket};

/// A clock that is behind the last commit by no more than this has been set back a little: time stands still until it
/// has caught up. One that is further behind was wrong before, and is followed.
const HELD: SignedDuration = SignedDuration::from_hours(1);

/// When something happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub now: Timestamp,
    /// The latest instant that any commit has seen: timers up to here may have fired.
    pub latest: Timestamp,
}

impl Moment {
    /// As the last owner left it.
    pub(super) async fn open(store: &dyn Store, clock: Timestamp) -> Result<Self, StoreError> {
        let latest = store.meta(&name(&store.lease())).await?.and_then(|text| latest(&text)).unwrap_or(clock);
        let behind = latest.duration_since(clock);
        let now = if behind <= HELD { clock.max(latest) } else { clock };
        if now < latest {
            tracing::warn!(%latest, %clock, "the clock is far behind the last commit, and is followed");
        }
        Ok(Self { now, latest: latest.max(now) })
    }

    /// Some commit has seen `latest`.
    pub(super) fn after(self, latest: Option<Timestamp>) -> Self {
        Self { latest: latest.map_or(self.latest, |latest| latest.max(self.latest)), ..self }
    }

    /// Time goes on; never back.
    pub(super) fn at(self, clock: Timestamp) -> Self {
        let now = self.now.max(clock);
        Self { now, latest: self.latest.max(now) }
    }
}

/// The latest instant that a commit of any worker has seen.
pub(super) async fn of_all(store: &dyn Store) -> Result<Option<Timestamp>, StoreError> {
    let groups = bucket::COUNT / store.lease().span.max(1);
    let names: Vec<String> = (0..groups).map(name_of).collect();
    Ok(store.metas(&names).await?.iter().filter_map(|(_, text)| latest(text)).max())
}

/// What `commit` is to write besides. A worker without groups moves nothing that has a time.
pub(super) fn mark(lease: &Lease, commit: &mut Commit, moment: Moment) {
    let Some((_, epoch)) = lease.groups.first() else { return };
    let text = format!("{epoch} {} {}", commit.batch, moment.latest.as_millisecond());
    commit.meta.push((name(lease), text));
}

/// Whether `commit`, which is marked, is the last one in the store.
pub(super) async fn is_written(store: &dyn Store, commit: &Commit) -> Result<bool, StoreError> {
    let name = name(&store.lease());
    let own = commit.meta.iter().find(|(known, _)| *known == name).map(|(_, text)| text);
    Ok(own.is_some() && store.meta(&name).await?.as_ref() == own)
}

/// Each owner has its own, by the first group it holds.
fn name(lease: &Lease) -> String {
    name_of(lease.groups.first().map_or(0, |(group, _)| *group))
}

fn name_of(group: u16) -> String {
    format!("last.{group}")
}

fn latest(text: &str) -> Option<Timestamp> {
    let (_, at) = text.rsplit_once(' ')?;
    // Whole milliseconds, rounded down: the instant itself may have been a little later.
    Timestamp::from_millisecond(at.parse::<i64>().ok()?.checked_add(1)?).ok()
}
