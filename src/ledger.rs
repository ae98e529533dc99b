//! What is given, as books: every gift is a few movements between places, each written once and never changed.
//!
//! An account is what runs out or is owed: a budget, the stock of one opening, points. An [`Entry`] takes an amount
//! from one [`Place`] of an account to another, so what one place loses another gains: the sum over the places is
//! zero, always, in every unit by itself. Balances are sums of entries ([`Sums`]); what may still happen to a gift
//! follows from its entries ([`Gift`]). Amounts are whole: minor units of a currency, pieces, points.

use std::collections::BTreeMap;
use std::fmt;

/// How accounts of points, and of chances, begin.
pub const POINTS: &str = "points/";
/// How accounts of partners' codes begin. Of how much there is their file says, and a code that was given stays given.
pub const CODES: &str = "codes/";
/// How accounts of rewards begin: what each customer has of them.
pub const REWARDS: &str = "reward/";

/// Where an amount is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// With the bank. Less than nothing from the first gift on: how much less is what was given.
    Free,
    /// Set aside for somebody who may still not get it.
    Reserved,
    /// With the customer, not used yet: what the bank still owes.
    Held,
    /// Used by the customer: paid, redeemed, spent.
    Used,
}

impl Place {
    pub const ALL: [Self; 4] = [Self::Free, Self::Reserved, Self::Held, Self::Used];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Reserved => "reserved",
            Self::Held => "held",
            Self::Used => "used",
        }
    }

    /// As stored.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Free => 0,
            Self::Reserved => 1,
            Self::Held => 2,
            Self::Used => 3,
        }
    }

    #[must_use]
    pub fn of(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|place| i64::from(place.number()) == number)
    }
}

/// Why an amount moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    Reserve,
    /// Out of what was reserved; at once where the answer is there at once.
    Grant,
    /// The customer has used it.
    Confirm,
    /// What was reserved is not given.
    Release,
    /// What was given was not used in its time.
    Expire,
    /// What was given, used or not, is taken back.
    ClawBack,
}

impl Act {
    pub const ALL: [Self; 6] =
        [Self::Reserve, Self::Grant, Self::Confirm, Self::Release, Self::Expire, Self::ClawBack];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Grant => "grant",
            Self::Confirm => "confirm",
            Self::Release => "release",
            Self::Expire => "expire",
            Self::ClawBack => "claw_back",
        }
    }

    /// As stored.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Reserve => 0,
            Self::Grant => 1,
            Self::Confirm => 2,
            Self::Release => 3,
            Self::Expire => 4,
            Self::ClawBack => 5,
        }
    }

    #[must_use]
    pub fn of(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|act| i64::from(act.number()) == number)
    }

    /// Where it takes an amount that is at `from`; `None`: it cannot happen to it.
    #[must_use]
    pub fn leads(self, from: Place) -> Option<Place> {
        match (self, from) {
            (Self::Reserve, Place::Free) => Some(Place::Reserved),
            (Self::Grant, Place::Free | Place::Reserved) => Some(Place::Held),
            (Self::Confirm, Place::Held) => Some(Place::Used),
            (Self::Release, Place::Reserved)
            | (Self::Expire, Place::Held)
            | (Self::ClawBack, Place::Held | Place::Used) => Some(Place::Free),
            _ => None,
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One movement. Its identity is the gift, the account, the part and the act: the same again is the same movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub account: String,
    /// Tells apart what one gift takes out of one account in several amounts: points that end at different times.
    pub part: u16,
    pub act: Act,
    pub from: Place,
    /// More than nothing.
    pub amount: i64,
    /// `CNY`, `piece`, or the name of points.
    pub unit: String,
}

/// Why entries do not make sense, or an act cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not lead from where the amount is, which is here (or nowhere yet).
    NotFrom { account: String, act: Act, at: Option<Place> },
    /// Another amount or unit than the gift has in this account.
    Differs { account: String, act: Act },
    /// An amount of nothing or less.
    Nothing { account: String, act: Act },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFrom { account, act, at } => {
                let at = at.map_or("nowhere", Place::as_str);
                write!(f, "`{act}` in `{account}` does not lead from where the amount is ({at})")
            }
            Self::Differs { account, act } => {
                write!(f, "`{act}` in `{account}` is of another amount or unit")
            }
            Self::Nothing { account, act } => write!(f, "`{act}` in `{account}` is of nothing"),
        }
    }
}

/// What one gift has in one account.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    amount: i64,
    unit: String,
    at: Place,
    done: Vec<Act>,
}

/// A gift as its entries tell of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gift {
    lines: BTreeMap<(String, u16), Line>,
}

impl Gift {
    /// Takes up an entry. One that is known already changes nothing: `false`.
    ///
    /// # Errors
    /// If it contradicts those before it; nothing has changed then.
    pub fn post(&mut self, entry: &Entry) -> Result<bool, Fault> {
        let (account, act) = (entry.account.clone(), entry.act);
        if entry.amount <= 0 {
            return Err(Fault::Nothing { account, act });
        }
        let key = (account.clone(), entry.part);
        let known = self.lines.get(&key);
        if let Some(line) = known {
            if line.amount != entry.amount || line.unit != entry.unit {
                return Err(Fault::Differs { account, act });
            }
            if line.done.contains(&act) {
                return Ok(false);
            }
        }
        // What has come back to the bank is over; spending begins with what the customer has from elsewhere.
        let at = known.map(|line| line.at);
        // So does ending, of points: a lot is of many gifts.
        let begins = match at {
            None => {
                entry.from == Place::Free
                    || (act, entry.from) == (Act::Confirm, Place::Held)
                    || (act, entry.from) == (Act::Expire, Place::Held) && entry.account.starts_with(POINTS)
            }
            Some(at) => at == entry.from && at != Place::Free,
        };
        let to = act.leads(entry.from).filter(|_| begins).ok_or(Fault::NotFrom { account, act, at })?;
        let line = self.lines.entry(key).or_insert_with(|| Line {
            amount: entry.amount,
            unit: entry.unit.clone(),
            at: to,
            done: Vec::new(),
        });
        line.at = to;
        line.done.push(act);
        Ok(true)
    }

    /// Where an amount of this account is, where the gift has one.
    #[must_use]
    pub fn at(&self, account: &str) -> Option<Place> {
        self.lines.iter().find(|((of, _), _)| of == account).map(|(_, line)| line.at)
    }

    /// The entries of an act on all of the gift that it can happen to; none where it has been done already.
    ///
    /// # Errors
    /// Where it can happen to nothing of it.
    pub fn act(&self, act: Act) -> Result<Vec<Entry>, Fault> {
        if self.lines.values().any(|line| line.done.contains(&act)) {
            return Ok(Vec::new());
        }
        let entry = |((account, part), line): (&(String, u16), &Line)| {
            act.leads(line.at).filter(|_| line.at != Place::Free)?;
            let (account, unit) = (account.clone(), line.unit.clone());
            Some(Entry { account, part: *part, act, from: line.at, amount: line.amount, unit })
        };
        let entries: Vec<Entry> = self.lines.iter().filter_map(entry).collect();
        if entries.is_empty() {
            let first = self.lines.iter().next();
            let account = first.map(|((account, _), _)| account.clone()).unwrap_or_default();
            return Err(Fault::NotFrom { account, act, at: first.map(|(_, line)| line.at) });
        }
        Ok(entries)
    }
}

/// What ends of a lot, of each who has some of it: what is left to each. Somebody who has less than nothing of it has
/// spent what was another's (two rows of one customer have become one), so that much less ends of the others'.
#[must_use]
pub fn ending(left: &[i64]) -> Vec<i64> {
    let mut owed: i64 = left.iter().filter(|left| **left < 0).map(|left| left.saturating_neg()).sum();
    let end = |left: &i64| {
        let spent = owed.min((*left).max(0));
        owed -= spent;
        (*left).max(0) - spent
    };
    left.iter().map(end).collect()
}

/// What is in each place of an account, by unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    balances: BTreeMap<(String, String), [i64; 4]>,
}

impl Sums {
    /// Adds an amount that went its way so often that it is this much.
    pub fn add(&mut self, account: &str, unit: &str, (from, act): (Place, Act), amount: i64) {
        let Some(to) = act.leads(from) else { return };
        let places = self.balances.entry((account.to_owned(), unit.to_owned())).or_default();
        for (place, change) in [(from, amount.saturating_neg()), (to, amount)] {
            if let Some(balance) = places.get_mut(usize::from(place.number())) {
                *balance = balance.saturating_add(change);
            }
        }
    }

    pub fn post(&mut self, entry: &Entry) {
        self.add(&entry.account, &entry.unit, (entry.from, entry.act), entry.amount);
    }

    /// What is in a place of an account, whatever its unit: an account has one.
    #[must_use]
    pub fn at(&self, account: &str, place: Place) -> i64 {
        let all = self.balances.iter().filter(|((of, _), _)| of == account);
        all.filter_map(|(_, places)| places.get(usize::from(place.number()))).sum()
    }

    /// What was given of an account and has not come back.
    #[must_use]
    pub fn given(&self, account: &str) -> i64 {
        self.at(account, Place::Free).saturating_neg()
    }

    /// Accounts with their units.
    pub fn accounts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.balances.keys().map(|(account, unit)| (account.as_str(), unit.as_str()))
    }

    /// For each unit the sum over all places of all accounts: nothing.
    #[must_use]
    pub fn by_unit(&self) -> BTreeMap<&str, i64> {
        let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
        for ((_, unit), places) in &self.balances {
            *sums.entry(unit).or_default() += places.iter().sum::<i64>();
        }
        sums
    }
}
