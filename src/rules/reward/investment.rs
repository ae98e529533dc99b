//! REWARD-002: nothing is given for buying an investment.

use super::{any, gifts, words};
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::reads::Read;
use crate::rules::rule::{Basis, In, Mark, rule};

const BUYING: &[&str] = &["买入", "购买", "申购", "认购", "投保", "bought", "purchase", "subscribed", "buy"];
const WHAT: &[&str] = &["基金", "理财", "保险", "信托", "fund", "wealth", "wmp", "insurance", "投保"];

rule! {
    REWARD_002 = "REWARD-002", Error, "a gift for buying an investment";
    packs: &[In::error(Pack::Cn)],
    basis: &[
        Basis::new(Mark::Secondary, "理财公司理财产品销售管理暂行办法 第25条第6项"),
        Basis::new(Mark::Primary, "保险法 第116条第4项"),
        Basis::new(Mark::Known, "公开募集证券投资基金销售机构监督管理办法"),
    ],
    products: &["wmp", "fund", "insurance"],
    reads: "what decides a step that gives: events whose name or label says that a fund, a wealth product or insurance was bought",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for journey in context.cases.iter().filter(|case| case.gives()).map(|case| case.journey) {
        gifts(context.model, journey, &mut |step, reads| {
            let events = reads.iter().filter(|read| matches!(read, Read::Event(_)));
            let known = events.map(|read| words(context.model, *read));
            let found = known.into_iter().find(|(text, _)| any(text, BUYING) && any(text, WHAT));
            let Some((_, label)) = found else { return };
            let finding = out
                .at(step.span, format!("what is given here hangs on `{label}`"))
                .label("a gift for buying an investment")
                .also(journey.span, "decided here or on the way")
                .help("let it hang on payments, logins or lessons; a discount of fees belongs to the terms of the product");
            out.push_of([journey.name], [step.id], None, finding);
        });
    }
}
