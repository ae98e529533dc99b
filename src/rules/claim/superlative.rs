//! CLAIM-002: nothing is the best of all.

use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::rules::words::List;

rule! {
    CLAIM_002 = "CLAIM-002", Error, "a superlative";
    packs: &[In::error(Pack::Cn)],
    basis: &[Basis::new(Mark::Primary, "广告法（2021）第9条第3项")],
    reads: "every copy of a content that a journey of marketing sends. The three words of the law are errors, others of \
            their kind warnings",
    purposes: &["marketing"],
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for said in context.said.iter().filter(|said| said.is_read() && context.is_marketing(said.content.name)) {
        for list in [List::Superlative, List::Boast] {
            for (arm, hit) in said.says(list) {
                let span = said.place(context.sources, arm, &hit.range);
                let headline = format!("`{}` says that nothing is better", hit.entry);
                let finding =
                    if list == List::Superlative { out.at(span, headline) } else { out.warn(span, headline) };
                let finding = finding
                    .label("a superlative")
                    .help("say what it is or does; of a ranking, say whose it is and of when")
                    .note(format!("of the list of {}", list.about()));
                out.push(context.about(said.content), finding);
            }
        }
    }
}
