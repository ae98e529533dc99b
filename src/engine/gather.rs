//! What a batch is made of: answers, what is due, messages that may go out, a page of a sweep, what other workers left
//! for us, submitted events.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::carry::{Carried, Leaving};
use super::dispatch::Answer;
use super::handle::{EngineError, Receipt, Stats, SubmitError};
use super::intake::{self, Identified};
use super::judge::Verdict;
use super::lane::Ticket;
use super::pack::Queued;
use super::run::Engine;
use super::sweep::Page;
use super::work::{Item, Origin, Sifted, Subject};
use super::{fill, pack};
use crate::diagnostic::code;
use crate::program::Outcome;
use crate::step::{Event, Input, Post, RootKey, Sym, World};
use crate::store::{Commit, Looked, Quarantined, RowKey, StateRow, StoreError, bucket};

/// Events taken into one batch. A transaction costs about a page per touched row whatever its size, so large ones are
/// cheap; this bounds memory and the time an answer takes.
const MOST_EVENTS: usize = 6_000;
const MOST_ANSWERS: usize = 4_096;

pub(super) type Reply<T, E> = oneshot::Sender<Result<T, E>>;

pub(super) struct Submission {
    pub events: Vec<(RootKey, Event)>,
    /// Held until the events are answered.
    pub room: Option<OwnedSemaphorePermit>,
    pub reply: Reply<Vec<Receipt>, SubmitError>,
}

/// What one batch is made of.
#[derive(Default)]
pub(super) struct Gathered {
    pub commit: Commit,
    pub submissions: Vec<Submission>,
    /// Events that other workers left for us.
    pub left: Vec<(RootKey, Event)>,
    /// What is for other workers.
    pub foreign: Leaving,
    /// How many events each submission had.
    pub counts: Vec<usize>,
    pub doors: Vec<Reply<(), EngineError>>,
    pub subjects: Vec<Subject>,
    pub places: HashMap<RootKey, usize>,
    /// States that a sweep has read already.
    pub rows: Vec<StateRow>,
    pub retries: Vec<(Ticket, Queued)>,
    pub answered: Stats,
    /// The answers in it, where a commit may be refused for others' sake.
    pub heard: Vec<Answer>,
    pub anything: bool,
}

impl Engine {
    pub(super) async fn gather(&mut self) -> Result<Gathered, EngineError> {
        if self.inbox.stopping {
            self.dispatcher.stop();
        }
        let mut gathered = Gathered::default();
        gathered.commit.batch = self.batch + 1;
        gathered.commit.made = self.moment.now.as_millisecond();
        if !self.inbox.stopping
            && self.lease.is_whole()
            && let Some(page) = self.fills.page(&*self.store, self.moment.now).await?
        {
            let last = page.last;
            gathered.replay(&self.world, page);
            if last {
                // Alone: what arrives meanwhile is no part of the past.
                return Ok(gathered);
            }
        }
        self.gather_answers(&mut gathered);
        if !self.inbox.stopping {
            self.gather_due(&mut gathered).await?;
            self.gather_outbox(&mut gathered).await?;
            self.gather_sweep(&mut gathered).await?;
        }
        let crowded = !self.inbox.stopping && self.gather_left(&mut gathered).await?;
        let mut events = if crowded { MOST_EVENTS } else { 0 };
        while let Some(next) = self.inbox.submissions.front() {
            events += next.events.len();
            if events > MOST_EVENTS && (crowded || !gathered.submissions.is_empty()) {
                break;
            }
            gathered.submissions.extend(self.inbox.submissions.pop_front());
        }
        for (records, reply) in self.inbox.quarantine.drain(..) {
            gathered.commit.quarantine.extend(records);
            gathered.doors.push(reply);
        }
        gathered.anything |= !gathered.submissions.is_empty() || !gathered.doors.is_empty();
        Ok(gathered)
    }

    fn gather_answers(&mut self, gathered: &mut Gathered) {
        let count = self.inbox.answers.len().min(MOST_ANSWERS);
        for answer in self.inbox.answers.drain(..count) {
            if !self.dispatcher.answered(&answer) {
                continue;
            }
            gathered.anything = true;
            gathered.heard.extend(self.sharing.as_ref().map(|_| answer.clone()));
            match self.dispatcher.judge(&self.world, &answer, self.moment.now) {
                Verdict::Again(queued) => gathered.retries.push((answer.ticket, queued)),
                Verdict::Over(outcome, detail) => {
                    gathered.commit.quarantine.extend(dead_letter(
                        &self.world,
                        &answer,
                        outcome,
                        &detail,
                        self.moment.now,
                    ));
                    match outcome {
                        Outcome::Sent => gathered.answered.sent += 1,
                        _ => gathered.answered.failed += 1,
                    }
                    let message = answer.ticket.queued.message.clone();
                    let input = Input::Answer { message, outcome, detail };
                    gathered.ticket(&self.world, answer.ticket, input);
                }
            }
        }
    }

    async fn gather_due(&mut self, gathered: &mut Gathered) -> Result<(), StoreError> {
        let fired = self.timers.fire(&*self.store, self.moment.now).await?;
        gathered.anything |= !fired.chunks.is_empty();
        gathered.commit.timers_done = fired.chunks;
        for due in fired.subjects {
            if let Some(root) = root(&self.world, due.kind, &due.id) {
                gathered.add(due.kind, root, Item { input: Input::Wake, origin: Origin::Engine });
            }
        }
        for (chunk, reason) in fired.damaged {
            gathered.commit.quarantine.push(Quarantined {
                at: self.moment.now,
                code: "timer-unreadable".to_owned(),
                reason,
                body: chunk.body,
            });
        }
        Ok(())
    }

    /// A page of a sweep, no more of them than may be swept in the time.
    async fn gather_sweep(&mut self, gathered: &mut Gathered) -> Result<(), StoreError> {
        if self.sweep_after.is_some_and(|after| self.moment.now < after) {
            return Ok(());
        }
        if let Some(page) = self.sweeps.page(&*self.store, &self.world, self.moment.now).await? {
            self.sweep_after = self.upkeep.after(page.rows.len(), self.moment.now);
            gathered.page(page);
        }
        Ok(())
    }

    async fn gather_outbox(&mut self, gathered: &mut Gathered) -> Result<(), StoreError> {
        for (row, reason) in self.dispatcher.fill(&*self.store, self.moment.now).await? {
            gathered.anything = true;
            gathered.commit.outbox_done.push((row.channel, row.at));
            gathered.commit.quarantine.push(Quarantined {
                at: self.moment.now,
                code: "outbox-unreadable".to_owned(),
                reason,
                body: row.body,
            });
        }
        self.dispatcher.ask(&*self.store, self.moment.now).await?;
        let outdated = self.dispatcher.outdated();
        gathered.anything |= !outdated.is_empty();
        gathered.commit.outbox_done.extend(outdated);
        for ticket in self.dispatcher.take(self.moment.now) {
            gathered.anything = true;
            let message = ticket.queued.message.clone();
            let unheard = self.may_have_arrived(&ticket);
            let input = if unheard { Input::DispatchAgain(message) } else { Input::Dispatch(message) };
            gathered.ticket(&self.world, ticket, input);
        }
        Ok(())
    }

    /// Whether an attempt at the message may have arrived, as far as the engine knows; the state knows whether there was
    /// one. Of what others wrote, or earlier lives, only those attempts are on record whose answer was.
    fn may_have_arrived(&self, ticket: &Ticket) -> bool {
        ticket.queued.ambiguous || self.before.covers(ticket.row)
    }

    /// De-duplicates the submitted events, adds the new ones to the batch, and reads the rows of all that it touches.
    pub(super) async fn admit_events(
        &self,
        gathered: &mut Gathered,
    ) -> Result<(Vec<Receipt>, Vec<StateRow>), StoreError> {
        let (mut receipts, fresh) = self.identify(gathered);
        let places: Vec<_> = fresh.iter().flat_map(|(_, event)| intake::places(event)).collect();
        let keys = self.touched(gathered, &fresh);
        let Looked { seen, rows: read } = if keys.is_empty() && places.is_empty() {
            Looked::default()
        } else {
            self.store.look(&places, &keys).await?
        };
        let mut rows = std::mem::take(&mut gathered.rows);
        rows.extend(read);
        let mut known = intake::Known::new(&seen);
        for (place, Identified { root, event, identity }) in fresh {
            let repeated = known.repeated(&identity);
            if repeated == Some(Receipt::Conflict) {
                let reason = "another event has the same source and id";
                let code = code::CONFLICTING_EVENT.as_str();
                let record = intake::quarantined(&root, &event, code, reason, self.moment.now);
                gathered.commit.quarantine.push(record);
            }
            if let Some(repeated) = repeated {
                if let Some(receipt) = place.and_then(|place| receipts.get_mut(place)) {
                    *receipt = repeated;
                }
                continue;
            }
            if !self.lease.holds(identity.group) {
                let event = Carried::Event(root, Box::new(event));
                gathered.foreign.entry(identity.group).or_default().push(event);
                continue;
            }
            gathered.commit.dedup.push(identity);
            let Some(Sym(kind)) = self.world.symbols.sym(root.entity) else {
                // Left for us under a deployment that knew it.
                let reason = format!("there is no entity `{}`", root.entity);
                let code = code::UNKNOWN_ENTITY.as_str();
                let record = intake::quarantined(&root, &event, code, &reason, self.moment.now);
                gathered.commit.quarantine.push(record);
                continue;
            };
            let origin = place.map_or(Origin::Engine, Origin::Receipt);
            gathered.add(kind, root, Item { input: Input::Event(event), origin });
        }
        Ok((receipts, rows))
    }

    /// The rows that the batch may touch, but for those that a sweep has read already. Of an event that turns out to be known its
    /// row is read in vain: asked for in one go, both cost less than one after the other.
    fn touched(&self, gathered: &Gathered, fresh: &[(Option<usize>, Identified)]) -> Vec<RowKey> {
        let mut touched: HashSet<RowKey> =
            gathered.subjects.iter().map(|subject| subject.key.clone()).collect();
        for (_, Identified { root, identity, .. }) in fresh {
            if self.lease.holds(identity.group)
                && let Some(Sym(kind)) = self.world.symbols.sym(root.entity)
            {
                touched.insert(RowKey::new(kind, root.entity.as_str(), Arc::clone(&root.id)));
            }
        }
        for row in &gathered.rows {
            touched.remove(&row.key);
        }
        let mut touched: Vec<RowKey> = touched.into_iter().collect();
        touched.sort_unstable();
        touched
    }

    /// Refuses what needs no look at the store; the others, with the places of their receipts. What other workers left
    /// was looked at by them, and answered.
    fn identify(&self, gathered: &mut Gathered) -> (Vec<Receipt>, Vec<(Option<usize>, Identified)>) {
        let group = |root: &RootKey| self.lease.group(bucket::of(root.entity.as_str(), &root.id));
        let (mut receipts, mut fresh) = (Vec::new(), Vec::new());
        for (root, event) in gathered.left.drain(..) {
            fresh.push((None, intake::identify(group(&root), root, event)));
        }
        for submission in &mut gathered.submissions {
            gathered.counts.push(submission.events.len());
            for (root, event) in submission.events.drain(..) {
                if let Some((code, reason)) = intake::refuse(&self.world, &root, &event, self.moment.now) {
                    let record = intake::quarantined(&root, &event, code, &reason, self.moment.now);
                    gathered.commit.quarantine.push(record);
                    receipts.push(intake::refused(&reason));
                } else {
                    fresh.push((Some(receipts.len()), intake::identify(group(&root), root, event)));
                    receipts.push(Receipt::Accepted);
                }
            }
        }
        (receipts, fresh)
    }
}

impl Gathered {
    fn add(&mut self, kind: u32, root: RootKey, item: Item) {
        if let Some(subject) = self.places.get(&root).and_then(|&place| self.subjects.get_mut(place)) {
            subject.items.push(item);
            return;
        }
        let key = RowKey::new(kind, root.entity.as_str(), Arc::clone(&root.id));
        self.places.insert(root.clone(), self.subjects.len());
        self.subjects.push(Subject { root, key, items: vec![item], past: Vec::new(), sifted: None });
    }

    /// Rows of the log, subject by subject.
    fn replay(&mut self, world: &World, page: fill::Page) {
        self.anything = true;
        self.commit.meta.push(page.meta);
        for row in page.rows {
            for (offset, kind, id) in pack::entries(&row) {
                let Some(root) = root(world, kind, &id) else { continue };
                let place = *self.places.entry(root.clone()).or_insert_with(|| {
                    let key = RowKey::new(kind, root.entity.as_str(), Arc::clone(&root.id));
                    self.subjects.push(Subject {
                        root,
                        key,
                        items: Vec::new(),
                        past: Vec::new(),
                        sifted: None,
                    });
                    self.subjects.len() - 1
                });
                if let Some(subject) = self.subjects.get_mut(place) {
                    subject.past.push((Arc::clone(&row), offset));
                }
            }
        }
    }

    fn ticket(&mut self, world: &World, ticket: Ticket, input: Input) {
        let kind = ticket.queued.kind;
        let Some(root) = root(world, kind, &ticket.queued.id) else { return };
        self.add(kind, root, Item { input, origin: Origin::Ticket(Box::new(ticket)) });
    }

    fn page(&mut self, page: Page) {
        self.anything = true;
        self.commit.meta.extend(page.meta);
        for (row, facets) in page.rows {
            let root = RootKey { entity: page.root, id: Arc::clone(&row.key.id) };
            self.add(row.key.kind, root.clone(), Item { input: page.input.clone(), origin: Origin::Engine });
            if let Some(subject) = self.places.get(&root).and_then(|&place| self.subjects.get_mut(place)) {
                subject.sifted = Some(Sifted(facets));
            }
            self.rows.push(row);
        }
    }

    /// What another row says. Of a row of a kind that is not known any more nothing can be asked.
    pub(super) fn post(&mut self, world: &World, post: Box<Post>, now: Timestamp) {
        let Some(Sym(kind)) = world.symbols.sym(post.to.entity) else {
            return self.commit.quarantine.push(Quarantined {
                at: now,
                code: code::UNKNOWN_ENTITY.as_str().to_owned(),
                reason: format!("there is no entity `{}`", post.to.entity),
                body: format!("{} {} of {}", post.errand.word(), post.key, post.from.id).into_bytes(),
            });
        };
        self.add(kind, post.to.clone(), Item { input: Input::Post(post), origin: Origin::Engine });
    }

    /// Tells the submitters that the store failed. What is left of the batch goes on without them.
    pub(super) fn tell(&mut self, error: &StoreError) {
        let reason: Arc<str> = error.to_string().into();
        for submission in self.submissions.drain(..) {
            let _ = submission.reply.send(Err(SubmitError::Store(Arc::clone(&reason))));
        }
        for reply in self.doors.drain(..) {
            let _ = reply.send(Err(EngineError::Store(Arc::clone(&reason))));
        }
    }

    pub(super) fn fail(mut self, error: StoreError) -> EngineError {
        self.tell(&error);
        error.into()
    }
}

fn root(world: &World, kind: u32, id: &Arc<str>) -> Option<RootKey> {
    let entity = world.symbols.name(Sym(kind))?;
    Some(RootKey { entity, id: Arc::clone(id) })
}

/// A message that is given up though nobody refused it: it can be sent again.
fn dead_letter(
    world: &World,
    answer: &Answer,
    outcome: Outcome,
    detail: &str,
    now: Timestamp,
) -> Option<Quarantined> {
    if outcome != Outcome::Failed || !answer.is_open() {
        return None;
    }
    let channel = world.symbols.name(Sym(answer.ticket.channel))?;
    let body = serde_json::json!({
        "message": answer.ticket.queued.message.to_string(),
        "channel": channel.as_str(),
    });
    Some(Quarantined {
        at: now,
        code: code::DEAD_LETTER.as_str().to_owned(),
        reason: detail.to_owned(),
        body: body.to_string().into_bytes(),
    })
}
