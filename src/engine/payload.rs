//! Personal payloads in packed rows are sealed under a key that lives in the subject's state row alone: erasing the
//! row erases them, wherever they were copied. ChaCha20-Poly1305; the nonce is the place (kind, batch, offset), which
//! is used once.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

use crate::store::PackedKind;

/// A subject's key; all zero means that it has none yet.
pub type Key = [u8; 32];

/// A new key from the operating system's randomness; `None` where it has none to give.
#[must_use]
pub fn new_key() -> Option<Key> {
    let mut key = [0; 32];
    SystemRandom::new().fill(&mut key).ok()?;
    Some(key)
}

/// Where a payload lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub kind: PackedKind,
    pub batch: u64,
    /// Less than 2^31.
    pub offset: u32,
}

/// Encrypts in place and appends the tag. `None` for a place that has no nonce.
#[must_use]
pub fn seal(key: &Key, place: Place, mut payload: Vec<u8>) -> Option<Vec<u8>> {
    let nonce = nonce(place)?;
    cipher(key)?.seal_in_place_append_tag(nonce, Aad::empty(), &mut payload).ok()?;
    Some(payload)
}

/// The inverse of [`seal`]; `None` if the key or the place is another, or the bytes were changed.
#[must_use]
pub fn open(key: &Key, place: Place, sealed: &[u8]) -> Option<Vec<u8>> {
    let mut payload = sealed.to_vec();
    let length = cipher(key)?.open_in_place(nonce(place)?, Aad::empty(), &mut payload).ok()?.len();
    payload.truncate(length);
    Some(payload)
}

/// As [`seal`], under a key that seals nothing else.
#[must_use]
pub(super) fn seal_once(key: &Key, mut payload: Vec<u8>) -> Option<Vec<u8>> {
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    cipher(key)?.seal_in_place_append_tag(nonce, Aad::empty(), &mut payload).ok()?;
    Some(payload)
}

/// The inverse of [`seal_once`].
#[must_use]
pub(super) fn open_once(key: &Key, sealed: &[u8]) -> Option<Vec<u8>> {
    let mut payload = sealed.to_vec();
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    let length = cipher(key)?.open_in_place(nonce, Aad::empty(), &mut payload).ok()?.len();
    payload.truncate(length);
    Some(payload)
}

fn cipher(key: &Key) -> Option<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, key).ok().map(LessSafeKey::new)
}

fn nonce(place: Place) -> Option<Nonce> {
    let kind = match place.kind {
        PackedKind::Log => 0,
        PackedKind::Trace => 1 << 31,
    };
    if place.offset >= 1 << 31 {
        return None;
    }
    let mut nonce = [0; 12];
    let (batch, offset) = nonce.split_at_mut(8);
    batch.copy_from_slice(&place.batch.to_le_bytes());
    offset.copy_from_slice(&(place.offset | kind).to_le_bytes());
    Some(Nonce::assume_unique_for_key(nonce))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_and_the_place_open_it() {
        let (key, other) = (new_key().unwrap(), new_key().unwrap());
        let place = Place { kind: PackedKind::Log, batch: 7, offset: 42 };
        let sealed = seal(&key, place, "张三".into()).unwrap();
        assert!(!sealed.windows(3).any(|window| window == "张".as_bytes()));
        assert_eq!(open(&key, place, &sealed).as_deref(), Some("张三".as_bytes()));
        assert_eq!(open(&other, place, &sealed), None);
        assert_eq!(open(&key, Place { kind: PackedKind::Trace, ..place }, &sealed), None);
        assert_eq!(open(&key, Place { batch: 8, ..place }, &sealed), None);
        assert_eq!(open(&key, place, &sealed[1..]), None);
        assert_eq!(seal(&key, Place { offset: u32::MAX, ..place }, Vec::new()), None);
    }
}
