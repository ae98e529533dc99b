//! REWARD-001: nothing is given for a deposit.

use super::{any, gifts, words};
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::rules::words::List;

const DEPOSITS: &[&str] =
    &["存款", "活期", "定期", "存入", "存单", "储蓄", "deposit", "savings", "demand_balance", "结构性存款"];
const WEALTH: &[&str] = &["管理资产", "aum", "资产提升", "资产余额", "总资产", "total_assets"];
/// `定期` of a schedule, and debts.
const NOT: &[&str] = &["贷款", "loan", "信用卡"];

rule! {
    REWARD_001 = "REWARD-001", Error, "a gift for a deposit";
    packs: &[In::error(Pack::Cn)],
    basis: &[
        Basis::new(Mark::Primary, "商业银行法 第47条"),
        Basis::new(Mark::Primary, "储蓄管理条例 第15条"),
        Basis::new(Mark::Secondary, "银保监办发〔2018〕48号：不得违规返利吸存"),
    ],
    reads: "what decides a step that gives: attributes and events whose name or label speaks of deposits, through audiences, \
            metrics, stages and what is remembered; of composite assets (`aum`, 管理资产) it is a warning. Words such as \
            存款送 in copy count too",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for journey in context.cases.iter().filter(|case| case.gives()).map(|case| case.journey) {
        gifts(context.model, journey, &mut |step, reads| {
            let known = reads.iter().map(|read| words(context.model, *read));
            let known: Vec<_> = known.filter(|(text, _)| !any(text, NOT)).collect();
            let deposit = known.iter().find(|(text, _)| any(text, DEPOSITS));
            let Some((_, label)) = deposit.or_else(|| known.iter().find(|(text, _)| any(text, WEALTH)))
            else {
                return;
            };
            let finding = match deposit {
                Some(_) => out
                    .at(step.span, format!("what is given here hangs on `{label}`"))
                    .label("a gift for a deposit"),
                None => out
                    .warn(
                        step.span,
                        format!("what is given here hangs on `{label}`, which deposits are part of"),
                    )
                    .label("close to a gift for a deposit"),
            };
            let finding = finding.also(journey.span, "decided here or on the way").help(
                "let it hang on payments, logins or spending; or have compliance excuse it with a `waiver`",
            );
            out.push_of([journey.name], [step.id], None, finding);
        });
    }
    for said in context.said.iter().filter(|said| said.is_read()) {
        for (arm, hit) in said.says(List::DepositGift) {
            let headline = format!("`{}` promises a gift for a deposit", hit.entry);
            let finding = out
                .at(said.place(context.sources, arm, &hit.range), headline)
                .label("deposits are not bought")
                .help("say the published rate and nothing else");
            out.push(context.about(said.content), finding);
        }
    }
}
