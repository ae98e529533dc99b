//! SUIT-004: nobody tells a customer what to answer, or answers for him.

use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::rules::words::List;

rule! {
    SUIT_004 = "SUIT-004", Error, "answers that are given to the customer, or for him";
    packs: &[In::error(Pack::Cn)],
    basis: &[
        Basis::new(Mark::Secondary, "金融机构产品适当性管理办法（2026-02-01 起施行）：不得诱导、代替客户填写风险测评"),
        Basis::new(Mark::Secondary, "理财公司理财产品销售管理暂行办法第25条第8项：代客操作"),
    ],
    reads: "every copy of a content, scripts of tasks included: words that hint at the answers of an assessment (测评时请选择 …), or that offer to fill \
            in, sign or trade for the customer (代您填写, 代客操作 …), unless denied. Journeys do not ask the questions themselves",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for said in context.said.iter().filter(|said| said.is_read()) {
        for (arm, hit) in said.says(List::Coaching) {
            let finding = out
                .at(
                    said.place(context.sources, arm, &hit.range),
                    format!("`{}` takes the assessment out of the customer's hands", hit.entry),
                )
                .label("his own to answer")
                .help("invite him to answer it himself: `请本人如实完成风险测评`")
                .note(format!("of the list of {}", hit.list.about()));
            out.push(context.about(said.content), finding);
        }
    }
}
