//! The books in a store: entries of gifts, written with the states that were given something, and what all customers
//! share, handed out to whoever gives it.
//!
//! A worker takes exactly as much as the batch at hand wants ([`Ledger::take`]), in a transaction of its own; what the
//! batch gives is counted in the batch's transaction ([`Commit::spent`](super::Commit::spent)), which fails where the
//! block is not there any more. So what was taken and not given is always known, and that of a life that is over goes
//! back: never one too many, and none left behind.

use std::collections::BTreeMap;

use futures_util::FutureExt;
use ring::digest::{SHA256, digest};

use super::{StoreError, Stored};
use crate::ledger::{Act, CODES, Entry, Gift, Place, ending};
use crate::text::hex;

/// An entry with whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    pub group: u16,
    /// Names the gift to the outside: letters and digits, the bucket first.
    pub gift: String,
    pub entry: Entry,
    /// `customer/c1`: the row that has it.
    pub holder: String,
    /// Of the step that gave it.
    pub key: String,
    /// Milliseconds since 1970, as all instants here.
    pub at: i64,
    /// When it ends if it is not used; `None`: never.
    pub until: Option<i64>,
}

/// What a batch asks for. Without any asks it only looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// No account twice.
    pub accounts: Vec<Want>,
    /// Places among the accounts, with amounts: each ask gets all of it or nothing, in this order.
    pub asks: Vec<Vec<(usize, i64)>>,
    pub at: i64,
}

/// An account that a batch asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    pub account: String,
    /// Of how much there is.
    pub most: i64,
    /// How much of it this batch has given already.
    pub spent: i64,
}

/// What a worker has of an account, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "four facts that have nothing to do with each other")]
pub struct Block {
    pub account: String,
    /// At least what was spent and what the asks that got it all make together.
    pub size: i64,
    /// An ask got nothing because of this account.
    pub is_short: bool,
    /// Whether nothing more can be had by anybody.
    pub is_empty: bool,
    /// Given by everybody and not come back, without what is under way.
    pub given: i64,
    /// Whether its owner was told.
    pub alerted: bool,
    /// Whether somebody had found nothing left before.
    pub is_known_gone: bool,
}

/// A shared account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    pub account: String,
    pub most: i64,
    /// Given and not come back.
    pub given: i64,
    /// Taken by workers for batches that are under way, or were when they died.
    pub under_way: i64,
    pub alerted: Option<i64>,
    /// When somebody first found nothing left.
    pub gone: Option<i64>,
}

/// Whose entries are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryQuery {
    Account(String),
    Holder(String),
}

impl EntryQuery {
    /// One of the two; `None` where it is none or both.
    #[must_use]
    pub fn of(account: Option<String>, holder: Option<String>) -> Option<Self> {
        match (account, holder) {
            (Some(account), None) => Some(Self::Account(account)),
            (None, Some(holder)) => Some(Self::Holder(holder)),
            _ => None,
        }
    }
}

/// Behind which entry a page begins: instant, gift, account, part, act.
pub type EntryPlace = (i64, String, String, u16, u8);

impl EntryRow {
    #[must_use]
    pub fn place(&self) -> EntryPlace {
        let entry = &self.entry;
        (self.at, self.gift.clone(), entry.account.clone(), entry.part, entry.act.number())
    }
}

/// What moved in one way within an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    pub account: String,
    pub unit: String,
    pub act: Act,
    pub from: Place,
    pub amount: i64,
    pub count: i64,
}

/// The books of a store.
pub trait Ledger: Send + Sync {
    /// Settles what this worker has of some accounts, each named once: what it had and did not give goes back first.
    /// The answers are in the order of the accounts.
    fn take<'a>(&'a self, wants: &'a Wants) -> Stored<'a, Vec<Block>>;

    /// Gives back what a batch took and did not give.
    fn give_back<'a>(&'a self, accounts: &'a [String]) -> Stored<'a, ()>;

    /// Notes that the owner of an account is told; `false`: somebody has before.
    fn alert<'a>(&'a self, account: &'a str, at: i64) -> Stored<'a, bool>;

    /// In the order of their names.
    fn quotas(&self) -> Stored<'_, Vec<Quota>>;

    /// The first `limit` entries behind `after`, by the instant.
    fn entries<'a>(
        &'a self,
        query: &'a EntryQuery,
        after: Option<&'a EntryPlace>,
        limit: usize,
    ) -> Stored<'a, Vec<EntryRow>>;

    /// What moved in all, in the order of accounts.
    fn moved(&self) -> Stored<'_, Vec<Moved>>;

    /// All entries of the first `limit` gifts behind `after`, in the order of gifts.
    fn gifts<'a>(&'a self, after: &'a str, limit: usize) -> Stored<'a, Vec<EntryRow>>;

    /// What has ended at `ended` and was not used is nobody's any more: stock and budgets have it back. A part at a time, in
    /// one transaction; whether there is more.
    fn expire(&self, _ended: i64, _at: i64) -> Stored<'_, bool> {
        async { Ok(false) }.boxed()
    }

    /// The entries of one gift.
    fn gift<'a>(&'a self, _group: u16, _gift: &'a str) -> Stored<'a, Vec<EntryRow>> {
        async { Ok(Vec::new()) }.boxed()
    }

    /// What may still happen to a gift happens to it, once, whoever asks.
    fn act<'a>(&'a self, group: u16, gift: &'a str, act: Act, at: i64) -> Stored<'a, Acted>;
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acted {
    /// Now; the gift as it is.
    Done(Vec<EntryRow>),
    /// Before, with the same result.
    Before(Vec<EntryRow>),
    /// It cannot.
    Refused(Vec<EntryRow>),
    /// Its time was over then.
    Ended(Vec<EntryRow>),
    /// There is no such gift.
    Unknown,
}

/// What is asked for, where of codes there are as many as were imported: `most` says how many that is.
pub(super) fn counted(wants: &Wants, most: impl Fn(&str) -> Option<i64>) -> Wants {
    let mut wants = wants.clone();
    for want in wants.accounts.iter_mut().filter(|want| want.account.starts_with(CODES)) {
        want.most = most(&want.account).unwrap_or_default();
    }
    wants
}

/// How much of each account goes to the asks, where so much is free of each, and which are short.
pub(super) fn allot(wants: &Wants, free: &[i64]) -> Vec<(i64, bool)> {
    let mut parts: Vec<(i64, bool)> = wants.accounts.iter().map(|want| (want.spent, false)).collect();
    let fits = |parts: &[(i64, bool)], place: usize, amount: i64| {
        let left = free.get(place).zip(parts.get(place)).map(|(free, (taken, _))| free - taken);
        left.is_some_and(|left| left >= amount)
    };
    for ask in &wants.asks {
        if let Some((place, _)) = ask.iter().find(|(place, amount)| !fits(&parts, *place, *amount)) {
            if let Some((_, is_short)) = parts.get_mut(*place) {
                *is_short = true;
            }
            continue;
        }
        for (place, amount) in ask {
            if let Some((taken, _)) = parts.get_mut(*place) {
                *taken += amount;
            }
        }
    }
    parts
}

/// What an act makes of a gift: what is said of it, and the entries to be written.
pub(super) fn decide(known: Vec<EntryRow>, act: Act, at: i64) -> (Acted, Vec<EntryRow>) {
    let Some(first) = known.first().cloned() else { return (Acted::Unknown, Vec::new()) };
    let mut gift = Gift::default();
    let is_sound = known.iter().all(|row| gift.post(&row.entry).is_ok());
    let ended = known.iter().filter_map(|row| row.until).min().is_some_and(|until| until <= at);
    match gift.act(act) {
        Ok(entries) if is_sound && entries.is_empty() => (Acted::Before(known), Vec::new()),
        Ok(_) if act == Act::Confirm && ended => (Acted::Ended(known), Vec::new()),
        Ok(entries) if is_sound => {
            let until = |entry: &Entry| {
                let same =
                    |row: &&EntryRow| row.entry.account == entry.account && row.entry.part == entry.part;
                known.iter().find(same).and_then(|row| row.until)
            };
            let row = |entry| EntryRow { until: until(&entry), entry, at, ..first.clone() };
            // What was drawn is not drawn a second time: a prize that comes back stays out of the urn. Nor is a code given
            // to another: the first one may have it on paper.
            let stays = |entry: &Entry| {
                act != Act::Confirm && (is_of_prize(&entry.account) || entry.account.starts_with(CODES))
            };
            let new: Vec<EntryRow> = entries.into_iter().filter(|entry| !stays(entry)).map(row).collect();
            (Acted::Done(known.into_iter().chain(new.iter().cloned()).collect()), new)
        }
        _ => (Acted::Refused(known), Vec::new()),
    }
}

/// Under which name a store keeps up to when everything that ends has ended.
pub(super) const LAPSED: &str = "ledger.lapsed";
/// Lines looked at in one part; those that end in the same millisecond are not torn apart.
pub(super) const LAPSE: i64 = 1_000;

/// Points of one holder that end together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lot {
    pub group: u16,
    /// A gift that it came from: what ends is named like it.
    pub gift: String,
    pub holder: String,
    pub account: String,
    pub unit: String,
    pub until: i64,
    pub left: i64,
}

/// The entries of what ends: gifts that were not used, with all that was given for them, and what is left of lots. Both
/// are in order: the rows of a gift one after the other, and lots by account and end.
pub(super) fn lapse(gifts: &[EntryRow], lots: &[Lot], at: i64) -> Vec<EntryRow> {
    let of_gifts = gifts.chunk_by(|a, b| a.gift == b.gift);
    let mut new: Vec<EntryRow> = of_gifts.flat_map(|rows| decide(rows.to_vec(), Act::Expire, at).1).collect();
    for lots in lots.chunk_by(|a, b| (&a.account, a.until) == (&b.account, b.until)) {
        let left: Vec<i64> = lots.iter().map(|lot| lot.left).collect();
        for (lot, amount) in lots.iter().zip(ending(&left)).filter(|(_, amount)| *amount > 0) {
            let Lot { group, gift, holder, account, unit, until, .. } = lot.clone();
            let key = format!("expire/{holder}/{account}/{until}");
            let hash = hex::of(digest(&SHA256, key.as_bytes()).as_ref());
            let bucket = gift.get(..3).unwrap_or_default();
            let gift = format!("{bucket}{}", hash.get(..24).unwrap_or_default());
            let entry = Entry { account, part: 0, act: Act::Expire, from: Place::Held, amount, unit };
            new.push(EntryRow { group, gift, entry, holder, key, at, until: Some(until) });
        }
    }
    new
}

/// The stock of a prize: `stock/weekly_draw.gift_box`.
fn is_of_prize(account: &str) -> bool {
    account
        .strip_prefix("stock/")
        .and_then(|name| name.split('/').next())
        .is_some_and(|name| name.contains('.'))
}

/// What of each account comes back with these entries, in the order of accounts.
pub(super) fn returned(entries: &[EntryRow]) -> Vec<(String, i64)> {
    let mut back: BTreeMap<String, i64> = BTreeMap::new();
    for EntryRow { entry, .. } in entries {
        if entry.act.leads(entry.from) == Some(Place::Free) {
            *back.entry(entry.account.clone()).or_default() += entry.amount;
        }
    }
    back.into_iter().collect()
}

/// Account and unit; part, act and place; amount: as the columns have them.
pub(super) fn entry_of(
    (account, unit): (String, String),
    (part, act, from): (i64, i64, i64),
    amount: i64,
) -> Result<Entry, StoreError> {
    Ok(Entry {
        account,
        part: u16::try_from(part).map_err(|_| damaged())?,
        act: Act::of(act).ok_or_else(damaged)?,
        from: Place::of(from).ok_or_else(damaged)?,
        amount,
        unit,
    })
}

pub(super) fn damaged() -> StoreError {
    StoreError::Damaged("an entry of the books has no meaning".to_owned())
}

/// Without the gift that a full page has cut.
pub(super) fn whole_gifts(mut rows: Vec<EntryRow>, limit: usize) -> Vec<EntryRow> {
    if rows.len() == limit
        && let Some(last) = rows.last().map(|row| row.gift.clone())
    {
        rows.retain(|row| row.gift != last);
    }
    rows
}

/// The same entry twice is counted once in the books, though it was given twice of what is shared.
pub(super) fn all_new(written: u64, entries: usize) {
    if written != entries as u64 {
        tracing::error!(written, entries, "entries of the books were there already");
    }
}
