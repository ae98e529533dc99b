//! A journey after checking: clauses with defaults made explicit, steps as a tree with full identities.

use std::sync::Arc;

use super::Uses;
use super::govern::{Cap, Quiet};
use crate::expr::{Anchor, Expr, Pattern};
use crate::name::Name;
use crate::program::{
    CaseTest, ContentCall, Each, Enter, Giving, Manner, Opening, Outcome, Reenter, Schedule,
};
use crate::text::Span;
use crate::value::{Length, Type, Value};

#[derive(Clone, Debug)]
pub struct Journey {
    pub name: Name,
    pub label: Option<Arc<str>>,
    /// The entity it is `of`: each instance is about one of it.
    pub subject: Name,
    /// The root in whose state row the instance lives: `subject`, or its parent.
    pub root: Name,
    pub purpose: Name,
    pub owner: Arc<str>,
    pub open: Option<Opening>,
    pub enter: Enter,
    /// With `enter when`: whether those for whom it is already true at the first look enter.
    pub existing: Option<bool>,
    /// Triggers older than this when they arrive do not enter.
    pub stale: Option<Length>,
    pub reenter: Reenter,
    pub exits: Vec<Exit>,
    pub goals: Vec<Goal>,
    pub lasts: Option<Length>,
    /// The day it was last looked at by those who answer for it, and where that is written.
    pub reviewed: Option<(jiff::civil::Date, Span)>,
    /// What an `adjust` may set.
    pub params: Vec<Param>,
    /// Of 10,000 cells, how many are held out: nothing is sent to them.
    pub holdout: u16,
    /// What is said of the journey and no daemon does yet, where it is said.
    pub unserved: Vec<(Unserved, Span)>,
    /// The product it is about.
    pub product: Option<Name>,
    /// Of those of the policies: one of its journeys at a time.
    pub lane: Option<Name>,
    pub priority: Option<Name>,
    /// Only tighter than those of the policies.
    pub caps: Vec<Cap>,
    pub quiet: Option<Quiet>,
    pub steps: Vec<Step>,
    /// Names and types of the slots of `Expr::Local`, in order.
    pub locals: Vec<(Name, Type)>,
    pub uses: Uses,
    /// Of `replies`: `enter on` holds their patterns, and the first step takes the rule that fits.
    pub rules: Option<Rules>,
    /// The closing brace.
    pub close: Span,
    pub span: Span,
}

/// The rules of `replies`, the first that fits first; behind them the patterns of their `else`.
#[derive(Clone, Debug)]
pub struct Rules {
    pub run: crate::program::Rules,
    /// Where each rule was written, beside the patterns of the entry.
    pub spans: Vec<Span>,
    /// `else`, where it is written. With `else continue` it has no patterns.
    pub otherwise: Option<Span>,
}

/// `param care_amount "关怀门槛" : Money(CNY) = 5_000 CNY in 1_000 CNY..50_000 CNY`
#[derive(Clone, Debug)]
pub struct Param {
    pub name: Name,
    pub label: Option<Arc<str>>,
    pub ty: Type,
    pub value: Value,
    /// The least and most that an `adjust` may set.
    pub range: Option<(Value, Value)>,
    /// Values of units of the organisation, with the condition of belonging to one; the smallest units first.
    pub adjusted: Vec<(Expr, Value)>,
    pub span: Span,
}

/// Clauses that are checked, and that the daemon does not act on yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unserved {
    Rollout,
    Guardrail,
    Migrate,
    EnterByList,
}

#[derive(Clone, Debug)]
pub struct Exit {
    pub trigger: Trigger,
    /// The end state; `exited` where unnamed.
    pub end: Name,
    pub label: Option<Arc<str>>,
    /// No waits in it.
    pub block: Vec<Step>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum Trigger {
    On(Vec<Pattern>),
    When(Expr),
}

#[derive(Clone, Debug)]
pub struct Goal {
    pub name: Name,
    pub label: Option<Arc<str>>,
    pub trigger: Trigger,
    pub within: Length,
    pub from: Anchor,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Step {
    /// Full identity: phase and arm names, then the step's own, joined by dots. Unique in the journey.
    pub id: Name,
    /// The identity before a rename in place.
    pub was: Option<Name>,
    pub label: Option<Arc<str>>,
    pub kind: StepKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum StepKind {
    Send(Box<Send>, Tail),
    Reach {
        content: ContentCall,
        prefer: Option<Expr>,
        rungs: Vec<Rung>,
        not_sent: Option<Vec<Step>>,
        otherwise: Vec<Step>,
    },
    Pause(Length),
    UntilMoment(Expr),
    UntilState {
        condition: Expr,
        within: Length,
        from: Anchor,
        otherwise: Vec<Step>,
    },
    /// `wait for` has one arm with an empty body: what follows is "it happened".
    Events {
        arms: Vec<WaitArm>,
        within: Length,
        from: Anchor,
        timeout: Vec<Step>,
    },
    If {
        arms: Vec<(Expr, Vec<Step>)>,
        otherwise: Vec<Step>,
    },
    Match {
        subjects: Vec<Expr>,
        cases: Vec<Case>,
        otherwise: Option<Vec<Step>>,
    },
    Tag {
        tag: Name,
        keep: Option<Length>,
    },
    Untag {
        tag: Name,
    },
    Start {
        journey: Name,
        args: Vec<(Name, Expr)>,
        /// One instance for each of these.
        each: Option<Box<Each>>,
    },
    Remember {
        slot: u16,
        value: Expr,
    },
    Phase {
        name: Name,
        steps: Vec<Step>,
    },
    End {
        name: Name,
    },
    Assign(Box<super::task::Assign>),
    /// Ends an arm explicitly: go on behind the step whose arm this is.
    Continue,
    Repeat(Box<Repeat>),
    Give(Box<Giving>, GiveTail),
    /// Each subject takes the arm of its cell, the same one every time.
    Split {
        experiment: Name,
        /// With the cell behind their last, ascending: cells are 0 to 9,999.
        arms: Vec<(Name, u16, Vec<Step>)>,
        winner: Option<Box<crate::program::Winner>>,
    },
    Show(Box<super::show::Show>),
    /// Takes contents down from slots: several contents where a table chose which one stands.
    Hide {
        contents: Vec<Name>,
        slots: Vec<Name>,
    },
}

/// `repeat week in 1..4 every monday at 10:00 from entered until C missed skip { … }`
#[derive(Clone, Debug)]
pub struct Repeat {
    /// Where the number of the round is kept.
    pub slot: u16,
    pub first: Expr,
    pub last: Expr,
    /// The widest that `first..last` can be.
    pub numbers: (i64, i64),
    /// When a round begins; without one, behind the one before.
    pub schedule: Option<Schedule>,
    /// The instant whose ticks are counted.
    pub from: Anchor,
    /// Looked at before each round.
    pub until: Option<Expr>,
    /// Rounds whose tick is past are run one behind the other (`true`) or left out; `None` where nothing is said.
    pub missed_all: Option<bool>,
    pub steps: Vec<Step>,
}

impl Repeat {
    /// How many rounds there are at most.
    #[must_use]
    pub fn times(&self) -> i64 {
        (self.numbers.1 - self.numbers.0).saturating_add(1).max(0)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Send {
    pub content: ContentCall,
    pub channel: Name,
    /// As written.
    pub within: Option<Length>,
    /// How long a report is waited for where the tail names one: `within`, or what the channel says.
    pub receipt: Option<Length>,
    /// To whom, under which key, how far apart.
    pub manner: Manner,
    /// How long an ordered list takes from its first message to its last.
    pub spread_ms: i64,
    /// Whether it sends several messages one behind the other.
    pub is_list: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Tail {
    pub arms: Vec<(Vec<Outcome>, Vec<Step>)>,
    /// `else`: whatever is neither named nor good.
    pub otherwise: Option<Vec<Step>>,
}

/// What becomes of giving: by the names of outcomes and prizes.
#[derive(Clone, Debug, Default)]
pub struct GiveTail {
    pub arms: Vec<(Vec<Name>, Vec<Step>)>,
    pub otherwise: Option<Vec<Step>>,
    /// Whether some outcome goes on behind the step.
    pub goes_on: bool,
}

#[derive(Clone, Debug)]
pub struct Rung {
    /// Full identity of the rung's message: `offer.push`.
    pub id: Name,
    pub channel: Name,
    pub content: ContentCall,
    pub awaited: Vec<Pattern>,
    pub within: Length,
    pub success: Vec<Step>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct WaitArm {
    pub awaited: Vec<Awaited>,
    pub body: Vec<Step>,
}

#[derive(Clone, Debug)]
pub struct Awaited {
    pub pattern: Pattern,
    /// Where the event is kept if it is named.
    pub slot: Option<u16>,
    /// Overrides the wait's anchor for message events (their send).
    pub from: Option<Anchor>,
}

#[derive(Clone, Debug)]
pub struct Case {
    /// One row of tests per `,`-separated subject; all must hold.
    pub tests: Vec<CaseTest>,
    pub body: Vec<Step>,
    pub span: Span,
}

impl StepKind {
    /// The blocks inside this step, in the order written.
    #[must_use]
    pub fn blocks(&self) -> Vec<&[Step]> {
        match self {
            Self::Send(_, tail) => {
                let arms = tail.arms.iter().map(|(_, body)| body.as_slice());
                arms.chain(tail.otherwise.as_deref()).collect()
            }
            Self::Reach { rungs, not_sent, otherwise, .. } => {
                let successes = rungs.iter().map(|rung| rung.success.as_slice());
                successes.chain(not_sent.as_deref()).chain([otherwise.as_slice()]).collect()
            }
            Self::UntilState { otherwise, .. } => vec![otherwise],
            Self::Events { arms, timeout, .. } => {
                arms.iter().map(|arm| arm.body.as_slice()).chain([timeout.as_slice()]).collect()
            }
            Self::If { arms, otherwise } => {
                arms.iter().map(|(_, body)| body.as_slice()).chain([otherwise.as_slice()]).collect()
            }
            Self::Match { cases, otherwise, .. } => {
                cases.iter().map(|case| case.body.as_slice()).chain(otherwise.as_deref()).collect()
            }
            Self::Phase { steps, .. } => vec![steps],
            Self::Repeat(repeat) => vec![&repeat.steps],
            Self::Assign(assign) => {
                let arms = assign.tail.arms.iter().map(|(_, body)| body.as_slice());
                arms.chain(assign.tail.otherwise.as_deref()).collect()
            }
            Self::Give(_, tail) => {
                let arms = tail.arms.iter().map(|(_, body)| body.as_slice());
                arms.chain(tail.otherwise.as_deref()).collect()
            }
            Self::Split { arms, .. } => arms.iter().map(|(.., steps)| steps.as_slice()).collect(),
            Self::Show(show) => {
                let arms = show.tail.arms.iter().map(|(_, body)| body.as_slice());
                arms.chain(show.tail.otherwise.as_deref()).collect()
            }
            Self::Pause(_)
            | Self::UntilMoment(_)
            | Self::Tag { .. }
            | Self::Untag { .. }
            | Self::Start { .. }
            | Self::Remember { .. }
            | Self::Hide { .. }
            | Self::End { .. }
            | Self::Continue => Vec::new(),
        }
    }
}
