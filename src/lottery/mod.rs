//! Draws that anybody can repeat: a seed that is bound to before anybody draws, and shown when the lottery is over.
//!
//! At publish a lottery's terms are frozen and the SHA-256 of its secret [`Seed`] is told to everybody. What a draw
//! gets is a function of the seed and of the draw's [`ticket`], and of nothing else; whether the prize can still be
//! had, of how many were won before. Every draw is a link of a [`chain`], so that none can be altered, dropped, doubled
//! or moved unseen, and [`audit`] repeats them all. [`file`](mod@file) is the chain as a file, for whoever wants to look; [`seal`] a seed as a
//! store keeps it.

pub mod audit;
pub mod chain;
pub mod file;
mod harm;
pub mod seal;

use std::fmt;
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

pub use chain::{Draw, Head, Outcome, Record};
pub use harm::harm;
pub use seal::{Kept, Seal};

use crate::name::Name;
use crate::program::Opening;
use crate::program::value::{Limit, Lottery, Prize};
use crate::text::hex;
use crate::value::Length;

/// What all draws of a lottery come from. Never in a log: only [`Seed::reveal`] shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Seed {
    /// A new one; `None`: the system has no randomness.
    #[must_use]
    pub fn random() -> Option<Self> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// The one of every test and trial: nothing depends on it.
    #[must_use]
    pub const fn of_trials() -> Self {
        Self([0; 32])
    }

    /// As [`Seed::reveal`] shows it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        hex::parse(text).map(Self)
    }

    /// What is told of it beforehand: its SHA-256, in hexadecimal.
    #[must_use]
    pub fn commitment(&self) -> String {
        hex::of(digest(&SHA256, &self.0).as_ref())
    }

    /// In hexadecimal, for everybody once nobody can draw any more, and for the store.
    #[must_use]
    pub fn reveal(&self) -> String {
        hex::of(&self.0)
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

/// Names a draw without telling whose it is: the SHA-256 of the lottery and of the draw's key, in hexadecimal.
#[must_use]
pub fn ticket(lottery: Name, key: &str) -> String {
    hex::of(digest(&SHA256, format!("draw/{lottery}/{key}").as_bytes()).as_ref())
}

/// The prize that a ticket draws, if any. The first eight bytes of the HMAC-SHA-256 of the ticket under the seed are a
/// number that is equally often anywhere; each prize, in the order written, owns a stretch as long as its odds.
#[must_use]
pub fn drawn<'p>(seed: &Seed, ticket: &str, prizes: &'p [Prize]) -> Option<&'p Prize> {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &seed.0), ticket.as_bytes());
    let bytes: [u8; 8] = tag.as_ref().get(..8)?.try_into().ok()?;
    let drawn = u128::from(u64::from_be_bytes(bytes));
    let mut end = 0u128;
    prizes.iter().find(|prize| {
        let (wins, of) = prize.odds;
        end += (u128::from(wins) << 64) / u128::from(of.max(1));
        drawn < end
    })
}

/// What is frozen at publish: everything but the words for people, and who pays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    pub lottery: Name,
    pub subject: Name,
    pub open: Option<Opening>,
    pub keep: Option<Length>,
    pub limits: Vec<Limit>,
    pub rules: Option<Arc<str>>,
    pub prizes: Vec<Prize>,
}

impl Terms {
    #[must_use]
    pub fn of(name: Name, lottery: &Lottery) -> Self {
        let Lottery { subject, open, keep, limits, rules, prizes, .. } = lottery.clone();
        let prizes = prizes.into_iter().map(|prize| Prize { label: None, ..prize }).collect();
        Self { lottery: name, subject, open, keep, limits, rules, prizes }
    }

    pub(crate) fn prize(&self, name: &str) -> Option<&Prize> {
        self.prizes.iter().find(|prize| prize.name.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prize_of(name: &str, odds: (u32, u32)) -> Prize {
        Prize { name: Name::new(name), label: None, value: None, count: None, odds, gives: None, tax: None }
    }

    #[test]
    fn each_prize_is_won_about_as_often_as_its_odds_say() {
        let prizes = [prize_of("often", (1, 4)), prize_of("seldom", (1, 50))];
        let won = |name: &str| {
            let of = |key: &u32| {
                drawn(&Seed([7; 32]), &key.to_string(), &prizes).map(|prize| prize.name.as_str())
                    == Some(name)
            };
            (0..10_000u32).filter(of).count()
        };
        // Five standard deviations.
        assert!((2_283..=2_717).contains(&won("often")), "{}", won("often"));
        assert!((130..=270).contains(&won("seldom")), "{}", won("seldom"));
    }

    #[test]
    fn the_same_ticket_always_draws_the_same_and_another_seed_draws_anew() {
        let prizes = [prize_of("half", (1, 2))];
        let all = |seed: u8| {
            let draw = |key: u32| drawn(&Seed([seed; 32]), &key.to_string(), &prizes).is_some();
            (0..64).map(draw).collect::<Vec<_>>()
        };
        assert_eq!(all(1), all(1));
        assert_ne!(all(1), all(2));
    }

    #[test]
    fn a_certain_prize_is_always_won() {
        let prizes = [prize_of("sure", (1, 1))];
        assert!((0..100).all(|key| drawn(&Seed([0; 32]), &key.to_string(), &prizes).is_some()));
    }

    #[test]
    fn a_seed_does_not_show_itself() {
        let seed = Seed([0xab; 32]);
        assert!(!format!("{seed:?}").contains("ab"));
        assert_eq!(Seed::parse(&seed.reveal()), Some(seed));
        assert_eq!(Seed::parse("abcd"), None);
    }
}
