//! DATA-001: what is known of people does not leave the country without a ground.

use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};

rule! {
    DATA_001 = "DATA-001", Error, "data that leave the country without a ground";
    packs: &[In::error(Pack::Cn), In::error(Pack::Eu)],
    basis: &[
        Basis::new(Mark::Primary, "个人信息保护法第38、39条：安全评估、认证、标准合同"),
        Basis::new(Mark::Known, "GDPR chapter V"),
        Basis::new(Mark::Known, "促进和规范数据跨境流动规定（2024）：豁免情形"),
    ],
    reads: "messages by channels whose `region` is another than that of the entity that the journey is about, and that say no ground \
            (`region sg under \"…\"`): an address alone is personal data. Entities and channels without a `region` are not looked at, nor \
            what leaves by other systems",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for message in &context.messages {
        let Some(region) = message.channel.region.as_ref().filter(|region| region.under.is_none()) else {
            continue;
        };
        let entity = context.model.entities.get(&message.journey.root);
        let Some((entity, home)) = entity.and_then(|entity| Some((entity, entity.region?))) else { continue };
        if home == region.place {
            continue;
        }
        let (journey, channel) = (message.journey.name, message.channel.name);
        let finding = out
            .at(
                message.span,
                format!("`{journey}` hands data of `{}` from `{home}` to `{}`", entity.name, region.place),
            )
            .label(format!("`{channel}` keeps them in `{}`", region.place))
            .also(region.span, "no ground is said")
            .help(format!(
                "write the ground: `region {} under \"标准合同备案 …\"`, or send it by a channel in `{home}`",
                region.place
            ));
        out.push_of([journey], [message.step], None, finding);
    }
}
