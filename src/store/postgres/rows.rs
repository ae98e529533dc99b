//! Rows as columns: what a statement takes as arrays, one per column (`unnest`).

use crate::step::facets::Mark;
use crate::store::{Dedup, RowKey, RowRef, StateRow};

/// Keys of states, in their order: workers and statements then lock in the same one.
#[derive(Default)]
pub(super) struct Keys<'a> {
    pub buckets: Vec<i16>,
    pub kinds: Vec<i32>,
    pub ids: Vec<&'a str>,
}

impl<'a> Keys<'a> {
    pub(super) fn of(keys: impl Iterator<Item = &'a RowKey>) -> Self {
        let mut sorted: Vec<&RowKey> = keys.collect();
        sorted.sort_unstable();
        let mut columns = Self::default();
        sorted.into_iter().for_each(|key| columns.push(key));
        columns
    }

    fn push(&mut self, key: &'a RowKey) {
        self.buckets.push(small(key.bucket));
        self.kinds.push(key.kind.cast_signed());
        self.ids.push(&key.id);
    }

    /// The bucket that all are of.
    pub(super) fn one(&self) -> Option<i16> {
        same(&self.buckets)
    }
}

/// States in the order of their keys.
#[derive(Default)]
pub(super) struct States<'a> {
    pub keys: Keys<'a>,
    pub versions: Vec<i64>,
    pub bodies: Vec<&'a [u8]>,
    pub layouts: Vec<Option<i64>>,
    pub facets: Vec<Option<i64>>,
}

impl<'a> States<'a> {
    pub(super) fn push(&mut self, row: &'a StateRow, mark: Option<Mark>) {
        self.layouts.push(mark.map(|mark| mark.layout));
        self.facets.push(mark.map(|mark| mark.bits));
        self.keys.push(&row.key);
        self.versions.push(row.version);
        self.bodies.push(&row.body);
    }

    pub(super) fn len(&self) -> usize {
        self.versions.len()
    }
}

/// Identities of events, in their order.
#[derive(Default)]
pub(super) struct Events<'a> {
    pub groups: Vec<i16>,
    pub slots: Vec<i32>,
    pub hashes: Vec<&'a [u8]>,
    pub payloads: Vec<i32>,
}

impl<'a> Events<'a> {
    pub(super) fn of(events: &'a [Dedup]) -> Self {
        let mut sorted: Vec<&Dedup> = events.iter().collect();
        sorted.sort_unstable();
        let mut columns = Self::default();
        for event in sorted {
            columns.groups.push(small(event.group));
            columns.slots.push(event.slot);
            columns.hashes.push(&event.hash);
            columns.payloads.push(event.payload.cast_signed());
        }
        columns
    }

    pub(super) fn one(&self) -> Option<i16> {
        same(&self.groups)
    }
}

/// Places of packed rows.
#[derive(Default)]
pub(super) struct Places {
    pub groups: Vec<i16>,
    pub batches: Vec<i64>,
}

impl Places {
    pub(super) fn push(&mut self, at: RowRef) {
        self.groups.push(small(at.group));
        self.batches.push(at.batch.cast_signed());
    }

    pub(super) fn one(&self) -> Option<i16> {
        same(&self.groups)
    }
}

/// The value that all have.
pub(super) fn same(values: &[i16]) -> Option<i16> {
    let first = *values.first()?;
    values.iter().all(|value| *value == first).then_some(first)
}

/// Buckets and groups are less than 4096.
pub(super) fn small(number: u16) -> i16 {
    number.cast_signed()
}

pub(super) fn place(batch: i64, group: i16) -> RowRef {
    RowRef { batch: batch.cast_unsigned(), group: group.cast_unsigned() }
}

/// Text without the one character that the database does not take.
pub(super) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
