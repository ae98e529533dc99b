//! A journey: its clauses and schedules.

use super::{Anchor, Dur, Expr, Ident, Path, Pattern, Step, Text};
use crate::text::Span;
use jiff::civil::Time;

#[derive(Clone, Debug, PartialEq)]
pub struct Journey {
    pub clauses: Vec<Clause>,
    pub steps: Vec<Step>,
    /// The closing brace: where "the journey ends here without `end`" is pointed at.
    pub close: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// The heading word, for "said twice" and "missing" messages.
    pub word: Ident,
    pub kind: ClauseKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ClauseKind {
    Purpose(Ident),
    Owner(Text),
    Priority(Ident),
    Open(Expr),
    Enter(Enter),
    /// `true` for `include`.
    Existing(bool),
    /// `stale after 10min`
    Stale(Dur),
    Reenter(Reenter),
    Exit {
        trigger: Trigger,
        alias: Option<Ident>,
        label: Option<Text>,
        block: Option<Vec<Step>>,
    },
    Goal {
        name: Ident,
        label: Option<Text>,
        trigger: Trigger,
        within: Dur,
        from: Anchor,
    },
    Lasts(Dur),
    Error,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Enter {
    /// `on PATTERN, …`: an event, `E without F within D`, or a date occurrence; the type decides.
    On(Vec<Pattern>),
    /// `when preapproved every day at 10:00`
    When {
        condition: Expr,
        schedule: Option<Schedule>,
    },
    /// `every friday at 10:00 where …`
    Every {
        schedule: Schedule,
        filter: Option<Expr>,
    },
    ByStart,
    ByList,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Reenter {
    Never,
    After(Dur),
    /// `per week`, `per event.txn per day`, `per occurrence`
    Per(Vec<Path>),
    Restart,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Trigger {
    On(Vec<Pattern>),
    When(Expr),
}

/// `every monday, friday at 10:00 during 2026-12-01..2027-02-28`
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    pub every: Every,
    /// `on day 3`, `on last friday`, `on birthday`
    pub on: Option<ScheduleOn>,
    pub at: Vec<Time>,
    pub during: Option<Expr>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Every {
    Dur(Dur),
    /// `day`, `workday`, `week`, `month`, `year`, or names of weekdays.
    Units(Vec<Ident>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum ScheduleOn {
    Day(Expr),
    Last(Ident),
    Path(Path),
}
