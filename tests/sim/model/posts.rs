//! What rows say to each other: nothing is lost on the way, and nothing is done twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare::step::trace::Cause;
use wayfare::step::{Decision, Event, EventKind, State, Sym, Trace};
use wayfare::store::Commit;
use wayfare::value::Value;

use super::{Customer, EntryId, EventId, Model};
use crate::sim::bank;

/// What is on its way, as the rows that said it know.
#[derive(Default)]
pub(super) struct Posts {
    /// Events of customers that name a group, and that it has not heard of.
    untold: BTreeSet<EventId>,
    /// Members that were asked to enter, by the caller; and those who have said what came of it.
    asked: BTreeMap<Sym, (u64, u64)>,
    /// Given out of the stock, by the trace and by the books.
    mugs: i64,
    booked: i64,
    /// Mugs that were taken back, each once.
    back: BTreeSet<String>,
}

/// What one customer was given, by whom, and which of its journeys wait for a gift to somebody else.
#[derive(Default)]
pub(super) struct Gifts {
    taken: BTreeSet<(Sym, EntryId, Option<u16>)>,
    pub promised: BTreeSet<EntryId>,
}

impl Gifts {
    /// `promised`: those of the other, under their name here.
    pub(super) fn join(&mut self, gone: Gifts, promised: BTreeSet<EntryId>) {
        self.taken.extend(gone.taken);
        self.promised.extend(promised);
    }
}

impl Model {
    pub(super) fn told(&mut self, id: &Arc<str>, event: &Event) {
        let EventKind::Declared(name) = event.kind else { return };
        if name.as_str() != "joined" {
            return;
        }
        let identity = |row: &Arc<str>| (row.clone(), event.source.clone(), event.id.clone());
        if id.starts_with('g') {
            self.posts.untold.remove(&identity(id));
            self.count("told");
        } else if let Some((_, Value::Text(group))) = event.fields.first() {
            self.posts.untold.insert(identity(group));
        }
    }

    /// The posts that a trace speaks of.
    pub(super) fn posted(&mut self, id: &str, customer: &mut Customer, it: &Trace) {
        match &it.what {
            Decision::StartedEach { count, .. } => {
                if let Some(journey) = it.journey {
                    self.posts.asked.entry(journey).or_default().0 += u64::from(*count);
                }
            }
            Decision::Entered { by: Cause::Start { journey } }
            | Decision::NotEntered { by: Cause::Start { journey }, .. }
                if &*self.text(*journey) == "lesson" =>
            {
                self.posts.asked.entry(*journey).or_default().1 += 1;
                self.count("asked to enter");
            }
            _ => {}
        }
        let (Some(journey), Some(entry)) = (it.journey, it.entry.clone()) else { return };
        let run = (journey, it.subject.clone(), entry);
        match &it.what {
            Decision::PassedOn { channel: None, .. } => _ = customer.gifts.promised.insert(run),
            Decision::Granted { what, .. } => {
                let name = self.text(*what);
                let new = customer.gifts.taken.insert((*what, run.clone(), it.node));
                self.expect(new, || format!("{id}: `{name}` was given twice for {run:?}"));
                if &*name == "mug" {
                    self.posts.mugs += 1;
                    let mugs = self.posts.mugs - i64::try_from(self.posts.back.len()).unwrap();
                    self.expect(mugs <= bank::MUGS, || {
                        format!("{id}: has mug {mugs}, the stock is {}", bank::MUGS)
                    });
                    self.count("mug");
                }
                if &*self.text(journey) == "befriend" {
                    self.count("given by a friend");
                }
            }
            Decision::Ended { .. } | Decision::Exited { .. } => _ = customer.gifts.promised.remove(&run),
            _ => {}
        }
    }

    /// The messages of this commit that other rows asked for, with their keys.
    pub(super) fn letters(&self, id: &Arc<str>, state: &State) -> Vec<(EntryId, Sym, super::MessageKey)> {
        let letters = state.messages.iter().filter(|message| message.from().is_some());
        letters
            .map(|it| ((it.journey, it.subject.clone(), it.entry.clone()), it.step, self.key_of(id, it)))
            .collect()
    }

    /// The bank has a gift back; what the stock has again can be given again.
    pub(crate) fn taken_back(&mut self, gift: &str) {
        self.count("taken back");
        self.posts.back.insert(gift.to_owned());
    }

    /// The books of a commit say what its traces say, and each gift once.
    pub(super) fn booked(&mut self, commit: &Commit) {
        let stock = commit.entries.iter().filter(|row| row.entry.account.starts_with("stock/mug"));
        let booked: i64 = stock.map(|row| row.entry.amount).sum();
        let spent = commit.spent.iter().filter(|(account, _)| account.starts_with("stock/mug"));
        let spent: i64 = spent.map(|(_, amount)| amount).sum();
        self.posts.booked += booked;
        let (all, given) = (self.posts.booked, self.posts.mugs);
        self.expect(booked == spent && all == given, || {
            format!("{given} mugs were given, {all} are in the books; of this commit {booked}, and {spent} of the stock")
        });
    }

    /// What never arrived.
    pub(super) fn lost(&self) -> Vec<String> {
        let untold = self.posts.untold.iter();
        let mut lost: Vec<String> = untold.map(|it| format!("{} never heard of {}", it.0, it.2)).collect();
        for (journey, (asked, heard)) in &self.posts.asked {
            if asked != heard {
                let journey = self.text(*journey);
                lost.push(format!("`{journey}` asked {asked} to enter, and {heard} heard of it"));
            }
        }
        lost
    }
}
