//! Draws: each once, each what its seed says, each for a chance that was there, and no more prizes than there are.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use ring::{digest, hmac};
use wayfare::lottery::Outcome;
use wayfare::store::{Commit, DrawRow};

use super::Model;
use crate::sim::bank;

#[derive(Default)]
pub(super) struct Draws {
    keys: BTreeSet<String>,
    cups: i64,
}

/// Of one customer.
#[derive(Clone, Copy, Default)]
pub(super) struct Chances {
    pub had: u64,
    drew: u64,
}

impl Chances {
    pub(super) fn join(&mut self, gone: Self) {
        self.had += gone.had;
        self.drew += gone.drew;
    }
}

impl Model {
    /// The draws of a commit, behind what its rows say.
    pub(super) fn drew(&mut self, commit: &Commit) {
        for row in &commit.draws {
            self.count("draw");
            let (key, drawn) = (&row.key, row.draw.drawn.as_deref());
            let is_new = self.draws.keys.insert(key.clone());
            self.expect(is_new, || format!("{key} was drawn twice"));
            let said = of_the_seed(key);
            self.expect(drawn == said, || format!("{key} drew {drawn:?}, and the seed says {said:?}"));
            if row.draw.outcome == Outcome::Won && drawn == Some("cup") {
                self.draws.cups += 1;
                let cups = self.draws.cups;
                self.expect(cups <= bank::CUPS, || {
                    format!("{key} won cup {cups}, the stock is {}", bank::CUPS)
                });
                self.count("cup");
            }
            self.spent(row);
        }
    }

    fn spent(&mut self, row: &DrawRow) {
        let Some((_, id)) = row.holder.split_once('/') else { return };
        let Some(customer) = self.customers.get_mut(id) else { return };
        customer.chances.drew += 1;
        let Chances { had, drew } = customer.chances;
        self.expect(drew <= had, || format!("{} drew {drew} times, of {had} chances", row.holder));
    }

    /// What the store's chains say, and whether all that was drawn is in them.
    pub(crate) fn chained(&mut self, (wrong, draws): (Vec<String>, usize)) {
        self.broken.extend(wrong);
        let drawn = self.draws.keys.len();
        self.expect(draws == drawn, || format!("{drawn} were drawn, and {draws} are in the chain"));
    }
}

/// What this draw gets, worked out from what is written of lotteries: `cup` 1 in 6, `card` 1 in 3.
fn of_the_seed(key: &str) -> Option<&'static str> {
    let ticket = digest::digest(&digest::SHA256, format!("draw/wheel/{key}").as_bytes());
    let mut hex = String::new();
    ticket.as_ref().iter().for_each(|byte| write!(hex, "{byte:02x}").unwrap());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[0; 32]), hex.as_bytes());
    let number = tag.as_ref()[..8].iter().fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
    // Shares of the whole, which is 2 to the power of 64.
    match number {
        number if number * 6 < 1 << 64 => Some("cup"),
        number if number * 2 < 1 << 64 => Some("card"),
        _ => None,
    }
}
