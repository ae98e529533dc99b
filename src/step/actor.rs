//! One instance at work: taken out of the state, moved until it waits or ends, and given back.

use jiff::Timestamp;

use super::index::Loaded;
use super::node;
use super::occurrence::Occurrence;
use super::post::Became;
use super::run::Run;
use super::scene::Scene;
use super::state::Instance;
use super::symbols::{self, Sym};
use super::trace::Decision;
use super::{enter, exits, goals, message, node::Flow, show, task};
use crate::expr::Anchor;
use crate::name::Name;
use crate::program::{Node, NodeId, NodeKind, Outcome, in_rounds};
use crate::value::Value;

/// Nodes that one instance may run without waiting. No compiled journey has so many in a row; one that does anyway
/// ends as `stuck`.
const FUEL: usize = 1_000;

pub(super) struct Actor<'r, 'a> {
    pub run: &'r mut Run<'a>,
    pub loaded: &'r Loaded,
    pub it: Instance,
    /// In an exit block: it does not wait, and no exit is looked for.
    pub leaving: bool,
    ended: bool,
}

/// What became of a message, told to the instance that decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// The addressee's own gate agreed.
    Accepted,
    Sent,
    Delivered,
    Failed,
    /// Somebody of the bank has sent it by hand, or has declined to.
    Confirmed,
    Declined,
    /// The gate refused at dispatch.
    Refused(Outcome),
    /// It was on its way, and the gate says: not yet.
    Held,
}

impl News {
    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Accepted | Self::Sent | Self::Held => Outcome::Sent,
            Self::Delivered => Outcome::Delivered,
            Self::Failed => Outcome::Failed,
            Self::Confirmed => Outcome::Confirmed,
            Self::Declined => Outcome::Refused,
            Self::Refused(outcome) => outcome,
        }
    }

    /// The same, as another row hears it.
    pub(super) fn became(self) -> Became {
        match self {
            Self::Accepted | Self::Held => Became::Accepted,
            Self::Sent | Self::Delivered | Self::Confirmed => Became::Answered(Outcome::Sent),
            Self::Failed | Self::Declined => Became::Answered(Outcome::Failed),
            Self::Refused(outcome) => Became::Refused(outcome),
        }
    }
}

impl<'r, 'a> Actor<'r, 'a> {
    pub(super) fn new(run: &'r mut Run<'a>, loaded: &'r Loaded, it: Instance) -> Self {
        Self { run, loaded, it, leaving: false, ended: false }
    }

    /// Runs a new instance from its first node.
    pub(super) fn begin(mut self) -> Option<Instance> {
        self.go(0);
        self.rest()
    }

    /// Something happened: goals first, then exits, then what it waits for.
    pub(super) fn hear(mut self, occurrence: &Occurrence) -> Option<Instance> {
        goals::hear(&mut self, occurrence);
        if !exits::hear(&mut self, occurrence) {
            node::hear(&mut self, occurrence);
        }
        self.rest()
    }

    /// Its timer is due.
    pub(super) fn wake(mut self) -> Option<Instance> {
        if self.it.expires.is_some_and(|at| at <= self.run.now) {
            let end = self.run.fixed(symbols::EXPIRED);
            self.exit_as(end);
        } else if !exits::look(&mut self) {
            self.it.due = None;
            node::wake(&mut self);
        }
        self.rest()
    }

    /// Looks at conditions again: goals, exits, and a wait for a state.
    pub(super) fn look(mut self) -> Option<Instance> {
        goals::look(&mut self);
        if !exits::look(&mut self) {
            node::look(&mut self);
        }
        self.rest()
    }

    /// Before a dispatch: only whether it exits.
    pub(super) fn look_for_exit(mut self) -> Option<Instance> {
        goals::look(&mut self);
        exits::look(&mut self);
        self.rest()
    }

    pub(super) fn permitted(mut self, outcome: Name) -> Option<Instance> {
        node::permitted(&mut self, outcome);
        self.rest()
    }

    pub(super) fn told(mut self, step: Sym, news: News) -> Option<Instance> {
        node::told(&mut self, step, news);
        self.rest()
    }

    /// Its message's turn has come.
    pub(super) fn resume(mut self) -> Option<Instance> {
        if !exits::look(&mut self) {
            node::resume(&mut self);
        }
        self.rest()
    }

    /// Nothing moves.
    pub(super) fn stay(self) -> Option<Instance> {
        self.rest()
    }

    /// A task that it waits for has come to `result`.
    pub(super) fn go_on_with(mut self, result: Name) -> Option<Instance> {
        let target = match self.node().map(|node| &node.kind) {
            Some(NodeKind::Assign(assign)) => {
                assign.results.iter().find(|(known, _)| *known == result).map(|(_, target)| *target)
            }
            _ => None,
        };
        if let Some(target) = target.filter(|_| !exits::look(&mut self)) {
            self.go(target);
        }
        self.rest()
    }

    /// Ends from outside: undispatched messages are cancelled.
    pub(super) fn leave(mut self, end: Sym) {
        self.exit_as(end);
    }

    pub(super) fn scene(&self) -> Scene<'_> {
        let scene = self.run.scene(self.loaded, &self.it.subject);
        Scene { instance: Some(&self.it), ..scene }
    }

    pub(super) fn node(&self) -> Option<&'r Node> {
        self.loaded.program.nodes.get(usize::from(self.it.node))
    }

    /// The identity of a message of this node's step, or rung, in the rounds that the instance is in.
    pub(super) fn message_of(&self, step: Name) -> Name {
        let Some(node) = self.node().filter(|node| !node.rounds.is_empty()) else { return step };
        let numbers = node.rounds.iter().map(|slot| self.number(*slot).unwrap_or_default());
        in_rounds(step, &numbers.collect::<Vec<i64>>())
    }

    /// The number of the round that this slot counts.
    pub(super) fn number(&self, slot: u16) -> Option<i64> {
        match self.it.locals.get(usize::from(slot))? {
            (Value::Int(number), _) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn trace(&mut self, what: Decision) {
        self.run.trace(&self.it, what);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Runs from `target` until something waits. Exits with a condition are looked at before every step.
    pub(super) fn go(&mut self, target: NodeId) {
        let mut target = target;
        self.run.moved = true;
        for _ in 0..FUEL {
            self.arrive(target);
            if !self.leaving && exits::look(self) {
                return;
            }
            match node::execute(self) {
                Flow::Go(next) => target = next,
                Flow::Wait if !self.leaving => return,
                Flow::Wait => break,
                Flow::End(name) => {
                    let end = self.run.sym(name);
                    return self.end(end, Decision::Ended { end });
                }
            }
        }
        let end = self.run.fixed(symbols::STUCK);
        self.end(end, Decision::Ended { end });
    }

    /// Waits here until `deadline`; the timer fires `late_ms` behind it.
    pub(super) fn wait_until(&mut self, deadline: Timestamp, late_ms: i64) -> Flow {
        self.it.deadline = Some(deadline);
        self.it.due = Some(super::run::later(deadline, late_ms));
        self.trace(Decision::Waits { until: Some(deadline) });
        Flow::Wait
    }

    /// The instant of an anchor, if it is known.
    pub(super) fn anchor(&self, anchor: &Anchor) -> Option<Timestamp> {
        self.scene().anchor(anchor)
    }

    /// Cancels what has not left yet and ends.
    pub(super) fn exit_as(&mut self, end: Sym) {
        self.trace(Decision::Exited { end });
        message::cancel(self.run, &self.it);
        task::withdraw(self.run, &self.it);
        show::leave(self.run, &self.it);
        self.finish(end);
    }

    fn end(&mut self, end: Sym, what: Decision) {
        self.trace(what);
        self.finish(end);
    }

    fn finish(&mut self, end: Sym) {
        self.ended = true;
        self.it.due = None;
        goals::keep_watch(self);
        enter::close(self.run, &self.it, end, self.run.now);
        self.run.moved = true;
    }

    fn arrive(&mut self, target: NodeId) {
        self.it.node = target;
        self.it.since = self.run.now;
        self.it.due = None;
        self.it.deadline = None;
    }

    fn rest(self) -> Option<Instance> {
        if self.ended { None } else { Some(self.it) }
    }
}
