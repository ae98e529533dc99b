//! The rows a store keeps, and the one transaction that writes them.

use std::sync::Arc;

use jiff::Timestamp;

use super::bucket;

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

/// Keys to look at no later than `due`; checked lazily against their state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimerChunk {
    /// End of its slot, in whole milliseconds.
    pub due: Timestamp,
    /// Makes the row unique in its slot.
    pub batch: u64,
    pub body: Vec<u8>,
}

/// A packed row of one batch: event log or trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    pub batch: u64,
    pub body: Vec<u8>,
}

/// The messages of one batch for one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Symbol of the channel.
    pub channel: u32,
    pub batch: u64,
    pub body: Vec<u8>,
}

/// One transaction.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Number of the batch, one more than the last.
    pub batch: u64,
    /// Compare-and-set by `version` (0: a new row); the store writes `version + 1`. No key twice.
    pub states: Vec<StateRow>,
    pub log: Option<Packed>,
    pub trace: Option<Packed>,
    /// At most one row per channel.
    pub outbox: Vec<OutboxRow>,
    pub timers: Vec<TimerChunk>,
    /// Chunks and outbox rows (channel, batch) that are used up.
    pub timers_done: Vec<(Timestamp, u64)>,
    pub outbox_done: Vec<(u32, u64)>,
    /// Identities of the events in this batch; none is stored yet, none twice.
    pub dedup: Vec<Dedup>,
    pub quarantine: Vec<Quarantined>,
    /// Small named values: sweep cursors, the clock's origin, counts.
    pub meta: Vec<(String, String)>,
}

/// Identity of an event, by its own time slot first so that the index stays local.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dedup {
    /// Day of the event's own time; -1 for events without one.
    pub slot: i32,
    /// 128 bits of SHA-256 over (source, id).
    pub hash: [u8; 16],
    /// Of the payload: the same id with another payload is quarantined, not dropped.
    pub payload: u32,
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
    /// Small named values that change with it: the sweeps it makes due.
    pub meta: Vec<(String, String)>,
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

/// The right to write a set of buckets, with its fencing token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Grows with each owner: a commit under an older epoch fails.
    pub epoch: u64,
    /// First bucket, and one past the last.
    pub buckets: (u16, u16),
    /// Number of the last commit when the lease was taken.
    pub batch: u64,
}

impl Lease {
    #[must_use]
    pub fn covers(&self, bucket: u16) -> bool {
        (self.buckets.0..self.buckets.1).contains(&bucket)
    }
}

/// Numbers of rows, for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub states: u64,
    pub outbox_rows: u64,
    pub timer_chunks: u64,
    pub quarantined: u64,
}

/// Which packed rows are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackedKind {
    Log,
    Trace,
}
