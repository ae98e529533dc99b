//! PRIZE-002: no prize of a draw is worth more than the law allows, and every one has a value.

use rust_decimal::Decimal;

use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, Mend, rule};

/// Yuan.
const MOST: i64 = 50_000;

rule! {
    PRIZE_002 = "PRIZE-002", Error, "a prize above what a draw may give";
    packs: &[In::error(Pack::Cn)],
    basis: &[
        Basis::new(Mark::Primary, "反不正当竞争法（2019 文本）有奖销售条：最高奖金额不超过五万元"),
        Basis::new(Mark::Known, "反不正当竞争法（2025 修订，2025-10-15 起施行）第11条：上限沿用，未核对"),
        Basis::new(Mark::Secondary, "规范促销行为暂行规定（市场监管总局令第32号）"),
    ],
    firm: true,
    mend: Mend::Nobody,
    reads: "the prizes of a `lottery`: their `value`, or that of the reward they give",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    let values = &context.model.values;
    for (name, lottery) in &values.lotteries {
        for prize in &lottery.prizes {
            let of_reward = || values.rewards.get(&prize.gives?)?.value;
            let place = context.word_in(*name, prize.name.as_str());
            match prize.value.or_else(of_reward) {
                None => {
                    let headline = format!("prize `{}` of `{name}` has no value", prize.name);
                    let finding = out
                        .at(place, headline)
                        .label("worth how much?")
                        .help("write `value 5 CNY`; of a thing, what it costs in a shop");
                    out.push([*name], finding);
                }
                Some(value) if value.currency.as_str() == "CNY" && value.major() > Decimal::from(MOST) => {
                    let headline = format!("prize `{}` of `{name}` is worth {value}", prize.name);
                    let finding = out
                        .at(place, headline)
                        .label(format!("more than {MOST} CNY"))
                        .help("give less, or give it to everybody who did something for it, without a draw");
                    out.push([*name], finding);
                }
                Some(_) => {}
            }
        }
    }
}
