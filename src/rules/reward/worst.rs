//! REWARD-003: something ends what a journey gives.

use crate::analysis::liability::liability;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::flows::Case;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};

rule! {
    REWARD_003 = "REWARD-003", Error, "giving that nothing ends";
    packs: &[In::error(Pack::Core)],
    basis: &[Basis::new(Mark::Secondary, "规范促销行为暂行规定第6条：承诺应当兑现")],
    reads: "the analysis of liability: rewards, points and prizes with a worth that neither a `budget` nor a `stock` (of prizes: a count) \
            bounds for all customers together. A budget is kept at run time, so that a journey cannot give more than it",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for looked in context.flows(Case::gives) {
        let flow = &looked.flow;
        let Some(found) = liability(flow) else { continue };
        for at in found.open {
            let Some(node) = flow.node(at) else { continue };
            let finding = out
                .at(node.span, format!("nothing ends what `{}` gives here", flow.journey.name))
                .label("no budget, and no stock")
                .help("name a `budget` in the reward, the points, the lottery or the journey; or a `stock` where it has a value");
            out.push_of([flow.journey.name], [node.id], None, finding);
        }
    }
}
