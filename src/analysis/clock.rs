//! At which times of the day an instance can be at a place.
//!
//! SOUND over-approximation, in the clock of the bank (schedules) taken for that of the customer: an event may come at
//! any time, a schedule only at its own, a pause moves the hands, and what data decides may be any time. What the gate
//! holds over quiet times is not moved: asked is when a message would leave if nothing held it.

use petgraph::Direction;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;

use super::flow::{Flow, What};
use crate::expr::{Expr, Source};
use crate::graph::{Edge, EdgeKind, Least};
use crate::model::journey::{Step, StepKind};
use crate::program::{Enter, Schedule};
use crate::value::{Length, Value};

const MINUTE_MS: i64 = 60_000;
const DAY: i64 = 1_440;
/// Rounds of a `repeat` are followed so often until nothing changes; then any time is taken.
const MOST_PASSES: usize = 4;

/// Times of the day: stretches of minutes, each with its end left out, in order and apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times(Vec<(i64, i64)>);

impl Times {
    #[must_use]
    pub fn any() -> Self {
        Self(vec![(0, DAY)])
    }

    /// The whole minute of a time.
    fn at(time: jiff::civil::Time) -> Self {
        let minute = i64::from(time.hour()) * 60 + i64::from(time.minute());
        Self(vec![(minute, minute + 1)])
    }

    fn with(self, other: Self) -> Self {
        let mut all = self.0;
        all.extend(other.0);
        all.sort_unstable();
        let mut merged: Vec<(i64, i64)> = Vec::new();
        for (from, to) in all {
            match merged.last_mut() {
                Some((_, end)) if from <= *end => *end = to.max(*end),
                _ => merged.push((from, to)),
            }
        }
        Self(merged)
    }

    /// Later by between so many milliseconds and so many.
    fn later(&self, least: i64, most: i64) -> Self {
        let (least, most) =
            (least.div_euclid(MINUTE_MS), most.saturating_add(MINUTE_MS - 1).div_euclid(MINUTE_MS));
        if most.saturating_sub(least) >= DAY {
            return Self::any();
        }
        let mut moved = Self::default();
        for (from, to) in &self.0 {
            let (from, length) = ((from + least).rem_euclid(DAY), to - from + (most - least));
            let parts = if length >= DAY {
                vec![(0, DAY)]
            } else if from + length > DAY {
                vec![(0, from + length - DAY), (from, DAY)]
            } else {
                vec![(from, from + length)]
            };
            moved = moved.with(Self(parts));
        }
        moved
    }

    /// `08:00..10:30, 22:00`
    #[must_use]
    pub fn words(&self) -> String {
        let said = self.0.iter().map(|(from, to)| match to - from {
            1 => minute(*from),
            _ => format!("{}..{}", minute(*from), minute(to % DAY)),
        });
        said.collect::<Vec<_>>().join(", ")
    }

    /// The first minute of the stretch from `from` to `to`, over midnight where that is earlier, at which it can be.
    #[must_use]
    pub fn first_within(&self, from: i64, to: i64) -> Option<i64> {
        let parts = if from <= to { vec![(from, to)] } else { vec![(from, DAY), (0, to)] };
        parts.into_iter().find_map(|(from, to)| {
            let meets = self.0.iter().filter(|(start, end)| *start < to && *end > from);
            meets.map(|(start, _)| *start.max(&from)).min()
        })
    }

    #[must_use]
    pub fn is_any(&self) -> bool {
        self.0 == [(0, DAY)]
    }
}

/// For each place, when an instance can come there.
#[must_use]
pub fn times(flow: &Flow<'_>) -> Vec<Times> {
    let mut at = vec![Times::default(); flow.graph.node_count()];
    for pass in 0..=MOST_PASSES {
        let mut changed = false;
        for place in flow.graph.node_indices() {
            let now = arrive(flow, place, &at);
            let now =
                if pass == MOST_PASSES && at.get(place.index()) != Some(&now) { Times::any() } else { now };
            if let Some(slot) = at.get_mut(place.index()).filter(|slot| **slot != now) {
                *slot = now;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    at
}

fn arrive(flow: &Flow<'_>, place: NodeIndex, at: &[Times]) -> Times {
    match flow.node(place).map(|node| node.what) {
        Some(What::Enter) => return entered(flow),
        Some(What::Exit(_)) => return Times::any(),
        // In another order, or behind another rung.
        Some(What::Rung(Step { kind: StepKind::Reach { prefer: Some(_), .. }, .. }, _)) => {
            return Times::any();
        }
        _ => {}
    }
    let mut met = Times::default();
    for edge in flow.graph.edges_directed(place, Direction::Incoming) {
        if flow.shut.contains(&edge.id()) {
            continue;
        }
        let before = at.get(edge.source().index()).cloned().unwrap_or_default();
        if !before.0.is_empty() {
            met = met.with(behind(flow, edge.source(), edge.weight(), &before, at));
        }
    }
    met
}

fn entered(flow: &Flow<'_>) -> Times {
    let journey = flow.journey;
    // Whoever waits for a turn enters when it comes.
    if journey.lane.is_some() {
        return Times::any();
    }
    match &journey.enter {
        Enter::When { schedule: Some(schedule), .. } | Enter::Every { schedule, .. } => scheduled(schedule),
        Enter::Anchor { at: Some(time), .. } => Times::at(*time),
        Enter::Date { moment: Expr::At(_, time), .. } => constant(time).unwrap_or_else(Times::any),
        _ => Times::any(),
    }
}

fn scheduled(schedule: &Schedule) -> Times {
    if schedule.at.is_empty() {
        return Times::any();
    }
    schedule.at.iter().fold(Times::default(), |all, time| all.with(Times::at(*time)))
}

fn constant(time: &Expr) -> Option<Times> {
    match time {
        Expr::Const(Value::Time(time)) => Some(Times::at(*time)),
        _ => None,
    }
}

/// When one comes out of a way.
fn behind(flow: &Flow<'_>, from: NodeIndex, edge: &Edge, before: &Times, at: &[Times]) -> Times {
    let step = match flow.node(from).map(|node| node.what) {
        Some(What::Step(step)) => step,
        Some(What::Rung(_, rung)) => {
            // Whoever was refused goes on at once, whoever was not after the time of the rung; what failed, in between.
            return if rung.within.is_zero() { before.clone() } else { Times::any() };
        }
        _ => return before.clone(),
    };
    match &step.kind {
        StepKind::Pause(length) => moved(before, *length),
        StepKind::UntilMoment(Expr::At(_, time)) => match constant(time) {
            Some(then) if matches!(edge.delay.least, Least::Here(ms) if ms > 0) => then,
            Some(then) => then.with(before.clone()),
            None => Times::any(),
        },
        StepKind::UntilState { within, .. } if edge.arm == 1 => timeout(edge, before, *within, 0, flow, at),
        StepKind::Events { arms, within, .. } if edge.arm == arms.len() => {
            let late = arms.iter().flat_map(|arm| &arm.awaited).map(|one| match &one.pattern.source {
                Source::Event(name) => flow.model.events.get(name).and_then(|event| event.late),
                _ => None,
            });
            let late = late.flatten().map(Length::at_most_ms).max().unwrap_or(0);
            timeout(edge, before, *within, late, flow, at)
        }
        StepKind::UntilState { .. } | StepKind::Events { .. } | StepKind::UntilMoment(_) => Times::any(),
        StepKind::Repeat(repeat) => match (&repeat.schedule, edge.arm) {
            (None, _) => before.clone(),
            (Some(schedule), 0) if repeat.missed_all != Some(true) => scheduled(schedule),
            _ => Times::any(),
        },
        StepKind::Assign(assign) if assign.tail.waits() => Times::any(),
        // Where receipts are waited for they come when they come.
        StepKind::Send(send, _) if edge.kind == EdgeKind::Outcome && !flow.is_unsent(from, edge) => {
            if send.within.is_some() { Times::any() } else { before.clone() }
        }
        StepKind::Send(send, _) if send.within.is_some() => Times::any(),
        _ => before.clone(),
    }
}

fn moved(before: &Times, length: Length) -> Times {
    match length {
        Length::Elapsed(ms) => before.later(ms, ms),
        // The same time of another day.
        Length::Civil { .. } => before.clone(),
    }
}

fn timeout(edge: &Edge, before: &Times, within: Length, late: i64, flow: &Flow<'_>, at: &[Times]) -> Times {
    let then = match edge.delay.least {
        // Counted from here.
        Least::Here(ms) if ms > 0 => moved(before, within),
        Least::Sent(step, _) => {
            let sent = flow.graph.node_indices().filter(|place| {
                flow.node(*place).is_some_and(|node| node.id == step) && flow.message(*place).is_some()
            });
            let mut from = before.clone();
            for place in sent {
                from = from.with(at.get(place.index()).cloned().unwrap_or_default());
            }
            moved(&from, within).with(before.clone())
        }
        Least::Here(_) => Times::any(),
    };
    if late > 0 { then.later(0, late) } else { then }
}

/// `07:05`
#[must_use]
pub fn minute(minute: i64) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}
