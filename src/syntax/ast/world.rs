//! Items of what journeys act within: org units, products, policies, budgets, experiments, tasks, replies, and the
//! governance of all of it (adjust, waiver).

use super::{Body, ChoiceItem, Clause, Dur, Expr, Ident, Path, Pattern, Text};
use crate::text::Span;

/// `500 per customer per day`, `2 per customer per rolling 7 days`, `1 per customer ever`, `100 CNY per month partial`
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    /// A number or an amount of money.
    pub count: Expr,
    /// Empty: of all, over its whole life.
    pub per: Vec<RateUnit>,
    pub ever: bool,
    /// What is left is given, even if it is less than asked.
    pub partial: bool,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum RateUnit {
    /// `customer`, `day`, `opening`, `call_centre`
    Path(Path),
    /// `rolling 7 days`
    Rolling(Dur),
}

#[derive(Clone, Debug, PartialEq)]
pub enum OrgItem {
    Unit(OrgUnit),
    File(Text),
    Error(Span),
}

/// `east "华东" { shanghai "上海分行"; hangzhou "杭州分行" }`
#[derive(Clone, Debug, PartialEq)]
pub struct OrgUnit {
    pub name: Ident,
    pub label: Option<Text>,
    pub units: Vec<OrgItem>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ProductItem {
    Class(Path),
    /// `R1` to `R5`
    Risk(Ident),
    /// The content that must be disclosed with it.
    Disclose(Path),
    /// Who it may be marketed to.
    Market(Expr),
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub enum PolicyItem {
    Owner(Text),
    Pack(Text),
    /// `consent marketing per channel`
    Consent {
        purpose: Ident,
        per: Ident,
    },
    /// `suppress marketing if cooling`
    Suppress {
        purpose: Option<Ident>,
        condition: Expr,
    },
    Quiet(Quiet),
    Cap(Cap),
    /// Priorities, highest first.
    Order(Vec<Ident>),
    /// `lane account_checks "开户核验" { video_cert, risk_check; loser wait 2 days }`
    Lane {
        name: Ident,
        label: Option<Text>,
        journeys: Vec<Path>,
        loser: Option<Loser>,
    },
    /// `never marketing after complaint, hardship until settled`
    Never {
        /// A purpose or a channel.
        what: Ident,
        after: Vec<Path>,
        until: Vec<Path>,
    },
    /// `review every 180 days`
    Review(Dur),
    /// `forbid words "content/forbidden_words.txt"`
    ForbidWords(Text),
    /// `approve content by compliance, brand`
    Approve {
        what: Ident,
        by: Vec<Ident>,
    },
    Error(Span),
}

/// What happens to a journey that may not enter its lane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loser {
    Skip,
    Wait(Dur),
}

/// `cap sms 2 per customer per rolling 7 days { over next_channel }`
#[derive(Clone, Debug, PartialEq)]
pub struct Cap {
    /// A channel or a purpose.
    pub name: Ident,
    pub rate: Rate,
    pub over: Option<Over>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Over {
    Skip,
    Defer(Dur),
    NextChannel,
}

/// `quiet 21:30..08:30 { defer 2 days; release 500 per minute }`
#[derive(Clone, Debug, PartialEq)]
pub struct Quiet {
    pub range: Expr,
    pub defer: Option<Dur>,
    pub release: Option<Rate>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExperimentItem {
    /// `arm short 50%`
    Arm {
        name: Ident,
        label: Option<Text>,
        share: Expr,
    },
    /// `factor greeting { warm "亲切"; plain "平实" }`
    Factor {
        name: Ident,
        label: Option<Text>,
        levels: Vec<ChoiceItem>,
    },
    /// `full` or `fractional`
    Design(Ident),
    Allocate(Expr),
    Winner {
        goal: Path,
        items: Vec<WinnerItem>,
    },
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub enum WinnerItem {
    Confidence(Expr),
    Least(Expr),
    /// `by 30 days after open`: the latest decision.
    By {
        after: Dur,
        from: Ident,
    },
    Undecided(Ident),
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub enum TaskItem {
    To(Expr),
    By(Expr),
    Script(Path),
    Licence(Ident),
    /// What is said is recorded, by sound and picture.
    Recorded(Span),
    Due(Dur),
    Result(Vec<ChoiceItem>),
    /// `remind 1 workday before due`
    Remind(Dur),
    /// `escalate after 1 workday to assignee.branch.head`
    Escalate {
        after: Dur,
        to: Expr,
    },
    Limit(Rate),
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub enum RepliesItem {
    /// `on message where text has ["赎回"] as redeem { … }`
    Rule {
        pattern: Box<Pattern>,
        name: Option<Ident>,
        body: Body,
    },
    Limit(Rate),
    /// `quiet_for 2h after staff`: a kind of people that the events name, or an event.
    QuietFor {
        length: Dur,
        after: Box<Pattern>,
    },
    Else(Body),
    /// `purpose`, `owner` and the other clauses that replies share with journeys.
    Clause(Box<Clause>),
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub enum AdjustItem {
    /// `care_amount = 8_000 CNY`
    Set {
        name: Ident,
        value: Expr,
    },
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub enum WaiverItem {
    Rule(Text),
    Step(Path),
    Reason(Text),
    Approver(Text),
    /// A digest of what was approved.
    Binds(Text),
    Ticket(Text),
    Expires(Expr),
    Error(Span),
}
