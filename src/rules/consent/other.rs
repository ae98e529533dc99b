//! CONSENT-002: the consent for one channel is none for another.

use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::flows::Asked;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};

rule! {
    CONSENT_002 = "CONSENT-002", Info, "only the consent for another channel is looked at";
    packs: &[In::info(Pack::Core)],
    basis: &[
        Basis::new(Mark::Primary, "广告法第43条"),
        Basis::new(Mark::Primary, "个人信息保护法第14条"),
    ],
    purposes: &["marketing"],
    reads: "conditions of the shape `consent has CHANNEL` on every way to a message. The gate asks for the right channel at run time, so \
            that nothing wrong is sent, and fewer are reached than the author may think: a note",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for Asked { looked, node, channel, consents } in context.asked() {
        let Some((other, ..)) = consents.first().filter(|_| consents.iter().all(|(one, ..)| *one != channel))
        else {
            continue;
        };
        let finding = out
            .info(
                node.span,
                format!("only the consent for `{other}` was looked at on the way to `{channel}`"),
            )
            .label("the gate asks for its own")
            .help(format!(
                "write `if consent has {channel}` around it, or ask for neither and leave it to the gate"
            ));
        out.push_of([looked.flow.journey.name], [node.id], None, finding);
    }
}
