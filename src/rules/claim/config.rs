//! CLAIM-010: copy says what is configured, and what is scarce is scarce.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::about_money::yuan;
use crate::name::Name;
use crate::program::value::Reward;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::rules::said::Said;
use crate::rules::words::List;

rule! {
    CLAIM_010 = "CLAIM-010", Error, "copy that says other than what is given";
    packs: &[In::error(Pack::Core)],
    basis: &[
        Basis::new(Mark::Secondary, "规范促销行为暂行规定（市场监管总局令第32号）第5、6条"),
        Basis::new(Mark::Primary, "广告法（2021）第28条"),
        Basis::new(Mark::Secondary, "反不正当竞争法（2025 修订）第9条"),
    ],
    purposes: &["marketing"],
    reads: "copies of marketing. Words of scarcity (仅剩, 最后一天, 限量 …) want something that backs them: `open` of the content, of the \
            journey or of a reward that it `offers`, or a `stock` of this; without it a warning. Where the content `offers` one \
            reward with a value, amounts in yuan in front of its label are that value. Dates and rates are not compared",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for said in context.said.iter().filter(|said| said.is_read() && context.is_marketing(said.content.name)) {
        scarce(context, said, out);
        amounts(context, said, out);
    }
}

fn rewards<'a>(context: &'a Context, said: &'a Said) -> impl Iterator<Item = (Name, &'a Reward)> {
    let all = &context.model.values.rewards;
    said.content.offers.iter().filter_map(|name| Some((*name, all.get(name)?)))
}

fn scarce(context: &Context, said: &Said, out: &mut Out) {
    let Some((arm, hit)) = said.says(List::Scarcity).next() else { return };
    let by_reward = rewards(context, said).any(|(_, it)| it.stock.is_some() || it.open.is_some());
    let by_journey = || context.users(said.content.name).all(|message| message.journey.open.is_some());
    if by_reward || said.content.open.is_some() || by_journey() {
        return;
    }
    let finding = out
        .warn(
            said.place(context.sources, arm, &hit.range),
            format!("`{}` says that something is scarce, and nothing makes it so", hit.entry),
        )
        .label("backed by nothing")
        .help("write `offers REWARD` into the content, of a reward with a `stock`, or `open …` with its last day");
    out.push(context.about(said.content), finding);
}

fn amounts(context: &Context, said: &Said, out: &mut Out) {
    let mut offered = rewards(context, said);
    let (Some((name, reward)), None) = (offered.next(), offered.next()) else { return };
    let (Some(value), Some(label)) = (reward.value, reward.label.as_deref()) else { return };
    if value.currency.as_str() != "CNY" {
        return;
    }
    for arm in &said.arms {
        for (range, much) in yuan(&arm.text) {
            // `30 元生日礼券`: what stands right in front of its name is its worth.
            let behind = arm.text.get(range.end..).unwrap_or_default().trim_start();
            let behind = behind.strip_prefix('元').unwrap_or(behind);
            let worth = Decimal::from(much);
            if !behind.trim_start_matches('的').starts_with(label) || worth == value.major() {
                continue;
            }
            let finding = out
                .at(
                    said.place(context.sources, arm, &range),
                    format!("`{}` promises {much} CNY, and `{name}` is worth {value}", said.content.name),
                )
                .label(format!("it is {}", value.major().to_i64().unwrap_or_default()))
                .also(context.declared_at(name), "what is given")
                .help("write the worth of the reward, or change the reward");
            let about = context.about(said.content).into_iter().chain([name]);
            out.push(about, finding);
        }
    }
}
