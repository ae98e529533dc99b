//! The steps of a journey as a flat table of nodes.
//!
//! A block is laid out with the node that follows it already known: first the step's own place is reserved, then
//! what follows is laid out, then its arms. So the table begins with the way straight through, and node 0 is where
//! instances begin.

mod assign;
mod node;
mod show;

use super::renumber::Numbers;
use crate::expr::{Anchor, Expr};
use crate::model::Model;
use crate::model::journey::{Step, StepKind};
use crate::name::Name;
use crate::program::{Await, Node, NodeId, NodeKind};
use crate::text::{Sources, Span};

pub(super) struct Table<'a> {
    model: &'a Model,
    numbers: &'a Numbers,
    sources: &'a Sources,
    awaits: Vec<Await>,
    nodes: Vec<Option<Node>>,
    lines: Vec<u32>,
    rung_lines: Vec<(Name, u32)>,
    /// Slots of the `repeat`s around what is laid out.
    rounds: Vec<u16>,
}

/// Where a block goes.
#[derive(Clone, Copy)]
struct Way {
    /// Behind its last step.
    next: NodeId,
    /// On `continue`: behind the step whose arm the block is.
    behind: NodeId,
}

impl Way {
    /// The way of an arm of a step that `next` follows.
    fn arm(next: NodeId) -> Self {
        Self { next, behind: next }
    }
}

/// What is listened for, the nodes, the line of each, and the lines of rungs.
type Finished = (Vec<Await>, Vec<Node>, Vec<u32>, Vec<(Name, u32)>);

/// Behind the last step. Paths that the checker let through end before; what still leads here are the ways that are
/// never taken (an outcome beside those of a send that names all), and they get an end of their own.
const NOWHERE: NodeId = NodeId::MAX;
const STOPPED: &str = "stopped";

impl<'a> Table<'a> {
    pub(super) fn new(model: &'a Model, numbers: &'a Numbers, sources: &'a Sources) -> Self {
        Self {
            model,
            numbers,
            sources,
            awaits: Vec::new(),
            nodes: Vec::new(),
            lines: Vec::new(),
            rung_lines: Vec::new(),
            rounds: Vec::new(),
        }
    }

    /// The table, complete. `None` if it became too large.
    pub(super) fn finish(self) -> Option<Finished> {
        let nodes = self.nodes.into_iter().collect::<Option<Vec<Node>>>()?;
        Some((self.awaits, nodes, self.lines, self.rung_lines))
    }

    /// The steps of the journey itself, from node 0 on.
    pub(super) fn journey(&mut self, steps: &[Step]) -> Option<()> {
        self.block(steps, Way::arm(NOWHERE))?;
        let leads_nowhere = |node: &Node| node.kind.successors().contains(&NOWHERE);
        if !self.nodes.is_empty() && !self.nodes.iter().flatten().any(leads_nowhere) {
            return Some(());
        }
        let stop = self.end(Name::new(STOPPED), Span::default())?;
        let nodes = self.nodes.iter_mut().flatten();
        let ways = nodes.flat_map(|node| node.kind.successors_mut());
        ways.filter(|to| **to == NOWHERE).for_each(|to| *to = stop);
        Some(())
    }

    /// The block of an exit rule.
    pub(super) fn exit(&mut self, steps: &[Step], end: Name, span: Span) -> Option<NodeId> {
        let end = self.end(end, span)?;
        self.block(steps, Way::arm(end))
    }

    fn end(&mut self, name: Name, span: Span) -> Option<NodeId> {
        let at = self.reserve(span)?;
        self.fill(at, name, NodeKind::End { name });
        Some(at)
    }

    fn reserve(&mut self, span: Span) -> Option<NodeId> {
        let at = NodeId::try_from(self.nodes.len()).ok().filter(|&at| at < NodeId::MAX)?;
        self.nodes.push(None);
        self.lines.push(self.sources.place(span).1);
        Some(at)
    }

    fn fill(&mut self, at: NodeId, step: Name, kind: NodeKind) {
        if let Some(slot) = self.nodes.get_mut(usize::from(at)) {
            *slot = Some(Node { step, kind, rounds: self.rounds.clone() });
        }
    }

    /// Lays `steps` out and tells where they begin: at `way.next` if there are none.
    fn block(&mut self, steps: &[Step], way: Way) -> Option<NodeId> {
        let mut flat = Vec::new();
        without_phases(steps, &mut flat);
        self.lay(&flat, way)
    }

    fn lay(&mut self, steps: &[&Step], way: Way) -> Option<NodeId> {
        let Some((step, rest)) = steps.split_first() else { return Some(way.next) };
        match &step.kind {
            StepKind::Continue => Some(way.behind),
            StepKind::End { name } => self.end_step(step, *name),
            _ => {
                let at = self.reserve(step.span)?;
                let next = self.lay(rest, way)?;
                let kind = self.kind(step, next)?;
                self.fill(at, step.id, kind);
                Some(at)
            }
        }
    }

    fn end_step(&mut self, step: &Step, name: Name) -> Option<NodeId> {
        let at = self.reserve(step.span)?;
        self.fill(at, step.id, NodeKind::End { name });
        Some(at)
    }

    fn arm(&mut self, steps: &[Step], next: NodeId) -> Option<NodeId> {
        self.block(steps, Way::arm(next))
    }

    fn expr(&self, expr: &Expr) -> Expr {
        let mut own = expr.clone();
        self.numbers.expr(&mut own);
        own
    }

    fn anchor(&self, anchor: &Anchor) -> Anchor {
        let mut own = anchor.clone();
        self.numbers.anchor(&mut own);
        own
    }
}

/// A phase is only a stretch with a name; the identities of its steps hold that name already.
fn without_phases<'a>(steps: &'a [Step], flat: &mut Vec<&'a Step>) {
    for step in steps {
        match &step.kind {
            StepKind::Phase { steps, .. } => without_phases(steps, flat),
            _ => flat.push(step),
        }
    }
}
