//! A statement about one journey: what is proved of every run, what is bounded and by which numbers, what is only a
//! rule of thumb, and what nobody knows before the daemon enforces it. Text for people, JSON for an approval.
//!
//! The statement says no more than its passes promise; a claim that could not be shown says so (`open`) instead of
//! being left out.

mod bounded;
mod runtime;
mod sound;

use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;

use super::facts::Facts;
use super::flow::Flow;
use super::path::{Witness, Words};
use super::told;
use crate::model::{Journey, Model};
use crate::text::{Sources, Span};

/// The version of the JSON. Fields are only ever added.
pub const FORMAT: &str = "1";

#[derive(Clone, Debug, Serialize)]
pub struct Proof {
    pub version: &'static str,
    pub journey: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<Arc<str>>,
    pub purpose: String,
    pub owner: Arc<str>,
    /// Of the program that this is about, where one was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<Arc<str>>,
    pub place: Place,
    pub claims: Vec<Claim>,
}

/// How far a claim goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Of every run.
    Sound,
    /// A number that no run exceeds.
    Bounded,
    /// Likely, not certain.
    Heuristic,
    /// Kept by the gate and the engine while it runs.
    Runtime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Holds,
    /// It could not be shown, or there is no bound.
    Open,
}

#[derive(Clone, Debug, Serialize)]
pub struct Claim {
    pub kind: Kind,
    pub verdict: Verdict,
    /// A stable word for tools: `ends`, `sends_per_window`.
    pub id: &'static str,
    pub says: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<Told>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Number {
    pub name: String,
    /// `None`: nothing bounds it.
    pub most: Option<i64>,
    pub unit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    pub path: Arc<str>,
    pub line: u32,
}

/// A witness in words.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    pub steps: Vec<ToldStep>,
    /// One line for each thing that matters; empty: anybody.
    pub customer: Vec<String>,
    /// Whether the conditions on the way were shown to hold together.
    pub decided: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct ToldStep {
    /// Behind the entry or the first message, at the earliest.
    pub after_ms: i64,
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// What all chapters look at.
struct Desk<'p, 'm> {
    flow: &'p Flow<'m>,
    facts: &'p Facts<'m>,
    words: Words,
    sources: &'p Sources,
}

/// The statement about a journey without errors of `model`.
#[must_use]
pub fn prove(model: &Model, journey: &Journey, sources: &Sources, program: Option<Arc<str>>) -> Proof {
    let mut flow = Flow::of(model, journey);
    let facts = Facts::of(&mut flow);
    let words = Words::of(&flow);
    let desk = Desk { flow: &flow, facts: &facts, words, sources };
    let mut claims = sound::claims(&desk);
    claims.extend(bounded::claims(&desk));
    claims.extend(runtime::claims(&desk));
    Proof {
        version: FORMAT,
        journey: journey.name.to_string(),
        label: journey.label.clone(),
        purpose: journey.purpose.to_string(),
        owner: journey.owner.clone(),
        program,
        place: desk.place(journey.span),
        claims,
    }
}

impl Desk<'_, '_> {
    fn place(&self, span: Span) -> Place {
        let (path, line) = self.sources.place(span);
        Place { path, line }
    }

    fn told(&self, witness: &Witness) -> Told {
        let lines = self.words.lines(witness);
        let steps = lines.into_iter().map(|(after_ms, text)| ToldStep { after_ms, text, place: None });
        Told { steps: steps.collect(), customer: witness.customer.clone(), decided: witness.decided }
    }
}

impl Claim {
    fn new(kind: Kind, id: &'static str, holds: bool, says: impl Into<String>) -> Self {
        let verdict = if holds { Verdict::Holds } else { Verdict::Open };
        Self { kind, verdict, id, says: says.into(), numbers: Vec::new(), place: None, witness: None }
    }

    fn number(mut self, name: impl Into<String>, most: Option<i64>, unit: &'static str) -> Self {
        self.numbers.push(Number { name: name.into(), most, unit });
        self
    }

    fn at(self, place: Place) -> Self {
        Self { place: Some(place), ..self }
    }

    fn witness(self, witness: Told) -> Self {
        Self { witness: Some(witness), ..self }
    }
}

impl Kind {
    fn title(self) -> &'static str {
        match self {
            Self::Sound => "Proved: of every run, for every customer",
            Self::Bounded => "Bounded: no run exceeds these numbers",
            Self::Heuristic => "Likely: rules of thumb",
            Self::Runtime => "Enforced at run time: nobody knows it before",
        }
    }
}

impl Proof {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let label = self.label.as_ref().map(|label| format!(" \"{label}\"")).unwrap_or_default();
        let Place { path, line } = &self.place;
        let _ = writeln!(
            text,
            "{}{label}, {}, owned by {}  ({path}:{line})",
            self.journey, self.purpose, self.owner
        );
        if let Some(program) = &self.program {
            let _ = writeln!(text, "program {program}");
        }
        for kind in [Kind::Sound, Kind::Bounded, Kind::Heuristic, Kind::Runtime] {
            let claims: Vec<&Claim> = self.claims.iter().filter(|claim| claim.kind == kind).collect();
            if claims.is_empty() {
                continue;
            }
            let _ = writeln!(text, "\n{}", kind.title());
            claims.into_iter().for_each(|claim| claim.write(&mut text));
        }
        text
    }
}

impl Claim {
    fn write(&self, text: &mut String) {
        let mark = if self.verdict == Verdict::Open { "! " } else { "- " };
        let place = self.place.as_ref();
        let place = place.map(|Place { path, line }| format!("  ({path}:{line})")).unwrap_or_default();
        let _ = writeln!(text, "  {mark}{}{place}", self.says);
        let Some(witness) = &self.witness else { return };
        for step in &witness.steps {
            let after = if step.after_ms == 0 { String::new() } else { told(step.after_ms) };
            let _ = writeln!(text, "      {after:>8}  {}", step.text);
        }
        if !witness.customer.is_empty() {
            let _ = writeln!(text, "      for example {}", witness.customer.join(", "));
        }
        if !witness.decided {
            let _ = writeln!(text, "      (whether its conditions hold together was not decided)");
        }
    }
}
