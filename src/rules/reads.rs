//! What decides a step: the attributes and events that conditions around it, or before it, look at.
//!
//! Over-approximate: a condition above a step in the same block decides it if one of its branches ends the journey.

use std::collections::BTreeSet;

use super::context;
use crate::expr::{Aggregate, Expr, Owner, Pattern, Source};
use crate::model::journey::{Step, StepKind, Trigger};
use crate::model::{Field, Journey, Model, Uses};
use crate::name::Name;
use crate::program::Enter;

/// Something that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read {
    /// An attribute of this kind of subject.
    Attribute(Name, Name),
    Event(Name),
}

/// Definitions go no deeper than this; the bound only keeps a broken model from hanging.
const DEEPEST: usize = 32;

/// Everything that `expr`, seen from `subject`, looks at. `locals` are what slots were filled with.
#[must_use]
pub fn of<'a>(model: &'a Model, subject: Name, uses: &'a Uses, expr: &'a Expr) -> BTreeSet<Read> {
    let mut reader = Reader { model, found: BTreeSet::new() };
    reader.expr(expr, subject, uses, 0);
    reader.found
}

/// The field that an attribute is.
#[must_use]
pub fn field(model: &Model, entity: Name, name: Name) -> Option<&Field> {
    model.entities.get(&entity)?.field(name)
}

/// Whether any kind of subject has a field for which `is_it` holds: without one a rule about such fields has nothing to do.
pub fn any_field(model: &Model, is_it: impl Fn(&Field) -> bool) -> bool {
    model.entities.values().any(|entity| entity.fields.iter().any(&is_it))
}

struct Reader<'a> {
    model: &'a Model,
    found: BTreeSet<Read>,
}

impl<'a> Reader<'a> {
    fn expr(&mut self, expr: &'a Expr, subject: Name, uses: &'a Uses, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        match expr {
            Expr::Attr(owner, name) => {
                _ = self.found.insert(Read::Attribute(self.owner(*owner, subject), *name));
            }
            Expr::Reference { entity, attribute, .. } => {
                self.found.insert(Read::Attribute(*entity, *attribute));
            }
            Expr::Def(owner, index) => {
                let derived =
                    uses.defs.get(usize::from(*index)).and_then(|name| self.model.derived.get(name));
                if let Some(derived) = derived {
                    self.expr(&derived.value, self.owner(*owner, subject), &derived.uses, depth + 1);
                }
            }
            Expr::History(index) => {
                if let Some(aggregate) = uses.features.get(usize::from(*index)) {
                    self.aggregate(aggregate, subject, uses, depth + 1);
                }
            }
            Expr::Aggregate(aggregate) => self.aggregate(aggregate, subject, uses, depth + 1),
            _ => {}
        }
        for part in expr.parts() {
            self.expr(part, subject, uses, depth + 1);
        }
    }

    fn aggregate(&mut self, aggregate: &'a Aggregate, subject: Name, uses: &'a Uses, depth: usize) {
        self.source(&aggregate.source, subject);
        for expr in aggregate.exprs() {
            self.expr(expr, subject, uses, depth);
        }
    }

    fn source(&mut self, source: &Source, subject: Name) {
        let read = match source {
            Source::Event(name) => Read::Event(*name),
            Source::Change { attribute, .. } | Source::Close(attribute) => {
                Read::Attribute(subject, *attribute)
            }
            Source::Daily { owner, attribute } => Read::Attribute(self.owner(*owner, subject), *attribute),
            Source::Message { .. } | Source::Children(_) => return,
        };
        self.found.insert(read);
    }

    fn pattern(&mut self, pattern: &'a Pattern, subject: Name, uses: &'a Uses) {
        self.source(&pattern.source, subject);
        if let Some(filter) = &pattern.filter {
            self.expr(filter, subject, uses, 0);
        }
    }

    fn trigger(&mut self, trigger: &'a Trigger, journey: &'a Journey) {
        let (subject, uses) = (journey.subject, &journey.uses);
        match trigger {
            Trigger::On(patterns) => patterns.iter().for_each(|one| self.pattern(one, subject, uses)),
            Trigger::When(condition) => self.expr(condition, subject, uses, 0),
        }
    }

    /// What is looked at in the step itself.
    fn step(&mut self, step: &'a Step, journey: &'a Journey) {
        let (subject, uses) = (journey.subject, &journey.uses);
        match &step.kind {
            StepKind::If { arms, .. } => {
                arms.iter().for_each(|(condition, _)| self.expr(condition, subject, uses, 0));
            }
            StepKind::Match { subjects, .. } => {
                subjects.iter().for_each(|one| self.expr(one, subject, uses, 0));
            }
            StepKind::Remember { value, .. } => self.expr(value, subject, uses, 0),
            StepKind::UntilState { condition, .. } => self.expr(condition, subject, uses, 0),
            StepKind::Events { arms, .. } => {
                for awaited in arms.iter().flat_map(|arm| &arm.awaited) {
                    self.pattern(&awaited.pattern, subject, uses);
                }
            }
            _ => {}
        }
    }

    fn owner(&self, owner: Owner, subject: Name) -> Name {
        match owner {
            Owner::Subject => subject,
            Owner::Parent => self.model.entities.get(&subject).and_then(|it| it.parent).unwrap_or(subject),
        }
    }
}

/// What decides who enters.
#[must_use]
pub fn entry(model: &Model, journey: &Journey) -> BTreeSet<Read> {
    let mut reader = Reader { model, found: BTreeSet::new() };
    let (subject, uses) = (journey.subject, &journey.uses);
    match &journey.enter {
        Enter::Event(patterns) => patterns.iter().for_each(|one| reader.pattern(one, subject, uses)),
        Enter::Without { trigger, .. } => reader.pattern(trigger, subject, uses),
        Enter::Date { moment, .. } => reader.expr(moment, subject, uses, 0),
        _ => {}
    }
    for condition in conditions(journey) {
        reader.expr(condition, subject, uses, 0);
    }
    reader.found
}

/// Whatever conditions of the journey look at, wherever they stand.
#[must_use]
pub fn all(model: &Model, journey: &Journey) -> BTreeSet<Read> {
    let mut reader = Reader { model, found: entry(model, journey) };
    for exit in &journey.exits {
        reader.trigger(&exit.trigger, journey);
    }
    context::walk(journey, &mut |step| reader.step(step, journey));
    reader.found
}

/// The condition of entering, and those of the patterns that enter.
#[must_use]
pub fn conditions(journey: &Journey) -> Vec<&Expr> {
    match &journey.enter {
        Enter::Event(patterns) => patterns.iter().filter_map(|one| one.filter.as_ref()).collect(),
        Enter::Without { trigger, .. } => trigger.filter.iter().collect(),
        Enter::When { condition, .. } => vec![condition],
        Enter::Date { filter, .. } | Enter::Anchor { filter, .. } | Enter::Every { filter, .. } => {
            filter.iter().collect()
        }
        Enter::Start | Enter::List => Vec::new(),
    }
}

/// Calls `look` with every step and what decides it, who enters included.
pub fn walk<'a>(model: &'a Model, journey: &'a Journey, look: &mut impl FnMut(&'a Step, &BTreeSet<Read>)) {
    let entered = entry(model, journey);
    let walk = Walk { model, journey };
    walk.block(&journey.steps, &entered, look);
    for exit in &journey.exits {
        let mut reader = Reader { model, found: entered.clone() };
        reader.trigger(&exit.trigger, journey);
        walk.block(&exit.block, &reader.found, look);
    }
}

struct Walk<'a> {
    model: &'a Model,
    journey: &'a Journey,
}

impl<'a> Walk<'a> {
    fn block(
        &self,
        steps: &'a [Step],
        outside: &BTreeSet<Read>,
        look: &mut impl FnMut(&'a Step, &BTreeSet<Read>),
    ) {
        let mut known = outside.clone();
        for step in steps {
            look(step, &known);
            let decides = self.decides(step);
            let inside: BTreeSet<Read> = known.union(&decides).copied().collect();
            for block in step.kind.blocks() {
                self.block(block, &inside, look);
            }
            // What is remembered decides whatever looks at it, and so does a branch that leads out.
            if matches!(step.kind, StepKind::Remember { .. }) || step.kind.blocks().into_iter().any(ends) {
                known = inside;
            }
        }
    }

    /// What is looked at in the step itself.
    fn decides(&self, step: &'a Step) -> BTreeSet<Read> {
        let mut reader = Reader { model: self.model, found: BTreeSet::new() };
        reader.step(step, self.journey);
        reader.found
    }
}

fn ends(block: &[Step]) -> bool {
    block
        .iter()
        .any(|step| matches!(step.kind, StepKind::End { .. }) || step.kind.blocks().into_iter().any(ends))
}
