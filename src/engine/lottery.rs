//! Lotteries of a deployment: published with a seed of their own before it goes live, closed when it is over.
//!
//! A lottery that is published is frozen: a deployment that takes anything from whoever takes part is refused. Until somebody
//! has drawn from it, it may be changed for the better, and gets another seed. One that is over, or that no deployment has any more, ends; a
//! while later its seed may be known by everybody. Until then the store keeps it sealed, where the bank has given a secret for that.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::handle::EngineError;
use crate::expr::civil;
use crate::lottery::{Head, Kept, Seal, Seed, Terms};
use crate::name::Name;
use crate::program::Bundle;
use crate::program::value::Lottery;
use crate::step::World;
use crate::step::world::Seeds;
use crate::store::{LotteryRow, Publication, Revealed, Store, StoreError};

/// Binds to a seed for each lottery of `bundle`, before it goes live.
///
/// # Errors
/// [`EngineError::Refused`] where the terms of a lottery that was drawn from differ, or it is over for good.
pub(super) async fn publish(
    store: &dyn Store,
    world: &World,
    bundle: &Bundle,
    (now, seal): (Timestamp, Option<&Seal>),
) -> Result<(), EngineError> {
    let Some(kept) = store.lotteries() else { return Ok(()) };
    let stored = kept.lotteries().await?;
    let declared = &bundle.values.lotteries;
    if declared.is_empty() && stored.is_empty() {
        return Ok(());
    }
    let mut publication = Publication::default();
    for (name, lottery) in declared {
        let (terms, ends) = (Terms::of(*name, lottery), ends(world, lottery));
        let found = stored.iter().find(|row| row.name == name.as_str());
        match found {
            Some(row) if is_same(row, &terms) && row.revealed.is_none() => {
                publication.ends.push((row.name.clone(), ends));
            }
            // What is over stays over.
            Some(row) if is_same(row, &terms) && ends.is_some_and(|ends| ends <= now.as_millisecond()) => {}
            Some(row) if row.head.draws > 0 || is_same(row, &terms) => return Err(frozen(*name, row)),
            Some(row) if row.revealed.is_none() => {
                if let Some(harm) = harmed(row, &terms) {
                    return Err(refused(*name, &format!("is published, and this takes from it: {harm}")));
                }
                publication.new.push(new(&terms, ends, (now, seal))?);
            }
            _ => publication.new.push(new(&terms, ends, (now, seal))?),
        }
    }
    for row in stored.iter().filter(|row| row.revealed.is_none()) {
        let is_gone = !declared.keys().any(|name| name.as_str() == row.name);
        if is_gone && row.ends.is_none_or(|ends| ends > now.as_millisecond()) {
            publication.ends.push((row.name.clone(), Some(now.as_millisecond())));
        }
    }
    kept.publish(&publication).await?;
    // Another worker may have been quicker, with other terms.
    let stored = kept.lotteries().await?;
    for new in &publication.new {
        let row = stored.iter().find(|row| row.name == new.name);
        if let Some(row) = row.filter(|row| row.terms != new.terms) {
            return Err(frozen(Name::new(&row.name), row));
        }
        tracing::info!(
            lottery = new.name,
            "published: nothing can be taken from it any more, and nothing changes after the first draw"
        );
    }
    if seal.is_none() && !publication.new.is_empty() {
        tracing::warn!(
            "seeds of lotteries lie in the store in clear: whoever reads it can foretell draws; `secret_file` under `[lotteries]` seals \
             those that are published from then on"
        );
    }
    Ok(())
}

fn frozen(name: Name, row: &LotteryRow) -> EngineError {
    let why = if row.revealed.is_some() {
        "is over, and its seed may be known".to_owned()
    } else {
        format!(
            "was drawn from {} times: its prizes, odds, counts, dates and limits are frozen",
            row.head.draws
        )
    };
    refused(name, &why)
}

fn refused(name: Name, why: &str) -> EngineError {
    EngineError::Refused(format!("lottery `{name}` {why}; give what is to be drawn now another name").into())
}

/// What the new terms take from whoever takes part.
fn harmed(row: &LotteryRow, terms: &Terms) -> Option<String> {
    match serde_json::from_str::<Terms>(&row.terms) {
        Ok(known) => crate::lottery::harm(&known, terms),
        Err(error) => Some(format!("what was published cannot be read: {error}")),
    }
}

fn is_same(row: &LotteryRow, terms: &Terms) -> bool {
    serde_json::from_str::<Terms>(&row.terms).is_ok_and(|known| known == *terms)
}

fn new(
    terms: &Terms,
    ends: Option<i64>,
    (now, seal): (Timestamp, Option<&Seal>),
) -> Result<LotteryRow, EngineError> {
    let unwritable = |reason: &str| EngineError::Refused(format!("no seed can be made: {reason}").into());
    let nothing = || unwritable("the system has no randomness");
    let seed = Seed::random().ok_or_else(nothing)?;
    let text = serde_json::to_string(terms).map_err(|error| unwritable(&error.to_string()))?;
    let commitment = seed.commitment();
    let secret = Kept::new(&seed, seal).ok_or_else(nothing)?;
    let head = Head::first(&commitment, &text);
    let (name, made) = (terms.lottery.to_string(), now.as_millisecond());
    Ok(LotteryRow { name, terms: text, commitment, secret, made, ends, revealed: None, head })
}

/// The end of its last day; `None`: it has none.
fn ends(world: &World, lottery: &Lottery) -> Option<i64> {
    let last = lottery.open.as_ref()?.last()?;
    Some(civil::start_of_day(last.tomorrow().ok()?, &world.zone)?.as_millisecond())
}

/// Gives `world` the seeds that the store keeps.
///
/// # Errors
/// [`EngineError::Refused`] where one that can be drawn from is sealed under another secret: whoever cannot open it would refuse
/// every draw.
pub(super) async fn load(
    store: &dyn Store,
    world: &mut World,
    seal: Option<&Seal>,
) -> Result<(), EngineError> {
    let mut seeds = BTreeMap::new();
    if let Some(kept) = store.lotteries().filter(|_| !world.bundle.values.lotteries.is_empty()) {
        for row in kept.lotteries().await? {
            if row.revealed.is_none()
                && let Some(name) = Name::lookup(&row.name)
            {
                let seed = row.secret.seed(seal, &row.commitment).ok_or_else(|| sealed(&row.name, seal))?;
                seeds.insert(name, (seed, Arc::from(row.commitment)));
            }
        }
    }
    world.seeds = Seeds::Kept(Arc::new(seeds));
    Ok(())
}

fn sealed(name: &str, seal: Option<&Seal>) -> EngineError {
    let what =
        if seal.is_some() { "another secret" } else { "a secret, and wayfare.toml has no `[lotteries]`" };
    EngineError::Refused(
        format!(
            "the seed of lottery `{name}` is sealed under {what}; give `secret_file` under `[lotteries]` the secret it was \
             published with"
        )
        .into(),
    )
}

/// Lets everybody know the seeds of lotteries that were over at `ended`.
pub(super) async fn reveal(
    store: &dyn Store,
    seal: Option<&Seal>,
    ended: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(kept) = store.lotteries() else { return Ok(()) };
    let ended = ended.as_millisecond();
    let mut seeds = Vec::new();
    for row in kept.lotteries().await? {
        if row.revealed.is_some() || row.ends.is_none_or(|ends| ends > ended) {
            continue;
        }
        if let Some(seed) = row.secret.seed(seal, &row.commitment) {
            seeds.push(Revealed { lottery: row.name, commitment: row.commitment, seed });
        } else {
            tracing::error!(
                lottery = row.name,
                "is over, and its seed is sealed under another secret: nobody can be shown it before `[lotteries]` has the one it was \
                 published with"
            );
        }
    }
    if seeds.is_empty() {
        return Ok(());
    }
    let count = kept.reveal(&seeds, ended, now.as_millisecond()).await?;
    if count > 0 {
        tracing::info!(count, "lotteries are over; their seeds may be known");
    }
    Ok(())
}
