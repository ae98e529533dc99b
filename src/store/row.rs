//! The rows a store keeps, and the one transaction that writes them.

use std::sync::Arc;

use jiff::Timestamp;

use super::ledger::EntryRow;
use super::link::{Erased, LinkRow};
use super::lottery::DrawRow;
use super::task::TaskRow;
use super::{StoreError, bucket};
use crate::step::facets::{Mark, Sieve};

/// A root subject as the store keys it: the bucket first, everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowKey {
    /// 0..4096, by [`bucket::of`].
    pub bucket: u16,
    /// Symbol of the entity.
    pub kind: u32,
    pub id: Arc<str>,
}

impl RowKey {
    /// `entity`: the name behind `kind`, which the bucket may depend on.
    #[must_use]
    pub fn new(kind: u32, entity: &str, id: Arc<str>) -> Self {
        Self { bucket: bucket::of(entity, &id), kind, id }
    }
}

/// A state row as read: `version` counts its commits and guards the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateRow {
    pub key: RowKey,
    pub version: i64,
    pub body: Vec<u8>,
}

/// Where a packed row lies: in the batch that wrote it, among the rows of one group. Packed rows never span two groups
/// ([`Lease::group`]), so that a group can change hands. The order is that in which an owner wrote them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowRef {
    pub batch: u64,
    pub group: u16,
}

/// Keys to look at no later than `due`; checked lazily against their state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimerChunk {
    /// End of its slot, in whole milliseconds.
    pub due: Timestamp,
    /// Makes the row unique in its slot.
    pub at: RowRef,
    pub body: Vec<u8>,
}

/// A packed row of one batch: event log or trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    pub at: RowRef,
    pub body: Vec<u8>,
}

/// The messages of one batch for one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Symbol of the channel.
    pub channel: u32,
    pub at: RowRef,
    pub body: Vec<u8>,
}

/// One transaction.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Number of the batch, one more than the last; the same in all its rows.
    pub batch: u64,
    /// Compare-and-set by `version` (0: a new row); the store writes `version + 1`. No key twice.
    pub states: Vec<StateRow>,
    /// Beside `states`: what the store may sift each by. Shorter: not known of the rest.
    pub facets: Vec<Option<Mark>>,
    /// The same of rows that stay as they are.
    pub resifted: Vec<(RowKey, Option<Mark>)>,
    /// At most one row per group.
    pub log: Vec<Packed>,
    pub trace: Vec<Packed>,
    /// At most one row per channel and group.
    pub outbox: Vec<OutboxRow>,
    /// At most one row per slot and group.
    pub timers: Vec<TimerChunk>,
    /// Chunks (due, place) and outbox rows (channel, place) that are used up.
    pub timers_done: Vec<(Timestamp, RowRef)>,
    pub outbox_done: Vec<(u32, RowRef)>,
    /// Identities of the events in this batch; none is stored yet, none twice.
    pub dedup: Vec<Dedup>,
    pub quarantine: Vec<Quarantined>,
    /// For the directory of work; no id twice.
    pub tasks: Vec<TaskRow>,
    /// Names that are stored already stay as they are.
    pub links: Vec<LinkRow>,
    /// Who is forgotten, in what was written before and is written here.
    pub erased: Vec<Erased>,
    /// For the books.
    pub entries: Vec<EntryRow>,
    /// For the chains of lotteries, in their order.
    pub draws: Vec<DrawRow>,
    /// What was given of each shared account out of what was taken for this batch; no account twice, in order.
    pub spent: Vec<(String, i64)>,
    /// For the owners of groups, at most one row per group; `batch` is the commit's, `sender` is filled in by the store.
    pub inbox: Vec<InboxRow>,
    /// What was taken from the inbox of groups that are held.
    pub inbox_done: Vec<InboxRef>,
    /// When it was made, in milliseconds since 1970: how old its log, trace and links are.
    pub made: i64,
    /// Small named values: sweep cursors, the clock's origin, counts.
    pub meta: Vec<(String, String)>,
}

/// Where something lies that was left for the owner of a group. The order is that in which it is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct InboxRef {
    pub group: u16,
    /// The sender's time, in milliseconds since 1970.
    pub at: i64,
    /// The life of the worker that left it (empty on a store that has one), and its batch.
    pub sender: String,
    pub batch: u64,
}

/// Something for the owner of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxRow {
    pub at: InboxRef,
    pub body: Vec<u8>,
}

/// Identity of an event, by its own time slot first so that the index stays local.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dedup {
    /// Of the root subject that the event goes to; the same event sent for a root of another group is not known again.
    pub group: u16,
    /// Day of the event's own time; -1 for events without one.
    pub slot: i32,
    /// 128 bits of SHA-256 over (source, id).
    pub hash: [u8; 16],
    /// Of the payload: the same id with another payload is quarantined, not dropped.
    pub payload: u32,
}

/// What a store knows of what a batch is about to touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    pub seen: Vec<Dedup>,
    pub rows: Vec<StateRow>,
}

/// A record that could not be processed, with its reason. Nothing is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    pub at: Timestamp,
    pub code: String,
    pub reason: String,
    pub body: Vec<u8>,
}

/// A stored version of a journey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramRow {
    pub no: u32,
    pub hash: String,
    pub journey: String,
    pub body: Vec<u8>,
}

/// What a deployment adds, in one transaction of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployment {
    /// New names with their numbers, which follow the greatest stored one.
    pub symbols: Vec<(u32, String)>,
    /// Versions that are not stored yet.
    pub programs: Vec<ProgramRow>,
    /// The bundle that is live from now on, with its hash; `None`: the one before.
    pub bundle: Option<(String, Vec<u8>)>,
    /// Small named values that change with it.
    pub meta: Vec<(String, String)>,
    /// The value of `version` that it follows; another one is a [`StoreError::Conflict`](super::StoreError), because
    /// another worker has deployed meanwhile. `None`: whatever was before.
    pub base: Option<u64>,
}

/// What a daemon reads when it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployed {
    /// In the order of their numbers, from 0.
    pub symbols: Vec<String>,
    pub programs: Vec<ProgramRow>,
    /// The live bundle; `None` before the first deployment.
    pub bundle: Option<Vec<u8>>,
}

/// The right to write a set of bucket groups, each with its fencing token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Buckets in a group; a fact of the store, whoever holds what.
    pub span: u16,
    /// The groups that are held, in order, with their epochs. An epoch grows with each owner: a commit under an older
    /// one fails.
    pub groups: Vec<(u16, u64)>,
    /// Number of the last commit to any of the groups when the lease was taken.
    pub batch: u64,
}

impl Lease {
    /// The group that a bucket belongs to.
    #[must_use]
    pub fn group(&self, bucket: u16) -> u16 {
        bucket / self.span.max(1)
    }

    #[must_use]
    pub fn covers(&self, bucket: u16) -> bool {
        self.holds(self.group(bucket))
    }

    /// Whether all groups are held.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.groups.len() == usize::from(bucket::COUNT / self.span.max(1))
    }

    #[must_use]
    pub fn holds(&self, group: u16) -> bool {
        self.groups.binary_search_by_key(&group, |(held, _)| *held).is_ok()
    }
}

/// Who holds what, after [`Store::share`](super::Store::share).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    pub lease: Lease,
    /// Groups that are held beyond a fair share: to be given back once nothing of theirs is under way.
    pub surplus: Vec<u16>,
    /// Workers that are alive, this one included.
    pub workers: usize,
}

/// Numbers of rows, for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub states: u64,
    pub outbox_rows: u64,
    pub timer_chunks: u64,
    pub quarantined: u64,
}

/// Which states are wanted of those behind a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sift {
    pub kind: u32,
    /// Which to keep; `None`: all.
    pub sieve: Option<Sieve>,
    /// How many to look at, and how many to return at most.
    pub look: usize,
    pub most: usize,
}

/// What was found, in the order of the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sifted {
    /// With their marks as stored.
    pub rows: Vec<(StateRow, Option<Mark>)>,
    /// Behind which key to go on; `None`: that was the end.
    pub next: Option<RowKey>,
}

/// An instant as its column has it.
pub(super) fn instant(millisecond: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(millisecond)
        .map_err(|_| StoreError::Damaged(format!("{millisecond} is not an instant")))
}

/// A hash as its column has it.
pub(super) fn hash(bytes: &[u8]) -> Result<[u8; 16], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Damaged("an event hash is not 16 bytes".to_owned()))
}

/// A quarantined record as its columns have it.
pub(super) fn record(
    (at, code, reason, body): (i64, String, String, Vec<u8>),
) -> Result<Quarantined, StoreError> {
    Ok(Quarantined { at: instant(at)?, code, reason, body })
}

/// Numbers of states, outbox rows, timer chunks and quarantined records.
pub(super) fn counts(found: (i64, i64, i64, i64)) -> Counts {
    Counts {
        states: found.0.cast_unsigned(),
        outbox_rows: found.1.cast_unsigned(),
        timer_chunks: found.2.cast_unsigned(),
        quarantined: found.3.cast_unsigned(),
    }
}

/// A number of rows as statements take it.
pub(super) fn signed(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A mark as its columns have it.
pub(super) fn mark(layout: Option<i64>, bits: Option<i64>) -> Option<Mark> {
    Some(Mark { layout: layout?, bits: bits? })
}

/// What was found up to `end`, the last that was to be looked at if there were so many.
pub(super) fn sifted(rows: Vec<(StateRow, Option<Mark>)>, sift: Sift, end: Option<(u16, String)>) -> Sifted {
    let next = if rows.len() >= sift.most {
        rows.last().map(|(row, _)| row.key.clone())
    } else {
        end.map(|(bucket, id)| RowKey { bucket, kind: sift.kind, id: id.into() })
    };
    Sifted { rows, next }
}

/// Keys of what is left for rows are kept under this and their number, as `KEY MILLISECOND`: since when it is used.
pub const POST_KEYS: &str = "post.key.";

/// The name of the value that says from which millisecond on the log is whole; absent: from the beginning.
pub const LOG_FROM: &str = "log.from";

/// What is old enough to go. That rows of the log went is noted under [`LOG_FROM`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trim {
    /// Log, trace and short names made before this millisecond go, and tasks that were closed before it.
    pub before: i64,
    /// Identities of events that happened before this day (since 1970) go; those of events without a time of their own
    /// where they were stored before `before`.
    pub slot: i32,
    /// Rows of a kind and group at once.
    pub most: usize,
}

/// What went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    pub log: u64,
    pub trace: u64,
    pub dedup: u64,
    pub tasks: u64,
    pub links: u64,
}

/// Which packed rows are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackedKind {
    Log,
    Trace,
}
