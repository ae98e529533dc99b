//! Reading a commit: what its rows say, and whom they concern.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use wayfare::engine::payload::{Key, Place, open};
use wayfare::step::{Event, MessageKey, RootKey, State, Trace, codec};
use wayfare::store::{Commit, PackedKind};

use super::Model;
use super::sends::Newest;

#[derive(Deserialize)]
struct Sealed {
    kind: u32,
    id: Arc<str>,
    body: Vec<u8>,
}

#[derive(Deserialize)]
struct Due {
    kind: u32,
    id: Arc<str>,
}

#[derive(Deserialize)]
struct Queued {
    kind: u32,
    id: Arc<str>,
    message: MessageKey,
    attempts: u32,
    not_before: i64,
    ambiguous: bool,
    provider: Option<Arc<str>>,
}

impl Model {
    /// A commit has become durable.
    pub(crate) fn committed(&mut self, commit: &Commit, life: u32) {
        self.in_order(commit, life);
        self.count("commit");
        *self.facts.entry("row written").or_default() += commit.states.len() as u64;
        let mut logs: BTreeMap<Arc<str>, Vec<Event>> = BTreeMap::new();
        let mut traces: BTreeMap<Arc<str>, Vec<Trace>> = BTreeMap::new();
        let states: Vec<_> = commit.states.iter().map(|row| codec::decode(&row.body)).collect();
        let key = |state: &Result<State, _>| state.as_ref().ok().map(|state| state.payload_key);
        let keys: BTreeMap<Arc<str>, Key> = (commit.states.iter().zip(&states))
            .filter_map(|(row, state)| Some((row.key.id.clone(), key(state)?)))
            .collect();
        for (kind, packed) in [(PackedKind::Log, &commit.log), (PackedKind::Trace, &commit.trace)] {
            for packed in packed {
                let own = packed.at.batch == commit.batch;
                self.expect(own, || "a packed row of another batch".to_owned());
                match kind {
                    PackedKind::Log => self.unpack(kind, packed.at.batch, &packed.body, &keys, &mut logs),
                    PackedKind::Trace => self.unpack(kind, packed.at.batch, &packed.body, &keys, &mut traces),
                }
            }
        }
        let mut touched: BTreeSet<Arc<str>> = BTreeSet::new();
        self.queues(commit, &mut touched);
        for (row, state) in commit.states.iter().zip(states) {
            let id = row.key.id.clone();
            touched.insert(id.clone());
            self.mix(&id, row.version);
            let known = self.customers.get(&id).map_or(0, |customer| customer.version);
            self.expect(known == row.version, || format!("{id}: version {} over {known}", row.version));
            match state {
                Ok(state) => {
                    let log = logs.remove(&id).unwrap_or_default();
                    let trace = traces.remove(&id).unwrap_or_default();
                    self.moved(&id, state, row.version + 1, &log, &trace, commit.batch);
                }
                Err(error) => self.wrong(format!("{id}: {error}")),
            }
        }
        for id in logs.keys().chain(traces.keys()) {
            self.broken.push(format!("{id}: is in the log or the trace, and its state is not saved"));
        }
        self.quarantined += commit.quarantine.len() as u64;
        for record in &commit.quarantine {
            if let Ok((root, event)) = serde_json::from_slice::<(RootKey, Event)>(&record.body) {
                self.promised.remove(&(root.id, event.source.clone(), event.id.clone()));
                self.aside.insert((event.source, event.id));
            }
            // The events of a customer are put aside together with the one that is to blame.
            let told = record.body.starts_with(b"[");
            if record.code == "step-panicked" && told {
                self.count("poison");
            } else if record.code == "step-panicked"
                || record.code.contains("unreadable")
                || record.code == "state-unwritable"
            {
                self.wrong(format!("isolated: {} {}", record.code, record.reason));
            }
        }
        if self.has_books {
            self.booked(commit);
        }
        self.drew(commit);
        for id in touched {
            self.covered(&id);
        }
    }

    fn mix(&mut self, id: &str, version: i64) {
        for byte in id.bytes().chain(version.to_le_bytes()) {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn unpack<T: DeserializeOwned>(
        &mut self,
        kind: PackedKind,
        batch: u64,
        body: &[u8],
        keys: &BTreeMap<Arc<str>, Key>,
        out: &mut BTreeMap<Arc<str>, Vec<T>>,
    ) {
        let mut rest = &body[1..];
        while !rest.is_empty() {
            let offset = u32::try_from(body.len() - rest.len()).unwrap();
            let (sealed, left) = postcard::take_from_bytes::<Sealed>(rest).unwrap();
            rest = left;
            let key = keys.get(&sealed.id);
            let plain = key.and_then(|key| open(key, Place { kind, batch, offset }, &sealed.body));
            match plain.and_then(|plain| postcard::from_bytes::<Vec<T>>(&plain).ok()) {
                Some(entries) => out.entry(sealed.id).or_default().extend(entries),
                None => {
                    self.wrong(format!("{}: an entry of {kind:?} cannot be read {}", sealed.id, sealed.kind));
                }
            }
        }
    }

    /// Timers and outbox rows; notes who is concerned by what went.
    fn queues(&mut self, commit: &Commit, touched: &mut BTreeSet<Arc<str>>) {
        for key in &commit.timers_done {
            for id in self.timers.remove(key).unwrap_or_default() {
                if let Some(customer) = self.customers.get_mut(&id) {
                    customer.chunks.remove(key);
                }
                touched.insert(id);
            }
        }
        for chunk in &commit.timers {
            let list: Vec<Due> = postcard::from_bytes(&chunk.body[1..]).unwrap();
            let ids: Vec<Arc<str>> =
                list.into_iter().filter(|due| due.kind != u32::MAX).map(|due| due.id).collect();
            for id in &ids {
                let customer = self.customers.entry(id.clone()).or_default();
                customer.chunks.insert((chunk.due, chunk.at));
            }
            self.timers.insert((chunk.due, chunk.at), ids);
        }
        for key in &commit.outbox_done {
            for message in self.outbox.remove(key).unwrap_or_default() {
                touched.insert(self.holder(&message));
                if let Some(count) = self.queued.get_mut(&message) {
                    *count -= 1;
                }
            }
        }
        for row in &commit.outbox {
            let list: Vec<Queued> = postcard::from_bytes(&row.body[1..]).unwrap();
            let mut keys = Vec::new();
            for queued in list {
                let known = (queued.kind, queued.attempts, queued.ambiguous);
                let unsure = queued.provider.is_none() || queued.ambiguous;
                self.expect(unsure && queued.not_before >= 0, || format!("an odd outbox row: {known:?}"));
                touched.insert(queued.id.clone());
                if queued.id != queued.message.root {
                    self.holders.insert(queued.message.clone(), queued.id.clone());
                }
                self.follows(&queued);
                *self.queued.entry(queued.message.clone()).or_default() += 1;
                keys.push(queued.message);
            }
            self.outbox.insert((row.channel, row.at), keys);
        }
    }

    /// One attempt more than the row before says, or as many; what may have arrived once may have arrived.
    fn follows(&mut self, queued: &Queued) {
        let (attempts, ambiguous) = (queued.attempts, queued.ambiguous);
        let now = Newest { attempts, ambiguous, not_before: queued.not_before };
        let before = self.newest.insert(queued.message.clone(), now);
        let (before, was_ambiguous) = before.map_or((0, false), |before| (before.attempts, before.ambiguous));
        let is_next = (before..=before + 1).contains(&attempts) && (ambiguous || !was_ambiguous);
        self.expect(is_next, || {
            let message = &queued.message;
            format!("{message} has {attempts} attempts after {before}, ambiguous {ambiguous} after {was_ambiguous}")
        });
    }
}
