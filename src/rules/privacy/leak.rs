//! PRIV-003: what is personal does not stand where others read it.

use super::printed;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::rules::words::HOLE;

rule! {
    PRIV_003 = "PRIV-003", Error, "personal data where others read them";
    packs: &[In::error(Pack::Core)],
    basis: &[
        Basis::new(Mark::Primary, "个人信息保护法 第51条"),
        Basis::new(Mark::Primary, "反电信网络诈骗法 第29条"),
    ],
    reads: "holes that print attributes with a class of data, directly or as an argument: `contact`, `sensitive` and accounts \
            (`financial` text) in anything pushed, `identity` in groups and addresses. Names and amounts in messages to the \
            customer himself are left alone",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for said in &context.said {
        let Some(channel) = context.channel(said.channel) else { continue };
        let kind = channel.kind.as_str();
        for one in printed(context, said) {
            let (class, label) = (one.class(), one.field.label.as_deref().unwrap_or(one.field.name.as_str()));
            let is_text = matches!(
                one.field.ty.known(),
                crate::value::Type::Text | crate::value::Type::ShortText(_) | crate::value::Type::Id
            );
            let pushed = matches!(kind, "push" | "group" | "human");
            let why = match class {
                "contact" | "sensitive" if pushed => "it lies open on a lock screen, and with the carrier",
                "financial" if pushed && is_text => {
                    "an account lies open on a lock screen, and with the carrier"
                }
                "identity" | "contact" | "financial" | "sensitive" if kind == "group" => {
                    "everybody in the group reads it"
                }
                "identity" | "contact" | "financial" | "sensitive"
                    if said.part.as_str() == "link" && said.arms.iter().any(|arm| in_query(&arm.text)) =>
                {
                    "addresses are kept in logs of others"
                }
                _ => continue,
            };
            let headline = format!("`{}` shows `{label}` of `{}` as it is", said.content.name, one.entity);
            let finding = out
                .at(said.span, headline)
                .label(format!("unmasked: {why}"))
                .also(one.field.span, format!("of the class `{class}`"))
                .help(format!("write `mask({})`, or leave it out", one.field.name));
            out.push(context.about(said.content), finding);
        }
    }
}

/// Whether a hole stands behind the question mark of an address.
fn in_query(text: &str) -> bool {
    text.split_once('?').is_some_and(|(_, query)| query.contains(HOLE))
}
