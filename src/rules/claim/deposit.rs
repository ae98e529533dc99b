//! CLAIM-008: an investment is not told as if it were a deposit.

use crate::rules::context::{Context, INVESTMENTS};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::rules::words::List;

rule! {
    CLAIM_008 = "CLAIM-008", Error, "an investment told like a deposit";
    packs: &[In::error(Pack::Cn), In::error(Pack::Us)],
    basis: &[
        Basis::new(Mark::Secondary, "理财公司理财产品销售管理暂行办法 第25条第4项"),
        Basis::new(Mark::Secondary, "金融产品网络营销管理办法（2026-09-30 起施行）第10条：保险与存款对比"),
        Basis::new(Mark::Secondary, "12 CFR 328"),
    ],
    products: INVESTMENTS,
    reads: "every copy of a content about an investment; where no product is named, words such as 理财 count, and it is a warning",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for said in context.said.iter().filter(|said| said.is_read()) {
        let hits: Vec<_> = said.says(List::LikeDeposit).collect();
        if hits.is_empty() {
            continue;
        }
        let Some(about) = context.subject(said.content, INVESTMENTS, List::SaysInvestment) else { continue };
        for (arm, hit) in hits {
            let span = said.place(context.sources, arm, &hit.range);
            let headline = format!("`{}` tells an investment like a deposit", hit.entry);
            let finding = if about.is_declared() { out.at(span, headline) } else { out.warn(span, headline) };
            let finding = finding
                .label("a deposit is insured, this is not")
                .help("leave the comparison out; `理财非存款` is what must be said")
                .note(about.words());
            out.push(context.about(said.content), finding);
        }
    }
}
