//! Packed rows: one per batch, group and kind, so that the store writes few large rows instead of many small ones.
//!
//! Log and trace rows are entries one after the other, each found by its byte offset: whose it is in clear, what it
//! says sealed under that subject's key. Outbox and timer rows are plain lists: they hold keys, no payloads. Every
//! row begins with a version byte; a row of another version is refused, never guessed at.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::payload::{Key, Place, open, seal};
use crate::step::{MessageKey, codec};
use crate::store::{Packed, PackedKind, RowRef};

const VERSION: u8 = 1;
/// Of outbox rows.
const OUTBOX: u8 = 2;

/// What one subject did in one batch, in a log or trace row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sealed {
    /// Symbol of the entity.
    pub kind: u32,
    pub id: Arc<str>,
    pub body: Vec<u8>,
}

/// A message in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Queued {
    /// Symbol of the root's entity, and its id.
    pub kind: u32,
    pub id: Arc<str>,
    pub message: MessageKey,
    /// Attempts so far.
    pub attempts: u32,
    /// In milliseconds since 1970: not to be tried before.
    pub not_before: i64,
    /// Whether any attempt may have reached the customer.
    pub ambiguous: bool,
    /// The provider at which that was so: nobody else is asked any more.
    pub provider: Option<Arc<str>>,
}

/// The same in rows of version 1, which know of no providers.
#[derive(Deserialize)]
struct QueuedV1 {
    kind: u32,
    id: Arc<str>,
    message: MessageKey,
    attempts: u32,
    not_before: i64,
    ambiguous: bool,
}

impl From<QueuedV1> for Queued {
    fn from(old: QueuedV1) -> Self {
        let QueuedV1 { kind, id, message, attempts, not_before, ambiguous } = old;
        Self { kind, id, message, attempts, not_before, ambiguous, provider: None }
    }
}

impl Queued {
    /// Whether it stood in an older row before: there it has no time, and was not tried.
    pub(super) fn has_moved(&self) -> bool {
        self.attempts > 0 || self.not_before > 0
    }
}

/// A subject in a timer chunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Due {
    pub kind: u32,
    pub id: Arc<str>,
}

/// The log or trace rows of a batch in the making, one per group.
pub(super) struct Packers {
    kind: PackedKind,
    batch: u64,
    rows: BTreeMap<u16, Packer>,
}

impl Packers {
    pub(super) fn new(kind: PackedKind, batch: u64) -> Self {
        Self { kind, batch, rows: BTreeMap::new() }
    }

    pub(super) fn of(&mut self, group: u16) -> &mut Packer {
        let (kind, at) = (self.kind, RowRef { batch: self.batch, group });
        self.rows.entry(group).or_insert_with(|| Packer::new(kind, at))
    }

    pub(super) fn finish(self) -> Vec<Packed> {
        self.rows.into_values().filter_map(Packer::finish).collect()
    }
}

/// A log or trace row in the making.
pub(super) struct Packer {
    kind: PackedKind,
    at: RowRef,
    body: Vec<u8>,
}

impl Packer {
    fn new(kind: PackedKind, at: RowRef) -> Self {
        Self { kind, at, body: vec![VERSION] }
    }

    /// Seals `entry` under `key` and returns its offset. `None`, and nothing added, if it cannot be written.
    pub(super) fn push<T: Serialize>(
        &mut self,
        key: &Key,
        kind: u32,
        id: &Arc<str>,
        entry: &T,
    ) -> Option<u32> {
        let offset = u32::try_from(self.body.len()).ok()?;
        let place = Place { kind: self.kind, batch: self.at.batch, offset };
        let body = seal(key, place, postcard::to_stdvec(entry).ok()?)?;
        let sealed = Sealed { kind, id: Arc::clone(id), body };
        self.body.extend_from_slice(&postcard::to_stdvec(&sealed).ok()?);
        Some(offset)
    }

    /// Takes back what was pushed at `offset` and after.
    pub(super) fn truncate(&mut self, offset: u32) {
        self.body.truncate(offset as usize);
    }

    pub(super) fn end(&self) -> u32 {
        u32::try_from(self.body.len()).unwrap_or(u32::MAX)
    }

    /// The row; `None` if nothing was pushed.
    fn finish(self) -> Option<Packed> {
        (self.body.len() > 1).then_some(Packed { at: self.at, body: self.body })
    }
}

/// Where the entries of a row lie, and whose they are. What cannot be read ends the list.
pub(super) fn entries(row: &Packed) -> Vec<(u32, u32, Arc<str>)> {
    let mut found = Vec::new();
    let Some((&VERSION, mut rest)) = row.body.split_first() else { return found };
    while let Ok((sealed, left)) = postcard::take_from_bytes::<Sealed>(rest) {
        let Ok(offset) = u32::try_from(row.body.len() - rest.len()) else { break };
        found.push((offset, sealed.kind, sealed.id));
        rest = left;
    }
    found
}

/// The entry at `offset`, if it is that subject's and `key` opens it.
pub(super) fn unpack<T: DeserializeOwned>(
    row: &Packed,
    kind: PackedKind,
    offset: u32,
    key: &Key,
) -> Option<T> {
    let (&VERSION, _) = row.body.split_first()? else { return None };
    let (sealed, _) = postcard::take_from_bytes::<Sealed>(row.body.get(offset as usize..)?).ok()?;
    let payload = open(key, Place { kind, batch: row.at.batch, offset }, &sealed.body)?;
    postcard::from_bytes(&payload).ok()
}

/// A list as an outbox row.
pub(super) fn pack_outbox<T: Borrow<Queued> + Serialize>(list: &[T]) -> Result<Vec<u8>, String> {
    codec::versioned(OUTBOX, list).map_err(|error| error.to_string())
}

/// The inverse of [`pack_outbox`].
pub(super) fn unpack_outbox(body: &[u8]) -> Result<Vec<Queued>, String> {
    match body.split_first() {
        Some((&OUTBOX, rest)) => postcard::from_bytes(rest).map_err(|error| error.to_string()),
        _ => Ok(unpack_list::<QueuedV1>(body)?.into_iter().map(Queued::from).collect()),
    }
}

/// A list as a timer row.
pub(super) fn pack_list<T: Serialize>(list: &[T]) -> Result<Vec<u8>, String> {
    codec::versioned(VERSION, list).map_err(|error| error.to_string())
}

/// The inverse of [`pack_list`].
pub(super) fn unpack_list<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, String> {
    match body.split_first() {
        Some((&VERSION, rest)) => postcard::from_bytes(rest).map_err(|error| error.to_string()),
        Some((version, _)) => Err(format!("version {version} is not known")),
        None => Err("the row is empty".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::payload::new_key;

    #[test]
    fn entries_are_found_by_their_offset() {
        let (mine, other) = (new_key().unwrap(), new_key().unwrap());
        let mut packer = Packer::new(PackedKind::Trace, RowRef { batch: 3, group: 0 });
        let first = packer.push(&mine, 0, &"c1".into(), &vec![1_u32, 2]).unwrap();
        let second = packer.push(&other, 0, &"c2".into(), &"x").unwrap();
        let third = packer.push(&other, 0, &"c2".into(), &"gone").unwrap();
        packer.truncate(third);
        assert_eq!(packer.end(), third);
        let row = packer.finish().unwrap();
        let all = [(first, 0, "c1".into()), (second, 0, "c2".into())];
        assert_eq!(entries(&row), all);
        assert_eq!(unpack(&row, PackedKind::Trace, first, &mine), Some(vec![1_u32, 2]));
        assert_eq!(unpack(&row, PackedKind::Trace, second, &other), Some("x".to_owned()));
        assert_eq!(unpack::<String>(&row, PackedKind::Trace, second, &mine), None);
        assert_eq!(unpack::<String>(&row, PackedKind::Trace, third, &other), None);
    }

    #[test]
    fn a_row_is_of_one_group() {
        let key = new_key().unwrap();
        let mut packers = Packers::new(PackedKind::Log, 3);
        packers.of(7).push(&key, 0, &"c1".into(), &"x").unwrap();
        packers.of(2).push(&key, 0, &"c2".into(), &"y").unwrap();
        let end = packers.of(5).end();
        packers.of(5).push(&key, 0, &"c3".into(), &"taken back").unwrap();
        packers.of(5).truncate(end);
        let rows: Vec<RowRef> = packers.finish().iter().map(|row| row.at).collect();
        assert_eq!(rows, [2, 7].map(|group| RowRef { batch: 3, group }));
    }

    #[test]
    fn an_outbox_row_of_an_earlier_version_is_read() {
        let message = MessageKey {
            journey: "j".into(),
            root: "客户".into(),
            child: None,
            entry: "e".into(),
            step: "s".into(),
        };
        let queued = Queued {
            kind: 3,
            id: "客户".into(),
            message,
            attempts: 2,
            not_before: 5,
            ambiguous: true,
            provider: None,
        };
        let new = pack_outbox(&[Queued { provider: Some("b".into()), ..queued.clone() }]).unwrap();
        assert_eq!(unpack_outbox(&new).unwrap()[0].provider.as_deref(), Some("b"));
        // As version 1 wrote it: all but the last field, which is one byte where there is none.
        let mut old = vec![VERSION, 1];
        old.extend(postcard::to_allocvec(&queued).unwrap());
        old.pop();
        assert_eq!(unpack_outbox(&old), Ok(vec![queued]));
        old[0] = 9;
        assert!(unpack_outbox(&old).is_err());
    }

    #[test]
    fn lists_of_another_version_are_refused() {
        let list = vec![Due { kind: 1, id: "客户".into() }];
        let mut body = pack_list(&list).unwrap();
        assert_eq!(unpack_list::<Due>(&body), Ok(list));
        body[0] = 9;
        assert_eq!(unpack_list::<Due>(&body), Err("version 9 is not known".to_owned()));
        assert!(unpack_list::<Due>(&[]).is_err());
    }
}
