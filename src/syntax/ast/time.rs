//! Lengths of time, and patterns of what happens.

use super::{Expr, Ident, Path};
use crate::text::Span;

/// A length of time as written. Elapsed and civil lengths are different things and stay so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dur {
    pub kind: DurKind,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurKind {
    /// Stopwatch time, in seconds: `48h`, `10min`, `20s`.
    Elapsed(i64),
    /// Calendar time: `2 days`, `3 workdays`, `1 month`.
    Civil { count: i64, unit: CivilUnit },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CivilUnit {
    Day,
    Workday,
    Week,
    Month,
    Year,
}

/// What happens: an event, a change of an attribute, or a date.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    /// `first E`
    pub first: bool,
    pub kind: OccurrenceKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum OccurrenceKind {
    /// `change of aum`, `drop of tier`, `close of aum`
    Change { verb: Ident, of: Path },
    /// An event (`payment`, `opened(offer)`) or a date expression (`5 workdays before maturity at 10:00`).
    Expr(Expr),
}

/// `E where … without F within D`
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    pub occurrence: Occurrence,
    /// Only an awaited event is named: `salary_received as pay`.
    pub alias: Option<Ident>,
    pub filter: Option<Box<Expr>>,
    pub without: Option<Box<Without>>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Without {
    pub pattern: Pattern,
    pub within: Dur,
}

/// `here`, `entered`, `event`, `first sent`, `sent(offer)`, `employer.payday`
pub type Anchor = Occurrence;

#[derive(Clone, Debug, PartialEq)]
pub enum Window {
    /// `during last 90 days`
    Last(Dur),
    /// `during last month`, `during 2026-12-01..2026-12-31`
    Span(Box<Expr>),
    /// `since entered`
    Since(Box<Anchor>),
    Ever,
}
