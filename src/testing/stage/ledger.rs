//! Stock and budgets of a test: one ledger for all its customers, in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::step::{MessageKey, Reserve, Short};

#[derive(Default)]
pub(super) struct Ledger {
    used: BTreeMap<Arc<str>, i64>,
    /// What was answered, so that the same question has the same answer.
    answers: BTreeMap<MessageKey, Option<Short>>,
}

impl Ledger {
    /// Takes all lines, or none and says which was short.
    pub(super) fn reserve(&mut self, asked: &Reserve) -> Option<Short> {
        if let Some(answer) = self.answers.get(&asked.key) {
            return *answer;
        }
        let short = asked.lines.iter().find(|line| self.used(&line.account) + line.amount > line.limit);
        let answer = short.map(|line| line.short);
        if answer.is_none() {
            for line in &asked.lines {
                *self.used.entry(line.account.clone()).or_default() += line.amount;
            }
        }
        self.answers.insert(asked.key.clone(), answer);
        answer
    }

    /// What was taken of each account.
    pub(super) fn taken(&self) -> BTreeMap<String, i64> {
        self.used.iter().map(|(account, amount)| (account.to_string(), *amount)).collect()
    }

    fn used(&self, account: &str) -> i64 {
        self.used.get(account).copied().unwrap_or_default()
    }
}
