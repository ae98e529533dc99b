//! Durable state. One trait, one conformance suite; SQLite today, PostgreSQL next.
//!
//! A store keeps rows and knows nothing of what is in them: states, packed logs, outbox, trace and timer chunks are
//! bytes made by the engine. A [`Commit`] is one transaction with a fixed handful of statements, however large the
//! batch. `sqlx` stays below this folder.

use std::sync::Arc;

use jiff::Timestamp;

/// A root subject as the store keys it: the bucket first, everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowKey {
    /// 0..4096, by [`bucket`].
    pub bucket: u16,
    /// Symbol of the entity.
    pub kind: u32,
    pub id: Arc<str>,
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
    /// End of its slot.
    pub due: Timestamp,
    /// Makes the row unique in its slot.
    pub batch: u64,
    pub body: Vec<u8>,
}

/// A packed row of one batch: event log, outbox or trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    pub batch: u64,
    pub body: Vec<u8>,
}

/// One transaction.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Number of the batch, one more than the last.
    pub batch: u64,
    /// Compare-and-set by `version` (0: a new row); the store writes `version + 1`.
    pub states: Vec<StateRow>,
    pub log: Option<Packed>,
    pub outbox: Option<Packed>,
    pub trace: Option<Packed>,
    pub timers: Vec<TimerChunk>,
    /// Chunks and outbox rows that this batch has used up.
    pub timers_done: Vec<(Timestamp, u64)>,
    pub outbox_done: Vec<u64>,
    /// Identities of the events in this batch.
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
