//! A seed at rest. Under a secret of the bank's it is sealed, so that whoever reads the database before a lottery's end
//! cannot foretell its draws (AES-256-GCM; the commitment is authenticated with it, so a sealed seed cannot be given to another lottery).
//! Once a lottery is over its seed is public, and lies in clear.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use super::Seed;

/// What stands before a seed that is sealed: no seed in clear has a colon.
const MARK: &str = "sealed:";

/// What seeds are sealed under.
pub struct Seal(LessSafeKey);

impl Seal {
    /// `None`: the secret cannot be used.
    #[must_use]
    pub fn new(secret: &[u8]) -> Option<Self> {
        let key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), b"wayfare lotteries: seal");
        UnboundKey::new(&AES_256_GCM, key.as_ref()).ok().map(LessSafeKey::new).map(Self)
    }

    /// A new nonce, and the seed behind it; `None`: the system has no randomness.
    fn close(&self, seed: &Seed) -> Option<Vec<u8>> {
        let mut bytes = vec![0; NONCE_LEN];
        SystemRandom::new().fill(&mut bytes).ok()?;
        let nonce = Nonce::try_assume_unique_for_key(&bytes).ok()?;
        let mut sealed = seed.0.to_vec();
        self.0.seal_in_place_append_tag(nonce, Aad::from(seed.commitment()), &mut sealed).ok()?;
        bytes.extend(sealed);
        Some(bytes)
    }

    fn open(&self, commitment: &str, sealed: &[u8]) -> Option<Seed> {
        let mut bytes = sealed.to_vec();
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let seed = self.0.open_in_place(nonce, Aad::from(commitment), sealed).ok()?;
        seed.try_into().ok().map(Seed)
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(…)")
    }
}

/// A seed as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    Clear(Seed),
    Sealed(Vec<u8>),
}

impl Kept {
    /// `None`: the system has no randomness.
    #[must_use]
    pub fn new(seed: &Seed, seal: Option<&Seal>) -> Option<Self> {
        seal.map_or_else(|| Some(Self::Clear(seed.clone())), |seal| seal.close(seed).map(Self::Sealed))
    }

    /// As [`Kept::as_text`] writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix(MARK) {
            Some(sealed) => URL_SAFE_NO_PAD.decode(sealed).ok().map(Self::Sealed),
            None => Seed::parse(text).map(Self::Clear),
        }
    }

    /// For the store alone: a seed in clear is shown.
    #[must_use]
    pub fn as_text(&self) -> String {
        match self {
            Self::Clear(seed) => seed.reveal(),
            Self::Sealed(bytes) => format!("{MARK}{}", URL_SAFE_NO_PAD.encode(bytes)),
        }
    }

    /// The seed of `commitment`; `None`: it is sealed under another secret.
    #[must_use]
    pub fn seed(&self, seal: Option<&Seal>, commitment: &str) -> Option<Seed> {
        match self {
            Self::Clear(seed) => Some(seed.clone()),
            Self::Sealed(sealed) => seal?.open(commitment, sealed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_seed_is_opened_by_its_secret_and_for_its_lottery_alone() {
        let (ours, other) =
            (Seal::new(b"0123456789abcdef").unwrap(), Seal::new(b"0123456789abcdeg").unwrap());
        let (seed, another) = (Seed::random().unwrap(), Seed::random().unwrap());
        let kept = Kept::new(&seed, Some(&ours)).unwrap();
        let text = kept.as_text();
        assert!(text.starts_with("sealed:") && !text.contains(&seed.reveal()), "{text}");
        let read = Kept::parse(&text).unwrap();
        assert_eq!(read.seed(Some(&ours), &seed.commitment()), Some(seed.clone()));
        assert_eq!(read.seed(Some(&other), &seed.commitment()), None);
        assert_eq!(read.seed(None, &seed.commitment()), None);
        assert_eq!(read.seed(Some(&ours), &another.commitment()), None);
        assert_ne!(Kept::new(&seed, Some(&ours)).unwrap().as_text(), text, "no nonce is used twice");
    }

    #[test]
    fn what_was_kept_in_clear_is_still_read() {
        let seed = Seed::random().unwrap();
        let kept = Kept::parse(&seed.reveal()).unwrap();
        assert_eq!(kept.seed(None, &seed.commitment()), Some(seed));
        assert_eq!(Kept::parse("sealed:!"), None);
        let short = Kept::parse("sealed:AAAA").unwrap();
        assert_eq!(short.seed(Seal::new(b"0123456789abcdef").as_ref(), ""), None);
    }
}
