//! How often one subject can enter a journey, and how long an entry can still send.
//!
//! SOUND upper bounds: `reenter` and the schedule of the trigger are counted, chance and other journeys are not relied
//! on. Where a schedule goes by a date of the customer (`every year on birthday`) the bound holds as long as that date
//! is not changed: [`assumes`] says by which.

use petgraph::Direction;
use petgraph::visit::EdgeRef;

use super::flow::Flow;
use crate::graph::EdgeKind;
use crate::graph::rounds::least_nominal_ms;
use crate::model::{Journey, Model};
use crate::name::Name;
use crate::program::{Enter, EntryUnit, Reenter};
use crate::value::Length;

const DAY_MS: i64 = 86_400_000;
/// The longest holidays with the weekends around them: as far as a date may roll.
const ROLL_MS: i64 = 12 * DAY_MS;

/// How entries of one subject follow one another. Milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entries {
    Once,
    /// The next begins at least so long behind the end of the one before.
    Behind(i64),
    /// Of what triggers them, at most one in each stretch of the calendar that is at least so long.
    PerStretch(i64, Turn),
    /// What triggers them is at least so far apart.
    Apart(i64, Turn),
    /// Once for each of something that data decides, in the words of the journey.
    PerValue,
}

/// How long a trigger may wait until it enters, in milliseconds: for its turn in a lane. Two that are a week apart may
/// enter on one day, if the first waited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn(pub i64);

impl Turn {
    fn of(model: &Model, journey: &Journey) -> Self {
        let lanes = model.policies.values().flat_map(|policy| &policy.lanes);
        let waits = lanes.filter(|lane| lane.journeys.contains(&journey.name)).filter_map(|lane| lane.wait);
        Self(waits.map(Length::at_most_ms).max().unwrap_or_default())
    }
}

impl Entries {
    #[must_use]
    pub fn of(model: &Model, journey: &Journey) -> Self {
        let gap = gap_ms(model, journey);
        let turn = || Turn::of(model, journey);
        let apart =
            |otherwise: Self| gap.filter(|gap| *gap > 0).map_or(otherwise, |gap| Self::Apart(gap, turn()));
        match &journey.reenter {
            Reenter::Never => Self::Once,
            Reenter::After(length) => Self::Behind(length.at_least_ms()),
            Reenter::Restart | Reenter::Occurrence => apart(Self::PerValue),
            Reenter::Per(units) => {
                let stretches = units.iter().filter_map(|unit| match unit {
                    EntryUnit::Day => Some(DAY_MS),
                    EntryUnit::Week => Some(7 * DAY_MS),
                    EntryUnit::Month => Some(28 * DAY_MS),
                    EntryUnit::Opening(_) | EntryUnit::Value(_) => None,
                });
                // Several units make one key together: with a value in it there may be many of one day.
                let alone = units.len() == 1;
                let stretch = stretches.max().filter(|_| alone);
                let stretch = stretch.map_or(Self::PerValue, |ms| Self::PerStretch(ms, turn()));
                match (stretch, gap) {
                    (Self::PerStretch(length, _), Some(gap)) if gap < length => stretch,
                    _ => apart(stretch),
                }
            }
        }
    }

    /// Whether nothing of two runs lies within a stretch of `ms`, its end not included.
    #[must_use]
    pub fn is_alone(self, ms: i64) -> bool {
        matches!(self, Self::Once) || matches!(self, Self::Behind(length) if length >= ms)
    }

    /// How many can begin within any stretch of `ms`, its end not included; `None`: any number.
    #[must_use]
    pub fn within(self, ms: i64) -> Option<i64> {
        let times = |length: i64, turn: Turn| {
            ms.max(1).saturating_add(turn.0).saturating_add(length - 1) / length.max(1)
        };
        match self {
            Self::Once => Some(1),
            Self::Behind(length) => (length > 0).then(|| times(length, Turn::default())),
            Self::Apart(length, turn) => (length > 0).then(|| times(length, turn)),
            Self::PerStretch(length, turn) => Some(times(length, turn).saturating_add(1)),
            Self::PerValue => None,
        }
    }
}

/// The least time between two triggers of one subject, where a schedule says so.
fn gap_ms(model: &Model, journey: &Journey) -> Option<i64> {
    match &journey.enter {
        Enter::When { schedule: Some(schedule), .. } | Enter::Every { schedule, .. } => {
            Some(least_nominal_ms(schedule))
        }
        Enter::Anchor { of, anchor, .. } => {
            let entity = of.as_ref().map_or(journey.subject, |(_, entity)| *entity);
            let anchor = model.entities.get(&entity)?.anchors.iter().find(|known| known.name == *anchor)?;
            let roll = if anchor.roll_back.is_some() { ROLL_MS } else { 0 };
            Some(least_nominal_ms(&anchor.schedule).saturating_sub(roll))
        }
        _ => None,
    }
}

/// The attribute whose staying the same the bound relies on.
#[must_use]
pub fn assumes(model: &Model, journey: &Journey) -> Option<Name> {
    match &journey.enter {
        Enter::When { schedule: Some(schedule), .. } | Enter::Every { schedule, .. } => schedule.attribute(),
        Enter::Anchor { of, anchor, .. } => {
            let entity = of.as_ref().map_or(journey.subject, |(_, entity)| *entity);
            let anchor = model.entities.get(&entity)?.anchors.iter().find(|known| known.name == *anchor)?;
            anchor.schedule.attribute()
        }
        _ => None,
    }
}

/// How long behind its entry an instance may still be under way, in milliseconds; `None`: data decides.
#[must_use]
pub fn longest_ms(flow: &Flow<'_>) -> Option<i64> {
    let mut arrival: Vec<Option<i64>> = vec![Some(0); flow.graph.node_count()];
    for at in flow.graph.node_indices().filter(|at| flow.original(*at) == *at) {
        let mut latest = Some(0);
        for edge in flow.graph.edges_directed(at, Direction::Incoming) {
            let copy = flow.original(edge.source()) != edge.source();
            if copy || flow.shut.contains(&edge.id()) || edge.weight().kind == EdgeKind::Again {
                continue;
            }
            let before = arrival.get(edge.source().index()).copied().flatten();
            let here = before.zip(flow.most_ms(edge.source(), edge.weight()));
            latest = latest.zip(here).map(|(latest, (before, most))| before.saturating_add(most).max(latest));
        }
        if let Some(slot) = arrival.get_mut(at.index()) {
            *slot = latest;
        }
    }
    let longest = arrival.into_iter().try_fold(0, |longest: i64, one| one.map(|one| one.max(longest)));
    let lasts = flow.journey.lasts.map(Length::at_most_ms);
    match (longest, lasts) {
        (Some(longest), Some(lasts)) => Some(longest.min(lasts)),
        (longest, lasts) => longest.or(lasts),
    }
}
