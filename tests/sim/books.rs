//! What all customers share, in the simulated store: how much is given of it, and what each life has taken for the batch at
//! hand. Nothing is shared with the stores: the rules are written here once more.

use std::collections::BTreeMap;

use wayfare::ledger::{Act, Entry, Place};
use wayfare::store::{Acted, Block, EntryRow, Quota, StoreError, Wants};

#[derive(Default)]
pub(crate) struct Books {
    pub accounts: BTreeMap<String, Account>,
    pub entries: Vec<EntryRow>,
    /// Counts nothing of what is given: a flaw.
    pub lax: bool,
    /// Knows no gift that it has taken back before: a flaw.
    pub forgetful: bool,
}

#[derive(Default)]
pub(crate) struct Account {
    most: i64,
    given: i64,
    /// By life.
    taken: BTreeMap<String, i64>,
    alerted: Option<i64>,
    gone: Option<i64>,
}

impl Books {
    /// Settles what this life has; what lives had that are over goes back.
    pub(crate) fn take(&mut self, sender: &str, wants: &Wants, lives: impl Fn(&str) -> bool) -> Vec<Block> {
        let mut free = Vec::new();
        for want in &wants.accounts {
            let account = self.accounts.entry(want.account.clone()).or_default();
            account.most = want.most;
            account.taken.retain(|life, _| life != sender && lives(life));
            let taken: i64 = account.taken.values().sum();
            free.push(if self.lax { want.most } else { (want.most - account.given - taken).max(0) });
        }
        let mut parts: Vec<(i64, bool)> = wants.accounts.iter().map(|want| (want.spent, false)).collect();
        for ask in &wants.asks {
            match ask.iter().find(|(place, amount)| free[*place] - parts[*place].0 < *amount) {
                Some((place, _)) => parts[*place].1 = true,
                None => ask.iter().for_each(|(place, amount)| parts[*place].0 += amount),
            }
        }
        let mut blocks = Vec::new();
        for ((want, (size, is_short)), free) in wants.accounts.iter().zip(parts).zip(free) {
            let account = self.accounts.entry(want.account.clone()).or_default();
            let is_known_gone = account.gone.is_some();
            if size > 0 {
                account.taken.insert(sender.to_owned(), size);
            }
            account.gone = account.gone.or(is_short.then_some(wants.at));
            blocks.push(Block {
                account: want.account.clone(),
                size,
                is_short,
                is_empty: free == size,
                given: account.given,
                alerted: account.alerted.is_some(),
                is_known_gone,
            });
        }
        blocks
    }

    pub(crate) fn give_back(&mut self, sender: &str, accounts: &[String]) {
        for name in accounts {
            if let Some(account) = self.accounts.get_mut(name) {
                account.taken.remove(sender);
            }
        }
    }

    /// Whether what a commit gave was taken for it.
    ///
    /// # Errors
    /// It was not.
    pub(crate) fn covers(&self, sender: &str, spent: &[(String, i64)]) -> Result<(), StoreError> {
        let has = |(name, amount): &(String, i64)| {
            self.accounts.get(name).and_then(|it| it.taken.get(sender)).is_some_and(|taken| taken >= amount)
        };
        if spent.iter().all(has) { Ok(()) } else { Err(StoreError::Fenced) }
    }

    pub(crate) fn spend(&mut self, sender: &str, spent: &[(String, i64)], entries: &[EntryRow]) {
        for (name, amount) in spent {
            let account = self.accounts.entry(name.clone()).or_default();
            account.given += amount;
            if let Some(taken) = account.taken.get_mut(sender) {
                *taken -= amount;
            }
        }
        self.entries.extend(entries.iter().cloned());
    }

    /// Gifts that were given out of this account, taken back or not.
    pub(crate) fn gifts(&self, account: &str) -> Vec<&str> {
        let of = |row: &&EntryRow| row.entry.act == Act::Grant && row.entry.account.starts_with(account);
        self.entries.iter().filter(of).map(|row| &*row.gift).collect()
    }

    /// Takes a gift back that nobody has used: what it was given out of has it again.
    pub(crate) fn take_back(&mut self, gift: &str, at: i64) -> Acted {
        let known: Vec<EntryRow> = self.entries.iter().filter(|row| row.gift == gift).cloned().collect();
        if known.is_empty() {
            return Acted::Unknown;
        }
        if !self.forgetful && known.iter().any(|row| row.entry.act == Act::ClawBack) {
            return Acted::Before(known);
        }
        let back = |row: &EntryRow| {
            let entry = Entry { act: Act::ClawBack, from: Place::Held, ..row.entry.clone() };
            EntryRow { entry, at, ..row.clone() }
        };
        let granted = known.iter().filter(|row| row.entry.act == Act::Grant);
        let new: Vec<EntryRow> = granted.map(back).collect();
        for row in &new {
            if let Some(account) = self.accounts.get_mut(&row.entry.account) {
                account.given -= row.entry.amount;
                account.gone = None;
            }
        }
        self.entries.extend(new.iter().cloned());
        Acted::Done(known.into_iter().chain(new).collect())
    }

    pub(crate) fn alert(&mut self, name: &str, at: i64) -> bool {
        let account = self.accounts.entry(name.to_owned()).or_default();
        let is_new = account.alerted.is_none();
        account.alerted = account.alerted.or(Some(at));
        is_new
    }

    pub(crate) fn quotas(&self) -> Vec<Quota> {
        let quota = |(name, account): (&String, &Account)| Quota {
            account: name.clone(),
            most: account.most,
            given: account.given,
            under_way: account.taken.values().sum(),
            alerted: account.alerted,
            gone: account.gone,
        };
        self.accounts.iter().map(quota).collect()
    }
}
