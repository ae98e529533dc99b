//! Facts about an instance, numbered: what conditions on its way say of it, for passes over the graph of its journey.
//!
//! A fact is one part of a condition that was true (or was not) somewhere. Whether it still holds further on is for the
//! pass to say: [`Mind::lasts`] tells what time, tags and remembered values can change. Sound as `logic` is: facts are
//! only said to exclude one another where that was proved.

use super::journey::branch::row;
use super::read::Reader;
use super::scope::{Scope, any, is_frozen, of_entry};
use super::tell::{Part, Said, parts};
use super::words::lines;
use crate::expr::{Expr, Pattern};
use crate::logic::{Answer, Formula, Trust};
use crate::model::{Journey, Model};
use crate::program::{CaseTest, Enter};
use crate::text::Span;

/// Everything that was ever learned of instances of one journey.
#[derive(Clone, Debug)]
pub struct Mind<'m> {
    reader: Reader<'m>,
    journey: &'m Journey,
    facts: Vec<Fact>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FactId(usize);

#[derive(Clone, Debug)]
struct Fact {
    part: Part,
    formula: Formula,
    /// Where it was first decided.
    span: Span,
    lasts: Lasts,
}

/// What can make a fact untrue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lasts {
    /// It stays as it is while time passes: of the event that entered, of what was remembered.
    pub frozen: bool,
    /// Giving or taking a tag may change it.
    pub on_tags: bool,
    /// It asks what has happened, messages among it.
    pub on_history: bool,
    /// Remembered values that it speaks of.
    pub slots: Vec<u16>,
}

/// Whether a condition was true, or was not (which is false or missing).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Was {
    True,
    NotTrue,
}

impl<'m> Mind<'m> {
    #[must_use]
    pub fn new(model: &'m Model, journey: &'m Journey) -> Self {
        let entry = match &journey.enter {
            Enter::Event(patterns) => only(patterns).map(|pattern| &pattern.source),
            Enter::Without { trigger, .. } => Some(&trigger.source),
            _ => None,
        };
        let reader = Reader::new(Scope::of_journey(model, journey, entry));
        Self { reader, journey, facts: Vec::new() }
    }

    /// What a condition of the journey says, part by part.
    pub fn learn(&mut self, condition: &Expr, was: Was, span: Span) -> Vec<FactId> {
        let expr = self.reader.scope.expand(condition, &self.journey.uses);
        self.learn_written(&expr, was, span)
    }

    /// The same of a row of tests, one for each of `subjects`.
    pub fn learn_case(&mut self, subjects: &[Expr], tests: &[CaseTest], was: Was, span: Span) -> Vec<FactId> {
        let subjects: Vec<Expr> =
            subjects.iter().map(|subject| self.reader.scope.expand(subject, &self.journey.uses)).collect();
        self.learn_written(&row(&subjects, tests), was, span)
    }

    /// What holds of whoever enters, in the instant of entering.
    pub fn entered(&mut self) -> Vec<FactId> {
        let journey = self.journey;
        let filter = |mind: &mut Self, pattern: &Pattern| {
            mind.reader.scope.filter(pattern, &journey.uses).map(of_entry)
        };
        let expr = match &journey.enter {
            Enter::Event(patterns) => only(patterns).and_then(|pattern| filter(self, pattern)),
            Enter::Without { trigger, .. } => filter(self, trigger),
            Enter::When { condition: expr, .. }
            | Enter::Date { filter: Some(expr), .. }
            | Enter::Anchor { filter: Some(expr), .. }
            | Enter::Every { filter: Some(expr), .. } => Some(self.reader.scope.expand(expr, &journey.uses)),
            _ => None,
        };
        let found = expr.map(|expr| self.learn_written(&expr, Was::True, journey.span)).unwrap_or_default();
        // Between the event and the entry time passes.
        let waits = matches!(journey.enter, Enter::Without { .. });
        found.into_iter().filter(|fact| !waits || self.lasts(*fact).frozen).collect()
    }

    fn learn_written(&mut self, expr: &Expr, was: Was, span: Span) -> Vec<FactId> {
        let mut all = Vec::new();
        parts(expr, if was == Was::True { Said::True } else { Said::NotTrue }, &mut all);
        all.into_iter().map(|part| self.number(part, span)).collect()
    }

    fn number(&mut self, part: Part, span: Span) -> FactId {
        if let Some(at) = self.facts.iter().position(|fact| fact.part == part) {
            return FactId(at);
        }
        let on_tags = any(&part.expr, &|expr| matches!(expr, Expr::Tag(..) | Expr::Def(..)));
        let on_history =
            any(&part.expr, &|expr| matches!(expr, Expr::History(_) | Expr::Aggregate(_) | Expr::Def(..)));
        let mut slots = Vec::new();
        collect_slots(&part.expr, &mut slots);
        let lasts = Lasts { frozen: is_frozen(&part.expr), on_tags, on_history, slots };
        let formula = part.formula(&mut self.reader);
        self.facts.push(Fact { part, formula, span, lasts });
        FactId(self.facts.len() - 1)
    }

    /// What can make the fact untrue; an unknown number lasts no time.
    #[must_use]
    pub fn lasts(&self, fact: FactId) -> Lasts {
        self.facts.get(fact.0).map(|fact| fact.lasts.clone()).unwrap_or_default()
    }

    /// The fact in the language's words, in backticks, and where it was decided.
    #[must_use]
    pub fn told(&self, fact: FactId) -> Option<(String, Span)> {
        let fact = self.facts.get(fact.0)?;
        Some((fact.part.words(&self.reader), fact.span))
    }

    /// The condition that the fact says was true; `None` where it says that one was not.
    #[must_use]
    pub fn holds(&self, fact: FactId) -> Option<&Expr> {
        let fact = self.facts.get(fact.0)?;
        (fact.part.said == Said::True).then_some(&fact.part.expr)
    }

    /// The condition that the fact says was not true.
    #[must_use]
    pub fn fails(&self, fact: FactId) -> Option<&Expr> {
        let fact = self.facts.get(fact.0)?;
        (fact.part.said != Said::True).then_some(&fact.part.expr)
    }

    /// Whether it is proved that these facts cannot all hold in one instant.
    #[must_use]
    pub fn exclude(&self, facts: &[FactId]) -> bool {
        let formulas = self.formulas(facts);
        formulas.len() > 1 && self.reader.is_never(&formulas, Trust::Types)
    }

    /// Whether whoever has all of `facts` satisfies `condition` (of the journey).
    pub fn implies(&mut self, facts: &[FactId], condition: &Expr) -> bool {
        let expr = self.reader.scope.expand(condition, &self.journey.uses);
        let not = self.reader.truth(&expr).negated();
        let mut formulas = self.formulas(facts);
        formulas.push(&not);
        self.reader.is_never(&formulas, Trust::Types)
    }

    /// Somebody of whom all of it holds, one line for each thing that matters; empty: anybody. `None`: nobody, or it
    /// cannot be told.
    #[must_use]
    pub fn example(&self, facts: &[FactId]) -> Option<Vec<String>> {
        match self.reader.solve(&self.formulas(facts), Trust::Types) {
            Answer::Example(example) => Some(lines(&self.reader, &example)),
            Answer::Never | Answer::Unknown => None,
        }
    }

    fn formulas(&self, facts: &[FactId]) -> Vec<&Formula> {
        facts.iter().filter_map(|fact| self.facts.get(fact.0)).map(|fact| &fact.formula).collect()
    }
}

fn only(patterns: &[Pattern]) -> Option<&Pattern> {
    match patterns {
        [only] => Some(only),
        _ => None,
    }
}

fn collect_slots(expr: &Expr, into: &mut Vec<u16>) {
    if let Expr::Local(slot) = expr {
        into.push(*slot);
    }
    expr.parts().into_iter().for_each(|part| collect_slots(part, into));
}
