//! States of version 4: without the ledger of caps, consents, lists and erasure.

use jiff::Timestamp;
use serde::Deserialize;

use super::super::input::{Event, RootKey};
use super::super::replay;
use super::super::state::{
    self, Account, Ask, AudienceMemory, Child, Entry, First, History, Instance, Merged, Message, Pending,
    Placement, Recent, Task, Watch,
};
use super::super::symbols::Sym;
use super::super::wire;
use crate::value::Value;

#[derive(Deserialize)]
pub(super) struct State {
    known: bool,
    payload_key: [u8; 32],
    attributes: Vec<(Sym, Value)>,
    children: Vec<Child>,
    #[serde(with = "wire")]
    tags: Vec<(Sym, Option<Timestamp>)>,
    instances: Vec<Instance>,
    entries: Vec<Entry>,
    audiences: Vec<AudienceMemory>,
    pending: Vec<Pending>,
    features: Vec<History>,
    firsts: Vec<First>,
    recent: Vec<Recent>,
    watches: Vec<Watch>,
    messages: Vec<Message>,
    parked: Vec<Event>,
    trace_refs: Vec<(u64, u32)>,
    #[serde(with = "wire")]
    wake_at: Option<Timestamp>,
    tasks: Vec<Task>,
    accounts: Vec<Account>,
    asks: Vec<Ask>,
    placements: Vec<Placement>,
    posted: Vec<u64>,
    replay: Option<Box<Replay>>,
    merged: Option<Box<Merged>>,
    absorbed: Vec<RootKey>,
}

#[derive(Deserialize)]
struct Replay {
    fill: u64,
    state: State,
}

impl From<State> for state::State {
    fn from(old: State) -> Self {
        let replay = old
            .replay
            .map(|replay| Box::new(replay::Replay { fill: replay.fill, state: replay.state.into() }));
        Self {
            known: old.known,
            payload_key: old.payload_key,
            attributes: old.attributes,
            children: old.children,
            tags: old.tags,
            instances: old.instances,
            entries: old.entries,
            audiences: old.audiences,
            pending: old.pending,
            features: old.features,
            firsts: old.firsts,
            recent: old.recent,
            watches: old.watches,
            messages: old.messages,
            parked: old.parked,
            trace_refs: old.trace_refs,
            wake_at: old.wake_at,
            tasks: old.tasks,
            accounts: old.accounts,
            asks: old.asks,
            placements: old.placements,
            posted: old.posted,
            replay,
            merged: old.merged,
            absorbed: old.absorbed,
            ..Self::default()
        }
    }
}
