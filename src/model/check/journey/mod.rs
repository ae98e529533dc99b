//! A journey: clauses first, then steps, with names resolved, types agreed on and every path looked at.
//!
//! Reading order: `identity` (what steps are called), `clauses`, `enter`, `steps`, `send`, `reach`, `waits`,
//! `branches`, and `flow` (what holds where).

mod assign;
mod branches;
mod chosen;
mod clauses;
mod enter;
mod flow;
mod give;
pub(super) mod identity;
mod reach;
mod repeat;
mod send;
mod steps;
mod waits;

use std::collections::BTreeSet;

use super::expr::{Checker, Place};
use super::schema;
use super::world::{Declared, Sink, World};
use crate::diagnostic::{Diagnostic, code};
use crate::model::Journey;
use crate::name::Name;
use crate::syntax::ast::{self, DeclKind, ExprKind, OccurrenceKind, Wait};
use crate::value::Type;

/// The checked journey; `None` where so little is right that nothing can be said about its steps.
pub(super) fn journey(world: &World, declared: &Declared, sink: &mut Sink) -> Option<Journey> {
    let DeclKind::Journey(written) = &declared.decl.kind else { return None };
    // A missing subject was reported with the shapes.
    let subject = world.signatures.get(&declared.name)?.subject;
    let mut checker = Checker::new(world, declared.file, Place::Journey, Some(subject));
    checker.messages = Some(declared.name);
    checker.anchored = anchored(written);
    no_parameters(declared.decl, &mut checker);
    let mut clauses = checker.clauses(declared, written);
    let before = checker.flow();
    let steps = checker.steps(&written.steps);
    let exits = checker.exit_blocks(std::mem::take(&mut clauses.exits), &before);
    let locals = checker.locals.iter().map(|local| (local.name, local.ty.clone())).collect();
    let uses = std::mem::take(&mut checker.uses);
    sink.findings.append(&mut checker.sink.findings);
    sink.used.extend(checker.sink.used.drain());
    let enter = clauses.enter?;
    Some(Journey {
        name: declared.name,
        label: schema::label(declared.decl),
        subject,
        root: world.root(subject),
        purpose: clauses.purpose?,
        owner: clauses.owner?,
        open: clauses.open,
        enter,
        existing: clauses.existing,
        stale: clauses.stale,
        reenter: clauses.reenter?,
        exits,
        goals: clauses.goals,
        lasts: clauses.lasts,
        steps,
        locals,
        uses,
        close: written.close,
        span: declared.span,
    })
}

fn no_parameters(decl: &ast::Decl, checker: &mut Checker) {
    if let Some(param) = decl.params.first() {
        checker.report(
            Diagnostic::new(code::MISPLACED, param.name.span, "a journey has no parameters")
                .label("cannot be passed in")
                .help("read it from the entry event: `event.x`"),
        );
    }
}

/// Names of events that some `from` or `since` counts from: their occurrences must be kept.
fn anchored(journey: &ast::Journey) -> BTreeSet<Name> {
    let mut names = BTreeSet::new();
    steps::each(&journey.steps, &mut |step| {
        let ast::StepKind::Wait(wait) = &step.kind else { return };
        let from = match wait {
            Wait::Pause(_) => None,
            Wait::Until { from, .. } | Wait::For { from, .. } | Wait::Branches { from, .. } => from.as_ref(),
        };
        if let Some(OccurrenceKind::Expr(expr)) = from.map(|anchor| &anchor.kind)
            && let ExprKind::Path(path) = &expr.kind
            && let [only] = path.parts.as_slice()
        {
            names.insert(only.name);
        }
    });
    names
}

impl Checker<'_, '_> {
    /// The number of a new named value, or of the known one of the same name and type.
    fn slot(&mut self, name: ast::Ident, ty: &Type, shape: Option<super::expr::Shape>) -> Option<u16> {
        if let Some(at) = self.locals.iter().position(|local| local.name == name.name) {
            let known = self.locals.get(at)?;
            if known.ty == *ty && known.shape == shape {
                return u16::try_from(at).ok();
            }
            let first = known.span;
            let headline = format!("`{}` already holds something else", name.name);
            let finding = Diagnostic::new(code::SHADOWS, name.span, headline).label("another kind of value");
            self.report(finding.also(first, "first set here").help("choose another name"));
            return None;
        }
        if self.is_taken(name.name) {
            let headline = format!("`{}` already means something here", name.name);
            let finding = Diagnostic::new(code::SHADOWS, name.span, headline).label("would hide it");
            self.report(finding.help(format!("choose another name, for example `{}_then`", name.name)));
            return None;
        }
        self.new_slot(name, ty.clone(), shape)
    }

    fn new_slot(&mut self, name: ast::Ident, ty: Type, shape: Option<super::expr::Shape>) -> Option<u16> {
        let slot = u16::try_from(self.locals.len()).ok()?;
        self.locals.push(super::expr::Local { name: name.name, ty, shape, span: name.span });
        Some(slot)
    }
}

/// Every end state that the text names, in order of the alphabet.
pub(super) fn ends(journey: &ast::Journey) -> BTreeSet<Name> {
    let mut ends = BTreeSet::new();
    for clause in &journey.clauses {
        if let ast::ClauseKind::Exit { alias, block, .. } = &clause.kind {
            ends.insert(alias.map_or_else(|| Name::new("exited"), |alias| alias.name));
            steps::ends(block.as_deref().unwrap_or_default(), &mut ends);
        }
    }
    steps::ends(&journey.steps, &mut ends);
    ends
}
