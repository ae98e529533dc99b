//! A journey: clauses first, then steps, with names resolved, types agreed on and every path looked at.
//!
//! Reading order: `identity` (what steps are called), `clauses`, `enter`, `steps`, `send`, `reach`, `waits`,
//! `branches`, and `flow` (what holds where).

mod address;
mod assign;
pub(super) mod branches;
mod chosen;
mod clauses;
mod enter;
mod flow;
mod fulfil;
mod give;
mod govern;
pub(super) mod identity;
mod inlined;
mod reach;
mod repeat;
pub(super) mod replies;
mod send;
mod show;
mod sight;
mod split;
mod steps;
pub(super) mod template;
mod waits;

use std::collections::BTreeSet;

use super::expr::{Checker, Place, What};
use super::schema;
use super::world::{Declared, Sink, World};
use crate::diagnostic::{Diagnostic, code};
use crate::model::Journey;
use crate::name::Name;
use crate::syntax::ast::{self, DeclKind, ExprKind, OccurrenceKind, Wait};
use crate::value::Type;

/// The checked journey; `None` where so little is right that nothing can be said about its steps.
pub(super) fn journey(world: &World, declared: &Declared, sink: &mut Sink) -> Option<Journey> {
    let home = template::of(world, declared, sink)?;
    let DeclKind::Journey(written) = &home.decl.kind else { return None };
    // A missing subject was reported with the shapes.
    let subject = world.signatures.get(&declared.name)?.subject;
    let mut checker = Checker::new(world, declared.file, Place::Journey, Some(subject));
    checker.messages = Some(declared.name);
    checker.anchored = anchored(world, written);
    checker.given = match &declared.decl.kind {
        DeclKind::Instance(call) => checker.bind(call, &home, true),
        _ => checker.open(&home),
    };
    if checker.given.iter().any(|given| matches!(given.what, What::Nothing)) {
        sink.findings.append(&mut checker.sink.findings);
        return None;
    }
    checker.file = home.file;
    let mut clauses = checker.clauses(&home, written);
    checker.adjust(declared.name, &mut clauses.params);
    let before = checker.flow();
    let steps = checker.steps(&written.steps);
    let exits = checker.exit_blocks(std::mem::take(&mut clauses.exits), &before);
    sink.findings.extend(fulfil::findings(world, &steps));
    let locals = checker.locals.iter().map(|local| (local.name, local.ty.clone())).collect();
    let uses = std::mem::take(&mut checker.uses);
    sink.findings.append(&mut checker.sink.findings);
    sink.used_too(std::mem::take(&mut checker.sink.used));
    let enter = clauses.enter?;
    Some(Journey {
        name: declared.name,
        label: schema::label(declared.decl).or_else(|| schema::label(home.decl)),
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
        reviewed: clauses.reviewed,
        params: clauses.params,
        holdout: clauses.holdout,
        unserved: clauses.unserved,
        product: clauses.product,
        lane: clauses.lane,
        priority: clauses.priority,
        caps: clauses.caps,
        quiet: clauses.quiet,
        steps,
        locals,
        uses,
        rules: None,
        close: if home.name == declared.name { written.close } else { declared.decl.span.after() },
        span: declared.span,
    })
}

/// Names of events that some `from` or `since` counts from: their occurrences must be kept.
fn anchored(world: &World, journey: &ast::Journey) -> BTreeSet<Name> {
    let mut names = BTreeSet::new();
    steps::each_with_flows(world, &journey.steps, &mut |step| {
        let ast::StepKind::Wait(wait) = &step.kind else { return };
        let from = match &**wait {
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
        let scoped = self.scoped(name.name);
        if let Some(at) = self.locals.iter().position(|local| local.name == scoped) {
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
        let scoped = self.scoped(name.name);
        self.locals.push(super::expr::Local { name: scoped, ty, shape, span: name.span });
        Some(slot)
    }
}

/// Every end state that the text names, in order of the alphabet.
pub(super) fn ends(world: &World, journey: &ast::Journey) -> BTreeSet<Name> {
    let mut ends = BTreeSet::new();
    for clause in &journey.clauses {
        if let ast::ClauseKind::Exit(exit) = &clause.kind {
            ends.insert(exit.alias.map_or_else(|| Name::new("exited"), |alias| alias.name));
            steps::ends(world, exit.block.as_deref().unwrap_or_default(), &mut ends);
        }
    }
    steps::ends(world, &journey.steps, &mut ends);
    ends
}
