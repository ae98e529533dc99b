//! Durable state. One trait, one conformance suite, two stores: SQLite in a file, PostgreSQL on a server.
//!
//! A store keeps rows and knows nothing of what is in them: states, packed logs, outbox, trace and timer chunks are
//! bytes made by the engine. A [`Commit`] is one transaction with a fixed handful of statements, however large the
//! batch. `sqlx` stays below this folder. Reading order: [`row`], [`bucket`], the trait here, then [`sqlite`]
//! and [`postgres`].

pub mod bucket;
pub mod code;
pub mod error;
pub mod ledger;
pub mod link;
pub mod lottery;
pub mod postgres;
pub mod referral;
pub mod row;
mod said;
pub mod sqlite;
pub mod task;

use std::ops::RangeInclusive;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

pub use code::{CodeCount, PartnerCode, PartnerCodes, Shown};
pub use error::StoreError;
pub use ledger::{Acted, Block, EntryPlace, EntryQuery, EntryRow, Ledger, Moved, Quota, Want, Wants};
pub use link::{Erased, LinkRow, Links};
pub use lottery::{DrawRow, Drawn, Lotteries, LotteryRow, Publication, Revealed};
pub use postgres::{PostgresStore, Worker};
pub use referral::{Binding, Bound, CodeRow, EdgeRow, Referrals, RefusalRow};
pub use row::{
    Commit, Counts, Dedup, Deployed, Deployment, InboxRef, InboxRow, LOG_FROM, Lease, Looked, OutboxRow,
    POST_KEYS, Packed, PackedKind, ProgramRow, Quarantined, RowKey, RowRef, Share, Sift, Sifted, StateRow,
    TimerChunk, Trim, Trimmed,
};
pub use sqlite::SqliteStore;
pub use task::{Days, Directory, TaskCount, TaskQuery, TaskRow, TaskStatus};

/// What a call to a store returns.
pub type Stored<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// A durable store, open for the groups of one [`Lease`]. Reads see every commit that has returned; timers and outbox
/// are those of the groups that are held.
pub trait Store: Send + Sync {
    /// What this process may write. A store opened for reading holds no groups.
    fn lease(&self) -> Lease;

    /// The rows of `keys` that exist, in any order.
    fn load<'a>(&'a self, keys: &'a [RowKey]) -> Stored<'a, Vec<StateRow>>;

    /// The stored identities among `events`, compared by group, slot and hash, with the payload as stored.
    fn seen<'a>(&'a self, events: &'a [Dedup]) -> Stored<'a, Vec<Dedup>>;

    /// [`Store::seen`] and [`Store::load`] of what a batch asks before it begins, in one go where that is cheaper.
    fn look<'a>(&'a self, events: &'a [Dedup], keys: &'a [RowKey]) -> Stored<'a, Looked> {
        async move {
            let seen = if events.is_empty() { Vec::new() } else { self.seen(events).await? };
            let rows = if keys.is_empty() { Vec::new() } else { self.load(keys).await? };
            Ok(Looked { seen, rows })
        }
        .boxed()
    }

    /// Writes all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where a version is not the stored one, [`StoreError::Fenced`] where the lease or the
    /// batch number is not the current one. After [`StoreError::Unreachable`] it may have been written: the same commit
    /// again does no harm, and says which.
    fn commit<'a>(&'a self, commit: &'a Commit) -> Stored<'a, ()>;

    /// The earliest `due` of all timer chunks after `after`; of all without it.
    fn next_due(&self, after: Option<Timestamp>) -> Stored<'_, Option<Timestamp>>;

    /// The first `limit` chunks that are due `within` it, earliest first. Whoever knows that there is none before an instant says
    /// so: what was used up may lie there for a while.
    fn due(&self, within: RangeInclusive<Timestamp>, limit: usize) -> Stored<'_, Vec<TimerChunk>>;

    /// The first `limit` outbox rows of a channel after `after`, in order.
    fn outbox(&self, channel: u32, after: RowRef, limit: usize) -> Stored<'_, Vec<OutboxRow>>;

    /// The channels that have outbox rows, in order.
    fn outbox_channels(&self) -> Stored<'_, Vec<u32>>;

    /// The packed rows at `places` that exist, in order.
    fn packed<'a>(&'a self, kind: PackedKind, places: &'a [RowRef]) -> Stored<'a, Vec<Packed>>;

    /// The first `limit` packed rows after `after`, in order.
    fn packed_after(&self, kind: PackedKind, after: RowRef, limit: usize) -> Stored<'_, Vec<Packed>>;

    /// The first `limit` states of a kind after `after`, in the order of their keys.
    fn scan<'a>(&'a self, kind: u32, after: Option<&'a RowKey>, limit: usize) -> Stored<'a, Vec<StateRow>>;

    /// A part of the states behind `after`, those that `sift` keeps: a filter that spares reading, never a decision.
    fn sift<'a>(&'a self, sift: Sift, after: Option<&'a RowKey>) -> Stored<'a, Sifted>;

    /// Deletes some of what is old, of the groups that are held; nothing more is left when nothing went.
    fn trim(&self, trim: Trim) -> Stored<'_, Trimmed>;

    /// Deletes the keys of what is left for rows ([`POST_KEYS`]) that came into use before this millisecond, unless
    /// something waits since the day behind it: nothing younger is sealed under them. How many went.
    fn forget_keys(&self, before: i64) -> Stored<'_, u64>;

    /// The directory of work; `None`: this store keeps none.
    fn directory(&self) -> Option<&dyn Directory> {
        None
    }

    /// Short names of links; `None`: this store keeps none.
    fn links(&self) -> Option<&dyn Links> {
        None
    }

    /// The books, and what all customers share; `None`: this store keeps none, and nothing that is shared is given.
    fn ledger(&self) -> Option<&dyn Ledger> {
        None
    }

    /// Lotteries and their draws; `None`: this store keeps none, and nobody can draw.
    fn lotteries(&self) -> Option<&dyn Lotteries> {
        None
    }

    /// Who invites whom; `None`: this store does not keep it, and nobody can follow a link.
    fn referrals(&self) -> Option<&dyn Referrals> {
        None
    }

    /// Codes of partners; `None`: this store keeps none, and nothing is given that comes with one.
    fn codes(&self) -> Option<&dyn PartnerCodes> {
        None
    }

    fn meta<'a>(&'a self, name: &'a str) -> Stored<'a, Option<String>>;

    /// Sets small named values outside of a batch.
    fn set_meta<'a>(&'a self, values: &'a [(String, String)]) -> Stored<'a, ()>;

    fn deploy<'a>(&'a self, deployment: &'a Deployment) -> Stored<'a, ()>;

    fn deployed(&self) -> Stored<'_, Deployed>;

    /// The newest `limit` quarantined records, newest first.
    fn quarantined(&self, limit: usize) -> Stored<'_, Vec<Quarantined>>;

    fn counts(&self) -> Stored<'_, Counts>;

    /// How often [`Store::share`] is to be called; `None`: this process holds all groups until it closes the store.
    fn beat(&self) -> Option<Duration> {
        None
    }

    /// Settles with the other workers who holds what: gives back `given`, notices what was lost, takes what is free up
    /// to a fair share. Not while a commit is under way. `alone`: one worker is to hold all groups, the first of those
    /// that are alive; all of them have to ask for it.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] where another process has come under the name of this one.
    fn share<'a>(&'a self, _given: &'a [u16], _alone: bool) -> Stored<'a, Share> {
        let share = Share { lease: self.lease(), surplus: Vec::new(), workers: 1 };
        async { Ok(share) }.boxed()
    }

    /// The first `limit` rows that were left for the groups that are held, in order within each group.
    fn inbox(&self, limit: usize) -> Stored<'_, Vec<InboxRow>>;

    /// Those of `names` that have a value, in any order.
    fn metas<'a>(&'a self, names: &'a [String]) -> Stored<'a, Vec<(String, String)>> {
        async move {
            let mut found = Vec::new();
            for name in names {
                found.extend(self.meta(name).await?.map(|value| (name.clone(), value)));
            }
            Ok(found)
        }
        .boxed()
    }

    /// Sets a value that workers share, if it is still `old` (empty: there is none); whether it was.
    fn swap<'a>(&'a self, name: &'a str, old: &'a str, new: &'a str) -> Stored<'a, bool> {
        async move {
            if self.meta(name).await?.unwrap_or_default() != old {
                return Ok(false);
            }
            self.set_meta(&[(name.to_owned(), new.to_owned())]).await?;
            Ok(true)
        }
        .boxed()
    }

    /// Waits for what is under way and closes the files.
    fn close(&self) -> BoxFuture<'_, ()>;
}
