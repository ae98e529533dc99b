//! CLAIM-009: no state, expert, star or customer speaks for an investment.

use crate::rules::context::{Context, INVESTMENTS};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::rules::words::List;

rule! {
    CLAIM_009 = "CLAIM-009", Error, "a witness for an investment";
    packs: &[In::error(Pack::Cn)],
    basis: &[
        Basis::new(Mark::Primary, "广告法（2021）第9条第2项、第25条第2项"),
        Basis::new(Mark::Secondary, "金融产品网络营销管理办法（2026-09-30 起施行）第10条"),
        Basis::new(Mark::Secondary, "银发〔2019〕316号"),
    ],
    products: INVESTMENTS,
    reads: "every copy of a content about an investment; names of people are not known. Where no product is named, words such \
            as 理财 count, and it is a warning",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for said in context.said.iter().filter(|said| said.is_read()) {
        for (arm, hit) in said.says(List::Endorsement) {
            let Some(about) = context.subject(said.content, INVESTMENTS, List::SaysInvestment) else {
                continue;
            };
            let span = said.place(context.sources, arm, &hit.range);
            let headline = format!("`{}` calls a witness for an investment", hit.entry);
            let finding = if about.is_declared() { out.at(span, headline) } else { out.warn(span, headline) };
            let finding = finding
                .label("an endorsement")
                .help("leave it out; the number of a licence or registration may stand at the end")
                .note(about.words());
            out.push(context.about(said.content), finding);
        }
    }
}
