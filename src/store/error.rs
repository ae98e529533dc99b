//! What can go wrong in a store, typed by what the caller can do about it.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// A row was changed by somebody else since it was read, or is not there any more: load again.
    Conflict,
    /// Another owner has taken the lease: stop.
    Fenced,
    /// The commit touches a bucket outside the lease.
    OutsideLease(u16),
    /// Another process has the store open for writing.
    InUse(String),
    /// The store was opened for reading.
    ReadOnly,
    /// Written by a newer version of Wayfare: its schema and the newest this build knows.
    Newer { found: u32, known: u32 },
    /// No space, no permission, or the device failed. What was acknowledged before is safe.
    Disk(String),
    /// The database server cannot be reached, or went away in the middle. It may come back.
    Unreachable(String),
    /// Not a store, or damaged.
    Damaged(String),
    /// Anything else the database said.
    Database(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict => f.write_str("a row was changed by another writer"),
            Self::Fenced => f.write_str("another process has taken over this store"),
            Self::OutsideLease(bucket) => write!(f, "bucket {bucket} belongs to another worker"),
            Self::InUse(path) => write!(f, "another process has `{path}` open for writing"),
            Self::ReadOnly => f.write_str("the store is open for reading only"),
            Self::Newer { found, known } => {
                write!(f, "the store has schema {found}; this version of wayfare knows up to {known}")
            }
            Self::Disk(reason) => write!(f, "the disk refused: {reason}"),
            Self::Unreachable(reason) => write!(f, "the database cannot be reached: {reason}"),
            Self::Damaged(reason) => write!(f, "the store cannot be read: {reason}"),
            Self::Database(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for StoreError {}
