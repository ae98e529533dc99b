//! What an audience or a derived value hangs on, so that an input that cannot have changed it does not ask it again.

use std::collections::BTreeSet;

use crate::expr::{Anchor, Expr, Source, Window};
use crate::name::Name;
use crate::program::{Bundle, Enter, Feature, Program};
use crate::step::facets::{Asked, derived};
use crate::step::input::{Event, EventKind, Input};
use crate::step::symbols::{self, Sym, Symbols};
use crate::value::Length;

/// What a condition reads.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::step) struct Needs {
    attributes: BTreeSet<Name>,
    /// Of children: any word about a child may matter.
    children: bool,
    features: BTreeSet<Sym>,
    /// Which day it is, and no finer time.
    pub by_day: bool,
}

/// What an input has changed.
#[derive(Debug, Default)]
pub(in crate::step) struct Changed {
    everything: bool,
    attributes: BTreeSet<Name>,
    children: bool,
    /// History conditions that something was added to.
    pub fed: BTreeSet<Sym>,
}

impl Changed {
    pub(in crate::step) fn by(input: &Input) -> Self {
        match input {
            Input::Event(Event { kind: EventKind::Attributes, child, fields, .. }) => Self {
                attributes: fields.iter().map(|(name, _)| *name).collect(),
                children: child.is_some(),
                everything: fields.iter().any(|(name, _)| name.as_str() == symbols::ZONE),
                fed: BTreeSet::new(),
            },
            Input::Event(Event {
                kind: EventKind::Declared(_) | EventKind::Message { .. } | EventKind::Closed(_),
                ..
            })
            | Input::Tick { .. }
            | Input::Wake
            | Input::Dispatch(_)
            | Input::Answer { .. }
            | Input::Permit { .. } => Self::default(),
            // After a deployment, by word of another row, by an import or a merge: who knows.
            _ => Self { everything: true, ..Self::default() },
        }
    }
}

impl Needs {
    /// `None`: it may change with anything, time above all, and is asked at every input.
    pub(in crate::step) fn of(program: &Program, bundle: &Bundle, symbols: &Symbols) -> Option<Self> {
        let Enter::When { condition, schedule: None } = &program.enter else { return None };
        // While a journey is closed nobody looks, so that what changed meanwhile is seen when it opens.
        if program.open.is_some() {
            return None;
        }
        let needs = Self::of_expr(condition, program, bundle, symbols)?;
        // What a day may change is asked like what time may change: nothing else asks an audience when the day begins.
        (!needs.by_day).then_some(needs)
    }

    /// `None`: it may change with anything, or within a day.
    pub(in crate::step) fn of_expr(
        expr: &Expr,
        program: &Program,
        bundle: &Bundle,
        symbols: &Symbols,
    ) -> Option<Self> {
        let derived = derived(bundle);
        let asked = Asked { defs: &program.defs, derived: &derived };
        let fields = bundle.schema.entities.values().flat_map(|entity| &entity.fields);
        let mut needs = Self::default();
        let reader = Reading { asked, features: &program.features, symbols };
        needs.read(expr, &reader)?;
        let declared: BTreeSet<Name> = fields.map(|field| field.name).collect();
        needs.attributes.is_subset(&declared).then_some(needs)
    }

    pub(in crate::step) fn are_touched_by(&self, changed: &Changed) -> bool {
        changed.everything
            || self.children && changed.children
            || !self.attributes.is_disjoint(&changed.attributes)
            || !self.features.is_disjoint(&changed.fed)
    }

    fn read(&mut self, expr: &Expr, reading: &Reading) -> Option<()> {
        match expr {
            Expr::History(number) => {
                self.read_history(reading.features.get(usize::from(*number))?, reading)?;
            }
            Expr::Today | Expr::Span { .. } => self.by_day = true,
            Expr::Attr(_, name) => match reading.asked.derived.get(name) {
                Some(values) => values.iter().try_for_each(|value| self.read(value, reading))?,
                None => _ = self.attributes.insert(*name),
            },
            Expr::Def(_, number) => {
                self.read(&reading.asked.defs.get(usize::from(*number))?.value, reading)?;
            }
            Expr::Aggregate(_) => {
                reading.asked.is_stored(expr).then_some(())?;
                self.children = true;
            }
            Expr::Const(_) | Expr::Element => {}
            other => {
                let parts = other.parts();
                // Without parts it is a leaf: only those that the row alone makes.
                if parts.is_empty() {
                    reading.asked.is_stored(other).then_some(())?;
                }
                is_plain(other).then_some(())?;
                parts.into_iter().try_for_each(|part| self.read(part, reading))?;
            }
        }
        Some(())
    }

    /// What happened, as far as only that and the day change it.
    fn read_history(&mut self, feature: &Feature, reading: &Reading) -> Option<()> {
        match &feature.aggregate.window {
            Some(Window::Ever | Window::Since(Anchor::At(Expr::Const(_)))) => {}
            Some(Window::Last(Length::Civil { .. })) => self.by_day = true,
            Some(Window::Span(span)) => self.read(span, reading)?,
            _ => return None,
        }
        match &feature.aggregate.source {
            Source::Children(_) => return None,
            // Every day has a value, also where nobody says one.
            Source::Daily { attribute, .. } => {
                self.attributes.insert(*attribute);
                self.by_day = true;
            }
            _ => _ = self.features.insert(reading.symbols.sym(feature.id)?),
        }
        Some(())
    }
}

struct Reading<'a> {
    asked: Asked<'a>,
    features: &'a [Feature],
    symbols: &'a Symbols,
}

/// Whether the value hangs on its parts alone.
fn is_plain(expr: &Expr) -> bool {
    !matches!(expr, Expr::Reference { .. } | Expr::Anchored { .. })
}
