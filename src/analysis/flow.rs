//! A journey as the passes see it: the graph of its places, each tied to what was written there.
//!
//! Numbers of places and ways are those of [`crate::graph::build`], so that a witness can be told in its words. Two
//! things are added: behind the last of them the rungs of each `reach … prefer` in every other order they may come in;
//! and how long the gate may hold a message.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::graph::{Delay, Edge, EdgeKind, JourneyGraph, Least, Most, PointKind, plain};
use crate::model::journey::{Exit, Rung, Step, StepKind};
use crate::model::{Journey, Model};
use crate::name::Name;
use crate::program::policy::{Over, is_urgent};
use crate::program::{Addressee, ContentCall, Outcome};
use crate::text::Span;

const DAY_MS: i64 = 86_400_000;

#[derive(Clone, Debug)]
pub struct Flow<'m> {
    pub model: &'m Model,
    pub journey: &'m Journey,
    pub graph: DiGraph<Node<'m>, Edge>,
    pub entry: NodeIndex,
    /// Where each exit rule begins, in the order written.
    pub exits: Vec<NodeIndex>,
    /// Ways that nobody takes, as was proved.
    pub shut: BTreeSet<EdgeIndex>,
    /// Places that nobody comes to, as was proved.
    pub dead: BTreeSet<NodeIndex>,
    /// How long the gate may hold a message of this journey, in milliseconds.
    pub hold_ms: i64,
}

#[derive(Clone, Debug)]
pub struct Node<'m> {
    pub what: What<'m>,
    pub id: Name,
    pub span: Span,
    /// How often one instance can come here at most.
    pub rounds: i64,
    /// The heads of the `repeat`s around it, the outermost first.
    pub inside: Vec<Name>,
    /// Of a rung that stands elsewhere in another order.
    pub copy_of: Option<NodeIndex>,
}

#[derive(Clone, Copy, Debug)]
pub enum What<'m> {
    Enter,
    Exit(&'m Exit),
    Step(&'m Step),
    /// Of the `reach` that it is a rung of.
    Rung(&'m Step, &'m Rung),
    /// Behind the block of an exit rule.
    End,
    Fall,
}

/// A message that may leave at a place.
#[derive(Clone, Copy, Debug)]
pub struct Message<'m> {
    pub channel: Name,
    pub content: &'m ContentCall,
    /// Somebody else than the subject.
    pub to: Option<&'m Addressee>,
    /// Of an ordered list: how many it is.
    pub pieces: u32,
}

impl<'m> Flow<'m> {
    /// Of a journey without errors. Nothing is shut yet: [`super::facts::Facts::of`] does that.
    #[must_use]
    pub fn of(model: &'m Model, journey: &'m Journey) -> Self {
        let JourneyGraph { graph, entry, exits, .. } = plain(journey);
        let mut written = Written::default();
        written.walk(&journey.steps, 1, &[]);
        journey.exits.iter().for_each(|exit| written.walk(&exit.block, 1, &[]));
        let by_exit: BTreeMap<NodeIndex, &Exit> = exits.iter().copied().zip(&journey.exits).collect();
        let graph = graph.map(
            |at, point| {
                let known = match point.kind {
                    PointKind::Rung => written.rungs.get(&point.id),
                    PointKind::Enter | PointKind::Exit | PointKind::Fall => None,
                    _ => written.steps.get(&point.id),
                };
                let (what, rounds, inside) = match (point.kind, known) {
                    (PointKind::Enter, _) => (What::Enter, 1, Vec::new()),
                    (PointKind::Exit, _) => {
                        (by_exit.get(&at).map_or(What::Fall, |exit| What::Exit(exit)), 1, Vec::new())
                    }
                    (PointKind::Fall, _) => (What::Fall, 1, Vec::new()),
                    (_, Some((what, rounds, inside))) => (*what, *rounds, inside.clone()),
                    (_, None) => (What::End, 1, Vec::new()),
                };
                Node { what, id: point.id, span: point.span, rounds, inside, copy_of: None }
            },
            |_, edge| edge.clone(),
        );
        let hold_ms = hold_ms(model, journey);
        let mut flow = Self {
            model,
            journey,
            graph,
            entry,
            exits,
            shut: BTreeSet::new(),
            dead: BTreeSet::new(),
            hold_ms,
        };
        flow.prefer();
        flow
    }

    #[must_use]
    pub fn node(&self, at: NodeIndex) -> Option<&Node<'m>> {
        self.graph.node_weight(at)
    }

    /// The place as it was written.
    #[must_use]
    pub fn original(&self, at: NodeIndex) -> NodeIndex {
        self.node(at).and_then(|node| node.copy_of).unwrap_or(at)
    }

    /// The ways out of a place that somebody may take.
    pub fn ways(&self, from: NodeIndex) -> impl Iterator<Item = (EdgeIndex, NodeIndex, &Edge)> {
        let edges = self.graph.edges(from).filter(|edge| !self.shut.contains(&edge.id()));
        edges.map(|edge| (edge.id(), edge.target(), edge.weight()))
    }

    /// How long an instance can be at `from` before it takes this way; `None`: data decides.
    #[must_use]
    pub fn most_ms(&self, from: NodeIndex, edge: &Edge) -> Option<i64> {
        let message = self.message(from);
        // How long an ordered list takes hangs on its reports.
        if message.is_some_and(|message| message.pieces > 1) {
            return None;
        }
        let mut hold = if message.is_some() { self.hold_ms } else { 0 };
        if let Some(node) = self.node(from).filter(|_| edge.arm == 1 && self.is_repeat(from)) {
            let inside = self.graph.node_indices().filter(|at| {
                self.message(*at).is_some()
                    && self.node(*at).is_some_and(|inner| inner.inside.contains(&node.id))
            });
            let times: i64 = inside.filter_map(|at| self.node(at)).map(|inner| inner.rounds).sum();
            hold = self.hold_ms.saturating_mul(times);
        }
        match edge.delay.most {
            Most::Within(i64::MAX) | Most::Until(_) => None,
            Most::Within(ms) => Some(ms.saturating_add(hold)),
        }
    }

    /// The message that may leave at a place.
    #[must_use]
    pub fn message(&self, at: NodeIndex) -> Option<Message<'m>> {
        let (channel, content, to) = match self.node(at)?.what {
            What::Step(Step { kind: StepKind::Send(send, _), .. }) => {
                (send.channel, &send.content, send.manner.to.as_ref())
            }
            What::Rung(_, rung) => (rung.channel, &rung.content, None),
            _ => return None,
        };
        Some(Message { channel, content, to, pieces: pieces(self.model, channel, content) })
    }

    /// All messages to the subject, in the order written.
    pub fn messages(&self) -> impl Iterator<Item = (NodeIndex, Message<'m>)> + '_ {
        let all = self.graph.node_indices();
        let all = all.filter(|at| self.original(*at) == *at && !self.dead.contains(at));
        let all = all.filter_map(|at| Some((at, self.message(at)?)));
        all.filter(|(_, message)| message.to.is_none())
    }

    fn is_repeat(&self, at: NodeIndex) -> bool {
        matches!(
            self.node(at).map(|node| node.what),
            Some(What::Step(Step { kind: StepKind::Repeat(_), .. }))
        )
    }

    /// From where one really comes by a way: who leaves a `repeat` behind its rounds comes from the ends of its body,
    /// or, where there was no round, from its head.
    #[must_use]
    pub fn comes_from(&self, from: NodeIndex, edge: &Edge) -> Vec<NodeIndex> {
        let mut found = vec![from];
        if edge.arm == 1 && self.is_repeat(from) {
            let back = self.graph.edges_directed(from, petgraph::Direction::Incoming);
            for edge in back.filter(|edge| edge.weight().kind == EdgeKind::Again) {
                found.extend(self.comes_from(edge.source(), edge.weight()));
            }
        }
        found
    }

    /// Whether this way is only taken when the message of the place has not left, or its provider has refused it.
    #[must_use]
    pub fn is_unsent(&self, from: NodeIndex, edge: &Edge) -> bool {
        match self.node(from).map(|node| node.what) {
            Some(What::Step(Step { kind: StepKind::Send(_, tail), .. })) => {
                let Some((outcomes, _)) = tail.arms.get(edge.arm) else {
                    return edge.arm == tail.arms.len() && tail.otherwise.is_some();
                };
                let unsent = |outcome: &Outcome| {
                    outcome.is_refusal()
                        || matches!(outcome, Outcome::Failed | Outcome::Refused | Outcome::Expired)
                };
                outcomes.iter().all(unsent)
            }
            _ => false,
        }
    }

    /// The rung of the preferred channel goes first: for each rung but the first a ladder of its own, of copies.
    fn prefer(&mut self) {
        let is_preferring = |at: &NodeIndex| {
            matches!(
                self.node(*at).map(|node| node.what),
                Some(What::Step(Step { kind: StepKind::Reach { prefer: Some(_), .. }, .. }))
            )
        };
        let starts: Vec<NodeIndex> = self.graph.node_indices().filter(is_preferring).collect();
        for start in starts {
            let mut rungs: Vec<NodeIndex> = Vec::new();
            let mut at = start;
            while let Some(next) = self.next_rung(at) {
                rungs.push(next);
                at = next;
            }
            for first in rungs.iter().skip(1) {
                let order: Vec<NodeIndex> = std::iter::once(first)
                    .chain(rungs.iter().filter(|rung| *rung != first))
                    .copied()
                    .collect();
                self.ladder(start, &order, rungs.last().copied());
            }
        }
    }

    fn ladder(&mut self, start: NodeIndex, order: &[NodeIndex], last: Option<NodeIndex>) {
        let after = last.and_then(|last| self.timeout(last)).map(|(to, _)| to);
        let mut from = (start, Edge { delay: Delay::NONE, ..Edge::then() });
        for rung in order {
            let Some(node) = self.node(*rung).cloned() else { return };
            let copy = self.graph.add_node(Node { copy_of: Some(*rung), ..node });
            self.graph.add_edge(from.0, copy, from.1);
            let answered: Vec<(NodeIndex, Edge)> = self
                .graph
                .edges(*rung)
                .filter(|edge| edge.weight().arm == 0)
                .map(|edge| (edge.target(), edge.weight().clone()))
                .collect();
            for (to, edge) in answered {
                self.graph.add_edge(copy, to, edge);
            }
            let Some((_, edge)) = self.timeout(*rung) else { return };
            from = (copy, edge.clone());
        }
        if let Some(after) = after {
            self.graph.add_edge(from.0, after, from.1);
        }
    }

    fn next_rung(&self, from: NodeIndex) -> Option<NodeIndex> {
        let is_rung = |at: &NodeIndex| matches!(self.node(*at).map(|node| node.what), Some(What::Rung(..)));
        let edges = self
            .graph
            .edges(from)
            .filter(|edge| matches!(edge.weight().kind, EdgeKind::Then | EdgeKind::Timeout));
        let mut next: Vec<NodeIndex> = edges.map(|edge| edge.target()).filter(is_rung).collect();
        next.retain(|at| self.same_reach(from, *at));
        next.into_iter().min()
    }

    fn same_reach(&self, from: NodeIndex, rung: NodeIndex) -> bool {
        let reach = |at: NodeIndex| match self.node(at)?.what {
            What::Rung(step, _) | What::Step(step) => Some(step.id),
            _ => None,
        };
        from < rung && reach(from) == reach(rung)
    }

    fn timeout(&self, rung: NodeIndex) -> Option<(NodeIndex, &Edge)> {
        let edges = self.graph.edges(rung).filter(|edge| edge.weight().arm == 1);
        edges.map(|edge| (edge.target(), edge.weight())).max_by_key(|(to, _)| *to)
    }
}

/// The least time on a way where nothing is known of earlier messages.
#[must_use]
pub fn least_ms(edge: &Edge) -> i64 {
    match edge.delay.least {
        Least::Here(ms) => ms,
        Least::Sent(..) => 0,
    }
}

/// How many messages one step sends at most: an ordered list sends several.
pub(super) fn pieces(model: &Model, channel: Name, content: &ContentCall) -> u32 {
    let among = content
        .chosen
        .as_ref()
        .map_or(std::slice::from_ref(&content.content), |chosen| chosen.among.as_slice());
    let pieces = among.iter().filter_map(|name| {
        let content = model.contents.get(name)?;
        let variant = content.variants.iter().find(|variant| variant.channel == channel)?;
        u32::try_from(variant.messages.len()).ok()
    });
    pieces.max().unwrap_or(1).max(1)
}

/// How long a message may be held: until quiet times are over, and for room under a cap.
pub(super) fn hold_ms(model: &Model, journey: &Journey) -> i64 {
    let policies = || model.policies.values();
    let quiets = policies().filter_map(|policy| policy.quiet.as_ref()).chain(&journey.quiet);
    // Each ends within a day; where several follow one another, within as many.
    let quiet: i64 = if is_urgent(journey.purpose) { 0 } else { quiets.map(|_| DAY_MS).sum() };
    let caps = policies().flat_map(|policy| &policy.caps).chain(&journey.caps);
    let defers = caps.filter_map(|cap| match cap.over {
        Over::Defer(length) => Some(length.at_most_ms()),
        Over::Skip | Over::NextChannel => None,
    });
    quiet.saturating_add(defers.max().unwrap_or(0))
}

type Known<'m> = (What<'m>, i64, Vec<Name>);

/// Steps and rungs by their identity, which is unique in a journey.
#[derive(Default)]
struct Written<'m> {
    steps: BTreeMap<Name, Known<'m>>,
    rungs: BTreeMap<Name, Known<'m>>,
}

impl<'m> Written<'m> {
    fn walk(&mut self, steps: &'m [Step], rounds: i64, inside: &[Name]) {
        for step in steps {
            self.steps.insert(step.id, (What::Step(step), rounds, inside.to_vec()));
            if let StepKind::Reach { rungs, .. } = &step.kind {
                for rung in rungs {
                    self.rungs.insert(rung.id, (What::Rung(step, rung), rounds, inside.to_vec()));
                }
            }
            let (mut rounds, mut inside) = (rounds, inside.to_vec());
            if let StepKind::Repeat(repeat) = &step.kind {
                rounds = rounds.saturating_mul(repeat.times());
                inside.push(step.id);
            }
            for block in step.kind.blocks() {
                self.walk(block, rounds, &inside);
            }
        }
    }
}
