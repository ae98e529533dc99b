//! Two rows that are one customer: what the books know of the one that goes is known of the one that stays, and what was
//! sent under one name is not sent under the other.

use std::collections::BTreeSet;
use std::sync::Arc;

use wayfare::channel::SendResult;
use wayfare::name::Name;
use wayfare::step::state::{MessageStatus, State};
use wayfare::step::{Decision, MessageKey, Sym, Trace};
use wayfare::value::Value;

use super::{Customer, EntryId, Model, sends};

/// Channels about which something may have been said.
const CHANNELS: [&str; 3] = ["push", "sms", "in_app"];

fn rekeyed(key: &Arc<str>, from: &str, into: &Arc<str>) -> Arc<str> {
    if **key == *from { into.clone() } else { key.clone() }
}

fn moved(runs: BTreeSet<EntryId>, from: &str, into: &Arc<str>) -> BTreeSet<EntryId> {
    runs.into_iter().map(|(journey, subject, key)| (journey, subject, rekeyed(&key, from, into))).collect()
}

impl Model {
    /// Takes over what is known of those that this commit says are here. Returns entries that both had.
    pub(super) fn absorbs(
        &mut self,
        id: &Arc<str>,
        customer: &mut Customer,
        state: &State,
        trace: &[Trace],
    ) -> BTreeSet<EntryId> {
        let mut twins = BTreeSet::new();
        for it in trace {
            let Decision::Absorbed { from: Value::Text(from) } = &it.what else { continue };
            self.count("merged");
            let Some(row) = self.customers.get_mut(from) else { continue };
            let mut gone = std::mem::take(row);
            // What is still looked at under the name that goes.
            row.has_gone = true;
            row.decided.clone_from(&gone.decided);
            std::mem::swap(&mut row.chunks, &mut gone.chunks);
            std::mem::swap(&mut row.state, &mut gone.state);
            (row.version, row.due) = (gone.version, gone.due);
            let entered = moved(gone.entered, from, id);
            twins.extend(entered.intersection(&customer.entered).cloned());
            customer.entered.extend(entered);
            customer.ended.extend(moved(gone.ended, from, id));
            customer.running.extend(moved(gone.running, from, id));
            customer.exited.extend(moved(gone.exited, from, id));
            for run in &customer.running {
                customer.ended.remove(run);
            }
            let decided = gone.decided.into_iter().map(|key| {
                let root = if *key.root == **from { id.clone() } else { key.root.clone() };
                MessageKey { root, entry: rekeyed(&key.entry, from, id), ..key }
            });
            let decided: Vec<MessageKey> = decided.collect();
            customer.put_back.extend(decided.iter().cloned());
            customer.decided.extend(decided);
            gone.granted.into_iter().for_each(|(of, sum)| *customer.granted.entry(of).or_default() += sum);
            gone.pieces.into_iter().for_each(|(of, sum)| *customer.pieces.entry(of).or_default() += sum);
            let promised = moved(std::mem::take(&mut gone.gifts.promised), from, id);
            customer.gifts.join(gone.gifts, promised);
            customer.rights.join(gone.rights);
            customer.chances.join(gone.chances);
            customer.has_joined = true;
            self.on_the_way(id, customer, state, trace);
            self.absorbed.entry(id.clone()).or_default().push(from.clone());
            self.remembers(id, customer, state);
        }
        twins
    }

    /// What left before the two were one has left: nothing calls it back.
    fn on_the_way(&mut self, id: &Arc<str>, customer: &Customer, state: &State, trace: &[Trace]) {
        let left = customer.state.messages.iter().filter(|own| own.status == MessageStatus::Dispatching);
        let leaves = state.messages.iter().filter(|own| sends::dispatched(own, trace).is_some());
        let keys: Vec<MessageKey> = left.chain(leaves).map(|own| self.key_of(id, own)).collect();
        self.on_the_way.extend(keys);
    }

    /// What was last said under either name holds for both.
    fn remembers(&mut self, id: &str, customer: &Customer, state: &State) {
        let purpose = Name::new("marketing");
        for channel in CHANNELS.map(Name::new) {
            let Some(said) = customer.rights.said(channel, purpose) else { continue };
            let kept = self.row_agrees(state, channel, purpose);
            self.expect(said == kept, || {
                format!("{id}: has said {said} of {channel} under one of its names, and the row says {kept}")
            });
        }
    }

    /// What the row of somebody who has absorbed others says of a consent.
    pub(super) fn row_agrees(&self, state: &State, channel: Name, purpose: Name) -> bool {
        let is = |sym: Option<Sym>, name: Name| sym.is_none_or(|sym| *self.text(sym) == *name.as_str());
        let said = state.agreements.iter().filter(|it| is(it.channel, channel) && is(it.purpose, purpose));
        if let Some(said) = said.max_by_key(|said| (said.at, !said.given)) {
            return said.given;
        }
        let consent = state.attributes.iter().find(|(name, _)| &*self.text(*name) == "consent");
        matches!(consent, Some((_, Value::List(channels))) if channels.contains(&Value::Choice(channel)))
    }

    /// The part of two that runs on is the one of both.
    pub(super) fn parted(customer: &mut Customer, state: &State, twins: BTreeSet<EntryId>) {
        for twin in twins {
            if state.instances.iter().any(|instance| super::run_of(instance) == twin) {
                customer.ended.remove(&twin);
                customer.exited.remove(&twin);
                customer.running.insert(twin);
            }
        }
    }

    /// What reached somebody under a name that is no more does not come again under the other.
    pub(super) fn under_one_name(&mut self, key: &MessageKey) {
        if self.attempts.contains_key(key) || self.on_the_way.remove(key) {
            return;
        }
        let Some(gone) = self.absorbed.get(&key.root) else { return };
        let mut twins = gone.iter().map(|from| {
            let entry = if key.entry == key.root { from.clone() } else { key.entry.clone() };
            MessageKey { root: from.clone(), entry, ..key.clone() }
        });
        let arrived = |twin: &MessageKey| {
            let accepted =
                |attempt: &super::Attempt| matches!(attempt.answer, Some(SendResult::Accepted { .. }));
            self.attempts.get(twin).is_some_and(|all| all.iter().any(|(_, attempt)| accepted(attempt)))
        };
        if let Some(twin) = twins.find(arrived) {
            self.wrong(format!("{key} is sent, and arrived as {twin}"));
        }
    }
}
