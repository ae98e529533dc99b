//! `assign`: somebody must be asked, results must exist, and whoever waits must say what happens when nothing comes.

use crate::diagnostic::{Diagnostic, code, suggest};
use crate::expr::{Expr, Owner};
use crate::model::check::expr::Checker;
use crate::model::check::length;
use crate::model::check::world::Kind;
use crate::model::journey::StepKind;
use crate::model::task::{Assign, AssignTail, OVERDUE, Task};
use crate::name::Name;
use crate::syntax::ast::{self, Ident};

impl Checker<'_, '_> {
    pub(super) fn assign(&mut self, written: &ast::Assign) -> Option<StepKind> {
        let ast::Assign { task: path, to, due, id: _, tail } = written;
        let declared = self.world.expect_path(&mut self.sink, self.file, path, Kind::Task)?;
        let world = self.world;
        let task = world.model.tasks.get(&declared.name)?;
        let owner = self.owner_of(task.subject);
        if owner.is_none() {
            self.report(
                Diagnostic::new(
                    code::OTHER_SUBJECT,
                    path.span,
                    format!("task `{}` is about a `{}`", task.name, task.subject),
                )
                .label("another kind of subject")
                .also(task.span, "declared here")
                .help("declare a task of this journey's subject, or of its parent"),
            );
        }
        let to = match to {
            Some(to) => self.staff(to),
            None => self.asked(path, task, owner?)?,
        };
        let due = due.map(|due| length::positive(due, &mut self.sink)).or(task.due);
        let waits = !tail.outcomes.is_empty() || tail.otherwise.is_some();
        if waits {
            self.waited_for(path, task, due.is_some(), tail);
            self.time_passes();
        }
        let tail = self.results(task, tail);
        let results = task.results.iter().map(|(name, _)| *name).collect();
        let unit = self.own_branch().map(|branch| branch.expr);
        Some(StepKind::Assign(Box::new(Assign { task: task.name, to, unit, due, results, tail })))
    }

    /// Whom the task itself names, seen from the journey's subject.
    fn asked(&mut self, path: &ast::Path, task: &Task, owner: Owner) -> Option<Expr> {
        let Some(to) = &task.to else {
            self.report(
                Diagnostic::new(
                    code::ASSIGN_NOBODY,
                    path.span,
                    format!("nobody is asked to do `{}`", task.name),
                )
                .label("who does it?")
                .also(task.span, "the task names nobody either")
                .help("write who does it: `to manager otherwise branch.desk`")
                .help("or say it once for all in the task: `to …`"),
            );
            return None;
        };
        let mut to = to.clone();
        if owner == Owner::Parent {
            of_parent(&mut to);
        }
        Some(to)
    }

    fn waited_for(&mut self, path: &ast::Path, task: &Task, has_due: bool, tail: &ast::Tail) {
        if !has_due {
            self.report(
                Diagnostic::new(
                    code::ASSIGN_DUE,
                    path.span,
                    format!("how long to wait for `{}` is not said", task.name),
                )
                .label("would wait for ever")
                .also(task.span, "the task has no due time either")
                .help("write `due 2 workdays` behind it, or in the task"),
            );
        }
        let named =
            tail.outcomes.iter().flat_map(|arm| &arm.outcomes).any(|word| word.name.as_str() == OVERDUE);
        if !named && tail.otherwise.is_none() {
            self.report(
                Diagnostic::new(
                    code::ASSIGN_OVERDUE,
                    path.span,
                    format!("what happens when nobody does `{}` in time is not said", task.name),
                )
                .label("`overdue` is left open")
                .help("write `else end not_done`, or `on overdue …` in the braces"),
            );
        }
    }

    fn results(&mut self, task: &Task, tail: &ast::Tail) -> AssignTail {
        let base = self.flow();
        let mut ways = vec![base.clone()];
        let mut seen: Vec<Name> = Vec::new();
        let mut arms = Vec::new();
        for arm in &tail.outcomes {
            let named: Vec<Name> =
                arm.outcomes.iter().filter_map(|word| self.task_result(task, *word, &mut seen)).collect();
            self.set_flow(base.clone());
            let steps = self.body(&arm.body);
            ways.push(self.flow());
            arms.push((named, steps));
        }
        let otherwise = tail.otherwise.as_ref().map(|body| {
            self.set_flow(base.clone());
            let steps = self.body(body);
            ways.push(self.flow());
            steps
        });
        self.meet(ways);
        AssignTail { arms, otherwise }
    }

    fn task_result(&mut self, task: &Task, word: Ident, seen: &mut Vec<Name>) -> Option<Name> {
        if seen.contains(&word.name) {
            let finding = Diagnostic::new(code::OUTCOME, word.span, format!("`{}` is said twice", word.name));
            self.report(finding.label("again here").help("keep one of them"));
            return None;
        }
        seen.push(word.name);
        let known = || task.results.iter().map(|(name, _)| name.as_str()).chain([OVERDUE]);
        if known().any(|name| name == word.name.as_str()) {
            return Some(word.name);
        }
        let headline = format!("`{}` is no result of `{}`", word.name, task.name);
        let finding = Diagnostic::new(code::OUTCOME, word.span, headline)
            .label("cannot come of it")
            .also(task.span, "declared here");
        let help = suggest::did_you_mean(word.name.as_str(), known());
        let listed: Vec<&str> = known().collect();
        self.report(
            finding.help(help.unwrap_or_else(|| format!("its results are `{}`", listed.join("`, `")))),
        );
        None
    }
}

/// Rewrites what is said of the subject to be said of its parent.
fn of_parent(expr: &mut Expr) {
    match expr {
        Expr::Attr(owner, _) | Expr::Tag(owner, _) | Expr::Def(owner, _) => *owner = Owner::Parent,
        other => other.parts_mut().into_iter().for_each(of_parent),
    }
}
