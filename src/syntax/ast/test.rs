//! `test` blocks.

use super::{Anchor, Call, Dur, Expr, Ident, Path, Window};
use crate::text::Span;

#[derive(Clone, Debug, PartialEq)]
pub struct TestItem {
    pub word: Ident,
    pub kind: TestKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TestKind {
    /// `given customer li { … }`, `given any customer where …`, `given 8_000 customers { … }`
    Given {
        who: Given,
        filter: Option<Expr>,
        fields: Vec<GivenField>,
    },
    Clock(Expr),
    Advance(Dur),
    AdvanceTo(Expr),
    /// `happen tapped(step = "photo") by all at 11min before now`
    Happen {
        change: Option<Ident>,
        event: Call,
        by: Option<Ident>,
        at: Option<Expr>,
    },
    Outage {
        channel: Ident,
        dur: Dur,
    },
    Expect {
        mode: Expect,
        value: Expr,
        within: Option<Dur>,
        from: Option<Anchor>,
    },
    Error,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// `any customer`
    Any(Ident),
    /// `8_000 customers`
    Many(u32, Ident),
    /// `customer li`; the name may be left out.
    One(Ident, Option<Ident>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct GivenField {
    pub path: Path,
    pub value: Expr,
    pub window: Option<Window>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    Now,
    Always,
    Eventually,
}
