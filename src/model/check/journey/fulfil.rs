//! A reward that somebody hands over: whoever gives it gives somebody the task as well.

use crate::diagnostic::{Diagnostic, code};
use crate::expr::Expr;
use crate::model::check::world::World;
use crate::model::journey::{Step, StepKind};
use crate::program::Give;
use crate::value::Value;

pub(super) fn findings(world: &World, steps: &[Step]) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    flat(steps, &mut all);
    let assigned =
        |task| all.iter().any(|step| matches!(&step.kind, StepKind::Assign(assign) if assign.task == task));
    let mut found = Vec::new();
    for step in &all {
        let StepKind::Give(giving, _) = &step.kind else { continue };
        let (Give::Reward { what, .. } | Give::Exchange { what, .. }) = &giving.give else { continue };
        let Expr::Const(Value::Choice(name)) = what else { continue };
        let task = world.model.values.rewards.get(name).and_then(|reward| reward.fulfil);
        if let Some((task, _)) = task.filter(|(task, _)| !assigned(*task)) {
            let headline = format!("`{name}` is given, and nobody is asked to hand it over");
            let finding = Diagnostic::new(code::NOT_FULFILLED, step.span, headline);
            let help = format!("write `assign {task}` behind it: the reward says `fulfil {task}`");
            found.push(finding.label("given here").help(help));
        }
    }
    found
}

fn flat<'s>(steps: &'s [Step], all: &mut Vec<&'s Step>) {
    for step in steps {
        all.push(step);
        step.kind.blocks().into_iter().for_each(|block| flat(block, all));
    }
}
