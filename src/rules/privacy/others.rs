//! PRIV-002: nobody else is handed personal data.

use super::printed;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};

rule! {
    PRIV_002 = "PRIV-002", Error, "personal data for somebody else";
    packs: &[In::error(Pack::Cn), In::error(Pack::Eu), In::error(Pack::Hk), In::error(Pack::Us)],
    basis: &[
        Basis::new(Mark::Primary, "个人信息保护法 第21、23条"),
        Basis::new(Mark::Secondary, "PDPO sections 35J to 35K (Hong Kong)"),
        Basis::new(Mark::Known, "GLBA: right to opt out"),
    ],
    reads: "copies for advertisers (`kind ads`, `surface paid`) whose holes print attributes of the classes contact, identity, \
            financial or sensitive. That somebody is on such a list at all is a matter of consent, which the gate asks for",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for said in &context.said {
        let Some(channel) = context.channel(said.channel) else { continue };
        let theirs =
            channel.kind.as_str() == "ads" || channel.surface.is_some_and(|it| it.as_str() == "paid");
        if !theirs {
            continue;
        }
        for one in printed(context, said) {
            if !matches!(one.class(), "contact" | "identity" | "financial" | "sensitive") {
                continue;
            }
            let label = one.field.label.as_deref().unwrap_or(one.field.name.as_str());
            let finding = out
                .at(said.span, format!("`{}` hands `{label}` to `{}`", said.content.name, said.channel))
                .label("who runs it decides for himself what becomes of it")
                .also(one.field.span, format!("of the class `{}`", one.class()))
                .also(channel.span, "not the bank's own")
                .help("leave it out; an audience is handed over by ids that only the bank can read");
            out.push(context.about(said.content), finding);
        }
    }
}
