//! SUIT-006: nobody in need is sold credit or investments.

use crate::program::policy::MARKETING;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::reads::{self, Read};
use crate::rules::rule::{Basis, In, Mark, rule};

const NEED: &[&str] = &[
    "complain",
    "hardship",
    "deceased",
    "fraud",
    "collection",
    "vulnerable",
    "exclusion",
    "cooling",
    "投诉",
    "困难",
    "逾期",
    "身故",
    "催收",
    "涉诈",
    "安抚",
];

rule! {
    SUIT_006 = "SUIT-006", Error, "people in need are sold to";
    packs: &[In::warning(Pack::Core), In::error(Pack::Uk)],
    basis: &[
        Basis::new(Mark::Secondary, "FCA Consumer Duty, PRIN 2A"),
        Basis::new(Mark::Practice, "house: no sales in hardship, after a death, in a dispute"),
    ],
    products: &["wmp", "fund", "insurance", "consumer_loan", "card", "mortgage"],
    purposes: &[MARKETING],
    reads: "marketing whose journey names such a `product`: some policy has `suppress` for marketing or for all, or the condition of \
            entering, or an exit, looks at complaints, hardship, fraud or the like",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    let model = context.model;
    let mut suppressed = model.policies.values().flat_map(|policy| &policy.suppress);
    if suppressed.any(|(purpose, _)| purpose.is_none_or(|purpose| purpose.as_str() == MARKETING)) {
        return;
    }
    for (journey, product) in context.selling(RULE.products) {
        let looks = reads::entry(model, journey).into_iter().any(|read| {
            let (Read::Attribute(_, name) | Read::Event(name)) = read;
            NEED.iter().any(|word| name.as_str().contains(word))
        });
        if looks {
            continue;
        }
        let finding = out
            .at(journey.span, format!("`{}` sells `{}` to people in need too", journey.name, product.name))
            .label("nobody is left out")
            .also(product.span, "what is sold")
            .help("write `suppress marketing if …` into a policy: hardship, death, fraud, an open complaint");
        out.push([journey.name], finding);
    }
}
