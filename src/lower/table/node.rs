//! One step as one node (an `if` with several arms: one for each).

use super::Table;
use crate::expr::{Anchor, Expr, Pattern, Source};
use crate::model::journey::{
    Awaited, Case, GiveTail, Repeat, Rung as ModelRung, Send, Step, StepKind, Tail, WaitArm,
};
use crate::name::Name;
use crate::program::{Await, ContentCall, Giving, Manner, NodeId, NodeKind, Outcome, Rung};
use crate::value::Length;

impl Table<'_> {
    /// What `step` is, where `next` follows it.
    pub(super) fn kind(&mut self, step: &Step, next: NodeId) -> Option<NodeKind> {
        Some(match &step.kind {
            StepKind::Send(send, tail) => self.send(send, tail, next)?,
            StepKind::Reach { content: _, prefer, rungs, not_sent, otherwise } => {
                let rungs = rungs.iter().map(|rung| self.rung(rung, next)).collect::<Option<_>>()?;
                let otherwise = self.arm(otherwise, next)?;
                let not_sent = match not_sent {
                    Some(body) => self.arm(body, next)?,
                    None => otherwise,
                };
                let prefer = prefer.as_ref().map(|prefer| self.expr(prefer));
                NodeKind::Reach { prefer, rungs, otherwise, not_sent }
            }
            StepKind::Pause(length) => NodeKind::Pause { length: *length, next },
            StepKind::UntilMoment(moment) => NodeKind::UntilMoment { moment: self.expr(moment), next },
            StepKind::UntilState { condition, within, from, otherwise } => {
                let timeout = self.arm(otherwise, next)?;
                let (condition, from) = (self.expr(condition), self.anchor(from));
                NodeKind::UntilState { condition, within: *within, from, next, timeout }
            }
            StepKind::Events { arms, within, from, timeout } => {
                self.events(arms, (*within, from), timeout, next)?
            }
            StepKind::If { arms, otherwise } => self.decide(step, arms, otherwise, next)?,
            StepKind::Match { subjects, cases, otherwise } => {
                self.select(subjects, cases, otherwise.as_deref(), next)?
            }
            StepKind::Tag { tag, keep } => NodeKind::Tag { tag: *tag, keep: *keep, next },
            StepKind::Untag { tag } => NodeKind::Untag { tag: *tag, next },
            StepKind::Start { journey, args, each } => {
                let mut each = each.clone();
                each.iter_mut().flat_map(|each| each.exprs_mut()).for_each(|expr| self.numbers.expr(expr));
                NodeKind::Start { journey: *journey, args: self.args(args), next, each }
            }
            StepKind::Remember { slot, value } => {
                NodeKind::Remember { slot: *slot, value: self.expr(value), next }
            }
            StepKind::End { name } => NodeKind::End { name: *name },
            StepKind::Repeat(repeat) => self.repeat(step, repeat, next)?,
            StepKind::Assign(assign) => self.assign(assign, next)?,
            StepKind::Give(giving, tail) => self.give(giving, tail, next)?,
            StepKind::Show(show) => self.show(show, next)?,
            StepKind::Hide { contents, slots } => {
                NodeKind::Hide { contents: contents.clone(), slots: slots.clone(), next }
            }
            StepKind::Split { experiment, arms, winner } => {
                let mut laid = Vec::new();
                for (name, behind, steps) in arms {
                    laid.push((*name, *behind, self.arm(steps, next)?));
                }
                NodeKind::Split { experiment: *experiment, arms: laid, next, winner: winner.clone() }
            }
            // Both were dissolved when the block was laid out.
            StepKind::Phase { .. } | StepKind::Continue => return None,
        })
    }

    fn send(&mut self, send: &Send, tail: &Tail, next: NodeId) -> Option<NodeKind> {
        let mut outcomes: Vec<(Outcome, NodeId)> = Vec::new();
        for (named, body) in &tail.arms {
            let to = self.arm(body, next)?;
            outcomes.extend(named.iter().map(|&outcome| (outcome, to)));
        }
        let otherwise = match &tail.otherwise {
            Some(body) => self.arm(body, next)?,
            None => next,
        };
        let asks_receipt = outcomes.iter().any(|(outcome, _)| outcome.is_receipt());
        let channel = self.model.channels.get(&send.channel);
        let receipt = send.within.or_else(|| channel.and_then(|channel| channel.receipt));
        let mut manner = send.manner.clone();
        manner.exprs_mut().for_each(|expr| self.numbers.expr(expr));
        Some(NodeKind::Send {
            content: self.call(&send.content),
            channel: send.channel,
            receipt: receipt.filter(|_| asks_receipt),
            outcomes,
            otherwise,
            next,
            manner: (manner != Manner::default()).then(|| Box::new(manner)),
        })
    }

    fn give(&mut self, giving: &Giving, tail: &GiveTail, next: NodeId) -> Option<NodeKind> {
        let mut outcomes: Vec<(Name, NodeId)> = Vec::new();
        for (named, body) in &tail.arms {
            let to = self.arm(body, next)?;
            outcomes.extend(named.iter().map(|&name| (name, to)));
        }
        let otherwise = match &tail.otherwise {
            Some(body) => self.arm(body, next)?,
            None => next,
        };
        let mut giving = giving.clone();
        self.numbers.giving(&mut giving);
        Some(NodeKind::Give { giving, outcomes, otherwise, next })
    }

    fn rung(&mut self, rung: &ModelRung, next: NodeId) -> Option<Rung> {
        self.rung_lines.push((rung.id, self.sources.place(rung.span).1));
        let mut awaits = Vec::new();
        for pattern in &rung.awaited {
            let pattern = of_rung(pattern, rung.id);
            awaits.push(self.listen(&pattern, None, Anchor::Sent(rung.id))?);
        }
        Some(Rung {
            step: rung.id,
            channel: rung.channel,
            content: self.call(&rung.content),
            awaits,
            within: rung.within,
            success: self.arm(&rung.success, next)?,
        })
    }

    fn events(
        &mut self,
        arms: &[WaitArm],
        (within, from): (Length, &Anchor),
        timeout: &[Step],
        next: NodeId,
    ) -> Option<NodeKind> {
        let from = self.anchor(from);
        let mut heard = Vec::new();
        for arm in arms {
            let to = self.arm(&arm.body, next)?;
            for Awaited { pattern, slot, from: own } in &arm.awaited {
                let since = own.as_ref().map_or_else(|| from.clone(), |own| self.anchor(own));
                heard.push((self.listen(pattern, *slot, since)?, to));
            }
        }
        let timeout = self.arm(timeout, next)?;
        Some(NodeKind::Events { arms: heard, within, from, timeout })
    }

    /// A chain of nodes, the first of which is the step's own.
    fn decide(
        &mut self,
        step: &Step,
        arms: &[(Expr, Vec<Step>)],
        otherwise: &[Step],
        next: NodeId,
    ) -> Option<NodeKind> {
        let ((condition, body), rest) = arms.split_first()?;
        let then = self.arm(body, next)?;
        let otherwise = if rest.is_empty() {
            self.arm(otherwise, next)?
        } else {
            let at = self.reserve(step.span)?;
            let kind = self.decide(step, rest, otherwise, next)?;
            self.fill(at, step.id, kind);
            at
        };
        Some(NodeKind::If { condition: self.expr(condition), then, otherwise })
    }

    fn select(
        &mut self,
        subjects: &[Expr],
        cases: &[Case],
        otherwise: Option<&[Step]>,
        next: NodeId,
    ) -> Option<NodeKind> {
        let mut laid = Vec::new();
        for case in cases {
            let mut tests = case.tests.clone();
            for test in &mut tests {
                self.numbers.case(test);
            }
            laid.push((tests, self.arm(&case.body, next)?));
        }
        let otherwise = match otherwise {
            Some(body) => self.arm(body, next)?,
            None => next,
        };
        let subjects = subjects.iter().map(|subject| self.expr(subject)).collect();
        Some(NodeKind::Match { subjects, cases: laid, otherwise })
    }

    /// Two nodes: where the counting begins, and where each round does.
    fn repeat(&mut self, step: &Step, repeat: &Repeat, next: NodeId) -> Option<NodeKind> {
        let round = self.reserve(step.span)?;
        self.rounds.push(repeat.slot);
        let body = self.arm(&repeat.steps, round)?;
        self.rounds.pop();
        let kind = NodeKind::Round {
            slot: repeat.slot,
            last: self.expr(&repeat.last),
            numbers: repeat.numbers,
            schedule: repeat.schedule.clone(),
            until: repeat.until.as_ref().map(|until| self.expr(until)),
            all: repeat.missed_all == Some(true),
            body,
            next,
        };
        self.fill(round, step.id, kind);
        let (first, from) = (self.expr(&repeat.first), self.anchor(&repeat.from));
        Some(NodeKind::Rounds { slot: repeat.slot, first, from, next: round })
    }

    fn listen(&mut self, pattern: &Pattern, slot: Option<u16>, from: Anchor) -> Option<u16> {
        let mut pattern = pattern.clone();
        self.numbers.patterns(std::slice::from_mut(&mut pattern));
        let number = u16::try_from(self.awaits.len()).ok()?;
        self.awaits.push(Await { pattern, slot, from });
        Some(number)
    }

    pub(super) fn call(&self, call: &ContentCall) -> ContentCall {
        let mut own = call.clone();
        self.numbers.call(&mut own);
        own
    }

    fn args(&self, args: &[(Name, Expr)]) -> Vec<(Name, Expr)> {
        args.iter().map(|(name, value)| (*name, self.expr(value))).collect()
    }
}

/// Inside `reach`, `opened` means the rung's own message.
fn of_rung(pattern: &Pattern, rung: Name) -> Pattern {
    let mut own = pattern.clone();
    if let Source::Message { kind: _, step: step @ None } = &mut own.source {
        *step = Some(rung);
    }
    own
}
