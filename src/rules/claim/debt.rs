//! CLAIM-007: nobody is drawn into debt.

use crate::rules::context::{CREDITS, Context};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::rules::words::List;

rule! {
    CLAIM_007 = "CLAIM-007", Error, "an inducement to borrow too much";
    packs: &[In::error(Pack::Cn), In::error(Pack::Eu), In::error(Pack::Uk)],
    basis: &[
        Basis::new(Mark::Secondary, "金融产品网络营销管理办法（2026-09-30 起施行）"),
        Basis::new(Mark::Secondary, "关于进一步规范大学生互联网消费贷款监督管理工作的通知（2021）"),
        Basis::new(Mark::Secondary, "Directive (EU) 2023/2225 (CCD2): no claim that credit improves a situation"),
    ],
    products: CREDITS,
    reads: "every copy of a content about credit; where no product is named, words such as 贷款 count, and it is a warning. \
            Offers set off by an overdraft or by hardship are not looked for",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for said in context.said.iter().filter(|said| said.is_read()) {
        for (arm, hit) in said.says(List::Overborrow) {
            let Some(about) = context.subject(said.content, CREDITS, List::SaysCredit) else { continue };
            let span = said.place(context.sources, arm, &hit.range);
            let headline = format!("`{}` makes borrowing look easy or good for you", hit.entry);
            let finding = if about.is_declared() { out.at(span, headline) } else { out.warn(span, headline) };
            let finding = finding
                .label("an inducement to borrow")
                .help("say who may apply, what it costs in a year, and that it must be paid back")
                .note(about.words());
            out.push(context.about(said.content), finding);
        }
    }
}
