//! What a batch may give of what all customers share.
//!
//! A batch takes from the store exactly what its subjects ask for: those that ask for more than there is in the till are
//! put off, everything they want is taken at once, and they are stepped again from where they were. What is given is
//! counted in the batch's own commit; what was taken in vain goes back behind it. So nobody holds anything while it is
//! idle, and nobody is told that all is gone while it is not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::patient::{self, Patience, Trouble};
use crate::name::Name;
use crate::step::{Line, Reserve, Short, World};
use crate::store::{Block, Quota, Store, StoreError, Want, Wants};

/// After so many turns whoever still wants more is told that there is no more.
const MOST_TURNS: u32 = 16;

/// What there is of an account for this batch.
#[derive(Default)]
struct Drawer {
    most: i64,
    left: i64,
    /// Given by this batch.
    spent: i64,
    /// By everybody before it.
    given: i64,
    /// What is not there now is not to be had.
    is_dry: bool,
    alerted: bool,
}

#[derive(Default)]
pub(super) struct Till {
    /// Whether there is a ledger at all.
    is_kept: bool,
    drawers: BTreeMap<Arc<str>, Drawer>,
    /// What subjects asked for that is not in the drawers.
    asks: Vec<Vec<Line>>,
    /// What the subject at work was given.
    journal: Vec<(Arc<str>, i64)>,
    /// The subject at work asked for something that is not there yet: it is put off.
    is_put_off: bool,
    turns: u32,
    /// Asked for in this batch.
    used: BTreeSet<Arc<str>>,
}

impl Till {
    pub(super) fn new(is_kept: bool) -> Self {
        Self { is_kept, ..Self::default() }
    }

    /// All lines or none. Where it is not known yet, it goes on as if: the subject is put off and nothing of it stays.
    pub(super) fn reserve(&mut self, asked: &Reserve) -> Option<Short> {
        if !self.is_kept {
            return Some(Short::NoLedger);
        }
        self.used.extend(asked.lines.iter().map(|line| Arc::clone(&line.account)));
        let lacks = |line: &&Line| {
            let drawer = self.drawers.get(&line.account);
            drawer.is_none_or(|drawer| drawer.left < line.amount || drawer.most != line.limit)
        };
        let lacking: Vec<&Line> = asked.lines.iter().filter(lacks).collect();
        let is_dry = |line: &&&Line| {
            let drawer = self.drawers.get(&line.account);
            drawer.is_some_and(|drawer| drawer.is_dry && drawer.most == line.limit)
        };
        if let Some(line) = lacking.iter().find(is_dry) {
            return Some(line.short);
        }
        if !lacking.is_empty() || self.is_put_off {
            self.is_put_off = true;
            self.asks.push(asked.lines.clone());
            return None;
        }
        for line in &asked.lines {
            self.book(&line.account, line.amount);
            self.journal.push((Arc::clone(&line.account), line.amount));
        }
        None
    }

    fn book(&mut self, account: &Arc<str>, amount: i64) {
        if let Some(drawer) = self.drawers.get_mut(account) {
            drawer.left -= amount;
            drawer.spent += amount;
        }
    }

    /// A subject begins.
    pub(super) fn begin(&mut self) {
        self.journal.clear();
        self.is_put_off = false;
    }

    /// Whether the subject at work is to be stepped again once there is more.
    pub(super) fn is_put_off(&self) -> bool {
        self.is_put_off
    }

    /// Nothing of the subject at work stays.
    pub(super) fn undo(&mut self) {
        for (account, amount) in std::mem::take(&mut self.journal) {
            self.book(&account, -amount);
        }
    }

    /// What is to be taken before those who were put off are stepped again; the store settles each account anew, so it is
    /// told what was given already.
    pub(super) fn wants(&mut self, now: Timestamp) -> Wants {
        self.turns += 1;
        let mut wants = Wants { at: now.as_millisecond(), ..Wants::default() };
        let mut places: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        for lines in std::mem::take(&mut self.asks) {
            let mut ask = Vec::with_capacity(lines.len());
            for line in lines {
                let place = *places.entry(Arc::clone(&line.account)).or_insert_with(|| {
                    let spent = self.drawers.get(&line.account).map_or(0, |drawer| drawer.spent);
                    wants.accounts.push(Want { account: line.account.to_string(), most: line.limit, spent });
                    wants.accounts.len() - 1
                });
                ask.push((place, line.amount));
            }
            wants.asks.push(ask);
        }
        wants
    }

    /// Puts what was taken into the drawers.
    pub(super) fn fill(&mut self, wants: &Wants, blocks: Vec<Block>) {
        for (want, block) in wants.accounts.iter().zip(blocks) {
            if block.is_short && !block.is_known_gone {
                tracing::warn!(account = block.account, most = want.most, "nothing is left");
            }
            let is_dry = if wants.asks.is_empty() { block.is_empty } else { block.is_short };
            let drawer = self.drawers.entry(block.account.as_str().into()).or_default();
            drawer.most = want.most;
            drawer.left = (block.size - drawer.spent).max(0);
            drawer.given = block.given;
            drawer.alerted = block.alerted;
            drawer.is_dry = is_dry || self.turns >= MOST_TURNS;
        }
    }

    /// What was given, for the commit.
    pub(super) fn spent(&self) -> Vec<(String, i64)> {
        let spent = self.drawers.iter().filter(|(_, drawer)| drawer.spent > 0);
        spent.map(|(account, drawer)| (account.to_string(), drawer.spent)).collect()
    }

    /// What is over once the batch is committed.
    pub(super) fn close(self, world: &World) -> Closed {
        let drawers = || self.drawers.iter();
        let left = drawers().filter(|(_, drawer)| drawer.left > 0).map(|(account, _)| account.to_string());
        let is_due = |(account, drawer): &(&Arc<str>, &Drawer)| {
            let threshold = threshold(world, account).filter(|_| !drawer.alerted);
            threshold.is_some_and(|threshold| drawer.given + drawer.spent >= threshold)
        };
        let alerts = drawers().filter(is_due).map(|(account, _)| account.to_string());
        let next = drawers().filter(|(account, _)| self.used.contains(*account));
        let next = next.map(|(account, drawer)| (account.to_string(), drawer.most));
        Closed { left: left.collect(), alerts: alerts.collect(), next: next.collect() }
    }
}

/// What remains to be done of a till.
#[derive(Default)]
pub(super) struct Closed {
    /// Of these something was taken in vain.
    pub left: Vec<String>,
    /// The owners of these are to be told.
    pub alerts: Vec<String>,
    /// What was asked for, with its limit: it is looked at before the next batch begins.
    pub next: Vec<(String, i64)>,
}

/// Tells the owners who were to be told when the daemon stopped, or are to be since what is live has changed.
pub(super) async fn make_up(store: &dyn Store, world: &World, now: Timestamp) -> Result<(), StoreError> {
    let Some(ledger) = store.ledger().filter(|_| !world.bundle.values.budgets.is_empty()) else {
        return Ok(());
    };
    let quotas = ledger.quotas().await?;
    let is_due = |quota: &&Quota| {
        let threshold = threshold(world, &quota.account).filter(|_| quota.alerted.is_none());
        threshold.is_some_and(|threshold| quota.given >= threshold)
    };
    let alerts = quotas.iter().filter(is_due).map(|quota| quota.account.clone()).collect();
    settle(store, world, &Closed { alerts, ..Closed::default() }, now).await;
    Ok(())
}

/// From which amount on the owner of a budget is told.
fn threshold(world: &World, account: &str) -> Option<i64> {
    let budget = Name::lookup(account.strip_prefix("budget/")?)?;
    let budget = world.bundle.values.budgets.get(&budget)?;
    (budget.alert? * Decimal::from(budget.total.minor)).ceil().to_i64()
}

/// Takes, however long the store refuses for a while.
pub(super) async fn take(
    store: &dyn Store,
    trouble: &Trouble,
    wants: &Wants,
) -> Result<Vec<Block>, StoreError> {
    let Some(ledger) = store.ledger().filter(|_| !wants.accounts.is_empty()) else { return Ok(Vec::new()) };
    let mut patience = Patience::new();
    let mut tried = false;
    loop {
        match ledger.take(wants).await {
            Ok(blocks) => {
                if tried {
                    patient::tell(trouble, None);
                }
                return Ok(blocks);
            }
            Err(error) => {
                let Some(pause) = patience.pause(&error) else { return Err(error) };
                tried = true;
                patient::tell(trouble, Some(&error));
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// Gives back and tells owners. What fails here is made up for by whoever takes next, and by the next batch.
pub(super) async fn settle(store: &dyn Store, world: &World, closed: &Closed, now: Timestamp) {
    let Some(ledger) = store.ledger() else { return };
    if !closed.left.is_empty()
        && let Err(error) = ledger.give_back(&closed.left).await
    {
        tracing::warn!(%error, "what was taken in vain cannot be given back yet");
    }
    for account in &closed.alerts {
        match ledger.alert(account, now.as_millisecond()).await {
            Ok(true) => {
                let budget = account.strip_prefix("budget/").and_then(Name::lookup);
                let budget = budget.and_then(|name| world.bundle.values.budgets.get(&name));
                let owner = budget.map_or("", |budget| &budget.owner);
                tracing::warn!(account, owner, "a budget has come to the share at which its owner is told");
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, account, "that its owner is told cannot be noted yet"),
        }
    }
}
