//! CLAIM-001: nobody is promised a return, or his principal, on what can lose money.

use crate::rules::context::{Context, INVESTMENTS};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::rules::words::List;

rule! {
    CLAIM_001 = "CLAIM-001", Error, "a promise of return or principal";
    packs: &[In::error(Pack::Core), In::error(Pack::Cn)],
    basis: &[
        Basis::new(Mark::Primary, "广告法（2021）第25条第1项"),
        Basis::new(Mark::Secondary, "理财公司理财产品销售管理暂行办法 第25条第9项"),
        Basis::new(Mark::Secondary, "金融产品网络营销管理办法（2026-09-30 起施行）第10条"),
    ],
    firm: true,
    products: INVESTMENTS,
    reads: "every copy of a content, the class of its `product`; images and files are not read",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for said in context.said.iter().filter(|said| said.is_read()) {
        for (arm, hit) in said.says(List::Promise) {
            let word = hit.entry;
            let span = said.place(context.sources, arm, &hit.range);
            let deposit = context.declared(said.content, &["deposit"]).is_some();
            let headline = format!("`{word}` promises what nobody can promise");
            let finding = if deposit { out.warn(span, headline) } else { out.at(span, headline) };
            let mut finding = finding
                .label("said, and not denied, to customers")
                .help("leave the promise out; say what the product is and what can be lost")
                .note(format!(
                    "of the list of {}; nothing before it in the clause denies it",
                    hit.list.about()
                ));
            match context.declared(said.content, INVESTMENTS) {
                Some(about) => finding = finding.note(about.words()),
                None if deposit => {
                    finding = finding.note("it is about a deposit, which may be insured: say by whom");
                }
                None => {}
            }
            out.push(context.about(said.content), finding);
        }
    }
}
