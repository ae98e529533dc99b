//! Findings about the conditions of a journey: what can never be true, and what cannot be true any more on the way to
//! where it stands.
//!
//! [`facts`] keeps what is known at a step, `branch` asks what that leaves for `if` and `match`, and here the steps are
//! walked in order. Attributes may change while an instance waits, so what was known of them ends at every step that
//! can take time; the entry event and what was remembered stay as they are.

pub(super) mod branch;
mod facts;
mod rules;

use super::audience::{filters, no_such};
use super::read::Reader;
use super::scope::{Scope, of_entry};
use super::tell::{Said, Written, why_never};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::{Expr, Pattern, show};
use crate::logic::Trust;
use crate::model::journey::{Exit, Repeat, Step, StepKind, Trigger};
use crate::model::{Journey, Model};
use crate::program::Enter;
use crate::text::Span;
use facts::{Facts, Known};

pub(super) fn check(model: &Model, journey: &Journey) -> Vec<Diagnostic> {
    let entry = match &journey.enter {
        Enter::Event(patterns) => one(patterns).map(|pattern| &pattern.source),
        Enter::Without { trigger, .. } => Some(&trigger.source),
        _ => None,
    };
    let reader = Reader::new(Scope::of_journey(model, journey, entry));
    let mut walk = Walk { reader, journey, facts: Facts::default(), found: Vec::new() };
    walk.clauses();
    if let Some(rules) = &journey.rules {
        walk.found.extend(rules::check(&mut walk.reader, journey, rules));
    }
    walk.invariants();
    let entered = walk.entered();
    walk.steps(&journey.steps, entered);
    for exit in &journey.exits {
        let left = walk.left(exit);
        walk.steps(&exit.block, left);
    }
    walk.found
}

fn one(patterns: &[Pattern]) -> Option<&Pattern> {
    match patterns {
        [only] => Some(only),
        _ => None,
    }
}

struct Walk<'m> {
    reader: Reader<'m>,
    journey: &'m Journey,
    facts: Facts,
    found: Vec<Diagnostic>,
}

impl Walk<'_> {
    fn expand(&mut self, expr: &Expr) -> Expr {
        self.reader.scope.expand(expr, &self.journey.uses)
    }

    /// What stands above the steps, and every `where`.
    fn clauses(&mut self) {
        let journey = self.journey;
        self.found.extend(filters(&mut self.reader, &journey.uses, journey.span));
        match &journey.enter {
            Enter::Event(patterns) => {
                let spans = journey.rules.iter().flat_map(|rules| rules.spans.iter().copied());
                let spans = spans.chain(std::iter::repeat(journey.span));
                patterns.iter().zip(spans).for_each(|(pattern, span)| self.patterns([pattern], span));
            }
            Enter::Without { trigger, absent, .. } => {
                self.patterns([trigger, absent], journey.span);
            }
            Enter::When { condition, .. } => self.possible("enter when", condition, journey.span),
            Enter::Date { filter: Some(filter), .. }
            | Enter::Anchor { filter: Some(filter), .. }
            | Enter::Every { filter: Some(filter), .. } => self.possible("where", filter, journey.span),
            _ => {}
        }
        for exit in &journey.exits {
            self.trigger("exit", &exit.trigger, exit.span);
        }
        for goal in &journey.goals {
            self.trigger("goal", &goal.trigger, goal.span);
        }
    }

    fn trigger(&mut self, word: &str, trigger: &Trigger, span: Span) {
        match trigger {
            Trigger::On(patterns) => self.patterns(patterns, span),
            Trigger::When(condition) => self.possible(&format!("{word} when"), condition, span),
        }
    }

    fn patterns<'p>(&mut self, patterns: impl IntoIterator<Item = &'p Pattern>, span: Span) {
        for pattern in patterns {
            if let Some(filter) = self.reader.scope.filter(pattern, &self.journey.uses) {
                self.found.extend(no_such(&mut self.reader, &pattern.source, &filter, span));
            }
        }
    }

    /// Tells a condition that can never be true; `false` if so.
    fn can_hold(&mut self, word: &str, expr: &Expr, span: Span) -> bool {
        let truth = self.reader.truth(expr);
        if !self.reader.is_never(&[&truth], Trust::Nothing) {
            return true;
        }
        let headline = format!("`{word} {}` is never true", show::expr(expr, &self.reader.scope));
        let note = why_never(&mut self.reader, expr);
        self.found.push(
            Diagnostic::new(code::NEVER_TRUE, span, headline)
                .label("never true")
                .note(note)
                .help("change one of them, or write `or` where either is enough"),
        );
        false
    }

    /// Tells a condition of a clause that can never be true, in its author's words.
    fn possible(&mut self, word: &str, condition: &Expr, span: Span) {
        let expr = self.expand(condition);
        let truth = self.reader.truth(&expr);
        if !self.reader.is_never(&[&truth], Trust::Nothing) {
            return;
        }
        let written = Written { expr: condition, uses: &self.journey.uses };
        let blamed = written.blames(&mut self.reader);
        if blamed.is_some_and(|name| self.reader.scope.is_audience(name)) {
            return;
        }
        let headline = format!("`{word} {}` is never true", written.words(&self.reader));
        let note = written.why_never(&mut self.reader);
        self.found.push(
            Diagnostic::new(code::NEVER_TRUE, span, headline)
                .label("never true")
                .note(note)
                .help("take one of them out, or change it; `or` instead of `and` where either is enough"),
        );
    }

    /// `exit when` is looked at before every step, so its condition is not true where a step is done.
    fn invariants(&mut self) {
        for exit in &self.journey.exits {
            if let Trigger::When(condition) = &exit.trigger {
                let expr = self.expand(condition);
                let truth = self.reader.truth(&expr);
                if !self.reader.is_never(&[&truth.negated()], Trust::Types) {
                    self.facts.always(&mut self.reader, &expr, exit.span);
                }
            }
        }
    }

    /// What is known of whoever enters, at the first step.
    fn entered(&mut self) -> Known {
        let journey = self.journey;
        let (condition, lasting) = match &journey.enter {
            Enter::Event(patterns) => {
                let pattern = one(patterns);
                (
                    pattern
                        .and_then(|pattern| self.reader.scope.filter(pattern, &journey.uses))
                        .map(of_entry),
                    false,
                )
            }
            // Between the event and the entry time passes.
            Enter::Without { trigger, .. } => {
                (self.reader.scope.filter(trigger, &journey.uses).map(of_entry), true)
            }
            Enter::When { condition: expr, .. }
            | Enter::Date { filter: Some(expr), .. }
            | Enter::Anchor { filter: Some(expr), .. }
            | Enter::Every { filter: Some(expr), .. } => (Some(self.expand(expr)), false),
            _ => (None, false),
        };
        let mut known = self.facts.at_first();
        if let Some(expr) = condition {
            self.facts.learn(&mut known, &mut self.reader, &expr, Said::True, journey.span);
        }
        if lasting {
            self.facts.time_passes(&mut known);
        }
        if self.facts.contradict(&known, &self.reader) { self.facts.at_first() } else { known }
    }

    /// What is known of whoever leaves by `exit`, in its block.
    fn left(&mut self, exit: &Exit) -> Known {
        let mut known = Known::default();
        if let Trigger::When(condition) = &exit.trigger {
            let expr = self.expand(condition);
            self.facts.learn(&mut known, &mut self.reader, &expr, Said::True, exit.span);
        }
        if self.facts.contradict(&known, &self.reader) { Known::default() } else { known }
    }

    /// What is known behind the steps; `None` if no path goes on.
    fn steps(&mut self, steps: &[Step], mut known: Known) -> Option<Known> {
        for step in steps {
            if matches!(step.kind, StepKind::Continue) {
                return Some(known);
            }
            known = self.step(step, known)?;
        }
        Some(known)
    }

    fn step(&mut self, step: &Step, mut known: Known) -> Option<Known> {
        match &step.kind {
            StepKind::If { arms, otherwise } => self.branch(step, arms, otherwise, &known),
            StepKind::Match { subjects, cases, otherwise } => {
                self.matched(subjects, cases, otherwise.as_deref(), &known)
            }
            StepKind::UntilState { condition, otherwise, .. } => {
                Some(self.until(step, condition, otherwise, known))
            }
            StepKind::End { .. } => None,
            StepKind::Continue | StepKind::Hide { .. } => Some(known),
            StepKind::Phase { steps, .. } => self.steps(steps, known),
            StepKind::Tag { .. } | StepKind::Untag { .. } => {
                self.facts.tags_change(&mut known);
                Some(known)
            }
            StepKind::Remember { slot, .. } => {
                self.facts.is_set(&mut known, *slot);
                Some(known)
            }
            StepKind::Repeat(repeat) => Some(self.rounds(step, repeat, known)),
            StepKind::Send(..)
            | StepKind::Reach { .. }
            | StepKind::Pause(_)
            | StepKind::UntilMoment(_)
            | StepKind::Events { .. }
            | StepKind::Start { .. }
            | StepKind::Assign(_)
            | StepKind::Give(..)
            | StepKind::Show(_)
            | StepKind::Split { .. } => Some(self.passes_time(step, known)),
        }
    }

    /// At the start of a round no more is known than what no round before it can have changed.
    fn rounds(&mut self, step: &Step, repeat: &Repeat, mut known: Known) -> Known {
        if let Some(until) = &repeat.until {
            self.possible("until", until, step.span);
        }
        self.facts.rounds_pass(&mut known);
        self.steps(&repeat.steps, known.clone());
        known
    }

    /// Steps during which anything may change. Their arms know no more than what stays.
    fn passes_time(&mut self, step: &Step, mut known: Known) -> Known {
        let patterns: Vec<&Pattern> = match &step.kind {
            StepKind::Events { arms, .. } => {
                arms.iter().flat_map(|arm| &arm.awaited).map(|awaited| &awaited.pattern).collect()
            }
            StepKind::Reach { rungs, .. } => rungs.iter().flat_map(|rung| &rung.awaited).collect(),
            _ => Vec::new(),
        };
        self.patterns(patterns, step.span);
        self.facts.time_passes(&mut known);
        if let StepKind::Events { arms, .. } = &step.kind {
            let slots = arms.iter().flat_map(|arm| &arm.awaited).filter_map(|awaited| awaited.slot);
            slots.for_each(|slot| self.facts.is_set(&mut known, slot));
        }
        if let StepKind::Give(giving, _) = &step.kind {
            giving.slot.into_iter().for_each(|slot| self.facts.is_set(&mut known, slot));
        }
        for block in step.kind.blocks() {
            // What is learned in an arm about things that stay is forgotten behind it.
            self.steps(block, known.clone());
        }
        known
    }

    fn until(&mut self, step: &Step, condition: &Expr, otherwise: &[Step], mut known: Known) -> Known {
        let expr = self.expand(condition);
        if self.can_hold("wait until", &expr, step.span) {
            let not = self.reader.truth(&expr).negated();
            if let Some(because) = self.facts.exclude(&known, &self.reader, &not) {
                let words = show::expr(&expr, &self.reader.scope);
                let headline = format!("this wait ends at once: `{words}` is so already");
                let mut finding = Diagnostic::new(code::WAIT_AT_ONCE, step.span, headline)
                    .label("nobody waits here")
                    .help("remove the wait, or wait for what should change");
                for (span, said) in self.facts.told(&because, &self.reader, step.span) {
                    finding = finding.also(span, said);
                }
                self.found.push(finding);
            }
        }
        self.facts.time_passes(&mut known);
        let mut late = known.clone();
        self.facts.learn(&mut late, &mut self.reader, &expr, Said::NotTrue, step.span);
        let mut came = known.clone();
        self.facts.learn(&mut came, &mut self.reader, &expr, Said::True, step.span);
        if self.facts.contradict(&came, &self.reader) {
            came = known.clone();
        }
        if self.facts.contradict(&late, &self.reader) {
            late = known;
        }
        let late = self.steps(otherwise, late);
        match late {
            Some(late) => came.met(&late),
            None => came,
        }
    }
}
