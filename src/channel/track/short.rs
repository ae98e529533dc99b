//! Short names for links: eight letters and digits, for a text message, where each costs.
//!
//! What a name stands for is kept in the store; the name says only in which bucket. The rest of it is a keyed digest of
//! the message and of where the link leads, so that the same link has the same name at every attempt, and nobody guesses
//! one: with a hundred million names, one of a million guesses meets any.

use ring::hmac;

use super::{Followed, Tracks};
use crate::step::Delivery;

/// Letters of a name, and bits of it that are the digest's; those before it are the bucket.
const LENGTH: usize = 8;
const BITS: u32 = 35;
/// In the order of their bytes: names of a bucket stand together.
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl Tracks {
    /// The name, in `bucket`, of a link of a message that leads somewhere; `nth`: with another digest, where names before
    /// it stand for something else.
    #[must_use]
    pub fn name(&self, bucket: u16, (message, to): (&str, &str), nth: u32) -> String {
        let tag = hmac::sign(&self.names, format!("{nth}\n{message}\n{to}").as_bytes());
        let digest = tag.as_ref().iter().take(8).fold(0, |sum: u64, byte| (sum << 8) | u64::from(*byte));
        spelled((u64::from(bucket) << BITS) | (digest >> (64 - BITS)))
    }

    /// What is kept under a name.
    #[must_use]
    pub fn sealed(&self, message: &str, to: &str) -> Option<Vec<u8>> {
        self.seal(&format!("{message}\n{to}"))
    }

    /// What was kept under a name that we made; `None` for anything else.
    #[must_use]
    pub fn opened(&self, body: Vec<u8>) -> Option<Followed> {
        self.open(body)
    }

    /// The address under which a name is followed.
    #[must_use]
    pub fn address(&self, name: &str) -> String {
        format!("{}/s/{name}", self.url)
    }

    /// Leads the links of a message through others.
    pub fn lead(&self, delivery: &mut Delivery, through: &dyn Fn(&str) -> Option<String>) {
        let links = super::links(delivery);
        for (_, text) in &mut delivery.parts {
            *text = self.replaced(text, &links, through).into();
        }
    }
}

/// The bucket that a name belongs to; `None`: it is none of ours.
#[must_use]
pub fn bucket_of(name: &str) -> Option<u16> {
    if name.len() != LENGTH {
        return None;
    }
    let digit = |letter: u8| LETTERS.binary_search(&letter).ok().and_then(|digit| u64::try_from(digit).ok());
    let number = name.bytes().try_fold(0_u64, |sum, letter| Some(sum * 62 + digit(letter)?))?;
    u16::try_from(number >> BITS).ok()
}

/// The names of a bucket lie between these, the second excluded.
#[must_use]
pub fn names_of(bucket: u16) -> (String, String) {
    (spelled(u64::from(bucket) << BITS), spelled((u64::from(bucket) + 1) << BITS))
}

fn spelled(mut number: u64) -> String {
    let mut letters = [b'0'; LENGTH];
    for letter in letters.iter_mut().rev() {
        let digit = usize::try_from(number % 62).unwrap_or_default();
        *letter = LETTERS.get(digit).copied().unwrap_or(b'0');
        number /= 62;
    }
    letters.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::tracks;
    use super::*;

    #[test]
    fn a_name_says_its_bucket_and_nothing_else() {
        let (ours, other) = (tracks("a secret of sixteen"), tracks("another secret"));
        let link = ("due/C-17/C-17/sms", "app://holding?x=1");
        for bucket in [0, 1, 77, 4095] {
            let name = ours.name(bucket, link, 0);
            assert_eq!((name.len(), bucket_of(&name)), (8, Some(bucket)));
            assert_eq!(name, ours.name(bucket, link, 0), "the same at every attempt");
            let (first, end) = names_of(bucket);
            assert!(first <= name && name < end, "{first} {name} {end}");
            // By itself, of another message, to another place, of another secret.
            let others = [
                ours.name(bucket, link, 1),
                ours.name(bucket, ("due/C-18/C-18/sms", link.1), 0),
                ours.name(bucket, (link.0, "app://holding?x=2"), 0),
                other.name(bucket, link, 0),
            ];
            assert!(!others.contains(&name));
        }
        for garbage in ["", "0000000", "000000000", "zzzzzzz!", "客户客"] {
            assert_eq!(bucket_of(garbage), None, "{garbage}");
        }
        let body = ours.sealed(link.0, link.1).unwrap();
        let followed = Followed::Link { message: link.0.to_owned(), to: link.1.to_owned() };
        assert_eq!(ours.opened(body.clone()), Some(followed));
        assert_eq!(other.opened(body), None);
    }
}
