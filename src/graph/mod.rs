//! A journey as a graph: what the shape of a journey proves, and what `wayfare graph` draws.
//!
//! [`build`] turns one checked journey into a [`JourneyGraph`] on petgraph; [`Shapes`] tells what is wrong with the
//! shapes (steps that nothing reaches, paths without an end, cycles that take no time); [`longest`] bounds how long an
//! instance can live; [`export`] writes a graph for other tools. Order is the order of writing, everywhere.

mod build;
mod check;
pub mod export;
mod links;
mod longest;
mod names;
pub(crate) mod rounds;
pub(crate) mod words;

use std::sync::Arc;

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Bfs, EdgeFiltered, Walker};

pub use build::build;
pub(crate) use build::plain;
pub use check::Shapes;
pub use longest::{Longest, longest};

use crate::name::Name;
use crate::text::Span;
use crate::value::Length;

/// One journey.
#[derive(Clone, Debug)]
pub struct JourneyGraph {
    pub journey: Name,
    pub label: Option<Arc<str>>,
    pub graph: DiGraph<Point, Edge>,
    /// Where instances begin.
    pub entry: NodeIndex,
    /// Where an exit rule takes over, one for each, in the order written.
    pub exits: Vec<NodeIndex>,
    /// Steps that no path leads to: only the first of each stretch.
    pub unreached: Vec<Unreached>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    pub point: NodeIndex,
    /// The step behind which nothing goes on.
    pub behind: Option<Span>,
}

/// A place of the journey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    pub kind: PointKind,
    /// Full identity of the step; `enter`, `exit` and `fall` for the places that are no steps.
    pub id: Name,
    pub label: Option<Arc<str>>,
    /// What happens here, in the journey's words: `send first_loan via push`.
    pub text: String,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointKind {
    Enter,
    Exit,
    Send,
    Reach,
    Rung,
    Wait,
    /// `if` or `match`.
    Decision,
    Tag(Name),
    Untag(Name),
    /// A hand-over to this journey.
    Start(Name),
    Remember,
    /// A `repeat`: where each round begins.
    Repeat,
    /// Work for somebody, of this task.
    Assign(Name),
    /// A reward, points, a chance or a draw.
    Give,
    /// A `split`.
    Split,
    /// Content that stands in slots from here on.
    Show,
    Hide,
    End,
    /// The closing brace, where a path gets there without `end`.
    Fall,
}

impl PointKind {
    /// A stable word for exports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enter => "enter",
            Self::Exit => "exit",
            Self::Send => "send",
            Self::Reach => "reach",
            Self::Rung => "rung",
            Self::Wait => "wait",
            Self::Decision => "decision",
            Self::Tag(_) => "tag",
            Self::Untag(_) => "untag",
            Self::Start(_) => "start",
            Self::Remember => "remember",
            Self::Repeat => "repeat",
            Self::Assign(_) => "assign",
            Self::Give => "give",
            Self::Split => "split",
            Self::Show => "show",
            Self::Hide => "hide",
            Self::End => "end",
            Self::Fall => "fall",
        }
    }
}

/// A way from one place to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    pub kind: EdgeKind,
    /// In the journey's words: `on no_consent`, `amount > 100 CNY`, `2 days passed`; empty where it just goes on.
    pub text: String,
    pub delay: Delay,
    /// Which of the ways of its place it is: the number of its arm, in the order written; behind all arms the `else`.
    pub arm: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeKind {
    /// It goes on.
    Then,
    /// An outcome of a send or reach.
    Outcome,
    /// A branch of `if` or `match`.
    Branch,
    /// What was waited for happened.
    Happened,
    /// It did not happen in time.
    Timeout,
    /// The next round of a `repeat`, which counts its rounds: no endless way.
    Again,
}

impl EdgeKind {
    /// A stable word for exports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Then => "then",
            Self::Outcome => "outcome",
            Self::Branch => "branch",
            Self::Happened => "happened",
            Self::Timeout => "timeout",
            Self::Again => "again",
        }
    }
}

/// How long an instance can be at the place before it takes the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delay {
    /// It can be taken in the instant of arrival, with nothing happening in between.
    pub instant: bool,
    pub least: Least,
    pub most: Most,
}

/// Milliseconds, where clocks are not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Least {
    Here(i64),
    /// Behind the latest message of this step; where it never left, behind the arrival.
    Sent(Name, i64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Most {
    /// Milliseconds.
    Within(i64),
    /// A moment that the data decides: `maturity`.
    Until(String),
}

impl Delay {
    pub(crate) const NONE: Self = Self { instant: true, least: Least::Here(0), most: Most::Within(0) };

    /// Exactly this long.
    pub(crate) fn of(length: Length) -> Self {
        Self {
            instant: length.is_zero(),
            least: Least::Here(length.at_least_ms()),
            most: Most::Within(length.at_most_ms()),
        }
    }

    /// At any time up to this long, also at once.
    pub(crate) fn up_to(length: Length) -> Self {
        Self { instant: true, least: Least::Here(0), most: Most::Within(length.at_most_ms()) }
    }
}

impl JourneyGraph {
    /// The places that can be reached from `from` in no time and with nothing happening, itself included.
    pub(crate) fn instantly_from(&self, from: NodeIndex) -> Vec<NodeIndex> {
        let instant = EdgeFiltered::from_fn(&self.graph, |edge| edge.weight().delay.instant);
        let mut found: Vec<NodeIndex> = Bfs::new(&instant, from).iter(&instant).collect();
        found.sort_unstable();
        found
    }
}

impl Edge {
    pub(crate) fn then() -> Self {
        Self { kind: EdgeKind::Then, text: String::new(), delay: Delay::NONE, arm: 0 }
    }

    pub(crate) fn new(kind: EdgeKind, text: String, delay: Delay) -> Self {
        Self { kind, text, delay, arm: 0 }
    }

    fn arm(self, arm: usize) -> Self {
        Self { arm, ..self }
    }
}

#[cfg(test)]
pub(crate) mod tests;
