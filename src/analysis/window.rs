//! The most messages to one subject in any stretch of time.
//!
//! SOUND upper bound, for every window `[t, t + W)`. Counted are messages that a provider took, at the instant at which
//! they leave the gate; rates of channels, and outages of providers, may still move them closer together. For each
//! message that may be the first in the window, the earliest moment is worked out at which an instance can be at any
//! place having sent `n` since (a shortest way over places and counts, with the least time of every way: an event may
//! come at once, a deadline never early). Rounds of a `repeat`, exits that may strike at any time, and the next entry
//! are ways like others; entries that may run side by side multiply.

use std::collections::{BTreeMap, VecDeque};

use petgraph::Direction;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;

use super::entries::{Entries, longest_ms};
use super::flow::{Flow, Message, What};
use crate::graph::rounds::least_nominal_ms;
use crate::graph::{Edge, EdgeKind, Least};
use crate::model::journey::{Repeat, Step, StepKind};
use crate::name::Name;

/// Counts beyond this are not told apart, as in the ledger of the gate.
pub const MOST_COUNTED: usize = 64;
/// Work beyond which only the sum over a whole run is told.
const MOST_WORK: usize = 400_000;
/// Before the window, at any time.
const LONG_AGO: i64 = i64::MIN / 4;

/// The most messages in a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MostSends {
    /// `None`: there is no bound that could be told.
    pub most: Option<i64>,
    /// Where it is that many: the messages of one run in order, and the earliest times behind the first.
    pub run: Vec<(NodeIndex, i64)>,
    /// How many entries of one subject are counted side by side.
    pub entries: Option<i64>,
}

/// The most messages for which `counts` in any window of `window_ms`, over all entries of one subject.
#[must_use]
pub fn most_sends(flow: &Flow<'_>, window_ms: i64, counts: &dyn Fn(&Message<'_>) -> bool) -> MostSends {
    let weights: BTreeMap<NodeIndex, i64> = flow
        .messages()
        .filter(|(_, message)| counts(message))
        .map(|(at, message)| (at, i64::from(message.pieces)))
        .collect();
    if weights.is_empty() {
        return MostSends { most: Some(0), run: Vec::new(), entries: Some(0) };
    }
    let entries = Entries::of(flow.model, flow.journey);
    let whole = in_one_run(flow, &weights);
    let (found, run) = Search::new(flow, &weights, window_ms, entries).run();
    let most = match entries {
        Entries::Once => Some(found.map_or(whole, |found| found.min(whole))),
        // Several runs one behind the other are in `found`.
        Entries::Behind(_) => {
            let around = window_ms.saturating_add(flow.hold_ms);
            // Where the next run begins behind the window, there is one.
            let runs =
                if entries.is_alone(around) { Some(1) } else { entries.within(around).map(|runs| runs + 1) };
            let bound = runs.map(|runs| runs.saturating_mul(whole));
            found.map(|found| bound.map_or(found, |bound| found.min(bound))).or(bound)
        }
        Entries::PerStretch(..) | Entries::Apart(..) | Entries::PerValue => {
            let one = found.map_or(whole, |found| found.min(whole));
            let still = longest_ms(flow).map(|ms| ms.saturating_add(window_ms).saturating_add(flow.hold_ms));
            still.and_then(|ms| entries.within(ms)).map(|runs| runs.saturating_mul(one))
        }
    };
    let side_by_side = match entries {
        Entries::Once | Entries::Behind(_) => Some(1),
        _ => longest_ms(flow)
            .map(|ms| ms.saturating_add(window_ms).saturating_add(flow.hold_ms))
            .and_then(|ms| entries.within(ms)),
    };
    MostSends { most, run, entries: side_by_side }
}

/// The most of a single run, whatever time it takes.
#[must_use]
pub fn most_in_one_run(flow: &Flow<'_>, counts: &dyn Fn(&Message<'_>) -> bool) -> i64 {
    let weights = flow.messages().filter(|(_, message)| counts(message));
    let weights = weights.map(|(at, message)| (at, i64::from(message.pieces))).collect();
    in_one_run(flow, &weights)
}

/// The heaviest way through the journey, rounds counted, and the heaviest exit behind it.
fn in_one_run(flow: &Flow<'_>, weights: &BTreeMap<NodeIndex, i64>) -> i64 {
    let mut sums = vec![0_i64; flow.graph.node_count()];
    let (mut inside, mut exits) = (0, 0);
    let first_exit = flow.exits.first().copied().unwrap_or(NodeIndex::end());
    for at in flow.graph.node_indices().filter(|at| flow.original(*at) == *at) {
        let incoming = flow.graph.edges_directed(at, Direction::Incoming);
        let before = incoming
            .filter(|edge| edge.source() < at && !flow.shut.contains(&edge.id()))
            .filter(|edge| edge.weight().kind != EdgeKind::Again)
            .map(|edge| {
                let froms = flow.comes_from(edge.source(), edge.weight()).into_iter();
                let sum = froms.filter_map(|from| sums.get(from.index()).copied()).max().unwrap_or_default();
                if flow.is_unsent(edge.source(), edge.weight()) {
                    sum - weight(flow, weights, edge.source())
                } else {
                    sum
                }
            })
            .max();
        let sum = before.unwrap_or_default().saturating_add(weight(flow, weights, at));
        if at < first_exit {
            inside = inside.max(sum);
        } else {
            exits = exits.max(sum);
        }
        if let Some(slot) = sums.get_mut(at.index()) {
            *slot = sum;
        }
    }
    inside.saturating_add(exits)
}

fn weight(flow: &Flow<'_>, weights: &BTreeMap<NodeIndex, i64>, at: NodeIndex) -> i64 {
    let rounds = flow.node(at).map_or(1, |node| node.rounds);
    weights.get(&at).copied().unwrap_or_default().saturating_mul(rounds)
}

/// Where the search is: a place of the journey, or one of two beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    At(NodeIndex),
    /// Wherever an exit strikes.
    Anywhere,
    Over,
}

/// What becomes of the message of a place on one way.
#[derive(Clone, Copy)]
struct Leaves {
    /// How many that are counted.
    sent: usize,
    /// How long the place waits then besides.
    waited: i64,
    left: bool,
}

/// A place, and how many have been sent by then.
type State = (Place, usize);

/// The earliest time at a place, and of each mark.
type Times = Vec<i64>;

struct Search<'f, 'm> {
    flow: &'f Flow<'m>,
    weights: &'f BTreeMap<NodeIndex, i64>,
    window_ms: i64,
    /// Messages that deadlines count from, and clocks of `repeat`s: whose latest instant is kept.
    marks: Vec<Name>,
    exits: bool,
    again_ms: Option<i64>,
    best: BTreeMap<State, (Times, Option<State>)>,
}

impl<'f, 'm> Search<'f, 'm> {
    fn new(
        flow: &'f Flow<'m>,
        weights: &'f BTreeMap<NodeIndex, i64>,
        window_ms: i64,
        entries: Entries,
    ) -> Self {
        let sent = flow.graph.edge_weights().filter_map(|edge| match edge.delay.least {
            Least::Sent(step, _) => Some(step),
            Least::Here(_) => None,
        });
        let clocks = flow.graph.node_indices().filter_map(|at| clock(flow, at).map(|(name, _)| name));
        let mut marks: Vec<Name> = sent.chain(clocks).collect();
        marks.sort_unstable();
        marks.dedup();
        let exits = flow.exits.iter().any(|exit| leads_to_any(flow, *exit, weights));
        // Only what an exit sends is held while the next run may begin.
        let hold = if exits { flow.hold_ms } else { 0 };
        let again_ms = match entries {
            Entries::Behind(ms) => Some(ms.saturating_sub(hold).max(0)).filter(|ms| *ms < window_ms),
            _ => None,
        };
        Self { flow, weights, window_ms, marks, exits, again_ms, best: BTreeMap::new() }
    }

    /// The most over all first messages; `None`: it was too much to count.
    fn run(mut self) -> (Option<i64>, Vec<(NodeIndex, i64)>) {
        let places = self.flow.graph.node_count() * self.weights.len();
        if places.saturating_mul(4) > MOST_WORK {
            return (None, Vec::new());
        }
        let mut best = (0, Vec::new());
        let places = self.flow.graph.node_indices();
        let firsts: Vec<NodeIndex> =
            places.filter(|at| self.weights.contains_key(&self.flow.original(*at))).collect();
        for first in firsts {
            let Some(found) = self.from(first) else { return (None, Vec::new()) };
            if found.0 > best.0 {
                best = found;
            }
        }
        (i64::try_from(best.0).ok(), best.1)
    }

    fn from(&mut self, first: NodeIndex) -> Option<(usize, Vec<(NodeIndex, i64)>)> {
        self.best.clear();
        let mut times = vec![LONG_AGO; self.marks.len() + 1];
        if let Some(now) = times.first_mut() {
            *now = 0;
        }
        self.begin_rounds(first, &mut times);
        let mut due = VecDeque::new();
        self.best.insert((Place::At(first), 0), (times, None));
        due.push_back((Place::At(first), 0));
        let mut work = 0;
        let (mut most, mut end) = (0, (Place::At(first), 0));
        while let Some(state) = due.pop_front() {
            work += 1;
            if work > MOST_WORK / self.weights.len().max(1) {
                return None;
            }
            let Some((times, _)) = self.best.get(&state).cloned() else { continue };
            for (place, count, times) in self.next(state, &times, first) {
                if times.first().is_none_or(|now| *now >= self.window_ms) {
                    // What left before was inside all the same.
                    if count > most {
                        (most, end) = (count, state);
                    }
                    continue;
                }
                if count > MOST_COUNTED {
                    return None;
                }
                if count > most {
                    most = count;
                    end = state;
                }
                if self.improve((place, count), times, state) {
                    due.push_back((place, count));
                }
            }
        }
        Some((most, self.path(end)))
    }

    /// Whether it is earlier there than was known.
    fn improve(&mut self, at: (Place, usize), times: Times, from: (Place, usize)) -> bool {
        let Some((known, by)) = self.best.get_mut(&at) else {
            self.best.insert(at, (times, Some(from)));
            return true;
        };
        let mut earlier = false;
        for (nth, (known, new)) in known.iter_mut().zip(times).enumerate() {
            if new < *known {
                *known = new;
                earlier = true;
                if nth == 0 {
                    *by = Some(from);
                }
            }
        }
        earlier
    }

    /// The ways from a state: where to, how many have been sent by then, and when.
    fn next(
        &self,
        (place, count): (Place, usize),
        times: &Times,
        first: NodeIndex,
    ) -> Vec<(Place, usize, Times)> {
        let mut found = Vec::new();
        match place {
            Place::At(at) => {
                // The first message is in the window.
                let must = at == first && count == 0;
                for (_, to, edge) in self.flow.ways(at) {
                    for leaves in self.leaves(at, edge) {
                        if must && leaves.sent == 0 {
                            continue;
                        }
                        let times = self.behind((at, to), edge, times, leaves);
                        found.push((Place::At(to), count + leaves.sent, times));
                    }
                }
                if self.exits || self.again_ms.is_some() {
                    found.push((Place::Anywhere, count + self.pieces(at), times.clone()));
                }
            }
            Place::Anywhere => {
                if self.exits {
                    let exits = self.flow.exits.iter();
                    found.extend(exits.map(|exit| (Place::At(*exit), count, times.clone())));
                }
                found.push((Place::Over, count, times.clone()));
            }
            Place::Over => {
                if let Some(ms) = self.again_ms {
                    let mut times = vec![LONG_AGO; times.len()];
                    if let (Some(now), Some(before)) = (times.first_mut(), self.now(place, count)) {
                        *now = before.saturating_add(ms);
                    }
                    found.push((Place::At(self.flow.entry), count, times));
                }
            }
        }
        found
    }

    fn now(&self, place: Place, count: usize) -> Option<i64> {
        self.best.get(&(place, count)).and_then(|(times, _)| times.first().copied())
    }

    fn pieces(&self, at: NodeIndex) -> usize {
        self.weights
            .get(&self.flow.original(at))
            .and_then(|pieces| usize::try_from(*pieces).ok())
            .unwrap_or_default()
    }

    /// What may have left by this way, and how long it waits then besides.
    fn leaves(&self, at: NodeIndex, edge: &Edge) -> Vec<Leaves> {
        let sent = Leaves { sent: self.pieces(at), waited: 0, left: true };
        let unsent = Leaves { sent: 0, waited: 0, left: false };
        match self.flow.node(at).map(|node| node.what) {
            Some(What::Rung(_, rung)) if edge.arm == 1 => {
                vec![Leaves { waited: rung.within.at_least_ms(), ..sent }, unsent]
            }
            _ if self.flow.is_unsent(at, edge) => vec![unsent],
            _ => vec![sent],
        }
    }

    /// The times behind a way.
    fn behind(&self, (at, to): (NodeIndex, NodeIndex), edge: &Edge, times: &Times, leaves: Leaves) -> Times {
        let mut times = times.clone();
        let now = times.first().copied().unwrap_or_default();
        // Where nothing has left, a deadline counts from the arrival, which is later still; but in rounds it may count
        // from the message of a round before.
        if let Some(node) = self.flow.node(at).filter(|node| leaves.left || node.inside.is_empty())
            && self.flow.message(at).is_some()
        {
            self.mark_message(node.id, now, &mut times);
        }
        let mut then = match edge.delay.least {
            Least::Here(ms) => now.saturating_add(ms),
            Least::Sent(step, ms) => now.max(self.mark(step, &times).saturating_add(ms)),
        };
        then = then.saturating_add(leaves.waited);
        if let Some((name, repeat)) = clock(self.flow, at).filter(|_| edge.arm == 0) {
            let gap =
                repeat.schedule.as_ref().map(least_nominal_ms).filter(|_| repeat.missed_all != Some(true));
            if let Some(gap) = gap {
                then = then.max(self.mark(name, &times).saturating_add(gap));
            }
            self.set(name, then, &mut times);
        }
        // Coming to a `repeat` from outside, its clock begins anew.
        if let Some((name, _)) = clock(self.flow, to).filter(|_| edge.kind != EdgeKind::Again) {
            self.set(name, LONG_AGO, &mut times);
        }
        if let Some(slot) = times.first_mut() {
            *slot = then;
        }
        times
    }

    /// The latest message of every step that this one is a message of.
    fn mark_message(&self, id: Name, now: i64, times: &mut Times) {
        for (nth, mark) in self.marks.iter().enumerate() {
            let rest = id.as_str().strip_prefix(mark.as_str());
            let is_of = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            if let Some(slot) = times.get_mut(nth + 1).filter(|_| is_of) {
                *slot = now;
            }
        }
    }

    fn mark(&self, name: Name, times: &Times) -> i64 {
        let at = self.marks.iter().position(|mark| *mark == name);
        at.and_then(|at| times.get(at + 1)).copied().unwrap_or(LONG_AGO)
    }

    fn set(&self, name: Name, to: i64, times: &mut Times) {
        if let Some(at) = self.marks.iter().position(|mark| *mark == name)
            && let Some(slot) = times.get_mut(at + 1)
        {
            *slot = to;
        }
    }

    /// The rounds that the first message stands in began before it, at most as long ago as a round takes.
    fn begin_rounds(&self, first: NodeIndex, times: &mut Times) {
        let inside = self.flow.node(first).map(|node| node.inside.clone()).unwrap_or_default();
        for head in self.flow.graph.node_indices() {
            let Some((name, _)) = clock(self.flow, head).filter(|(name, _)| inside.contains(name)) else {
                continue;
            };
            if let Some(ms) = self.longest_to(head, first) {
                self.set(name, -ms, times);
            }
        }
    }

    /// The longest that it takes from the head of a `repeat` to a place of the same round.
    fn longest_to(&self, head: NodeIndex, to: NodeIndex) -> Option<i64> {
        let mut arrival: BTreeMap<NodeIndex, Option<i64>> = BTreeMap::from([(head, Some(0))]);
        for at in self.flow.graph.node_indices().filter(|at| *at > head && *at <= to) {
            let mut latest: Option<Option<i64>> = None;
            for edge in self.flow.graph.edges_directed(at, Direction::Incoming) {
                let Some(before) = arrival.get(&edge.source()).copied() else { continue };
                // The tick itself is what the head waits for.
                let most = if edge.source() == head {
                    Some(0)
                } else {
                    self.flow.most_ms(edge.source(), edge.weight())
                };
                let here = before.zip(most).map(|(before, most)| before.saturating_add(most));
                latest = Some(match latest {
                    None => here,
                    Some(latest) => latest.zip(here).map(|(latest, here)| latest.max(here)),
                });
            }
            if let Some(latest) = latest {
                arrival.insert(at, latest);
            }
        }
        arrival.get(&to).copied().flatten()
    }

    /// The messages on the way to a state, and the one that leaves there.
    fn path(&self, end: (Place, usize)) -> Vec<(NodeIndex, i64)> {
        let mut found = Vec::new();
        let mut count = usize::MAX;
        let mut at = Some(end);
        for _ in 0..self.best.len() {
            let Some((place, sent)) = at else { break };
            let (times, by) = match self.best.get(&(place, sent)) {
                Some((times, by)) => (times, *by),
                None => break,
            };
            if let Place::At(node) = place
                && self.weights.contains_key(&self.flow.original(node))
                && sent < count
            {
                found.push((self.flow.original(node), times.first().copied().unwrap_or_default()));
                count = sent;
            }
            at = by;
        }
        found.reverse();
        found
    }
}

/// Of a `repeat` that goes by a clock.
fn clock<'m>(flow: &Flow<'m>, at: NodeIndex) -> Option<(Name, &'m Repeat)> {
    match flow.node(at)?.what {
        What::Step(Step { kind: StepKind::Repeat(repeat), id, .. }) if repeat.schedule.is_some() => {
            Some((*id, repeat))
        }
        _ => None,
    }
}

fn leads_to_any(flow: &Flow<'_>, from: NodeIndex, weights: &BTreeMap<NodeIndex, i64>) -> bool {
    let mut seen = vec![from];
    let mut due = vec![from];
    while let Some(at) = due.pop() {
        if weights.contains_key(&flow.original(at)) {
            return true;
        }
        for (_, to, _) in flow.ways(at) {
            if !seen.contains(&to) {
                seen.push(to);
                due.push(to);
            }
        }
    }
    false
}
