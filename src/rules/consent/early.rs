//! CONSENT-003: a consent that was looked at long ago says little.

use crate::analysis::about;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::flows::Asked;
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
    for asked in context.asked() {
        let Asked { looked, node, channel, consents } = asked;
        let own = consents.into_iter().filter(|(asked, ..)| *asked == channel);
        let Some((_, fact, age)) = own.min_by_key(|(.., age)| *age).filter(|(.., age)| *age > DAY_MS) else {
            continue;
        };
        let how_long = if age == i64::MAX { "any time".to_owned() } else { format!("up to {}", about(age)) };
        let mut finding = out
            .info(node.span, format!("the consent for `{channel}` was looked at {how_long} before"))
            .label("the gate asks again here")
            .help(format!("write `if consent has {channel}` here, where it counts"));
        if let Some((words, span)) = looked.facts.mind.told(fact) {
            finding = finding.also(span, format!("here, {words}"));
        }
        out.push_of([looked.flow.journey.name], [node.id], None, finding);
    }
}
