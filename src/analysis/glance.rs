//! How often a journey can write, at a glance: from its steps as written, without its graph.
//!
//! SOUND upper bounds, coarser than those of [`super::window`]: no branch is proved to be shut, an event comes at once,
//! only waits that nothing can shorten lie between two messages. Most journeys are seen to keep to a number by this
//! alone, so that the ways of the others only have to be worked out; that never goes the other way round.

use super::entries::Entries;
use super::flow::{hold_ms, pieces};
use crate::expr::Anchor;
use crate::model::journey::{Rung, Step, StepKind};
use crate::model::{Journey, Model};
use crate::name::Name;
use crate::program::ContentCall;

/// Nothing has been sent yet.
const NEVER: i64 = i64::MAX;

/// Whether no window of `window_ms` has more than `most` messages by channels that `counts`, over all entries of one
/// subject. `false`: it may have, or it takes more than a glance.
#[must_use]
pub fn keeps(
    model: &Model,
    journey: &Journey,
    (most, window_ms): (i64, i64),
    counts: &dyn Fn(Name) -> bool,
) -> bool {
    let sight = Sight { model, counts };
    let inside = sight.all(&journey.steps);
    let exits = journey.exits.iter().map(|exit| sight.all(&exit.block)).max().unwrap_or_default();
    let whole = inside.saturating_add(exits);
    let around = window_ms.saturating_add(hold_ms(model, journey));
    let is_alone = Entries::of(model, journey).is_alone(around);
    // An exit strikes at any time, also right behind a message.
    whole == 0
        || (is_alone
            && (whole <= most || (most >= 1 && exits == 0 && sight.least_gap(&journey.steps) >= window_ms)))
}

struct Sight<'a> {
    model: &'a Model,
    counts: &'a dyn Fn(Name) -> bool,
}

impl Sight<'_> {
    /// How many messages a block sends at most.
    fn all(&self, steps: &[Step]) -> i64 {
        steps.iter().fold(0, |sum: i64, step| sum.saturating_add(self.one(step)))
    }

    fn one(&self, step: &Step) -> i64 {
        let own = match &step.kind {
            StepKind::Send(send, _) if send.manner.to.is_none() => self.weight(send.channel, &send.content),
            StepKind::Reach { rungs, .. } => {
                rungs.iter().map(|rung| self.weight(rung.channel, &rung.content)).sum()
            }
            _ => 0,
        };
        // Of the blocks in a step at most one is gone through.
        let inner = step.kind.blocks().into_iter().map(|block| self.all(block)).max().unwrap_or_default();
        let rounds = match &step.kind {
            StepKind::Repeat(repeat) => repeat.times(),
            _ => 1,
        };
        inner.saturating_mul(rounds).saturating_add(own)
    }

    fn weight(&self, channel: Name, content: &ContentCall) -> i64 {
        if (self.counts)(channel) { i64::from(pieces(self.model, channel, content)) } else { 0 }
    }

    /// The least time between two messages, in milliseconds.
    fn least_gap(&self, steps: &[Step]) -> i64 {
        let mut gap = NEVER;
        self.since(steps, NEVER, &mut gap);
        gap
    }

    /// How long ago the last message has left at least behind the block, from how long before it.
    fn since(&self, steps: &[Step], before: i64, gap: &mut i64) -> i64 {
        steps.iter().fold(before, |since, step| self.behind(step, since, gap))
    }

    fn behind(&self, step: &Step, since: i64, gap: &mut i64) -> i64 {
        match &step.kind {
            StepKind::Pause(length) => since.saturating_add(length.at_least_ms()),
            StepKind::Send(send, _) if send.manner.to.is_none() => {
                let since = sent(self.weight(send.channel, &send.content), since, gap);
                self.branch(step, since, gap)
            }
            StepKind::Reach { prefer, rungs, not_sent, otherwise, .. } => {
                let (mut end, last) = self.ladder(prefer.is_some(), rungs, since, gap);
                for block in not_sent.as_deref().into_iter().chain([otherwise.as_slice()]) {
                    end = end.min(self.since(block, last, gap));
                }
                end
            }
            StepKind::UntilState { within, from: Anchor::Here, otherwise, .. } => {
                let late = self.since(otherwise, since.saturating_add(within.at_least_ms()), gap);
                since.min(late)
            }
            StepKind::Events { arms, within, from: Anchor::Here, timeout } => {
                let late = self.since(timeout, since.saturating_add(within.at_least_ms()), gap);
                arms.iter().map(|arm| self.since(&arm.body, since, gap)).min().unwrap_or(NEVER).min(late)
            }
            StepKind::Repeat(repeat) => {
                // One round follows the other: what a round sends may be followed at once by what the next one does.
                let sends = self.all(&repeat.steps) > 0;
                if sends && repeat.times() > 1 {
                    *gap = 0;
                }
                since.min(self.since(&repeat.steps, since, gap))
            }
            StepKind::Phase { steps, .. } => self.since(steps, since, gap),
            // What is behind it nobody comes to on this way.
            StepKind::End { .. } => NEVER,
            _ => self.branch(step, since, gap),
        }
    }

    /// Past a step that takes no time of its own: through one of its blocks, or by all of them.
    fn branch(&self, step: &Step, since: i64, gap: &mut i64) -> i64 {
        let blocks = step.kind.blocks().into_iter();
        blocks.map(|block| self.since(block, since, gap)).min().unwrap_or(since).min(since)
    }

    /// How long ago the last message is behind a success of some rung, and when none was one.
    fn ladder(&self, any_order: bool, rungs: &[Rung], since: i64, gap: &mut i64) -> (i64, i64) {
        let weights = || rungs.iter().map(|rung| self.weight(rung.channel, &rung.content));
        let mut end = NEVER;
        let mut last = since;
        if any_order {
            let sum = weights().sum();
            last = sent(sum, since, gap);
        }
        for (rung, weight) in rungs.iter().zip(weights()) {
            let sent = if any_order { last } else { sent(weight, last, gap) };
            end = end.min(self.since(&rung.success, sent, gap));
            if !any_order {
                // Who got nothing by this rung comes to the next one at once.
                let waited = if weight > 0 { rung.within.at_least_ms() } else { 0 };
                last = last.min(sent.saturating_add(waited));
            }
        }
        (end, last)
    }
}

/// The time since the last message where as many leave now; 0 are none.
fn sent(weight: i64, since: i64, gap: &mut i64) -> i64 {
    match weight {
        0 => return since,
        1 => *gap = (*gap).min(since),
        _ => *gap = 0,
    }
    0
}
