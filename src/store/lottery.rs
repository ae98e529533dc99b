//! Lotteries in a store: what was published, with the seed, and the chain of draws, each written with the state of whoever
//! drew. Whoever commits a draw has the end of the chain to itself until the transaction is over, so there is one chain,
//! however many workers there are.

use std::collections::{BTreeMap, BTreeSet};

use super::{StoreError, Stored};
use crate::lottery::audit::Published;
use crate::lottery::{Draw, Head, Kept, Outcome, Record, Seed, Terms};

/// A lottery as it was published, and where its chain ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LotteryRow {
    pub name: String,
    /// As text, to the byte: their hash is part of the chain.
    pub terms: String,
    pub commitment: String,
    /// For the engine only: [`LotteryRow::seed`] is for everybody.
    pub secret: Kept,
    /// When it was published, in milliseconds since 1970, as all instants here.
    pub made: i64,
    /// From when on nobody can draw; `None`: it has no end.
    pub ends: Option<i64>,
    /// Since when the seed may be known.
    pub revealed: Option<i64>,
    pub head: Head,
}

impl LotteryRow {
    /// Once it is over.
    #[must_use]
    pub fn seed(&self) -> Option<&Seed> {
        match &self.secret {
            Kept::Clear(seed) => self.revealed.map(|_| seed),
            Kept::Sealed(_) => None,
        }
    }

    /// What everybody may know of it.
    #[must_use]
    pub fn published(&self) -> Published {
        Published {
            terms: self.terms.clone(),
            commitment: self.commitment.clone(),
            seed: self.seed().cloned(),
        }
    }
}

/// A draw on its way into the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawRow {
    pub lottery: String,
    /// Of the seed that it came from.
    pub commitment: String,
    pub draw: Draw,
    /// Of the step that drew.
    pub key: String,
    /// `customer/c1`: the row that drew.
    pub holder: String,
}

/// A draw of the chain, with whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    pub record: Record,
    pub key: String,
    pub holder: String,
}

/// What a deployment does to lotteries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publication {
    /// New ones; a lottery of that name stays as it is if somebody has drawn, or its terms are the same.
    pub new: Vec<LotteryRow>,
    /// When these end, unless their seeds were revealed.
    pub ends: Vec<(String, Option<i64>)>,
}

/// The seed of a lottery that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revealed {
    pub lottery: String,
    pub commitment: String,
    pub seed: Seed,
}

/// The lotteries of a store.
pub trait Lotteries: Send + Sync {
    fn publish<'a>(&'a self, publication: &'a Publication) -> Stored<'a, ()>;

    /// All that there ever were, in the order of their names.
    fn lotteries(&self) -> Stored<'_, Vec<LotteryRow>>;

    /// The first `limit` draws of a lottery behind the `after`th.
    fn draws<'a>(&'a self, lottery: &'a str, after: i64, limit: usize) -> Stored<'a, Vec<Drawn>>;

    /// Lets everybody know these seeds, of lotteries that ended before an instant; of how many they were the seeds.
    fn reveal<'a>(&'a self, seeds: &'a [Revealed], ended: i64, at: i64) -> Stored<'a, u64>;
}

/// Which lotteries the draws of a commit are of.
pub(super) fn names(draws: &[DrawRow]) -> Vec<&str> {
    let names: BTreeSet<&str> = draws.iter().map(|draw| &*draw.lottery).collect();
    names.into_iter().collect()
}

/// Puts draws behind the ends of their chains, which move.
///
/// # Errors
/// [`StoreError::Fenced`] where a lottery is another one than whoever drew has known, or is over: what was drawn then is
/// no draw.
pub(super) fn append<'d>(
    found: &mut BTreeMap<String, LotteryRow>,
    draws: &'d [DrawRow],
) -> Result<Vec<(&'d DrawRow, Record)>, StoreError> {
    let mut terms: BTreeMap<&str, Terms> = BTreeMap::new();
    let mut records = Vec::with_capacity(draws.len());
    for draw in draws {
        let row = found.get_mut(&draw.lottery).ok_or(StoreError::Fenced)?;
        if row.commitment != draw.commitment || row.revealed.is_some() {
            return Err(StoreError::Fenced);
        }
        if !terms.contains_key(&*draw.lottery) {
            terms.insert(&draw.lottery, serde_json::from_str(&row.terms).map_err(|_| damaged())?);
        }
        let Some(terms) = terms.get(&*draw.lottery) else { continue };
        records.push((draw, row.head.append(terms, draw.draw.clone())));
    }
    Ok(records)
}

/// Name, terms, commitment, seed and link; made and draws; ends and revealed; won: as the columns have them.
pub(super) fn row_of(
    [name, terms, commitment, seed, link]: [String; 5],
    (made, draws): (i64, i64),
    (ends, revealed): (Option<i64>, Option<i64>),
    won: &str,
) -> Result<LotteryRow, StoreError> {
    let secret = Kept::parse(&seed).ok_or_else(damaged)?;
    let won = serde_json::from_str(won).map_err(|_| damaged())?;
    Ok(LotteryRow { name, terms, commitment, secret, made, ends, revealed, head: Head { draws, link, won } })
}

/// How often each prize was won, as the column has it.
pub(super) fn won(head: &Head) -> String {
    serde_json::to_string(&head.won).unwrap_or_default()
}

/// Ticket, outcome, link, key and holder; nth and at; drawn; left: as the columns have them.
pub(super) fn drawn_of(
    [ticket, outcome, link, key, holder]: [String; 5],
    (nth, at): (i64, i64),
    drawn: Option<String>,
    left: Option<i64>,
) -> Result<Drawn, StoreError> {
    let outcome = Outcome::of(&outcome).ok_or_else(damaged)?;
    Ok(Drawn { record: Record { nth, draw: Draw { ticket, drawn, outcome, at }, left, link }, key, holder })
}

fn damaged() -> StoreError {
    StoreError::Damaged("a lottery or a draw has no meaning".to_owned())
}
