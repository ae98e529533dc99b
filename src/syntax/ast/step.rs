//! Steps, their identities, outcome tails and waits.

use super::{Anchor, BinaryOp, Dur, Expr, Ident, Path, Pattern, Schedule, Text, Window};
use crate::text::Span;

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The heading word.
    pub word: Ident,
    pub kind: StepKind,
    pub span: Span,
}

/// What many steps are not is behind a pointer: a step is kept for as long as the project is open.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    Send(Box<Send>),
    Show(Box<Show>),
    Hide {
        content: Call,
        channels: Vec<Ident>,
    },
    Reach(Box<Reach>),
    Wait(Box<Wait>),
    /// `if c { } else if d { } else { }`
    If {
        arms: Vec<(Expr, Vec<Step>)>,
        otherwise: Option<Vec<Step>>,
    },
    Match {
        subjects: Vec<Expr>,
        cases: Vec<Case>,
        otherwise: Option<Body>,
    },
    Repeat(Box<Repeat>),
    /// `split etc_copy { arm short { … } arm story { … } }`
    Split {
        experiment: Path,
        arms: Vec<Arm>,
    },
    Grant(Box<Give>),
    Draw(Box<Give>),
    Exchange(Box<Exchange>),
    Assign(Box<Assign>),
    Do(Box<Do>),
    Tag {
        tag: Path,
        keep: Option<Dur>,
    },
    Untag {
        tag: Path,
    },
    Start {
        journey: Call,
        /// `each members where …`: one instance per element.
        each: Option<Box<Each>>,
    },
    Remember {
        name: Ident,
        value: Box<Expr>,
    },
    Phase {
        name: Ident,
        label: Option<Text>,
        steps: Vec<Step>,
    },
    End {
        name: Ident,
        label: Option<Text>,
    },
    Continue,
    Error,
}

impl StepKind {
    /// The outcome tail of the verbs that have one.
    #[must_use]
    pub fn tail(&self) -> Option<&Tail> {
        match self {
            Self::Send(send) => Some(&send.tail),
            Self::Assign(assign) => Some(&assign.tail),
            Self::Show(show) => Some(&show.tail),
            Self::Grant(give) | Self::Draw(give) => Some(&give.tail),
            Self::Exchange(exchange) => Some(&exchange.give.tail),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Send {
    pub content: Call,
    pub channel: Ident,
    pub to: Option<Expr>,
    /// Between the messages of an ordered list.
    pub gap: Option<Dur>,
    pub within: Option<Dur>,
    /// Makes several messages of one step different ones.
    pub key: Option<Expr>,
    pub id: StepId,
    pub tail: Tail,
}

/// `show spring via home_banner, popup rank 20 until 2027-02-20 at 23:59`
#[derive(Clone, Debug, PartialEq)]
pub struct Show {
    pub content: Call,
    pub channels: Vec<Ident>,
    pub rank: Option<Expr>,
    /// How often a customer may see it.
    pub caps: Vec<super::Rate>,
    pub keep: Option<Dur>,
    pub until: Option<Expr>,
    pub id: StepId,
    pub tail: Tail,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Reach {
    pub content: Call,
    pub id: StepId,
    pub prefer: Option<Path>,
    pub rungs: Vec<Rung>,
    pub not_sent: Option<Body>,
    pub otherwise: Body,
}

/// `repeat week in 1..4 every monday at 10:00 from entered until C missed skip { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Repeat {
    pub name: Option<Ident>,
    pub range: Expr,
    pub schedule: Option<Schedule>,
    pub from: Option<Anchor>,
    /// Looked at before each iteration.
    pub until: Option<Expr>,
    pub missed: Option<Missed>,
    pub steps: Vec<Step>,
}

/// `exchange 500 stars for coffee_coupon`
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    pub amount: Expr,
    pub points: Path,
    pub give: Give,
}

/// `assign visit to manager otherwise branch.desk due 2 workdays`
#[derive(Clone, Debug, PartialEq)]
pub struct Assign {
    pub task: Path,
    pub to: Option<Expr>,
    pub due: Option<Dur>,
    pub id: StepId,
    pub tail: Tail,
}

/// `do nudge(etc_short, etc_applied)`: the steps of a flow, written in here.
#[derive(Clone, Debug, PartialEq)]
pub struct Do {
    pub flow: Call,
    pub id: StepId,
}

/// What is granted or drawn, or had in exchange.
#[derive(Clone, Debug, PartialEq)]
pub struct Give {
    pub what: Call,
    pub amount: Option<Expr>,
    pub to: Option<Expr>,
    pub key: Option<Expr>,
    pub id: StepId,
    pub tail: Tail,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Each {
    pub path: Path,
    pub filter: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    pub name: Ident,
    pub steps: Vec<Step>,
    pub span: Span,
}

/// What becomes of ticks that came while the body was still running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    Skip,
    All,
}

/// `as nudge was reminder "提醒"`; all absent where nothing was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepId {
    pub alias: Option<Ident>,
    /// The name before a rename in place.
    pub was: Option<Ident>,
    pub label: Option<Text>,
}

/// `first_loan`, `zone_guide(zone)`, `weekly_draw.chance`
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub path: Path,
    pub args: Vec<Arg>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    pub name: Option<Ident>,
    pub value: Expr,
    /// `count(visit where status is done during this week)`
    pub filter: Option<Box<Expr>>,
    pub window: Option<Box<Window>>,
}

/// `{ on OUTCOME, … body … } else body`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tail {
    pub outcomes: Vec<OutcomeArm>,
    pub otherwise: Option<Body>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct OutcomeArm {
    pub outcomes: Vec<Ident>,
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    Block(Vec<Step>, Span),
    /// `end NAME`
    End {
        name: Ident,
        label: Option<Text>,
        span: Span,
    },
    Continue(Span),
    Error(Span),
}

/// `via push with first_loan_again for opened within 2 days { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Rung {
    pub channel: Ident,
    pub with: Option<Call>,
    pub awaited: Vec<Pattern>,
    pub within: Dur,
    pub success: Vec<Step>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Wait {
    /// `wait 2 days`
    Pause(Dur),
    /// `wait until MOMENT`, `wait until C within D from A else B`: the type decides.
    Until { target: Expr, within: Option<Dur>, from: Option<Anchor>, otherwise: Option<Body> },
    /// `wait for E, F within D from A else B`
    For { awaited: Vec<Pattern>, within: Option<Dur>, from: Option<Anchor>, otherwise: Option<Body> },
    /// `wait within D from A { on E body … on timeout body }`
    Branches { within: Dur, from: Option<Anchor>, arms: Vec<WaitArm>, timeout: Option<Body> },
}

#[derive(Clone, Debug, PartialEq)]
pub struct WaitArm {
    pub awaited: Vec<Pattern>,
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    pub patterns: Vec<CasePattern>,
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq)]
pub enum CasePattern {
    Any(Span),
    /// `>= 50_000 CNY`
    Compare {
        op: BinaryOp,
        value: Expr,
    },
    /// `gold | platinum`, `18..35`
    OneOf(Vec<Expr>),
}
