//! CLAIM-003: financial products are not sold with words that only draw people in.

use jiff::civil::date;

use crate::rules::context::{CREDITS, Context, INVESTMENTS};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::rules::words::List;

const FINANCIAL: &[&str] =
    &["wmp", "fund", "insurance", "consumer_loan", "card", "mortgage", "deposit", "pension"];

rule! {
    CLAIM_003 = "CLAIM-003", Error, "an inducing word";
    packs: &[In::error(Pack::Cn).from(date(2026, 9, 30))],
    basis: &[Basis::new(
        Mark::Secondary,
        "金融产品网络营销管理办法（人民银行等公告〔2026〕第9号）第10条，2026-09-30 起施行；项号未核对",
    )],
    products: FINANCIAL,
    reads: "every copy of a content about a financial product: its own `product`, that of a journey that sends it, or, \
            where none is named and only as a warning, words such as 理财 and 贷款",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for said in context.said.iter().filter(|said| said.is_read()) {
        for (arm, hit) in said.says(List::Lure) {
            let about = context
                .declared(said.content, FINANCIAL)
                .or_else(|| context.subject(said.content, INVESTMENTS, List::SaysInvestment))
                .or_else(|| context.subject(said.content, CREDITS, List::SaysCredit));
            let Some(about) = about else { continue };
            let span = said.place(context.sources, arm, &hit.range);
            let headline = format!("`{}` draws people in and says nothing", hit.entry);
            let finding = if about.is_declared() { out.at(span, headline) } else { out.warn(span, headline) };
            let finding = finding
                .label("an inducing word")
                .help("say the facts: the level of risk as the product has it, the price, how long it takes")
                .note(about.words());
            let last = said.content.open.map(|(_, last)| last);
            out.push_of(context.about(said.content), [], last, finding);
        }
    }
}
