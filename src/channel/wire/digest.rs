//! Digests and signatures in the spellings that providers want.

use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};

use crate::step::MessageKey;
use crate::text::hex;

pub(in crate::channel) fn sha256_hex(text: &str) -> String {
    hex::of(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

pub(in crate::channel) fn hmac_sha256(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

/// Never twice the same.
pub(in crate::channel) fn nonce() -> String {
    let mut bytes = [0; 16];
    // Without randomness it is all zeros: the provider refuses the second request, and we try again.
    let _ = SystemRandom::new().fill(&mut bytes);
    hex::of(&bytes)
}

/// The short form of a message's key, which itself may hold any script: the idempotency key.
#[must_use]
pub fn id(message: &MessageKey) -> String {
    let digest = digest::digest(&digest::SHA256, message.to_string().as_bytes());
    format!("msg_{}", hex::of(digest.as_ref().get(..16).unwrap_or_default()))
}
