//! What the store says in the end, read as the library reads it.

use std::collections::BTreeMap;
use std::sync::Arc;

use wayfare::step::codec::decode;
use wayfare::step::state::{Entry, Message, MessageStatus};
use wayfare::step::{MessageKey, State, Sym};
use wayfare::store::{Counts, Quarantined, Store};

const PAGE: usize = 2_000;

pub(crate) struct Books {
    symbols: Vec<String>,
    /// In the order of the store.
    pub(crate) customers: Vec<(String, State)>,
    pub(crate) quarantined: Vec<Quarantined>,
    pub(crate) counts: Counts,
}

impl Books {
    pub(crate) async fn read(store: Arc<dyn Store>) -> Self {
        let symbols = store.deployed().await.unwrap().symbols;
        let kind = u32::try_from(symbols.iter().position(|name| name == "customer").unwrap()).unwrap();
        let (mut customers, mut last) = (Vec::new(), None);
        loop {
            let page = store.scan(kind, last.as_ref(), PAGE).await.unwrap();
            let Some(row) = page.last() else { break };
            last = Some(row.key.clone());
            customers.extend(page.iter().map(|row| (row.key.id.to_string(), decode(&row.body).unwrap())));
        }
        let (quarantined, counts) = (store.quarantined(100).await.unwrap(), store.counts().await.unwrap());
        store.close().await;
        Self { symbols, customers, quarantined, counts }
    }

    pub(crate) fn name(&self, sym: Sym) -> &str {
        &self.symbols[sym.0 as usize]
    }

    pub(crate) fn key(&self, customer: &str, message: &Message) -> MessageKey {
        assert_eq!(message.subject.0, None, "these journeys are of customers");
        MessageKey {
            journey: self.name(message.journey).into(),
            root: customer.into(),
            child: None,
            entry: message.entry.clone(),
            step: self.name(message.step).into(),
        }
    }

    pub(crate) fn entries<'a>(&self, state: &'a State, journey: &str) -> Vec<&'a Entry> {
        state.entries.iter().filter(|entry| self.name(entry.journey) == journey).collect()
    }

    /// In the order in which they were decided.
    pub(crate) fn sent<'a>(&self, state: &'a State, journey: &str) -> Vec<&'a Message> {
        let of_journey = |message: &&Message| self.name(message.journey) == journey;
        let sent = state.messages.iter().filter(|message| message.status == MessageStatus::Sent);
        sent.filter(of_journey).collect()
    }

    /// Where everybody is, for people: how many have this standing.
    pub(crate) fn standings(&self) -> BTreeMap<String, usize> {
        let mut standings = BTreeMap::new();
        for (_, state) in &self.customers {
            let at = state
                .instances
                .iter()
                .map(|it| format!("{}@{} due {:?}", self.name(it.journey), it.node, it.due));
            let way = state
                .messages
                .iter()
                .map(|message| format!("{} {:?}", self.name(message.step), message.status));
            let entries = state.entries.iter().map(|entry| {
                format!(
                    "{} {}",
                    self.name(entry.journey),
                    entry.ended.map_or("runs", |(end, _)| self.name(end))
                )
            });
            let all: Vec<String> = entries.chain(at).chain(way).collect();
            *standings.entry(all.join(", ")).or_default() += 1;
        }
        standings
    }

    /// Customers who have not entered, who are still on their way, or whose messages are.
    pub(crate) fn unsettled(&self, journey: &str, expected: usize) -> usize {
        let under_way = |status| matches!(status, MessageStatus::Pending | MessageStatus::Dispatching);
        let settled = |state: &&(String, State)| {
            !self.entries(&state.1, journey).is_empty()
                && state.1.instances.is_empty()
                && !state.1.messages.iter().any(|message| under_way(message.status))
        };
        expected - self.customers.iter().filter(settled).count()
    }
}
