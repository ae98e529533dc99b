//! CLAIM-004: whatever speaks of an investment warns of its risk, on every channel, in every language and arm.

use std::collections::BTreeMap;

use crate::name::Name;
use crate::program::policy::MARKETING;
use crate::rules::context::{Context, INVESTMENTS};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::rules::said::Said;
use crate::rules::words::List;

rule! {
    CLAIM_004 = "CLAIM-004", Error, "an investment without a warning of risk";
    packs: &[
        In::error(Pack::Cn),
        In::error(Pack::Uk),
        In::error(Pack::Eu),
        In::error(Pack::Au),
        In::error(Pack::Sg),
        In::error(Pack::Hk),
    ],
    basis: &[Basis::new(Mark::Primary, "广告法（2021）第25条"), Basis::new(Mark::Known, "FCA COBS 4")],
    products: INVESTMENTS,
    purposes: &[MARKETING],
    reads: "every variant of a content that marketing sends and that has text to read; images are not looked into. \
            Where no product is named, words such as 理财 count, and it is a warning",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for content in context.contents() {
        if !context.is_marketing(content.name) {
            continue;
        }
        let Some(about) = context.subject(content, INVESTMENTS, List::SaysInvestment) else { continue };
        let mut variants: BTreeMap<(Name, Option<Name>), Vec<&Said>> = BTreeMap::new();
        for said in context.copies(content.name).filter(|said| said.is_read()) {
            variants.entry((said.channel, said.locale)).or_default().push(said);
        }
        for ((channel, locale), copies) in variants {
            // A title in no language stands above the body of each.
            let beside = context.copies(content.name);
            let beside =
                beside.filter(|said| said.channel == channel && said.locale.is_none() && said.is_read());
            let all: Vec<&Said> = copies.iter().copied().chain(beside).collect();
            let mut bodies = copies.iter().filter(|said| said.part.as_str() == "body");
            let Some(body) = bodies.next_back().filter(|_| locale.is_some() || !has_locales(&all, context))
            else {
                continue;
            };
            // Without a product it is the words of the variant itself that give it away.
            let speaks = all.iter().any(|said| said.says(List::SaysInvestment).next().is_some());
            if !about.is_declared() && !speaks {
                continue;
            }
            // Of an experiment every arm must say it; what is outside of the copy with the arms counts for all.
            let warns = all.iter().any(|said| said.arms.iter().all(|arm| arm.has(List::RiskWarning)));
            if !warns {
                let headline = format!("`{}` speaks of an investment and warns of nothing", content.name);
                let finding = if about.is_declared() {
                    out.at(body.span, headline)
                } else {
                    out.warn(body.span, headline)
                };
                let finding = finding
                    .label(format!("no warning of risk in what goes by `{channel}`"))
                    .help(
                        "add `理财非存款，产品有风险，投资需谨慎`, or what the product's own disclosure says",
                    )
                    .note(about.words());
                out.push(context.about(content), finding);
            }
        }
    }
}

/// Whether the bodies of this variant are in languages, so that the one without is a part of them.
fn has_locales(all: &[&Said], context: &Context) -> bool {
    let Some(first) = all.first() else { return false };
    context
        .copies(first.content.name)
        .any(|said| said.channel == first.channel && said.locale.is_some() && said.part.as_str() == "body")
        && !all.iter().any(|said| said.part.as_str() == "body" && said.locale.is_none())
}
