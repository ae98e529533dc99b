//! Programs: what the compiler hands to the runtime. Data only, versioned, serialisable, portable between machines.
//!
//! A [`Bundle`] is one deployed compilation. Its parts are hashed apart, because they follow different rules while
//! customers are in flight: a [`Program`] (structure, timing, audience) is pinned by each instance, [`Content`] is
//! resolved by name at dispatch, the schema, channels and calendars are always live. Nothing here is computed at run
//! time and nothing knows of source text beyond a path and a line; `lower` fills it, `step` reads it.

pub mod address;
pub mod assign;
pub mod channel;
pub mod content;
pub mod entry;
pub mod lane;
mod names;
pub mod outcome;
pub mod picture;
pub mod policy;
pub mod rules;
pub mod show;
pub mod value;
mod winner;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use address::{Addressee, Among, Each, Manner};
pub use assign::Assign;
pub use channel::{Channel, Rate};
pub use content::{Chosen, Content, ContentCall, Copy, CopyPiece, Listed, Part, Variant};
pub use entry::{Enter, EntryUnit, Every, Reenter, Schedule, WeekdayName};
pub use lane::{Lane, Lanes};
pub use names::{arm_of, in_rounds};
pub use outcome::{LONGEST_RETRY_MS, Outcome};
pub use picture::Picture;
pub use policy::Policies;
pub use rules::{AnswerLimit, Rules, Within};
pub use show::{Show, ShowEnd, ShowOutcome, SightCap, Slot};
pub use value::{Give, Giving, Opening, Values};
pub use winner::{REACHED, TAKES_PART, Winner, tally_of};

pub use crate::expr::CaseTest;
use crate::expr::civil::Calendar;
use crate::expr::{Aggregate, Anchor, Expr, Pattern};
use crate::name::Name;
use crate::value::{Length, Type, Value};

/// The version of these types. A bundle of another version is refused.
pub const FORMAT: u16 = 1;

/// Lower-case hex of a SHA-256 over the canonical JSON of an object.
pub type Hash = Arc<str>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bundle {
    pub format: u16,
    /// Over everything below.
    pub hash: Hash,
    pub schema: Schema,
    pub channels: BTreeMap<Name, Channel>,
    pub contents: BTreeMap<Name, Hashed<Content>>,
    pub calendars: BTreeMap<Name, Calendar>,
    /// Budgets, rewards, points, lotteries.
    #[serde(default)]
    pub values: Values,
    /// Journeys of which one runs at a time.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lanes: Lanes,
    /// What the gate asks. `None`: there is no policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Hashed<Policies>>,
    /// Units, each with the one above it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub units: BTreeMap<Name, Option<Name>>,
    pub programs: BTreeMap<Name, Hashed<Program>>,
    /// What contents name, by the hash that they say of it, on the way to a store. The hash above leaves it out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pictures: BTreeMap<Hash, Picture>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hashed<T> {
    pub hash: Hash,
    pub body: Arc<T>,
}

/// What may come in: the shapes that the doors (HTTP, import) validate against.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    pub choices: BTreeMap<Name, Vec<Name>>,
    pub entities: BTreeMap<Name, Entity>,
    pub events: BTreeMap<Name, Event>,
    pub tags: BTreeMap<Name, Tag>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    pub label: Option<Arc<str>>,
    pub parent: Option<Name>,
    pub key: Name,
    /// In the order declared; derived fields carry their expression and are never written from outside.
    pub fields: Vec<Field>,
    pub anchors: Vec<DateAnchor>,
    pub calendar: Option<Name>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    pub name: Name,
    pub ty: Type,
    /// Data class; `identity` and anything `sensitive` or `protected` is masked in traces and logs.
    pub class: Option<Name>,
    pub value: Option<Expr>,
    /// The value at the end of each day is kept, as far back as programs ask.
    #[serde(default)]
    pub daily: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DateAnchor {
    pub name: Name,
    pub schedule: Schedule,
    /// `Some(true)` back, `Some(false)` forward to a workday of the entity's calendar.
    pub roll_back: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub label: Option<Arc<str>>,
    pub subject: Name,
    pub fields: Vec<Field>,
    pub source: Option<Name>,
    /// How late it may arrive, in milliseconds.
    pub late_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tag {
    pub subject: Name,
    pub keep: Option<Length>,
}

/// A place for blame: the journey file as given to the compiler, and a line from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub path: Arc<str>,
    pub line: u32,
}

pub type NodeId = u16;

/// A journey as a flat table of nodes. Self-contained: metrics, audiences and history conditions it uses are inside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Program {
    pub journey: Name,
    pub label: Option<Arc<str>>,
    pub subject: Name,
    /// The entity whose state row holds the instances: `subject` or its parent.
    pub root: Name,
    pub purpose: Name,
    pub owner: Arc<str>,
    pub open: Option<Opening>,
    pub enter: Enter,
    pub existing: Option<bool>,
    pub stale: Option<Length>,
    pub reenter: Reenter,
    pub exits: Vec<Exit>,
    pub goals: Vec<Goal>,
    pub lasts: Option<Length>,
    /// What an `adjust` may set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Param>,
    /// Of 10,000 cells, how many are held out: their instances run, and nothing is sent.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub holdout: u16,
    /// Names of the slots of `Expr::Local`.
    pub locals: Vec<Name>,
    pub defs: Vec<Def>,
    pub features: Vec<Feature>,
    /// Metrics, audiences and stages whose changes it listens for, or counts.
    #[serde(default)]
    pub tracked: Vec<Tracked>,
    /// Everything any wait or rung listens for; a node refers to them by number.
    pub awaits: Vec<Await>,
    /// Never empty; execution begins at node 0.
    pub nodes: Vec<Node>,
    /// Not part of the hash: moving a journey in a file is not a new version.
    #[serde(default)]
    pub origin: Option<Origin>,
    /// Line of each node, beside `nodes`. Not part of the hash.
    #[serde(default)]
    pub lines: Vec<u32>,
    /// Line of each rung by the identity of its message: a `reach` is one node. Not part of the hash.
    #[serde(default)]
    pub rung_lines: Vec<(Name, u32)>,
    /// Of replies: which entry is answered by which rule, how often, and when not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Rules>,
    /// Whether a step asks for `id` or `time` of the event that entered, or that a wait named.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stamped: bool,
}

/// A metric or audience, by value. `Expr::Def` in it indexes the same list and only earlier entries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Def {
    pub name: Name,
    pub value: Expr,
}

/// A history condition that the runtime keeps up to date in each subject's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// A digest of the aggregate: two journeys that ask the same share one feature.
    pub id: Name,
    pub aggregate: Aggregate,
}

/// A derived value whose changes the runtime notices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tracked {
    pub name: Name,
    /// The entity it is of: the program's subject, or its parent.
    pub subject: Name,
    /// Number of its definition in `defs`.
    pub def: u16,
    /// Whether time alone can change it, so that it is looked at every day.
    pub timed: bool,
}

/// One thing a wait listens for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Await {
    pub pattern: Pattern,
    /// Where the event is kept for later steps.
    pub slot: Option<u16>,
    /// From when on it counts.
    pub from: Anchor,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(cells: &u16) -> bool {
    *cells == 0
}

/// A value of a journey that may be set without changing its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    pub name: Name,
    pub label: Option<Arc<str>>,
    pub ty: Type,
    pub value: Value,
    pub range: Option<(Value, Value)>,
    /// What it is for those for whom the condition holds; the first counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adjusted: Vec<(Expr, Value)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exit {
    pub on: ExitOn,
    pub end: Name,
    /// First node of the block, which ends with `end`; `None`: ends at once.
    pub block: Option<NodeId>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ExitOn {
    Events(Vec<Pattern>),
    When(Expr),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    pub name: Name,
    pub on: ExitOn,
    pub within: Length,
    pub from: Anchor,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// The step's full identity; nodes that the compiler made of one step share it.
    pub step: Name,
    pub kind: NodeKind,
    /// Slots of the numbers of the `repeat`s around it, the outermost first: they are part of its messages' identity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<u16>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum NodeKind {
    Send {
        content: ContentCall,
        channel: Name,
        /// Wait this long for a receipt outcome that `outcomes` names; `None`: none is named.
        receipt: Option<Length>,
        outcomes: Vec<(Outcome, NodeId)>,
        /// For outcomes neither named nor good.
        otherwise: NodeId,
        next: NodeId,
        /// To whom else, under which key, how far apart.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        manner: Option<Box<Manner>>,
    },
    Reach {
        /// Its value is a channel; the rung of that channel goes first.
        prefer: Option<Expr>,
        rungs: Vec<Rung>,
        /// Somebody was written to and did not answer.
        otherwise: NodeId,
        /// The gate let nothing through.
        not_sent: NodeId,
    },
    Pause {
        length: Length,
        next: NodeId,
    },
    UntilMoment {
        moment: Expr,
        next: NodeId,
    },
    UntilState {
        condition: Expr,
        within: Length,
        from: Anchor,
        next: NodeId,
        timeout: NodeId,
    },
    /// The earliest occurrence wins; of equals the first in this order.
    Events {
        arms: Vec<(u16, NodeId)>,
        within: Length,
        from: Anchor,
        timeout: NodeId,
    },
    If {
        condition: Expr,
        then: NodeId,
        otherwise: NodeId,
    },
    Match {
        subjects: Vec<Expr>,
        cases: Vec<(Vec<CaseTest>, NodeId)>,
        otherwise: NodeId,
    },
    Tag {
        tag: Name,
        keep: Option<Length>,
        next: NodeId,
    },
    Untag {
        tag: Name,
        next: NodeId,
    },
    Remember {
        slot: u16,
        value: Expr,
        next: NodeId,
    },
    Start {
        journey: Name,
        args: Vec<(Name, Expr)>,
        next: NodeId,
        /// One instance for each of these, not for the subject.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        each: Option<Box<Each>>,
    },
    End {
        name: Name,
    },
    /// Comes to a `repeat`: its number is one before the first, its clock stands at the anchor.
    Rounds {
        slot: u16,
        first: Expr,
        from: Anchor,
        next: NodeId,
    },
    /// The next round, or behind the last one.
    Round {
        slot: u16,
        last: Expr,
        /// The widest range of numbers.
        numbers: (i64, i64),
        schedule: Option<Schedule>,
        until: Option<Expr>,
        /// Rounds whose tick is past are run, not left out.
        all: bool,
        body: NodeId,
        next: NodeId,
    },
    /// Work for somebody of the bank.
    Assign(Box<Assign>),
    /// A reward, points, a chance, or a draw. What is short anywhere is asked for first, and the instance stands
    /// here until the answer.
    Give {
        giving: Giving,
        /// By the names of outcomes and prizes.
        outcomes: Vec<(Name, NodeId)>,
        /// For outcomes neither named nor good.
        otherwise: NodeId,
        next: NodeId,
    },
    /// The arm of the subject's cell, for ever the same one.
    Split {
        experiment: Name,
        /// With the cell behind their last, ascending.
        arms: Vec<(Name, u16, NodeId)>,
        /// For those who take no part.
        next: NodeId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        winner: Option<Box<Winner>>,
    },
    /// Content that stands in slots from now on.
    Show(Box<Show>),
    /// Takes these contents down from these slots, whoever put them there.
    Hide {
        contents: Vec<Name>,
        slots: Vec<Name>,
        next: NodeId,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rung {
    /// Identity of the rung's message: `offer.push`.
    pub step: Name,
    pub channel: Name,
    pub content: ContentCall,
    /// Numbers of `Program::awaits`; they count from the rung's own send.
    pub awaits: Vec<u16>,
    pub within: Length,
    pub success: NodeId,
}

impl Program {
    /// The channels that its messages go through; a name may come twice.
    pub fn channels(&self) -> impl Iterator<Item = Name> + '_ {
        self.nodes.iter().flat_map(|node| match &node.kind {
            NodeKind::Send { channel, .. } => vec![*channel],
            NodeKind::Reach { rungs, .. } => rungs.iter().map(|rung| rung.channel).collect(),
            _ => Vec::new(),
        })
    }

    /// What instances listen for, besides their entry: awaits, exits and goals.
    pub fn heard(&self) -> impl Iterator<Item = &Pattern> {
        let rules = self.exits.iter().map(|exit| &exit.on).chain(self.goals.iter().map(|goal| &goal.on));
        let on = rules.filter_map(|on| match on {
            ExitOn::Events(patterns) => Some(patterns),
            ExitOn::When(_) => None,
        });
        self.awaits.iter().map(|awaited| &awaited.pattern).chain(on.flatten())
    }

    /// Every pattern of the program.
    pub fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        let entry = match &self.enter {
            Enter::Event(patterns) => patterns.iter().collect(),
            Enter::Without { trigger, absent, .. } => vec![trigger, absent],
            _ => Vec::new(),
        };
        entry.into_iter().chain(self.heard())
    }
}

impl NodeKind {
    /// The same places as [`Self::successors`], to be changed.
    pub fn successors_mut(&mut self) -> Vec<&mut NodeId> {
        match self {
            Self::Send { outcomes, otherwise, next, .. } => {
                let arms = outcomes.iter_mut().map(|(_, node)| node);
                std::iter::once(next).chain(arms).chain([otherwise]).collect()
            }
            Self::Reach { rungs, otherwise, not_sent, .. } => {
                rungs.iter_mut().map(|rung| &mut rung.success).chain([otherwise, not_sent]).collect()
            }
            Self::Pause { next, .. }
            | Self::UntilMoment { next, .. }
            | Self::Tag { next, .. }
            | Self::Untag { next, .. }
            | Self::Remember { next, .. }
            | Self::Rounds { next, .. }
            | Self::Hide { next, .. }
            | Self::Start { next, .. } => vec![next],
            Self::UntilState { next, timeout, .. } => vec![next, timeout],
            Self::Split { arms, next, .. } => arms.iter_mut().map(|(.., node)| node).chain([next]).collect(),
            Self::Round { body, next, .. } => vec![body, next],
            Self::Events { arms, timeout, .. } => {
                arms.iter_mut().map(|(_, node)| node).chain([timeout]).collect()
            }
            Self::If { then, otherwise, .. } => vec![then, otherwise],
            Self::Match { cases, otherwise, .. } => {
                cases.iter_mut().map(|(_, node)| node).chain([otherwise]).collect()
            }
            Self::End { .. } => Vec::new(),
            Self::Assign(assign) => {
                let results = assign.results.iter_mut().map(|(_, node)| node);
                std::iter::once(&mut assign.next).chain(results).collect()
            }
            Self::Give { outcomes, otherwise, next, .. } => {
                let arms = outcomes.iter_mut().map(|(_, node)| node);
                std::iter::once(next).chain(arms).chain([otherwise]).collect()
            }
            Self::Show(show) => {
                let arms = show.outcomes.iter_mut().map(|(_, node)| node);
                std::iter::once(&mut show.next).chain(arms).chain([&mut show.otherwise]).collect()
            }
        }
    }

    /// Where execution can go from here, in the order written.
    #[must_use]
    pub fn successors(&self) -> Vec<NodeId> {
        match self {
            Self::Send { outcomes, otherwise, next, .. } => {
                let arms = outcomes.iter().map(|(_, node)| *node);
                std::iter::once(*next).chain(arms).chain([*otherwise]).collect()
            }
            Self::Reach { rungs, otherwise, not_sent, .. } => {
                rungs.iter().map(|rung| rung.success).chain([*otherwise, *not_sent]).collect()
            }
            Self::Pause { next, .. }
            | Self::UntilMoment { next, .. }
            | Self::Tag { next, .. }
            | Self::Untag { next, .. }
            | Self::Remember { next, .. }
            | Self::Rounds { next, .. }
            | Self::Hide { next, .. }
            | Self::Start { next, .. } => vec![*next],
            Self::UntilState { next, timeout, .. } => vec![*next, *timeout],
            Self::Split { arms, next, .. } => arms.iter().map(|(.., node)| *node).chain([*next]).collect(),
            Self::Round { body, next, .. } => vec![*body, *next],
            Self::Events { arms, timeout, .. } => {
                arms.iter().map(|(_, node)| *node).chain([*timeout]).collect()
            }
            Self::If { then, otherwise, .. } => vec![*then, *otherwise],
            Self::Match { cases, otherwise, .. } => {
                cases.iter().map(|(_, node)| *node).chain([*otherwise]).collect()
            }
            Self::End { .. } => Vec::new(),
            Self::Assign(assign) => {
                std::iter::once(assign.next).chain(assign.results.iter().map(|(_, node)| *node)).collect()
            }
            Self::Give { outcomes, otherwise, next, .. } => {
                let arms = outcomes.iter().map(|(_, node)| *node);
                std::iter::once(*next).chain(arms).chain([*otherwise]).collect()
            }
            Self::Show(show) => {
                let arms = show.outcomes.iter().map(|(_, node)| *node);
                std::iter::once(show.next).chain(arms).chain([show.otherwise]).collect()
            }
        }
    }

    /// Names in here that end up in a customer's state or trace.
    #[must_use]
    pub fn names(&self) -> Vec<Name> {
        match self {
            Self::Send { content, channel, .. } => content.names().chain([*channel]).collect(),
            Self::Reach { rungs, .. } => {
                rungs.iter().flat_map(|rung| rung.content.names().chain([rung.step, rung.channel])).collect()
            }
            Self::Tag { tag: name, .. }
            | Self::Untag { tag: name, .. }
            | Self::Start { journey: name, .. }
            | Self::End { name } => vec![*name],
            Self::Assign(assign) => {
                std::iter::once(assign.task).chain(assign.known.iter().copied()).collect()
            }
            Self::Split { experiment, arms, .. } => {
                let own = [*experiment, arm_of(*experiment), tally_of(*experiment)];
                own.into_iter().chain(arms.iter().map(|(name, ..)| *name)).collect()
            }
            Self::Pause { .. }
            | Self::UntilMoment { .. }
            | Self::UntilState { .. }
            | Self::Events { .. }
            | Self::If { .. }
            | Self::Match { .. }
            | Self::Remember { .. }
            | Self::Rounds { .. }
            | Self::Round { .. } => Vec::new(),
            Self::Give { giving, outcomes, .. } => {
                outcomes.iter().map(|(name, _)| *name).chain(giving.budget).collect()
            }
            Self::Show(show) => {
                let slots = show.slots.iter().flat_map(|slot| [slot.step, slot.channel]);
                show.content.names().chain(slots).collect()
            }
            Self::Hide { contents, slots, .. } => contents.iter().chain(slots).copied().collect(),
        }
    }
}
