//! What one row says to another, and what came to a worker that does not hold its group, on its way: one row of the
//! store's inbox per batch and group, written with the states that said it and deleted with those that took it.
//!
//! Rows are sealed: what they carry is as personal as the log. Their key cannot be the subject's, whose row the sender
//! has not read, so it is the sender's own: kept in the store (`post.key.…`), written with what it seals, and another
//! one after a while.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use ring::hkdf;
use serde::{Deserialize, Serialize};

use super::pack;
use super::payload::{self, Key};
use super::work::Steps;
use crate::step::{Event, Post, RootKey, codec};
use crate::store::{Commit, InboxRef, InboxRow, POST_KEYS, Store, StoreError};
use crate::text::hex;

/// Rows before this were lists of events in clear.
const SEALED: u8 = 2;
/// How long one key is used.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// Keys of others that memory holds.
const MOST_KNOWN: usize = 256;

/// One thing on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Carried {
    /// Was looked at and answered by another worker.
    Event(RootKey, Box<Event>),
    Post(Box<Post>),
}

/// What a batch leaves, by group.
pub(super) type Leaving = BTreeMap<u16, Vec<Carried>>;

/// The keys of rows that are on their way.
#[derive(Default)]
pub(super) struct Keys {
    own: Option<(u64, Key, Timestamp)>,
    known: HashMap<u64, Key>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    key: u64,
    /// Makes the row's own key of it, so that none is used twice.
    salt: Key,
    body: Vec<u8>,
}

impl Keys {
    /// Adds what leaves to `commit`, with the key it is sealed under. `at`: never earlier than before.
    ///
    /// # Errors
    /// If the system has no randomness, or something cannot be serialised, which nothing of ours cannot.
    pub(super) fn leave(
        &mut self,
        steps: Steps,
        leaving: Leaving,
        at: Timestamp,
        commit: &mut Commit,
    ) -> Result<(), String> {
        if leaving.is_empty() {
            return Ok(());
        }
        let random = || (steps.new_key)().ok_or_else(|| "the system has no randomness".to_owned());
        let (number, key, since) = match self.own {
            Some(own) if at.duration_since(own.2) < LONGEST => own,
            _ => {
                let (key, number) = (random()?, random()?);
                let (number, _) = number.split_first_chunk().ok_or("a key is too short")?;
                let own = (u64::from_le_bytes(*number), key, at);
                *self.own.insert(own)
            }
        };
        // With every row: nobody has to know whether it is there.
        commit.meta.push((name(number), format!("{} {}", hex::of(&key), since.as_millisecond())));
        for (group, list) in leaving {
            let salt = random()?;
            let plain = pack::pack_list(&list)?;
            let body = row_key(&key, &salt).and_then(|key| payload::seal_once(&key, plain));
            let body = body.ok_or("what leaves cannot be sealed")?;
            let body = codec::versioned(SEALED, &Sealed { key: number, salt, body });
            let body = body.map_err(|error| error.to_string())?;
            let at = InboxRef { group, at: at.as_millisecond(), batch: commit.batch, ..InboxRef::default() };
            commit.inbox.push(InboxRow { at, body });
        }
        Ok(())
    }

    /// What a row says; the inner error: why it cannot be read.
    pub(super) async fn open(
        &mut self,
        store: &dyn Store,
        row: &InboxRow,
    ) -> Result<Result<Vec<Carried>, String>, StoreError> {
        let Some((&SEALED, rest)) = row.body.split_first() else {
            let list = pack::unpack_list::<(RootKey, Event)>(&row.body);
            return Ok(list.map(|list| {
                list.into_iter().map(|(root, event)| Carried::Event(root, Box::new(event))).collect()
            }));
        };
        let sealed: Sealed = match postcard::from_bytes(rest) {
            Ok(sealed) => sealed,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let Some(key) = self.key(store, sealed.key).await? else {
            return Ok(Err("its key is gone".to_owned()));
        };
        let plain = row_key(&key, &sealed.salt).and_then(|key| payload::open_once(&key, &sealed.body));
        Ok(plain
            .ok_or_else(|| "its key does not open it".to_owned())
            .and_then(|plain| pack::unpack_list(&plain)))
    }

    async fn key(&mut self, store: &dyn Store, number: u64) -> Result<Option<Key>, StoreError> {
        if let Some((own, key, _)) = self.own
            && own == number
        {
            return Ok(Some(key));
        }
        if let Some(key) = self.known.get(&number) {
            return Ok(Some(*key));
        }
        let found = store.meta(&name(number)).await?.and_then(|text| parse(&text));
        if let Some(key) = found {
            if self.known.len() >= MOST_KNOWN {
                self.known.clear();
            }
            self.known.insert(number, key);
        }
        Ok(found)
    }
}

fn name(number: u64) -> String {
    format!("{POST_KEYS}{number:016x}")
}

/// The key of one row.
fn row_key(key: &Key, salt: &Key) -> Option<Key> {
    let mut own = Key::default();
    let random = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(key);
    random.expand(&[b"wayfare post"], hkdf::HKDF_SHA256).ok()?.fill(&mut own).ok()?;
    Some(own)
}

fn parse(text: &str) -> Option<Key> {
    hex::parse(text.split_once(' ')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::payload::new_key;

    #[test]
    fn a_key_is_kept_as_text() {
        let key = new_key().unwrap();
        assert_eq!(parse(&format!("{} 7", hex::of(&key))), Some(key));
        assert_eq!(parse("00 7"), None);
    }

    #[test]
    fn each_row_has_a_key_of_its_own() {
        let (key, one, other) = (new_key().unwrap(), new_key().unwrap(), new_key().unwrap());
        assert_ne!(row_key(&key, &one), row_key(&key, &other));
        let sealed = payload::seal_once(&row_key(&key, &one).unwrap(), "张三".into()).unwrap();
        assert!(!sealed.windows(3).any(|window| window == "张".as_bytes()));
        assert_eq!(payload::open_once(&row_key(&key, &other).unwrap(), &sealed), None);
        assert_eq!(
            payload::open_once(&row_key(&key, &one).unwrap(), &sealed).as_deref(),
            Some("张三".as_bytes())
        );
    }
}
