//! The checked model: every declaration with its names resolved and its types agreed on.
//!
//! Made from the trees of all files at once ([`check`]), so the order of files never matters. Everything the graph
//! and the program need is here; nothing after this phase looks at a syntax tree. Spans stay, for findings and for
//! "commit, file and line" of a message.

pub mod check;
pub mod govern;
pub mod journey;
pub mod show;
pub mod task;
pub mod test;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::expr::{Expr, TableRow};
use crate::name::Name;
use crate::program::{Rate, Schedule, Variant};
use crate::text::Span;
use crate::value::{Length, Type, Value};

pub use check::{Context, check};
pub use journey::Journey;
pub use task::Task;
pub use test::Test;

/// All declarations of a compilation, by name. A folder is a package and its names are shared, so names are unique.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub choices: BTreeMap<Name, Choice>,
    pub entities: BTreeMap<Name, Entity>,
    pub events: BTreeMap<Name, Event>,
    pub tags: BTreeMap<Name, Tag>,
    pub derived: BTreeMap<Name, Derived>,
    pub calendars: BTreeMap<Name, Calendar>,
    pub channels: BTreeMap<Name, Channel>,
    pub contents: BTreeMap<Name, Content>,
    pub journeys: BTreeMap<Name, Box<Journey>>,
    pub tables: BTreeMap<Name, Table>,
    pub tasks: BTreeMap<Name, Task>,
    /// Budgets, rewards, points, lotteries.
    pub values: crate::program::Values,
    pub referrals: BTreeMap<Name, Referral>,
    pub experiments: BTreeMap<Name, Experiment>,
    pub products: BTreeMap<Name, govern::Product>,
    pub orgs: BTreeMap<Name, govern::Org>,
    pub policies: BTreeMap<Name, govern::Policy>,
    pub waivers: BTreeMap<Name, govern::Waiver>,
    /// In the order of files and of writing.
    pub tests: Vec<Test>,
}

#[derive(Clone, Debug)]
pub struct Choice {
    pub name: Name,
    pub label: Option<Arc<str>>,
    /// In the order of comparisons, least first: as written, but of ranked stages the other way round.
    pub cases: Vec<(Name, Option<Arc<str>>)>,
    /// Whether one may be more than another. Stages that are not `ranked` may not.
    pub ordered: bool,
    pub span: Span,
}

/// A kind of subject. A root has a state row of its own; a child lives in its parent's row.
#[derive(Clone, Debug)]
pub struct Entity {
    pub name: Name,
    pub label: Option<Arc<str>>,
    pub parent: Option<Name>,
    pub key: Name,
    pub fields: Vec<Field>,
    pub anchors: Vec<DateAnchor>,
    pub calendar: Option<Name>,
    /// Where what is known of it is kept.
    pub region: Option<Name>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Field {
    pub name: Name,
    pub label: Option<Arc<str>>,
    pub ty: Type,
    pub daily: bool,
    /// Data class, dotted as written: `identity`, `sensitive.health`.
    pub class: Option<Name>,
    /// The purposes it was collected for; empty where nothing is said.
    pub purposes: Vec<Name>,
    /// Derived from other fields.
    pub value: Option<Expr>,
    pub span: Span,
}

/// `anchor birthday_day every year on birthday roll back`: a recurring date of the entity.
#[derive(Clone, Debug)]
pub struct DateAnchor {
    pub name: Name,
    pub label: Option<Arc<str>>,
    pub schedule: Schedule,
    /// `Some(true)` back, `Some(false)` forward to a workday.
    pub roll_back: Option<bool>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Event {
    pub name: Name,
    pub label: Option<Arc<str>>,
    /// The entity it is `of`.
    pub subject: Name,
    /// Typed payload. `id` and `time` exist on every event without being declared.
    pub fields: Vec<Field>,
    pub source: Option<Name>,
    /// How late it may arrive.
    pub late: Option<Length>,
    /// The consents that the form behind it asks for.
    pub captures: Vec<Capture>,
    pub span: Span,
}

/// `captures push, sms ticked required`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    pub channels: Vec<Name>,
    /// Where it says that the box is ticked before anybody looks at it.
    pub ticked: Option<Span>,
    /// Where it says that the form is not taken without it.
    pub required: Option<Span>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Tag {
    pub name: Name,
    pub label: Option<Arc<str>>,
    pub subject: Name,
    pub keep: Option<Length>,
    pub span: Span,
}

/// A metric, stages (then of the choice of that name), or an audience (then of type `Bool`).
#[derive(Clone, Debug)]
pub struct Derived {
    pub name: Name,
    pub label: Option<Arc<str>>,
    pub audience: bool,
    /// Of an audience: what journeys for it go by that say no `priority` themselves.
    pub priority: Option<Name>,
    pub subject: Name,
    pub ty: Type,
    /// `Expr::Def` and `Expr::History` in it index [`Derived::uses`] and [`Derived::features`].
    pub value: Expr,
    pub uses: Uses,
    /// Nothing in the definition is wrong, so that what it means can be looked at.
    pub sound: bool,
    pub span: Span,
}

/// Rows of which the first that fits counts: a pure function of its parameters.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: Name,
    pub label: Option<Arc<str>>,
    pub params: Vec<(Name, Type)>,
    pub returns: Type,
    pub rows: Vec<TableRow>,
    /// Places of the rows, beside `rows`.
    pub row_spans: Vec<Span>,
    pub span: Span,
}

/// Arms or factors that subjects are assigned to, and what decides between them.
#[derive(Clone, Debug)]
pub struct Experiment {
    pub name: Name,
    pub label: Option<Arc<str>>,
    pub subject: Name,
    /// With the cell behind the last of each; the cells behind all of them take no part.
    pub arms: Vec<(Name, Option<Arc<str>>, u16)>,
    pub factors: Vec<(Name, Vec<Name>)>,
    /// Cells from this one on take no part.
    pub allocate: u16,
    pub winner: Option<crate::program::Winner>,
    pub span: Span,
}

/// What the expressions of one owner (a journey, a derived attribute) refer to by number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Uses {
    /// Metrics and audiences, for `Expr::Def`.
    pub defs: Vec<Name>,
    /// History conditions, for `Expr::History`.
    pub features: Vec<crate::expr::Aggregate>,
}

/// A versioned file of holidays and make-up workdays, read by the project and handed in as text.
#[derive(Clone, Debug)]
pub struct Calendar {
    pub name: Name,
    pub label: Option<Arc<str>>,
    pub file: Arc<str>,
    pub covers: Option<(jiff::civil::Date, jiff::civil::Date)>,
    /// Years whose official days are not published yet, so that the file holds a guess.
    pub provisional: Vec<i16>,
    pub data: crate::expr::civil::Calendar,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Channel {
    pub name: Name,
    pub label: Option<Arc<str>>,
    /// `push`, `pull`, …: how it reaches people.
    pub kind: Name,
    pub rate: Option<Rate>,
    /// How long receipts may take.
    pub receipt: Option<Length>,
    /// Receipts this channel can report behind the provider's answer; `sent` is that answer.
    pub outcomes: Vec<crate::expr::MessageEvent>,
    pub address: Option<Name>,
    /// The word behind `party`, or the first of `addresses KIND.attribute`: see [`Channel::reaches`].
    pub party: Option<Name>,
    /// How many parts a text message may take; without it nobody counts.
    pub segments: Option<u32>,
    /// `owned`, `third_party`, `paid`: on whose ground.
    pub surface: Option<Name>,
    /// Of a slot: how many placements one customer can have in it at a time; one where nothing is said.
    pub capacity: Option<u16>,
    /// `marketing`, `service`, `verification`: what its carrier has opened it for.
    pub port: Option<Name>,
    pub opt_out: Option<OptOut>,
    /// How old the answer of a do-not-call register may be when a message leaves.
    pub do_not_call: Option<Length>,
    /// Where it keeps what it is given.
    pub region: Option<Region>,
    pub owner: Option<Arc<str>>,
    pub span: Span,
}

/// `opt_out within 1 day by reply`: how somebody leaves a channel, and when that holds at the latest.
#[derive(Clone, Debug)]
pub struct OptOut {
    pub within: Length,
    /// `reply`, `link`, `switch`, `call`, `visit`, `letter`, `login`, `fee`.
    pub by: Vec<Name>,
    pub span: Span,
}

/// `region sg under "…"`
#[derive(Clone, Debug)]
pub struct Region {
    pub place: Name,
    /// The ground on which data of people elsewhere may come here.
    pub under: Option<Arc<str>>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Content {
    pub name: Name,
    pub label: Option<Arc<str>>,
    /// The root whose attributes the copy uses, if it uses any: who is spoken to, also in the journey of a child.
    pub reads: Option<Name>,
    pub takes: Vec<(Name, Type)>,
    /// The product it speaks of.
    pub product: Option<Name>,
    /// The product that whoever follows its link signs for, and where that is said.
    pub commits: Option<(Name, Span)>,
    /// Who has agreed to it.
    pub approvals: Vec<govern::Approval>,
    /// The rewards it promises.
    pub offers: Vec<Name>,
    /// First and last day it may be used.
    pub open: Option<(jiff::civil::Date, jiff::civil::Date)>,
    pub variants: Vec<Variant>,
    /// For `Expr::Def` in the copy.
    pub uses: Uses,
    pub span: Span,
}

/// Who brings whom, and what both get once the invited one has done what counts.
#[derive(Clone, Debug)]
pub struct Referral {
    pub name: Name,
    pub label: Option<Arc<str>>,
    pub subject: Name,
    pub open: Option<crate::program::Opening>,
    /// Whether the last link counts, not the first; and how long a link is good for.
    pub link: (bool, Length),
    pub qualify: Vec<crate::expr::Pattern>,
    pub inviter: Option<Name>,
    pub invitee: Option<Name>,
    /// Of each inviter.
    pub limits: Vec<crate::program::value::Limit>,
    /// `self`, `cycle`, `same_device`, …
    pub refuse: Vec<Name>,
    pub budget: Option<Name>,
    pub uses: Uses,
    pub span: Span,
}

impl Channel {
    /// The kind of subject that it says it reaches; `is_kind`: whether a name is one.
    #[must_use]
    pub fn reaches(&self, is_kind: impl Fn(Name) -> bool) -> Option<Name> {
        let group = || (self.kind.as_str() == "group").then(|| Name::new("group"));
        self.party.filter(|party| is_kind(*party)).or_else(|| group().filter(|group| is_kind(*group)))
    }
}

impl Entity {
    #[must_use]
    pub fn field(&self, name: Name) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Event {
    #[must_use]
    pub fn field(&self, name: Name) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// A literal of a test: a value that was checked against a field's type.
pub type Literal = Value;
