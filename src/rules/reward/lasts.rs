//! REWARD-004: what is given once has an end that is said, and whoever was promised it hears when it is gone.

use std::collections::BTreeSet;

use crate::expr::Expr;
use crate::model::journey::{Step, StepKind};
use crate::name::Name;
use crate::program::Give;
use crate::rules::context::{Context, walk};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::value::Value;

/// Kinds of rewards that are kept, to be used later.
const KEPT: &[&str] = &["coupon", "right", "discount"];

rule! {
    REWARD_004 = "REWARD-004", Warning, "a gift without an end, or gone without a word";
    packs: &[In::warning(Pack::Core)],
    basis: &[Basis::new(Mark::Secondary, "规范促销行为暂行规定（市场监管总局令第32号）第6、11条：明示期限，承诺应当兑现")],
    reads: "rewards that are kept (`kind coupon`, `right`, `discount`) say for how long: `keep` or `open`. Where a journey of marketing sends \
            a content that `offers` a reward and gives that reward itself, the way of `sold_out` or `budget_gone` tells the customer. \
            That nothing is given twice is kept by the books, and the limits are asked for by E0493",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for (name, reward) in &context.model.values.rewards {
        if KEPT.contains(&reward.kind.as_str()) && reward.keep.is_none() && reward.open.is_none() {
            let finding = out
                .at(context.declared_at(*name), format!("nobody is told until when `{name}` can be used"))
                .label(format!("a {} without an end", reward.kind))
                .help("write `keep 30 days`, or `open` with its last day");
            out.push([*name], finding);
        }
    }
    let giving = context.cases.iter().filter(|case| case.is_marketing() && case.gives());
    for journey in giving.map(|case| case.journey) {
        let mine = context.messages_of(journey.name).iter();
        let promised: BTreeSet<Name> =
            mine.flat_map(|message| message.content.offers.iter().copied()).collect();
        if promised.is_empty() {
            continue;
        }
        walk(journey, &mut |step| {
            let StepKind::Give(giving, tail) = &step.kind else { return };
            let Some(reward) = what(&giving.give).filter(|what| promised.contains(what)) else { return };
            let gone =
                |names: &[Name]| names.iter().any(|one| matches!(one.as_str(), "sold_out" | "budget_gone"));
            let arms = tail.arms.iter().filter(|(names, _)| gone(names)).map(|(_, block)| block);
            let told = arms.chain(&tail.otherwise).any(|block| tells(block));
            if !told
                && context
                    .model
                    .values
                    .rewards
                    .get(&reward)
                    .is_some_and(|it| it.stock.is_some() || it.budget.is_some())
            {
                let finding = out
                    .at(step.span, format!("`{reward}` was promised, and may be gone without a word"))
                    .label("nobody is told")
                    .help("write `on sold_out, budget_gone { send … }`");
                out.push_of([journey.name, reward], [step.id], None, finding);
            }
        });
    }
}

/// The reward that is given, where it is named.
fn what(give: &Give) -> Option<Name> {
    let (Give::Reward { what, .. } | Give::Exchange { what, .. }) = give else { return None };
    if let Expr::Const(Value::Choice(name)) = what { Some(*name) } else { None }
}

fn tells(block: &[Step]) -> bool {
    block.iter().any(|step| {
        matches!(
            step.kind,
            StepKind::Send(..) | StepKind::Reach { .. } | StepKind::Show(_) | StepKind::Give(..)
        ) || step.kind.blocks().into_iter().any(tells)
    })
}
