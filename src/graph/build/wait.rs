//! The four waits.

use super::super::{Delay, Edge, EdgeKind, Least, Most, PointKind, words};
use super::outreach::passed;
use super::{Builder, Loose};
use crate::expr::{Anchor, Expr, show};
use crate::model::journey::{Step, StepKind, WaitArm};
use crate::value::Length;

/// A wait with a deadline.
struct Limit<'a> {
    within: Length,
    from: &'a Anchor,
}

impl Builder<'_> {
    pub(super) fn wait(&mut self, step: &Step, loose: Loose) -> Loose {
        match &step.kind {
            StepKind::Pause(length) => {
                let text = self.say(|_| format!("wait {length}"));
                let point = self.reached(step, PointKind::Wait, text, loose);
                vec![(point, Edge { delay: Delay::of(*length), ..Edge::then() })]
            }
            StepKind::UntilMoment(moment) => {
                let text = self.say(|names| format!("wait until {}", show::expr(moment, names)));
                let point = self.reached(step, PointKind::Wait, text, loose);
                let least = Least::Here(least(moment).unwrap_or_default().max(0));
                let delay = Delay { instant: true, least, most: self.until(moment) };
                vec![(point, Edge { delay, ..Edge::then() })]
            }
            StepKind::UntilState { condition, within, from, otherwise } => {
                let limit = Limit { within: *within, from };
                self.wait_state(step, condition, &limit, otherwise, loose)
            }
            StepKind::Events { arms, within, from, timeout } => {
                self.wait_events(step, arms, &Limit { within: *within, from }, timeout, loose)
            }
            _ => loose,
        }
    }

    fn wait_state(
        &mut self,
        step: &Step,
        condition: &Expr,
        limit: &Limit<'_>,
        otherwise: &[Step],
        loose: Loose,
    ) -> Loose {
        let condition = self.say(|names| show::expr(condition, names));
        let text = self
            .say(|names| format!("wait until {condition}{}", words::limit(limit.within, limit.from, names)));
        let point = self.reached(step, PointKind::Wait, text, loose);
        let happened = Edge::new(EdgeKind::Happened, condition, Delay::up_to(limit.within));
        let mut behind = vec![(point, happened)];
        behind.extend(self.arm(otherwise, point, self.timeout(limit).arm(1)));
        behind
    }

    fn wait_events(
        &mut self,
        step: &Step,
        arms: &[WaitArm],
        limit: &Limit<'_>,
        otherwise: &[Step],
        loose: Loose,
    ) -> Loose {
        let text = self.say(|names| {
            let limits = words::limit(limit.within, limit.from, names);
            match arms {
                [only] => format!("wait for {}{limits}", words::awaited(&only.awaited, names)),
                _ => format!("wait{limits}"),
            }
        });
        let point = self.reached(step, PointKind::Wait, text, loose);
        let mut behind = Vec::new();
        for (at, arm) in arms.iter().enumerate() {
            // Only what looks back behind its own arrival can be there already.
            let looks_back = |from: &Anchor| !matches!(from, Anchor::Here | Anchor::Sent(_));
            let instant = arm.awaited.iter().any(|one| looks_back(one.from.as_ref().unwrap_or(limit.from)));
            let delay = Delay { instant, ..Delay::up_to(limit.within) };
            let text = self.say(|names| words::awaited(&arm.awaited, names));
            let edge = Edge::new(EdgeKind::Happened, text, delay).arm(at);
            behind.extend(self.arm(&arm.body, point, edge));
        }
        behind.extend(self.arm(otherwise, point, self.timeout(limit).arm(arms.len())));
        behind
    }

    /// Moments counted from now on are bounded; any other comes from data.
    fn until(&self, moment: &Expr) -> Most {
        match bound(moment) {
            Some(ms) => Most::Within(ms),
            None => Most::Until(self.say(|names| show::expr(moment, names))),
        }
    }

    /// A deadline that counts from an earlier instant may have passed on arrival.
    fn timeout(&self, limit: &Limit<'_>) -> Edge {
        let delay = match limit.from {
            Anchor::Here => Delay::of(limit.within),
            Anchor::Sent(step) => {
                let least = Least::Sent(*step, limit.within.at_least_ms());
                Delay { least, ..Delay::up_to(limit.within) }
            }
            _ => Delay::up_to(limit.within),
        };
        Edge::new(EdgeKind::Timeout, self.say(|_| passed(limit.within)), delay)
    }
}

/// How many milliseconds after now `moment` is at least; it may lie before now.
fn least(moment: &Expr) -> Option<i64> {
    const DAY_MS: i64 = 86_400_000;
    match moment {
        Expr::Now => Some(0),
        Expr::Today => Some(-DAY_MS),
        Expr::At(date, _) => least(date),
        Expr::Shift { by, back: false, from, .. } => Some(least(from)?.saturating_add(by.at_least_ms())),
        _ => None,
    }
}

/// How many milliseconds after now `moment` is at most.
fn bound(moment: &Expr) -> Option<i64> {
    const DAY_MS: i64 = 86_400_000;
    match moment {
        Expr::Now | Expr::Today | Expr::Entered => Some(0),
        Expr::At(date, _) => Some(bound(date)?.saturating_add(DAY_MS + DAY_MS / 24)),
        Expr::Shift { by, back: false, from, .. } => Some(bound(from)?.saturating_add(by.at_most_ms())),
        Expr::Shift { back: true, from, .. } => bound(from),
        _ => None,
    }
}
