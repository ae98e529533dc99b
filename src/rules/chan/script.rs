//! CHAN-005: people of the bank who sell keep to a script that was approved.

use crate::model::journey::StepKind;
use crate::rules::context::{Context, walk};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};

rule! {
    CHAN_005 = "CHAN-005", Error, "people who sell without a script";
    packs: &[In::error(Pack::Cn), In::error(Pack::Uk)],
    basis: &[
        Basis::new(Mark::Secondary, "银发〔2019〕316号：员工不得自行编发营销宣传"),
        Basis::new(Mark::Secondary, "金融产品网络营销管理办法（2026-09-30 起施行）第16条"),
        Basis::new(Mark::Known, "FSMA 2000 section 21: approval"),
    ],
    purposes: &["marketing"],
    reads: "tasks that journeys of marketing assign: `script` is the approved content, `licence` what whoever does it must hold. \
            Without a script it is an error, without a licence a warning",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for journey in context.journeys().filter(|one| one.purpose.as_str() == "marketing") {
        walk(journey, &mut |step| {
            let StepKind::Assign(assign) = &step.kind else { return };
            let Some(task) = context.model.tasks.get(&assign.task) else { return };
            let finding = if task.script.is_none() {
                out.at(step.span, format!("`{}` sells, and nothing says with which words", task.name))
                    .label(format!("assigned by marketing of `{}`", journey.name))
                    .also(task.span, "no `script`")
                    .help("write `script CONTENT` into the task: an approved content, for a channel that people use")
            } else if task.licence.is_none() {
                out.warn(step.span, format!("`{}` sells, and nothing says who may", task.name))
                    .label(format!("assigned by marketing of `{}`", journey.name))
                    .also(task.span, "no `licence`")
                    .help("write `licence fund_sales` into the task: what whoever does it must hold")
            } else {
                return;
            };
            out.push_of([journey.name], [step.id], None, finding);
        });
    }
}
