//! SUIT-005: what is sold in a branch is recorded.

use crate::model::Model;
use crate::model::journey::StepKind;
use crate::model::task::{Assign, Task};
use crate::rules::context::{Context, INVESTMENTS, walk};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::reads::{self, Read};
use crate::rules::rule::{Basis, In, Mark, rule};

/// What says that a task is done in a branch, with the customer there.
const BRANCH: &[&str] =
    &["desk", "counter", "teller", "lobby", "网点", "柜面", "柜台", "厅堂", "到店", "到访"];

rule! {
    SUIT_005 = "SUIT-005", Error, "a sale in a branch that nobody records";
    packs: &[In::error(Pack::Cn)],
    basis: &[Basis::new(Mark::Secondary, "银行业金融机构销售专区录音录像管理暂行规定（银监办发〔2017〕110号）")],
    products: INVESTMENTS,
    purposes: &["marketing"],
    reads: "tasks that marketing of an investment assigns, and that are done in a branch, as their name, their label or those they go to say \
            (网点, 柜面, desk …): `recorded` in the task. What the customer buys by himself in the app is recorded otherwise",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for (journey, product) in context.selling(INVESTMENTS) {
        walk(journey, &mut |step| {
            let StepKind::Assign(assign) = &step.kind else { return };
            let Some(task) = context.model.tasks.get(&assign.task) else { return };
            if task.recorded || !in_branch(context.model, task, assign) {
                return;
            }
            let finding = out
                .at(
                    step.span,
                    format!("`{}` sells `{}` in a branch, and nothing records it", task.name, product.name),
                )
                .label(format!("assigned by marketing of `{}`", journey.name))
                .also(task.span, "no `recorded`")
                .help("write `recorded` into the task: what is said is kept by sound and picture");
            out.push_of([journey.name], [step.id], None, finding);
        });
    }
}

fn in_branch(model: &Model, task: &Task, assign: &Assign) -> bool {
    let mut text = format!("{} {}", task.name, task.label.as_deref().unwrap_or_default()).to_lowercase();
    let uses = crate::model::Uses::default();
    for read in reads::of(model, task.subject, &uses, &assign.to) {
        // `branch.desk` of a customer leads over his branch; where it ends is what counts.
        if let Read::Attribute(entity, name) = read
            && entity != task.subject
        {
            let label = reads::field(model, entity, name).and_then(|field| field.label.clone());
            text += &format!(" {name} {}", label.unwrap_or_default());
        }
    }
    BRANCH.iter().any(|word| text.contains(word))
}
