//! Declarations, and the items of what is known: choices, entities, events, derived attributes, stages, tables.

use super::{
    AdjustItem, BudgetItem, Call, CasePattern, ChannelItem, ContentItem, Dur, ExperimentItem, Expr, Ident,
    Journey, LotteryItem, OrgItem, Path, PointsItem, PolicyItem, ProductItem, ReferralItem, RepliesItem,
    RewardItem, Schedule, Step, TaskItem, TestItem, Text, WaiverItem,
};
use crate::text::Span;
use std::sync::Arc;

/// `word name(params) "label" of subject in unit -> type = value { items }`
#[derive(Clone, Debug, PartialEq)]
pub struct Decl {
    /// The declaring word, for messages.
    pub word: Ident,
    /// Absent only where the parser reported it missing, and for `test`, which has a label instead.
    pub name: Option<Ident>,
    pub params: Vec<Param>,
    pub label: Option<Text>,
    /// `of customer`
    pub subject: Option<Path>,
    /// `in shanghai`: the org unit an `adjust` is for.
    pub unit: Option<Path>,
    /// Lines of `///` above.
    pub doc: Option<Arc<str>>,
    pub kind: DeclKind,
    pub span: Span,
}

/// `zone : zone_kind`
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    pub name: Ident,
    pub ty: TypeRef,
}

#[derive(Clone, Debug, PartialEq)]
pub enum DeclKind {
    Choice(Vec<ChoiceItem>),
    Entity(Vec<EntityItem>),
    /// Adds fields to an entity declared elsewhere; the entity is the declaration's name.
    Extend(Vec<EntityItem>),
    Event(Vec<EntityItem>),
    Tag {
        keep: Option<Dur>,
    },
    Metric(Derived),
    Audience(Derived),
    Calendar(Vec<CalendarItem>),
    Channel(Vec<ChannelItem>),
    Content(Vec<ContentItem>),
    Journey(Box<Journey>),
    /// `journey payroll_welcome = zone_welcome(zone = payroll)`: a journey made from another with parameters.
    Instance(Call),
    /// Steps to be written into journeys by `do`; the parameters are the declaration's.
    Flow {
        steps: Vec<Step>,
        close: Span,
    },
    Stages {
        ranked: bool,
        rows: Vec<StageItem>,
    },
    Table {
        /// Absent only where the parser reported it missing.
        returns: Option<TypeRef>,
        rows: Vec<TableRow>,
    },
    Org(Vec<OrgItem>),
    Product(Vec<ProductItem>),
    Policy(Vec<PolicyItem>),
    Budget(Vec<BudgetItem>),
    Reward(Vec<RewardItem>),
    Points(Vec<PointsItem>),
    Lottery(Vec<LotteryItem>),
    Referral(Vec<ReferralItem>),
    Experiment(Vec<ExperimentItem>),
    Task(Vec<TaskItem>),
    Replies(Vec<RepliesItem>),
    Adjust(Vec<AdjustItem>),
    Waiver(Vec<WaiverItem>),
    Test(Vec<TestItem>),
    Error,
}

/// `name "label"` of a choice.
#[derive(Clone, Debug, PartialEq)]
pub struct ChoiceItem {
    pub name: Ident,
    pub label: Option<Text>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EntityItem {
    /// `aum "管理资产" : Money(CNY) daily class financial for service = expr`, with `key` in front for the key.
    Field(Field),
    /// `anchor payday "代发日" every month on day pay_day roll back`
    Anchor {
        name: Ident,
        label: Option<Text>,
        schedule: Schedule,
        roll: Option<Roll>,
    },
    Calendar(Path),
    /// `region cn`: where what is known of it is kept.
    Region(Ident),
    /// `captures push, sms ticked required`: the form behind an event asks for these consents.
    Captures {
        channels: Vec<Path>,
        /// The box is ticked before anybody looks at it.
        ticked: Option<Span>,
        /// The form is not taken without it.
        required: Option<Span>,
        span: Span,
    },
    Source(Ident),
    Late(Dur),
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub key: bool,
    pub name: Ident,
    pub label: Option<Text>,
    pub ty: TypeRef,
    pub daily: bool,
    /// Data class: `identity`, `financial`, `protected`, …
    pub class: Option<Path>,
    /// `for service, survey`: the purposes it was collected for; empty where nothing is said.
    pub purposes: Vec<Ident>,
    /// `= expr`: derived from other fields.
    pub value: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roll {
    Back,
    Forward,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TypeRef {
    pub kind: TypeKind,
    pub optional: bool,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// `Money(CNY)`, `Text`, `zone_kind`, `Audience(customer)`
    Named {
        name: Ident,
        args: Vec<Ident>,
    },
    /// `Text(20)`
    Sized {
        name: Ident,
        most: i64,
    },
    List(Box<TypeRef>),
    /// `one of [positive, neutral, negative]`
    OneOf(Vec<Ident>),
    Error,
}

/// The value and items of an audience or metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Derived {
    pub value: Expr,
    pub items: Vec<DerivedItem>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum DerivedItem {
    Priority(Ident),
    Size(Expr),
    Refresh(Box<Schedule>),
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub enum CalendarItem {
    File(Text),
    Covers(Expr),
    Error(Span),
}

/// A row of `stages`: the first that holds is the stage.
#[derive(Clone, Debug, PartialEq)]
pub enum StageItem {
    /// `dormant "休眠" if no login during last 90 days`
    If {
        name: Ident,
        label: Option<Text>,
        condition: Expr,
    },
    /// `else growing "成长"`
    Else {
        name: Ident,
        label: Option<Text>,
    },
    Error(Span),
}

/// `at_risk, platinum => private_care`; rows that could not be read are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct TableRow {
    pub patterns: Vec<CasePattern>,
    pub value: Expr,
    pub span: Span,
}
