//! What holds at a step on every way to it (must-facts), and which ways nobody takes.
//!
//! SOUND: if a fact is told of a place with age 0, it is true in every run in the instant at which an instance comes
//! there; with an age, it was true at most so long before. What time may change ages by the longest that each way can
//! take, the hold of the gate included; a tag given or taken, and a value remembered anew, end what is said of them;
//! where ways meet only what all of them say is left; at the head of a `repeat` only what no round can change. A way is
//! shut only where what holds now excludes its condition, as `logic` proves.

use std::collections::BTreeMap;

use petgraph::Direction;
use petgraph::graph::{EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;

use super::flow::{Flow, What};
use crate::expr::Expr;
use crate::graph::{Edge, EdgeKind};
use crate::meaning::mind::{FactId, Lasts, Mind, Was};
use crate::model::journey::{Rung, Step, StepKind, Trigger};
use crate::text::Span;

/// Facts that hold, and for how many milliseconds they may not have been looked at.
pub type Known = BTreeMap<FactId, i64>;

#[derive(Clone, Debug)]
pub struct Facts<'m> {
    pub mind: Mind<'m>,
    /// For each place, on arrival; `None`: nobody gets there.
    at: Vec<Option<Known>>,
    /// What each way says of whoever takes it.
    learned: BTreeMap<EdgeIndex, Vec<FactId>>,
    /// Not true at any step, or the instance would have left.
    always: Vec<FactId>,
}

impl<'m> Facts<'m> {
    /// Works them out, and shuts the ways of `flow` that nobody takes.
    pub fn of(flow: &mut Flow<'m>) -> Self {
        let mind = Mind::new(flow.model, flow.journey);
        let at = vec![None; flow.graph.node_count()];
        let mut facts = Self { mind, at, learned: BTreeMap::new(), always: Vec::new() };
        for exit in &flow.journey.exits {
            if let Trigger::When(condition) = &exit.trigger {
                let found = facts.mind.learn(condition, Was::NotTrue, exit.span);
                facts.always.extend(found);
            }
        }
        let entered = facts.mind.entered();
        let mut known: Known = facts.always.iter().map(|fact| (*fact, 0)).collect();
        known.extend(entered.into_iter().map(|fact| (fact, 0)));
        facts.put(flow.entry, known);
        // Places are numbered in the order of writing, and only the next round of a `repeat` goes back.
        for at in flow.graph.node_indices() {
            facts.arrive(flow, at);
            facts.look(flow, at);
        }
        flow.dead = flow.graph.node_indices().filter(|at| facts.known(*at).is_none()).collect();
        facts
    }

    /// What holds on every way to a place; `None`: nobody gets there.
    #[must_use]
    pub fn known(&self, at: NodeIndex) -> Option<&Known> {
        self.at.get(at.index())?.as_ref()
    }

    /// Those that hold in the instant of arrival.
    #[must_use]
    pub fn now(&self, at: NodeIndex) -> Vec<FactId> {
        self.known(at).map(Self::current).unwrap_or_default()
    }

    /// What a way says of whoever takes it.
    #[must_use]
    pub fn learned(&self, way: EdgeIndex) -> &[FactId] {
        self.learned.get(&way).map(Vec::as_slice).unwrap_or_default()
    }

    /// What is still so behind a way out of `from`, of what was so there.
    pub fn pass(&self, flow: &Flow<'m>, from: NodeIndex, edge: &Edge, known: &mut Known) {
        match flow.node(from).map(|node| node.what) {
            Some(What::Step(step)) => self.change(step, known),
            Some(What::Rung(..)) => self.forget(known, |lasts| lasts.on_history),
            _ => return,
        }
        self.age(known, flow.most_ms(from, edge));
    }

    /// What a step changes by itself.
    fn change(&self, step: &Step, known: &mut Known) {
        match &step.kind {
            StepKind::Tag { .. } | StepKind::Untag { .. } => self.forget(known, |lasts| lasts.on_tags),
            StepKind::Send(..) | StepKind::Show(_) => self.forget(known, |lasts| lasts.on_history),
            StepKind::Remember { slot, .. } => self.forget(known, |lasts| lasts.slots.contains(slot)),
            StepKind::Events { arms, .. } => {
                let awaited = arms.iter().flat_map(|arm| &arm.awaited);
                let set: Vec<u16> = awaited.filter_map(|one| one.slot).collect();
                self.forget(known, |lasts| lasts.slots.iter().any(|slot| set.contains(slot)));
            }
            // What is given may be what a condition asks for: a balance, a count of what was granted.
            StepKind::Give(giving, _) => {
                let set = giving.slot;
                self.forget(known, |lasts| {
                    !lasts.frozen || lasts.slots.iter().any(|slot| Some(*slot) == set)
                });
            }
            StepKind::Start { .. } | StepKind::Assign(_) => self.forget(known, |lasts| !lasts.frozen),
            _ => {}
        }
    }

    fn forget(&self, known: &mut Known, gone: impl Fn(&Lasts) -> bool) {
        known.retain(|fact, _| self.always.contains(fact) || !gone(&self.mind.lasts(*fact)));
    }

    fn put(&mut self, at: NodeIndex, known: Known) {
        if let Some(slot) = self.at.get_mut(at.index()) {
            *slot = Some(known);
        }
    }

    fn arrive(&mut self, flow: &Flow<'m>, at: NodeIndex) {
        if at == flow.entry {
            return;
        }
        if let Some(What::Exit(exit)) = flow.node(at).map(|node| node.what) {
            let learned = match &exit.trigger {
                Trigger::When(condition) => self.mind.learn(condition, Was::True, exit.span),
                Trigger::On(_) => Vec::new(),
            };
            self.put(at, learned.into_iter().map(|fact| (fact, 0)).collect());
            return;
        }
        if let Some(What::Rung(step, rung)) = flow.node(at).map(|node| node.what)
            && let Some(known) = self.preferred(flow, step, rung)
        {
            return self.put(at, known);
        }
        let mut met: Option<Known> = None;
        for edge in flow.graph.edges_directed(at, Direction::Incoming) {
            // Copies know what their originals know.
            let copy = flow.original(edge.source()) != edge.source();
            if copy || flow.shut.contains(&edge.id()) || edge.weight().kind == EdgeKind::Again {
                continue;
            }
            let Some(mut known) = self.known(edge.source()).cloned() else { continue };
            self.pass(flow, edge.source(), edge.weight(), &mut known);
            known.extend(self.learned(edge.id()).iter().map(|fact| (*fact, 0)));
            met = Some(match met {
                None => known,
                Some(met) => meet(&met, &known),
            });
        }
        if let (Some(met), Some(What::Step(Step { kind: StepKind::Repeat(repeat), .. }))) =
            (&mut met, flow.node(at).map(|node| node.what))
        {
            let body = body_slots(&repeat.steps, repeat.slot);
            met.retain(|fact, _| {
                let lasts = self.mind.lasts(*fact);
                self.always.contains(fact)
                    || lasts.frozen && !lasts.slots.iter().any(|slot| body.contains(slot))
            });
        }
        if let Some(slot) = self.at.get_mut(at.index()) {
            *slot = met;
        }
    }

    /// At a rung of a `reach` with `prefer`, which may come behind any of the others.
    fn preferred(&self, flow: &Flow<'m>, step: &Step, rung: &Rung) -> Option<Known> {
        let StepKind::Reach { prefer: Some(_), rungs, .. } = &step.kind else { return None };
        let start = flow.graph.node_indices().find(|at| {
            matches!(flow.node(*at).map(|node| node.what), Some(What::Step(known)) if known.id == step.id)
        })?;
        let mut known = self.known(start)?.clone();
        let others = rungs.iter().filter(|other| other.id != rung.id);
        let waited: i64 = others.map(|other| other.within.at_most_ms().saturating_add(flow.hold_ms)).sum();
        if waited > 0 {
            self.forget(&mut known, |lasts| lasts.on_history);
        }
        self.age(&mut known, Some(waited));
        Some(known)
    }

    fn age(&self, known: &mut Known, most: Option<i64>) {
        for (fact, age) in known.iter_mut() {
            let stays = self.mind.lasts(*fact).frozen || self.always.contains(fact);
            if !stays {
                *age = most.map_or(i64::MAX, |most| age.saturating_add(most));
            }
        }
    }

    /// What the ways out of a place say, and which of them nobody takes.
    fn look(&mut self, flow: &mut Flow<'m>, at: NodeIndex) {
        let Some(What::Step(step)) = flow.node(at).map(|node| node.what) else { return };
        let ways: Vec<(EdgeIndex, usize)> = flow.ways(at).map(|(way, _, edge)| (way, edge.arm)).collect();
        for (way, arm) in ways {
            let learned = self.said(step, arm);
            if learned.is_empty() {
                continue;
            }
            let is_wait = matches!(step.kind, StepKind::UntilState { .. });
            let mut all = if is_wait { Vec::new() } else { self.now(at) };
            all.extend(&learned);
            if self.mind.exclude(&all) {
                flow.shut.insert(way);
            }
            self.learned.insert(way, learned);
        }
    }

    fn said(&mut self, step: &Step, arm: usize) -> Vec<FactId> {
        match &step.kind {
            StepKind::If { arms, .. } => {
                let mut found: Vec<FactId> = Vec::new();
                for (condition, _) in arms.iter().take(arm) {
                    found.extend(self.mind.learn(condition, Was::NotTrue, step.span));
                }
                if let Some((condition, _)) = arms.get(arm) {
                    found.extend(self.mind.learn(condition, Was::True, step.span));
                }
                found
            }
            StepKind::Match { subjects, cases, .. } => {
                let mut found = Vec::new();
                for case in cases.iter().take(arm) {
                    found.extend(self.mind.learn_case(subjects, &case.tests, Was::NotTrue, case.span));
                }
                if let Some(case) = cases.get(arm) {
                    found.extend(self.mind.learn_case(subjects, &case.tests, Was::True, case.span));
                }
                found
            }
            StepKind::UntilState { condition, .. } => self.until(condition, arm, step.span),
            _ => Vec::new(),
        }
    }

    fn until(&mut self, condition: &Expr, arm: usize, span: Span) -> Vec<FactId> {
        let was = if arm == 0 { Was::True } else { Was::NotTrue };
        self.mind.learn(condition, was, span)
    }

    fn current(known: &Known) -> Vec<FactId> {
        known.iter().filter(|(_, age)| **age == 0).map(|(fact, _)| *fact).collect()
    }
}

fn meet(one: &Known, other: &Known) -> Known {
    let both = one.iter().filter_map(|(fact, age)| Some((*fact, *age.max(other.get(fact)?))));
    both.collect()
}

/// The remembered values that the rounds of a `repeat` set anew.
fn body_slots(steps: &[Step], own: u16) -> Vec<u16> {
    let mut found = vec![own];
    for step in steps {
        match &step.kind {
            StepKind::Remember { slot, .. } => found.push(*slot),
            StepKind::Events { arms, .. } => {
                found.extend(arms.iter().flat_map(|arm| &arm.awaited).filter_map(|one| one.slot));
            }
            StepKind::Give(giving, _) => found.extend(giving.slot),
            StepKind::Repeat(repeat) => found.push(repeat.slot),
            _ => {}
        }
        for block in step.kind.blocks() {
            found.extend(body_slots(block, own));
        }
    }
    found
}
