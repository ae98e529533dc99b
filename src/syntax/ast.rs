//! The syntax tree: what was written, with the span of everything, and no meaning yet.
//!
//! The shape follows `docs/language.md` section by section. Every enum that stands for a place in the grammar has
//! an `Error` arm: the parser has already reported what is wrong there, and later phases stay quiet about it.
//! Names are [`Ident`]s; nothing here is resolved.

use std::sync::Arc;

use jiff::civil::{Date, Time};
use rust_decimal::Decimal;

use crate::name::Name;
use crate::text::Span;

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    pub imports: Vec<Import>,
    pub decls: Vec<Decl>,
}

/// `import std.cn.bank { push, sms } as b`
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    pub path: Path,
    /// Empty: the package itself is imported under its last part or under `alias`.
    pub names: Vec<Ident>,
    pub alias: Option<Ident>,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ident {
    pub name: Name,
    pub span: Span,
}

/// `customer.employer.payday`; never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    pub parts: Vec<Ident>,
    pub span: Span,
}

/// A `"…"` literal, escapes already resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    pub value: Arc<str>,
    pub span: Span,
}

/// `word name(params) "label" of subject = value { items }`
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
    /// `aum "管理资产" : Money(CNY) daily class financial = expr`, with `key` in front for the key.
    Field(Field),
    /// `anchor payday "代发日" every month on day pay_day roll back`
    Anchor {
        name: Ident,
        label: Option<Text>,
        schedule: Schedule,
        roll: Option<Roll>,
    },
    Calendar(Path),
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
    Refresh(Schedule),
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub enum CalendarItem {
    File(Text),
    Covers(Expr),
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub enum ChannelItem {
    Kind(Ident),
    Surface(Ident),
    Party(Ident),
    Cost(Expr),
    /// `rate 500 per second`
    Rate {
        count: Expr,
        unit: Ident,
    },
    /// `receipt within 2 days`
    Receipt(Dur),
    /// Receipt outcomes this channel can report.
    Outcomes(Vec<Ident>),
    /// Attribute that holds the address on the subject.
    Addresses(Path),
    Owner(Text),
    Error(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub enum ContentItem {
    Takes(Param),
    Open(Expr),
    Via(Variant),
    Error(Span),
}

/// `via push { title "…"; body """…"""; link "…" }` or `via sms """…"""`
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    pub channel: Ident,
    pub parts: Vec<VariantPart>,
    pub span: Span,
}

/// A piece of a variant. `via sms """…"""` is a single `body`.
#[derive(Clone, Debug, PartialEq)]
pub struct VariantPart {
    /// `title`, `body`, `link`, `image`, `page`, `locale`
    pub word: Ident,
    /// `locale zh """…"""`: the locale.
    pub locale: Option<Ident>,
    pub copy: Copy,
}

/// Text with `{{ expr }}` holes. A `"…"` text has none.
#[derive(Clone, Debug, PartialEq)]
pub struct Copy {
    pub pieces: Vec<CopyPiece>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum CopyPiece {
    Text(Arc<str>),
    Hole(Expr),
}

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

/// A length of time as written. Elapsed and civil lengths are different things and stay so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dur {
    pub kind: DurKind,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurKind {
    /// Stopwatch time, in seconds: `48h`, `10min`, `20s`.
    Elapsed(i64),
    /// Calendar time: `2 days`, `3 workdays`, `1 month`.
    Civil { count: i64, unit: CivilUnit },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CivilUnit {
    Day,
    Workday,
    Week,
    Month,
    Year,
}

/// What happens: an event, a change of an attribute, or a date.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    /// `first E`
    pub first: bool,
    pub kind: OccurrenceKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum OccurrenceKind {
    /// `change of aum`, `drop of tier`, `close of aum`
    Change { verb: Ident, of: Path },
    /// An event (`payment`, `opened(offer)`) or a date expression (`5 workdays before maturity at 10:00`).
    Expr(Expr),
}

/// `E where … without F within D`
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    pub occurrence: Occurrence,
    /// Only an awaited event is named: `salary_received as pay`.
    pub alias: Option<Ident>,
    pub filter: Option<Expr>,
    pub without: Option<Without>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Without {
    pub pattern: Box<Pattern>,
    pub within: Dur,
}

/// `here`, `entered`, `event`, `first sent`, `sent(offer)`, `employer.payday`
pub type Anchor = Occurrence;

#[derive(Clone, Debug, PartialEq)]
pub enum Window {
    /// `during last 90 days`
    Last(Dur),
    /// `during last month`, `during 2026-12-01..2026-12-31`
    Span(Box<Expr>),
    /// `since entered`
    Since(Box<Anchor>),
    Ever,
}

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

#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    Bool(bool),
    Int(i64),
    Decimal(Decimal),
    /// `5%` is 5 here; its value is 0.05.
    Percent(Decimal),
    /// Amount in major units as written, and the currency.
    Money(Decimal, Name),
    Text(Arc<str>),
    Date(Date),
    Time(Time),
    Dur(DurKind),
    /// `today`, `customer.risk`, `event.amount`; a single name is a path of one part.
    Path(Path),
    /// `.field` behind something that is not a path: `granted(x).amount`.
    Field {
        base: Box<Expr>,
        field: Ident,
    },
    /// `opened(offer)`, `count(…)`, `money(x)`
    Call {
        callee: Path,
        args: Vec<Arg>,
    },
    List(Vec<Expr>),
    Not(Box<Expr>),
    Neg(Box<Expr>),
    Binary {
        op: BinaryOp,
        op_span: Span,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `x is known`, `x is missing`
    Known {
        value: Box<Expr>,
        known: bool,
    },
    /// `a otherwise b`
    Otherwise {
        value: Box<Expr>,
        fallback: Box<Expr>,
    },
    /// `in bank.east`: the subject is in this org unit.
    InUnit(Path),
    /// `any login during last 90 days`, `no loan_drawdown ever`
    Quantified {
        quantifier: Quantifier,
        pattern: Box<Pattern>,
        window: Option<Window>,
    },
    /// `(x during last 5 days)`
    Windowed {
        value: Box<Expr>,
        window: Window,
    },
    /// `this month`, `last year`
    Span {
        which: Ident,
        unit: Ident,
    },
    /// `month of 2027-03-31`
    SpanOf {
        unit: Ident,
        of: Box<Expr>,
    },
    /// Tests only: `ended reached`, `ended`.
    Ended(Option<Ident>),
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    Any,
    No,
    Once,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    Or,
    And,
    Is,
    IsNot,
    Less,
    LessEq,
    Greater,
    GreaterEq,
    In,
    Has,
    /// `a..b`
    Range,
    /// `DATE at TIME`
    At,
    /// `5 workdays before maturity`
    Before,
    After,
    Add,
    Sub,
    Mul,
    Div,
}

impl Path {
    /// The path as written, parts joined by dots.
    #[must_use]
    pub fn text(&self) -> String {
        let parts: Vec<&str> = self.parts.iter().map(|part| part.name.as_str()).collect();
        parts.join(".")
    }
}
