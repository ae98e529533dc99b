//! CONSENT-003: a consent that was looked at long ago says little.

use crate::analysis::about;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::flows::{Case, channel_of, consents};
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};

const DAY_MS: i64 = 86_400_000;

rule! {
    CONSENT_003 = "CONSENT-003", Info, "the consent was looked at long before";
    packs: &[In::info(Pack::Core)],
    basis: &[
        Basis::new(Mark::Primary, "个人信息保护法第15条（撤回同意）"),
        Basis::new(Mark::Known, "GDPR art. 7(3), 21(3)"),
        Basis::new(Mark::Secondary, "47 CFR 64.1200(a)(10)"),
    ],
    purposes: &["marketing"],
    reads: "how old a condition `consent has CHANNEL` may be when its message is decided, by the longest waits between. The gate asks again \
            at that moment, so that this is a note",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for looked in context.marketing(Case::asks_consent) {
        let flow = &looked.flow;
        if consents(context, flow.journey).is_none() {
            continue;
        }
        for (at, message) in flow.messages() {
            let Some(known) = looked.facts.known(at) else { continue };
            let asked = known.iter().filter(|(fact, _)| {
                looked.facts.mind.holds(**fact).and_then(channel_of) == Some(message.channel)
            });
            let Some((fact, age)) = asked.min_by_key(|(_, age)| **age) else { continue };
            let (Some(node), true) = (flow.node(at), *age > DAY_MS) else { continue };
            let how_long =
                if *age == i64::MAX { "any time".to_owned() } else { format!("up to {}", about(*age)) };
            let mut finding = out
                .info(
                    node.span,
                    format!("the consent for `{}` was looked at {how_long} before", message.channel),
                )
                .label("the gate asks again here")
                .help(format!("write `if consent has {}` here, where it counts", message.channel));
            if let Some((words, span)) = looked.facts.mind.told(*fact) {
                finding = finding.also(span, format!("here, {words}"));
            }
            out.push_of([flow.journey.name], [node.id], None, finding);
        }
    }
}
