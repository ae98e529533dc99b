//! CLAIM-005: a rate does not stand alone, and no yield is expected.

use super::about_money::{DEPOSITS, per_cent};
use crate::rules::context::{Context, INVESTMENTS};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::rules::said::Said;
use crate::rules::words::List;

rule! {
    CLAIM_005 = "CLAIM-005", Error, "a rate or yield without what belongs to it";
    packs: &[In::error(Pack::Cn), In::error(Pack::Us)],
    basis: &[
        Basis::new(Mark::Secondary, "理财公司理财产品销售管理暂行办法 第25条第2、3项"),
        Basis::new(Mark::Primary, "12 CFR 1030.8 (text of 230.8): annual percentage yield"),
    ],
    products: &["wmp", "fund", "insurance", "deposit"],
    reads: "copies about an investment: an expected yield (预期收益率), and a per cent sign behind a number without what says what it is \
            (业绩比较基准, 过往业绩 …, 不代表); about a deposit in the United States: a rate without `annual percentage yield`. Where no \
            product is named, words such as 理财 count, and it is a warning. What a hole prints is not looked at",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    let us = context.chosen.packs.contains(&Pack::Us);
    for said in context.said.iter().filter(|said| said.is_read()) {
        let expects = said.says(List::ExpectedYield).next().is_some();
        let rates = said.arms.iter().any(|arm| per_cent(&arm.text).is_some());
        if !expects && !rates {
            continue;
        }
        if let Some(about) = context.subject(said.content, INVESTMENTS, List::SaysInvestment) {
            let mut tell = |span, headline: String, label: &str, help: &str| {
                let finding =
                    if about.is_declared() { out.at(span, headline) } else { out.warn(span, headline) };
                out.push(context.about(said.content), finding.label(label).help(help).note(about.words()));
            };
            for (arm, hit) in said.says(List::ExpectedYield) {
                let span = said.place(context.sources, arm, &hit.range);
                let headline = format!("`{}` says what an investment will yield", hit.entry);
                tell(
                    span,
                    headline,
                    "nobody knows",
                    "name the benchmark and how it was worked out, or leave it out",
                );
            }
            let bare = said.arms.iter().find(|arm| !has_basis(context, said, arm.has(List::BenchmarkBasis)));
            if let Some((arm, range)) = bare.and_then(|arm| Some((arm, per_cent(&arm.text)?)))
                && !expects
            {
                let headline = format!("`{}` names a rate, and not what it is", said.content.name);
                let help = "say beside it what it is: `业绩比较基准…，不代表未来表现`";
                tell(said.place(context.sources, arm, &range), headline, "a rate alone", help);
            }
        } else if us
            && context.declared(said.content, DEPOSITS).is_some()
            && let Some(arm) =
                said.arms.iter().find(|arm| !arm.text.to_lowercase().contains("annual percentage yield"))
            && let Some(range) = per_cent(&arm.text)
        {
            let finding = out
                .at(
                    said.place(context.sources, arm, &range),
                    format!("`{}` names the rate of a deposit, and not its yield", said.content.name),
                )
                .label("a rate alone")
                .help("say `annual percentage yield`, as of which day, and from which balance on");
            out.push(context.about(said.content), finding);
        }
    }
}

/// Whether the copy, or another for the same channel, says what the rate is.
fn has_basis(context: &Context, said: &Said, here: bool) -> bool {
    let mut beside = context.copies(said.content.name).filter(|one| one.channel == said.channel);
    here || beside.any(|one| one.is_read() && one.arms.iter().all(|arm| arm.has(List::BenchmarkBasis)))
}
