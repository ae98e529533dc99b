//! The books for people: balances of accounts, and whether everything adds up.

use std::collections::BTreeMap;

use super::desk;
use crate::ledger::{Act, Gift, Place, Sums};
use crate::store::{Acted, EntryRow, Ledger, Quota, Store, StoreError};

/// Entries read at once.
const PAGE: usize = 5_000;
/// Faults that are told at most.
const MOST: usize = 100;

/// What an account comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    pub account: String,
    /// `CNY` (amounts are minor units), `piece`, or the name of points.
    pub unit: String,
    /// Of how much there is; `None`: without end.
    pub most: Option<i64>,
    /// Given and not come back.
    pub given: i64,
    /// Of that, what customers have and have not used: what the bank still owes.
    pub held: i64,
    /// Of that, what was used.
    pub used: i64,
    /// What can still be given.
    pub left: Option<i64>,
    /// Taken by workers for batches that are under way.
    pub under_way: i64,
    /// When its owner was to be told, and when somebody first found nothing left: milliseconds since 1970.
    pub alerted: Option<i64>,
    pub gone: Option<i64>,
}

/// All accounts, in the order of their names.
///
/// # Errors
/// If the store cannot be read.
pub async fn balances(ledger: &dyn Ledger) -> Result<Vec<Balance>, StoreError> {
    let quotas = ledger.quotas().await?;
    let sums = sums(ledger).await?;
    let mut units: BTreeMap<&str, &str> = quotas.iter().map(|quota| (&*quota.account, "")).collect();
    units.extend(sums.accounts());
    let balance = |(account, unit): (&str, &str)| {
        let quota = quotas.iter().find(|quota| quota.account == account);
        let given = quota.map_or_else(|| sums.given(account), |quota| quota.given);
        Balance {
            account: account.to_owned(),
            unit: unit.to_owned(),
            most: quota.map(|quota| quota.most),
            given,
            held: sums.at(account, Place::Held),
            used: sums.at(account, Place::Used),
            left: quota.map(|quota| (quota.most - quota.given).max(0)),
            under_way: quota.map_or(0, |quota| quota.under_way),
            alerted: quota.and_then(|quota| quota.alerted),
            gone: quota.and_then(|quota| quota.gone),
        }
    };
    Ok(units.into_iter().map(balance).collect())
}

async fn sums(ledger: &dyn Ledger) -> Result<Sums, StoreError> {
    let mut sums = Sums::default();
    for moved in ledger.moved().await? {
        sums.add(&moved.account, &moved.unit, (moved.from, moved.act), moved.amount);
    }
    Ok(sums)
}

/// What an audit has looked at, and what does not add up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    pub gifts: u64,
    pub entries: u64,
    /// The first of them, in words.
    pub faults: Vec<String>,
}

/// Looks at every entry there is: each gift by itself, each account, each unit. Beside a daemon that goes on giving,
/// a number counts as right if it was at the beginning or at the end.
///
/// # Errors
/// If the store cannot be read.
pub async fn audit(ledger: &dyn Ledger) -> Result<Audit, StoreError> {
    let before = ledger.quotas().await?;
    let (mut audit, mut sums, mut after) = (Audit::default(), Sums::default(), String::new());
    loop {
        let rows = ledger.gifts(&after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.gift);
        for gift in rows.chunk_by(|a, b| a.gift == b.gift) {
            audit.gift(gift, &mut sums);
        }
    }
    let quotas = ledger.quotas().await?;
    for quota in &quotas {
        let old = before.iter().find(|old| old.account == quota.account);
        audit.quota(old, quota, sums.given(&quota.account));
    }
    for (account, unit) in sums.accounts() {
        for place in [Place::Reserved, Place::Held, Place::Used] {
            if sums.at(account, place) < 0 {
                audit.fault(format!("`{account}` has less than nothing that is {}", place.as_str()));
            }
        }
        if sums.by_unit().get(unit).is_some_and(|sum| *sum != 0) {
            audit.fault(format!("what is in {unit} does not add up to nothing"));
        }
    }
    Ok(audit)
}

impl Audit {
    fn fault(&mut self, fault: String) {
        if self.faults.len() < MOST {
            self.faults.push(fault);
        }
    }

    fn gift(&mut self, rows: &[EntryRow], sums: &mut Sums) {
        let mut gift = Gift::default();
        self.gifts += 1;
        // In the order in which it can have happened.
        let mut rows: Vec<&EntryRow> = rows.iter().collect();
        rows.sort_by_key(|row| row.entry.act.number());
        for row in rows {
            self.entries += 1;
            sums.post(&row.entry);
            if let Err(fault) = gift.post(&row.entry) {
                self.fault(format!("gift {} of {}: {fault}", row.gift, row.holder));
            }
        }
    }

    fn quota(&mut self, before: Option<&Quota>, now: &Quota, booked: i64) {
        let account = &now.account;
        let first = before.map_or(0, |quota| quota.given);
        if !(first.min(now.given)..=first.max(now.given)).contains(&booked) {
            self.fault(format!("of `{account}` {} was given, and {booked} is in the books", now.given));
        }
        if now.given > now.most {
            self.fault(format!("of `{account}` {} was given, and there is only {}", now.given, now.most));
        }
        if now.under_way < 0 {
            self.fault(format!("of `{account}` less than nothing is under way"));
        }
    }
}

/// What may still happen to a gift happens to it; `None`: the store keeps no books.
///
/// # Errors
/// If the store cannot be written.
pub async fn act(
    store: &dyn Store,
    gift: &str,
    act: Act,
    at: jiff::Timestamp,
) -> Result<Option<Acted>, StoreError> {
    let Some(ledger) = store.ledger() else { return Ok(None) };
    let Some(bucket) = desk::bucket_of(gift) else { return Ok(Some(Acted::Unknown)) };
    let group = store.lease().group(bucket);
    ledger.act(group, gift, act, at.as_millisecond()).await.map(Some)
}
