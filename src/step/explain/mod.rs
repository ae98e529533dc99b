//! A trace in words: one sentence per decision, with the journey's own names and the line it stands on.
//!
//! Words come from the program that was pinned when the decision was made, so a journey that has been rewritten since
//! still explains itself.

mod entry;
mod gate;
mod show;
mod step;
mod task;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::because;
use super::index::Loaded;
use super::message;
use super::symbols::Sym;
use super::trace::{Because, Decision, Trace};
use super::world::World;
use crate::expr::show::{self as shown, Names};
use crate::expr::{Aggregate, Expr};
use crate::name::Name;
use crate::program::Program;

/// One decision, worded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    pub at: Timestamp,
    /// Local time of the bank.
    pub clock: String,
    pub journey: Option<Name>,
    /// The child it is about: `holding cd`.
    pub child: Option<String>,
    pub entry: Option<Arc<str>>,
    /// The step's full identity.
    pub step: Option<Name>,
    /// `journeys/first_loan.journey:20`
    pub place: Option<String>,
    /// Without a full stop, and without what the other fields say.
    pub sentence: String,
    /// As what a message left: the first signs of the hashes of its content and of the policies.
    pub hashes: Option<Hashes>,
}

/// What a message that left was bound to, as `build` and the payload of a channel have it in whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashes {
    pub content: String,
    pub policy: Option<String>,
}

impl fmt::Display for Hashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "content {}", self.content)?;
        self.policy.iter().try_for_each(|policy| write!(f, ", policies {policy}"))
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.clock)?;
        if let Some(journey) = self.journey {
            write!(f, "  {journey}")?;
        }
        if let Some(child) = &self.child {
            write!(f, " of {child}")?;
        }
        write!(f, "  {}", self.sentence)?;
        match &self.place {
            Some(place) => write!(f, "  ({place})"),
            None => Ok(()),
        }
    }
}

/// Words `trace`. Names of programs that are no longer loaded fall back to numbers, never to nothing.
#[must_use]
pub fn explain(trace: &Trace, world: &World) -> Explained {
    let loaded = trace.program.and_then(|no| world.index().program(no)).map(|loaded| &**loaded);
    let words = Words { world, loaded, trace };
    Explained {
        at: trace.at,
        clock: words.clock(trace.at),
        journey: trace.journey.and_then(|journey| world.symbols.name(journey)),
        child: trace.subject.0.as_ref().map(|(entity, id)| format!("{} {id}", words.name(*entity))),
        entry: trace.entry.clone(),
        step: words.node().map(|(node, _)| node.step),
        place: words.place(),
        sentence: words.sentence(),
        hashes: hashes(&trace.what),
    }
}

fn hashes(what: &Decision) -> Option<Hashes> {
    let Decision::Leaves { content, policy, .. } = what else { return None };
    let text = |mark: u64| format!("{mark:016x}");
    Some(Hashes { content: text(*content), policy: policy.map(text) })
}

struct Words<'a> {
    world: &'a World,
    loaded: Option<&'a Loaded>,
    trace: &'a Trace,
}

impl<'a> Words<'a> {
    fn sentence(&self) -> String {
        match &self.trace.what {
            Decision::Entered { by } => format!("entered, because {}", self.cause(by)),
            Decision::NotEntered { by, why } => format!("did not enter: {}", self.not_entered(by, why)),
            Decision::Planned { by, at } => self.planned(by, *at),
            Decision::Queued { by, lane, behind, until } => format!(
                "waits for its turn in lane `{}` until {}, because `{}` goes first: {}",
                self.name(*lane),
                self.clock(*until),
                self.name(*behind),
                self.cause(by)
            ),
            Decision::Goal { goal, at } => {
                format!("reached the goal `{}` at {}", self.goal(*goal), self.clock(*at))
            }
            Decision::Exited { end } => format!("exited as `{}`", self.name(*end)),
            Decision::Ended { end } => format!("ended as `{}`", self.name(*end)),
            Decision::Parked { event } => {
                format!("`{}` is kept until the subject's attributes arrive", self.name(*event))
            }
            Decision::NotKnown { event } => {
                format!(
                    "`{}` was put aside: the subject's attributes did not arrive in time",
                    self.name(*event)
                )
            }
            Decision::Merged { into } => {
                format!("is the same as `{}`, and goes on there", message::key_text(into))
            }
            Decision::NotMerged { into } => {
                format!(
                    "does not go into `{}`: it is the same already, or of another kind",
                    message::key_text(into)
                )
            }
            Decision::Absorbed { from } => {
                format!("`{}` was found to be the same: what it had is here now", message::key_text(from))
            }
            Decision::Imported { event } => {
                format!("`{}` is known from an import: nobody acts on it", self.name(*event))
            }
            other => self.step(other),
        }
    }

    fn name(&self, sym: Sym) -> String {
        self.world.symbols.name(sym).map_or_else(|| format!("#{}", sym.0), |name| name.to_string())
    }

    /// Whether what was given is that somebody invited has done what counts.
    fn is_referral(&self, sym: Sym) -> bool {
        let name = self.world.symbols.name(sym);
        name.is_some_and(|name| self.world.bundle.values.referrals.contains_key(&name))
    }

    /// A name with its label: `converted`.
    fn goal(&self, number: u16) -> String {
        let goal = self.program().and_then(|program| program.goals.get(usize::from(number)));
        goal.map_or_else(|| format!("#{number}"), |goal| goal.name.to_string())
    }

    fn program(&self) -> Option<&'a Program> {
        self.loaded.map(|loaded| &*loaded.program)
    }

    fn node(&self) -> Option<(&'a crate::program::Node, Option<u32>)> {
        if matches!(self.trace.what, Decision::Entered { .. }) {
            return None;
        }
        let at = usize::from(self.trace.node?);
        let program = self.program()?;
        Some((program.nodes.get(at)?, program.lines.get(at).copied()))
    }

    /// The line of the rung that a decision about a message belongs to.
    fn rung(&self) -> Option<u32> {
        let step = match &self.trace.what {
            Decision::Decided { step, .. }
            | Decision::Refused { step, .. }
            | Decision::Dispatched { step, .. }
            | Decision::Leaves { step, .. }
            | Decision::Answered { step, .. }
            | Decision::Receipt { step, .. }
            | Decision::Unconfirmed { step, .. }
            | Decision::Held { step, .. }
            | Decision::Cancelled { step } => self.world.symbols.name(*step)?,
            _ => return None,
        };
        let lines = &self.program()?.rung_lines;
        lines.iter().find(|(rung, _)| *rung == step).map(|(_, line)| *line)
    }

    fn place(&self) -> Option<String> {
        let origin = self.program()?.origin.as_ref()?;
        let node = || self.node().and_then(|(_, line)| line).filter(|line| *line > 0);
        let line = self.rung().or_else(node).unwrap_or(origin.line);
        Some(format!("{}:{line}", origin.path))
    }

    /// Local time of the bank, to the second.
    fn clock(&self, at: Timestamp) -> String {
        self.world.zone.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    fn expr(&self, expr: &Expr) -> String {
        match self.program() {
            Some(program) => shown::expr(expr, &Shown(program)),
            None => shown::expr(expr, &()),
        }
    }

    /// Such as: preapproved is false, because the limit is missing.
    fn verdict(&self, condition: &Expr, holds: bool, because: &Because) -> String {
        let shown = self.expr(condition);
        let told = self.because(std::slice::from_ref(condition), because);
        // An audience on its own is a leaf too; it need not be said twice.
        let itself = told.strip_prefix(&format!("{shown} is {holds}"));
        let rest = itself.map_or(told.as_str(), |rest| rest.trim_start_matches(", "));
        if rest.is_empty() {
            format!("`{shown}` is {holds}")
        } else {
            format!("`{shown}` is {holds}: {rest}")
        }
    }

    /// `loan_limit is missing, gone_quiet is true`
    fn because(&self, conditions: &[Expr], because: &Because) -> String {
        let defs = self.program().map_or(&[][..], |program| &program.defs);
        let leaves = because::leaves(conditions, defs);
        let told = because.iter().filter_map(|(number, value)| {
            let leaf = leaves.get(usize::from(*number))?;
            let value = if value.is_missing() { "missing".to_owned() } else { shown::value(value) };
            Some(format!("{} is {value}", self.expr(leaf)))
        });
        // What two audiences ask is said once.
        let mut said: Vec<String> = Vec::new();
        for leaf in told {
            if !said.contains(&leaf) {
                said.push(leaf);
            }
        }
        said.join(", ")
    }
}

/// The names of a program's numbered things.
struct Shown<'a>(&'a Program);

impl Names for Shown<'_> {
    fn local(&self, slot: u16) -> Option<Name> {
        self.0.locals.get(usize::from(slot)).copied()
    }

    fn def(&self, index: u16) -> Option<Name> {
        self.0.defs.get(usize::from(index)).map(|def| def.name)
    }

    fn feature(&self, index: u16) -> Option<&Aggregate> {
        self.0.features.get(usize::from(index)).map(|feature| &feature.aggregate)
    }

    fn parent(&self) -> Option<Name> {
        (self.0.subject != self.0.root).then_some(self.0.root)
    }
}
