//! Steps in their order, and the small ones: tag, remember, start, phase, end.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, code};
use crate::model::check::expr::{Block, Checker};
use crate::model::check::length;
use crate::model::check::world::{Kind, World};
use crate::model::journey::{Step, StepKind};
use crate::name::Name;
use crate::syntax::ast::{self, Body, Call, Ident, Wait};
use crate::text::Span;

impl Checker<'_, '_> {
    pub(super) fn steps(&mut self, steps: &[ast::Step]) -> Vec<Step> {
        // Steps are large and kept, and nearly all of them are right.
        let mut checked = Vec::with_capacity(steps.len());
        for step in steps {
            let Some(step) = self.step(step) else { continue };
            checked.append(&mut self.before);
            checked.push(step);
        }
        checked
    }

    fn step(&mut self, step: &ast::Step) -> Option<Step> {
        let mut checked = self.bare(step.span, StepKind::Continue);
        checked.kind = match &step.kind {
            ast::StepKind::Error => return None,
            ast::StepKind::Send(send) => {
                named(&mut checked, &send.id);
                self.send(send)?
            }
            ast::StepKind::Reach(reach) => {
                named(&mut checked, &reach.id);
                self.waits_in_exit(step);
                self.reach(reach)?
            }
            ast::StepKind::Wait(wait) => {
                self.waits_in_exit(step);
                self.wait(wait, step)?
            }
            ast::StepKind::If { arms, otherwise } => self.branch(arms, otherwise.as_deref()),
            ast::StepKind::Match { subjects, cases, otherwise } => {
                self.matched(step.word.span, subjects, cases, otherwise.as_ref())
            }
            ast::StepKind::Tag { tag, keep } => {
                let keep = keep.map(|keep| length::positive(keep, &mut self.sink));
                StepKind::Tag { tag: self.tag_of_subject(tag)?, keep }
            }
            ast::StepKind::Untag { tag } => StepKind::Untag { tag: self.tag_of_subject(tag)? },
            ast::StepKind::Start { journey, each } => self.start(journey, each.as_deref())?,
            ast::StepKind::Remember { name, value } => self.remember(*name, value)?,
            ast::StepKind::Phase { name, label, steps } => {
                checked.label = label.as_ref().map(|label| label.value.clone());
                StepKind::Phase { name: name.name, steps: self.steps(steps) }
            }
            ast::StepKind::End { name, label } => {
                checked.label = label.as_ref().map(|label| label.value.clone());
                self.ended = true;
                StepKind::End { name: name.name }
            }
            ast::StepKind::Continue => StepKind::Continue,
            ast::StepKind::Split { experiment, arms } => self.split(experiment, arms)?,
            ast::StepKind::Do(it) => self.do_flow(step.span, &it.flow, &it.id)?,
            ast::StepKind::Repeat(repeat) => {
                self.waits_in_exit(step);
                self.repeat(step.word.span, repeat)?
            }
            ast::StepKind::Assign(assign) => {
                named(&mut checked, &assign.id);
                if !assign.tail.outcomes.is_empty() || assign.tail.otherwise.is_some() {
                    self.waits_in_exit(step);
                }
                self.assign(assign)?
            }
            ast::StepKind::Grant(give) => {
                named(&mut checked, &give.id);
                self.waits_in_exit(step);
                self.grant(give)?
            }
            ast::StepKind::Draw(give) => {
                named(&mut checked, &give.id);
                self.waits_in_exit(step);
                self.draw(give)?
            }
            ast::StepKind::Exchange(exchange) => {
                named(&mut checked, &exchange.give.id);
                self.waits_in_exit(step);
                self.exchange(exchange)?
            }
            ast::StepKind::Show(show) => {
                named(&mut checked, &show.id);
                self.show(show)?
            }
            ast::StepKind::Hide { content, channels } => self.hide(content, channels)?,
        };
        Some(checked)
    }

    pub(super) fn bare(&self, span: Span, kind: StepKind) -> Step {
        let ids = self.messages.and_then(|journey| self.world.steps.get(&journey));
        let id = ids.map_or_else(|| Name::new("step"), |ids| ids.at(self.scope, span));
        Step { id, was: None, label: None, kind, span }
    }

    /// A block, `end NAME` or `continue`.
    pub(super) fn body(&mut self, body: &Body) -> Vec<Step> {
        match body {
            Body::Block(steps, _) => self.steps(steps),
            Body::End { name, label, span } => {
                self.ended = true;
                let mut end = self.bare(*span, StepKind::End { name: name.name });
                end.label = label.as_ref().map(|label| label.value.clone());
                vec![end]
            }
            Body::Continue(span) => vec![self.bare(*span, StepKind::Continue)],
            Body::Error(_) => Vec::new(),
        }
    }

    fn waits_in_exit(&mut self, step: &ast::Step) {
        if self.block == Block::Exit {
            self.report(
                Diagnostic::new(code::WAIT_IN_EXIT, step.word.span, "an exit cannot wait")
                    .label("waits")
                    .help("send, tag or end here; for more, `start` another journey"),
            );
        }
        let gives = matches!(
            step.kind,
            ast::StepKind::Grant(_) | ast::StepKind::Draw(_) | ast::StepKind::Exchange(_)
        );
        if self.block == Block::Answer && !gives {
            self.waits_in_reply(step.word.span);
        }
    }

    pub(super) fn waits_in_reply(&mut self, span: Span) {
        self.report(
            Diagnostic::new(code::REPLY_WAITS, span, "an answer is given at once")
                .label("waits")
                .help("send, tag, assign without outcomes or `start` a journey, which may wait"),
        );
    }

    fn tag_of_subject(&mut self, path: &ast::Path) -> Option<Name> {
        let declared = self.world.expect_path(&mut self.sink, self.file, path, Kind::Tag)?;
        let of = self.world.model.tags.get(&declared.name)?.subject;
        if self.owner_of(of).is_none() {
            self.report(
                Diagnostic::new(
                    code::OTHER_SUBJECT,
                    path.span,
                    format!("tag `{}` is of `{of}`", declared.name),
                )
                .label("another kind of subject")
                .also(declared.span, "declared here")
                .help("declare a tag of this journey's subject"),
            );
        }
        Some(declared.name)
    }

    fn remember(&mut self, name: Ident, value: &ast::Expr) -> Option<StepKind> {
        let typed = self.expr(value, None);
        let slot = self.slot(name, &typed.ty, None)?;
        self.assigned.insert(slot);
        Some(StepKind::Remember { slot, value: typed.expr })
    }

    fn start(&mut self, call: &Call, each: Option<&ast::Each>) -> Option<StepKind> {
        let checked = each.map(|each| self.each(each));
        let declared = self.world.expect_path(&mut self.sink, self.file, &call.path, Kind::Journey)?;
        if !declared.decl.params.is_empty() {
            self.report(super::template::only_a_template(call.path.span, &declared));
            return None;
        }
        let signature = *self.world.signatures.get(&declared.name)?;
        if !signature.by_start {
            self.report(
                Diagnostic::new(
                    code::START_TARGET,
                    call.path.span,
                    format!("journey `{}` is not entered by `start`", declared.name),
                )
                .label("cannot be started")
                .also(declared.span, "enters in another way")
                .help(format!("write `enter by start` in `{}`, or start another journey", declared.name)),
            );
        }
        let (each, kind) = match checked {
            None => (None, None),
            Some(checked) => {
                let (each, kind) = checked?;
                (Some(each), Some(kind))
            }
        };
        self.fits_start(&call.path, &declared, signature.subject, kind);
        if let Some(arg) = call.args.first() {
            self.report(
                Diagnostic::new(
                    code::WRONG_ARGUMENTS,
                    arg.value.span,
                    format!("journey `{}` takes nothing", declared.name),
                )
                .label("cannot be passed")
                .help("leave the parentheses out"),
            );
        }
        Some(StepKind::Start { journey: declared.name, args: Vec::new(), each: each.map(Box::new) })
    }
}

fn named(step: &mut Step, id: &ast::StepId) {
    step.label = id.label.as_ref().map(|label| label.value.clone());
    step.was = id.was.map(|was| {
        // Renamed in place: the phases around it are the same.
        match step.id.as_str().rsplit_once('.') {
            Some((phases, _)) => Name::new(&format!("{phases}.{}", was.name)),
            None => was.name,
        }
    });
}

/// Calls `found` with every step, those inside others too.
pub(super) fn each(steps: &[ast::Step], found: &mut impl FnMut(&ast::Step)) {
    for step in steps {
        found(step);
        for body in blocks(&step.kind) {
            each(body, found);
        }
    }
}

/// As [`each`], the steps of flows too.
pub(super) fn each_with_flows(world: &World, steps: &[ast::Step], found: &mut impl FnMut(&ast::Step)) {
    let mut open: Vec<&[ast::Step]> = vec![steps];
    let mut seen: BTreeSet<Name> = BTreeSet::new();
    while let Some(steps) = open.pop() {
        let mut flows = Vec::new();
        each(steps, &mut |step| {
            found(step);
            if let ast::StepKind::Do(it) = &step.kind {
                flows.extend(it.flow.path.parts.last().map(|part| part.name));
            }
        });
        for name in flows.into_iter().filter(|name| seen.insert(*name)).collect::<Vec<_>>() {
            if let Some(ast::DeclKind::Flow { steps, .. }) =
                world.decls.get(&name).map(|flow| &flow.decl.kind)
            {
                open.push(steps);
            }
        }
    }
}

/// The names behind every `end`, in blocks and bodies.
pub(super) fn ends(world: &World, steps: &[ast::Step], ends: &mut BTreeSet<Name>) {
    each_with_flows(world, steps, &mut |step| {
        if let ast::StepKind::End { name, .. } = &step.kind {
            ends.insert(name.name);
        }
        for body in bodies(&step.kind) {
            if let Body::End { name, .. } = body {
                ends.insert(name.name);
            }
        }
    });
}

fn bodies(kind: &ast::StepKind) -> Vec<&Body> {
    if let Some(tail) = kind.tail() {
        return tail.outcomes.iter().map(|arm| &arm.body).chain(&tail.otherwise).collect();
    }
    match kind {
        ast::StepKind::Reach(reach) => reach.not_sent.iter().chain([&reach.otherwise]).collect(),
        ast::StepKind::Wait(wait) => match &**wait {
            Wait::Pause(_) => Vec::new(),
            Wait::Until { otherwise, .. } | Wait::For { otherwise, .. } => otherwise.iter().collect(),
            Wait::Branches { arms, timeout, .. } => arms.iter().map(|arm| &arm.body).chain(timeout).collect(),
        },
        ast::StepKind::Match { cases, otherwise, .. } => {
            cases.iter().map(|case| &case.body).chain(otherwise).collect()
        }
        _ => Vec::new(),
    }
}

/// Steps directly inside a step.
fn blocks(kind: &ast::StepKind) -> Vec<&[ast::Step]> {
    let mut blocks: Vec<&[ast::Step]> = bodies(kind).into_iter().filter_map(block).collect();
    match kind {
        ast::StepKind::Reach(reach) => {
            blocks.extend(reach.rungs.iter().map(|rung| rung.success.as_slice()));
        }
        ast::StepKind::If { arms, otherwise } => {
            blocks.extend(arms.iter().map(|(_, steps)| steps.as_slice()).chain(otherwise.as_deref()));
        }
        ast::StepKind::Phase { steps, .. } => blocks.push(steps),
        ast::StepKind::Repeat(repeat) => blocks.push(&repeat.steps),
        ast::StepKind::Split { arms, .. } => blocks.extend(arms.iter().map(|arm| arm.steps.as_slice())),
        _ => {}
    }
    blocks
}

/// The steps of a body that is a block.
pub(super) fn block(body: &Body) -> Option<&[ast::Step]> {
    if let Body::Block(steps, _) = body { Some(steps) } else { None }
}
