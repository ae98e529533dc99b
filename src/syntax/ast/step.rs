//! Steps, their identities, outcome tails and waits.

use super::{Anchor, BinaryOp, Dur, Expr, Ident, Path, Pattern, Text, Window};
use crate::text::Span;

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The heading word.
    pub word: Ident,
    pub kind: StepKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    Send {
        content: Call,
        channel: Ident,
        to: Option<Expr>,
        within: Option<Dur>,
        id: StepId,
        tail: Tail,
    },
    Reach {
        content: Call,
        id: StepId,
        prefer: Option<Path>,
        rungs: Vec<Rung>,
        not_sent: Option<Body>,
        otherwise: Body,
    },
    Wait(Wait),
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
    Tag {
        tag: Path,
        keep: Option<Dur>,
    },
    Untag {
        tag: Path,
    },
    Start {
        journey: Call,
    },
    Remember {
        name: Ident,
        value: Expr,
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
    pub filter: Option<Expr>,
    pub window: Option<Window>,
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
