//! Resolved, typed expressions: what the checker makes of `syntax::ast::Expr`, what programs hold, and what the one
//! evaluator ([`eval`]) runs. Every name here has been resolved and every type agreed on; evaluation cannot meet an
//! unknown name, only missing data.
//!
//! Knows nothing of source text. Has no clock: `now`, zone and calendars come in through [`eval::Env`]. Around the
//! evaluator: [`civil`] (calendars, schedules), [`explain`] (which leaf decided, for `why`), [`show`] (an expression
//! in the language's words) and [`print`] (a value as a customer reads it).

pub mod civil;
pub mod eval;
pub mod explain;
pub mod print;
pub mod show;

pub use eval::{Env, eval};

use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::value::{Length, Value};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Expr {
    Const(Value),
    /// An attribute (or derived field) that is stored on the subject, its parent or root.
    Attr(Owner, Name),
    /// A metric or audience: an index into the definitions of the program or content that holds this expression.
    Def(Owner, u16),
    /// Whether the owner has the tag now.
    Tag(Owner, Name),
    /// What the instance remembered: a slot of `remember` or of an event named by `as`.
    Local(u16),
    /// An argument of the content this expression stands in.
    Param(Name),
    /// `event`: the event that entered the instance; while an entry pattern is tested, the event under test.
    Entry,
    /// The record under test in a `where`: an event, a message event or a child entity.
    Element,
    Field(Box<Expr>, Name),
    /// When the instance was entered, a `Moment`. Only in journeys.
    Entered,
    /// The instant of evaluation, a `Moment`.
    Now,
    /// Today's date in the subject's zone.
    Today,
    Not(Box<Expr>),
    Neg(Box<Expr>),
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `x is known` (true) or `x is missing` (false).
    Known(Box<Expr>, bool),
    Otherwise(Box<Expr>, Box<Expr>),
    List(Vec<Expr>),
    Range(Box<Expr>, Box<Expr>),
    /// `DATE at TIME`: a moment in the subject's zone; a gap moves to the first valid instant, a fold takes the first.
    At(Box<Expr>, Box<Expr>),
    /// `5 workdays before maturity` (`back`), `2 days after today`.
    Shift {
        by: Length,
        back: bool,
        from: Box<Expr>,
        calendar: Option<Name>,
    },
    /// `this month`: the calendar span that holds today, moved by `offset` units (-1 for `last`, 1 for `next`).
    Span {
        unit: SpanUnit,
        offset: i8,
    },
    /// `month of 2027-03-31`
    SpanOf {
        unit: SpanUnit,
        of: Box<Expr>,
    },
    Call(Function, Vec<Expr>),
    /// The value of the first row whose condition holds, else the last: `stages`.
    Choose {
        rows: Vec<(Expr, Expr)>,
        otherwise: Box<Expr>,
    },
    /// An attribute of another root, whose id `of` gives: `employer.pay_day`.
    Reference {
        of: Box<Expr>,
        entity: Name,
        attribute: Name,
    },
    /// A date of a recurring anchor, of the subject or of the root that `of` refers to. The first on or after the day
    /// the instance was entered (outside of instances: today); with `back` the last on or before it.
    Anchored {
        of: Option<Box<Expr>>,
        entity: Name,
        anchor: Name,
        back: bool,
    },
    /// Over child entities, evaluated in place. Never over events: those are [`Expr::History`].
    Aggregate(Box<Aggregate>),
    /// Over events or message events: an index into the features of the program.
    History(u16),
    /// A `table` with its arguments.
    Table(Box<TableCall>),
    /// `balance(stars)`: how many of these points the owner has now.
    Balance(Owner, Name),
}

/// A call of a `table`, which is inside: of its rows the first that fits counts; where none does, nothing is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableCall {
    pub table: Name,
    /// One for each parameter.
    pub args: Vec<Expr>,
    pub params: Vec<Name>,
    /// Over the parameters ([`Expr::Param`]) and nothing else.
    pub rows: Vec<TableRow>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableRow {
    /// One for each parameter; all must hold.
    pub tests: Vec<CaseTest>,
    pub value: Expr,
}

/// A test of one value of a `match` or `table`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CaseTest {
    Any,
    Compare(BinaryOp, Expr),
    /// Any of these values or ranges.
    OneOf(Vec<Expr>),
}

/// Whose attribute is meant, seen from the subject of the journey, audience or metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Owner {
    Subject,
    /// The parent of a child subject (`customer` of a `holding`), which is the root of its state row.
    Parent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BinaryOp {
    Or,
    And,
    Is,
    IsNot,
    Less,
    LessEq,
    Greater,
    GreaterEq,
    /// Element of a list or range, or part of a text on the right.
    In,
    /// List, range or text on the left has the right (or, for a text and a list, any of it).
    Has,
    Add,
    Sub,
    Mul,
    Div,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SpanUnit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// Functions with arguments that are ordinary values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Function {
    /// `money(x)`: as people write it, `50,000.00 元`
    Money,
    /// `date(d)`: in the content's locale
    Date,
    /// `mask(name)`: all but the first character hidden
    Mask,
    /// `link("app://…")`: becomes the tracked link at dispatch
    Link,
    /// `max(a, b)` and `min(a, b)` over values
    Max,
    Min,
    /// `round(x)`, half-even, to whole units of the currency
    Round,
    /// `days(a..b)`
    Days,
    /// `entered.date`: the date of a moment in the subject's zone.
    DateOf,
    /// `ratio(a, b)`: a share as a percentage; missing where `b` is zero.
    Ratio,
}

/// `count(payment where amount > 100 CNY during last 30 days)` and its likes, `any` and `no` included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aggregate {
    pub function: AggregateFn,
    pub source: Source,
    /// Over [`Expr::Element`].
    pub filter: Option<Expr>,
    /// The thing added up, or whose most frequent value is asked: over [`Expr::Element`].
    pub value: Option<Expr>,
    /// `None` only over child entities.
    pub window: Option<Window>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AggregateFn {
    /// At least one. (`no` is its negation.)
    Any,
    /// Exactly one.
    Once,
    Count,
    /// `Missing` where there is none, as a zero has a currency that only the checker knows: it writes
    /// `Otherwise(sum, 0 CNY)`.
    Sum,
    /// `Missing` where there is none; so are `Min`, `Max`, `First`, `Last`, `Most`.
    Avg,
    Min,
    Max,
    First,
    Last,
    /// The most frequent value; of equals the one seen last.
    Most,
    /// Of daily attributes: greatest less least over the average, a percentage; `Missing` where the average is zero.
    Spread,
    /// Of daily attributes: last less first over the size of the first, a percentage; `Missing` where that is zero.
    Trend,
}

/// What a pattern or aggregate looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Source {
    /// A declared event.
    Event(Name),
    /// What became of a message: `opened(offer)`, or of any message of the subject where `step` is absent.
    Message { kind: MessageEvent, step: Option<Name> },
    /// `change of loan_limit`; fields `old`, `new`.
    Change { verb: ChangeVerb, attribute: Name },
    /// Child entities of the subject.
    Children(Name),
    /// The end-of-day values of a daily attribute.
    Daily { owner: Owner, attribute: Name },
    /// `close of aum`: its data of a period are complete; the field `period`.
    Close(Name),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MessageEvent {
    Sent,
    Delivered,
    Failed,
    Opened,
    Clicked,
    Replied,
    /// The customer saw what stands in a slot.
    Shown,
    /// The customer closed what stands in a slot.
    Dismissed,
    /// Somebody of the bank has sent it by hand, or has declined to.
    Confirmed,
    Refused,
}

impl MessageEvent {
    pub const ALL: [Self; 10] = [
        Self::Sent,
        Self::Delivered,
        Self::Failed,
        Self::Opened,
        Self::Clicked,
        Self::Replied,
        Self::Shown,
        Self::Dismissed,
        Self::Confirmed,
        Self::Refused,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Opened => "opened",
            Self::Clicked => "clicked",
            Self::Replied => "replied",
            Self::Shown => "shown",
            Self::Dismissed => "dismissed",
            Self::Confirmed => "confirmed",
            Self::Refused => "refused",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChangeVerb {
    Change,
    Rise,
    Drop,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Window {
    /// Whole civil days in the subject's zone for civil lengths (today included), instants for elapsed ones.
    Last(Length),
    /// A calendar span: an expression of a range of dates.
    Span(Expr),
    Since(Anchor),
    Ever,
}

/// A named instant of an instance, from which a `within` or `since` counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Anchor {
    /// When the instance came to this step.
    Here,
    /// When the instance was entered.
    Entered,
    /// When the entry event happened.
    Entry,
    /// When the dispatch of this step's message was committed.
    Sent(Name),
    /// The first message of the instance.
    FirstSent,
    /// When the event named by `as` in this slot happened.
    Local(u16),
    /// An expression of a date or moment.
    At(Expr),
}

/// What happens, resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pattern {
    pub source: Source,
    /// Only the first of this source (and filter) that the subject ever has.
    pub first: bool,
    /// Over [`Expr::Element`] (the event under test).
    pub filter: Option<Expr>,
}

impl Expr {
    /// The expressions directly inside this one that are evaluated for the same subject and element, in the order
    /// written. What stands in a `where` is not among them.
    #[must_use]
    pub fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Field(inner, _)
            | Self::Not(inner)
            | Self::Neg(inner)
            | Self::Known(inner, _)
            | Self::Shift { from: inner, .. }
            | Self::SpanOf { of: inner, .. } => vec![inner],
            Self::Binary(_, left, right)
            | Self::Otherwise(left, right)
            | Self::Range(left, right)
            | Self::At(left, right) => vec![left, right],
            Self::List(items) | Self::Call(_, items) => items.iter().collect(),
            Self::Table(call) => call.args.iter().collect(),
            Self::Choose { rows, otherwise } => {
                rows.iter().flat_map(|(condition, value)| [condition, value]).chain([&**otherwise]).collect()
            }
            Self::Reference { of, .. } => vec![of],
            Self::Anchored { of, .. } => of.as_deref().into_iter().collect(),
            Self::Const(_)
            | Self::Attr(..)
            | Self::Def(..)
            | Self::Tag(..)
            | Self::Local(_)
            | Self::Param(_)
            | Self::Entry
            | Self::Element
            | Self::Entered
            | Self::Now
            | Self::Today
            | Self::Span { .. }
            | Self::Aggregate(_)
            | Self::History(_)
            | Self::Balance(..) => Vec::new(),
        }
    }

    /// The same expressions as [`Self::parts`], to be changed.
    pub fn parts_mut(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Field(inner, _)
            | Self::Not(inner)
            | Self::Neg(inner)
            | Self::Known(inner, _)
            | Self::Shift { from: inner, .. }
            | Self::SpanOf { of: inner, .. } => vec![inner],
            Self::Binary(_, left, right)
            | Self::Otherwise(left, right)
            | Self::Range(left, right)
            | Self::At(left, right) => vec![left, right],
            Self::List(items) | Self::Call(_, items) => items.iter_mut().collect(),
            Self::Table(call) => call.args.iter_mut().collect(),
            Self::Choose { rows, otherwise } => rows
                .iter_mut()
                .flat_map(|(condition, value)| [condition, value])
                .chain([&mut **otherwise])
                .collect(),
            Self::Reference { of, .. } => vec![of],
            Self::Anchored { of, .. } => of.as_deref_mut().into_iter().collect(),
            Self::Const(_)
            | Self::Attr(..)
            | Self::Def(..)
            | Self::Tag(..)
            | Self::Local(_)
            | Self::Param(_)
            | Self::Entry
            | Self::Element
            | Self::Entered
            | Self::Now
            | Self::Today
            | Self::Span { .. }
            | Self::Aggregate(_)
            | Self::History(_)
            | Self::Balance(..) => Vec::new(),
        }
    }
}

impl Aggregate {
    /// All expressions in it: filter, value, window.
    #[must_use]
    pub fn exprs(&self) -> Vec<&Expr> {
        let window = match &self.window {
            Some(Window::Span(expr) | Window::Since(Anchor::At(expr))) => Some(expr),
            _ => None,
        };
        self.filter.iter().chain(&self.value).chain(window).collect()
    }
}
