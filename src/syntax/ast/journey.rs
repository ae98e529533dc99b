//! A journey: its clauses and schedules.

use super::{Anchor, Cap, Dur, Expr, Ident, Opening, Path, Pattern, Quiet, Step, Text, TypeRef};
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

/// What is large is behind a pointer: a journey has many clauses, and they are kept.
#[derive(Clone, Debug, PartialEq)]
pub enum ClauseKind {
    Purpose(Ident),
    Owner(Text),
    Priority(Ident),
    Open(Box<Opening>),
    Enter(Box<Enter>),
    /// `true` for `include`.
    Existing(bool),
    /// `stale after 10min`
    Stale(Dur),
    Reenter(Reenter),
    Exit(Box<Exit>),
    Goal(Box<Goal>),
    Lasts(Dur),
    /// The day it was last looked at by those who answer for it.
    Reviewed(Box<Expr>),
    Product(Path),
    Budget(Path),
    Lane(Path),
    Param(Box<Tunable>),
    Guardrail(Box<Expr>),
    Holdout(Box<Expr>),
    /// `rollout 5%, 20%, 100% { hold 3 days; gate click_rate > 3%; alert "…" }`
    Rollout {
        shares: Vec<Expr>,
        items: Vec<RolloutItem>,
    },
    /// Only tighter than the policy's.
    Cap(Box<Cap>),
    Quiet(Box<Quiet>),
    /// `migrate "v-3f9a12" { … }`: for people who stand in that version.
    Migrate {
        from: Text,
        rules: Vec<MigrateRule>,
    },
    Error,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Exit {
    pub trigger: Trigger,
    pub alias: Option<Ident>,
    pub label: Option<Text>,
    pub block: Option<Vec<Step>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    pub name: Ident,
    pub label: Option<Text>,
    pub trigger: Trigger,
    pub within: Dur,
    pub from: Anchor,
}

/// `param care_amount "关怀门槛" : Money(CNY) = 5_000 CNY in 1_000 CNY..50_000 CNY`
#[derive(Clone, Debug, PartialEq)]
pub struct Tunable {
    pub name: Ident,
    pub label: Option<Text>,
    pub ty: TypeRef,
    pub value: Expr,
    /// What an `adjust` may set it to.
    pub range: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum RolloutItem {
    Hold(Dur),
    Gate(Expr),
    Alert(Text),
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub enum MigrateRule {
    /// `move activate.push_guide to activation.app_guide`
    Move {
        step: Path,
        to: Path,
    },
    /// `move old_survey to end completed`, `gone old_survey to end completed`
    End {
        step: Path,
        end: Ident,
    },
    /// `retime habit recompute`, `retime habit hold`
    Retime {
        step: Path,
        recompute: bool,
    },
    Error(Span),
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
    /// `10:00..12:00`: open from to, instead of `at`.
    pub hours: Option<Expr>,
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
