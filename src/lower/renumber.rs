//! Expressions with the numbers of one owner's [`crate::model::Uses`], rewritten to the numbers of a program.

use std::cell::Cell;

use crate::expr::{Aggregate, Anchor, Expr, Pattern, Window};
use crate::program::{CaseTest, ContentCall, Copy, CopyPiece, EntryUnit, Giving};

/// New numbers, by old number.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    pub(super) defs: Vec<u16>,
    pub(super) features: Vec<u16>,
    /// Whether an expression asked for what every event has.
    stamped: Cell<bool>,
}

impl Numbers {
    pub(super) fn new(defs: Vec<u16>, features: Vec<u16>) -> Self {
        Self { defs, features, stamped: Cell::new(false) }
    }

    /// Whether anything that went through here asks for `id` or `time` of an event that is kept.
    pub(super) fn is_stamped(&self) -> bool {
        self.stamped.get()
    }

    pub(super) fn expr(&self, expr: &mut Expr) {
        match expr {
            Expr::Def(_, index) => renumber(index, &self.defs),
            Expr::History(index) => renumber(index, &self.features),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            Expr::Field(of, name) if matches!(**of, Expr::Entry | Expr::Local(_)) => {
                if matches!(name.as_str(), "id" | "time") {
                    self.stamped.set(true);
                }
            }
            other => other.parts_mut().into_iter().for_each(|part| self.expr(part)),
        }
    }

    pub(super) fn optional(&self, expr: &mut Option<Expr>) {
        if let Some(expr) = expr {
            self.expr(expr);
        }
    }

    pub(super) fn aggregate(&self, aggregate: &mut Aggregate) {
        let Aggregate { function: _, source: _, filter, value, window } = aggregate;
        self.optional(filter);
        self.optional(value);
        match window {
            Some(Window::Span(span)) => self.expr(span),
            Some(Window::Since(anchor)) => self.anchor(anchor),
            Some(Window::Last(_) | Window::Ever) | None => {}
        }
    }

    pub(super) fn anchor(&self, anchor: &mut Anchor) {
        if let Anchor::At(moment) = anchor {
            self.expr(moment);
        }
    }

    pub(super) fn patterns(&self, patterns: &mut [Pattern]) {
        for pattern in patterns {
            self.optional(&mut pattern.filter);
        }
    }

    pub(super) fn call(&self, call: &mut ContentCall) {
        for (_, value) in &mut call.args {
            self.expr(value);
        }
        if let Some(chosen) = &mut call.chosen {
            self.expr(&mut chosen.by);
        }
    }

    pub(super) fn giving(&self, giving: &mut Giving) {
        giving.give.exprs_mut().into_iter().for_each(|part| self.expr(part));
        self.optional(&mut giving.key);
        giving.to.iter_mut().for_each(|to| self.expr(&mut to.id));
    }

    pub(super) fn copy(&self, copy: &mut Copy) {
        for piece in &mut copy.0 {
            match piece {
                CopyPiece::Text(_) => {}
                CopyPiece::Hole(hole) => self.expr(hole),
                CopyPiece::Part(part) => part.levels.iter_mut().for_each(|(_, copy)| self.copy(copy)),
            }
        }
    }

    pub(super) fn unit(&self, unit: &mut EntryUnit) {
        if let EntryUnit::Value(value) | EntryUnit::Opening(value) = unit {
            self.expr(value);
        }
    }

    pub(super) fn case(&self, test: &mut CaseTest) {
        match test {
            CaseTest::Any => {}
            CaseTest::Compare(_, value) => self.expr(value),
            CaseTest::OneOf(values) => {
                for value in values {
                    self.expr(value);
                }
            }
        }
    }
}

/// Numbers of a checked model are all known.
fn renumber(index: &mut u16, numbers: &[u16]) {
    if let Some(&new) = numbers.get(usize::from(*index)) {
        *index = new;
    }
}
