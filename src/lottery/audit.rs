//! Looking at every draw of a lottery again: its place, its link, what its ticket draws, and whether that could be had.

use std::collections::{BTreeMap, BTreeSet};

use super::chain::{Head, Outcome, Record};
use super::{Seed, Terms, drawn};
use crate::text::hex;

/// Faults that are told at most.
const MOST: usize = 100;

/// What is known of a lottery before its draws are looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// As they were published, to the byte.
    pub terms: String,
    pub commitment: String,
    /// Once it is over.
    pub seed: Option<Seed>,
}

/// What an audit has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    pub draws: i64,
    /// How often each prize was won.
    pub won: BTreeMap<String, i64>,
    /// Whether the draws were repeated, and not only their chain looked at: the seed was there.
    pub is_repeated: bool,
    /// Of a prize that was not gone yet none could be had: a worker was about to give the last, or had died holding it.
    pub early: i64,
    /// The first of them, in words.
    pub faults: Vec<String>,
}

/// An audit under way.
#[derive(Debug)]
pub struct Auditor {
    terms: Terms,
    seed: Option<Seed>,
    head: Head,
    tickets: BTreeSet<[u8; 32]>,
    audit: Audit,
}

impl Auditor {
    /// # Errors
    /// If the terms cannot be read, in words.
    pub fn new(published: &Published) -> Result<Self, String> {
        let terms = serde_json::from_str(&published.terms)
            .map_err(|error| format!("the published terms cannot be read: {error}"))?;
        let mut audit = Audit { is_repeated: published.seed.is_some(), ..Audit::default() };
        if published.seed.as_ref().is_some_and(|seed| seed.commitment() != published.commitment) {
            audit.faults.push("the seed is not the one whose hash was published".to_owned());
        }
        Ok(Self {
            terms,
            seed: published.seed.clone(),
            head: Head::first(&published.commitment, &published.terms),
            tickets: BTreeSet::new(),
            audit,
        })
    }

    /// The next record.
    pub fn take(&mut self, record: &Record) {
        let expected = self.head.draws + 1;
        let nth = record.nth;
        if nth != expected {
            self.fault(format!("draw {expected} is not in its place: draw {nth} is there"));
        }
        let hangs = record.hangs_on(&self.head.link);
        if !hangs {
            self.fault(format!("draw {nth} does not hang on the one before it"));
        }
        let name = hex::parse(&record.draw.ticket);
        if name.is_none_or(|name| !self.tickets.insert(name)) {
            self.fault(format!("the ticket of draw {nth} was drawn before, or is none"));
        }
        self.repeat(record);
        self.count(record, hangs);
        // Behind a fault it goes on from what is there: one alteration is a few faults, not a million.
        (self.head.draws, self.head.link) = (nth, record.link.clone());
        self.audit.draws += 1;
    }

    /// How many are left. A win that does not hang on the chain is not counted; behind a count that differs, the chain's counts.
    fn count(&mut self, record: &Record, hangs: bool) {
        let (nth, draw) = (record.nth, &record.draw);
        let before = self.head.won.clone();
        let again = self.head.append(&self.terms, draw.clone());
        if again.left == record.left && hangs {
            return;
        }
        self.head.won = before;
        if again.left != record.left {
            let words = |left: Option<i64>| left.map_or("nothing".to_owned(), |left| left.to_string());
            let (says, are) = (words(record.left), words(again.left));
            self.fault(format!("draw {nth} says that {says} is left, and it should say {are}"));
        }
        let Some(name) = draw.drawn.clone().filter(|_| hangs) else { return };
        let count = self.terms.prize(&name).and_then(|prize| prize.count);
        if let Some((count, left)) = count.zip(record.left) {
            self.head.won.insert(name, count - left);
        }
    }

    /// What the ticket draws, and whether that was still there.
    fn repeat(&mut self, record: &Record) {
        let (nth, draw) = (record.nth, &record.draw);
        let won = draw.drawn.as_ref().and_then(|name| self.head.won.get(name)).copied().unwrap_or_default();
        let prize = draw.drawn.as_deref().and_then(|name| self.terms.prize(name));
        let is_gone = prize.and_then(|prize| prize.count).is_some_and(|count| won >= count);
        let is_counted = prize.is_some_and(|prize| prize.count.is_some());
        let drawn_again = self.seed.as_ref().map(|seed| drawn(seed, &draw.ticket, &self.terms.prizes));
        let drawn_again = drawn_again.map(|prize| prize.map(|prize| prize.name.as_str()));
        let differs = drawn_again.is_some_and(|again| again != draw.drawn.as_deref());
        let impossible = match draw.outcome {
            Outcome::Blank => draw.drawn.is_some(),
            Outcome::Won => prize.is_none() || is_gone,
            Outcome::SoldOut | Outcome::BudgetGone | Outcome::Refused => prize.is_none(),
        };
        self.audit.early += i64::from(draw.outcome == Outcome::SoldOut && is_counted && !is_gone);
        if differs {
            let again = drawn_again.flatten().unwrap_or("no prize");
            let says = draw.drawn.as_deref().unwrap_or("no prize");
            self.fault(format!("draw {nth} says `{says}`, and the seed draws `{again}`"));
        }
        if impossible {
            self.fault(format!("draw {nth} cannot have come to `{}`", draw.outcome));
        }
    }

    /// All draws were taken. `end`: how many there are, and the last link, where that is known from elsewhere.
    #[must_use]
    pub fn end(mut self, end: Option<(i64, &str)>) -> Audit {
        if let Some((draws, link)) = end
            && (draws, link) != (self.head.draws, &*self.head.link)
        {
            let found = self.head.draws;
            self.fault(format!(
                "the chain ends at draw {found}, and does not end as published at draw {draws}"
            ));
        }
        self.audit.won = self.head.won;
        self.audit
    }

    fn fault(&mut self, fault: String) {
        if self.audit.faults.len() < MOST {
            self.audit.faults.push(fault);
        }
    }
}
