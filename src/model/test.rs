//! A `test` block after checking.

use std::sync::Arc;

use super::Literal;
use crate::expr::{Anchor, Expr, Pattern, Source, Window};
use crate::name::Name;
use crate::text::Span;
use crate::value::Length;

#[derive(Clone, Debug)]
pub struct Test {
    pub title: Arc<str>,
    pub journey: Name,
    pub items: Vec<TestItem>,
    pub uses: super::Uses,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct TestItem {
    pub kind: TestKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum TestKind {
    Given {
        entity: Name,
        who: Given,
        filter: Option<Expr>,
        fields: Vec<(Name, Literal)>,
        /// Values of daily attributes and the days they had them, in the order written.
        days: Vec<(Name, Literal, Window)>,
        parent: Option<Name>,
    },
    /// A date or moment, without reading any subject.
    Clock(Expr),
    Advance(Length),
    AdvanceTo(Expr),
    Happen {
        event: Happening,
        by: Option<By>,
        at: Option<Expr>,
    },
    Outage {
        channel: Name,
        length: Length,
    },
    Expect {
        mode: Mode,
        what: Expectation,
        within: Option<Length>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// A property: every subject the filter admits.
    Any,
    Many(u32),
    One(Option<Name>),
}

#[derive(Clone, Debug)]
pub enum Happening {
    Event {
        event: Name,
        fields: Vec<(Name, Expr)>,
    },
    /// `opened(offer)`: of the last message with this step id.
    Message {
        source: Source,
    },
    /// `change of loan_limit(new = 5 CNY)`
    Change {
        attribute: Name,
        new: Expr,
    },
    /// `close of aum(period = month of 2027-03-31)`
    Close {
        attribute: Name,
        period: Expr,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum By {
    All,
    One(Name),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Now,
    /// Holds after every step of the run.
    Always,
    Eventually,
}

#[derive(Clone, Debug)]
pub enum Expectation {
    /// `expect ended reached`, `expect ended`, and `not` of it.
    Ended {
        end: Option<Name>,
        negated: bool,
    },
    /// `expect entered`, `expect not entered`, `expect waiting`.
    Entered {
        negated: bool,
    },
    Waiting {
        negated: bool,
    },
    /// `expect showing(offer)`: something of this show stands in a slot; `not`: nothing does.
    Showing {
        step: Name,
        negated: bool,
    },
    /// `expect once sent(offer.push)`, `no sent(offer) since loan_drawdown`, `count(sent(offer.sms) during last 7 days) <= 2`
    Compare {
        count: CountOf,
        op: crate::expr::BinaryOp,
        value: u32,
    },
    /// Anything else: a condition on the subject's attributes.
    Holds(Expr),
}

/// How many of these there are in the run's full record.
#[derive(Clone, Debug)]
pub struct CountOf {
    pub what: Counted,
    /// Count only inside this much time back from the instant of checking.
    pub during: Option<Length>,
    /// Count only from the last occurrence of this on; nothing counts before it has occurred.
    pub since: Option<Pattern>,
    pub from: Option<Anchor>,
}

#[derive(Clone, Debug)]
pub enum Counted {
    /// A message event of a step: exact id, or any below it (`offer` counts `offer.push` and `offer.sms`).
    Message(Source),
    Event(Pattern),
    Entered,
    /// Instances that ended so.
    Ended(Option<Name>),
}
