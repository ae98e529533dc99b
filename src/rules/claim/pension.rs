//! CLAIM-011: a private pension is told with its lock, and its tax saving without a promise.

use super::about_money::yuan;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::rules::words::List;

/// The class of product that this is about.
const PENSIONS: &[&str] = &["pension"];

rule! {
    CLAIM_011 = "CLAIM-011", Warning, "a private pension without its lock";
    packs: &[In::warning(Pack::Cn)],
    basis: &[
        Basis::new(Mark::Secondary, "银保监规〔2022〕16号：商业银行和理财公司个人养老金业务管理暂行办法"),
    ],
    products: PENSIONS,
    purposes: &["marketing"],
    reads: "copies of marketing about a product of the class pension: each channel says when the money can be had (领取条件, \
            不可提前支取 …), and a saving of taxes has no fixed amount. Whether an account is opened along with something else is not seen",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for said in context.said.iter().filter(|said| said.is_read() && context.is_marketing(said.content.name)) {
        let Some(about) = context.declared(said.content, PENSIONS) else { continue };
        let mut beside = context.copies(said.content.name).filter(|one| one.channel == said.channel);
        let locked = |one: &super::super::said::Said| one.arms.iter().all(|arm| arm.has(List::PensionLock));
        if said.part.as_str() == "body" && !beside.any(|one| one.is_read() && locked(one)) {
            let finding = out
                .at(said.span, format!("`{}` does not say when the money can be had", said.content.name))
                .label("a pension is locked")
                .help("say it: `达到领取条件方可领取`")
                .note(about.words());
            out.push(context.about(said.content), finding);
        }
        for (arm, hit) in said.says(List::PensionSaving) {
            let near = arm.text.get(hit.range.clone()).and_then(|_| arm.text.get(hit.range.end..));
            let near: String = near.unwrap_or_default().chars().take(12).collect();
            if yuan(&near).is_empty() {
                continue;
            }
            let span = said.place(context.sources, arm, &hit.range);
            let finding = out
                .at(span, format!("`{}` promises a fixed saving of taxes", hit.entry))
                .label("it hangs on what somebody earns")
                .help("say that it hangs on the income: `节税金额因个人情况而异`")
                .note(about.words());
            out.push(context.about(said.content), finding);
        }
    }
}
